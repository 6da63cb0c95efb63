/*
 * curl's multi interface driven by the loop. For transfer.c only.
 */
#ifndef TUTTI_IO_TRANSFER_MULTI_H
#define TUTTI_IO_TRANSFER_MULTI_H

#include "io/curl_library.h"
#include "io/loop.h"

struct transfer_multi;

/* `completed` is told the outcome of each handle that was added, never from within a call of curl; it must remove the handle. Should the system
 * not let us watch a socket, that handle alone is given up, with ABORTED_BY_CALLBACK. */
int transfer_multi_new(struct loop *loop, void (*completed)(CURL *easy, CURLcode result),
    struct transfer_multi **ret, struct error **err);
void transfer_multi_free(struct transfer_multi *multi); /* every handle must have been removed; NULL-safe */

void transfer_multi_add(struct transfer_multi *multi, CURL *easy); /* the transfer starts on a later turn */

/* Not from within a callback of curl's; harmless when it is off already. */
void transfer_multi_remove(struct transfer_multi *multi, CURL *easy);

#endif
