/* One SSH connection as a state machine: one function per state, one function that changes it. */
#include "io/ssh_session.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "io/loop_item.h"
#include "io/ssh_connect.h"
#include "io/ssh_known.h"
#include "io/ssh_login.h"
#include "io/ssh_wire.h"

/* Steps per turn, so that one busy connection cannot starve the loop. */
enum { STEPS_PER_TURN = 64 };
/* An opening that takes longer is held up by something. */
enum { CLOGGED_AFTER_MS = 2000 };

enum state { CONNECTING, HANDSHAKE, VERIFY, LOGIN, READY, DOWN };

struct ssh_session {
        struct loop *loop;
        const struct ssh_host *host;
        char *label;
        enum state state;
        LIBSSH2_SESSION *raw;
        struct ssh_abstract abstract;
        int fd;
        uv_poll_t *poll;
        int polled; /* events that are waited for */
        struct ssh_connect *connect;
        struct ssh_login *login;
        struct ssh_known known;
        char *host_key;
        bool pinned;
        int64_t timeout_ms;
        struct timer *deadline, *wake;
        struct ssh_channel *channels;
        struct ssh_channel *pending; /* whose call must be repeated */
        struct ssh_channel *opening;
        int64_t opening_since;
        struct error *broken; /* why it is to be given up */
        bool stepping, poll_failed;
        const struct ssh_session_events *events;
        void *context;
};

static void session_step(struct ssh_session *s);

static void enter(struct ssh_session *s, enum state state)
{
        static const char *const names[] = {"connecting", "handshake", "verify", "login", "ready", "down"};
        log_debug("%s: %s -> %s", s->label, names[s->state], names[state]);
        s->state = state;
}

/* ---- giving up ---- */

void ssh_session_break(struct ssh_session *s, struct error *error)
{
        if (s->broken != NULL || s->state == DOWN) {
                error_free(error);
                return;
        }
        s->broken = error;
        if (!s->stepping) ssh_session_wake(s);
}

void ssh_session_broke(struct ssh_session *s, int rc)
{
        struct error *error = NULL;
        char *message = NULL;
        if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV ||
            rc == LIBSSH2_ERROR_SOCKET_SEND) {
                error_set(&error, ERROR_RETRY, NULL, "%s: the connection was lost", s->label);
        } else {
                libssh2_session_last_error(s->raw, &message, NULL, 0);
                error_set(&error, ERROR_RETRY, NULL, "%s: the connection failed: %s", s->label,
                    message ? message : "unknown");
        }
        ssh_session_break(s, error);
}

void ssh_session_fail(struct ssh_session *s, const struct error *error)
{
        struct error *copy = NULL;
        error_set(&copy, error_kind(error), NULL, "%s: %s", s->label, error_message(error));
        ssh_session_break(s, copy);
}

static void stop_polling(struct ssh_session *s)
{
        if (s->poll == NULL) return;
        uv_poll_t *poll = steal(s->poll);
        loop_close_block((uv_handle_t *)poll, poll);
}

/* Channels first, then the owner, who frees the session. */
static void go_down(struct ssh_session *s)
{
        cleanup(error_free) struct error *error = steal(s->broken);
        enter(s, DOWN);
        stop_polling(s);
        timer_cancel(steal(s->deadline));
        timer_cancel(steal(s->wake));
        while (s->channels != NULL) {
                struct ssh_channel *channel = s->channels;
                s->channels = channel->next;
                channel->raw = NULL;
                channel->lost(channel, error);
        }
        s->events->down(s->context, error);
}

static void deadline_passed(void *context)
{
        struct ssh_session *s = context;
        struct error *error = NULL;
        s->deadline = NULL;
        error_set(&error, ERROR_TIMEOUT, NULL, "%s: %s after %lld ms", s->label,
            s->state == CONNECTING ? "not connected" : "connected, but not logged in",
            (long long)s->timeout_ms);
        ssh_session_break(s, error);
}

/* ---- the handshake ---- */

static ssize_t receive(libssh2_socket_t fd, void *buffer, size_t len, int flags, void **abstract)
{
        struct ssh_abstract *a = *abstract;
        ssize_t n = recv(fd, buffer, len, flags);
        if (n < 0) return -errno;
        a->received += (size_t)n;
        return n;
}

/* Fast and modern ones first; what old servers need stays at the end. */
static const char KEX[] =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
    "diffie-hellman-group14-sha256,diffie-hellman-group14-sha1";
static const char HOST_KEYS[] =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa";
static const char CIPHERS[] = "aes128-ctr,aes256-ctr,aes192-ctr";
static const char MACS[] = "hmac-sha2-256,hmac-sha2-512,hmac-sha1";

/* The host shall show a key of a kind that we know it by, if it has one. */
static void prefer_known(struct ssh_session *s)
{
        cleanup(text_release) struct text order = {0};
        for (size_t i = 0; i < s->known.count; i++)
                if (!s->known.keys[i].revoked) text_addf(&order, "%s,", s->known.keys[i].type);
        text_add(&order, HOST_KEYS);
        if (libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_HOSTKEY, order.data) < 0)
                libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_HOSTKEY, HOST_KEYS);
}

static int session_begin(struct ssh_session *s, struct error **err)
{
        if (ssh_known_load(&s->known, s->host, err) < 0) return -1;
        s->raw = libssh2_session_init_ex(NULL, NULL, NULL, &s->abstract);
        if (s->raw == NULL) abort(); /* out of memory, as in mem_alloc */
        libssh2_session_set_blocking(s->raw, 0);
        libssh2_session_callback_set(s->raw, LIBSSH2_CALLBACK_RECV, __extension__(void *) receive);
        libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_KEX, KEX);
        libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_CRYPT_CS, CIPHERS);
        libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_CRYPT_SC, CIPHERS);
        libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_MAC_CS, MACS);
        libssh2_session_method_pref(s->raw, LIBSSH2_METHOD_MAC_SC, MACS);
        prefer_known(s);
        /* Credentials that cannot be used are a mistake that need not wait for the host. */
        return ssh_login_new(s->host, s->raw, &s->login, err);
}

static enum ssh_step step_connecting(struct ssh_session *s)
{
        (void)s;
        return SSH_WAIT;
}

static enum ssh_step step_handshake(struct ssh_session *s)
{
        int rc = libssh2_session_handshake(s->raw, s->fd);
        if (rc == LIBSSH2_ERROR_EAGAIN) return SSH_WAIT;
        if (rc == 0) {
                enter(s, VERIFY);
                return SSH_MOVED;
        }
        struct error *error = NULL;
        char *message = NULL;
        libssh2_session_last_error(s->raw, &message, NULL, 0);
        if (rc == LIBSSH2_ERROR_METHOD_NONE || rc == LIBSSH2_ERROR_KEX_FAILURE)
                error_set(&error, ERROR_SYSTEM, NULL, "%s: no common way to encrypt: %s", s->label, message);
        else /* what a full, booting or stopping sshd does */
                error_set(&error, ERROR_RETRY, NULL, "%s: the host hung up during the handshake: %s",
                    s->label, message);
        ssh_session_break(s, error);
        return SSH_WAIT;
}

/* "type base64" of the key that the host showed. */
static char *shown_key(struct ssh_session *s)
{
        size_t len = 0, type_len = 0;
        int kind = 0;
        const char *blob = libssh2_session_hostkey(s->raw, &len, &kind);
        struct ssh_wire w = {.at = (const unsigned char *)blob, .end = (const unsigned char *)blob + len};
        const unsigned char *type = ssh_wire_string(&w, &type_len);
        cleanup_free unsigned char *base64 = mem_alloc(len / 3 * 4 + 8);
        EVP_EncodeBlock(base64, (const unsigned char *)blob, (int)len);
        return mem_printf("%.*s %s", (int)type_len, (const char *)type, (const char *)base64);
}

static enum ssh_step step_verify(struct ssh_session *s)
{
        struct error *error = NULL;
        s->host_key = shown_key(s);
        switch (ssh_known_check(&s->known, s->host_key)) {
        case SSH_KEY_KNOWN: break;
        case SSH_KEY_REVOKED:
                error_set(&error, ERROR_DENIED, NULL, "%s: the host's key is revoked in %s", s->label,
                    s->known.source);
                break;
        case SSH_KEY_DIFFERS:
                error_set(&error, ERROR_DENIED, NULL,
                    "%s: the host shows another key than the one in %s: it was rebuilt, or someone is in "
                    "between; it shows %s",
                    s->label, s->known.source, s->host_key);
                break;
        case SSH_KEY_UNKNOWN:
                s->pinned = s->host->pin;
                if (!s->pinned)
                        error_set(&error, ERROR_DENIED, NULL,
                            "%s: the host's key is not known in %s: it shows %s", s->label, s->known.source,
                            s->host_key);
                break;
        }
        if (error != NULL) {
                ssh_session_break(s, error);
                return SSH_WAIT;
        }
        enter(s, LOGIN);
        return SSH_MOVED;
}

static enum ssh_step step_login(struct ssh_session *s)
{
        struct error *error = NULL;
        int rc = ssh_login_step(s->login, &error);
        if (rc < 0) {
                error_context(&error, "%s", s->label);
                ssh_session_break(s, error);
        }
        if (rc <= 0) return SSH_WAIT;
        ssh_login_free(steal(s->login));
        timer_cancel(steal(s->deadline));
        enter(s, READY);
        s->events->ready(s->context);
        return SSH_MOVED;
}

/* ---- channels ---- */

static void unlink_channel(struct ssh_session *s, struct ssh_channel *channel)
{
        struct ssh_channel **link = &s->channels;
        while (*link != NULL && *link != channel) link = &(*link)->next;
        if (*link != NULL) *link = channel->next;
        if (s->opening == channel) s->opening = NULL;
}

/*
 * One round over the channels. Any of them may take bytes off the socket that are for another, which is then waiting for
 * nothing that will ever come; so there is another round whenever something moved or was received.
 */
static enum ssh_step step_ready(struct ssh_session *s)
{
        size_t received = s->abstract.received;
        bool moved = false;
        for (struct ssh_channel *channel = s->channels, *next; channel != NULL && s->broken == NULL;
             channel = next) {
                next = channel->next;
                if (s->pending != NULL && s->pending != channel) continue;
                enum ssh_step step = channel->step(channel);
                moved |= step != SSH_WAIT;
                s->pending = step != SSH_GONE && ssh_session_blocked(s) ? channel : NULL;
                if (step != SSH_GONE) continue;
                next = channel->next; /* one may have been added behind it */
                unlink_channel(s, channel);
                channel->gone(channel);
        }
        return moved || s->abstract.received != received ? SSH_MOVED : SSH_WAIT;
}

/* ---- driving ---- */

static bool is_idle(const struct ssh_session *s)
{
        return s->state == READY && s->channels == NULL;
}

static void socket_event(uv_poll_t *poll, int status, int events)
{
        struct ssh_session *s = poll->data;
        if (status < 0) { /* libuv stopped the handle: what is left to read is read now, or never */
                s->poll_failed = true;
                stop_polling(s);
        }
        if (is_idle(s) && (status < 0 || (events & UV_DISCONNECT)))
                ssh_session_broke(s, LIBSSH2_ERROR_SOCKET_DISCONNECT);
        session_step(s);
}

/*
 * An idle connection is watched for its end only. libssh2 reads on behalf of channels; what the host sends while there is none
 * stays in the socket until there is. While a call could not send all, libssh2 reads nothing.
 */
static void update_polling(struct ssh_session *s)
{
        if (s->raw == NULL) return;
        if (s->poll_failed) {
                ssh_session_broke(s, LIBSSH2_ERROR_SOCKET_DISCONNECT);
                return;
        }
        int events = is_idle(s) ? UV_DISCONNECT : ssh_session_blocked(s) ? UV_WRITABLE : UV_READABLE;
        if (s->poll == NULL) {
                s->poll = mem_alloc(sizeof *s->poll);
                uv_poll_init(loop_uv(s->loop), s->poll, s->fd);
                s->poll->data = s;
        }
        if (events == s->polled) return;
        s->polled = events;
        uv_poll_start(s->poll, events, socket_event);
}

static void session_step(struct ssh_session *s)
{
        static enum ssh_step (*const states[])(struct ssh_session *) = {
            step_connecting, step_handshake, step_verify, step_login, step_ready};
        enum ssh_step step = SSH_MOVED;
        s->stepping = true;
        for (int i = 0; i < STEPS_PER_TURN && step == SSH_MOVED && s->broken == NULL; i++)
                step = states[s->state](s);
        if (s->broken == NULL) update_polling(s);
        s->stepping = false;
        if (s->broken != NULL)
                go_down(s); /* the session is freed */
        else if (step == SSH_MOVED)
                ssh_session_wake(s);
}

static void woken(void *context)
{
        struct ssh_session *s = context;
        s->wake = NULL;
        session_step(s);
}

void ssh_session_wake(struct ssh_session *s)
{
        if (s->wake == NULL && s->state != DOWN) s->wake = timer_start(s->loop, 0, woken, s);
}

void ssh_session_add(struct ssh_session *s, struct ssh_channel *channel)
{
        struct ssh_channel **last = &s->channels;
        while (*last != NULL) last = &(*last)->next;
        channel->next = NULL;
        channel->session = s;
        *last = channel;
        ssh_session_wake(s);
}

/* ---- life ---- */

struct ssh_session *ssh_session_new(struct loop *loop, const struct ssh_host *host, int64_t timeout_ms,
    const struct ssh_session_events *events, void *context)
{
        struct ssh_session *s = mem_alloc(sizeof *s);
        s->loop = loop;
        s->host = host;
        s->fd = -1;
        s->events = events;
        s->context = context;
        s->timeout_ms = timeout_ms;
        s->abstract.password = host->password;
        s->label = host->port == 22 ? mem_printf("ssh %s@%s", host->user, host->address)
                                    : mem_printf("ssh %s@%s:%u", host->user, host->address, host->port);
        s->deadline = timer_start(loop, timeout_ms, deadline_passed, s);
        return s;
}

void ssh_session_use(struct ssh_session *s, int fd)
{
        struct error *error = NULL;
        s->fd = fd;
        enter(s, HANDSHAKE);
        if (session_begin(s, &error) < 0) {
                error_context(&error, "%s", s->label);
                ssh_session_break(s, error);
                return;
        }
        ssh_session_wake(s);
}

static void connected(void *context, int fd, const struct error *error)
{
        struct ssh_session *s = context;
        s->connect = NULL;
        if (fd < 0)
                ssh_session_fail(s, error);
        else
                ssh_session_use(s, fd);
}

void ssh_session_connect(struct ssh_session *s)
{
        s->connect = ssh_connect_start(s->loop, s->host->address, s->host->port, connected, s);
}

/* With the socket shut down no call of libssh2's can wait any more. */
static void release_raw(struct ssh_session *s)
{
        if (s->raw == NULL) return;
        if (s->state == READY && !ssh_session_blocked(s)) libssh2_session_disconnect(s->raw, "done");
        shutdown(s->fd, SHUT_RDWR);
        for (int i = 0; i < 1000 && libssh2_session_free(s->raw) == LIBSSH2_ERROR_EAGAIN; i++) continue;
        s->raw = NULL;
}

void ssh_session_free(struct ssh_session *s)
{
        if (s == NULL) return;
        timer_cancel(s->deadline);
        timer_cancel(s->wake);
        ssh_connect_cancel(s->connect);
        stop_polling(s);
        ssh_login_free(s->login);
        release_raw(s);
        if (s->fd >= 0) close(s->fd);
        ssh_known_release(&s->known);
        error_free(s->broken);
        free(s->host_key);
        free(s->label);
        free(s);
}

/* ---- for channels ---- */

LIBSSH2_SESSION *ssh_session_raw(struct ssh_session *s)
{
        return s->raw;
}

bool ssh_session_blocked(struct ssh_session *s)
{
        return (libssh2_session_block_directions(s->raw) & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
}

bool ssh_session_is_down(const struct ssh_session *s)
{
        return s->state == DOWN || s->broken != NULL;
}

bool ssh_session_opening(struct ssh_session *s, struct ssh_channel *channel)
{
        if (s->opening == NULL) {
                s->opening = channel;
                s->opening_since = loop_now_ms(s->loop);
        }
        return s->opening == channel;
}

bool ssh_session_is_opening(const struct ssh_session *s, const struct ssh_channel *channel)
{
        return s->opening == channel;
}

bool ssh_session_is_clogged(const struct ssh_session *s)
{
        return s->opening != NULL && loop_now_ms(s->loop) - s->opening_since > CLOGGED_AFTER_MS;
}

enum ssh_step ssh_channel_flow(struct ssh_channel *channel, ssh_flow *const *flows, size_t count)
{
        struct ssh_session *s = channel->session;
        bool moved = false;
        size_t first = channel->flow;
        channel->flow = 0;
        for (size_t n = 0; n < count; n++) {
                size_t i = (first + n) % count;
                ssize_t rc = flows[i](channel);
                if (rc == LIBSSH2_ERROR_EAGAIN && ssh_session_blocked(s)) {
                        channel->flow = i;
                        return SSH_WAIT;
                }
                if (rc < 0 && rc != LIBSSH2_ERROR_EAGAIN) {
                        ssh_session_broke(s, (int)rc);
                        return SSH_WAIT;
                }
                moved |= rc > 0;
        }
        return moved ? SSH_MOVED : SSH_WAIT;
}

void ssh_session_opened(struct ssh_session *s)
{
        s->opening = NULL;
}

const char *ssh_session_label(const struct ssh_session *s)
{
        return s->label;
}

const char *ssh_session_host_key(const struct ssh_session *s)
{
        return s->host_key;
}

bool ssh_session_pinned(const struct ssh_session *s)
{
        return s->pinned;
}
