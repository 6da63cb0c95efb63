/*
 * YAML to values. The events of libyaml are taken in by recursive descent. An alias shares the value of its
 * anchor; what that would amount to when written out is counted, so that a few lines cannot stand for
 * gigabytes.
 */
#include "lang/yaml_value.h"

#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "lang/base64.h"
#include "lang/call.h"

enum { MAX_DEPTH = 100 };

struct anchored {
        struct value *value; /* NULL while its own definition is being read */
        size_t weight;
};

struct reader {
        yaml_parser_t parser;
        struct map anchors; /* name to struct anchored */
        size_t weight;      /* scalars and collections so far, aliases counted in full */
        int depth;
        struct error **err;
};

static void reader_release(struct reader *r)
{
        for (map_foreach (&r->anchors, entry)) {
                struct anchored *a = entry->value;
                value_free(a->value);
                free(a);
        }
        map_release(&r->anchors);
        yaml_parser_delete(&r->parser);
}

static void *refuse_at(struct reader *r, yaml_mark_t mark, const char *what)
{
        return call_refuse(r->err, "on line %zu, column %zu: %s", mark.line + 1, mark.column + 1, what);
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
        if (yaml_parser_parse(&r->parser, event)) return true;
        const char *problem = r->parser.problem ? r->parser.problem : "cannot be read";
        return refuse_at(r, r->parser.problem_mark, problem);
}

static bool tag_is(const char *tag, const char *name)
{
        static const char prefix[] = "tag:yaml.org,2002:";
        return tag && strncmp(tag, prefix, sizeof prefix - 1) == 0 &&
               strcmp(tag + sizeof prefix - 1, name) == 0;
}

static bool is_base64(const char *s, size_t len)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text decoded = {0};
        return base64_decode(s, len, &decoded);
}

/* Whether the value that a plain scalar has by itself is what its tag asks for. */
static bool fits_tag(const char *tag, const struct value *v)
{
        if (!v) return false;
        if (tag_is(tag, "bool")) return value_kind(v) == TYPE_BOOL;
        if (tag_is(tag, "float")) return value_kind(v) == TYPE_NUMBER;
        int64_t n;
        if (tag_is(tag, "int"))
                return value_kind(v) == TYPE_NUMBER &&
                       (value_as_int(v, &n) || value_as_double(v) > 1e15 || value_as_double(v) < -1e15);
        return tag_is(tag, "timestamp") && value_kind(v) == TYPE_STRING;
}

static struct value *read_scalar(struct reader *r, const yaml_event_t *event)
{
        const char *tag = (const char *)event->data.scalar.tag, *s = (const char *)event->data.scalar.value;
        size_t len = event->data.scalar.length;
        bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, unusable = false;
        static const char *const known[] = {
            "str", "int", "float", "bool", "null", "timestamp", "binary", "merge"};
        bool supported = !tag;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                supported = supported || tag_is(tag, known[i]);
        if (!supported) return refuse_at(r, event->start_mark, "unsupported tag");

        if (tag_is(tag, "binary") && !is_base64(s, len))
                return refuse_at(r, event->start_mark, "not valid base64");
        if (!plain || tag_is(tag, "str") || tag_is(tag, "binary")) return value_string_n(s, len);
        if (tag_is(tag, "null")) return value_null(type_dynamic);
        cleanup(value_free) struct value *v = yaml_plain_scalar(s, len, &unusable);
        if (unusable)
                return refuse_at(r, event->start_mark, "numbers that are infinite or none are not supported");
        if (tag && !fits_tag(tag, v))
                return refuse_at(r, event->start_mark, "the scalar is not what its tag says");
        return v ? steal(v) : value_string_n(s, len);
}

static struct value *read_node(struct reader *r, yaml_event_t *event);

/* The value of the next node, or NULL with a problem; NULL with *end set where `closing` comes instead. */
static struct value *read_next(struct reader *r, yaml_event_type_t closing, bool *end, yaml_event_t *event)
{
        if (!next_event(r, event)) return NULL;
        *end = event->type == closing;
        return *end ? NULL : read_node(r, event);
}

static struct value *read_sequence(struct reader *r, const yaml_event_t *start)
{
        const char *tag = (const char *)start->data.sequence_start.tag;
        if (tag && !tag_is(tag, "seq"))
                return refuse_at(r, start->start_mark, "unsupported tag on a sequence");
        cleanup(value_vec_release) struct value_vec elements = {0};
        for (bool end = false; !end;) {
                yaml_event_t event;
                struct value *v = read_next(r, YAML_SEQUENCE_END_EVENT, &end, &event);
                if (v) value_vec_push(&elements, v);
                if (v || end)
                        yaml_event_delete(&event);
                else
                        return NULL;
        }
        return value_tuple(elements.items, elements.count);
}

/* A key as text; NULL with a problem for null, sequences and mappings. */
static struct value *key_text(struct reader *r, const struct value *key, yaml_mark_t mark)
{
        if (value_is_null(key)) return refuse_at(r, mark, "mapping key cannot be null");
        cleanup(error_free) struct error *problem = NULL;
        struct value *text = value_convert(key, type_string, &problem);
        return text ? text : refuse_at(r, mark, "only strings are allowed as mapping keys");
}

static bool is_merge(const yaml_event_t *event)
{
        if (event->type != YAML_SCALAR_EVENT) return false;
        if (tag_is((const char *)event->data.scalar.tag, "merge")) return true;
        return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.length == 2 &&
               memcmp(event->data.scalar.value, "<<", 2) == 0 && !event->data.scalar.tag;
}

static bool merge_into(struct reader *r, struct value_builder *b, const struct value *v, yaml_mark_t mark)
{
        if (value_kind(v) != TYPE_OBJECT)
                return refuse_at(r, mark, "only a mapping can be merged into a mapping");
        for (size_t i = 0; i < value_count(v); i++)
                value_builder_add(b, value_key_at(v, i), value_ref(value_at(v, i)));
        return true;
}

/* One key and its value; *end at the end of the mapping. False with a problem. */
static bool read_pair(struct reader *r, struct value_builder *b, bool *end)
{
        yaml_event_t event;
        cleanup(value_free) struct value *key = read_next(r, YAML_MAPPING_END_EVENT, end, &event);
        if (!key && !*end) return false;
        yaml_mark_t mark = event.start_mark;
        bool merge = is_merge(&event), closing;
        yaml_event_delete(&event);
        if (*end) return true;
        cleanup(value_free) struct value *text = merge ? value_ref(key) : key_text(r, key, mark);
        if (!text) return false;

        cleanup(value_free) struct value *v = read_next(r, YAML_NO_EVENT, &closing, &event);
        if (!v) return false;
        yaml_event_delete(&event);
        if (merge) return merge_into(r, b, v, mark);
        value_builder_add(b, value_as_string(text), steal(v));
        return true;
}

static struct value *read_mapping(struct reader *r, const yaml_event_t *start)
{
        const char *tag = (const char *)start->data.mapping_start.tag;
        if (tag && !tag_is(tag, "map"))
                return refuse_at(r, start->start_mark, "unsupported tag on a mapping");
        struct value_builder b = {0};
        for (bool end = false; !end;)
                if (!read_pair(r, &b, &end)) {
                        value_builder_release(&b);
                        return NULL;
                }
        return value_builder_object(&b);
}

static struct value *read_alias(struct reader *r, const yaml_event_t *event)
{
        struct anchored *a = map_get(&r->anchors, (const char *)event->data.alias.anchor);
        if (!a) return refuse_at(r, event->start_mark, "reference to an undefined anchor");
        if (!a->value)
                return refuse_at(
                    r, event->start_mark, "an anchor cannot be referred to from inside its own definition");
        r->weight += a->weight;
        return value_ref(a->value);
}

static const char *event_anchor(const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_SCALAR_EVENT: return (const char *)event->data.scalar.anchor;
        case YAML_SEQUENCE_START_EVENT: return (const char *)event->data.sequence_start.anchor;
        case YAML_MAPPING_START_EVENT: return (const char *)event->data.mapping_start.anchor;
        default: return NULL;
        }
}

static struct value *read_content(struct reader *r, const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_SCALAR_EVENT: return read_scalar(r, event);
        case YAML_SEQUENCE_START_EVENT: return read_sequence(r, event);
        case YAML_MAPPING_START_EVENT: return read_mapping(r, event);
        case YAML_ALIAS_EVENT: return read_alias(r, event);
        default: return refuse_at(r, event->start_mark, "unexpected content");
        }
}

/* Where an anchor's value will be: an earlier one of that name is forgotten. */
static struct anchored *anchor_open(struct reader *r, const char *name)
{
        struct anchored *a = map_get(&r->anchors, name);
        if (!a) map_put_copy(&r->anchors, name, a = mem_alloc(sizeof *a));
        value_free(a->value);
        *a = (struct anchored){.weight = r->weight};
        return a;
}

/* The node that an event begins. The event is deleted here if that fails, else by the caller. */
static struct value *read_node(struct reader *r, yaml_event_t *event)
{
        struct value *v = NULL;
        const char *name = event_anchor(event);
        struct anchored *a = name ? anchor_open(r, name) : NULL;
        if (++r->weight > CALL_MAX_ELEMENTS)
                refuse_at(r, event->start_mark, "the document is too large");
        else if (++r->depth > MAX_DEPTH)
                refuse_at(r, event->start_mark, "the document nests too deep");
        else
                v = read_content(r, event);
        r->depth--;
        if (v && r->weight > CALL_MAX_ELEMENTS) {
                value_free(v);
                v = refuse_at(r, event->start_mark, "the document is too large");
        }
        if (!v)
                yaml_event_delete(event);
        else if (a) {
                a->value = value_ref(v);
                a->weight = r->weight - a->weight;
        }
        return v;
}

/* Takes one event and tells whether it was of a type. */
static bool expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
        yaml_event_t event;
        if (!next_event(r, &event)) return false;
        bool good = event.type == type;
        bool old = !good || type != YAML_DOCUMENT_START_EVENT ||
                   !event.data.document_start.version_directive ||
                   event.data.document_start.version_directive->minor <= 1;
        if (!good)
                refuse_at(r, event.start_mark, otherwise);
        else if (!old)
                refuse_at(r, event.start_mark, "found incompatible YAML document");
        yaml_event_delete(&event);
        return good && old;
}

struct value *yaml_decode(const char *text, size_t len, struct error **err)
{
        __attribute__((__cleanup__(reader_release))) struct reader r = {.err = err};
        if (!yaml_parser_initialize(&r.parser)) return call_refuse(err, "cannot read YAML: out of memory");
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);

        yaml_event_t event;
        bool end;
        if (!expect(&r, YAML_STREAM_START_EVENT, "missing start of document")) return NULL;
        if (!expect(&r, YAML_DOCUMENT_START_EVENT, "missing start of document")) return NULL;
        cleanup(value_free) struct value *v = read_next(&r, YAML_NO_EVENT, &end, &event);
        if (!v) return NULL;
        yaml_event_delete(&event);
        if (!expect(&r, YAML_DOCUMENT_END_EVENT, "unexpected extra content after value")) return NULL;
        if (!expect(&r, YAML_STREAM_END_EVENT, "unexpected extra content after value")) return NULL;
        return steal(v);
}
