/*
 * A request on its way out: the URL from escaped parts, headers, body, signature. What does not fit is an error, and nothing leaves: a part that
 * is cut off or left out would make it a request about something else.
 */
#include <stdlib.h>
#include <string.h>
#include "run.h"
#include "wire.h"

enum { REPLY_MAX = 32 << 20, PATH_SEGMENTS_MAX = 50 };

static int request_wrong(struct run *r, const char *what)
{
        free(r->problem);
        r->problem = util_format("%s", what);
        return -1;
}

static int request_endpoint(struct run *r, const struct request *q, struct url *u)
{
        AUTO_CHAR text = run_text_or_null(r, q->endpoint ? q->endpoint : r->service->endpoint);
        if (!text) return r->problem ? -1 : request_wrong(r, "the endpoint is not a text");
        if (url_parse(u, text, &r->problem) < 0) return -1;
        size_t len = strlen(u->path);
        if (len && u->path[len - 1] == '/') u->path[len - 1] = 0;
        return 0;
}

static int request_segments(struct run *r, const struct value *path, struct buf *b)
{
        size_t count = r->host->value_count(path);
        if (count > PATH_SEGMENTS_MAX) {
                free(r->problem);
                r->problem = util_format(
                    "the path has %zu parts, and %d is the most", count, PATH_SEGMENTS_MAX);
                return -1;
        }
        for (size_t i = 0; i < count; i++) {
                const struct value *v = r->host->value_at(path, i);
                AUTO_CHAR text = kind_none(r->host, v) ? NULL : run_text(r, v, "a part of the path");
                if (!text && !kind_none(r->host, v)) return -1;
                if (!text || !*text) return request_wrong(r, "a part of the path is empty");
                buf_char(b, '/');
                url_escape(b, text, strlen(text));
        }
        return 0;
}

static int request_path_text(struct run *r, const struct value *path, struct buf *b)
{
        AUTO_CHAR text = run_text(r, path, "the path");
        if (!text) return -1;
        if (*text != '/') buf_char(b, '/');
        url_escape_path(b, text);
        return 0;
}

/* `path` behind the endpoint's own. */
static int request_path(struct run *r, const struct request *q, struct url *u)
{
        struct value *path = run_fill(r, q->path);
        if (!path) return -1;
        AUTO_BUF b = {0};
        buf_text(&b, u->path);
        int ret = kind_list(r->host, path) ? request_segments(r, path, &b) : request_path_text(r, path, &b);
        r->host->value_free(path);
        if (ret == 0 && url_path_climbs(b.data)) ret = request_wrong(r, "a path may not climb with . or ..");
        free(u->path);
        u->path = buf_steal(&b);
        return ret;
}

/* A URL that the API handed out. Credentials go only where the endpoint is. */
static int request_url(struct run *r, const struct request *q, struct url *u)
{
        AUTO_CHAR text = run_text_or_null(r, q->url);
        if (!text) return r->problem ? -1 : request_wrong(r, "the url is not a text");
        AUTO_CHAR whole = *text == '/'
                              ? util_format("%s%s", u->unix_socket ? "http://localhost" : u->origin, text)
                              : NULL;
        struct url given = {0};
        if (url_parse(&given, whole ? whole : text, &r->problem) < 0) return -1;
        bool own = u->unix_socket ? strcmp(given.origin, "http://localhost") == 0
                                  : strcmp(given.origin, u->origin) == 0;
        if (!own) {
                url_release(&given);
                return request_wrong(r, "the url is not on the endpoint's host");
        }
        if (u->unix_socket) given.unix_socket = util_format("%s", u->unix_socket);
        url_release(u);
        *u = given;
        return 0;
}

static int request_query_one(struct run *r, struct url *u, const char *name, const struct value *v)
{
        if (kind_none(r->host, v)) return 0;
        AUTO_CHAR text = run_text(r, v, "a value of the query");
        if (!text) return -1;
        url_add_query(u, name, text);
        return 0;
}

/* A map of the request, or null, filled in; NULL with r->problem. */
static struct value *request_map(struct run *r, const struct shape *s, const char *what)
{
        struct value *v = run_fill(r, s);
        if (!v || kind_none(r->host, v) || kind_map(r->host, v)) return v;
        r->problem = util_format("%s must be a map, not a %s", what, r->host->value_kind(v));
        r->host->value_free(v);
        return NULL;
}

static int request_query(struct run *r, const struct request *q, struct url *u)
{
        struct value *query = request_map(r, q->query, "query");
        if (!query) return -1;
        int ret = 0;
        size_t names = kind_map(r->host, query) ? r->host->value_count(query) : 0;
        for (size_t i = 0; ret == 0 && i < names; i++) {
                const char *name = r->host->value_key_at(query, i);
                const struct value *v = r->host->value_at(query, i);
                size_t count = kind_list(r->host, v) ? r->host->value_count(v) : 0;
                for (size_t j = 0; ret == 0 && j < count; j++)
                        ret = request_query_one(r, u, name, r->host->value_at(v, j));
                if (!kind_list(r->host, v)) ret = request_query_one(r, u, name, v);
        }
        r->host->value_free(query);
        return ret;
}

static int request_headers(struct run *r, const struct request *q, struct header_list *ret)
{
        struct value *headers = request_map(r, q->headers, "headers");
        if (!headers) return -1;
        int result = 0;
        size_t count = kind_map(r->host, headers) ? r->host->value_count(headers) : 0;
        for (size_t i = 0; result == 0 && i < count; i++) {
                const char *name = r->host->value_key_at(headers, i);
                if (kind_none(r->host, r->host->value_at(headers, i))) continue;
                AUTO_CHAR text = run_text(r, r->host->value_at(headers, i), "a header");
                if (!text)
                        result = -1;
                else if (strpbrk(text, "\r\n") || strpbrk(name, "\r\n: "))
                        result = request_wrong(r, "a header must be a text of one line");
                else
                        headers_set(ret, name, text);
        }
        r->host->value_free(headers);
        return result;
}

static int request_body(struct run *r, const struct request *q, struct outgoing *o)
{
        if (!q->body) return 0;
        struct value *body = run_fill(r, q->body);
        if (!body) return -1;
        int ret = kind_none(r->host, body)
                      ? 0
                      : q->wire_request->write(r->host, r->service, body, &o->body, &r->problem);
        if (!kind_none(r->host, body) && !headers_get(&o->headers, "Content-Type"))
                headers_set(&o->headers, "Content-Type", q->wire_request->content_type);
        r->host->value_free(body);
        return ret;
}

static int request_build(struct run *r, const struct request *q, struct outgoing *o)
{
        o->method = q->method;
        o->timeout_ms = q->timeout_ms;
        o->close = q->close;
        if (request_endpoint(r, q, &o->url) < 0) return -1;
        if ((q->url ? request_url(r, q, &o->url) : request_path(r, q, &o->url)) < 0) return -1;
        if (request_query(r, q, &o->url) < 0 || request_headers(r, q, &o->headers) < 0 ||
            request_body(r, q, o) < 0)
                return -1;
        if (!headers_get(&o->headers, "Accept") && strcmp(q->wire_reply->name, "json") == 0)
                headers_set(&o->headers, "Accept", "application/json");
        if (!headers_get(&o->headers, "User-Agent")) headers_set(&o->headers, "User-Agent", "tutti");
        struct value *auth = request_map(r, r->service->auth, "auth");
        if (!auth) return -1;
        int ret = r->service->scheme->sign(
            r->host, kind_map(r->host, auth) ? auth : NULL, r->host->wall_ms(), o, &r->problem);
        r->host->value_free(auth);
        return ret;
}

/* The name of a file; malloc'ed, or NULL where nothing is said. */
static char *request_tls(struct run *r, const struct value *tls, const char *key)
{
        const struct value *v = tls && kind_map(r->host, tls) ? r->host->value_get(tls, key) : NULL;
        return kind_none(r->host, v) ? NULL : r->host->value_to_text(v);
}

static enum tutti_result request_issue(struct run *r, const struct request *q, const struct outgoing *o)
{
        struct value *tls = request_map(r, r->service->tls, "tls");
        if (!tls) return run_wrong(r, q);
        AUTO_CHAR url = url_text(&o->url);
        struct tutti_header *headers = util_alloc((o->headers.count + 1) * sizeof *headers);
        for (size_t i = 0; i < o->headers.count; i++)
                headers[i] = (struct tutti_header){o->headers.items[i].name, o->headers.items[i].value};
        struct tutti_http http = {
            .method = o->method,
            .url = url,
            .headers = headers,
            .header_count = o->headers.count,
            .body = {o->body.data, o->body.len},
            .timeout_ms = o->timeout_ms,
            .unix_socket = o->url.unix_socket,
            .close = o->close,
            .reply_max = REPLY_MAX,
        };
        AUTO_CHAR ca = request_tls(r, tls, "ca");
        AUTO_CHAR cert = request_tls(r, tls, "cert");
        AUTO_CHAR key = request_tls(r, tls, "key");
        const struct value *insecure = tls && kind_map(r->host, tls) ? r->host->value_get(tls, "insecure")
                                                                     : NULL;
        http.ca_file = ca;
        http.cert_file = cert;
        http.key_file = key;
        http.insecure = kind_is(r->host, insecure, "bool") && r->host->value_as_bool(insecure);
        r->host->value_free(tls);
        enum tutti_result result = r->host->wait_http(r->op, &http);
        free(headers);
        return result;
}

enum tutti_result request_send(struct run *r, const struct request *q)
{
        struct outgoing o = {0};
        enum tutti_result result = request_build(r, q, &o) < 0 ? run_wrong(r, q) : request_issue(r, q, &o);
        outgoing_release(&o);
        return result;
}
