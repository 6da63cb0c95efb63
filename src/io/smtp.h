/*
 * Sending a mail over SMTP, by curl's multi interface on the loop that an HTTP client drives already.
 *
 * TLS (1.2 or later) from the first byte (smtps://) or by STARTTLS (smtp://) is required and verified; `plain` goes without.
 * One connection for each mail.
 */
#ifndef TUTTI_IO_SMTP_H
#define TUTTI_IO_SMTP_H

#include "io/http.h"

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
 * Copies the mail. Exactly one callback follows unless cancelled: `error` is NULL once the server has taken the mail for every
 * recipient. Kinds as http_start gives them; a refusal by the server is PROVIDER with its reply code.
 */
typedef void smtp_done(void *context, const struct error *error);
struct smtp_exchange *smtp_start(
    struct http *http, const struct smtp_mail *mail, smtp_done *done, void *context);
void smtp_cancel(struct smtp_exchange *exchange); /* NULL-safe */

#endif
