/* Setting the rooms up, the loop, taking them down; see server.h. */
#include "providers/sandbox/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/text.h"
#include "providers/sandbox/cloud.h"
#include "providers/sandbox/hosts.h"
#include "providers/sandbox/http.h"
#include "providers/sandbox/outputs.h"
#include "providers/sandbox/watch.h"

enum { BACKLOG = 4096, TOKEN_BYTES = 16 };

struct signals {
        struct sandbox_watch watch;
        int descriptor;
        sigset_t before; /* the mask to go back to */
        struct sandbox_cloud *cloud;
        bool stop;
};

struct listener {
        int socket;
        char url[128];
};

static void on_signal(struct sandbox_watch *watch, uint32_t events)
{
        (void)events;
        struct signals *signals = (struct signals *)watch;
        struct signalfd_siginfo info;
        if (read(signals->descriptor, &info, sizeof info) != sizeof info) return;
        if (info.ssi_signo == SIGCHLD)
                sandbox_hosts_reap(signals->cloud->hosts);
        else
                signals->stop = true;
}

/* A peer that goes away while it is written to must not end the server: SIGPIPE is blocked and never read. */
static int signals_open(struct signals *signals, struct sandbox_watches *watches, struct error **err)
{
        sigset_t wanted, blocked;
        struct sigaction hangup;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGINT);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGCHLD);
        sigaction(SIGHUP, NULL, &hangup); /* under nohup it is ignored, and must stay so */
        if (hangup.sa_handler != SIG_IGN) sigaddset(&wanted, SIGHUP);
        blocked = wanted;
        sigaddset(&blocked, SIGPIPE);
        signals->watch.ready = on_signal;
        sigprocmask(SIG_BLOCK, &blocked, &signals->before);
        signals->descriptor = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
        if (signals->descriptor < 0) return error_system(err, errno, "wait for signals");
        return sandbox_watches_add(watches, signals->descriptor, EPOLLIN, &signals->watch, err);
}

static void signals_close(struct signals *signals)
{
        if (signals->descriptor < 0) return;
        close(signals->descriptor);
        /* a broken pipe that is still pending would strike once the mask is gone */
        struct timespec at_once = {0};
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        while (sigtimedwait(&pipe, NULL, &at_once) > 0) continue;
        sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

static bool is_loopback(const struct sockaddr *address)
{
        if (address->sa_family == AF_INET)
                return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
        return address->sa_family == AF_INET6 &&
               IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "HOST:PORT" or "[HOST]:PORT" into its parts; the caller frees *host. */
static int split_address(const char *text, char **host, const char **port, struct error **err)
{
        const char *colon = strrchr(text, ':');
        if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
            strlen(colon + 1) > 5 || atoi(colon + 1) > 65535)
                return error_set(err, ERROR_INPUT, NULL,
                    "listen on '%s': expected ADDRESS:PORT such as 127.0.0.1:7070", text);
        size_t len = (size_t)(colon - text);
        bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
        *host = bracketed ? mem_strndup(text + 1, len - 2) : mem_strndup(text, len);
        *port = colon + 1;
        return 0;
}

static int bind_address(const struct addrinfo *found, const char *text, bool allow_public,
    struct listener *ret, struct error **err)
{
        char host[64], port[16];
        struct sockaddr_storage bound;
        socklen_t len = sizeof bound;
        int on = 1;
        if (!allow_public && !is_loopback(found->ai_addr))
                return error_set(err, ERROR_INPUT, NULL,
                    "listen on '%s': others could reach it; the practice cloud serves loopback only unless "
                    "public addresses are allowed",
                    text);
        ret->socket = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (ret->socket < 0) return error_system(err, errno, "listen on %s", text);
        setsockopt(ret->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(ret->socket, found->ai_addr, found->ai_addrlen) < 0 || listen(ret->socket, BACKLOG) < 0 ||
            getsockname(ret->socket, (struct sockaddr *)&bound, &len) < 0)
                return error_system(err, errno, "listen on %s", text);
        getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV);
        bool v6 = found->ai_family == AF_INET6;
        snprintf(ret->url, sizeof ret->url, v6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
        return 0;
}

static int listener_open(const struct sandbox_options *options, struct listener *ret, struct error **err)
{
        const char *text = options->listen ? options->listen : "127.0.0.1:7070", *port = NULL;
        cleanup_free char *host = NULL;
        struct addrinfo hints = {.ai_family = AF_UNSPEC,
                            .ai_socktype = SOCK_STREAM,
                            .ai_flags = AI_NUMERICSERV},
                        *found;
        if (split_address(text, &host, &port, err) < 0) return -1;
        int failed = getaddrinfo(host, port, &hints, &found);
        if (failed != 0)
                return error_set(err, ERROR_INPUT, NULL, "listen on '%s': %s", text, gai_strerror(failed));
        int result = bind_address(found, text, options->allow_public, ret, err);
        freeaddrinfo(found);
        return result;
}

static int check_token(const char *token, struct error **err)
{
        size_t len = strlen(token);
        if (len == 0 || len > 1024)
                return error_set(err, ERROR_INPUT, NULL, "the token must have 1 to 1024 characters");
        for (size_t i = 0; i < len; i++)
                if (token[i] <= 0x20 || token[i] >= 0x7F)
                        return error_set(
                            err, ERROR_INPUT, NULL, "the token must be printable ASCII without spaces");
        return 0;
}

static int set_behaviour(
    struct sandbox_cloud *cloud, const struct sandbox_options *options, struct error **err)
{
        struct sandbox_refusal refusal;
        json_t *settings = json_object();
        if (options->latency != NULL) json_object_set_new(settings, "latency", json_string(options->latency));
        if (options->rate != NULL) json_object_set_new(settings, "rate", json_string(options->rate));
        int result = sandbox_control_set(&cloud->control, settings, &refusal);
        json_decref(settings);
        cloud->control.duplicate_names = options->duplicate_names;
        cloud->control.ignore_keys = options->ignore_keys;
        return result < 0 ? error_set(err, ERROR_INPUT, NULL, "%s", refusal.detail) : 0;
}

/* Every server holds a descriptor, and so does every connection. */
static void raise_descriptor_limit(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
}

static void announce(const struct listener *listener, const struct sandbox_cloud *cloud, const char *drawn)
{
        const char *note = sandbox_hosts_note(cloud->hosts);
        printf("sandbox ready on %s, ", listener->url);
        if (note != NULL)
                printf("no SSH servers: %s", note);
        else
                printf("SSH servers available");
        printf(drawn ? ", token %s\n" : "\n", drawn);
        fflush(stdout);
}

static int run_loop(struct sandbox_watches *watches, struct sandbox_http *http, const struct signals *signals,
    struct error **err)
{
        while (!signals->stop) {
                if (sandbox_watches_run(watches, sandbox_http_timeout(http), err) < 0) return -1;
                if (sandbox_http_run(http, err) < 0) return -1;
        }
        return 0;
}

/* Everything between an open set of watches and its end. */
static int serve(const struct sandbox_options *options, struct sandbox_watches *watches,
    struct sandbox_cloud *cloud, struct signals *signals, struct error **err)
{
        struct listener listener = {.socket = -1};
        char drawn[2 * TOKEN_BYTES + 1];
        unsigned char random[TOKEN_BYTES];
        const char *token = options->token;
        if (token == NULL) {
                RAND_bytes(random, sizeof random);
                text_hex(random, sizeof random, drawn);
                token = drawn;
        }
        if (check_token(token, err) < 0 || set_behaviour(cloud, options, err) < 0) return -1;
        if (sandbox_cloud_open(cloud, options->data, err) < 0) return -1;
        cloud->hosts = sandbox_hosts_new(watches, cloud->disk.directory, !options->no_ssh, err);
        if (cloud->hosts == NULL || sandbox_outputs_revive(cloud, err) < 0) return -1;
        if (signals_open(signals, watches, err) < 0) return -1;
        if (listener_open(options, &listener, err) < 0) {
                if (listener.socket >= 0) close(listener.socket);
                return -1;
        }
        cleanup(sandbox_http_free) struct sandbox_http *http = sandbox_http_new(
            watches, cloud, listener.socket, token, err);
        if (http == NULL) return -1;
        announce(&listener, cloud, options->token ? NULL : drawn);
        return run_loop(watches, http, signals, err);
}

int sandbox_serve(const struct sandbox_options *options, struct error **err)
{
        struct sandbox_watches watches;
        struct sandbox_cloud cloud = {.disk = {.file = -1, .lock = -1}};
        struct signals signals = {.descriptor = -1, .cloud = &cloud};
        raise_descriptor_limit();
        if (sandbox_watches_open(&watches, err) < 0) return -1;
        int result = serve(options, &watches, &cloud, &signals, err);
        sandbox_cloud_release(&cloud);
        signals_close(&signals);
        sandbox_watches_close(&watches);
        return result;
}
