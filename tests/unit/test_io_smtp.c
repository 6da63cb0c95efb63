/* Mails to a server of the test's own, which misbehaves on request. */
#include "tap.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "io/smtp.h"

/* ---- the server: one thread, one connection after the other ---- */

enum mode { TAKES, REJECTS, DENIES, SAYS_NOTHING, NO_GOOD_BYE };
enum { PATIENCE_MS = 30000 };

struct server {
        int listener;
        unsigned port;
        bool crowded; /* the first connection stands in the way of others until `second` */
        sem_t second; /* another address is tried */
        atomic_int mode;
        sem_t over; /* a connection is */
        struct text said;
        bool hung_up; /* QUIT was left unanswered, and the client went all the same */
        pthread_t thread;
};

static struct server *watched; /* told of sockets of the other family */
static int other_family;

/* Instead of the C library's: tells when the client tries another address. */
int socket(int domain, int type, int protocol)
{
        if (domain == other_family && watched != NULL) sem_post(&watched->second);
        return (int)syscall(SYS_socket, domain, type, protocol);
}

static const char *answer(enum mode mode, const char *line, bool *data)
{
        if (text_starts(line, "EHLO")) return "250-here\r\n250 AUTH PLAIN\r\n";
        if (text_starts(line, "AUTH")) return "334 \r\n";
        if (text_starts(line, "AG1l")) return mode == DENIES ? "535 no\r\n" : "235 well\r\n"; /* \0me… */
        if (text_starts(line, "RCPT") && mode == REJECTS) return "550 unknown\r\n";
        if (text_starts(line, "QUIT")) return mode == NO_GOOD_BYE ? NULL : "221 bye\r\n";
        *data = text_starts(line, "DATA");
        return *data ? "354 go on\r\n" : "250 fine\r\n";
}

static void wait_for_end(struct server *s, int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char c;
        s->hung_up = poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &c, 1) <= 0;
}

static void dialogue(struct server *s, int fd)
{
        enum mode mode = s->mode;
        bool data = false;
        char line[1000];
        FILE *in = fdopen(dup(fd), "r");
        if (in == NULL) return;
        dprintf(fd, "220 test\r\n");
        while (fgets(line, sizeof line, in) != NULL) {
                text_add(&s->said, line);
                if (data && strcmp(line, ".\r\n") != 0) continue;
                const char *reply = data ? "250 taken\r\n" : answer(mode, line, &data);
                if (text_starts(line, ".")) data = false;
                if (reply != NULL)
                        dprintf(fd, "%s", reply);
                else
                        wait_for_end(s, fd);
                if (text_starts(line, "QUIT")) break;
        }
        fclose(in);
}

static void *serve(void *context)
{
        struct server *s = context;
        for (int fd;
             (s->crowded ? sem_wait(&s->second) : 0) == 0 && (fd = accept(s->listener, NULL, NULL)) >= 0;) {
                if (s->crowded)
                        s->crowded = false;
                else if (s->mode == SAYS_NOTHING)
                        wait_for_end(s, fd);
                else
                        dialogue(s, fd);
                close(fd);
                sem_post(&s->over);
        }
        return NULL;
}

static bool server_start(struct server *s, int family, int backlog)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
        socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;
        s->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s->listener < 0) return false;
        if (bind(s->listener, address, len) < 0 || listen(s->listener, backlog) < 0 ||
            getsockname(s->listener, address, &len) < 0) {
                close(s->listener);
                return false;
        }
        s->port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
        sem_init(&s->over, 0, 0);
        sem_init(&s->second, 0, 0);
        return pthread_create(&s->thread, NULL, serve, s) == 0;
}

static void server_stop(struct server *s)
{
        shutdown(s->listener, SHUT_RDWR); /* ends accept */
        pthread_join(s->thread, NULL);
        close(s->listener);
        text_release(&s->said);
}

/* ---- asking it ---- */

struct result {
        struct loop *loop;
        struct transfers *transfers;
        int calls, kind;
        char message[400];
};

static void take(void *context, const struct error *error)
{
        struct result *r = context;
        r->calls++;
        r->kind = error ? (int)error_kind(error) : -1;
        snprintf(r->message, sizeof r->message, "%s", error_message(error));
        loop_stop(r->loop);
}

static struct smtp_exchange *start(struct result *r, const char *url)
{
        static const char *const to[] = {"ops@example.org", "dev@example.org"};
        static const char message[] = "Subject: hm\r\n\r\n.dot\r\nend\r\n";
        struct smtp_mail mail = {
            .url = url,
            .user = "me",
            .password = "a-secret",
            .from = "tutti@example.org",
            .to = to,
            .to_count = 2,
            .message = message,
            .message_len = sizeof message - 1,
            .plain = true,
            .timeout_ms = PATIENCE_MS,
        };
        return smtp_start(r->transfers, &mail, take, r);
}

static void ask(struct result *r, const char *url)
{
        r->calls = 0;
        start(r, url);
        if (r->calls != 0) ok(false, "completed inside its start");
        loop_run(r->loop);
}

static void ask_server(struct result *r, struct server *s, enum mode mode)
{
        cleanup_free char *url = mem_printf("smtp://127.0.0.1:%u", s->port);
        s->mode = mode;
        text_clear(&s->said);
        ask(r, url);
        sem_wait(&s->over);
}

static bool has(const char *text, const char *part)
{
        return text != NULL && strstr(text, part) != NULL;
}

static void test_answers(struct result *r, struct server *s)
{
        ask_server(r, s, TAKES);
        ok(r->calls == 1 && r->kind == -1, "a mail is taken: %s", r->message);
        ok(has(s->said.data, "MAIL FROM:<tutti@example.org>"), "from");
        ok(has(s->said.data, "RCPT TO:<ops@example.org>\r\nRCPT TO:<dev@example.org>\r\n"), "to");
        ok(has(s->said.data, "Subject: hm\r\n\r\n..dot\r\nend\r\n.\r\n"), "as it stands, with dots doubled");
        ask_server(r, s, REJECTS);
        ok(r->calls == 1 && r->kind == ERROR_PROVIDER && has(r->message, "refused the mail with 550"),
            "a refusal: %s", r->message);
        ask_server(r, s, DENIES);
        ok(r->calls == 1 && r->kind == ERROR_DENIED && has(r->message, "user or password"),
            "a password that is none: %s", r->message);
        ok(!has(r->message, "a-secret") && !has(r->message, "me@"), "which is not repeated");
}

static void test_wrong(struct result *r)
{
        static const char *const bad[] = {
            "http://127.0.0.1/", "127.0.0.1", "file:///etc/passwd", "smtp://a b/"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                ask(r, bad[i]);
                ok(r->calls == 1 && r->kind == ERROR_INPUT, "bad URL %zu: %s", i, r->message);
        }
        int closed = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        if (bind(closed, (struct sockaddr *)&a, len) < 0 ||
            getsockname(closed, (struct sockaddr *)&a, &len) < 0)
                exit(1);
        cleanup_free char *url = mem_printf("smtp://someone:hidden@127.0.0.1:%u", ntohs(a.sin_port));
        cleanup_free char *prefix = mem_printf("smtp://127.0.0.1:%u: ", ntohs(a.sin_port));
        ask(r, url);
        ok(r->calls == 1 && r->kind == ERROR_RETRY, "nobody listens");
        ok(text_starts(r->message, prefix) && !has(r->message, "hidden"), "said without what is secret: %s",
            r->message);
        close(closed);
}

static bool has_ipv6(void)
{
        struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return false;
        bool can = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
        close(fd);
        return can;
}

/*
 * The server listens on one address of localhost and answers only after the other was tried, which refuses. Where the answering one is tried
 * first, the socket in use is not the last that was opened. Which one that is the system's resolver says.
 */
static void two_addresses(struct result *r, int family, int other)
{
        struct server s = {.mode = NO_GOOD_BYE, .crowded = true};
        if (!server_start(&s, family, 0)) exit(1);
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int first = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (getsockname(s.listener, (struct sockaddr *)&address, &len) < 0 ||
            connect(first, (struct sockaddr *)&address, len) < 0)
                exit(1);
        other_family = other;
        watched = &s;
        cleanup_free char *url = mem_printf("smtp://localhost:%u", s.port);
        ask(r, url);
        watched = NULL;
        sem_post(&s.second); /* should the other never have been tried */
        sem_wait(&s.over);
        if (r->kind == -1) sem_wait(&s.over);
        ok(r->kind == -1 && s.hung_up, "also when another address was tried meanwhile: %s", r->message);
        close(first);
        server_stop(&s);
}

/* curl waits for the answer to its QUIT without going back to the loop. */
static void test_good_bye(struct result *r, struct server *s)
{
        s->hung_up = false;
        ask_server(r, s, NO_GOOD_BYE);
        is_int(r->kind, -1, "a mail is taken");
        ok(s->hung_up, "a server that leaves QUIT unanswered holds nobody up");

        if (!has_ipv6()) {
                skip("no IPv6 on this machine");
                return;
        }
        two_addresses(r, AF_INET, AF_INET6);
        two_addresses(r, AF_INET6, AF_INET);
}

static void stop(void *context)
{
        loop_stop(context);
}

static void test_cancel(struct result *r, struct server *s)
{
        cleanup_free char *url = mem_printf("smtp://127.0.0.1:%u", s->port);
        s->mode = SAYS_NOTHING;
        r->calls = 0;
        smtp_cancel(start(r, url));
        smtp_cancel(start(r, "x:"));
        timer_start(r->loop, 50, (void (*)(void *))smtp_cancel, start(r, url));
        timer_start(r->loop, 150, stop, r->loop);
        loop_run(r->loop);
        is_int(r->calls, 0, "no callback follows a cancellation");
        start(r, url);
        start(r, "x:");
        timer_start(r->loop, 50, stop, r->loop);
        loop_run(r->loop);
        r->calls = 0; /* that of the bad URL */
        start(r, "x:");
        transfers_free(r->transfers);
        loop_free(r->loop);
        is_int(r->calls, 0, "nor the end of all transfers");
}

/* In a process of its own, as fault points are configured once. */
static void test_fault(struct server *s)
{
        pid_t child = fork();
        if (child == 0) {
                struct result r = {0};
                setenv("TUTTI_FAULT", "fail:1", 1);
                if (loop_new(&r.loop, NULL) < 0 || transfers_new(r.loop, &r.transfers, NULL) < 0) _exit(9);
                cleanup_free char *url = mem_printf("smtp://127.0.0.1:%u", s->port);
                ask(&r, url);
                _exit(r.kind == ERROR_RETRY && has(r.message, "closed before a reply came") ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        sem_wait(&s->over);
        is_int(status, 0, "a fault at the reply: it is lost");
}

int main(void)
{
        struct result r = {0};
        struct server server = {.mode = TAKES};
        if (loop_new(&r.loop, NULL) < 0 || transfers_new(r.loop, &r.transfers, NULL) < 0 ||
            !server_start(&server, AF_INET, 16))
                return 1;
        test_fault(&server);
        test_answers(&r, &server);
        test_wrong(&r);
        test_good_bye(&r, &server);
        test_cancel(&r, &server);
        server_stop(&server);
        return done();
}
