/*
 * The transfers of one loop: what libcurl sends and fetches, whatever the protocol. http.h and smtp.h start them; here is what they
 * share: kept connections, names and TLS sessions, and what holds for each of them.
 *
 * Starting a transfer copies what it is given. Exactly one callback follows on a later turn, with a reply or an error borrowed for the
 * call, unless the transfer is cancelled: then none follows. What a start returned is no longer valid once its callback has begun. A
 * callback may start and cancel other transfers.
 *
 * TLS is 1.2 or later, and verified. Connections are not inherited by the commands that we start. An address on this machine is never
 * reached by a proxy. Messages name scheme, host and port; never user, password, path or query.
 *
 * Kinds of errors: INPUT (a bad URL or certificate file), RETRY (no connection, reset, reply cut short), TIMEOUT, DENIED (the server is not
 * who it should be, or refuses the password), SYSTEM; a protocol may add to them.
 */
#ifndef TUTTI_IO_TRANSFER_H
#define TUTTI_IO_TRANSFER_H

#include "io/loop.h"

struct transfers;

/* Loads libcurl the first time. ERROR_SYSTEM */
int transfers_new(struct loop *loop, struct transfers **ret, struct error **err);
void transfers_free(
    struct transfers *transfers); /* cancels what is under way; before the loop is freed; NULL-safe */

#endif
