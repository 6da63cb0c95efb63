/*
 * One message to one target: the request that its kind asks for, and what the answer means. See outbox.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/smtp.h"
#include "run/message.h"
#include "run/outbox.h"

enum { ATTEMPT_MS = 10000, REPLY_MAX = 64 * 1024, RETRY_AFTER_MAX_S = 3600 };

struct delivery {
        struct http_exchange *http;
        struct smtp_exchange *smtp;
        delivery_done *done;
        void *context;
};

static void over(struct delivery *d, const struct error *error, int64_t retry_after_ms)
{
        delivery_done *done = d->done;
        void *context = d->context;
        free(d);
        done(context, error, retry_after_ms);
}

/* Retry-After in seconds; a date is not looked at. */
static int64_t retry_after(const struct http_reply *reply)
{
        const char *text = http_header_get(reply, "retry-after");
        if (text == NULL || *text < '0' || *text > '9') return 0;
        long seconds = strtol(text, NULL, 10);
        return seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S * 1000 : seconds * 1000;
}

/* What the server wrote back is not repeated: it may hold what we sent. */
static void answered(void *context, const struct http_reply *reply, const struct error *error, bool sent)
{
        struct delivery *d = context;
        (void)sent;
        cleanup(error_free) struct error *refused = NULL;
        if (reply != NULL && (reply->status < 200 || reply->status > 299))
                error_set(&refused, ERROR_PROVIDER, NULL, "the server answered %u", reply->status);
        over(d, refused ? refused : error, reply ? retry_after(reply) : 0);
}

static void mailed(void *context, const struct error *error)
{
        over(context, error, 0);
}

static void post(struct delivery *d, struct transfers *transfers, const struct notify_target *target,
    const struct http_header *headers, size_t header_count, const struct text *body)
{
        struct http_request request = {
            .method = "POST",
            .url = target->url,
            .headers = headers,
            .header_count = header_count,
            .body = body->data,
            .body_len = body->len,
            .timeout_ms = ATTEMPT_MS,
            .connect_timeout_ms = ATTEMPT_MS,
            .reply_max = REPLY_MAX,
            .ca_file = target->ca,
        };
        d->http = http_start(transfers, &request, answered, d);
}

static void send_webhook(struct delivery *d, struct transfers *transfers, const struct notify_target *target,
    const char *id, const char *body)
{
        struct text signature __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text copy __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add(&copy, body);
        if (target->secret != NULL)
                message_signature(target->secret, clock_wall_ms() / 1000, body, strlen(body), &signature);
        struct http_header headers[] = {{"Content-Type", "application/json"}, {"Tutti-Delivery", id},
            {"Tutti-Signature", signature.data}};
        post(d, transfers, target, headers, target->secret ? 3 : 2, &copy);
}

static int send_slack(struct delivery *d, struct transfers *transfers, const struct notify_target *target,
    const char *body, struct error **err)
{
        struct text text __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (message_slack(body, &text, err) < 0) return -1;
        struct http_header headers[] = {{"Content-Type", "application/json"}};
        post(d, transfers, target, headers, 1, &text);
        return 0;
}

static int send_mail(struct delivery *d, struct transfers *transfers, const struct notify_target *target,
    const char *id, const char *body, struct error **err)
{
        struct text text __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (message_mail(body, target, id, clock_wall_ms(), &text, err) < 0) return -1;
        struct smtp_mail mail = {
            .url = target->url,
            .user = target->user,
            .password = target->password,
            .from = target->from,
            .to = target->to,
            .to_count = target->to_count,
            .message = text.data,
            .message_len = text.len,
            .ca_file = target->ca,
            .plain = target->plain,
            .timeout_ms = ATTEMPT_MS,
        };
        d->smtp = smtp_start(transfers, &mail, mailed, d);
        return 0;
}

struct delivery *delivery_start(struct transfers *transfers, const struct notify_target *target,
    const char *id, const char *body, delivery_done *done, void *context, struct error **err)
{
        struct delivery *d = mem_alloc(sizeof *d);
        d->done = done;
        d->context = context;
        int result = 0;
        switch (target->kind) {
        case NOTIFY_WEBHOOK: send_webhook(d, transfers, target, id, body); break;
        case NOTIFY_SLACK: result = send_slack(d, transfers, target, body, err); break;
        case NOTIFY_EMAIL: result = send_mail(d, transfers, target, id, body, err); break;
        }
        if (result == 0) return d;
        free(d);
        return NULL;
}

void delivery_cancel(struct delivery *d)
{
        if (d == NULL) return;
        http_cancel(d->http);
        smtp_cancel(d->smtp);
        free(d);
}
