/*
 * Properties to the API's document and back. What is read takes the form that is recorded, where both mean the same: so that a
 * plan after apply is empty.
 */
#include <stdlib.h>
#include <string.h>
#include "run.h"

enum { DOCUMENT_DEPTH_MAX = 50 };

const struct value *run_recorded(const struct run *r, const char *name)
{
        const struct value *planned = r->host->op_planned(r->op), *prior = r->host->op_prior(r->op);
        if (r->action == TUTTI_READ || r->action == TUTTI_DELETE) planned = prior ? prior : planned;
        if (!planned) planned = prior;
        return planned ? r->host->value_get(planned, name) : NULL;
}

/* A copy in which objects have no null attributes: optional ones that nobody set. */
static struct value *document_without_nulls(
    const struct tutti_host *host, const struct value *v, unsigned depth)
{
        bool list = kind_list(host, v), map = kind_map(host, v);
        if ((!list && !map) || depth > DOCUMENT_DEPTH_MAX) return host->value_ref(v);
        size_t n = 0, count = host->value_count(v);
        struct value **parts = util_alloc((count + 1) * sizeof(*parts));
        const char **keys = util_alloc((count + 1) * sizeof *keys);
        for (size_t i = 0; i < count; i++) {
                const struct value *part = host->value_at(v, i);
                if (map && kind_none(host, part)) continue;
                if (map) keys[n] = host->value_key_at(v, i);
                parts[n++] = document_without_nulls(host, part, depth + 1);
        }
        struct value *ret = list ? host->value_list(parts, n) : host->value_object(keys, parts, n);
        for (size_t i = 0; i < n; i++) host->value_free(parts[i]);
        free(parts);
        free(keys);
        return ret;
}

/* The object with the value at the path; new reference. */
static struct value *document_put(
    const struct run *r, const struct value *object, const char *const *path, const struct value *v)
{
        if (!path[1]) return r->host->value_with(object, path[0], v);
        struct object none = {0};
        const struct value *inner = r->host->value_get(object, path[0]);
        struct value *base = kind_map(r->host, inner) ? r->host->value_ref(inner)
                                                      : object_value(r->host, &none);
        struct value *filled = document_put(r, base, path + 1, v);
        struct value *ret = r->host->value_with(object, path[0], filled);
        r->host->value_free(base);
        r->host->value_free(filled);
        return ret;
}

static struct value *document_written(struct run *r, const struct field *f, const struct value *v)
{
        if (!f->write || kind_none(r->host, v)) return document_without_nulls(r->host, v, 0);
        run_root(r, "value", r->host->value_ref(v));
        return run_fill(r, f->write);
}

static bool document_same_multiset(
    const struct tutti_host *host, const struct value *a, const struct value *b);

static bool document_differs(const struct run *r, const struct field *f)
{
        const struct value *prior = r->host->op_prior(r->op), *planned = r->host->op_planned(r->op);
        const struct value *a = prior ? r->host->value_get(prior, f->name) : NULL;
        const struct value *b = planned ? r->host->value_get(planned, f->name) : NULL;
        if (kind_none(r->host, a) || kind_none(r->host, b))
                return kind_none(r->host, a) != kind_none(r->host, b);
        if (r->host->value_equal(a, b)) return false;
        return !((f->flags & TUTTI_UNORDERED) && document_same_multiset(r->host, a, b));
}

struct value *document_changed(struct run *r)
{
        struct object o = {0};
        for (size_t i = 0; i < r->type->field_count; i++) {
                const struct field *f = &r->type->fields[i];
                if (f->output) continue;
                object_add(
                    &o, f->name, r->host->value_bool(r->action != TUTTI_UPDATE || document_differs(r, f)));
        }
        return object_value(r->host, &o);
}

struct value *document_build(struct run *r, bool changes)
{
        struct object none = {0};
        struct value *document = object_value(r->host, &none);
        for (size_t i = 0; i < r->type->field_count; i++) {
                const struct field *f = &r->type->fields[i];
                const struct value *v = f->output ? NULL : run_recorded(r, f->name);
                if (f->output || f->unsent ||
                    (kind_none(r->host, v) && (!changes || r->action != TUTTI_UPDATE)))
                        continue;
                if (changes && r->action == TUTTI_UPDATE && !document_differs(r, f)) continue;
                struct value *null = v ? NULL : r->host->value_null();
                struct value *written = document_written(r, f, v ? v : null);
                struct value *more = written ? document_put(r, document, f->request_path, written) : NULL;
                r->host->value_free(null);
                r->host->value_free(written);
                r->host->value_free(document);
                document = more;
                if (!document) return NULL;
        }
        return document;
}

/* What stands at the path of an object; borrowed, or NULL. */
static const struct value *document_at(const struct run *r, const struct value *v, const char *const *path)
{
        for (; v && *path; path++) v = kind_map(r->host, v) ? r->host->value_get(v, *path) : NULL;
        return v;
}

static bool document_empty(const struct tutti_host *host, const struct value *v)
{
        if (kind_none(host, v)) return true;
        if (kind_map(host, v) || kind_list(host, v)) return host->value_count(v) == 0;
        return kind_is(host, v, "string") && !*host->value_as_string(v, NULL);
}

static int document_order(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **document_texts(const struct tutti_host *host, const struct value *v)
{
        size_t n = host->value_count(v);
        char **texts = util_alloc((n + 1) * sizeof *texts);
        for (size_t i = 0; i < n; i++) texts[i] = host->value_to_json(host->value_at(v, i), NULL);
        qsort(texts, n, sizeof *texts, document_order);
        return texts;
}

static bool document_same_multiset(
    const struct tutti_host *host, const struct value *a, const struct value *b)
{
        if (!kind_list(host, a) || !kind_list(host, b) || host->value_count(a) != host->value_count(b))
                return false;
        char **x = document_texts(host, a), **y = document_texts(host, b);
        bool same = true;
        for (size_t i = 0; x[i]; i++) same = same && strcmp(x[i], y[i]) == 0;
        for (size_t i = 0; x[i]; i++) free(x[i]), free(y[i]);
        free(x);
        free(y);
        return same;
}

/* Whether what was read means what is recorded: 1, 0, -1 with r->problem. */
static int document_same(
    struct run *r, const struct field *f, const struct value *v, const struct value *recorded)
{
        if (document_empty(r->host, v) && document_empty(r->host, recorded)) return 1;
        if (kind_none(r->host, recorded)) return 0;
        if ((f->flags & TUTTI_UNORDERED) && document_same_multiset(r->host, v, recorded)) return 1;
        if (!f->same || kind_none(r->host, v)) return 0;
        run_root(r, "value", r->host->value_ref(v));
        run_root(r, "recorded", r->host->value_ref(recorded));
        return run_true(r, f->same, 0);
}

/* The value of one field as the object shows it, in its type; NULL with r->problem. */
static struct value *document_read(struct run *r, const struct field *f, const struct value *item)
{
        const struct value *at = f->unread ? NULL : document_at(r, item, f->reply_path);
        struct value *raw = at ? r->host->value_ref(at) : r->host->value_null();
        if (f->read) {
                run_root(r, "value", raw);
                raw = run_fill(r, f->read);
                if (!raw) return NULL;
        }
        AUTO_CHAR problem = NULL;
        /* An empty XML element is an empty text, which is no number and no list. */
        bool absent = kind_is(r->host, raw, "string") && document_empty(r->host, raw) &&
                      strcmp(f->type, "string") != 0 && strcmp(f->type, "any") != 0;
        struct value *null = absent ? r->host->value_null() : NULL;
        struct value *v = r->host->value_convert(absent ? null : raw, f->type, &problem);
        if (!v) r->problem = util_format("%s: %s", f->name, problem ? problem : "does not fit its type");
        r->host->value_free(null);
        r->host->value_free(raw);
        /* cppcheck-suppress returnDanglingLifetime */
        return v;
}

static struct value *document_observe_field(struct run *r, const struct field *f, const struct value *item)
{
        const struct value *recorded = run_recorded(r, f->name);
        if ((f->flags & TUTTI_WRITE_ONLY) || (f->unread && !f->read)) {
                if (!recorded && f->unread) /* an import: what the id says */
                        recorded = r->host->value_get(r->host->value_get(r->roots, "properties"), f->name);
                return recorded ? r->host->value_ref(recorded) : r->host->value_null();
        }
        struct value *v = document_read(r, f, item);
        if (!v || f->output || !recorded) return v;
        int same = document_same(r, f, v, recorded);
        if (same == 0) return v;
        r->host->value_free(v);
        return same > 0 ? r->host->value_ref(recorded) : NULL;
}

struct value *document_observe(struct run *r, const struct value *item)
{
        struct object o = {0};
        for (size_t i = 0; i < r->type->field_count; i++) {
                const struct field *f = &r->type->fields[i];
                struct value *v = document_observe_field(r, f, item);
                if (!v) {
                        AUTO_CHAR inner = r->problem;
                        r->problem = util_format("read %s: %s", f->name, inner ? inner : "");
                        object_release(r->host, &o);
                        return NULL;
                }
                if (f->flags & TUTTI_SENSITIVE) {
                        struct value *marked = r->host->value_sensitive(v, 1);
                        r->host->value_free(v);
                        v = marked;
                }
                object_add(&o, f->name, v);
        }
        const struct value *id = r->host->value_get(r->roots, "id");
        if (!kind_none(r->host, id)) object_add(&o, "id", r->host->value_ref(id));
        return object_value(r->host, &o);
}
