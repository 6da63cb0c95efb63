/*
 * HTTP exchanges: a request becomes a curl handle, its outcome a reply or an error of the right kind.
 *
 * What may be sent twice is ours to say, not curl's: it would repeat a request by itself when a kept connection turns
 * out to be closed. We allow that for methods that only read; for others the exchange ends with RETRY and `sent`,
 * and the engine settles whether the first one arrived.
 */
#include "io/http.h"

#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "io/http_gather.h"
#include "io/http_multi.h"

enum { TIMEOUT_DEFAULT_MS = 60000, CONNECT_TIMEOUT_DEFAULT_MS = 10000, REPLY_DEFAULT = 64 * 1024 * 1024 };

struct http {
        struct loop *loop;
        struct http_multi *multi;
        CURLSH *share; /* TLS sessions; names and connections are shared by the multi handle anyway */
        struct http_exchange *exchanges;
};

struct http_exchange {
        struct http_transfer transfer; /* first: the transfer is the exchange */
        struct http *http;
        struct http_exchange *prev, *next;
        struct curl_slist *headers;
        char *label; /* "GET https://host:port", for messages: neither path, query nor user */
        char *body;
        size_t body_len;
        struct http_gather gather;
        char detail[CURL_ERROR_SIZE];
        unsigned attempts; /* how often curl was about to send the request */
        bool repeatable;
        bool held_back; /* may_send said no */
        bool (*may_send)(void *context);
        void *may_send_context;
        struct timer *refused; /* reports `error` on the next turn */
        struct error *error;
        http_done *done;
        void *context;
};

/* ---- end of an exchange ---- */

static void exchange_free(struct http_exchange *x)
{
        struct http *http = x->http;
        if (x->transfer.easy != NULL) {
                http_multi_remove(http->multi, x->transfer.easy);
                curl.easy_cleanup(x->transfer.easy);
        }
        timer_cancel(x->refused);
        curl.slist_free_all(x->headers);
        http_gather_release(&x->gather);
        error_free(x->error);
        free(x->label);
        if (x->body != NULL) mem_wipe(x->body, x->body_len);
        free(x->body);
        if (x->prev != NULL)
                x->prev->next = x->next;
        else
                http->exchanges = x->next;
        if (x->next != NULL) x->next->prev = x->prev;
        free(x);
}

static enum error_kind kind_of(CURLcode code)
{
        switch (code) {
        case CURLE_OPERATION_TIMEDOUT: return ERROR_TIMEOUT;
        case CURLE_URL_MALFORMAT:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CIPHER: return ERROR_INPUT;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_INVALIDCERTSTATUS: return ERROR_DENIED;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_PROXY: return ERROR_RETRY;
        default: return ERROR_SYSTEM;
        }
}

static int exchange_error(struct http_exchange *x, CURLcode code)
{
        if (x->gather.too_large || code == CURLE_FILESIZE_EXCEEDED)
                return error_set(&x->error, ERROR_SYSTEM, NULL,
                    "%s: the reply is larger than %zu bytes, or its headers are", x->label,
                    x->gather.body_max);
        if (x->held_back)
                return error_set(&x->error, ERROR_RETRY, NULL, "%s: held back before it was sent", x->label);
        if (code == CURLE_ABORTED_BY_CALLBACK)
                return error_set(&x->error, ERROR_RETRY, NULL,
                    "%s: the connection was closed before a reply came", x->label);
        return error_set(&x->error, kind_of(code), NULL, "%s: %s", x->label,
            x->detail[0] ? x->detail : curl.easy_strerror(code));
}

static void fill_reply(struct http_exchange *x, struct http_reply *reply)
{
        long status = 0;
        curl_off_t elapsed_us = 0;
        curl.easy_getinfo(x->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        curl.easy_getinfo(x->transfer.easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
        text_addn(&x->gather.body, "", 0);
        *reply = (struct http_reply){.status = (unsigned)status,
            .headers = x->gather.headers,
            .header_count = x->gather.header_count,
            .body = x->gather.body.data,
            .body_len = x->gather.body.len,
            .elapsed_ms = elapsed_us / 1000};
}

static void completed(struct http_transfer *transfer, CURLcode code)
{
        struct http_exchange *x = (struct http_exchange *)transfer;
        struct http_reply reply;
        if (code != CURLE_OK)
                exchange_error(x, code);
        else if (fault_here("http.reply"))
                error_set(&x->error, ERROR_RETRY, NULL, "%s: the connection was closed before a reply came",
                    x->label);
        else
                fill_reply(x, &reply);
        /* Off the list of curl's before the callback, which may start and cancel others. */
        http_multi_remove(x->http->multi, x->transfer.easy);
        x->done(x->context, x->error == NULL ? &reply : NULL, x->error, x->attempts > 0);
        exchange_free(x);
}

static void report_refused(void *context)
{
        struct http_exchange *x = context;
        x->refused = NULL;
        x->done(x->context, NULL, x->error, false);
        exchange_free(x);
}

/* ---- curl's callbacks ---- */

static size_t header_arrived(char *data, size_t size, size_t count, void *context)
{
        struct http_exchange *x = context;
        return http_gather_header(&x->gather, data, size * count);
}

static size_t body_arrived(char *data, size_t size, size_t count, void *context)
{
        struct http_exchange *x = context;
        return http_gather_body(&x->gather, data, size * count);
}

/* Called each time before the request is sent over a connection. */
static int about_to_send(void *context, char *address, char *local, int port, int local_port)
{
        struct http_exchange *x = context;
        (void)address, (void)local, (void)port, (void)local_port;
        if (x->attempts > 0 && !x->repeatable) return CURL_PREREQFUNC_ABORT;
        if (fault_here("http.send")) return CURL_PREREQFUNC_ABORT;
        x->held_back = x->may_send != NULL && !x->may_send(x->may_send_context);
        if (x->held_back) return CURL_PREREQFUNC_ABORT;
        x->attempts++;
        return CURL_PREREQFUNC_OK;
}

/* Commands that we start must not inherit connections. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
        (void)context, (void)purpose;
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- start of an exchange ---- */

static bool is_token(const char *s)
{
        static const char token[] =
            "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        return *s != '\0' && s[strspn(s, token)] == '\0';
}

static bool is_loopback(const char *host)
{
        return strcasecmp(host, "localhost") == 0 || text_ends(host, ".localhost") ||
               text_starts(host, "127.") || strcmp(host, "[::1]") == 0;
}

/* Checks the URL and sets the label. Returns 1 for a host on this machine, 0 for another, -1. */
static int check_url(struct http_exchange *x, const struct http_request *r)
{
        CURLU *url = curl.url();
        char *scheme = NULL, *host = NULL, *port = NULL;
        CURLUcode rc = curl.url_set(url, CURLUPART_URL, r->url, CURLU_PATH_AS_IS);
        if (rc == CURLUE_OK) {
                curl.url_get(url, CURLUPART_SCHEME, &scheme, 0);
                curl.url_get(url, CURLUPART_HOST, &host, 0);
                curl.url_get(url, CURLUPART_PORT, &port, 0);
        }
        int result = -1;
        if (rc != CURLUE_OK)
                error_set(&x->error, ERROR_INPUT, NULL, "%s: bad URL: %s", r->method, curl.url_strerror(rc));
        else if (scheme == NULL || host == NULL ||
                 (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
                error_set(&x->error, ERROR_INPUT, NULL, "%s: bad URL: it must begin with http:// or https://",
                    r->method);
        else
                result = is_loopback(host);
        if (result >= 0)
                x->label = mem_printf("%s %s://%s%s%s%s%s", r->method, scheme, host, port ? ":" : "",
                    port ? port : "", r->unix_socket ? " at " : "", r->unix_socket ? r->unix_socket : "");
        curl.free(scheme);
        curl.free(host);
        curl.free(port);
        curl.url_cleanup(url);
        return result;
}

static void add_header(struct http_exchange *x, const char *line)
{
        x->headers = curl.slist_append(x->headers, line);
}

/* What frames the message is ours: length, transfer coding, Expect. */
static bool is_framing(const char *name)
{
        return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0 ||
               strcasecmp(name, "expect") == 0;
}

static int set_headers(struct http_exchange *x, const struct http_request *r)
{
        bool typed = false;
        for (size_t i = 0; i < r->header_count; i++) {
                const char *name = r->headers[i].name, *value = r->headers[i].value;
                if (!is_token(name) || value[strcspn(value, "\r\n")] != '\0')
                        return error_set(&x->error, ERROR_INPUT, NULL, "%s: bad header '%s': %s", x->label,
                            name,
                            is_token(name) ? "its value holds a line break"
                                           : "a name is letters, digits and -");
                if (is_framing(name)) continue;
                typed |= strcasecmp(name, "content-type") == 0;
                /* "Name;" is curl's way to say a header without a value. */
                cleanup_free char *line = mem_printf(*value ? "%s: %s" : "%s;", name, value);
                add_header(x, line);
        }
        if (!typed) add_header(x, "Content-Type:");
        add_header(x, "Expect:");
        curl.easy_setopt(x->transfer.easy, CURLOPT_HTTPHEADER, x->headers);
        return 0;
}

static int set_method(struct http_exchange *x, const struct http_request *r)
{
        const char *m = r->method;
        if (!is_token(m)) return error_set(&x->error, ERROR_INPUT, NULL, "bad HTTP method '%s'", m);
        bool head = strcmp(m, "HEAD") == 0;
        x->repeatable = head || strcmp(m, "GET") == 0 || strcmp(m, "OPTIONS") == 0;
        /* These say "Content-Length: 0" when they have no body. */
        bool bodied = strcmp(m, "POST") == 0 || strcmp(m, "PUT") == 0 || strcmp(m, "PATCH") == 0;
        if (!head && (r->body != NULL || bodied)) {
                x->body_len = r->body != NULL ? r->body_len : 0;
                x->body = mem_dup(r->body != NULL ? r->body : "", x->body_len);
                curl.easy_setopt(x->transfer.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body_len);
                curl.easy_setopt(x->transfer.easy, CURLOPT_POSTFIELDS, x->body);
        } else if (head) {
                curl.easy_setopt(x->transfer.easy, CURLOPT_NOBODY, 1L);
        }
        if (!head) curl.easy_setopt(x->transfer.easy, CURLOPT_CUSTOMREQUEST, m);
        return 0;
}

static void set_transport(struct http_exchange *x, const struct http_request *r, bool local)
{
        CURL *easy = x->transfer.easy;
        int64_t timeout = r->timeout_ms ? r->timeout_ms : TIMEOUT_DEFAULT_MS;
        int64_t connect = r->connect_timeout_ms ? r->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS;
        curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout);
        curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
        curl.easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
        /* A proxy from the environment cannot reach what is on this machine. */
        if (local || r->unix_socket != NULL) curl.easy_setopt(easy, CURLOPT_PROXY, "");
        curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        if (r->ca_file != NULL) curl.easy_setopt(easy, CURLOPT_CAINFO, r->ca_file);
        curl.easy_setopt(easy, CURLOPT_SSLCERT, r->cert_file);
        curl.easy_setopt(easy, CURLOPT_SSLKEY, r->key_file);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, r->insecure ? 0L : 1L);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, r->insecure ? 0L : 2L);
        curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, r->close ? 1L : 0L);
        curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, r->close ? 1L : 0L);
}

static void set_callbacks(struct http_exchange *x)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_PRIVATE, &x->transfer);
        curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, x->detail);
        curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_arrived);
        curl.easy_setopt(easy, CURLOPT_HEADERDATA, x);
        curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_arrived);
        curl.easy_setopt(easy, CURLOPT_WRITEDATA, x);
        curl.easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
        curl.easy_setopt(easy, CURLOPT_PREREQDATA, x);
        curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
}

static void set_protocol(struct http_exchange *x, const char *url)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_URL, url);
        curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
        curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl.easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl.easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
        curl.easy_setopt(easy, CURLOPT_SHARE, x->http->share);
}

static int exchange_prepare(struct http_exchange *x, const struct http_request *r)
{
        int local = check_url(x, r);
        if (local < 0 || set_method(x, r) < 0 || set_headers(x, r) < 0) return -1;
        set_protocol(x, r->url);
        set_transport(x, r, local);
        set_callbacks(x);
        return 0;
}

struct http_exchange *http_start(
    struct http *http, const struct http_request *request, http_done *done, void *context)
{
        struct http_exchange *x = mem_alloc(sizeof *x);
        x->http = http;
        x->transfer.completed = completed;
        x->done = done;
        x->context = context;
        x->may_send = request->may_send;
        x->may_send_context = request->context;
        x->gather.body_max = request->reply_max ? request->reply_max : REPLY_DEFAULT;
        x->next = http->exchanges;
        if (x->next != NULL) x->next->prev = x;
        http->exchanges = x;
        x->transfer.easy = curl.easy_init();
        if (x->transfer.easy == NULL) abort(); /* out of memory, as in mem_alloc */
        if (exchange_prepare(x, request) < 0)
                x->refused = timer_start(http->loop, 0, report_refused, x);
        else
                http_multi_add(http->multi, x->transfer.easy);
        return x;
}

void http_cancel(struct http_exchange *exchange)
{
        if (exchange != NULL) exchange_free(exchange);
}

/* ---- the client ---- */

/* Each exchange may hold a connection; a shell's usual limit of 1024 files is no bound of ours. */
static void raise_file_limit(void)
{
        enum { WANTED = 16384 };
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= WANTED) return;
        limit.rlim_cur = limit.rlim_max < WANTED ? limit.rlim_max : WANTED;
        setrlimit(RLIMIT_NOFILE, &limit);
}

int http_new(struct loop *loop, struct http **ret, struct error **err)
{
        if (http_curl_load(err) < 0) return -1;
        if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_set(
                    err, ERROR_SYSTEM, NULL, "start the HTTP client: curl cannot be initialised");
        struct http *http = mem_alloc(sizeof *http);
        http->loop = loop;
        http->share = curl.share_init();
        curl.share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
        if (http_multi_new(loop, &http->multi, err) < 0) {
                http_free(http);
                return -1;
        }
        raise_file_limit();
        *ret = http;
        return 0;
}

void http_free(struct http *http)
{
        if (http == NULL) return;
        for (struct http_exchange *x = http->exchanges, *next; x != NULL; x = next) {
                next = x->next;
                exchange_free(x);
        }
        http_multi_free(http->multi);
        curl.share_cleanup(http->share);
        free(http);
        curl.global_cleanup();
}

struct http_multi *http_multi_of(struct http *http)
{
        return http->multi;
}

struct loop *http_loop_of(struct http *http)
{
        return http->loop;
}
