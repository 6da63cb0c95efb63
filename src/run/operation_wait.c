/*
 * The waits of an operation: an HTTP exchange, an SSH exchange, a process, a sleep; each issued when the provider's rate allows.
 * Functions stand in order of time.
 */
#include <stdio.h>

#include "run/operation_internal.h"

static void send_now(void *context);

void operation_wait_issue(struct tutti_op *op)
{
        bool first = op->sent_back, limited = op->wait == WAIT_HTTP || op->wait == WAIT_SSH;
        op->sent_back = false;
        if (!limited ||
            turn_take(op->request.connection->turns, op->io->loop, &op->turn, first, send_now, op))
                send_now(op);
}

static void http_replied(void *context, const struct http_reply *reply, const struct error *error, bool sent)
{
        struct tutti_op *op = context;
        op->http_exchange = NULL;
        if (error != NULL) {
                operation_fault(op, error, sent, !op->patient);
                return;
        }
        struct tutti_reply r = {
            .kind = TUTTI_REPLY_HTTP,
            .status = reply->status,
            .headers = (const struct tutti_header *)reply->headers, /* the same two pointers */
            .header_count = reply->header_count,
            .body = {reply->body, reply->body_len},
        };
        operation_replied(op, &r);
}
_Static_assert(
    sizeof(struct tutti_header) == sizeof(struct http_header), "headers are lent to plug-ins as they are");

/* The host keys that this environment saw first, one line each, as ssh writes them. */
static void pin_host_key(const struct tutti_op *op, const char *host_key)
{
        const struct ssh_host *h = &op->ssh.host;
        if (op->io->known_hosts == NULL || h->known_hosts != op->io->known_hosts) return;
        FILE *f = fopen(op->io->known_hosts, "ae");
        if (f == NULL) return;
        if (h->port != 0 && h->port != 22)
                fprintf(f, "[%s]:%u %s\n", h->address, h->port, host_key);
        else
                fprintf(f, "%s %s\n", h->address, host_key);
        fclose(f);
}

static void ssh_replied(void *context, const struct ssh_reply *reply, const struct error *error, bool started)
{
        struct tutti_op *op = context;
        op->ssh_exchange = NULL;
        if (error != NULL) {
                /* A host that does not answer yet is the common case after its creation: only the deadline ends that. A
                 * mere read does not wait for it. */
                bool reads = op->request.action == TUTTI_READ || op->request.action == TUTTI_LOOKUP;
                operation_fault(op, error, started, started || reads);
                return;
        }
        if (reply->pinned) pin_host_key(op, reply->host_key);
        struct tutti_reply r = {
            .kind = TUTTI_REPLY_SSH,
            .exit_status = reply->exit_status,
            .out = {reply->out, reply->out_len},
            .err = {reply->err, reply->err_len},
            .host_key = reply->host_key,
        };
        operation_replied(op, &r);
}

static void process_replied(void *context, const struct process_reply *reply, const struct error *error)
{
        struct tutti_op *op = context;
        op->running = NULL;
        if (error != NULL) {
                operation_fault(op, error, true, true);
                return;
        }
        struct tutti_reply r = {
            .kind = TUTTI_REPLY_PROCESS,
            .exit_status = reply->exit_status,
            .out = {reply->out, reply->out_len},
            .err = {reply->err, reply->err_len},
        };
        operation_replied(op, &r);
}

static void slept(void *context)
{
        struct tutti_op *op = context;
        op->timer = NULL;
        struct tutti_reply r = {.kind = TUTTI_REPLY_SLEPT};
        operation_replied(op, &r);
}

/* Once the lease may be another's, so is the environment: what has an effect waits until a renewal has shown that it is ours still. */
static bool has_effect(const struct tutti_op *op)
{
        return op->request.journal != NULL && op->wait != WAIT_SLEEP && op->wait != WAIT_NONE;
}

static bool may_leave(void *context)
{
        const struct tutti_op *op = context;
        return journal_lease_holds(op->request.journal);
}

static void send_now(void *context)
{
        struct tutti_op *op = context;
        bool bound = has_effect(op);
        if (bound && !journal_lease_holds(op->request.journal)) {
                op->waiting_for_journal = true;
                journal_renew_then(op->request.journal, operation_durable, op);
                return;
        }
        /* Connecting takes its time: they ask once more when it has come to sending. */
        op->http.may_send = op->ssh.may_start = bound ? may_leave : NULL;
        op->http.context = op->ssh.context = op;
        switch (op->wait) {
        case WAIT_HTTP: op->http_exchange = http_start(op->io->transfers, &op->http, http_replied, op); break;
        case WAIT_SSH: op->ssh_exchange = ssh_start(op->io->ssh, &op->ssh, ssh_replied, op); break;
        case WAIT_PROCESS:
                op->running = process_start(op->io->loop, &op->process, process_replied, op);
                break;
        case WAIT_SLEEP: op->timer = timer_start(op->io->loop, op->sleep_ms, slept, op); break;
        case WAIT_NONE: break;
        }
}

void operation_wait_abort(struct tutti_op *op)
{
        if (op->http_exchange != NULL) http_cancel(op->http_exchange);
        if (op->ssh_exchange != NULL) ssh_cancel(op->ssh_exchange);
        if (op->running != NULL) process_cancel(op->running);
        timer_cancel(op->timer);
        turn_cancel(&op->turn);
        op->http_exchange = NULL;
        op->ssh_exchange = NULL;
        op->running = NULL;
        op->timer = NULL;
}
