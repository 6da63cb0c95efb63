/*
 * One transfer as its protocol sees it: http.c and smtp.c say what is sent and how the reply is taken in; how it is reached, watched,
 * ended and told of is the same for all. For the files of io/ only.
 *
 * A protocol's exchange has the transfer as its first member. Its life, each step behind the one before:
 *
 *     transfer_init     a handle of curl's, for the options that are the protocol's own
 *     transfer_set      address, security and times
 *     transfer_start    the loop has it: `report` and `release` follow, or transfer_cancel and `release`
 *
 * What is wrong between the first and the last is left in `error`: transfer_start then sends nothing and reports it.
 */
#ifndef TUTTI_IO_TRANSFER_ITEM_H
#define TUTTI_IO_TRANSFER_ITEM_H

#include "base/ring.h"
#include "io/curl_library.h"
#include "io/transfer.h"

struct transfer;

struct transfer_protocol {
        const char *schemes; /* "http,https": the two of a URL, and all that curl may speak for it */
        const char *fault;   /* the fault point behind a complete reply */
        /* Told of each socket that is opened towards one of the server's addresses; curl closes it. May be NULL. */
        void (*opened)(struct transfer *transfer, int socket);
        /* Asked first what a failure means: sets `error`, or leaves it NULL to have it told in curl's words. May be NULL. */
        void (*explain)(struct transfer *transfer, CURLcode code);
        /* Calls back, once; `error` is NULL when the transfer was done. It is off curl's list by then. */
        void (*report)(struct transfer *transfer);
        void (*release)(struct transfer *transfer); /* frees the exchange; curl's handle is gone by then */
};

struct transfer {
        struct ring place; /* first: the place is the transfer; among those of `transfers` */
        CURL *easy;
        const struct transfer_protocol *protocol;
        struct transfers *transfers;
        char *label; /* "GET https://host:port", what messages begin with; set by transfer_set */
        struct error *error;
        struct timer *refused; /* reports `error` on a later turn */
        char detail[CURL_ERROR_SIZE];
};

struct transfer_settings {
        const char *verb;                           /* to begin the label with, or NULL */
        const char *url;                            /* its path is sent as it stands */
        int64_t timeout_ms;                         /* of the whole transfer; 0: 60 s */
        int64_t connect_timeout_ms;                 /* 0: 10 s */
        const char *unix_socket;                    /* path, or NULL */
        const char *ca_file, *cert_file, *key_file; /* PEM paths, or NULL */
        bool insecure;                              /* the user asked not to verify the server */
        bool direct;                                /* never by a proxy from the environment */
        bool once;                                  /* a connection of its own, closed behind it */
};

/* The transfer is zeroed memory of an exchange that `release` frees. */
void transfer_init(
    struct transfer *transfer, struct transfers *transfers, const struct transfer_protocol *protocol);

/* Borrows `settings` for the call. INPUT: the URL is malformed or of another scheme; -1 and the transfer's `error`. */
int transfer_set(struct transfer *transfer, const struct transfer_settings *settings);

/* Ends on a later turn, never within. */
void transfer_start(struct transfer *transfer);
void transfer_cancel(struct transfer *transfer); /* NULL-safe; not from within a callback of curl's */

#endif
