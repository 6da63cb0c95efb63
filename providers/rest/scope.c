/*
 * What expressions see, what is saved between two calls, and how failures are worded. Secrets never reach a message.
 */
#include <stdlib.h>
#include <string.h>
#include "run.h"

enum { SECRET_LEN_MIN = 3, ROOT_VALUES_DEPTH = 50 };

void run_root(struct run *r, const char *name, struct value *steal)
{
        struct value *before = r->roots;
        r->roots = r->host->value_with(before, name, steal);
        r->host->value_free(before);
        r->host->value_free(steal);
}

static struct value *run_text_value(const struct run *r, const char *text)
{
        return text ? r->host->value_string(text, strlen(text)) : r->host->value_null();
}

/* Properties: those that are wanted, else the recorded ones, else what the id says. */
static void run_begin_properties(struct run *r)
{
        const struct tutti_host *host = r->host;
        const struct value *planned = host->op_planned(r->op), *prior = host->op_prior(r->op);
        if (r->action == TUTTI_READ || r->action == TUTTI_DELETE) planned = prior ? prior : planned;
        if (!planned) planned = prior;
        struct object none = {0};
        run_root(r, "prior", prior ? host->value_ref(prior) : host->value_null());
        run_root(r, "properties", planned ? host->value_ref(planned) : object_value(host, &none));
        if (planned || !r->type->from_id) return;
        struct value *from_id = run_fill(r, r->type->from_id);
        if (from_id)
                run_root(r, "properties", from_id);
        else
                free(r->problem), r->problem = NULL;
}

static int64_t run_saved_int(const struct run *r, const struct value *saved, const char *key)
{
        const struct value *v = saved ? r->host->value_get(saved, key) : NULL;
        int64_t n = 0;
        return kind_is(r->host, v, "number") && r->host->value_as_int(v, &n) && n > 0 ? n : 0;
}

static void run_begin_saved(struct run *r)
{
        const struct tutti_host *host = r->host;
        const struct value *saved = host->op_saved(r->op);
        const struct value *vars = saved ? host->value_get(saved, "vars") : NULL;
        const struct value *next = saved ? host->value_get(saved, "next") : NULL;
        const struct value *items = saved ? host->value_get(saved, "items") : NULL;
        struct object none = {0};
        r->vars = vars ? host->value_ref(vars) : object_value(host, &none);
        r->next = next ? host->value_ref(next) : host->value_null();
        r->items = items ? host->value_ref(items) : NULL;
        r->loop = run_saved_int(r, saved, "loop");
        r->pages = run_saved_int(r, saved, "pages");
        r->made_ms = run_saved_int(r, saved, "made");
        r->again_state = run_saved_int(r, saved, "again");
        r->again_loop = run_saved_int(r, saved, "again_loop");
}

/* By token where one is asked for and the type can; a token that only the name can stand for says that what is looked for was made just now. */
static const struct requests *run_finder(const struct run *r)
{
        const struct rest_type *t = r->type;
        return r->host->op_token(r->op) && t->find_token.count ? &t->find_token : &t->find_name;
}

static const struct requests *run_requests(const struct run *r)
{
        const struct rest_type *t = r->type;
        switch (r->action) {
        case TUTTI_CREATE: return &t->create;
        case TUTTI_UPDATE: return &t->update;
        case TUTTI_DELETE: return &t->delete_;
        case TUTTI_FIND: return run_finder(r);
        default: return &t->read;
        }
}

void run_begin(struct run *r, struct rest_context *context, struct tutti_op *op)
{
        const struct tutti_host *host = context->provider->host;
        *r = (struct run){.host = host, .op = op, .context = context, .type = host->op_type(op)->own};
        r->service = r->type->service;
        r->action = host->op_action(op);
        r->requests = run_requests(r);
        int state = host->op_state(op);
        r->index = (size_t)state / 2;
        r->waiting = state % 2;
        run_begin_saved(r);
        struct object none = {0};
        r->roots = object_value(host, &none);
        run_root(r, "config", host->value_ref(context->config));
        run_root(r, "id", run_text_value(r, host->op_id(op)));
        run_root(r, "token", run_text_value(r, host->op_token(op)));
        run_root(r, "address", run_text_value(r, host->op_address(op)));
        run_root(r, "environment", run_text_value(r, host->op_environment(op)));
        run_root(r, "vars", host->value_ref(r->vars));
        run_root(r, "next", host->value_ref(r->next));
        run_root(r, "waiting", host->value_bool(r->waiting));
        run_begin_properties(r);
}

void run_release(struct run *r)
{
        r->host->value_free(r->vars);
        r->host->value_free(r->next);
        r->host->value_free(r->items);
        r->host->value_free(r->roots);
        r->host->value_free(r->observed);
        free(r->problem);
}

static bool request_mentions(const struct run *r, const struct request *q, const char *word)
{
        const struct shape *const shapes[] = {
            q->when, q->for_each, q->path, q->url, q->query, q->headers, q->body};
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                if (shape_mentions(shapes[i], word)) return true;
        for (size_t i = 0; i < r->type->with_count; i++)
                if (shape_mentions(r->type->with[i], word)) return true;
        return q->wait && shape_mentions(q->wait->when, word);
}

int run_prepare(struct run *r, const struct request *q)
{
        if (request_mentions(r, q, "changed")) run_root(r, "changed", document_changed(r));
        if (request_mentions(r, q, "document")) {
                struct value *v = document_build(r, false);
                if (!v) return -1;
                run_root(r, "document", v);
        }
        if (request_mentions(r, q, "changes")) {
                struct value *v = document_build(r, true);
                if (!v) return -1;
                run_root(r, "changes", v);
        }
        struct object with = {0};
        for (size_t i = 0; i < r->type->with_count; i++) {
                struct value *v = run_fill(r, r->type->with[i]);
                if (!v) {
                        object_release(r->host, &with);
                        return -1;
                }
                object_add(&with, r->type->with_names[i], v);
        }
        run_root(r, "with", object_value(r->host, &with));
        return 0;
}

struct value *run_fill(struct run *r, const struct shape *s)
{
        free(r->problem);
        r->problem = NULL;
        struct value *v = shape_fill(r->host, s, r->roots, &r->problem);
        if (v && strcmp(r->host->value_kind(v), "unknown") != 0) return v;
        if (v) r->problem = util_format("a value is not known");
        r->host->value_free(v);
        return NULL;
}

int run_true(struct run *r, const struct shape *s, int otherwise)
{
        if (!s) return otherwise;
        struct value *v = run_fill(r, s);
        if (!v) return -1;
        int ret = kind_none(r->host, v) ? 0 : kind_is(r->host, v, "bool") ? r->host->value_as_bool(v) : -1;
        if (ret < 0)
                r->problem = util_format(
                    "a condition must be true or false, not a %s", r->host->value_kind(v));
        r->host->value_free(v);
        return ret;
}

char *run_text(struct run *r, const struct value *v, const char *what)
{
        bool cut = text_is_cut(r->host, v);
        char *text = cut || kind_none(r->host, v) ? NULL : r->host->value_to_text(v);
        if (text) return text;
        free(r->problem);
        r->problem = util_format(cut ? "%s holds a NUL byte" : "%s is not a text", what);
        return NULL;
}

char *run_text_or_null(struct run *r, const struct shape *s)
{
        struct value *v = s ? run_fill(r, s) : NULL;
        char *text = v && !kind_none(r->host, v) ? run_text(r, v, "a text") : NULL;
        r->host->value_free(v);
        return text;
}

static void run_mask_one(struct buf *text, const char *secret, size_t len)
{
        for (char *at = text->data;
             at && (at = memmem(at, text->len - (size_t)(at - text->data), secret, len));) {
                struct buf masked = {0};
                size_t before = (size_t)(at - text->data);
                buf_bytes(&masked, text->data, before);
                buf_text(&masked, "(sensitive)");
                size_t after = masked.len;
                buf_bytes(&masked, at + len, text->len - before - len);
                buf_release(text);
                *text = masked;
                at = text->data + after;
        }
}

static void run_mask(
    const struct run *r, struct buf *text, const struct value *v, bool secret, unsigned depth)
{
        const struct tutti_host *host = r->host;
        if (!v || depth > ROOT_VALUES_DEPTH || kind_none(host, v) ||
            (!secret && !host->value_is_sensitive(v)))
                return;
        if (kind_map(host, v) || kind_list(host, v)) {
                for (size_t i = 0; i < host->value_count(v); i++)
                        run_mask(r, text, host->value_at(v, i), secret, depth + 1);
        } else if (kind_is(host, v, "string")) {
                size_t len = 0;
                const char *s = host->value_as_string(v, &len);
                if (len >= SECRET_LEN_MIN) run_mask_one(text, s, len);
        }
}

char *run_masked(struct run *r, const char *text)
{
        struct buf b = {0};
        buf_text(&b, text);
        const struct rest_provider *p = r->context->provider;
        for (size_t i = 0; i < p->config_count; i++)
                if (p->config[i].flags & TUTTI_SENSITIVE)
                        run_mask(r, &b, r->host->value_get(r->context->config, p->config[i].name), true, 0);
        const struct value *states[] = {r->host->op_planned(r->op), r->host->op_prior(r->op)};
        for (size_t s = 0; s < 2; s++) {
                for (size_t i = 0; states[s] && i < r->type->field_count; i++) {
                        const struct field *f = &r->type->fields[i];
                        const struct value *v = r->host->value_get(states[s], f->name);
                        run_mask(r, &b, v, f->flags & TUTTI_SENSITIVE, 0);
                }
        }
        return buf_steal(&b);
}

void run_to(struct run *r, size_t index, bool waiting)
{
        const struct tutti_host *host = r->host;
        struct object saved = {0};
        object_add(&saved, "vars", host->value_ref(r->vars));
        if (r->loop) object_add(&saved, "loop", host->value_int(r->loop));
        if (r->made_ms) object_add(&saved, "made", host->value_int(r->made_ms));
        if (r->again_state) object_add(&saved, "again", host->value_int(r->again_state));
        if (r->again_loop) object_add(&saved, "again_loop", host->value_int(r->again_loop));
        if (r->pages) object_add(&saved, "pages", host->value_int(r->pages));
        if (!kind_none(host, r->next)) object_add(&saved, "next", host->value_ref(r->next));
        if (r->items) object_add(&saved, "items", host->value_ref(r->items));
        struct value *v = object_value(host, &saved);
        r->index = index;
        r->waiting = waiting;
        run_root(r, "waiting", host->value_bool(waiting));
        host->op_to(r->op, (int)(index * 2 + waiting), v);
        host->value_free(v);
}

enum tutti_result run_fail(
    struct run *r, enum tutti_failure kind, int64_t retry_after_ms, const char *message)
{
        AUTO_CHAR masked = run_masked(r, message);
        return r->host->op_fail(r->op, kind, retry_after_ms, "%s", masked);
}

enum tutti_result run_wrong(struct run *r, const struct request *q)
{
        AUTO_CHAR message = util_format("%s:%u: %s: %s", q->node->file, q->node->line, q->name,
            r->problem ? r->problem : "the answer does not fit the manifest");
        /* Something was answered well: what was asked for may be there, only this cannot tell. */
        return run_fail(r, r->host->op_reply(r->op) ? TUTTI_UNCLEAR : TUTTI_REFUSED, 0, message);
}
