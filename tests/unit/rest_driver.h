/*
 * Drives the interpreter's state machine without the engine: the engine's own values and expressions, an operation made
 * here, and either scripted replies or real exchanges by curl. Sleeps pass at once on a clock of its own, or (live) really.
 */
#ifndef TUTTI_TESTS_REST_DRIVER_H
#define TUTTI_TESTS_REST_DRIVER_H

#include <curl/curl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "providers/rest/util.h"
#include "run/plugin.h"
#include "tap.h"

struct script { /* a reply; `expect` is a part of the request as "METHOD path\nheader: value\n\nbody" */
        const char *expect;
        unsigned status;
        const char *headers; /* "name: value\n" */
        const char *body;
};

struct tutti_op {
        enum tutti_action action;
        const struct tutti_type *type;
        const char *token;
        char *id;
        struct value *prior, *planned, *saved, *observed;
        int state, cancelled;
        const struct tutti_reply *reply;
        bool gone, failed, accepted;
        enum tutti_failure failure;
        int64_t retry_after_ms, started_ms;
        char *message, *progress;
        /* The wait under way. */
        enum { DRIVER_HTTP, DRIVER_SLEEP } wait;
        struct tutti_http http;
        char *request;    /* as text */
        char *url, *body; /* of the request */
        int64_t sleep_ms;
        int slept;
        unsigned sent;
        const struct script *script; /* NULL: live */
        int stop_after; /* live: forget everything but what is saved after so many requests; 0: never */
};

static int64_t driver_clock_ms = 1700000000000;
static bool driver_live;

static int64_t driver_wall(void)
{
        if (!driver_live) return driver_clock_ms;
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum tutti_action d_action(const struct tutti_op *op)
{
        return op->action;
}
static const struct tutti_type *d_type(const struct tutti_op *op)
{
        return op->type;
}
static const char *d_address(const struct tutti_op *op)
{
        (void)op;
        return "test";
}
static const char *d_token(const struct tutti_op *op)
{
        return op->token;
}
static const char *d_id(const struct tutti_op *op)
{
        return op->id;
}
static const char *d_environment(const struct tutti_op *op)
{
        (void)op;
        return "testing";
}
static const struct value *d_prior(const struct tutti_op *op)
{
        return op->prior;
}
static const struct value *d_planned(const struct tutti_op *op)
{
        return op->planned;
}
static int d_cancelled(const struct tutti_op *op)
{
        return op->cancelled;
}
static int d_state(const struct tutti_op *op)
{
        return op->state;
}
static const struct value *d_saved(const struct tutti_op *op)
{
        return op->saved;
}
static const struct tutti_reply *d_reply(const struct tutti_op *op)
{
        return op->reply;
}
static int64_t d_elapsed(const struct tutti_op *op)
{
        return driver_wall() - op->started_ms;
}

static void d_to(struct tutti_op *op, int state, const struct value *saved)
{
        op->reply = NULL;
        op->state = state;
        if (!saved) return;
        struct value *v = value_ref(saved);
        value_free(op->saved);
        op->saved = v;
}

static void d_accepted(struct tutti_op *op)
{
        op->accepted = true;
}

static void d_set_id(struct tutti_op *op, const char *id)
{
        free(op->id);
        op->id = strdup(id);
}

static void d_observed(struct tutti_op *op, const struct value *v)
{
        struct value *ref = value_ref(v);
        value_free(op->observed);
        op->observed = ref;
}

static void d_gone(struct tutti_op *op)
{
        op->gone = true;
}

static void d_progress(struct tutti_op *op, const char *text)
{
        free(op->progress);
        op->progress = strdup(text);
}

__attribute__((format(printf, 4, 5))) static enum tutti_result d_fail(
    struct tutti_op *op, enum tutti_failure kind, int64_t retry_after_ms, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        free(op->message);
        if (vasprintf(&op->message, fmt, ap) < 0) abort();
        va_end(ap);
        op->failed = true;
        op->failure = kind;
        op->retry_after_ms = retry_after_ms;
        return TUTTI_FAILED;
}

static enum tutti_result d_http(struct tutti_op *op, const struct tutti_http *r)
{
        struct buf b = {0};
        buf_format(&b, "%s %s\n", r->method, r->url);
        for (size_t i = 0; i < r->header_count; i++)
                buf_format(&b, "%s: %s\n", r->headers[i].name, r->headers[i].value);
        buf_char(&b, '\n');
        buf_bytes(&b, r->body.data, r->body.len);
        free(op->request), free(op->url), free(op->body);
        op->request = buf_steal(&b);
        op->url = strdup(r->url);
        op->body = strndup(r->body.data ? r->body.data : "", r->body.len);
        op->http = *r;
        op->wait = DRIVER_HTTP;
        return TUTTI_WAIT;
}

static enum tutti_result d_sleep(struct tutti_op *op, int64_t ms)
{
        op->sleep_ms = ms;
        op->wait = DRIVER_SLEEP;
        return TUTTI_WAIT;
}

static struct tutti_host driver_host(void)
{
        struct tutti_host h = tutti_host_table;
        h.op_action = d_action, h.op_type = d_type, h.op_address = d_address, h.op_token = d_token,
        h.op_id = d_id;
        h.op_environment = d_environment, h.op_prior = d_prior, h.op_planned = d_planned,
        h.op_cancelled = d_cancelled;
        h.op_state = d_state, h.op_saved = d_saved, h.op_reply = d_reply, h.op_elapsed_ms = d_elapsed,
        h.wall_ms = driver_wall;
        h.op_to = d_to, h.op_set_id = d_set_id, h.op_accepted = d_accepted, h.op_observed = d_observed,
        h.op_gone = d_gone, h.op_progress = d_progress;
        h.op_fail = d_fail, h.wait_http = d_http, h.wait_sleep = d_sleep;
        return h;
}

static size_t driver_take(char *data, size_t size, size_t n, void *context)
{
        buf_bytes(context, data, size * n);
        return size * n;
}

static struct tutti_header *driver_headers(char *text, size_t *count)
{
        struct tutti_header *h = NULL;
        *count = 0;
        for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
                char *colon = strchr(line, ':');
                if (!colon) continue;
                *colon = 0;
                for (char *c = line; *c; c++)
                        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
                h = util_grow(h, *count + 1, sizeof *h);
                h[(*count)++] = (struct tutti_header){line, colon + 1 + (colon[1] == ' ')};
        }
        return h;
}

/* Sends the request under way as it was built. */
static unsigned driver_exchange(struct tutti_op *op, struct buf *headers, struct buf *body)
{
        CURL *c = curl_easy_init();
        struct curl_slist *list = NULL;
        char *copy = strdup(op->request), *save = NULL;
        char *end = strstr(copy, "\n\n");
        *end = 0;
        char *first = strtok_r(copy, "\n", &save);
        for (char *line; (line = strtok_r(NULL, "\n", &save));) list = curl_slist_append(list, line);
        list = curl_slist_append(list, "Expect:");
        char method[16] = {0};
        sscanf(first, "%15s", method);
        curl_easy_setopt(c, CURLOPT_URL, op->url);
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
        if (*op->body || strcmp(method, "POST") == 0) curl_easy_setopt(c, CURLOPT_POSTFIELDS, op->body);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, driver_take);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, driver_take);
        curl_easy_setopt(c, CURLOPT_HEADERDATA, headers);
        long status = 0;
        CURLcode code = curl_easy_perform(c);
        if (code != CURLE_OK) printf("# curl: %s\n", curl_easy_strerror(code));
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        curl_slist_free_all(list);
        curl_easy_cleanup(c);
        free(copy);
        return (unsigned)status;
}

static enum tutti_result driver_reply(void *context, struct tutti_op *op)
{
        struct buf headers = {0}, body = {0};
        buf_text(&headers, "");
        buf_text(&body, "");
        struct tutti_reply reply = {.kind = TUTTI_REPLY_HTTP};
        op->sent++;
        if (op->script) {
                const struct script *s = op->script++;
                if (!s->status) {
                        ok(false, "a request that was not expected: %s", op->request);
                        return TUTTI_FAILED;
                }
                if (s->expect && !ok(strstr(op->request, s->expect) != NULL, "request has: %s", s->expect))
                        printf("# %s\n", op->request);
                reply.status = s->status;
                buf_text(&headers, s->headers ? s->headers : "");
                buf_text(&body, s->body ? s->body : "");
        } else {
                reply.status = driver_exchange(op, &headers, &body);
                if (getenv("REST_TRACE")) printf("# > %s\n# < %u %s\n", op->request, reply.status, body.data);
        }
        struct tutti_header *list = driver_headers(headers.data, &reply.header_count);
        reply.headers = list;
        reply.body = (struct tutti_bytes){body.data, body.len};
        op->reply = &reply;
        enum tutti_result result = tutti_provider.step(context, op);
        op->reply = NULL;
        free(list);
        buf_release(&headers);
        buf_release(&body);
        return result;
}

static enum tutti_result driver_slept(void *context, struct tutti_op *op)
{
        if (driver_live)
                usleep((useconds_t)(op->sleep_ms * 1000));
        else
                driver_clock_ms += op->sleep_ms;
        op->slept++;
        struct tutti_reply reply = {.kind = TUTTI_REPLY_SLEPT};
        op->reply = &reply;
        enum tutti_result result = tutti_provider.step(context, op);
        op->reply = NULL;
        return result;
}

/* Runs an operation to its end, or until a failure that the engine would retry. */
__attribute__((unused)) static enum tutti_result driver_run(void *context, struct tutti_op *op)
{
        op->started_ms = driver_wall();
        op->failed = op->gone = false;
        enum tutti_result result = tutti_provider.step(context, op);
        for (int turns = 0; result == TUTTI_WAIT && turns < 2000; turns++) {
                result = op->wait == DRIVER_SLEEP ? driver_slept(context, op) : driver_reply(context, op);
                if (op->stop_after && result == TUTTI_WAIT && op->sent >= (unsigned)op->stop_after)
                        return TUTTI_WAIT;
        }
        return result;
}

__attribute__((unused)) static void driver_release(struct tutti_op *op)
{
        free(op->id), free(op->message), free(op->progress), free(op->request), free(op->url), free(op->body);
        value_free(op->prior), value_free(op->planned), value_free(op->saved), value_free(op->observed);
        *op = (struct tutti_op){0};
}

/* Values as the engine makes them: every property of the type, converted; JSON in. */
__attribute__((unused)) static struct value *driver_object(
    const struct tutti_host *host, const struct tutti_type *type, const char *json)
{
        char *problem = NULL;
        struct value *given = host->value_from_json(json, strlen(json), &problem);
        if (!given) {
                printf("# %s: %s\n", json, problem);
                exit(1);
        }
        struct value *ret = host->value_ref(given);
        for (size_t i = 0; i < type->property_count; i++) {
                const struct tutti_property *p = &type->properties[i];
                const struct value *v = host->value_get(given, p->name);
                struct value *plain = v ? host->value_ref(v)
                                      : p->fallback
                                          ? host->value_from_json(p->fallback, strlen(p->fallback), &problem)
                                          : host->value_null();
                struct value *converted = host->value_convert(plain, p->type, &problem);
                if (!converted) {
                        printf("# %s: %s\n", p->name, problem);
                        exit(1);
                }
                if (p->flags & TUTTI_SENSITIVE) {
                        struct value *marked = host->value_sensitive(converted, 1);
                        host->value_free(converted);
                        converted = marked;
                }
                struct value *more = host->value_with(ret, p->name, converted);
                host->value_free(plain), host->value_free(converted), host->value_free(ret);
                ret = more;
        }
        host->value_free(given);
        return ret;
}

/* What differs between properties that are wanted and those that are observed: "" for nothing. The caller frees it. */
__attribute__((unused)) static char *driver_drift(const struct tutti_host *host,
    const struct tutti_type *type, const struct value *wanted, const struct value *observed)
{
        struct buf b = {0};
        for (size_t i = 0; i < type->property_count; i++) {
                const struct tutti_property *p = &type->properties[i];
                const struct value *w = host->value_get(wanted, p->name),
                                   *o = host->value_get(observed, p->name);
                bool unset = !w || strcmp(host->value_kind(w), "null") == 0;
                if ((p->flags & TUTTI_WRITE_ONLY) || (unset && (p->flags & TUTTI_COMPUTED))) continue;
                if (w && o && host->value_equal(w, o)) continue;
                char *x = w ? host->value_to_json(w, NULL) : strdup("-"),
                     *y = o ? host->value_to_json(o, NULL) : strdup("-");
                buf_format(&b, "%s: wanted %s, observed %s; ", p->name, x, y);
                free(x), free(y);
        }
        return buf_steal(&b);
}

static char driver_folder[64];

static void driver_unfold(void)
{
        AUTO_CHAR path = util_format("%s/provider.yaml", driver_folder);
        unlink(path);
        rmdir(driver_folder);
}

/* Puts a manifest into a folder of its own, which goes with the process (other files than provider.yaml: the caller's). */
__attribute__((unused)) static char *driver_fold(const char *file, const char *text)
{
        if (!*driver_folder) {
                strcpy(driver_folder, "/tmp/tutti-rest-XXXXXX");
                if (!mkdtemp(driver_folder)) exit(1);
                atexit(driver_unfold);
        }
        AUTO_CHAR path = util_format("%s/%s", driver_folder, file);
        FILE *f = fopen(path, "w");
        if (!f) exit(1);
        fputs(text, f);
        fclose(f);
        return driver_folder;
}

#endif
