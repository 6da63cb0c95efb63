/*
 * curl's multi interface driven by the loop. For http.c only.
 */
#ifndef TUTTI_IO_HTTP_MULTI_H
#define TUTTI_IO_HTTP_MULTI_H

#include <curl/curl.h>
#include "io/loop.h"

struct http_multi;

/* `completed` is told each transfer's outcome, never from within a call of curl; it must remove the handle. */
int http_multi_new(struct loop *loop, void (*completed)(CURL *easy, CURLcode result), struct http_multi **ret,
    struct error **err);
void http_multi_free(struct http_multi *multi); /* every handle must have been removed; NULL-safe */
void http_multi_add(struct http_multi *multi, CURL *easy);    /* the transfer starts on a later turn */
void http_multi_remove(struct http_multi *multi, CURL *easy); /* not from within a callback of curl's */

#endif
