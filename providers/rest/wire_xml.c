/*
 * XML replies as values. What is a list is not in XML itself: the manifest's hints say it (docs/manifests.md, "Wire forms").
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include "wire.h"

enum { XML_DEPTH_MAX = 100, XML_ELEMENTS_MAX = 1000000 };

struct xml_element {
        char *name;
        struct object children; /* in order; names may repeat */
        struct buf text;
};

struct xml_reader {
        const struct tutti_host *host;
        const struct xml_options *options;
        XML_Parser parser;
        struct xml_element stack[XML_DEPTH_MAX + 1]; /* [0] holds the root as its child */
        size_t depth, elements;
        const char *problem;
};

static void xml_stop(struct xml_reader *r, const char *problem)
{
        r->problem = problem;
        XML_StopParser(r->parser, XML_FALSE);
}

static void xml_start(void *context, const char *name, const char **attributes)
{
        (void)attributes;
        struct xml_reader *r = context;
        if (r->problem) return;
        if (r->depth == XML_DEPTH_MAX || ++r->elements > XML_ELEMENTS_MAX) {
                xml_stop(r, "nested too deeply or too large");
                return;
        }
        const char *colon = strrchr(name, ':');
        r->stack[++r->depth] = (struct xml_element){.name = util_format("%s", colon ? colon + 1 : name)};
}

static void xml_text(void *context, const char *s, int len)
{
        struct xml_reader *r = context;
        if (!r->problem) buf_bytes(&r->stack[r->depth].text, s, (size_t)len);
}

/* The children named as that of `first` from there on, as a list. `order` is sorted by name, then position. */
static size_t xml_run(const struct object *o, const size_t *order, size_t first)
{
        size_t end = first + 1;
        while (end < o->count && strcmp(o->keys[order[first]], o->keys[order[end]]) == 0) end++;
        return end;
}

static int xml_order(const void *a, const void *b, void *context)
{
        const struct object *o = context;
        size_t x = *(const size_t *)a, y = *(const size_t *)b;
        int c = strcmp(o->keys[x], o->keys[y]);
        return c ? c : x < y ? -1 : x > y;
}

/* An object of the children; those that repeat, or are known to, are lists. */
static struct value *xml_object(struct xml_reader *r, struct object *children)
{
        size_t *order = util_alloc((children->count + 1) * sizeof *order);
        struct value **run = util_alloc((children->count + 1) * sizeof(*run));
        for (size_t i = 0; i < children->count; i++) order[i] = i;
        qsort_r(order, children->count, sizeof *order, xml_order, children);
        struct object o = {0};
        for (size_t i = 0, end; i < children->count; i = end) {
                const char *name = children->keys[order[i]];
                end = xml_run(children, order, i);
                for (size_t j = i; j < end; j++) run[j - i] = children->values[order[j]];
                bool list = end - i > 1 || patterns_match(&r->options->repeated, name);
                object_add(&o, name, list ? r->host->value_list(run, end - i) : r->host->value_ref(run[0]));
        }
        free(order);
        free(run);
        return object_value(r->host, &o);
}

static bool xml_is_list(const struct xml_reader *r, const struct xml_element *e)
{
        if (patterns_match(&r->options->lists, e->name)) return true;
        for (size_t i = 0; i < e->children.count; i++)
                if (!patterns_match(&r->options->items, e->children.keys[i])) return false;
        return e->children.count > 0;
}

static struct value *xml_value(struct xml_reader *r, struct xml_element *e)
{
        if (xml_is_list(r, e)) return r->host->value_list(e->children.values, e->children.count);
        if (e->children.count) return xml_object(r, &e->children);
        return r->host->value_string(e->text.data ? e->text.data : "", e->text.len);
}

static void xml_element_release(struct xml_reader *r, struct xml_element *e)
{
        free(e->name);
        object_release(r->host, &e->children);
        buf_release(&e->text);
}

static void xml_end(void *context, const char *name)
{
        (void)name;
        struct xml_reader *r = context;
        if (r->problem) return;
        struct xml_element *e = &r->stack[r->depth--];
        object_add(&r->stack[r->depth].children, e->name, xml_value(r, e));
        xml_element_release(r, e);
}

/* Entities of a document's own could grow without bound; no API sends any. */
static void xml_doctype(void *context, const char *name, const char *system, const char *public, int internal)
{
        (void)name, (void)system, (void)public, (void)internal;
        xml_stop(context, "a document type is not allowed");
}

struct value *wire_xml_read(const struct tutti_host *host, const struct xml_options *options,
    const char *body, size_t len, char **problem)
{
        struct xml_reader *r = util_alloc(sizeof *r);
        r->host = host;
        r->options = options;
        r->parser = XML_ParserCreate(NULL);
        if (!r->parser) abort();
        XML_SetUserData(r->parser, r);
        XML_SetElementHandler(r->parser, xml_start, xml_end);
        XML_SetCharacterDataHandler(r->parser, xml_text);
        XML_SetStartDoctypeDeclHandler(r->parser, xml_doctype);
        bool well = XML_Parse(r->parser, body, (int)len, 1) == XML_STATUS_OK && !r->problem;
        struct value *v = NULL;
        if (well && r->stack[0].children.count == 1)
                v = host->value_ref(r->stack[0].children.values[0]);
        else
                *problem = util_format("not XML as expected: line %lu: %s",
                    XML_GetCurrentLineNumber(r->parser),
                    r->problem ? r->problem : XML_ErrorString(XML_GetErrorCode(r->parser)));
        XML_ParserFree(r->parser);
        for (size_t i = 0; i <= r->depth; i++) xml_element_release(r, &r->stack[i]);
        free(r);
        return v;
}
