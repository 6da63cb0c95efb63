/*
 * Reply headers and body. The server is not trusted: both are bounded while they arrive.
 */
#include "io/http_gather.h"

#include <ctype.h>
#include <string.h>

/* Each folded line copies what it continues, so there are few. */
enum { HEADERS_MAX = 1000, HEADER_BYTES_MAX = 256 * 1024, FOLDS_MAX = 100 };

static void clear_headers(struct http_gather *gather)
{
        for (size_t i = 0; i < gather->header_count; i++) {
                free((char *)gather->headers[i].name);
                free((char *)gather->headers[i].value);
        }
        gather->header_count = 0;
}

static const char *skip_space(const char *s, const char *end)
{
        while (s < end && (*s == ' ' || *s == '\t')) s++;
        return s;
}

static void continue_header(struct http_gather *gather, const char *line, const char *end)
{
        if (gather->header_count == 0) return;
        struct http_header *last = &gather->headers[gather->header_count - 1];
        line = skip_space(line, end);
        char *value = mem_printf("%s %.*s", last->value, (int)(end - line), line);
        free((char *)last->value);
        last->value = value;
}

size_t http_gather_header(struct http_gather *gather, const char *line, size_t len)
{
        const char *end = line + len;
        while (end > line && isspace((unsigned char)end[-1])) end--;
        if (end == line) return len;
        gather->header_bytes += len;
        if (gather->header_count >= HEADERS_MAX || gather->header_bytes > HEADER_BYTES_MAX) {
                gather->too_large = true;
                return 0;
        }
        if (*line == ' ' || *line == '\t') {
                if (++gather->folds > FOLDS_MAX) {
                        gather->too_large = true;
                        return 0;
                }
                continue_header(gather, line, end);
                return len;
        }
        const char *colon = memchr(line, ':', (size_t)(end - line));
        if (len > 5 && memcmp(line, "HTTP/", 5) == 0) clear_headers(gather);
        if (colon == NULL || memcmp(line, "HTTP/", 5) == 0) return len;
        char *name = mem_strndup(line, (size_t)(colon - line));
        for (char *c = name; *c; c++) *c = (char)tolower((unsigned char)*c);
        const char *value = skip_space(colon + 1, end);
        struct http_header header = {.name = name, .value = mem_strndup(value, (size_t)(end - value))};
        vec_push(gather->headers, gather->header_count, gather->header_capacity, header);
        return len;
}

size_t http_gather_body(struct http_gather *gather, const char *data, size_t len)
{
        if (len > gather->body_max - gather->body.len) {
                gather->too_large = true;
                return 0;
        }
        text_addn(&gather->body, data, len);
        return len;
}

void http_gather_release(struct http_gather *gather)
{
        clear_headers(gather);
        free(gather->headers);
        text_release(&gather->body);
}

const char *http_header_get(const struct http_reply *reply, const char *lower_name)
{
        for (size_t i = 0; i < reply->header_count; i++)
                if (strcmp(reply->headers[i].name, lower_name) == 0) return reply->headers[i].value;
        return NULL;
}
