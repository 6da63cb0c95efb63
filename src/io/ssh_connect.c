/* TCP connections to named hosts. */
#include "io/ssh_connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop_item.h"

enum { ATTEMPTS_MAX = 8, STAGGER_MS = 250 };

struct attempt {
        uv_poll_t poll;
        struct ssh_connect *connect;
        int fd;
        size_t index;
};

/* Outlives the connect, as a look-up in progress cannot always be cancelled. */
struct lookup {
        uv_getaddrinfo_t request;
        struct ssh_connect *connect; /* NULL once it is of no interest */
};

struct ssh_connect {
        struct loop *loop;
        struct lookup *lookup; /* NULL once answered */
        struct addrinfo *addresses, *next;
        struct attempt *attempts[ATTEMPTS_MAX]; /* NULL where over */
        size_t started, open;
        struct timer *stagger;
        int errnum; /* of the last failure */
        struct error *error;
        ssh_connect_done *done;
        void *context;
};

static void attempt_next(void *context);

static void attempt_end(struct attempt *a, bool close_socket)
{
        struct ssh_connect *c = a->connect;
        c->attempts[a->index] = NULL;
        c->open--;
        int fd = a->fd;
        loop_close_block((uv_handle_t *)&a->poll, a); /* stops polling at once */
        if (close_socket) close(fd);
}

void ssh_connect_cancel(struct ssh_connect *c)
{
        if (c == NULL) return;
        if (c->lookup != NULL) {
                c->lookup->connect = NULL;
                uv_cancel((uv_req_t *)&c->lookup->request);
        }
        for (size_t i = 0; i < c->started; i++)
                if (c->attempts[i] != NULL) attempt_end(c->attempts[i], true);
        timer_cancel(c->stagger);
        if (c->addresses != NULL) uv_freeaddrinfo(c->addresses);
        error_free(c->error);
        free(c);
}

static void connect_finish(struct ssh_connect *c, int fd)
{
        ssh_connect_done *done = c->done;
        void *context = c->context;
        struct error *error = steal(c->error);
        ssh_connect_cancel(c);
        done(context, fd, error);
        error_free(error);
}

static void attempt_answered(uv_poll_t *poll, int status, int events)
{
        struct attempt *a = poll->data;
        struct ssh_connect *c = a->connect;
        (void)events;
        int errnum = 0;
        socklen_t len = sizeof errnum;
        if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0) errnum = errno;
        if (errnum == 0 && status < 0) errnum = ECONNRESET;
        int fd = a->fd;
        attempt_end(a, errnum != 0);
        if (errnum == 0) {
                connect_finish(c, fd);
                return;
        }
        c->errnum = errnum;
        timer_cancel(steal(c->stagger));
        attempt_next(c);
}

/* A host that went away without a word is noticed within a minute. */
static void set_options(int fd)
{
        const int on = 1, idle_s = 30, interval_s = 10, count = 3;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static int attempt_start(struct ssh_connect *c, const struct addrinfo *address)
{
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) return errno;
        set_options(fd);
        if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
                int errnum = errno;
                close(fd);
                return errnum;
        }
        struct attempt *a = mem_alloc(sizeof *a);
        a->connect = c;
        a->fd = fd;
        a->index = c->started;
        a->poll.data = a;
        uv_poll_init(loop_uv(c->loop), &a->poll, fd);
        uv_poll_start(&a->poll, UV_WRITABLE, attempt_answered);
        c->attempts[c->started++] = a;
        c->open++;
        return 0;
}

/* Starts with the next address that can be tried at all, or reports the failure of all. */
static void attempt_next(void *context)
{
        struct ssh_connect *c = context;
        c->stagger = NULL;
        while (c->next != NULL && c->started < ATTEMPTS_MAX) {
                const struct addrinfo *address = c->next;
                c->next = address->ai_next;
                int errnum = attempt_start(c, address);
                if (errnum != 0) {
                        c->errnum = errnum;
                        continue;
                }
                c->stagger = timer_start(c->loop, STAGGER_MS, attempt_next, c);
                return;
        }
        if (c->open > 0) return;
        error_set(&c->error, ERROR_RETRY, NULL, "%s", strerror(c->errnum ? c->errnum : EHOSTUNREACH));
        connect_finish(c, -1);
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
        struct lookup *lookup = request->data;
        struct ssh_connect *c = lookup->connect;
        free(lookup);
        if (c == NULL) {
                uv_freeaddrinfo(addresses);
                return;
        }
        c->lookup = NULL;
        c->addresses = c->next = addresses;
        if (status == 0) {
                attempt_next(c);
                return;
        }
        error_set(&c->error, ERROR_RETRY, NULL, "the name cannot be resolved: %s", uv_strerror(status));
        connect_finish(c, -1);
}

struct ssh_connect *ssh_connect_start(
    struct loop *loop, const char *host, unsigned port, ssh_connect_done *done, void *context)
{
        struct ssh_connect *c = mem_alloc(sizeof *c);
        c->loop = loop;
        c->done = done;
        c->context = context;
        c->lookup = mem_alloc(sizeof *c->lookup);
        c->lookup->connect = c;
        c->lookup->request.data = c->lookup;
        char service[16];
        snprintf(service, sizeof service, "%u", port);
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        int rc = uv_getaddrinfo(loop_uv(loop), &c->lookup->request, looked_up, host, service, &hints);
        if (rc < 0) { /* a name that no resolver would take; told on a later turn, like all else */
                free(steal(c->lookup));
                c->errnum = EINVAL;
                c->stagger = timer_start(loop, 0, attempt_next, c);
        }
        return c;
}
