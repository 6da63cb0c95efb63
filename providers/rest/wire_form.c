/*
 * Form-encoded bodies as AWS's query interfaces take them: nested values flattened into names with dots.
 */
#include <stdlib.h>
#include <string.h>
#include "url.h"
#include "wire.h"

enum { FORM_DEPTH_MAX = 20 };

struct form_writer {
        const struct tutti_host *host;
        enum form_lists lists;
        struct buf *out;
        char **problem;
};

static int form_write(struct form_writer *w, struct buf *name, const struct value *v, unsigned depth);

/* In a form a blank is a plus. */
static void form_escape(struct buf *out, const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (s[i] == ' ')
                        buf_char(out, '+');
                else
                        url_escape(out, s + i, 1);
        }
}

static int form_write_part(
    struct form_writer *w, struct buf *name, const char *part, const struct value *v, unsigned depth)
{
        size_t len = name->len;
        if (len && *part) buf_char(name, '.');
        buf_text(name, part);
        int r = form_write(w, name, v, depth + 1);
        name->len = len;
        name->data[len] = 0;
        return r;
}

static int form_write_list(struct form_writer *w, struct buf *name, const struct value *v, unsigned depth)
{
        for (size_t i = 0; i < w->host->value_count(v); i++) {
                AUTO_CHAR part = w->lists == FORM_REPEAT   ? util_format("%s", "")
                                 : w->lists == FORM_MEMBER ? util_format("member.%zu", i + 1)
                                                           : util_format("%zu", i + 1);
                if (form_write_part(w, name, part, w->host->value_at(v, i), depth) < 0) return -1;
        }
        return 0;
}

static int form_write(struct form_writer *w, struct buf *name, const struct value *v, unsigned depth)
{
        if (kind_none(w->host, v)) return 0;
        if (depth > FORM_DEPTH_MAX) {
                *w->problem = util_format("%s is nested too deeply for a form", name->data);
                return -1;
        }
        if (kind_list(w->host, v)) return form_write_list(w, name, v, depth);
        if (kind_map(w->host, v)) {
                for (size_t i = 0; i < w->host->value_count(v); i++)
                        if (form_write_part(
                                w, name, w->host->value_key_at(v, i), w->host->value_at(v, i), depth) < 0)
                                return -1;
                return 0;
        }
        char *text = text_is_cut(w->host, v) ? NULL : w->host->value_to_text(v);
        if (!text) {
                *w->problem = util_format(
                    text_is_cut(w->host, v) ? "%s holds a NUL byte" : "%s is not known", name->data);
                return -1;
        }
        if (w->out->len) buf_char(w->out, '&');
        form_escape(w->out, name->data, name->len);
        buf_char(w->out, '=');
        form_escape(w->out, text, strlen(text));
        explicit_bzero(text, strlen(text));
        free(text);
        return 0;
}

int wire_form_write(const struct tutti_host *host, const struct service *s, const struct value *v,
    struct buf *out, char **problem)
{
        struct form_writer w = {.host = host, .lists = s->form_lists, .out = out, .problem = problem};
        AUTO_BUF name = {0};
        buf_text(&name, "");
        if (!kind_map(host, v)) {
                *problem = util_format("a form must be a map");
                return -1;
        }
        return form_write(&w, &name, v, 0);
}
