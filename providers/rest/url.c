/*
 * URLs: see url.h. RFC 3986.
 */
#include "url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 32 * 1024 };

static bool url_unreserved(unsigned char c)
{
        return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void url_escape(struct buf *out, const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)s[i];
                if (url_unreserved(c))
                        buf_char(out, (char)c);
                else
                        buf_format(out, "%%%02X", c);
        }
}

static bool url_is_escape(const char *s)
{
        return s[0] == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]);
}

void url_escape_path(struct buf *out, const char *s)
{
        for (; *s; s++) {
                unsigned char c = (unsigned char)*s;
                if (url_unreserved(c) || strchr("/!$&'()*+,;=:@", c) || url_is_escape(s))
                        buf_char(out, (char)c);
                else
                        buf_format(out, "%%%02X", c);
        }
}

/* How many bytes at `s` spell a dot: 1, 3 for %2e, 0. */
static size_t url_dot(const char *s)
{
        return *s == '.' ? 1 : strncasecmp(s, "%2e", 3) == 0 ? 3 : 0;
}

bool url_path_climbs(const char *path)
{
        for (const char *s = path; *s; s++) {
                if (s != path && s[-1] != '/') continue;
                const char *end = s + url_dot(s);
                if (end == s) continue;
                end += url_dot(end);
                if (!*end || *end == '/') return true;
        }
        return false;
}

static void url_parse_query(struct url *u, const char *text)
{
        while (*text) {
                size_t len = strcspn(text, "&"), name = strcspn(text, "=&");
                if (len) {
                        u->query = util_grow(u->query, u->query_count + 1, sizeof *u->query);
                        u->query[u->query_count++] = (struct url_query){.name = strndup(text, name),
                            .value = name < len ? strndup(text + name + 1, len - name - 1) : NULL};
                }
                text += len + (text[len] == '&');
        }
}

int url_parse(struct url *u, const char *text, char **problem)
{
        *u = (struct url){0};
        size_t len = strlen(text);
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '#' || len > URL_MAX) {
                        *problem = util_format("this is not a URL that can be used: %.80s", text);
                        return -1;
                }
        if (util_starts(text, "unix:/")) {
                const char *path = text + strlen("unix:");
                while (path[1] == '/') path++;
                u->origin = util_format("%s", "");
                u->unix_socket = util_format("%s", path);
                u->path = util_format("%s", "");
                return 0;
        }
        const char *host = strncasecmp(text, "https://", 8) == 0  ? text + 8
                           : strncasecmp(text, "http://", 7) == 0 ? text + 7
                                                                  : NULL;
        size_t host_len = host ? strcspn(host, "/?") : 0;
        if (!host_len || memchr(host, '@', host_len)) {
                *problem = util_format("this is not an http or https URL: %.80s", text);
                return -1;
        }
        u->origin = strndup(text, (size_t)(host - text) + host_len);
        for (char *c = u->origin; *c; c++) *c = (char)tolower((unsigned char)*c);
        const char *path = host + host_len;
        size_t path_len = strcspn(path, "?");
        u->path = strndup(path, path_len);
        if (path[path_len] == '?') url_parse_query(u, path + path_len + 1);
        return 0;
}

void url_release(struct url *u)
{
        for (size_t i = 0; i < u->query_count; i++) {
                free(u->query[i].name);
                free(u->query[i].value);
        }
        free(u->query);
        free(u->origin);
        free(u->unix_socket);
        free(u->path);
        *u = (struct url){0};
}

void url_add_query(struct url *u, const char *name, const char *value)
{
        struct buf n = {0}, v = {0};
        url_escape(&n, name, strlen(name));
        url_escape(&v, value, strlen(value));
        u->query = util_grow(u->query, u->query_count + 1, sizeof *u->query);
        u->query[u->query_count++] = (struct url_query){.name = buf_steal(&n), .value = buf_steal(&v)};
}

char *url_text(const struct url *u)
{
        struct buf b = {0};
        buf_text(&b, u->unix_socket ? "http://localhost" : u->origin);
        buf_text(&b, *u->path ? u->path : "/");
        for (size_t i = 0; i < u->query_count; i++) {
                buf_char(&b, i ? '&' : '?');
                buf_text(&b, u->query[i].name);
                if (u->query[i].value) buf_format(&b, "=%s", u->query[i].value);
        }
        return buf_steal(&b);
}

char *url_host(const struct url *u)
{
        if (u->unix_socket) return util_format("localhost");
        bool tls = util_starts(u->origin, "https://");
        char *host = util_format("%s", u->origin + (tls ? 8 : 7));
        const char *own = tls ? ":443" : ":80";
        size_t len = strlen(host), n = strlen(own);
        if (len > n && strcmp(host + len - n, own) == 0) host[len - n] = 0;
        return host;
}
