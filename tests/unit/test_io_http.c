/* HTTP exchanges against a server of the test's own, which misbehaves on request. */
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/http.h"

/* ---- the server: one thread, one poll ---- */

enum { CONNS = 1100, HOLD = 500, BIG = 3 << 20 };

struct conn {
        int fd;
        bool held;
        char *data;
        size_t len;
};

static struct {
        int listeners[2];
        unsigned port;
        char socket_path[64];
        struct conn conns[CONNS];
        size_t count, held;
        atomic_int requests, accepted;
        atomic_bool stop;
        pthread_t thread;
} server;

static void say(int fd, const void *data, size_t len)
{
        for (const char *p = data; len > 0;) {
                ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
                if (n <= 0) return;
                p += n;
                len -= (size_t)n;
        }
}

static void says(int fd, const char *text)
{
        say(fd, text, strlen(text));
}

static void reply(int fd, const void *body, size_t len)
{
        char head[128];
        snprintf(head, sizeof head, "HTTP/1.1 200 Fine\r\nContent-Length: %zu\r\n\r\n", len);
        says(fd, head);
        say(fd, body, len);
}

static void many_headers(int fd)
{
        says(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 2000; i++) says(fd, "X-Many: x\r\n");
        says(fd, "Content-Length: 0\r\n\r\n");
}

static void big(int fd, bool chunked)
{
        char *body = mem_alloc(BIG);
        memset(body, 'b', BIG);
        if (!chunked) {
                reply(fd, body, BIG);
        } else {
                says(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n");
                say(fd, body, BIG);
                says(fd, "\r\n0\r\nX-Trailer: t\r\n\r\n");
        }
        free(body);
}

/* Answers one request; false closes the connection. */
static bool answer(struct conn *c, const char *path)
{
        struct linger reset = {.l_onoff = 1};
        if (text_starts(path, "/slow")) return true;
        if (text_starts(path, "/cut")) {
                says(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
                return false;
        }
        if (text_starts(path, "/chunk-cut")) {
                says(c->fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
                return false;
        }
        if (text_starts(path, "/reset")) {
                setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
                return false;
        }
        if (text_starts(path, "/die")) return false;
        if (text_starts(path, "/garbage")) {
                says(c->fd, "what? who?\r\n\r\n");
                return false;
        }
        if (text_starts(path, "/big"))
                big(c->fd, false);
        else if (text_starts(path, "/chunked"))
                big(c->fd, true);
        else if (text_starts(path, "/many-headers"))
                many_headers(c->fd);
        else if (text_starts(path, "/redirect"))
                says(c->fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
        else if (text_starts(path, "/headers"))
                says(c->fd,
                    "HTTP/1.1 103 Early Hints\r\nX-Early: gone\r\n\r\nHTTP/1.1 404 No\r\nContent-Length:2\r\n"
                    "SET-Cookie: a=1\r\nSet-Cookie:\t b=2 \t\r\nX-Empty:\r\nX-Folded: one\r\n  "
                    "two\r\n\r\nhm");
        else
                reply(c->fd, c->data, c->len);
        return true;
}

static void drop(size_t i)
{
        close(server.conns[i].fd);
        free(server.conns[i].data);
        server.conns[i] = server.conns[--server.count];
}

static void release_held(void)
{
        for (size_t i = 0; i < server.count; i++) {
                if (!server.conns[i].held) continue;
                server.conns[i].held = false;
                server.conns[i].len = 0;
                reply(server.conns[i].fd, "held", 4);
        }
        server.held = 0;
}

/* Reads more of a request; false when the connection is over. */
static bool advance(struct conn *c)
{
        c->data = mem_realloc(c->data, c->len + 65537);
        ssize_t n = recv(c->fd, c->data + c->len, 65536, 0);
        if (n <= 0) return false;
        c->len += (size_t)n;
        c->data[c->len] = '\0';
        char *end = strstr(c->data, "\r\n\r\n"), *length = strcasestr(c->data, "\r\nContent-Length:");
        if (end == NULL) return true;
        size_t want = (size_t)(end + 4 - c->data) +
                      (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
        if (c->len < want) return true;
        server.requests++;
        char method[16], path[256];
        if (sscanf(c->data, "%15s %255s", method, path) != 2) return false;
        if (strcmp(path, "/hold") == 0) {
                c->held = true;
                if (++server.held == HOLD) release_held();
                return true;
        }
        bool keep;
        if (strcmp(method, "HEAD") == 0) {
                says(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
                keep = true;
        } else {
                keep = answer(c, path);
        }
        c->len = 0;
        return keep;
}

static void *serve(void *unused)
{
        while (!server.stop) {
                struct pollfd fds[CONNS + 2];
                size_t count = server.count;
                for (size_t i = 0; i < count; i++)
                        fds[i] = (struct pollfd){.fd = server.conns[i].fd, .events = POLLIN};
                for (size_t i = 0; i < 2; i++)
                        fds[count + i] = (struct pollfd){.fd = server.listeners[i], .events = POLLIN};
                poll(fds, count + 2, 20);
                for (size_t i = count; i-- > 0;)
                        if (fds[i].revents && !advance(&server.conns[i])) drop(i);
                for (size_t i = 0; i < 2; i++) {
                        if (!(fds[count + i].revents & POLLIN) || server.count == CONNS) continue;
                        int fd = accept(server.listeners[i], NULL, NULL);
                        if (fd < 0) continue;
                        server.accepted++;
                        server.conns[server.count++] = (struct conn){.fd = fd};
                }
        }
        while (server.count > 0) drop(0);
        return unused;
}

static int listen_tcp(unsigned *port)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0) exit(1);
        getsockname(fd, (struct sockaddr *)&a, &len);
        *port = ntohs(a.sin_port);
        return fd;
}

static void server_start(void)
{
        server.listeners[0] = listen_tcp(&server.port);
        struct sockaddr_un u = {.sun_family = AF_UNIX};
        snprintf(server.socket_path, sizeof server.socket_path, "/tmp/tutti-http-%d.sock", (int)getpid());
        strcpy(u.sun_path, server.socket_path);
        server.listeners[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(server.listeners[1], (struct sockaddr *)&u, sizeof u) < 0 ||
            listen(server.listeners[1], 16) < 0)
                exit(1);
        pthread_create(&server.thread, NULL, serve, NULL);
}

static void server_stop(void)
{
        server.stop = true;
        pthread_join(server.thread, NULL);
        close(server.listeners[0]);
        close(server.listeners[1]);
        unlink(server.socket_path);
}

/* ---- asking it ---- */

struct result {
        struct loop *loop;
        struct transfers *transfers;
        int calls, waiting, good;
        int status, kind;
        bool sent;
        char message[400];
        char *body, *headers;
        size_t body_len;
};

static void take(void *context, const struct http_reply *got, const struct error *error, bool sent)
{
        struct result *r = context;
        r->calls++;
        r->sent = sent;
        r->kind = error ? (int)error_kind(error) : -1;
        snprintf(r->message, sizeof r->message, "%s", error_message(error));
        free(r->body);
        free(r->headers);
        r->body = r->headers = NULL;
        r->status = 0;
        if (got != NULL) {
                r->good++;
                r->status = (int)got->status;
                r->body = mem_dup(got->body, got->body_len);
                r->body_len = got->body_len;
                struct text headers = {0};
                for (size_t i = 0; i < got->header_count; i++)
                        text_addf(&headers, "%s=%s;", got->headers[i].name, got->headers[i].value);
                r->headers = text_steal(&headers);
        }
        if (--r->waiting == 0) loop_stop(r->loop);
}

static char *url_of(const char *path)
{
        return mem_printf("http://127.0.0.1:%u%s", server.port, path);
}

static void ask(struct result *r, const char *path, struct http_request request)
{
        cleanup_free char *url = url_of(path);
        if (request.url == NULL) request.url = url;
        if (request.method == NULL) request.method = "GET";
        r->waiting = 1;
        r->calls = 0;
        http_start(r->transfers, &request, take, r);
        if (r->calls != 0) ok(false, "completed inside its start");
        loop_run(r->loop);
}
#define ASK(r, path, ...) ask((r), (path), (struct http_request){__VA_ARGS__})
#define GET(r, path) ask((r), (path), (struct http_request){.method = "GET"})

static bool has(const char *text, const char *part)
{
        return text != NULL && strstr(text, part) != NULL;
}

static void test_requests(struct result *r)
{
        GET(r, "/a/../b/./c%2Fd?z=1&a=%20&v");
        is_int(r->status, 200, "a reply");
        ok(has(r->body, "GET /a/../b/./c%2Fd?z=1&a=%20&v HTTP/1.1\r\n"), "the path is sent as it stands");
        ok(!has(r->body, "Content-Length") && !has(r->body, "Content-Type"), "a GET has no body to describe");
        struct http_header headers[] = {{"X-One", "1"}, {"X-None", ""}, {"Expect", "100-continue"},
            {"X-One", "2"}, {"Content-Length", "9"}};
        ASK(r, "/", .method = "POST", .body = "hello", .body_len = 5, .headers = headers, .header_count = 5);
        ok(has(r->body, "POST / HTTP/1.1\r\n") && has(r->body, "\r\n\r\nhello"), "a body");
        ok(has(r->body, "Content-Length: 5\r\n") && !has(r->body, "chunked") && !has(r->body, "Expect"),
            "with its length, not chunked, no Expect");
        ok(has(r->body, "X-One: 1\r\nX-None:\r\nX-One: 2\r\n"), "headers in order, an empty one too");
        ok(!has(r->body, "Content-Type"), "no type that nobody asked for");
        ASK(r, "/", .method = "POST");
        ok(has(r->body, "Content-Length: 0\r\n"), "a POST without a body says so");
        ASK(r, "/", .method = "DELETE");
        ok(has(r->body, "DELETE / HTTP") && !has(r->body, "Content-Length"), "a DELETE need not");
        ASK(r, "/", .method = "PROPFIND", .body = "<x/>", .body_len = 4);
        ok(has(r->body, "PROPFIND / HTTP") && has(r->body, "<x/>"), "any method, with a body");
        ASK(r, "/", .method = "HEAD");
        ok(r->status == 200 && r->body_len == 0 && has(r->headers, "content-length=12345"),
            "HEAD has headers only");
        size_t len = 5 << 20;
        char *large = mem_alloc(len);
        memset(large, 'x', len);
        ASK(r, "/", .method = "PUT", .body = large, .body_len = len);
        ok(r->status == 200 && r->body_len > len && r->body[r->body_len - 1] == 'x', "5 MB there and back");
        free(large);
}

static void test_replies(struct result *r)
{
        GET(r, "/headers");
        is_int(r->status, 404, "a refusal is a reply");
        is_str(r->headers, "content-length=2;set-cookie=a=1;set-cookie=b=2;x-empty=;x-folded=one two;",
            "headers: lower case, in order, several of a name, folded ones, none of an interim reply");
        is_str(r->body, "hm", "its body");
        GET(r, "/redirect");
        is_int(r->status, 302, "redirects are not followed");
        ASK(r, "/big", .reply_max = BIG);
        ok(r->status == 200 && r->body_len == BIG, "a reply as large as the bound");
        ASK(r, "/big", .reply_max = BIG - 1);
        ok(r->kind == ERROR_SYSTEM && r->sent && has(r->message, "larger than"), "one larger than the bound");
        ASK(r, "/chunked", .reply_max = BIG - 1);
        ok(r->kind == ERROR_SYSTEM && r->sent, "also chunked");
        GET(r, "/chunked");
        ok(r->body_len == BIG && has(r->headers, "x-trailer=t"), "chunked, with a trailer");
        GET(r, "/many-headers");
        ok(r->kind == ERROR_SYSTEM && r->sent, "too many headers");
}

static void test_failures(struct result *r)
{
        GET(r, "/cut");
        ok(r->kind == ERROR_RETRY && r->sent, "a reply cut short");
        GET(r, "/chunk-cut");
        ok(r->kind == ERROR_RETRY && r->sent, "also chunked");
        ASK(r, "/reset", .method = "POST", .body = "x", .body_len = 1);
        ok(r->kind == ERROR_RETRY && r->sent, "a reset");
        GET(r, "/garbage");
        ok(r->kind == ERROR_SYSTEM && r->sent, "what is not HTTP");
        int64_t start = clock_monotonic_ms();
        ASK(r, "/slow", .timeout_ms = 150);
        int64_t took = clock_monotonic_ms() - start;
        ok(r->kind == ERROR_TIMEOUT && r->sent && took >= 145 && took < 1500, "a slow reply");
        unsigned port;
        int fd = listen_tcp(&port);
        close(fd);
        cleanup_free char *closed = mem_printf("http://127.0.0.1:%u/secret?token=1", port);
        ASK(r, "", .url = closed);
        ok(r->kind == ERROR_RETRY && !r->sent, "connection refused");
        cleanup_free char *prefix = mem_printf("GET http://127.0.0.1:%u: ", port);
        ok(text_starts(r->message, prefix) && !has(r->message, "secret"), "said without the path: %s",
            r->message);
        ASK(r, "", .url = "http://no-such-host.invalid/");
        ok(r->kind == ERROR_RETRY && !r->sent, "no such host");
        static const char *const bad[] = {"ftp://127.0.0.1/", "127.0.0.1/", "http://", "http://a b/",
            "file:///etc/passwd", "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                ASK(r, "", .url = bad[i]);
                ok(r->kind == ERROR_INPUT && !r->sent, "bad URL %zu: %s", i, r->message);
        }
        struct http_header inject = {"X-A", "b\r\nX-C: d"}, space = {"X A", "b"};
        ASK(r, "/", .headers = &inject, .header_count = 1);
        ok(r->kind == ERROR_INPUT && !has(r->message, "X-C"), "a header with a line break");
        ASK(r, "/", .headers = &space, .header_count = 1);
        is_int(r->kind, ERROR_INPUT, "a header name with a space");
        ASK(r, "/", .method = "GET / HTTP/1.1\r\nX:");
        is_int(r->kind, ERROR_INPUT, "a bad method");
}

/* A server that closes a kept connection on the next request has perhaps acted on it. */
static void test_repeats(struct result *r)
{
        int before = server.requests;
        GET(r, "/");
        ASK(r, "/die", .method = "POST", .body = "x", .body_len = 1);
        ok(r->kind == ERROR_RETRY && r->sent, "a kept connection dies under a POST");
        is_int(server.requests - before, 2, "which is not sent twice");
        before = server.requests;
        GET(r, "/");
        ASK(r, "/die", .method = "POST");
        ok(r->kind == ERROR_RETRY && r->sent, "nor is one without a body");
        is_int(server.requests - before, 2, "");
        before = server.requests;
        GET(r, "/");
        GET(r, "/die");
        is_int(server.requests - before, 3, "a GET may be");
        before = server.accepted;
        for (int i = 0; i < 5; i++) GET(r, "/");
        ok(server.accepted - before <= 1, "connections are reused");
        before = server.accepted;
        for (int i = 0; i < 3; i++) ASK(r, "/", .close = true);
        is_int(server.accepted - before, 3, "unless the request says otherwise");
}

static void test_unix(struct result *r)
{
        setenv("http_proxy", "http://127.0.0.1:1", 1);
        ASK(r, "", .url = "http://docker/v1/info", .unix_socket = server.socket_path);
        ok(r->status == 200 && has(r->body, "GET /v1/info") && has(r->body, "Host: docker\r\n"),
            "over a Unix socket");
        GET(r, "/");
        is_int(r->status, 200, "no proxy for this machine");
        unsetenv("http_proxy");
        ASK(r, "", .url = "http://docker/", .unix_socket = "/tmp/no-such.sock");
        ok(r->kind == ERROR_RETRY && !r->sent && has(r->message, "/tmp/no-such.sock"), "no such socket: %s",
            r->message);
}

static void test_concurrent(struct result *r)
{
        cleanup_free char *url = url_of("/hold");
        for (int round = 0; round < 2; round++) {
                int before = server.accepted;
                r->waiting = HOLD;
                r->good = r->calls = 0;
                for (int i = 0; i < HOLD; i++)
                        http_start(
                            r->transfers, &(struct http_request){.method = "GET", .url = url}, take, r);
                loop_run(r->loop);
                ok(r->good == HOLD && r->calls == HOLD, "%d exchanges at once (%d new connections)", HOLD,
                    server.accepted - before);
                if (round == 1) is_int(server.accepted - before, 0, "whose connections are kept");
        }
}

static void stop(void *context)
{
        loop_stop(context);
}

/* ---- a socket that the loop cannot watch ---- */

static atomic_bool unwatchable;

/* Instead of libuv's: the kernel takes so many watches and no more. */
int uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *handle, uv_os_sock_t socket)
{
        return unwatchable ? UV_ENOSPC : uv_poll_init(loop, handle, socket);
}

static void test_unwatchable(struct result *r)
{
        cleanup_free char *slow = url_of("/slow");
        struct result other = {.loop = r->loop, .waiting = 1};
        struct http_request request = {.method = "GET", .url = slow, .close = true};
        struct http_exchange *held = http_start(r->transfers, &request, take, &other);
        int before = server.requests;
        while (server.requests == before) {
                timer_start(r->loop, 10, stop, r->loop);
                loop_run(r->loop);
        }
        unwatchable = true;
        ASK(r, "/", .close = true);
        ok(r->calls == 1 && r->kind == ERROR_RETRY && !r->sent, "its exchange is over at once: %s",
            r->message);
        http_cancel(http_start(r->transfers, &request, take, r));
        unwatchable = false;
        GET(r, "/");
        is_int(r->status, 200, "those that follow are not concerned");
        is_int(other.calls, 0, "nor is another one under way");
        http_cancel(held);
}

static void test_cancel(struct result *r)
{
        cleanup_free char *url = url_of("/slow");
        r->calls = 0;
        struct http_exchange *some[4];
        for (int i = 0; i < 4; i++)
                some[i] = http_start(r->transfers,
                    &(struct http_request){.method = "GET", .url = i == 3 ? "x:" : url}, take, r);
        http_cancel(some[0]);
        http_cancel(some[3]);
        timer_start(r->loop, 50, (void (*)(void *))http_cancel, some[1]);
        timer_start(r->loop, 150, stop, r->loop);
        loop_run(r->loop);
        http_cancel(some[2]);
        timer_start(r->loop, 50, stop, r->loop);
        loop_run(r->loop);
        is_int(r->calls, 0, "no callback follows a cancellation");
}

/* ---- TLS ---- */

static struct {
        SSL_CTX *context;
        int listener;
        unsigned port;
        atomic_bool stop;
        pthread_t thread;
} tls;

static void *serve_tls(void *unused)
{
        struct pollfd p = {.fd = tls.listener, .events = POLLIN};
        while (!tls.stop) {
                if (poll(&p, 1, 20) <= 0) continue;
                int fd = accept(tls.listener, NULL, NULL);
                SSL *ssl = SSL_new(tls.context);
                SSL_set_fd(ssl, fd);
                char data[4096];
                if (SSL_accept(ssl) == 1 && SSL_read(ssl, data, sizeof data) > 0) {
                        X509 *peer = SSL_get1_peer_certificate(ssl);
                        const char *text = peer ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nknown"
                                                : "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nunknown";
                        SSL_write(ssl, text, (int)strlen(text));
                        X509_free(peer);
                }
                SSL_shutdown(ssl);
                SSL_free(ssl);
                close(fd);
        }
        return unused;
}

static bool certificate(const char *folder, const char *name)
{
        cleanup_free char *command = mem_printf(
            "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
            "/CN=%s "
            "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s.key -out %s.pem 2>/dev/null",
            folder, name, name, name);
        return system(command) == 0;
}

static int accept_any(int ok_so_far, X509_STORE_CTX *context)
{
        (void)ok_so_far, (void)context;
        return 1;
}

static void test_tls(struct result *r)
{
        char folder[] = "/tmp/tutti-tls-XXXXXX";
        if (mkdtemp(folder) == NULL || !certificate(folder, "server") || !certificate(folder, "client")) {
                skip("openssl is not installed");
                return;
        }
        cleanup_free char *ca = mem_printf("%s/server.pem", folder),
                          *key = mem_printf("%s/server.key", folder);
        cleanup_free char *mine = mem_printf("%s/client.pem", folder),
                          *mine_key = mem_printf("%s/client.key", folder);
        tls.context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate_file(tls.context, ca, SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(tls.context, key, SSL_FILETYPE_PEM);
        SSL_CTX_set_verify(tls.context, SSL_VERIFY_PEER, accept_any);
        SSL_CTX_set_session_id_context(tls.context, (const unsigned char *)"t", 1);
        tls.listener = listen_tcp(&tls.port);
        pthread_create(&tls.thread, NULL, serve_tls, NULL);

        cleanup_free char *url = mem_printf("https://127.0.0.1:%u/", tls.port);
        ASK(r, "", .url = url);
        ok(r->kind == ERROR_DENIED && !r->sent, "a certificate that nobody vouches for: %s", r->message);
        ASK(r, "", .url = url, .insecure = true);
        is_str(r->body, "unknown", "the user may not care");
        ASK(r, "", .url = url, .ca_file = ca);
        is_str(r->body, "unknown", "or vouch for it");
        ASK(r, "", .url = url, .ca_file = ca, .cert_file = mine, .key_file = mine_key);
        is_str(r->body, "known", "a client certificate");
        ASK(r, "", .url = url, .ca_file = mine);
        is_int(r->kind, ERROR_DENIED, "another authority");
        ASK(r, "", .url = url, .ca_file = "/no/such.pem");
        is_int(r->kind, ERROR_INPUT, "no such authority file");
        ASK(r, "", .url = url, .ca_file = ca, .cert_file = "/no/such.pem");
        ok(r->kind == ERROR_INPUT && !r->sent, "no such certificate: %s", r->message);

        tls.stop = true;
        pthread_join(tls.thread, NULL);
        close(tls.listener);
        SSL_CTX_free(tls.context);
        cleanup_free char *command = mem_printf("rm -r %s", folder);
        if (system(command) != 0) return;
}

/* In a process of its own, as fault points are configured once. */
static void test_fault(const char *fault, bool sent, const char *name)
{
        pid_t child = fork();
        if (child == 0) {
                struct result r = {0};
                setenv("TUTTI_FAULT", fault, 1);
                if (loop_new(&r.loop, NULL) < 0 || transfers_new(r.loop, &r.transfers, NULL) < 0) _exit(9);
                int outcome = 0;
                GET(&r, "/");
                if (r.status != 200) outcome |= 1;
                GET(&r, "/");
                if (r.kind != ERROR_RETRY || r.sent != sent) outcome |= 2;
                GET(&r, "/");
                if (r.status != 200) outcome |= 4;
                _exit(outcome);
        }
        int status;
        waitpid(child, &status, 0);
        is_int(status, 0, name);
}

int main(void)
{
        struct result r = {0};
        for (char **name =
                 (char *[]){"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
             *name; name++)
                unsetenv(*name);
        if (loop_new(&r.loop, NULL) < 0 || transfers_new(r.loop, &r.transfers, NULL) < 0) return 1;
        server_start();
        test_fault("fail:3", false, "a fault before a request leaves: it was not sent");
        test_fault("fail:4", true, "a fault at the reply: it was, and the reply is lost");
        test_requests(&r);
        test_replies(&r);
        test_failures(&r);
        test_repeats(&r);
        test_unix(&r);
        test_concurrent(&r);
        test_unwatchable(&r);
        test_cancel(&r);
        test_tls(&r);
        cleanup_free char *url = url_of("/slow");
        r.calls = 0;
        http_start(r.transfers, &(struct http_request){.method = "GET", .url = url}, take, &r);
        transfers_free(r.transfers);
        loop_free(r.loop);
        is_int(r.calls, 0, "freeing the client cancels what is under way");
        server_stop();
        free(r.body);
        free(r.headers);
        return done();
}
