/*
 * AWS Signature Version 4: see sigv4.h. Path and query are signed from the parts that the URL is made of.
 */
#include "sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { DIGEST_LEN = 32, DATE_LEN = 8 };

static void sigv4_hex(struct buf *out, const unsigned char digest[DIGEST_LEN])
{
        for (size_t i = 0; i < DIGEST_LEN; i++) buf_format(out, "%02x", digest[i]);
}

static void sigv4_hash(struct buf *out, const void *data, size_t len)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        if (!EVP_Digest(len ? data : "", len, digest, NULL, EVP_sha256(), NULL)) abort();
        sigv4_hex(out, digest);
}

static void sigv4_hmac(
    const void *key, size_t key_len, const char *text, size_t len, unsigned char digest[DIGEST_LEN])
{
        unsigned n = 0;
        if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, digest, &n) ||
            n != DIGEST_LEN)
                abort();
}

/* Where `.` and `..` are resolved and runs of slashes are one: as every service but S3 does. */
static void sigv4_normal_path(struct buf *out, const char *path)
{
        size_t start = out->len;
        for (const char *s = path; *s;) {
                while (*s == '/') s++;
                size_t len = strcspn(s, "/");
                if (len == 2 && s[0] == '.' && s[1] == '.') {
                        while (out->len > start && out->data[--out->len] != '/') {}
                } else if (len && !(len == 1 && s[0] == '.')) {
                        buf_char(out, '/');
                        url_escape(out, s, len);
                }
                s += len;
        }
        size_t len = strlen(path);
        bool folder = len && (path[len - 1] == '/' || (len >= 2 && strcmp(path + len - 2, "/.") == 0) ||
                                 (len >= 3 && strcmp(path + len - 3, "/..") == 0));
        if (out->len == start || folder) buf_char(out, '/');
}

static int sigv4_query_order(const void *a, const void *b)
{
        const struct url_query *x = a, *y = b;
        int c = strcmp(x->name, y->name);
        return c ? c : strcmp(x->value ? x->value : "", y->value ? y->value : "");
}

static void sigv4_query(struct buf *out, const struct url *u)
{
        struct url_query *sorted = util_alloc((u->query_count + 1) * sizeof *sorted);
        if (u->query_count) memcpy(sorted, u->query, u->query_count * sizeof *sorted);
        qsort(sorted, u->query_count, sizeof *sorted, sigv4_query_order);
        for (size_t i = 0; i < u->query_count; i++)
                buf_format(
                    out, "%s%s=%s", i ? "&" : "", sorted[i].name, sorted[i].value ? sorted[i].value : "");
        free(sorted);
}

/* Appends a header's value trimmed, runs of blanks as one. */
static void sigv4_trimmed(struct buf *out, const char *value)
{
        bool blank = false, begun = false;
        for (; *value; value++) {
                if (*value == ' ' || *value == '\t' || *value == '\n' || *value == '\r') {
                        blank = true;
                        continue;
                }
                if (blank && begun) buf_char(out, ' ');
                buf_char(out, *value);
                blank = false;
                begun = true;
        }
}

struct sigv4_header {
        char *name; /* lower case */
        const char *value;
        size_t index;
};

static int sigv4_header_order(const void *a, const void *b)
{
        const struct sigv4_header *x = a, *y = b;
        int c = strcmp(x->name, y->name);
        return c ? c : x->index < y->index ? -1 : 1;
}

/* Proxies may change these on the way. */
static bool sigv4_is_signed(const char *name)
{
        static const char *const unsigned_names[] = {
            "authorization", "user-agent", "accept", "connection", "expect"};
        for (size_t i = 0; i < sizeof unsigned_names / sizeof *unsigned_names; i++)
                if (strcasecmp(name, unsigned_names[i]) == 0) return false;
        return true;
}

/* The canonical headers, and their names joined by semicolons. */
static void sigv4_headers(const struct header_list *h, struct buf *lines, struct buf *names)
{
        struct sigv4_header *sorted = util_alloc((h->count + 1) * sizeof *sorted);
        size_t n = 0;
        for (size_t i = 0; i < h->count; i++) {
                if (!sigv4_is_signed(h->items[i].name)) continue;
                sorted[n] = (struct sigv4_header){util_format("%s", h->items[i].name), h->items[i].value, i};
                for (char *c = sorted[n].name; *c; c++) *c = (char)tolower((unsigned char)*c);
                n++;
        }
        qsort(sorted, n, sizeof *sorted, sigv4_header_order);
        for (size_t i = 0; i < n; i++) {
                bool again = i > 0 && strcmp(sorted[i].name, sorted[i - 1].name) == 0;
                if (again) {
                        lines->len--; /* the newline: values of one name are joined */
                        buf_char(lines, ',');
                } else {
                        buf_format(lines, "%s:", sorted[i].name);
                        buf_format(names, "%s%s", names->len ? ";" : "", sorted[i].name);
                }
                sigv4_trimmed(lines, sorted[i].value);
                buf_char(lines, '\n');
        }
        for (size_t i = 0; i < n; i++) free(sorted[i].name);
        free(sorted);
}

char *sigv4_canonical(const struct sigv4 *s, const struct outgoing *o)
{
        struct buf b = {0};
        AUTO_BUF lines = {0};
        AUTO_BUF names = {0};
        buf_format(&b, "%s\n", o->method);
        if (s->s3)
                buf_text(&b, *o->url.path ? o->url.path : "/");
        else
                sigv4_normal_path(&b, o->url.path);
        buf_char(&b, '\n');
        sigv4_query(&b, &o->url);
        sigv4_headers(&o->headers, &lines, &names);
        buf_format(&b, "\n%s\n%s\n", lines.data ? lines.data : "", names.data ? names.data : "");
        sigv4_hash(&b, o->body.data, o->body.len);
        return buf_steal(&b);
}

static void sigv4_scope(struct buf *out, const struct sigv4 *s)
{
        buf_format(out, "%.*s/%s/%s/aws4_request", DATE_LEN, s->time, s->region, s->service);
}

char *sigv4_to_sign(const struct sigv4 *s, const char *canonical)
{
        struct buf b = {0};
        buf_format(&b, "AWS4-HMAC-SHA256\n%s\n", s->time);
        sigv4_scope(&b, s);
        buf_char(&b, '\n');
        sigv4_hash(&b, canonical, strlen(canonical));
        return buf_steal(&b);
}

char *sigv4_authorization(const struct sigv4 *s, const struct outgoing *o)
{
        AUTO_CHAR canonical = sigv4_canonical(s, o);
        AUTO_CHAR to_sign = sigv4_to_sign(s, canonical);
        AUTO_BUF secret = {0};
        buf_format(&secret, "AWS4%s", s->secret_key);
        unsigned char key[DIGEST_LEN], next[DIGEST_LEN];
        sigv4_hmac(secret.data, secret.len, s->time, DATE_LEN, key);
        const char *const parts[] = {s->region, s->service, "aws4_request", to_sign};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
                sigv4_hmac(key, sizeof key, parts[i], strlen(parts[i]), next);
                memcpy(key, next, sizeof key);
        }
        AUTO_BUF lines = {0};
        AUTO_BUF names = {0};
        sigv4_headers(&o->headers, &lines, &names);
        struct buf b = {0};
        buf_format(&b, "AWS4-HMAC-SHA256 Credential=%s/", s->access_key);
        sigv4_scope(&b, s);
        buf_format(&b, ", SignedHeaders=%s, Signature=", names.data ? names.data : "");
        sigv4_hex(&b, key);
        explicit_bzero(key, sizeof key);
        explicit_bzero(next, sizeof next);
        return buf_steal(&b);
}

void sigv4_sign(const struct sigv4 *s, struct outgoing *o)
{
        AUTO_CHAR host = url_host(&o->url);
        headers_set(&o->headers, "Host", host);
        headers_set(&o->headers, "X-Amz-Date", s->time);
        if (s->session_token) headers_set(&o->headers, "X-Amz-Security-Token", s->session_token);
        if (s->s3) {
                AUTO_BUF hash = {0};
                sigv4_hash(&hash, o->body.data, o->body.len);
                headers_set(&o->headers, "X-Amz-Content-Sha256", hash.data);
        }
        AUTO_CHAR authorization = sigv4_authorization(s, o);
        headers_set(&o->headers, "Authorization", authorization);
}

int auth_sigv4_sign(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem)
{
        struct sigv4 s = {0};
        s.access_key = auth_text(host, auth, "access_key", false, problem);
        s.secret_key = s.access_key ? auth_text(host, auth, "secret_key", false, problem) : NULL;
        s.region = s.secret_key ? auth_text(host, auth, "region", false, problem) : NULL;
        s.service = s.region ? auth_text(host, auth, "service", false, problem) : NULL;
        if (!s.service) return -1;
        s.session_token = auth_text(host, auth, "session_token", true, problem);
        s.s3 = strcmp(s.service, "s3") == 0;
        char text[32];
        time_t now = (time_t)(now_ms / 1000);
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
        s.time = text;
        sigv4_sign(&s, o);
        return 0;
}
