/* Commands over SSH, against sshd processes of the test's own on loopback. */
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/ssh.h"

/* ---- servers ---- */

struct server {
        const char *name, *options;
        unsigned port;
        pid_t pid;
        char *host_key; /* "type base64" */
};

static char folder[] = "/tmp/tutti-ssh-XXXXXX";
static const char *user;

static char *in_folder(const char *name)
{
        return mem_printf("%s/%s", folder, name);
}

__attribute__((format(printf, 1, 2))) static bool shell(const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *command = mem_vprintf(fmt, ap);
        va_end(ap);
        return system(command) == 0;
}

/* Without the fault points of file_read and file_write, which are configured at first use. */
static char *contents(const char *name)
{
        cleanup_free char *path = in_folder(name);
        struct text text = {0};
        FILE *f = fopen(path, "r");
        for (int c; f != NULL && (c = getc(f)) != EOF;) text_addc(&text, (char)c);
        if (f != NULL) fclose(f);
        return text_steal(&text);
}

static void put(const char *path, const char *text)
{
        FILE *f = fopen(path, "w");
        if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) exit(1);
}

static int listen_tcp(unsigned *port)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0) exit(1);
        getsockname(fd, (struct sockaddr *)&a, &len);
        *port = ntohs(a.sin_port);
        return fd;
}

static bool answers(unsigned port)
{
        struct sockaddr_in a = {.sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
            .sin_port = htons((in_port_t)port)};
        char byte;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool up = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && read(fd, &byte, 1) == 1;
        close(fd);
        return up;
}

static void server_run(struct server *s)
{
        cleanup_free char *config = mem_printf("%s/%s.config", folder, s->name),
                          *log = mem_printf("%s/%s.log", folder, s->name);
        s->pid = fork();
        if (s->pid == 0) {
                int null = open("/dev/null", O_RDWR);
                dup2(null, 0);
                dup2(null, 1);
                dup2(null, 2);
                execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-f", config, "-E", log, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; i < 500 && !answers(s->port); i++) usleep(10000);
}

static void server_start(struct server *s)
{
        close(listen_tcp(&s->port));
        shell("ssh-keygen -q -t ed25519 -N '' -C '' -f %s/%s.host", folder, s->name);
        cleanup_free char *public = mem_printf("%s.host.pub", s->name),
                          *config = mem_printf("%s/%s.config", folder, s->name);
        s->host_key = contents(public);
        s->host_key[strcspn(s->host_key, "\n")] = '\0';
        while (text_ends(s->host_key, " ")) s->host_key[strlen(s->host_key) - 1] = '\0';
        cleanup_free char *text = mem_printf(
            "ListenAddress 127.0.0.1\nPort %u\nHostKey %s/%s.host\nPidFile none\n"
            "AuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\n"
            "PermitRootLogin yes\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nLogLevel INFO\nSetEnv SHLVL=5\n%s\n",
            s->port, folder, s->name, folder, s->options ? s->options : "");
        put(config, text);
        server_run(s);
}

/* With the connections that it serves. */
static void each_child(const struct server *s, int number)
{
        cleanup_free char *path = mem_printf("/proc/%d/task/%d/children", (int)s->pid, (int)s->pid);
        FILE *f = fopen(path, "r");
        int child;
        while (f != NULL && fscanf(f, "%d", &child) == 1) kill(child, number);
        if (f != NULL) fclose(f);
}

static void server_stop(struct server *s)
{
        each_child(s, SIGKILL);
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
}

static int logins(const struct server *s)
{
        cleanup_free char *name = mem_printf("%s.log", s->name), *log = contents(name);
        int count = 0;
        for (const char *p = log; (p = strstr(p, "Accepted ")) != NULL; p++) count++;
        return count;
}

/* ---- asking them ---- */

struct result {
        struct loop *loop;
        struct ssh *ssh;
        int calls, waiting, good, highest;
        int status, kind;
        int64_t sum;
        const char *big;
        bool started, truncated, pinned;
        char signal[16], message[600], host_key[800];
        char *out, *err;
        size_t out_len;
};

static void take(void *context, const struct ssh_reply *reply, const struct error *error, bool started)
{
        struct result *r = context;
        r->calls++;
        r->started = started;
        r->kind = error ? (int)error_kind(error) : -1;
        snprintf(r->message, sizeof r->message, "%s", error_message(error));
        free(r->out);
        free(r->err);
        r->out = r->err = NULL;
        r->status = -99;
        if (error != NULL && r->waiting > 1) printf("# %s\n", r->message);
        if (reply != NULL && reply->exit_status != 0 && r->waiting > 1)
                printf("# status %d: %s\n", reply->exit_status, reply->err);
        if (reply != NULL) {
                r->status = reply->exit_status;
                r->good += reply->exit_status == 0;
                r->truncated = reply->truncated;
                r->pinned = reply->pinned;
                snprintf(r->signal, sizeof r->signal, "%s", reply->exit_signal ? reply->exit_signal : "");
                snprintf(r->host_key, sizeof r->host_key, "%s", reply->host_key);
                r->out = mem_dup(reply->out, reply->out_len);
                r->err = mem_dup(reply->err, reply->err_len);
                r->out_len = reply->out_len;
        }
        if (--r->waiting == 0) loop_stop(r->loop);
}

/* For echoes of `big` from somewhere near its beginning. */
static void take_sum(void *context, const struct ssh_reply *reply, const struct error *error, bool started)
{
        struct result *r = context;
        bool same = false;
        for (int i = 0; i < 8 && reply != NULL && !same; i++)
                same = memcmp(reply->out, r->big + i, reply->out_len) == 0;
        if (same) r->sum += (int64_t)reply->out_len;
        take(r, reply, error, started);
}

static void stop(void *context)
{
        loop_stop(context);
}

static void wait_ms(struct result *r, int64_t ms)
{
        timer_start(r->loop, ms, stop, r->loop);
        loop_run(r->loop);
}

static void run(struct result *r, struct ssh_request request)
{
        if (request.command == NULL) request.command = "true";
        r->waiting = 1;
        r->calls = 0;
        ssh_start(r->ssh, &request, take, r);
        if (r->calls != 0) ok(false, "completed inside its start");
        loop_run(r->loop);
}
#define RUN(r, h, ...) run((r), (struct ssh_request){.host = (h), __VA_ARGS__})

static bool has(const char *text, const char *part)
{
        return text != NULL && strstr(text, part) != NULL;
}

/* The usual way in; the key in memory. */
static struct ssh_host host_of(const struct server *s)
{
        static char *key;
        if (key == NULL) key = contents("id");
        return (struct ssh_host){
            .address = "127.0.0.1", .port = s->port, .user = user, .key = key, .host_key = s->host_key};
}

/* ---- the tests ---- */

static void test_commands(struct result *r, const struct server *s)
{
        struct ssh_host h = host_of(s);
        RUN(r, h, .command = "echo out; echo err >&2; exit 7");
        is_int(r->status, 7, "the exit status");
        is_str(r->out, "out\n", "standard output");
        is_str(r->err, "err\n", "standard error");
        ok(r->started && !r->pinned && !r->truncated, "no surprises");
        is_str(r->host_key, s->host_key, "the key that the host showed");
        RUN(r, h, .command = "kill -TERM $$");
        is_str(r->signal, "TERM", "a signal ended it");
        is_int(r->status, -1, "so there is no status");
        RUN(r, h, .command = "cat; echo end");
        is_str(r->out, "end\n", "without input there is none to wait for");
        RUN(r, h, .command = "cat", .input = "a\0b", .input_len = 3);
        ok(r->out_len == 3 && memcmp(r->out, "a\0b", 3) == 0, "input and output are bytes");
        is_int(logins(s), 1, "all over one connection");
}

static void test_volume(struct result *r, const struct server *s)
{
        struct ssh_host h = host_of(s);
        size_t len = 5 << 20;
        char *big = mem_alloc(len);
        for (size_t i = 0; i < len; i++) big[i] = (char)(i * 2654435761u >> 24);
        RUN(r, h, .command = "wc -c", .input = big, .input_len = len);
        is_int(r->out ? atoi(r->out) : -1, (int)len, "5 MB of input");
        RUN(r, h, .command = "head -c 5242880 /dev/zero", .output_max = len);
        ok(r->out_len == len && !r->truncated, "5 MB of output");
        RUN(r, h, .command = "cat", .input = big, .input_len = len, .output_max = len);
        ok(r->out_len == len && memcmp(r->out, big, len) == 0, "5 MB there and back, unharmed");
        r->waiting = 8;
        r->good = 0;
        for (int i = 0; i < 8; i++) {
                ssh_start(r->ssh,
                    &(struct ssh_request){.host = h,
                        .command = "cat",
                        .input = big + i,
                        .input_len = len - 8,
                        .output_max = len},
                    take_sum, r);
        }
        r->sum = 0;
        r->big = big;
        loop_run(r->loop);
        ok(r->good == 8 && r->sum == 8 * (int64_t)(len - 8), "eight times 5 MB at once, over one connection");
        RUN(r, h, .command = "head -c 3000000 /dev/zero; echo end >&2", .output_max = 1000);
        ok(r->out_len == 1000 && r->truncated && has(r->err, "end"), "output is bounded, and says so");
        RUN(r, h, .command = "exec <&-; echo done", .input = big, .input_len = len);
        ok(r->status == 0 && has(r->out, "done"), "input need not be read");
        RUN(r, h, .command = "exec >&- 2>&-; test $(wc -c) = 5242880", .input = big, .input_len = len);
        is_int(r->status, 0, "input is fed after the output has ended");
        free(big);
}

static void test_host_keys(struct result *r, const struct server *s)
{
        struct ssh_host h = host_of(s);
        cleanup_free char *known = in_folder("known"), *empty = in_folder("no-such-file");
        cleanup_free char *other_key = contents("id.pub");
        cleanup_free char *line = mem_printf(
            "# comment\n\n@cert-authority * ssh-ed25519 AAAA\nother,[127.0.0.1]:%u %s comment\n", s->port,
            s->host_key);

        cleanup_free char *commented = mem_printf("127.0.0.1 %s root@host\n", s->host_key);
        h.host_key = commented;
        RUN(r, h, .command = "true");
        is_int(r->status, 0, "a given key as in known_hosts");
        h.host_key = other_key;
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && !r->started && has(r->message, "another key"),
            "another key is refused: %s", r->message);
        h.pin = true;
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_DENIED, "also with pin");
        h.host_key = "nonsense";
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_INPUT, "what is no key at all");

        h.host_key = NULL;
        h.pin = false;
        h.known_hosts = empty;
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && has(r->message, s->host_key), "an unknown key is refused, and shown");
        h.pin = true;
        RUN(r, h, .command = "true");
        ok(r->status == 0 && r->pinned, "pin allows it");
        is_str(r->host_key, s->host_key, "and reports it");

        h.known_hosts = known;
        h.pin = false;
        put(known, line);
        RUN(r, h, .command = "true");
        ok(r->status == 0 && !r->pinned, "a key in known_hosts");
        ok(shell("ssh-keygen -q -H -f %s >/dev/null 2>&1 && grep -q '^|1|' %s", known, known),
            "# hashed by ssh-keygen");
        h.user = user;
        h.passphrase = "x"; /* another connection */
        RUN(r, h, .command = "true");
        ok(r->status == 0 && !r->pinned, "in a hashed one");
        cleanup_free char *wild = mem_printf("!x,[127.*]:%u %s", s->port, s->host_key);
        put(known, wild);
        h.passphrase = "y";
        RUN(r, h, .command = "true");
        is_int(r->status, 0, "by a pattern");
        cleanup_free char *changed = mem_printf("[127.0.0.1]:%u %s", s->port, other_key);
        put(known, changed);
        h.passphrase = "z";
        h.pin = true;
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && has(r->message, known),
            "one that differs from the known is refused, also with pin");
        cleanup_free char *revoked = mem_printf(
            "@revoked * %s\n[127.0.0.1]:%u %s", s->host_key, s->port, s->host_key);
        put(known, revoked);
        h.passphrase = "v";
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && has(r->message, "revoked"), "a revoked one");
}

static void test_logins(struct result *r, const struct server *s)
{
        struct ssh_host plain = host_of(s), h = plain;
        plain.key = NULL;
        static const struct {
                const char *file, *passphrase;
                int kind;
                const char *name;
        } keys[] = {{"id", NULL, -1, "ed25519"}, {"rsa", NULL, -1, "RSA in OpenSSH form"},
            {"rsa-pem", NULL, -1, "RSA in PEM"}, {"rsa-locked", "secret", -1, "RSA in PEM with a passphrase"},
            {"ecdsa", NULL, -1, "ECDSA"}, {"ecdsa-pem", NULL, -1, "ECDSA in PEM"},
            {"ecdsa521", NULL, -1, "ECDSA, 521 bits"}, {"ed-pkcs8", NULL, -1, "ed25519 in PEM"},
            {"locked", "secret", -1, "ed25519 with a passphrase"},
            {"locked", NULL, ERROR_INPUT, "none given"}, {"locked", "wrong", ERROR_INPUT, "a wrong one"},
            {"rsa-locked", "wrong", ERROR_INPUT, "a wrong one, RSA"},
            {"rsa-locked", NULL, ERROR_INPUT, "none, RSA"},
            {"rsa-locked-openssh", "secret", ERROR_INPUT, "RSA in OpenSSH form with a passphrase"},
            {"stranger", NULL, ERROR_DENIED, "a key that the host does not know"},
            {"missing", NULL, ERROR_INPUT, "no such file"}, {"known", NULL, ERROR_INPUT, "not a key"}};
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                cleanup_free char *path = in_folder(keys[i].file);
                h = plain;
                h.key_file = path;
                h.passphrase = keys[i].passphrase;
                RUN(r, h, .command = "true");
                ok(r->kind == keys[i].kind && (r->kind >= 0 || r->status == 0) && r->started == (r->kind < 0),
                    "key file: %s %s", keys[i].name, r->message);
        }
        cleanup_free char *rsa = contents("rsa");
        h = plain;
        h.key = rsa;
        RUN(r, h, .command = "true");
        is_int(r->status, 0, "RSA in memory");
        h = plain;
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_DENIED, "nothing to log in with");
        h.password = "guess";
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && has(r->message, "publickey") && !has(r->message, "guess"),
            "a password that the host does not take: %s", r->message);
        h.password = NULL;
        h.agent = true;
        unsetenv("SSH_AUTH_SOCK");
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_DENIED, "no agent");
        static const char *const held[] = {"id", "rsa", "ecdsa"};
        cleanup_free char *socket_path = in_folder("agent");
        setenv("SSH_AUTH_SOCK", socket_path, 1);
        pid_t agent = fork();
        if (agent == 0) {
                int null = open("/dev/null", O_RDWR);
                dup2(null, 1);
                dup2(null, 2);
                execlp("ssh-agent", "ssh-agent", "-D", "-a", socket_path, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; i < 300 && access(socket_path, F_OK) < 0; i++) usleep(10000);
        for (size_t i = 0; i < 3; i++) {
                shell("ssh-add -q -D 2>/dev/null; ssh-add -q %s/stranger %s/%s 2>/dev/null", folder, folder,
                    held[i]);
                h.passphrase = held[i]; /* another connection each */
                RUN(r, h, .command = "true");
                ok(r->status == 0, "by the agent: %s %s", held[i], r->message);
        }
        kill(agent, SIGTERM);
        waitpid(agent, NULL, 0);
}

static void test_ends(struct result *r, const struct server *s)
{
        struct ssh_host h = host_of(s);
        int64_t start = clock_monotonic_ms();
        RUN(r, h, .command = "sleep 30", .timeout_ms = 200);
        ok(r->kind == ERROR_TIMEOUT && r->started && clock_monotonic_ms() - start < 2000,
            "a command that takes too long");
        RUN(r, h, .command = "yes", .timeout_ms = 200);
        ok(r->kind == ERROR_TIMEOUT && r->started, "and one that says too much");
        RUN(r, h, .command = "echo fine");
        is_str(r->out, "fine\n", "the connection goes on");

        r->calls = 0;
        struct ssh_request request = {
            .host = h, .command = "head -c 100000000 /dev/zero", .input = "x", .input_len = 1};
        struct ssh_exchange *some[6];
        struct ssh_host fresh = h;
        fresh.passphrase = "fresh";
        for (int i = 0; i < 6; i++) {
                request.host = i < 4 ? h : fresh;
                some[i] = ssh_start(r->ssh, &request, take, r);
        }
        ssh_cancel(some[0]);
        ssh_cancel(some[4]);
        timer_start(r->loop, 1, (void (*)(void *))ssh_cancel, some[1]);
        timer_start(r->loop, 30, (void (*)(void *))ssh_cancel, some[2]);
        timer_start(r->loop, 60, (void (*)(void *))ssh_cancel, some[3]);
        timer_start(r->loop, 10, (void (*)(void *))ssh_cancel, some[5]);
        wait_ms(r, 500);
        is_int(r->calls, 0, "no callback follows a cancellation");
        RUN(r, h, .command = "echo fine");
        is_str(r->out, "fine\n", "the connection goes on");
}

static void test_failures(struct result *r, const struct server *s)
{
        struct ssh_host h = host_of(s);
        unsigned port;
        int fd = listen_tcp(&port);
        h.port = port;
        int64_t start = clock_monotonic_ms();
        RUN(r, h, .connect_timeout_ms = 200);
        ok(r->kind == ERROR_TIMEOUT && !r->started && clock_monotonic_ms() - start < 1500,
            "a host that says nothing");
        close(fd);
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "connection refused: %s", r->message);
        h.address = "no-such-host.invalid";
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "no such host: %s", r->message);
        h.address = "127.0.0.1";
        fd = listen_tcp(&h.port);
        pid_t child = fork();
        if (child == 0) {
                for (int i = 0; i < 2; i++) {
                        int peer = accept(fd, NULL, NULL);
                        const char *last = "Exceeded MaxStartups\r\n";
                        if (i == 1 && write(peer, last, strlen(last)) < 0) _exit(1);
                        close(peer);
                }
                _exit(0);
        }
        close(fd);
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "a host that hangs up: %s", r->message);
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "one that is too busy: %s", r->message);
        waitpid(child, NULL, 0);
        h = host_of(s);
        h.user = "a b";
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_INPUT, "a malformed user");
        h.user = user;
        h.address = "";
        RUN(r, h, .command = "true");
        is_int(r->kind, ERROR_INPUT, "no address");
}

static void test_parallel(struct result *r, const struct server *s, int count, int most_logins)
{
        struct ssh_host h = host_of(s);
        int before = logins(s);
        r->waiting = count;
        r->calls = r->good = 0;
        int64_t start = clock_monotonic_ms();
        for (int i = 0; i < count; i++)
                ssh_start(r->ssh,
                    &(struct ssh_request){.host = h,
                        .command = "sleep 0.2; head -c 100000 /dev/zero",
                        .connect_timeout_ms = 60000},
                    take, r);
        loop_run(r->loop);
        ok(r->good == count && r->calls == count, "%d commands at once on %s, in %lld ms %s", count, s->name,
            (long long)(clock_monotonic_ms() - start), r->message);
        ok(logins(s) - before <= most_logins, "over %d new connections", logins(s) - before);
}

static void test_lost(struct result *r, struct server *s)
{
        struct ssh_host h = host_of(s);
        RUN(r, h, .command = "echo out; sleep 0.1; kill -9 $PPID; sleep 5");
        ok(r->status == -1 && r->started && !*r->signal,
            "a connection lost under a command: a reply without status");
        is_str(r->out, "out\n", "with the output so far");
        RUN(r, h, .command = "echo again");
        is_str(r->out, "again\n", "the next command connects anew");
        server_stop(s);
        wait_ms(r, 50);
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "nothing listens any more");
        server_run(s);
        RUN(r, h, .command = "echo back");
        is_str(r->out, "back\n", "after a restart");
        each_child(s, SIGKILL);
        RUN(r, h, .command = "echo at once");
        is_str(r->out, "at once\n", "a connection that died unseen is replaced");
        each_child(s, SIGSTOP);
        RUN(r, h, .command = "echo moved", .connect_timeout_ms = 300);
        is_str(r->out, "moved\n", "so is one whose host is silent");
        each_child(s, SIGKILL);
        wait_ms(r, 100);
}

static void test_jump(struct result *r, const struct server *near, const struct server *far)
{
        struct ssh_host jump = host_of(near), h = host_of(far);
        h.jump = &jump;
        int near_before = logins(near), far_before = logins(far);
        RUN(r, h, .command = "echo $SSH_CONNECTION");
        cleanup_free char *end = mem_printf(" 127.0.0.1 %u\n", far->port);
        ok(r->status == 0 && has(r->out, end), "through a jump host %s", r->message);
        is_str(r->host_key, far->host_key, "the far host's key is the one that counts");
        ok(logins(near) - near_before <= 1 && logins(far) - far_before == 1, "one connection on each");
        size_t len = 5 << 20;
        char *big = mem_alloc(len);
        for (size_t i = 0; i < len; i++) big[i] = (char)(i * 2654435761u >> 24);
        RUN(r, h, .command = "cat", .input = big, .input_len = len, .output_max = len);
        ok(r->out_len == len && memcmp(r->out, big, len) == 0, "5 MB there and back %s", r->message);
        free(big);
        r->waiting = 20;
        r->good = 0;
        for (int i = 0; i < 20; i++) {
                struct ssh_request request = {
                    .host = i % 2 ? h : jump, .command = "sleep 0.1; head -c 200000 /dev/zero"};
                ssh_start(r->ssh, &request, take, r);
        }
        loop_run(r->loop);
        is_int(r->good, 20, "beside commands on the jump host");
        unsigned closed;
        close(listen_tcp(&closed));
        h.port = closed;
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_RETRY && !r->started, "a far host that refuses: %s", r->message);
        int silent = listen_tcp(&h.port);
        RUN(r, h, .connect_timeout_ms = 300);
        ok(r->kind == ERROR_TIMEOUT && !r->started, "one that says nothing: %s", r->message);
        close(silent);
        h.port = far->port;
        jump.host_key = far->host_key;
        RUN(r, h, .command = "true");
        ok(r->kind == ERROR_DENIED && !r->started, "a jump host with another key: %s", r->message);
        jump.host_key = near->host_key;
        each_child(near, SIGKILL);
        RUN(r, h, .command = "echo again");
        is_str(r->out, "again\n", "after the jump host dropped all connections");
}

static void test_fault(const struct server *s)
{
        pid_t child = fork();
        if (child == 0) {
                struct result r = {0};
                struct ssh_host h = host_of(s);
                setenv("TUTTI_FAULT", "fail:2", 1);
                if (loop_new(&r.loop, NULL) < 0 || ssh_new(r.loop, &r.ssh, NULL) < 0) _exit(9);
                RUN(&r, h, .command = "true");
                int outcome = r.status == 0 ? 0 : 1;
                RUN(&r, h, .command = "true");
                if (r.kind != ERROR_RETRY || !r.started) outcome |= 2;
                ssh_free(r.ssh);
                loop_free(r.loop);
                uv_library_shutdown();
                _exit(outcome);
        }
        int status;
        waitpid(child, &status, 0);
        is_int(status, 0, "an injected fault is a lost reply");
}

static bool prepare(void)
{
        if (access("/usr/sbin/sshd", X_OK) < 0 || mkdtemp(folder) == NULL) return false;
        if (getuid() == 0) mkdir("/run/sshd", 0755);
        const struct passwd *p = getpwuid(getuid());
        user = p != NULL ? mem_strdup(p->pw_name) : "root";
        static const char *const keys[] = {"-t ed25519 -N '' -f id", "-t ed25519 -N secret -f locked",
            "-t ed25519 -N '' -f stranger", "-t rsa -b 2048 -N '' -f rsa",
            "-t rsa -b 2048 -m PEM -N '' -f rsa-pem", "-t rsa -b 2048 -m PEM -N secret -f rsa-locked",
            "-t rsa -b 2048 -N secret -f rsa-locked-openssh", "-t ecdsa -N '' -f ecdsa",
            "-t ecdsa -m PEM -N '' -f ecdsa-pem", "-t ecdsa -b 521 -N '' -f ecdsa521"};
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if (!shell("cd %s && ssh-keygen -q %s", folder, keys[i])) return false;
        /* Ed25519 in PKCS #8: ssh-keygen does not write it. */
        if (!shell("cd %s && openssl genpkey -algorithm ed25519 -out ed-pkcs8 2>/dev/null && "
                   "{ printf 'ssh-ed25519 '; { printf '\\0\\0\\0\\013ssh-ed25519\\0\\0\\0\\040'; "
                   "openssl pkey -in ed-pkcs8 -pubout -outform DER | tail -c 32; } | base64 -w0; echo; } "
                   ">ed-pkcs8.pub",
                folder))
                return false;
        return shell(
            "cd %s && cat ed-pkcs8.pub ecdsa521.pub id.pub locked.pub rsa.pub rsa-pem.pub rsa-locked.pub "
            "rsa-locked-openssh.pub ecdsa.pub ecdsa-pem.pub "
            ">authorized",
            folder);
}

int main(void)
{
        if (!prepare()) skip_all("sshd or ssh-keygen is not installed");
        signal(SIGPIPE, SIG_IGN);
        struct server a = {.name = "a", .options = "MaxStartups 100"},
                      b = {.name = "b", .options = "MaxSessions 2"};
        server_start(&a);
        server_start(&b);
        test_fault(&b);
        struct result r = {0};
        if (loop_new(&r.loop, NULL) < 0 || ssh_new(r.loop, &r.ssh, NULL) < 0) return 1;
        test_commands(&r, &a);
        test_volume(&r, &a);
        test_host_keys(&r, &a);
        test_logins(&r, &a);
        test_ends(&r, &a);
        test_failures(&r, &a);
        test_parallel(&r, &a, 40, 7);
        test_parallel(&r, &b, 12, 8);
        test_lost(&r, &a);
        test_jump(&r, &a, &b);
        /* Left under way on purpose. */
        struct ssh_host jump = host_of(&a), far = host_of(&b);
        far.jump = &jump;
        r.calls = 0;
        r.waiting = -1;
        ssh_start(r.ssh, &(struct ssh_request){.host = far, .command = "sleep 60"}, take, &r);
        ssh_start(r.ssh, &(struct ssh_request){.host = jump, .command = "sleep 60"}, take, &r);
        wait_ms(&r, 100);
        ssh_start(r.ssh, &(struct ssh_request){.host = far, .command = "sleep 60"}, take, &r);
        ssh_free(r.ssh);
        loop_free(r.loop);
        is_int(r.calls, 0, "freeing the client ends what is under way, in silence");
        server_stop(&a);
        server_stop(&b);
        shell("rm -rf %s", folder);
        free(r.out);
        free(r.err);
        free(a.host_key);
        free(b.host_key);
        free((char *)host_of(&a).key);
        free((char *)user);
        uv_library_shutdown(); /* joins the resolver's threads, which valgrind would miss */
        return done();
}
