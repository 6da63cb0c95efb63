/*
 * HTTP exchanges, as transfers on the loop (see transfer.h): pooled connections, HTTP/1.1, Unix sockets, client certificates. The server is
 * verified unless the request says otherwise. Redirects are not followed.
 * (Not HTTP/2: that of the libcurl at hand loses streams on reused connections.)
 */
#ifndef TUTTI_IO_HTTP_H
#define TUTTI_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include "io/transfer.h"

struct http_header {
        const char *name, *value;
};

struct http_request {
        const char *method, *url; /* http:// or https://; the path is sent as it stands */
        const struct http_header
            *headers; /* Content-Length, Transfer-Encoding and Expect are ours and ignored here */
        size_t header_count;
        const void *body; /* NULL for none; sent with Content-Length, never chunked, without Expect */
        size_t body_len;
        int64_t timeout_ms;                         /* of the whole exchange; 0: 60 s */
        int64_t connect_timeout_ms;                 /* 0: 10 s */
        size_t reply_max;                           /* bytes of body; 0: 64 MiB; more is an error */
        const char *unix_socket;                    /* path, or NULL */
        const char *ca_file, *cert_file, *key_file; /* PEM paths, or NULL */
        bool insecure;                              /* the user asked not to verify the server */
        bool close;                                 /* do not reuse the connection */
        /* Asked at the last moment before the request is written to a connection; false: it is not sent, ERROR_RETRY. May be NULL. */
        bool (*may_send)(void *context);
        void *context; /* of may_send */
};

struct http_reply {
        unsigned status;
        struct http_header *headers; /* names in lower case, in order; several of one name stay several */
        size_t header_count;
        char *body; /* NUL behind it */
        size_t body_len;
        int64_t elapsed_ms;
};

struct http_exchange; /* one under way */

/*
 * One callback follows unless cancelled, with either reply or error. A reply that is too large is an error of kind SYSTEM; a request that was
 * held back is one of kind RETRY. `sent` tells whether any byte of the request may have reached the server.
 */
typedef void http_done(void *context, const struct http_reply *reply, const struct error *error, bool sent);
struct http_exchange *http_start(
    struct transfers *transfers, const struct http_request *request, http_done *done, void *context);
void http_cancel(struct http_exchange *exchange); /* NULL-safe */

const char *http_header_get(const struct http_reply *reply, const char *lower_name); /* first, or NULL */

#endif
