/*
 * What arrives of an HTTP reply, gathered within bounds. For http.c only.
 */
#ifndef TUTTI_IO_HTTP_GATHER_H
#define TUTTI_IO_HTTP_GATHER_H

#include "base/text.h"
#include "io/http.h"

struct http_gather {
        struct http_header *headers;
        size_t header_count, header_capacity;
        size_t header_bytes, folds;
        struct text body;
        size_t body_max;
        bool too_large; /* a bound was passed: the exchange must be given up */
};

/* Both return `len`, or 0 when a bound is passed. A header line is "Name: value\r\n"; a status line begins anew (what came
 * before was an interim reply); a line that begins with white space continues the one before it. */
size_t http_gather_header(struct http_gather *gather, const char *line, size_t len);
size_t http_gather_body(struct http_gather *gather, const char *data, size_t len);
void http_gather_release(struct http_gather *gather);

#endif
