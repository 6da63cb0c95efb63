/*
 * What an answer means: decoded, judged by the manifest's rules, and searched for the object.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "run.h"
#include "wire.h"

enum { MESSAGE_MAX = 600, OBJECTS_MAX = 10000, PAGES_MAX = 1000, RETRY_AFTER_MAX_MS = 3600 * 1000 };

void answer_release(struct answer *a)
{
        free(a->message);
        *a = (struct answer){0};
}

static const char *answer_header(const struct tutti_reply *reply, const char *name)
{
        for (size_t i = 0; i < reply->header_count; i++)
                if (strcmp(reply->headers[i].name, name) == 0) return reply->headers[i].value;
        return NULL;
}

/* Retry-After as seconds or a date; milliseconds, 0 for none. */
static int64_t answer_retry_after(const struct run *r, const struct tutti_reply *reply)
{
        const char *text = answer_header(reply, "retry-after");
        if (!text || !*text) return 0;
        char *end = NULL;
        double seconds = strtod(text, &end);
        if (*end) {
                struct tm tm = {0};
                if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm)) return 0;
                seconds = (double)timegm(&tm) - (double)r->host->wall_ms() / 1000;
        }
        if (!(seconds > 0)) return 0;
        return seconds * 1000 > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : (int64_t)(seconds * 1000);
}

/* The root `reply`; false with r->problem when the body cannot be read. */
static bool answer_decode(struct run *r, const struct request *q, const struct tutti_reply *reply)
{
        struct object o = {0}, headers = {0};
        for (size_t i = 0; i < reply->header_count; i++) {
                const char *text = reply->headers[i].value;
                object_add(&headers, reply->headers[i].name, r->host->value_string(text, strlen(text)));
        }
        struct value *body = NULL;
        AUTO_CHAR problem = NULL;
        if (reply->body.len)
                body = q->wire_reply->read(r->host, r->service, reply->body.data, reply->body.len, &problem);
        bool fits = body || !reply->body.len;
        if (!body)
                body = reply->body.len ? r->host->value_string(reply->body.data, reply->body.len)
                                       : r->host->value_null();
        object_add(&o, "status", r->host->value_int(reply->status));
        object_add(&o, "headers", object_value(r->host, &headers));
        object_add(&o, "body", body);
        run_root(r, "reply", object_value(r->host, &o));
        if (fits) return true;
        free(r->problem);
        r->problem = util_format(
            "the answer is cut short or no %s: %s", q->wire_reply->name, problem ? problem : "");
        return false;
}

static bool rule_holds(
    struct run *r, const struct rule *rule, const char *status, const char *code, const char *text)
{
        if (rule->status.count && !patterns_match(&rule->status, status)) return false;
        if (rule->code.count && !patterns_match(&rule->code, code)) return false;
        if (rule->text.count && !patterns_match(&rule->text, text)) return false;
        return run_true(r, rule->when, 1) == 1;
}

static enum means answer_default(const struct run *r, unsigned status)
{
        bool creating = r->action == TUTTI_CREATE && !r->waiting && r->index < r->requests->count;
        switch (status) {
        case 401:
        case 403: return MEANS_DENIED;
        case 404:
        case 410: return MEANS_MISSING;
        case 408:
        case 425:
        case 500:
        case 502:
        case 503:
        case 504: return MEANS_TRANSIENT;
        case 409: return creating ? MEANS_EXISTS : MEANS_BUSY;
        case 429: return MEANS_THROTTLED;
        case 400:
        case 422: return MEANS_INVALID;
        default: return MEANS_REFUSED;
        }
}

static void answer_root_text(struct run *r, const char *name, const char *text)
{
        run_root(r, name, text ? r->host->value_string(text, strlen(text)) : r->host->value_null());
}

static void answer_judge(
    struct run *r, const struct request *q, const struct tutti_reply *reply, struct answer *a)
{
        const struct errors *e = &r->service->errors;
        run_root(r, "now", r->host->value_int(r->host->wall_ms() / 1000));
        AUTO_CHAR code = run_text_or_null(r, e->code);
        AUTO_CHAR text = run_text_or_null(r, e->message);
        AUTO_CHAR status = util_format("%u", reply->status);
        answer_root_text(r, "code", code);
        answer_root_text(r, "message", text);
        const struct rules *const all[] = {&q->rules, &r->type->rules, &e->rules};
        const struct rule *found = NULL;
        for (size_t i = 0; !found && i < 3; i++)
                for (size_t j = 0; !found && j < all[i]->count; j++)
                        if (rule_holds(r, &all[i]->items[j], status, code, text)) found = &all[i]->items[j];
        a->means = found ? found->means : answer_default(r, reply->status);
        AUTO_CHAR say = found ? run_text_or_null(r, found->say) : NULL;
        const char *what = say ? say : text && *text ? text : code && *code ? code : NULL;
        a->message = what ? util_format("%.*s (HTTP %u)", MESSAGE_MAX, what, reply->status)
                          : util_format("HTTP %u", reply->status);
        AUTO_CHAR after = run_text_or_null(r, e->retry_after);
        double seconds = after ? strtod(after, NULL) : 0;
        if (!a->retry_after_ms && seconds > 0)
                a->retry_after_ms = seconds * 1000 > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS
                                                                        : (int64_t)(seconds * 1000);
        free(r->problem);
        r->problem = NULL;
}

/* Adds the elements that count to those of earlier pages. */
static int answer_collect(struct run *r, const struct request *q)
{
        const struct tutti_host *host = r->host;
        struct value *list = run_fill(r, q->objects);
        if (!list) return -1;
        /* Nothing, also as XML says it. Anything else must be a list: what is not understood is not "none". */
        bool nothing = kind_none(host, list) ||
                       (kind_is(host, list, "string") && !*host->value_as_string(list, NULL));
        if (!nothing && !kind_list(host, list)) {
                r->problem = util_format("objects must be a list, not a %s", host->value_kind(list));
                host->value_free(list);
                return -1;
        }
        size_t had = r->items ? host->value_count(r->items) : 0,
               more = kind_list(host, list) ? host->value_count(list) : 0;
        struct value **items = util_alloc((had + more + 1) * sizeof(*items));
        size_t n = 0;
        int ret = had + more > OBJECTS_MAX ? -1 : 0;
        if (ret < 0) r->problem = util_format("more than %d objects in a list", OBJECTS_MAX);
        for (size_t i = 0; i < had; i++) items[n++] = host->value_ref(host->value_at(r->items, i));
        for (size_t i = 0; ret == 0 && i < more; i++) {
                run_root(r, "item", host->value_ref(host->value_at(list, i)));
                int match = run_true(r, q->match, 1), gone = match > 0 ? run_true(r, q->gone, 0) : 0;
                if (match < 0 || gone < 0) ret = -1;
                if (ret == 0 && match && !gone) items[n++] = host->value_ref(host->value_at(list, i));
        }
        host->value_free(r->items);
        r->items = host->value_list(items, n);
        while (n > 0) host->value_free(items[--n]);
        free(items);
        host->value_free(list);
        return ret;
}

/* Which of the collected ones is meant. */
static struct value *answer_pick(struct run *r, const struct request *q)
{
        size_t count = r->host->value_count(r->items);
        if (q->pick && count) {
                run_root(r, "items", r->host->value_ref(r->items));
                return run_fill(r, q->pick);
        }
        if (count > 1) {
                r->problem = util_format("%zu objects match where one was expected", count);
                return NULL;
        }
        return count ? r->host->value_ref(r->host->value_at(r->items, 0)) : r->host->value_null();
}

/* Whether there is another page; notes where it is. */
static int answer_next(struct run *r, const struct request *q, struct answer *a)
{
        if (!q->next || r->waiting) return 0;
        struct value *next = run_fill(r, q->next);
        if (!next) return -1;
        bool empty = kind_none(r->host, next) ||
                     (kind_is(r->host, next, "string") && !*r->host->value_as_string(next, NULL));
        a->another_page = !empty;
        r->host->value_free(r->next);
        r->next = empty ? r->host->value_null() : r->host->value_ref(next);
        r->host->value_free(next);
        if (!empty && ++r->pages < PAGES_MAX) return 0;
        if (empty) return 0;
        r->problem = util_format("more than %d pages", PAGES_MAX);
        return -1;
}

/* The object in a good answer, as the root `item`; MEANS_MISSING where there should be one and is none. */
static int answer_item(struct run *r, const struct request *q, struct answer *a)
{
        if (!q->object && !q->objects) return 0;
        if (q->objects) {
                if (r->waiting) r->host->value_free(r->items), r->items = NULL;
                if (answer_collect(r, q) < 0 || answer_next(r, q, a) < 0) return -1;
                if (a->another_page) return 0;
        }
        struct value *item = q->objects ? answer_pick(r, q) : run_fill(r, q->object);
        if (q->objects) {
                r->host->value_free(r->items);
                r->items = NULL;
        }
        if (!item) return -1;
        bool none = kind_none(r->host, item);
        run_root(r, "item", item);
        int gone = none ? 1 : q->objects ? 0 : run_true(r, q->gone, 0);
        if (gone < 0) return -1;
        if (gone) {
                a->means = MEANS_MISSING;
                a->message = util_format("there is no such object");
        } else {
                a->item = r->host->value_get(r->roots, "item");
        }
        return 0;
}

/* Whether an expression that is asked about a good answer reads its body. Of a wait, `when` is asked of the answer to the request itself, the
 * rest of the answers to its questions. */
static bool answer_reads_body(const struct run *r, const struct request *q, const struct wait *w)
{
        const struct wait *asks = r->waiting ? w : NULL;
        const struct shape *const shapes[] = {r->service->errors.when, q->id, q->object, q->objects, q->match,
            q->pick, q->next, q->gone, w && !asks ? w->when : NULL, asks ? asks->until : NULL,
            asks ? asks->failed : NULL, asks ? asks->progress : NULL, asks ? asks->message : NULL};
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                if (shape_mentions(shapes[i], "body")) return true;
        for (size_t i = 0; i < q->save_count; i++)
                if (shape_mentions(q->save[i], "body")) return true;
        return false;
}

int answer_take(struct run *r, const struct request *q, const struct wait *w, struct answer *a)
{
        const struct tutti_reply *reply = r->host->op_reply(r->op);
        *a = (struct answer){.means = MEANS_OK, .retry_after_ms = answer_retry_after(r, reply)};
        bool good = reply->status >= 200 && reply->status < 300;
        bool fits = answer_decode(r, q, reply);
        if (good && !fits && answer_reads_body(r, q, w)) {
                a->means = MEANS_TRANSIENT;
                a->message = r->problem;
                r->problem = NULL;
                return 0;
        }
        int bad = !good ? 1 : run_true(r, r->service->errors.when, 0);
        if (bad < 0) return -1;
        if (bad) answer_judge(r, q, reply, a);
        return bad ? 0 : answer_item(r, q, a);
}
