/*
 * Values to YAML, in the style of Terraform's yamlencode: block collections, strings in double quotes or, when
 * they have several lines, as literal blocks.
 */
#include "lang/yaml_value.h"

#include <string.h>
#include <yaml.h>

#include "lang/call.h"
#include "lang/number.h"

static int write_bytes(void *data, unsigned char *bytes, size_t len)
{
        text_addn(data, bytes, len);
        return 1;
}

static bool emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
        return yaml_emitter_emit(emitter, event) == 1;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *s, size_t len, yaml_scalar_style_t style)
{
        yaml_event_t event;
        return yaml_scalar_event_initialize(
                   &event, NULL, NULL, (yaml_char_t *)(uintptr_t)s, (int)len, 1, 1, style) &&
               emit(emitter, &event);
}

/* Lines stand as a block, unless the last one is only blanks: a block would lose them, or what comes behind it. */
static bool emit_string(yaml_emitter_t *emitter, const char *s, size_t len)
{
        size_t end = len;
        while (end > 0 && s[end - 1] == ' ') end--;
        bool blank_end = end < len && end > 0 && s[end - 1] == '\n';
        bool block = memchr(s, '\n', len) != NULL && !blank_end;
        return emit_scalar(
            emitter, s, len, block ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool emit_value(yaml_emitter_t *emitter, const struct value *v);

static bool emit_mapping(yaml_emitter_t *emitter, const struct value *v)
{
        yaml_event_t event;
        yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
        if (!emit(emitter, &event)) return false;
        for (size_t i = 0; i < value_count(v); i++) {
                const char *key = value_key_at(v, i);
                if (!emit_string(emitter, key, strlen(key)) || !emit_value(emitter, value_at(v, i)))
                        return false;
        }
        yaml_mapping_end_event_initialize(&event);
        return emit(emitter, &event);
}

static bool emit_sequence(yaml_emitter_t *emitter, const struct value *v)
{
        yaml_event_t event;
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        if (!emit(emitter, &event)) return false;
        for (size_t i = 0; i < value_count(v); i++)
                if (!emit_value(emitter, value_at(v, i))) return false;
        yaml_sequence_end_event_initialize(&event);
        return emit(emitter, &event);
}

static bool emit_plain(yaml_emitter_t *emitter, const char *s)
{
        return emit_scalar(emitter, s, strlen(s), YAML_PLAIN_SCALAR_STYLE);
}

static bool emit_number(yaml_emitter_t *emitter, const struct value *v)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text t = {0};
        number_text(v, &t);
        return emit_plain(emitter, t.data);
}

static bool emit_value(yaml_emitter_t *emitter, const struct value *v)
{
        if (value_is_null(v)) return emit_plain(emitter, "null");
        switch (value_kind(v)) {
        case TYPE_STRING: return emit_string(emitter, value_as_string(v), value_string_len(v));
        case TYPE_NUMBER: return emit_number(emitter, v);
        case TYPE_BOOL: return emit_plain(emitter, value_as_bool(v) ? "true" : "false");
        case TYPE_MAP:
        case TYPE_OBJECT: return emit_mapping(emitter, v);
        default: return emit_sequence(emitter, v);
        }
}

static bool emit_document(yaml_emitter_t *emitter, const struct value *v)
{
        yaml_event_t event;
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
        if (!emit(emitter, &event)) return false;
        yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
        if (!emit(emitter, &event) || !emit_value(emitter, v)) return false;
        yaml_document_end_event_initialize(&event, 1);
        if (!emit(emitter, &event)) return false;
        yaml_stream_end_event_initialize(&event);
        return emit(emitter, &event);
}

static const char document_end[] = "...\n";

/* Whether the text ends in a line that is the end of a document. YAML has breaks of lines beyond ASCII. */
static bool ends_expressly(const struct text *t)
{
        static const char *const breaks[] = {"\n", "\u2028", "\u2029", "\xc2\x85"};
        size_t len = sizeof document_end - 1;
        if (t->len < len || memcmp(t->data + t->len - len, document_end, len) != 0) return false;
        size_t before = t->len - len;
        bool alone = before == 0;
        for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
                size_t n = strlen(breaks[i]);
                alone = alone || (before >= n && memcmp(t->data + before - n, breaks[i], n) == 0);
        }
        return alone;
}

int yaml_encode(const struct value *v, struct text *out, struct error **err)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text t = {0};
        yaml_emitter_t emitter;
        if (!yaml_emitter_initialize(&emitter))
                return error_set(err, ERROR_SYSTEM, NULL, "cannot write YAML");
        yaml_emitter_set_output(&emitter, write_bytes, &t);
        yaml_emitter_set_unicode(&emitter, 1);
        yaml_emitter_set_width(&emitter, 80);
        bool good = emit_document(&emitter, v);
        yaml_emitter_delete(&emitter);
        if (!good) return error_set(err, ERROR_INPUT, NULL, "cannot write the value as YAML");

        /* Releases of libyaml differ in when they end a document expressly: here, after a bare scalar only. */
        while (ends_expressly(&t)) t.len -= sizeof document_end - 1;
        text_addn(out, t.data, t.len);
        bool scalar = value_is_null(v) || value_kind(v) == TYPE_NUMBER || value_kind(v) == TYPE_BOOL;
        if (scalar) text_add(out, document_end);
        return 0;
}
