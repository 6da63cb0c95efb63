/*
 * A thousand requests in flight on the engine's one thread: how much later does each reply arrive than it could?
 *
 *     bench_wide [REQUESTS_IN_FLIGHT [ROUNDS [DELAY_MS]]]
 *
 * A server process on loopback replies to each request after a fixed delay. Two clients ask it, one after the other: a plain one of
 * this file (epoll, a connection per request in flight, no parsing beyond the end of the headers), and io/http, the engine's, on its
 * loop. Each keeps the same number of requests in flight; their starts are spread over the delay, so that replies arrive evenly. Then
 * the same with all starts at once, where each waits for those before it on the same processor. The first round, in which connections
 * are made, is not counted.
 *
 * What is printed is the time from a request's start to its reply beyond the delay, in milliseconds: the median, the 99th percentile,
 * the longest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/http.h"

static size_t wide = 1000, rounds = 5;
static int64_t delay_us = 1000000;
static struct sockaddr_in address = {.sin_family = AF_INET};

static int64_t now_us(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
        fprintf(stderr, "bench_wide: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int new_timer(int epoll)
{
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        struct epoll_event event = {.events = EPOLLIN}; /* told by its empty data */
        if (timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) < 0) die("make a timer");
        return timer;
}

static void set_timer(int timer, int64_t at_us)
{
        struct itimerspec spec = {.it_value = {at_us / 1000000, at_us % 1000000 * 1000}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void expired(int timer)
{
        uint64_t ticks;
        if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) die("read a timer");
}

/* ---- the server: one request at a time on each connection; the delay is fixed, so replies leave in order of arrival ---- */

static const char reply[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

struct due {
        int fd;
        int64_t at_us;
};

static void server_read(int fd, struct due *queue, size_t capacity, size_t *tail)
{
        char buffer[4096];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0)
                close(fd);
        else if (n >= 4 && memcmp(buffer + n - 4, "\r\n\r\n", 4) == 0)
                queue[(*tail)++ % capacity] = (struct due){fd, now_us() + delay_us};
}

static void serve(int listener)
{
        int epoll = epoll_create1(EPOLL_CLOEXEC), timer = new_timer(epoll);
        size_t capacity = 4 * wide, head = 0, tail = 0;
        struct due *queue = calloc(capacity, sizeof *queue);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
        if (queue == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) die("serve");
        for (;;) {
                int count = epoll_wait(epoll, events, 256, -1);
                for (int i = 0; i < count; i++) {
                        int fd = events[i].data.fd, on = 1;
                        if (fd == 0) {
                                expired(timer);
                                continue;
                        }
                        if (fd != listener) {
                                server_read(fd, queue, capacity, &tail);
                                continue;
                        }
                        int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                        event = (struct epoll_event){.events = EPOLLIN, .data.fd = accepted};
                        if (accepted < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event) < 0)
                                die("accept");
                        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                }
                for (int64_t now = now_us(); head < tail && queue[head % capacity].at_us <= now; head++)
                        if (write(queue[head % capacity].fd, reply, sizeof reply - 1) < 0 && errno != EPIPE)
                                die("reply");
                if (head < tail) set_timer(timer, queue[head % capacity].at_us);
        }
}

static pid_t start_server(void)
{
        socklen_t len = sizeof address;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) < 0 ||
            listen(listener, 4096) < 0 || getsockname(listener, (struct sockaddr *)&address, &len) < 0)
                die("listen");
        pid_t pid = fork();
        if (pid < 0) die("fork");
        if (pid == 0) {
                signal(SIGPIPE, SIG_IGN);
                serve(listener);
        }
        close(listener);
        return pid;
}

/* ---- what was measured ---- */

struct figures {
        double *late_ms; /* replies of all rounds but the first */
        size_t count;
};

static int by_size(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static double report(const char *client, const char *how, struct figures *f)
{
        qsort(f->late_ms, f->count, sizeof *f->late_ms, by_size);
        double p99 = f->late_ms[f->count * 99 / 100];
        printf("%-7s %-10s %8zu %8.2f %8.2f %8.2f\n", client, how, f->count, f->late_ms[f->count / 2], p99,
            f->late_ms[f->count - 1]);
        fflush(stdout);
        return p99;
}

struct request { /* one of those in flight; `round` counts its replies */
        int64_t start_us;
        size_t round;
        int fd;
};

static void replied(struct figures *f, struct request *r)
{
        if (r->round++ > 0) f->late_ms[f->count++] = (double)(now_us() - r->start_us - delay_us) / 1000;
}

static int64_t start_at(int64_t begin, size_t i, bool spread)
{
        return spread ? begin + (int64_t)i * delay_us / (int64_t)wide : begin;
}

/* ---- the plain client ---- */

static void plain_send(struct request *r)
{
        static const char text[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        r->start_us = now_us();
        if (write(r->fd, text, sizeof text - 1) != sizeof text - 1) die("send");
}

static void plain_connect(int epoll, struct request *r)
{
        int on = 1;
        r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
        if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, r->fd, &event) < 0)
                die("connect");
        setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        plain_send(r);
}

/* Rounds follow each other: with all at once, a round begins when the one before is over. */
static void run_plain(struct figures *f, bool spread)
{
        struct request *requests = calloc(wide, sizeof *requests);
        int epoll = epoll_create1(EPOLL_CLOEXEC), timer = new_timer(epoll);
        size_t started = 0, left = wide * rounds, round_left = wide;
        int64_t begin = now_us();
        set_timer(timer, begin);
        while (left > 0) {
                struct epoll_event events[256];
                int count = epoll_wait(epoll, events, 256, -1);
                for (int i = 0; i < count; i++) {
                        struct request *r = events[i].data.ptr;
                        char buffer[4096];
                        if (r == NULL) {
                                expired(timer);
                                continue;
                        }
                        if (read(r->fd, buffer, sizeof buffer) <= 0) die("read a reply");
                        replied(f, r);
                        left--;
                        round_left--;
                        if (spread && r->round < rounds) plain_send(r);
                }
                for (int64_t now = now_us(); started < wide && start_at(begin, started, spread) <= now;
                     started++)
                        plain_connect(epoll, &requests[started]);
                if (started < wide) set_timer(timer, start_at(begin, started, spread));
                if (spread || round_left > 0 || left == 0) continue;
                round_left = wide;
                for (size_t i = 0; i < wide; i++) plain_send(&requests[i]);
        }
        for (size_t i = 0; i < wide; i++) close(requests[i].fd);
        close(epoll);
        close(timer);
        free(requests);
}

/* ---- the engine's client ---- */

struct engine {
        struct loop *loop;
        struct transfers *transfers;
        struct figures *figures;
        struct request *requests;
        char url[64];
        size_t started, left, round_left;
        int64_t begin_us;
        bool spread;
};
static struct engine engine;

static void engine_replied(void *context, const struct http_reply *r, const struct error *error, bool sent);

static void engine_send(struct request *r)
{
        struct http_request request = {.method = "GET", .url = engine.url};
        r->start_us = now_us();
        http_start(engine.transfers, &request, engine_replied, r);
}

static void engine_replied(void *context, const struct http_reply *r, const struct error *error, bool sent)
{
        struct request *request = context;
        (void)sent;
        if (r == NULL) {
                fprintf(stderr, "bench_wide: %s\n", error_message(error));
                exit(1);
        }
        replied(engine.figures, request);
        engine.round_left--;
        if (--engine.left == 0) loop_stop(engine.loop);
        if (engine.spread && request->round < rounds) engine_send(request);
        if (engine.spread || engine.round_left > 0 || engine.left == 0) return;
        engine.round_left = wide;
        for (size_t i = 0; i < wide; i++) engine_send(&engine.requests[i]);
}

static void engine_start_some(void *context)
{
        (void)context;
        for (; engine.started < wide && start_at(engine.begin_us, engine.started, engine.spread) <= now_us();
             engine.started++)
                engine_send(&engine.requests[engine.started]);
        if (engine.started < wide) timer_start(engine.loop, 1, engine_start_some, NULL);
}

static void run_engine(struct figures *f, bool spread)
{
        struct error *err = NULL;
        engine = (struct engine){.figures = f, .spread = spread, .left = wide * rounds, .round_left = wide};
        engine.requests = calloc(wide, sizeof *engine.requests);
        snprintf(engine.url, sizeof engine.url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
        if (loop_new(&engine.loop, &err) < 0 || transfers_new(engine.loop, &engine.transfers, &err) < 0) {
                fprintf(stderr, "bench_wide: %s\n", error_message(err));
                exit(1);
        }
        engine.begin_us = now_us();
        engine_start_some(NULL);
        loop_run(engine.loop);
        transfers_free(engine.transfers);
        loop_free(engine.loop);
        free(engine.requests);
}

static void both(bool spread, double *plain, double *ours)
{
        const char *how = spread ? "spread" : "at once";
        struct figures f = {.late_ms = calloc(wide * rounds, sizeof *f.late_ms)};
        run_plain(&f, spread);
        *plain = report("plain", how, &f);
        f.count = 0;
        run_engine(&f, spread);
        *ours = report("engine", how, &f);
        free(f.late_ms);
}

int main(int argc, char **argv)
{
        if (argc > 1) wide = strtoul(argv[1], NULL, 10);
        if (argc > 2) rounds = strtoul(argv[2], NULL, 10);
        if (argc > 3) delay_us = strtol(argv[3], NULL, 10) * 1000;
        if (wide < 1 || wide > 100000 || rounds < 2 || rounds > 1000 || delay_us < 1000) {
                fprintf(stderr, "usage: bench_wide [REQUESTS_IN_FLIGHT [ROUNDS [DELAY_MS]]]\n");
                return 1;
        }
        struct rlimit files;
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        pid_t server = start_server();
        double plain, ours, plain_at_once, ours_at_once;
        printf("%-7s %-10s %8s %8s %8s %8s\n", "client", "starts", "replies", "median", "p99", "longest");
        both(true, &plain, &ours);
        both(false, &plain_at_once, &ours_at_once);
        printf("added at p99: spread %.2f ms, at once %.2f ms\n", ours - plain, ours_at_once - plain_at_once);
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
        return 0;
}
