/*
 * Transfers: one handle of curl's from its start to the report of its outcome, the same for every protocol; see transfer_item.h.
 *
 * Nothing that a user did not ask for is left to curl's defaults here: which protocols it may speak, who must vouch for the server,
 * how long it takes at most, and which proxies.
 */
#include "io/transfer_item.h"

#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/text.h"
#include "io/transfer_multi.h"

enum { TIMEOUT_DEFAULT_MS = 60000, CONNECT_TIMEOUT_DEFAULT_MS = 10000 };

struct transfers {
        struct loop *loop;
        struct transfer_multi *multi;
        CURLSH *share; /* TLS sessions; names and connections are shared by the multi handle anyway */
        struct ring under_way;
};

/* ---- the end ---- */

static void transfer_free(struct transfer *t)
{
        transfer_multi_remove(t->transfers->multi, t->easy);
        curl.easy_cleanup(t->easy);
        timer_cancel(t->refused);
        ring_remove(&t->place);
        error_free(t->error);
        free(t->label);
        t->protocol->release(t);
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
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_LOGIN_DENIED:
        case CURLE_USE_SSL_FAILED: return ERROR_DENIED;
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

static void set_outcome(struct transfer *t, CURLcode code)
{
        if (code == CURLE_OK && !fault_here(t->protocol->fault)) return;
        if (code != CURLE_OK && t->protocol->explain != NULL) t->protocol->explain(t, code);
        if (t->error != NULL) return;
        if (code == CURLE_OK || code == CURLE_ABORTED_BY_CALLBACK)
                error_set(&t->error, ERROR_RETRY, NULL, "%s: the connection was closed before a reply came",
                    t->label);
        else
                error_set(&t->error, kind_of(code), NULL, "%s: %s", t->label,
                    t->detail[0] ? t->detail : curl.easy_strerror(code));
}

static void completed(CURL *easy, CURLcode code)
{
        struct transfer *t = NULL;
        curl.easy_getinfo(easy, CURLINFO_PRIVATE, &t);
        set_outcome(t, code);
        /* Off curl's list before the callback, which may start and cancel others. */
        transfer_multi_remove(t->transfers->multi, easy);
        t->protocol->report(t);
        transfer_free(t);
}

static void report_refused(void *context)
{
        struct transfer *t = context;
        t->refused = NULL;
        t->protocol->report(t);
        transfer_free(t);
}

void transfer_cancel(struct transfer *transfer)
{
        if (transfer != NULL) transfer_free(transfer);
}

/* ---- address, security, times ---- */

/* By what it is, not by how it begins: 127.example.org is some host. */
static bool is_loopback(const char *host)
{
        bool number = host[strspn(host, "0123456789.")] == '\0';
        return strcasecmp(host, "localhost") == 0 || text_ends(host, ".localhost") ||
               (number && text_starts(host, "127.")) || strcmp(host, "[::1]") == 0;
}

/* The parts of a URL; curl's memory. */
struct address {
        CURLU *url;
        char *scheme, *host, *port; /* port: NULL when the URL names none */
};

static void address_release(struct address *a)
{
        curl.free(a->scheme);
        curl.free(a->host);
        curl.free(a->port);
        curl.url_cleanup(a->url);
}

/* False and the transfer's error: malformed, or of a scheme that is not the protocol's. */
static bool address_parse(struct address *a, struct transfer *t, const struct transfer_settings *s)
{
        const char *schemes = t->protocol->schemes, *second = strchr(schemes, ',') + 1;
        const char *verb = s->verb ? s->verb : "", *colon = s->verb ? ": " : "";
        a->url = curl.url();
        CURLUcode rc = curl.url_set(a->url, CURLUPART_URL, s->url, CURLU_PATH_AS_IS);
        if (rc == CURLUE_OK) {
                curl.url_get(a->url, CURLUPART_SCHEME, &a->scheme, 0);
                curl.url_get(a->url, CURLUPART_HOST, &a->host, 0);
                curl.url_get(a->url, CURLUPART_PORT, &a->port, 0);
        }
        size_t len = a->scheme != NULL ? strlen(a->scheme) : 0;
        bool good = a->host != NULL && len > 0 &&
                    ((strncmp(a->scheme, schemes, len) == 0 && schemes[len] == ',') ||
                        strcmp(a->scheme, second) == 0);
        if (rc != CURLUE_OK)
                error_set(
                    &t->error, ERROR_INPUT, NULL, "%s%sbad URL: %s", verb, colon, curl.url_strerror(rc));
        else if (!good)
                error_set(&t->error, ERROR_INPUT, NULL, "%s%sbad URL: it must begin with %.*s:// or %s://",
                    verb, colon, (int)(second - 1 - schemes), schemes, second);
        return good;
}

/* Sets the label. Returns 1 for a host on this machine, 0 for another, -1. */
static int check_address(struct transfer *t, const struct transfer_settings *s)
{
        struct address a = {0};
        int result = -1;
        if (address_parse(&a, t, s)) {
                result = is_loopback(a.host);
                t->label = mem_printf("%s%s%s://%s%s%s%s%s", s->verb ? s->verb : "", s->verb ? " " : "",
                    a.scheme, a.host, a.port ? ":" : "", a.port ? a.port : "", s->unix_socket ? " at " : "",
                    s->unix_socket ? s->unix_socket : "");
        }
        address_release(&a);
        return result;
}

/* Commands that we start must not inherit connections. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
        struct transfer *t = context;
        (void)purpose;
        int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        if (fd >= 0 && t->protocol->opened != NULL) t->protocol->opened(t, fd);
        return fd;
}

static void set_connection(struct transfer *t, const struct transfer_settings *s, bool local)
{
        CURL *easy = t->easy;
        int64_t timeout = s->timeout_ms ? s->timeout_ms : TIMEOUT_DEFAULT_MS;
        int64_t connect = s->connect_timeout_ms ? s->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS;
        curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
        curl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout);
        curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
        curl.easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, s->unix_socket);
        /* A proxy from the environment cannot reach what is on this machine. */
        if (local || s->unix_socket != NULL || s->direct) curl.easy_setopt(easy, CURLOPT_PROXY, "");
        curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, s->once ? 1L : 0L);
        curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, s->once ? 1L : 0L);
}

static void set_security(CURL *easy, const struct transfer_settings *s)
{
        curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        if (s->ca_file != NULL) curl.easy_setopt(easy, CURLOPT_CAINFO, s->ca_file);
        curl.easy_setopt(easy, CURLOPT_SSLCERT, s->cert_file);
        curl.easy_setopt(easy, CURLOPT_SSLKEY, s->key_file);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, s->insecure ? 0L : 1L);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, s->insecure ? 0L : 2L);
}

int transfer_set(struct transfer *t, const struct transfer_settings *settings)
{
        int local = check_address(t, settings);
        if (local < 0) return -1;
        curl.easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, t->protocol->schemes);
        curl.easy_setopt(t->easy, CURLOPT_URL, settings->url);
        curl.easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
        curl.easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
        set_connection(t, settings, local);
        set_security(t->easy, settings);
        return 0;
}

/* ---- the start ---- */

void transfer_init(
    struct transfer *transfer, struct transfers *transfers, const struct transfer_protocol *protocol)
{
        transfer->protocol = protocol;
        transfer->transfers = transfers;
        ring_add_last(&transfers->under_way, &transfer->place);
        transfer->easy = curl.easy_init();
        if (transfer->easy == NULL) abort(); /* out of memory, as in mem_alloc */
        curl.easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
        curl.easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->detail);
        curl.easy_setopt(transfer->easy, CURLOPT_SHARE, transfers->share);
}

void transfer_start(struct transfer *t)
{
        if (t->error != NULL)
                t->refused = timer_start(t->transfers->loop, 0, report_refused, t);
        else
                transfer_multi_add(t->transfers->multi, t->easy);
}

/* ---- those of a loop ---- */

/* Each transfer may hold a connection; a shell's usual limit of 1024 files is no bound of ours. */
static void raise_file_limit(void)
{
        enum { WANTED = 16384 };
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= WANTED) return;
        limit.rlim_cur = limit.rlim_max < WANTED ? limit.rlim_max : WANTED;
        setrlimit(RLIMIT_NOFILE, &limit);
}

int transfers_new(struct loop *loop, struct transfers **ret, struct error **err)
{
        if (curl_library_load(err) < 0) return -1;
        if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_set(err, ERROR_SYSTEM, NULL, "start libcurl: it cannot be initialised");
        struct transfers *transfers = mem_alloc(sizeof *transfers);
        transfers->loop = loop;
        ring_init(&transfers->under_way);
        transfers->share = curl.share_init();
        curl.share_setopt(transfers->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
        if (transfer_multi_new(loop, completed, &transfers->multi, err) < 0) {
                transfers_free(transfers);
                return -1;
        }
        raise_file_limit();
        *ret = transfers;
        return 0;
}

void transfers_free(struct transfers *transfers)
{
        if (transfers == NULL) return;
        for (struct ring *place; (place = ring_take_first(&transfers->under_way)) != NULL;)
                transfer_free((struct transfer *)place);
        transfer_multi_free(transfers->multi);
        curl.share_cleanup(transfers->share);
        free(transfers);
        curl.global_cleanup();
}
