/* A connection through a jump host. */
#include "io/ssh_tunnel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop_item.h"

enum { CHUNK = 32 * 1024 };

enum state { WAITING, OPENING, PUMPING, CLOSING };

/* Bytes on their way in one direction. */
struct flow {
        char data[CHUNK];
        size_t at, len;
        bool ended; /* its source has no more */
};

struct ssh_tunnel {
        struct ssh_channel channel; /* first: the channel is the tunnel */
        struct ssh_client client;   /* of the jump host's connection */
        struct ring place;          /* among the tunnels of a pool */
        struct loop *loop;
        enum state state;
        char *address;
        unsigned port;
        int fd; /* our end of the socket pair, or -1 */
        uv_poll_t *poll;
        int polled;
        struct flow up, down; /* to the channel, to the socket */
        struct timer *deadline;
        int64_t timeout_ms;
        ssh_tunnel_done *done; /* NULL once called or cancelled */
        void *context;
};

static struct ssh_tunnel *of_client(struct ssh_client *client)
{
        return ring_owner(client, struct ssh_tunnel, client);
}

/* ---- end ---- */

static void close_socket(struct ssh_tunnel *t)
{
        if (t->poll != NULL) {
                uv_poll_t *poll = steal(t->poll);
                loop_close_block((uv_handle_t *)poll, poll);
        }
        if (t->fd >= 0) close(t->fd);
        t->fd = -1;
}

static void tunnel_free(struct ssh_tunnel *t)
{
        ring_remove(&t->place);
        timer_cancel(t->deadline);
        close_socket(t);
        free(t->address);
        free(t);
}

static void tunnel_report(struct ssh_tunnel *t, int fd, const struct error *error)
{
        ssh_tunnel_done *done = t->done;
        t->done = NULL;
        timer_cancel(steal(t->deadline));
        if (done != NULL)
                done(t->context, fd, error);
        else if (fd >= 0)
                close(fd);
}

static void tunnel_report_failure(struct ssh_tunnel *t, enum error_kind kind, const char *why)
{
        cleanup(error_free) struct error *error = NULL;
        error_set(&error, kind, NULL, "through the jump host: %s", why);
        tunnel_report(t, -1, error);
}

static void tunnel_lost(struct ssh_channel *channel, const struct error *error)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        if (t->done != NULL) tunnel_report_failure(t, error_kind(error), error_message(error));
        ssh_pool_detach(&t->client);
        tunnel_free(t);
}

static void tunnel_gone(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        ssh_pool_detach(&t->client);
        tunnel_free(t);
}

static void tunnel_failed(struct ssh_client *client, const struct error *error)
{
        tunnel_lost(&of_client(client)->channel, error);
}

/* ---- pumping ---- */

/* Each moves bytes once: how many, 0 for none, or a negative error of libssh2's. */
static ssize_t from_channel(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        if (t->down.len > 0 || t->down.ended) return 0;
        ssize_t n = libssh2_channel_read(t->channel.raw, t->down.data, CHUNK);
        if (n > 0) {
                t->down.at = 0;
                t->down.len = (size_t)n;
        } else if (n == 0 && libssh2_channel_eof(t->channel.raw) == 1) {
                t->down.ended = true;
        }
        return n;
}

static ssize_t to_socket(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        if (t->down.len == 0) return 0;
        ssize_t n = send(t->fd, t->down.data + t->down.at, t->down.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
                t->up.ended = true;
                t->up.len = t->down.len = 0;
        }
        if (n <= 0) return 0;
        t->down.at += (size_t)n;
        t->down.len -= (size_t)n;
        return n;
}

static ssize_t from_socket(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        if (t->up.len > 0 || t->up.ended) return 0;
        ssize_t n = recv(t->fd, t->up.data, CHUNK, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) t->up.ended = true;
        if (n <= 0) return 0;
        t->up.at = 0;
        t->up.len = (size_t)n;
        return n;
}

static ssize_t to_channel(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        if (t->up.len == 0) return 0;
        ssize_t n = libssh2_channel_write(t->channel.raw, t->up.data + t->up.at, t->up.len);
        if (n <= 0) return n;
        t->up.at += (size_t)n;
        t->up.len -= (size_t)n;
        return n;
}

static void socket_event(uv_poll_t *poll, int status, int events)
{
        struct ssh_tunnel *t = poll->data;
        (void)events;
        if (status < 0) t->up.ended = true;
        ssh_session_wake(t->channel.session);
}

static void update_polling(struct ssh_tunnel *t)
{
        bool read_more = t->up.len == 0 && !t->up.ended && !ssh_session_blocked(t->channel.session);
        int events = (read_more ? UV_READABLE : 0) | (t->down.len > 0 ? UV_WRITABLE : 0);
        if (events == t->polled) return;
        t->polled = events;
        if (events == 0)
                uv_poll_stop(t->poll);
        else
                uv_poll_start(t->poll, events, socket_event);
}

static enum ssh_step step_pumping(struct ssh_tunnel *t)
{
        static ssh_flow *const flows[] = {from_channel, to_socket, from_socket, to_channel};
        enum ssh_step step = ssh_channel_flow(&t->channel, flows, sizeof flows / sizeof *flows);
        if (ssh_session_blocked(t->channel.session)) {
                update_polling(t);
                return step;
        }
        if ((t->up.ended && t->up.len == 0) || (t->down.ended && t->down.len == 0)) {
                close_socket(t);
                t->state = CLOSING;
                return SSH_MOVED;
        }
        update_polling(t);
        return step;
}

/* ---- start ---- */

static enum ssh_step begin_pumping(struct ssh_tunnel *t)
{
        int fds[2];
        if (t->done == NULL) {
                t->state = CLOSING;
                return SSH_MOVED;
        }
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
                tunnel_report_failure(t, ERROR_SYSTEM, "no socket can be had");
                t->state = CLOSING;
                return SSH_MOVED;
        }
        t->fd = fds[0];
        t->poll = mem_alloc(sizeof *t->poll);
        uv_poll_init(loop_uv(t->loop), t->poll, t->fd);
        t->poll->data = t;
        t->state = PUMPING;
        tunnel_report(t, fds[1], NULL);
        return SSH_MOVED;
}

static enum ssh_step step_opening(struct ssh_tunnel *t)
{
        struct ssh_session *session = t->channel.session;
        if (!ssh_session_opening(session, &t->channel)) return t->done == NULL ? SSH_GONE : SSH_WAIT;
        t->channel.raw = libssh2_channel_direct_tcpip_ex(
            ssh_session_raw(session), t->address, (int)t->port, "127.0.0.1", 22);
        if (t->channel.raw != NULL) {
                ssh_session_opened(session);
                return begin_pumping(t);
        }
        int rc = libssh2_session_last_errno(ssh_session_raw(session));
        if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
        if (rc != LIBSSH2_ERROR_CHANNEL_FAILURE) {
                ssh_session_broke(session, rc);
                return SSH_WAIT;
        }
        ssh_session_opened(session);
        tunnel_report_failure(t, ERROR_RETRY, "it cannot reach the host");
        return SSH_GONE;
}

static enum ssh_step step_closing(struct ssh_tunnel *t)
{
        int rc = libssh2_channel_free(t->channel.raw);
        if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
        t->channel.raw = NULL;
        return SSH_GONE;
}

static enum ssh_step tunnel_step(struct ssh_channel *channel)
{
        struct ssh_tunnel *t = (struct ssh_tunnel *)channel;
        switch (t->state) {
        case WAITING: break;
        case OPENING: return step_opening(t);
        case PUMPING: return step_pumping(t);
        case CLOSING: return step_closing(t);
        }
        return SSH_WAIT;
}

/* The jump host may go on trying for minutes, and libssh2 opens one channel at a time. */
static void give_up_opening(struct ssh_tunnel *t)
{
        struct error *error = NULL;
        if (!ssh_session_is_opening(t->channel.session, &t->channel) || !ssh_pool_is_alone(&t->client))
                return;
        error_set(&error, ERROR_TIMEOUT, NULL, "%s: it cannot reach the host behind it",
            ssh_session_label(t->channel.session));
        ssh_session_break(t->channel.session, error);
}

static void tunnel_deadline(void *context)
{
        struct ssh_tunnel *t = context;
        struct error *error = NULL;
        t->deadline = NULL;
        error_set(&error, ERROR_TIMEOUT, NULL, "%s: no connection to the host behind it after %lld ms",
            ssh_session_label(t->channel.session), (long long)t->timeout_ms);
        give_up_opening(t);
        tunnel_report(t, -1, error);
        error_free(error);
}

static void tunnel_ready(struct ssh_client *client, struct ssh_session *session)
{
        struct ssh_tunnel *t = of_client(client);
        t->state = OPENING;
        t->deadline = timer_start(t->loop, t->timeout_ms, tunnel_deadline, t);
        ssh_session_add(session, &t->channel);
}

struct ssh_tunnel *ssh_tunnel_start(struct loop *loop, struct ssh_pool *pool, struct ring *tunnels,
    const struct ssh_host *jump, int64_t timeout_ms, const char *address, unsigned port,
    ssh_tunnel_done *done, void *context)
{
        struct ssh_tunnel *t = mem_alloc(sizeof *t);
        t->channel = (struct ssh_channel){.step = tunnel_step, .lost = tunnel_lost, .gone = tunnel_gone};
        t->client = (struct ssh_client){
            .connect_timeout_ms = timeout_ms, .ready = tunnel_ready, .failed = tunnel_failed};
        t->loop = loop;
        t->fd = -1;
        t->address = mem_strdup(address);
        t->port = port;
        t->timeout_ms = timeout_ms;
        t->done = done;
        t->context = context;
        ring_add_last(tunnels, &t->place);
        ssh_pool_attach(pool, jump, &t->client);
        return t;
}

void ssh_tunnel_cancel(struct ssh_tunnel *t)
{
        if (t == NULL) return;
        t->done = NULL;
        timer_cancel(steal(t->deadline));
        if (t->state == WAITING) {
                ssh_pool_detach(&t->client);
                tunnel_free(t);
                return;
        }
        /* An opening that is under way must be seen through; then it is closed. */
        give_up_opening(t);
        ssh_session_wake(t->channel.session);
}

void ssh_tunnel_free_all(struct ring *tunnels)
{
        for (struct ring *place; (place = ring_take_first(tunnels)) != NULL;)
                tunnel_free(ring_owner(place, struct ssh_tunnel, place));
}
