/*
 * A mail becomes a transfer; see smtp.h.
 *
 * What is special: curl says QUIT when it closes a connection, and then waits for the answer without going back to the loop. A
 * server that leaves QUIT unanswered would stop everything. So the socket is shut down as soon as QUIT is written, which the
 * debug callback tells: the answer, which nobody needs, is the end of the stream.
 */
#include "io/smtp.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "io/transfer_item.h"

/* The inode tells whether the descriptor is still what it was when it was opened. */
struct opened {
        int fd;
        ino_t inode;
};

struct smtp_exchange {
        struct transfer transfer; /* first: the transfer is the exchange */
        struct curl_slist *to;
        char *message;
        size_t len, sent;
        struct opened
            *sockets; /* one for each address that was tried; all but one are closed before the dialogue */
        size_t socket_count, socket_capacity;
        smtp_done *done;
        void *context;
};

static void exchange_release(struct transfer *transfer)
{
        struct smtp_exchange *x = (struct smtp_exchange *)transfer;
        curl.slist_free_all(x->to);
        free(x->message);
        free(x->sockets);
        free(x);
}

static void exchange_opened(struct transfer *transfer, int socket)
{
        struct smtp_exchange *x = (struct smtp_exchange *)transfer;
        struct stat st;
        if (fstat(socket, &st) == 0)
                vec_push(x->sockets, x->socket_count, x->socket_capacity,
                    (struct opened){.fd = socket, .inode = st.st_ino});
}

/* curl's own words name host and port, and for a refusal the server's code; never user or password. */
static void exchange_explain(struct transfer *transfer, CURLcode code)
{
        long reply = 0;
        curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply);
        if (code == CURLE_LOGIN_DENIED)
                error_set(&transfer->error, ERROR_DENIED, NULL, "%s: the server refused user or password",
                    transfer->label);
        else if (code == CURLE_USE_SSL_FAILED)
                error_set(&transfer->error, ERROR_DENIED, NULL, "%s: the server offers no STARTTLS",
                    transfer->label);
        else if (reply >= 400)
                error_set(&transfer->error, ERROR_PROVIDER, NULL, "%s: the server refused the mail with %ld",
                    transfer->label, reply);
}

static void exchange_report(struct transfer *transfer)
{
        struct smtp_exchange *x = (struct smtp_exchange *)transfer;
        x->done(x->context, transfer->error);
}

static const struct transfer_protocol smtp_protocol = {
    .schemes = "smtp,smtps",
    .fault = "smtp.reply",
    .opened = exchange_opened,
    .explain = exchange_explain,
    .report = exchange_report,
    .release = exchange_release,
};

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

/* With TLS too: what is written is on its way. */
static void hang_up(struct smtp_exchange *x)
{
        for (size_t i = 0; i < x->socket_count; i++) {
                const struct opened *o = &x->sockets[i];
                struct stat st;
                if (fstat(o->fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == o->inode)
                        shutdown(o->fd, SHUT_RDWR);
        }
}

static int dialogue(CURL *easy, curl_infotype type, char *data, size_t len, void *context)
{
        (void)easy;
        if (type == CURLINFO_HEADER_OUT && len >= 4 && memcmp(data, "QUIT", 4) == 0) hang_up(context);
        return 0;
}

/* ---- start ---- */

static int set_transfer(struct smtp_exchange *x, const struct smtp_mail *mail)
{
        struct transfer_settings settings = {
            .url = mail->url,
            .timeout_ms = mail->timeout_ms,
            .ca_file = mail->ca_file,
            .direct = true,
            .once = true,
        };
        return transfer_set(&x->transfer, &settings);
}

static void set_protocol(struct smtp_exchange *x, const struct smtp_mail *mail)
{
        CURL *easy = x->transfer.easy;
        curl.easy_setopt(easy, CURLOPT_USE_SSL, (long)(mail->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
        curl.easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        curl.easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
        curl.easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
        curl.easy_setopt(easy, CURLOPT_MAIL_RCPT, x->to);
        curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl.easy_setopt(easy, CURLOPT_READFUNCTION, message_wanted);
        curl.easy_setopt(easy, CURLOPT_READDATA, x);
        curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_reply);
        curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore_reply);
        curl.easy_setopt(easy, CURLOPT_DEBUGFUNCTION, dialogue);
        curl.easy_setopt(easy, CURLOPT_DEBUGDATA, x);
        curl.easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

struct smtp_exchange *smtp_start(
    struct transfers *transfers, const struct smtp_mail *mail, smtp_done *done, void *context)
{
        struct smtp_exchange *x = mem_alloc(sizeof *x);
        x->done = done;
        x->context = context;
        x->message = mem_dup(mail->message, mail->message_len);
        x->len = mail->message_len;
        for (size_t i = 0; i < mail->to_count; i++) x->to = curl.slist_append(x->to, mail->to[i]);
        transfer_init(&x->transfer, transfers, &smtp_protocol);
        if (set_transfer(x, mail) == 0) set_protocol(x, mail);
        transfer_start(&x->transfer);
        return x;
}

void smtp_cancel(struct smtp_exchange *exchange)
{
        if (exchange != NULL) transfer_cancel(&exchange->transfer);
}
