/*
 * curl's multi interface driven by the loop. For http.c and smtp.c only.
 */
#ifndef TUTTI_IO_HTTP_MULTI_H
#define TUTTI_IO_HTTP_MULTI_H

#include "io/http_curl.h"
#include "io/loop.h"

struct http_multi;

/* One transfer: the handle's CURLOPT_PRIVATE. `completed` is told its outcome, never from within a call of curl; it must remove
 * the handle. */
struct http_transfer {
        CURL *easy;
        void (*completed)(struct http_transfer *transfer, CURLcode result);
};

int http_multi_new(struct loop *loop, struct http_multi **ret, struct error **err);
void http_multi_free(struct http_multi *multi); /* every handle must have been removed; NULL-safe */
void http_multi_add(struct http_multi *multi, CURL *easy);    /* the transfer starts on a later turn */
void http_multi_remove(struct http_multi *multi, CURL *easy); /* not from within a callback of curl's */

/* The one that a client drives, and its loop (http.c). */
struct http;
struct http_multi *http_multi_of(struct http *http);
struct loop *http_loop_of(struct http *http);

#endif
