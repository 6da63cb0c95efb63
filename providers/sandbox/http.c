/* Exchanges between a socket and the routes; see http.h. Functions stand in the order of a request's life. */
#include "providers/sandbox/http.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/sandbox/hold.h"
#include "providers/sandbox/microhttpd.h"
#include "providers/sandbox/routes.h"

enum { BODY_MAX = 1024 * 1024, KEY_MAX = 255, CONNECTIONS_MAX = 16000, IDLE_SECONDS = 120 };

enum phase {
        PHASE_READING,   /* the body is coming in */
        PHASE_WAITING,   /* suspended: the effect is not durable yet */
        PHASE_HELD,      /* suspended: the client wants to wait */
        PHASE_REPLYING,  /* the reply may leave */
        PHASE_HANGING,   /* suspended until the client gives up */
        PHASE_ABANDONED, /* the connection is to be dropped without a reply */
};

struct exchange {
        struct sandbox_watch watch; /* of a hanging client */
        struct sandbox_http *http;
        struct MHD_Connection *connection;
        enum phase phase;
        enum sandbox_fault fault;
        struct text body;
        bool too_large, was_held;
        struct sandbox_reply reply;
        struct exchange *next, **back; /* among those that are suspended */
};

struct sandbox_http {
        struct sandbox_watch watch; /* of libmicrohttpd's descriptors */
        struct sandbox_watches *watches;
        struct sandbox_cloud *cloud;
        struct MHD_Daemon *daemon;
        const char *token;
        struct exchange *suspended;
        struct sandbox_holds holds; /* of those that are held */
};

static int connection_socket(struct MHD_Connection *connection)
{
        return mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void suspend(struct exchange *x, enum phase phase)
{
        x->phase = phase;
        x->next = x->http->suspended;
        x->back = &x->http->suspended;
        if (x->next != NULL) x->next->back = &x->next;
        x->http->suspended = x;
        mhd.suspend_connection(x->connection);
}

static void resume(struct exchange *x, enum phase phase)
{
        if (x->phase == PHASE_HANGING)
                sandbox_watches_remove(x->http->watches, connection_socket(x->connection));
        x->phase = phase;
        *x->back = x->next;
        if (x->next != NULL) x->next->back = x->back;
        mhd.resume_connection(x->connection);
}

/* connect() to no address makes Linux send RST at once, where close() would say a polite goodbye. */
static enum MHD_Result reset_connection(struct MHD_Connection *connection)
{
        struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
        (void)connect(connection_socket(connection), &nowhere, sizeof nowhere);
        return MHD_NO;
}

/* The time taken depends on the lengths only, never on where two tokens differ. */
static bool is_authorized(const struct exchange *x)
{
        const char *header = mhd.lookup_connection_value(x->connection, MHD_HEADER_KIND, "Authorization");
        size_t len = strlen(x->http->token);
        if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) return false;
        header += 7;
        while (*header == ' ') header++;
        return strlen(header) == len && CRYPTO_memcmp(header, x->http->token, len) == 0;
}

static void refuse(struct exchange *x, int status, const char *detail)
{
        struct sandbox_refusal refusal;
        sandbox_refuse(&refusal, status, NULL, "%s", detail);
        sandbox_reply_problem(&x->reply, &refusal);
}

/* What stands in the way before anybody looks at the request. True when the reply is ready. */
static bool refuse_early(struct exchange *x, const char *path)
{
        if (!is_authorized(x)) {
                refuse(x, 401,
                    "the request needs the header Authorization: Bearer TOKEN, with the token of this "
                    "sandbox");
                return true;
        }
        int64_t wait = sandbox_route_is_public(path)
                           ? sandbox_control_admit(&x->http->cloud->control, clock_monotonic_ms())
                           : 0;
        if (wait > 0) {
                refuse(x, 429, "too many requests; try again after the time in Retry-After");
                x->reply.retry_after = wait;
                return true;
        }
        if (x->too_large) refuse(x, 413, "the body must not exceed 1 MiB");
        return x->too_large;
}

/* True when the fault stands in place of the effect. */
static bool fault_before(struct exchange *x)
{
        switch (x->fault) {
        case SANDBOX_FAULT_500:
                refuse(x, 500, "an internal error, as ordered by a fault script");
                return true;
        case SANDBOX_FAULT_503: refuse(x, 503, "unavailable, as ordered by a fault script"); return true;
        case SANDBOX_FAULT_429:
                refuse(x, 429, "too many requests, as ordered by a fault script");
                x->reply.retry_after = 1000;
                return true;
        case SANDBOX_FAULT_RESET_BEFORE: return true;
        default: return false;
        }
}

static enum MHD_Result collect_query(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
        (void)kind;
        struct sandbox_request *request = context;
        if (request->query_count == SANDBOX_QUERY_MAX) return MHD_NO;
        request->query[request->query_count].name = name;
        request->query[request->query_count++].value = value;
        return MHD_YES;
}

static bool is_acceptable_key(const char *key)
{
        size_t len = strlen(key);
        if (len == 0 || len > KEY_MAX) return false;
        for (; *key != '\0'; key++)
                if ((unsigned char)*key < 0x20 || (unsigned char)*key > 0x7E) return false;
        return true;
}

/* Fills in the reply of a request that was read to its end. */
static void answer(struct exchange *x, const char *method, const char *path)
{
        if (!x->was_held && refuse_early(x, path)) return;
        if (!x->was_held && sandbox_route_is_public(path))
                x->fault = sandbox_control_fault(&x->http->cloud->control, method, path);
        if (fault_before(x)) return;

        struct sandbox_request request = {.method = method,
            .path = path,
            .body = x->body.data,
            .body_len = x->body.len,
            .may_hold = !x->was_held};
        request.key = mhd.lookup_connection_value(x->connection, MHD_HEADER_KIND, "Idempotency-Key");
        mhd.get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, collect_query, &request);
        if (!text_is_utf8(path, strlen(path)))
                refuse(x, 400, "the path is not UTF-8");
        else if (request.key != NULL && !is_acceptable_key(request.key))
                refuse(x, 422, "Idempotency-Key must have 1 to 255 printable ASCII characters");
        else
                sandbox_route(x->http->cloud, &request, &x->reply);
        if (x->fault == SANDBOX_FAULT_500_AFTER && x->reply.status < 300) {
                sandbox_reply_release(&x->reply);
                x->reply = (struct sandbox_reply){0};
                refuse(x, 500, "an internal error, as ordered by a fault script");
        }
}

static void add_headers(struct MHD_Response *response, const struct sandbox_reply *reply)
{
        char seconds[24];
        if (reply->content_type != NULL)
                mhd.add_response_header(response, "Content-Type", reply->content_type);
        if (reply->location[0] != '\0') mhd.add_response_header(response, "Location", reply->location);
        if (reply->link != NULL) mhd.add_response_header(response, "Link", reply->link);
        if (reply->allow != NULL) mhd.add_response_header(response, "Allow", reply->allow);
        if (reply->status == 401) mhd.add_response_header(response, "WWW-Authenticate", "Bearer");
        if (reply->retry_after == 0) return;
        snprintf(seconds, sizeof seconds, "%lld", (long long)(reply->retry_after + 999) / 1000);
        mhd.add_response_header(response, "Retry-After", seconds);
}

/* The first half of a body whose length was announced in full. */
static ssize_t read_half(void *context, uint64_t position, char *buffer, size_t max)
{
        const struct exchange *x = context;
        size_t half = x->reply.len / 2;
        if (position >= half) return MHD_CONTENT_READER_END_WITH_ERROR;
        size_t n = half - (size_t)position < max ? half - (size_t)position : max;
        memcpy(buffer, x->reply.body + position, n);
        return (ssize_t)n;
}

static enum MHD_Result send_reply(struct exchange *x)
{
        struct sandbox_reply *reply = &x->reply;
        struct MHD_Response *response;
        if (x->fault == SANDBOX_FAULT_TRUNCATE && reply->len == 0)
                return MHD_NO; /* no body to cut: just close */
        if (x->fault == SANDBOX_FAULT_TRUNCATE)
                response = mhd.create_response_from_callback(reply->len, 64 * 1024, read_half, x, NULL);
        else
                response = mhd.create_response_from_buffer(
                    reply->len, steal(reply->body), MHD_RESPMEM_MUST_FREE);
        if (response == NULL) return MHD_NO;
        add_headers(response, reply);
        enum MHD_Result result = mhd.queue_response(x->connection, (unsigned)reply->status, response);
        mhd.destroy_response(response);
        return result;
}

static void on_hang_up(struct sandbox_watch *watch, uint32_t events)
{
        (void)events;
        resume((struct exchange *)watch, PHASE_ABANDONED);
}

static enum MHD_Result hang(struct exchange *x)
{
        suspend(x, PHASE_HANGING);
        if (sandbox_watches_add(
                x->http->watches, connection_socket(x->connection), EPOLLRDHUP, &x->watch, NULL) < 0)
                resume(x, PHASE_ABANDONED);
        return MHD_YES;
}

static enum MHD_Result conclude(struct exchange *x)
{
        if (x->fault == SANDBOX_FAULT_RESET_BEFORE || x->fault == SANDBOX_FAULT_RESET_AFTER)
                return reset_connection(x->connection);
        if (x->fault == SANDBOX_FAULT_HANG) return hang(x);
        return send_reply(x);
}

static struct exchange *exchange_new(struct sandbox_http *http, struct MHD_Connection *connection)
{
        struct exchange *x = mem_alloc(sizeof *x);
        x->watch.ready = on_hang_up;
        x->http = http;
        x->connection = connection;
        return x;
}

static void read_some(struct exchange *x, const char *data, size_t len)
{
        x->too_large = x->too_large || x->body.len + len > BODY_MAX;
        if (!x->too_large) text_addn(&x->body, data, len);
}

/* Called by libmicrohttpd when the headers are there, with every piece of the body, at its end, and once more after
 * each suspension. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *data, size_t *len, void **state)
{
        (void)version;
        struct exchange *x = *state;
        if (x == NULL) {
                *state = exchange_new(context, connection);
                return MHD_YES;
        }
        switch (x->phase) {
        case PHASE_READING: break;
        case PHASE_REPLYING: return conclude(x);
        case PHASE_ABANDONED: return reset_connection(connection);
        default: return MHD_YES;
        }
        if (*len > 0) {
                read_some(x, data, *len);
                *len = 0;
                return MHD_YES;
        }
        answer(x, method, path);
        if (x->reply.hold_until > 0) {
                x->was_held = true;
                sandbox_holds_add(&x->http->holds, x->reply.hold_until, x);
                x->reply.hold_until = 0;
                suspend(x, PHASE_HELD);
                return MHD_YES;
        }
        x->phase = PHASE_REPLYING;
        if (!sandbox_disk_is_dirty(&x->http->cloud->disk)) return conclude(x);
        suspend(x, PHASE_WAITING);
        return MHD_YES;
}

static void on_completed(
    void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
        (void)context, (void)connection, (void)code;
        struct exchange *x = *state;
        if (x == NULL) return;
        mem_wipe(x->body.data, x->body.len); /* it may hold a password */
        text_release(&x->body);
        sandbox_reply_release(&x->reply);
        free(x);
        *state = NULL;
}

static void on_ready(struct sandbox_watch *watch, uint32_t events)
{
        (void)watch, (void)events; /* the loop calls sandbox_http_run after every event */
}

struct sandbox_http *sandbox_http_new(struct sandbox_watches *watches, struct sandbox_cloud *cloud,
    int listener, const char *token, struct error **err)
{
        cleanup(sandbox_http_free) struct sandbox_http *http = mem_alloc(sizeof *http);
        http->watch.ready = on_ready;
        http->watches = watches;
        http->cloud = cloud;
        http->token = token;
        if (sandbox_mhd_load(err) < 0) {
                close(listener);
                return NULL;
        }
        http->daemon = mhd.start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
            http, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
            NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)IDLE_SECONDS, MHD_OPTION_END);
        if (http->daemon == NULL) {
                close(listener);
                error_set(err, ERROR_SYSTEM, NULL, "start the HTTP server: libmicrohttpd refused");
                return NULL;
        }
        int fd = mhd.get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        if (sandbox_watches_add(watches, fd, EPOLLIN, &http->watch, err) < 0) return NULL;
        return steal(http);
}

void sandbox_http_free(struct sandbox_http *http)
{
        if (http == NULL) return;
        sandbox_holds_release(&http->holds);
        while (http->suspended != NULL) resume(http->suspended, PHASE_ABANDONED);
        if (http->daemon != NULL) {
                mhd.run(http->daemon);
                mhd.stop_daemon(http->daemon);
        }
        free(http);
}

int sandbox_http_timeout(const struct sandbox_http *http)
{
        MHD_UNSIGNED_LONG_LONG ms;
        int64_t hold = sandbox_holds_next(&http->holds, clock_monotonic_ms());
        if (mhd.get_timeout(http->daemon, &ms) != MHD_YES) return (int)hold;
        if (hold >= 0 && (MHD_UNSIGNED_LONG_LONG)hold < ms) return (int)hold;
        return ms < 60000 ? (int)ms : 60000;
}

int sandbox_http_run(struct sandbox_http *http, struct error **err)
{
        for (struct exchange *x; (x = sandbox_holds_take(&http->holds, clock_monotonic_ms())) != NULL;)
                resume(x, PHASE_READING); /* it is answered anew */
        mhd.run(http->daemon);
        if (!sandbox_disk_is_dirty(&http->cloud->disk)) return 0;
        if (sandbox_disk_commit(&http->cloud->disk, err) < 0) return -1;
        for (struct exchange *x = http->suspended, *next; x != NULL; x = next) {
                next = x->next;
                if (x->phase == PHASE_WAITING) resume(x, PHASE_REPLYING);
        }
        mhd.run(http->daemon);
        return 0;
}
