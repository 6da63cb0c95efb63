/*
 * The wire forms: JSON and text here, form-encoding and XML in files of their own.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

static int wire_json_write(const struct tutti_host *host, const struct service *s, const struct value *v,
    struct buf *out, char **problem)
{
        (void)s, (void)problem;
        size_t len = 0;
        char *json = host->value_to_json(v, &len);
        buf_bytes(out, json, len);
        explicit_bzero(json, len);
        free(json);
        return 0;
}

static struct value *wire_json_read(
    const struct tutti_host *host, const struct service *s, const char *body, size_t len, char **problem)
{
        (void)s;
        return host->value_from_json(body, len, problem);
}

static int wire_text_write(const struct tutti_host *host, const struct service *s, const struct value *v,
    struct buf *out, char **problem)
{
        (void)s;
        char *text = text_is_cut(host, v) ? NULL : host->value_to_text(v);
        if (!text) {
                *problem = util_format("a body in text form must be a text without a NUL byte");
                return -1;
        }
        buf_text(out, text);
        explicit_bzero(text, strlen(text));
        free(text);
        return 0;
}

static struct value *wire_text_read(
    const struct tutti_host *host, const struct service *s, const char *body, size_t len, char **problem)
{
        (void)s, (void)problem;
        return host->value_string(body, len);
}

static struct value *wire_read_xml(
    const struct tutti_host *host, const struct service *s, const char *body, size_t len, char **problem)
{
        return wire_xml_read(host, &s->xml, body, len, problem);
}

static const struct wire wires[] = {
    {"json", "application/json", wire_json_write, wire_json_read},
    {"form", "application/x-www-form-urlencoded; charset=utf-8", wire_form_write, NULL},
    {"xml", "application/xml", NULL, wire_read_xml},
    {"text", "text/plain; charset=utf-8", wire_text_write, wire_text_read},
};
const char *const wire_names[] = {"json", "form", "xml", "text", NULL};

const struct wire *wire_named(const char *name)
{
        for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
                if (strcmp(wires[i].name, name) == 0) return &wires[i];
        return NULL;
}
