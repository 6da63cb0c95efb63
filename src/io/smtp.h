/*
 * Sending a mail over SMTP, as a transfer on the loop (see transfer.h).
 *
 * TLS from the first byte (smtps://) or by STARTTLS (smtp://) is required and verified; `plain` goes without. One connection for each mail,
 * never by a proxy.
 */
#ifndef TUTTI_IO_SMTP_H
#define TUTTI_IO_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include "io/transfer.h"

struct smtp_mail {
        const char *url;             /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
        const char *user, *password; /* or NULL */
        const char *from;            /* addresses alone, without brackets; none holds a control character */
        const char *const *to;
        size_t to_count;
        const char *message; /* headers, an empty line and text, with CRLF line ends; dots are doubled here */
        size_t message_len;
        const char *ca_file; /* PEM path, or NULL */
        bool plain;
        int64_t timeout_ms; /* of the whole exchange; 0: 60 s */
};

struct smtp_exchange;

/*
 * One callback follows unless cancelled: `error` is NULL once the server has taken the mail for every recipient. A refusal by the server is
 * of kind PROVIDER, with its reply code.
 */
typedef void smtp_done(void *context, const struct error *error);
struct smtp_exchange *smtp_start(
    struct transfers *transfers, const struct smtp_mail *mail, smtp_done *done, void *context);
void smtp_cancel(struct smtp_exchange *exchange); /* NULL-safe */

#endif
