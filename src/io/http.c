/*
 * HTTP exchanges: a request becomes a transfer, its outcome a reply or an error of the right kind.
 *
 * What may be sent twice is ours to say, not curl's: it would repeat a request by itself when a kept connection turns
 * out to be closed. We allow that for methods that only read; for others the exchange ends with RETRY and `sent`,
 * and the engine settles whether the first one arrived.
 */
#include "io/http.h"

#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "io/http_gather.h"
#include "io/transfer_item.h"

enum { REPLY_DEFAULT = 64 * 1024 * 1024 };

struct http_exchange {
        struct transfer transfer; /* first: the transfer is the exchange */
        struct curl_slist *headers;
        char *body;
        size_t body_len;
        struct http_gather gather;
        unsigned attempts; /* how often curl was about to send the request */
        bool repeatable;
        bool held_back; /* may_send said no */
        bool (*may_send)(void *context);
        void *may_send_context;
        http_done *done;
        void *context;
};

/* ---- end of an exchange ---- */

static void exchange_release(struct transfer *transfer)
{
        struct http_exchange *x = (struct http_exchange *)transfer;
        curl.slist_free_all(x->headers);
        http_gather_release(&x->gather);
        if (x->body != NULL) mem_wipe(x->body, x->body_len);
        free(x->body);
        free(x);
}

static void exchange_explain(struct transfer *transfer, CURLcode code)
{
        struct http_exchange *x = (struct http_exchange *)transfer;
        if (x->gather.too_large || code == CURLE_FILESIZE_EXCEEDED)
                error_set(&transfer->error, ERROR_SYSTEM, NULL,
                    "%s: the reply is larger than %zu bytes, or its headers are", transfer->label,
                    x->gather.body_max);
        else if (x->held_back)
                error_set(
                    &transfer->error, ERROR_RETRY, NULL, "%s: held back before it was sent", transfer->label);
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

static void exchange_report(struct transfer *transfer)
{
        struct http_exchange *x = (struct http_exchange *)transfer;
        struct http_reply reply;
        if (transfer->error == NULL) fill_reply(x, &reply);
        x->done(x->context, transfer->error == NULL ? &reply : NULL, transfer->error, x->attempts > 0);
}

static const struct transfer_protocol http_protocol = {
    .schemes = "http,https",
    .fault = "http.reply",
    .explain = exchange_explain,
    .report = exchange_report,
    .release = exchange_release,
};

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

/* ---- start of an exchange ---- */

static bool is_token(const char *s)
{
        static const char token[] =
            "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        return *s != '\0' && s[strspn(s, token)] == '\0';
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
                        return error_set(&x->transfer.error, ERROR_INPUT, NULL, "%s: bad header '%s': %s",
                            x->transfer.label, name,
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
        if (!is_token(m)) return error_set(&x->transfer.error, ERROR_INPUT, NULL, "bad HTTP method '%s'", m);
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

static int set_transfer(struct http_exchange *x, const struct http_request *r)
{
        struct transfer_settings settings = {
            .verb = r->method,
            .url = r->url,
            .timeout_ms = r->timeout_ms,
            .connect_timeout_ms = r->connect_timeout_ms,
            .unix_socket = r->unix_socket,
            .ca_file = r->ca_file,
            .cert_file = r->cert_file,
            .key_file = r->key_file,
            .insecure = r->insecure,
            .once = r->close,
        };
        return transfer_set(&x->transfer, &settings);
}

static void set_protocol(struct http_exchange *x)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl.easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl.easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
        curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_arrived);
        curl.easy_setopt(easy, CURLOPT_HEADERDATA, x);
        curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_arrived);
        curl.easy_setopt(easy, CURLOPT_WRITEDATA, x);
        curl.easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
        curl.easy_setopt(easy, CURLOPT_PREREQDATA, x);
}

struct http_exchange *http_start(
    struct transfers *transfers, const struct http_request *request, http_done *done, void *context)
{
        struct http_exchange *x = mem_alloc(sizeof *x);
        x->done = done;
        x->context = context;
        x->may_send = request->may_send;
        x->may_send_context = request->context;
        x->gather.body_max = request->reply_max ? request->reply_max : REPLY_DEFAULT;
        transfer_init(&x->transfer, transfers, &http_protocol);
        if (set_transfer(x, request) == 0 && set_method(x, request) == 0 && set_headers(x, request) == 0)
                set_protocol(x);
        transfer_start(&x->transfer);
        return x;
}

void http_cancel(struct http_exchange *exchange)
{
        if (exchange != NULL) transfer_cancel(&exchange->transfer);
}
