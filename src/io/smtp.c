/*
 * A mail becomes a curl handle beside those of http.c; see smtp.h.
 *
 * What is special: curl says QUIT when it closes a connection, and then waits for the answer without going back to the loop. A
 * server that leaves QUIT unanswered would stop everything. So the socket is shut down as soon as QUIT is written, which the
 * debug callback tells: the answer, which nobody needs, is the end of the stream.
 */
#include "io/smtp.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/text.h"
#include "io/http_multi.h"

enum { TIMEOUT_DEFAULT_MS = 60000, CONNECT_TIMEOUT_MS = 10000 };

struct smtp_exchange {
        struct http_transfer transfer; /* first: the transfer is the exchange */
        struct http *http;
        struct curl_slist *to;
        char *message;
        size_t len, sent;
        char *label; /* "smtp://host:port", for messages */
        curl_socket_t socket;
        char detail[CURL_ERROR_SIZE];
        smtp_done *done;
        void *context;
};

static void exchange_free(struct smtp_exchange *x)
{
        http_multi_remove(http_multi_of(x->http), x->transfer.easy); /* harmless when it is off already */
        curl.easy_cleanup(x->transfer.easy);
        curl.slist_free_all(x->to);
        free(x->message);
        free(x->label);
        free(x);
}

static enum error_kind kind_of(CURLcode code)
{
        switch (code) {
        case CURLE_OPERATION_TIMEDOUT: return ERROR_TIMEOUT;
        case CURLE_URL_MALFORMAT:
        case CURLE_SSL_CACERT_BADFILE: return ERROR_INPUT;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_LOGIN_DENIED:
        case CURLE_USE_SSL_FAILED: return ERROR_DENIED;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING: return ERROR_RETRY;
        default: return ERROR_SYSTEM;
        }
}

/* curl's own words name host and port, and for a refusal the server's code; never user or password. */
static int exchange_error(struct smtp_exchange *x, CURLcode code, struct error **err)
{
        long reply = 0;
        curl.easy_getinfo(x->transfer.easy, CURLINFO_RESPONSE_CODE, &reply);
        if (code == CURLE_LOGIN_DENIED)
                return error_set(
                    err, ERROR_DENIED, NULL, "%s: the server refused user or password", x->label);
        if (code == CURLE_USE_SSL_FAILED)
                return error_set(err, ERROR_DENIED, NULL, "%s: the server offers no STARTTLS", x->label);
        if (reply >= 400)
                return error_set(
                    err, ERROR_PROVIDER, NULL, "%s: the server refused the mail with %ld", x->label, reply);
        return error_set(err, kind_of(code), NULL, "%s: %s", x->label,
            x->detail[0] ? x->detail : curl.easy_strerror(code));
}

static void completed(struct http_transfer *transfer, CURLcode code)
{
        struct smtp_exchange *x = (struct smtp_exchange *)transfer;
        cleanup(error_free) struct error *err = NULL;
        if (code != CURLE_OK)
                exchange_error(x, code, &err);
        else if (fault_here("smtp.reply"))
                error_set(
                    &err, ERROR_RETRY, NULL, "%s: the connection was closed before a reply came", x->label);
        http_multi_remove(http_multi_of(x->http), x->transfer.easy);
        x->done(x->context, err);
        exchange_free(x);
}

/* ---- curl's callbacks ---- */

static size_t message_wanted(char *to, size_t size, size_t count, void *context)
{
        struct smtp_exchange *x = context;
        size_t n = size * count < x->len - x->sent ? size * count : x->len - x->sent;
        memcpy(to, x->message + x->sent, n);
        x->sent += n;
        return n;
}

static size_t ignore_reply(char *data, size_t size, size_t count, void *context)
{
        (void)data, (void)context;
        return size * count;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
        struct smtp_exchange *x = context;
        (void)purpose;
        return x->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int dialogue(CURL *easy, curl_infotype type, char *data, size_t len, void *context)
{
        struct smtp_exchange *x = context;
        (void)easy;
        if (type == CURLINFO_HEADER_OUT && len >= 4 && memcmp(data, "QUIT", 4) == 0)
                shutdown(x->socket, SHUT_RDWR); /* with TLS too: what is written is on its way */
        return 0;
}

/* ---- start ---- */

static void set_dialogue(struct smtp_exchange *x, const struct smtp_mail *mail)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_URL, mail->url);
        curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl.easy_setopt(easy, CURLOPT_PROXY, "");
        curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl.easy_setopt(
            easy, CURLOPT_TIMEOUT_MS, (long)(mail->timeout_ms ? mail->timeout_ms : TIMEOUT_DEFAULT_MS));
        curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
        curl.easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        curl.easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
        curl.easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
        curl.easy_setopt(easy, CURLOPT_MAIL_RCPT, x->to);
        curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl.easy_setopt(easy, CURLOPT_USE_SSL, (long)(mail->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
        curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
        if (mail->ca_file != NULL) curl.easy_setopt(easy, CURLOPT_CAINFO, mail->ca_file);
}

static void set_callbacks(struct smtp_exchange *x)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_PRIVATE, &x->transfer);
        curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, x->detail);
        curl.easy_setopt(easy, CURLOPT_READFUNCTION, message_wanted);
        curl.easy_setopt(easy, CURLOPT_READDATA, x);
        curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_reply);
        curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore_reply);
        curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, x);
        curl.easy_setopt(easy, CURLOPT_DEBUGFUNCTION, dialogue);
        curl.easy_setopt(easy, CURLOPT_DEBUGDATA, x);
        curl.easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

struct smtp_exchange *smtp_start(
    struct http *http, const struct smtp_mail *mail, smtp_done *done, void *context)
{
        struct smtp_exchange *x = mem_alloc(sizeof *x);
        x->http = http;
        x->transfer.completed = completed;
        x->done = done;
        x->context = context;
        x->message = mem_dup(mail->message, mail->message_len);
        x->len = mail->message_len;
        x->label = mem_strdup(mail->url);
        for (size_t i = 0; i < mail->to_count; i++) x->to = curl.slist_append(x->to, mail->to[i]);
        x->transfer.easy = curl.easy_init();
        if (x->transfer.easy == NULL) abort(); /* out of memory, as in mem_alloc */
        set_dialogue(x, mail);
        set_callbacks(x);
        http_multi_add(http_multi_of(http), x->transfer.easy);
        return x;
}

void smtp_cancel(struct smtp_exchange *exchange)
{
        if (exchange != NULL) exchange_free(exchange);
}
