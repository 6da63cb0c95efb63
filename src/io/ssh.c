/*
 * Commands over SSH: an exchange waits for a place on a connection, opens a channel, runs its command there, feeds and
 * collects, and reports. The channel is closed behind the caller's back, so a cancelled one may outlive its exchange's handle.
 */
#include "io/ssh.h"

#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "io/ssh_host.h"
#include "io/ssh_pool.h"

enum { CONNECT_TIMEOUT_DEFAULT_MS = 10000, OUTPUT_DEFAULT = 1024 * 1024, CHUNK = 32 * 1024 };

enum state { WAITING, OPENING, STARTING, RUNNING, CLOSING };

struct output {
        struct text text;
        bool truncated;
};

struct ssh {
        struct loop *loop;
        struct ssh_pool *pool;
        struct ring exchanges;
};

struct ssh_exchange {
        struct ssh_channel channel; /* first: the channel is the exchange */
        struct ssh_client client;
        struct ring place; /* among the exchanges of `ssh` */
        struct ssh *ssh;
        enum state state;
        struct ssh_host *host;
        char *command, *input;
        size_t input_len, input_sent;
        bool input_ended;
        bool denied; /* the command was not started: the host refused, or may_start did */
        bool (*may_start)(void *context);
        void *may_start_context;
        bool leaving; /* its connection is clogged: it goes to another */
        int64_t timeout_ms;
        struct output outputs[2];
        size_t output_max;
        struct timer *timer;   /* refusal, then opening, then the command's deadline */
        struct error *refused; /* why it did not begin */
        ssh_done *done;        /* NULL once called or cancelled */
        void *context;
};

static struct ssh_exchange *of_client(struct ssh_client *client)
{
        return ring_owner(client, struct ssh_exchange, client);
}

static void enter(struct ssh_exchange *x, enum state state)
{
        x->state = state;
        x->channel.flow = 0;
}

/* ---- end of an exchange ---- */

static void exchange_free(struct ssh_exchange *x)
{
        ring_remove(&x->place);
        timer_cancel(x->timer);
        ssh_host_free(x->host);
        mem_wipe(x->command, strlen(x->command));
        free(x->command);
        if (x->input != NULL) mem_wipe(x->input, x->input_len);
        free(x->input);
        for (size_t i = 0; i < 2; i++) text_release(&x->outputs[i].text);
        error_free(x->refused);
        free(x);
}

/* The exchange's handle is the caller's no more. */
static ssh_done *take_done(struct ssh_exchange *x)
{
        timer_cancel(steal(x->timer));
        return steal(x->done);
}

bool ssh_has_started(const struct ssh_exchange *x)
{
        return x->state >= STARTING && !x->denied;
}

static void report_error(struct ssh_exchange *x, const struct error *error)
{
        bool started = ssh_has_started(x);
        ssh_done *done = take_done(x);
        if (done != NULL) done(x->context, NULL, error, started);
}

static void report_problem(struct ssh_exchange *x, enum error_kind kind, const char *what)
{
        cleanup(error_free) struct error *error = NULL;
        error_set(&error, kind, NULL, "%s: %s", ssh_session_label(x->channel.session), what);
        report_error(x, error);
}

static void report_reply(struct ssh_exchange *x, int status, const char *signal)
{
        ssh_done *done = take_done(x);
        if (done == NULL) return;
        for (size_t i = 0; i < 2; i++) text_addn(&x->outputs[i].text, "", 0);
        struct ssh_reply reply = {.exit_status = signal != NULL ? -1 : status,
            .exit_signal = signal,
            .out = x->outputs[0].text.data,
            .out_len = x->outputs[0].text.len,
            .err = x->outputs[1].text.data,
            .err_len = x->outputs[1].text.len,
            .truncated = x->outputs[0].truncated || x->outputs[1].truncated,
            .host_key = ssh_session_host_key(x->channel.session),
            .pinned = ssh_session_pinned(x->channel.session)};
        done(x->context, &reply, NULL, true);
}

/* A command that ran when the connection was lost has a reply without a status; whether it goes on there, nobody knows. */
static void exchange_lost(struct ssh_channel *channel, const struct error *error)
{
        struct ssh_exchange *x = (struct ssh_exchange *)channel;
        bool again = x->state == OPENING && x->client.reused && x->done != NULL;
        if (x->state == RUNNING)
                report_reply(x, -1, NULL);
        else if (!again)
                report_error(x, error);
        ssh_pool_detach(&x->client);
        if (!again) {
                exchange_free(x);
                return;
        }
        timer_cancel(steal(x->timer));
        enter(x, WAITING);
        ssh_pool_attach(x->ssh->pool, x->host, &x->client);
}

static void exchange_failed(struct ssh_client *client, const struct error *error)
{
        struct ssh_exchange *x = of_client(client);
        report_error(x, error);
        exchange_free(x);
}

static void exchange_gone(struct ssh_channel *channel)
{
        struct ssh_exchange *x = (struct ssh_exchange *)channel;
        ssh_pool_detach(&x->client);
        if (x->state == WAITING) /* it goes elsewhere */
                ssh_pool_attach(x->ssh->pool, x->host, &x->client);
        else
                exchange_free(x);
}

/* ---- opening ---- */

/* Either the host does not answer, or another's opening is in the way; then this one goes elsewhere. */
static void opening_stalled(void *context)
{
        struct ssh_exchange *x = context;
        struct ssh_session *session = x->channel.session;
        x->timer = NULL;
        if (!ssh_session_is_opening(session, &x->channel)) {
                x->leaving = true;
                ssh_session_wake(session);
                return;
        }
        struct error *error = NULL;
        error_set(&error, ERROR_TIMEOUT, NULL, "%s: the host does not answer", ssh_session_label(session));
        ssh_session_break(session, error);
}

/* Off this connection, to wait for another. */
static enum ssh_step leave(struct ssh_exchange *x)
{
        x->leaving = false;
        timer_cancel(steal(x->timer));
        enter(x, WAITING);
        return SSH_GONE;
}

/* sshd allows so many sessions per connection: this one waits for another, unless it was alone. */
static enum ssh_step opening_refused(struct ssh_exchange *x)
{
        if (x->done != NULL && ssh_pool_limit(&x->client)) return leave(x);
        report_problem(x, ERROR_RETRY, "the host refuses to run commands now");
        return SSH_GONE;
}

static void command_overdue(void *context)
{
        struct ssh_exchange *x = context;
        x->timer = NULL;
        cleanup(error_free) struct error *error = NULL;
        error_set(&error, ERROR_TIMEOUT, NULL, "%s: the command is not done after %lld ms",
            ssh_session_label(x->channel.session), (long long)x->timeout_ms);
        ssh_session_wake(x->channel.session);
        report_error(x, error);
}

static enum ssh_step step_opening(struct ssh_exchange *x)
{
        struct ssh_session *session = x->channel.session;
        if (!ssh_session_is_opening(session, &x->channel)) {
                if (x->done == NULL) return SSH_GONE;
                if (x->leaving) return leave(x);
        }
        if (!ssh_session_opening(session, &x->channel)) return SSH_WAIT;
        x->channel.raw = libssh2_channel_open_session(ssh_session_raw(session));
        if (x->channel.raw == NULL) {
                int rc = libssh2_session_last_errno(ssh_session_raw(session));
                if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
                if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE) {
                        ssh_session_opened(session);
                        return opening_refused(x);
                }
                ssh_session_broke(session, rc);
                return SSH_WAIT;
        }
        timer_cancel(steal(x->timer));
        enter(x, x->done != NULL ? STARTING : CLOSING);
        if (x->state == CLOSING) ssh_session_opened(session);
        if (x->done != NULL && x->timeout_ms > 0)
                x->timer = timer_start(x->ssh->loop, x->timeout_ms, command_overdue, x);
        return SSH_MOVED;
}

/* ---- starting ---- */

/*
 * Still the only channel that opens: libssh2 fails when it waits for the answer to this request and meets the answer to another
 * channel's. For the same reason a cancelled one waits for its answer too.
 */
static enum ssh_step step_starting(struct ssh_exchange *x)
{
        bool (*may_start)(void *context) = steal(x->may_start); /* the first time only */
        if (may_start != NULL && !may_start(x->may_start_context)) {
                ssh_session_opened(x->channel.session);
                x->denied = true;
                report_problem(x, ERROR_RETRY, "held back before the command started");
                enter(x, CLOSING);
                return SSH_MOVED;
        }
        int rc = libssh2_channel_process_startup(
            x->channel.raw, "exec", 4, x->command, (unsigned)strlen(x->command));
        if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
        ssh_session_opened(x->channel.session);
        if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
                x->denied = true;
                report_problem(x, ERROR_DENIED, "the host refuses to run the command");
                enter(x, CLOSING);
        } else if (rc < 0) {
                ssh_session_broke(x->channel.session, rc);
                return SSH_WAIT;
        } else {
                enter(x, RUNNING);
        }
        return SSH_MOVED;
}

/* ---- running ---- */

static ssize_t read_output(struct ssh_exchange *x, int stream)
{
        char chunk[CHUNK];
        struct output *output = &x->outputs[stream];
        ssize_t n = libssh2_channel_read_ex(
            x->channel.raw, stream == 0 ? 0 : SSH_EXTENDED_DATA_STDERR, chunk, sizeof chunk);
        if (n <= 0) return n;
        size_t room = x->output_max - output->text.len, len = (size_t)n;
        output->truncated |= len > room;
        text_addn(&output->text, chunk, len < room ? len : room);
        return n;
}

static ssize_t read_out(struct ssh_channel *channel)
{
        return read_output((struct ssh_exchange *)channel, 0);
}

static ssize_t read_err(struct ssh_channel *channel)
{
        return read_output((struct ssh_exchange *)channel, 1);
}

static ssize_t write_input(struct ssh_channel *channel)
{
        struct ssh_exchange *x = (struct ssh_exchange *)channel;
        if (x->input_ended || x->state != RUNNING) return 0;
        if (x->input_sent < x->input_len) {
                ssize_t n = libssh2_channel_write(
                    x->channel.raw, x->input + x->input_sent, x->input_len - x->input_sent);
                if (n > 0) x->input_sent += (size_t)n;
                if (n == LIBSSH2_ERROR_CHANNEL_CLOSED) x->input_ended = true;
                return x->input_ended ? 0 : n;
        }
        int rc = libssh2_channel_send_eof(x->channel.raw);
        x->input_ended = rc == 0;
        return rc < 0 ? rc : 1;
}

/* The host closes the channel behind the status and all output. */
static ssize_t watch_end(struct ssh_channel *channel)
{
        struct ssh_exchange *x = (struct ssh_exchange *)channel;
        if (libssh2_channel_eof(x->channel.raw) != 1) return 0;
        int rc = libssh2_channel_wait_closed(x->channel.raw);
        if (rc < 0) return rc;
        char *signal = NULL;
        size_t len = 0;
        libssh2_channel_get_exit_signal(x->channel.raw, &signal, &len, NULL, NULL, NULL, NULL);
        if (fault_here("ssh.reply"))
                report_problem(x, ERROR_RETRY, "the connection was lost");
        else
                report_reply(x, libssh2_channel_get_exit_status(x->channel.raw), signal);
        free(signal);
        enter(x, CLOSING);
        return 1;
}

static enum ssh_step step_running(struct ssh_exchange *x)
{
        static ssh_flow *const flows[] = {read_out, read_err, write_input, watch_end};
        enum ssh_step step = ssh_channel_flow(&x->channel, flows, sizeof flows / sizeof *flows);
        return x->state != RUNNING ? SSH_MOVED : step;
}

static enum ssh_step step_closing(struct ssh_exchange *x)
{
        int rc = libssh2_channel_free(x->channel.raw);
        if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
        x->channel.raw = NULL;
        return SSH_GONE;
}

static enum ssh_step exchange_step(struct ssh_channel *channel)
{
        struct ssh_exchange *x = (struct ssh_exchange *)channel;
        /* Nobody waits for it any more; but a call that is pending must be repeated first. */
        if (x->done == NULL && (x->state == STARTING || x->state == RUNNING) &&
            !ssh_session_blocked(channel->session))
                enter(x, CLOSING);
        switch (x->state) {
        case WAITING: break;
        case OPENING: return step_opening(x);
        case STARTING: return step_starting(x);
        case RUNNING: return step_running(x);
        case CLOSING: return step_closing(x);
        }
        return SSH_WAIT;
}

/* ---- start ---- */

static void exchange_ready(struct ssh_client *client, struct ssh_session *session)
{
        struct ssh_exchange *x = of_client(client);
        enter(x, OPENING);
        x->timer = timer_start(x->ssh->loop, x->client.connect_timeout_ms, opening_stalled, x);
        ssh_session_add(session, &x->channel);
}

static void report_refused(void *context)
{
        struct ssh_exchange *x = context;
        x->timer = NULL;
        report_error(x, x->refused);
        exchange_free(x);
}

static struct ssh_exchange *exchange_new(struct ssh *ssh, const struct ssh_request *r)
{
        struct ssh_exchange *x = mem_alloc(sizeof *x);
        x->ssh = ssh;
        x->channel = (struct ssh_channel){
            .step = exchange_step, .lost = exchange_lost, .gone = exchange_gone};
        x->client = (struct ssh_client){.ready = exchange_ready,
            .failed = exchange_failed,
            .connect_timeout_ms = r->connect_timeout_ms ? r->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS};
        x->host = ssh_host_copy(&r->host);
        x->command = mem_strdup(r->command);
        x->may_start = r->may_start;
        x->may_start_context = r->context;
        x->input = r->input != NULL ? mem_dup(r->input, r->input_len) : NULL;
        x->input_len = r->input != NULL ? r->input_len : 0;
        x->timeout_ms = r->timeout_ms;
        x->output_max = r->output_max ? r->output_max : OUTPUT_DEFAULT;
        ring_add_last(&ssh->exchanges, &x->place);
        return x;
}

struct ssh_exchange *ssh_start(
    struct ssh *ssh, const struct ssh_request *request, ssh_done *done, void *context)
{
        struct ssh_exchange *x = exchange_new(ssh, request);
        x->done = done;
        x->context = context;
        if (ssh_host_check(&request->host, &x->refused) < 0)
                x->timer = timer_start(ssh->loop, 0, report_refused, x);
        else
                ssh_pool_attach(ssh->pool, x->host, &x->client);
        return x;
}

void ssh_cancel(struct ssh_exchange *x)
{
        if (x == NULL) return;
        take_done(x);
        if (x->state == WAITING) {
                ssh_pool_detach(&x->client);
                exchange_free(x);
        } else {
                ssh_session_wake(x->channel.session);
        }
}

/* ---- the client ---- */

int ssh_new(struct loop *loop, struct ssh **ret, struct error **err)
{
        if (libssh2_init(0) != 0)
                return error_set(
                    err, ERROR_SYSTEM, NULL, "start the SSH client: libssh2 cannot be initialised");
        struct ssh *ssh = mem_alloc(sizeof *ssh);
        ssh->loop = loop;
        ring_init(&ssh->exchanges);
        ssh->pool = ssh_pool_new(loop);
        *ret = ssh;
        return 0;
}

void ssh_free(struct ssh *ssh)
{
        if (ssh == NULL) return;
        ssh_pool_free(ssh->pool);
        for (struct ring *place; (place = ring_take_first(&ssh->exchanges)) != NULL;)
                exchange_free(ring_owner(place, struct ssh_exchange, place));
        free(ssh);
        libssh2_exit();
}
