/* Local commands: outcome, input and output, bounds, timeouts, cancellation, what is left behind. */
#include "tap.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/guard.h"
#include "io/process.h"

struct result {
        struct loop *loop;
        int calls, waiting;
        int status, signal, kind;
        char *out, *err;
        size_t out_len, err_len;
        bool truncated;
        char message[256];
};

static void take(void *context, const struct process_reply *reply, const struct error *error)
{
        struct result *r = context;
        r->calls++;
        r->kind = error ? (int)error_kind(error) : -1;
        snprintf(r->message, sizeof r->message, "%s", error_message(error));
        free(r->out);
        free(r->err);
        r->out = reply ? mem_dup(reply->out, reply->out_len) : NULL;
        r->err = reply ? mem_dup(reply->err, reply->err_len) : NULL;
        if (reply != NULL) {
                r->status = reply->exit_status;
                r->signal = reply->exit_signal;
                r->out_len = reply->out_len;
                r->err_len = reply->err_len;
                r->truncated = reply->truncated;
        }
        if (--r->waiting == 0) loop_stop(r->loop);
}

static void run(struct result *r, struct process_request request)
{
        r->waiting = 1;
        r->calls = 0;
        process_start(r->loop, &request, take, r);
        if (r->calls != 0) ok(false, "completed inside its start");
        loop_run(r->loop);
}

#define SH(script)                       \
        .argv = (const char *const[])    \
        {                                \
                "sh", "-c", script, NULL \
        }

static void stop(void *context)
{
        loop_stop(context);
}

static void test_outcomes(struct result *r)
{
        run(r, (struct process_request){SH("echo out; echo err >&2; exit 7")});
        is_int(r->status, 7, "the exit status");
        is_str(r->out, "out\n", "standard output");
        is_str(r->err, "err\n", "standard error");
        run(r, (struct process_request){SH("kill -9 $$")});
        ok(r->status == -1 && r->signal == 9, "a signal ended it");
        run(r, (struct process_request){.argv = (const char *const[]){"no-such-program-here", NULL}});
        is_int(r->kind, ERROR_MISSING, "no such program");
        is_str(r->message, "run no-such-program-here: no such program", "says so");
        run(r, (struct process_request){SH("pwd"), .folder = "/no/such/folder"});
        is_int(r->kind, ERROR_MISSING, "no such folder");
        ok(strstr(r->message, "/no/such/folder") != NULL, "says which");
        run(r, (struct process_request){SH("pwd"), .folder = "/usr"});
        is_str(r->out, "/usr\n", "runs in its folder");
        run(r, (struct process_request){.argv = (const char *const[]){"/etc/passwd", NULL}});
        is_int(r->kind, ERROR_SYSTEM, "what may not be executed");
        setenv("TEST_A", "old", 1);
        setenv("TEST_B", "kept", 1);
        setenv("TUTTI_PASSPHRASE", "secret", 1);
        run(r, (struct process_request){SH("echo $TEST_A $TEST_B $TEST_C; env | grep -c ^TEST_A="),
                   .env = (const char *const[]){"TEST_A=new", "TEST_C=more", NULL}});
        is_str(r->out, "new kept more\n1\n", "variables are added and replaced");
        run(r, (struct process_request){SH("env | grep ^TUTTI_; echo $TEST_B")});
        is_str(r->out, "kept\n", "our own are not handed on, all others are");
        run(r, (struct process_request){
                   SH("env | grep ^TUTTI_"), .env = (const char *const[]){"TUTTI_PASSPHRASE=given", NULL}});
        is_str(r->out, "TUTTI_PASSPHRASE=given\n", "unless the request has them");
        unsetenv("TUTTI_PASSPHRASE");
}

static void test_streams(struct result *r)
{
        size_t len = 5 << 20;
        char *big = mem_alloc(len);
        for (size_t i = 0; i < len; i++) big[i] = (char)(i * 2654435761u >> 24);
        run(r, (struct process_request){.argv = (const char *const[]){"cat", NULL},
                   .input = big,
                   .input_len = len,
                   .output_max = len});
        ok(r->out_len == len && memcmp(r->out, big, len) == 0 && !r->truncated, "5 MB go in and come out");
        run(r, (struct process_request){.argv = (const char *const[]){"cat", "/dev/stdin", NULL},
                   .input = big,
                   .input_len = len,
                   .output_max = 1000});
        ok(r->out_len == 1000 && memcmp(r->out, big, 1000) == 0 && r->truncated,
            "output is bounded, and says so");
        run(r,
            (struct process_request){SH("exec <&-; sleep 0.05; echo done"), .input = big, .input_len = len});
        ok(r->status == 0 && strcmp(r->out, "done\n") == 0, "input need not be read");
        run(r, (struct process_request){SH("cat; echo end")});
        is_str(r->out, "end\n", "without input there is none to wait for");
        run(r, (struct process_request){SH("cat; echo end"), .input = ""});
        is_str(r->out, "end\n", "empty input ends at once");
        free(big);
}

/* Whether any process of that group lives on; a zombie that nobody reaps does not. */
static bool group_lives(long group)
{
        DIR *proc = opendir("/proc");
        bool lives = false;
        for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
                char path[300], state = 'Z';
                long of = 0;
                snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
                FILE *f = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
                if (f == NULL) continue;
                if (fscanf(f, "%*d (%*[^)]) %c %*d %ld", &state, &of) == 2 && of == group && state != 'Z')
                        lives = true;
                fclose(f);
        }
        closedir(proc);
        return lives;
}

static bool group_alive(long group)
{
        for (int i = 0; i < 100; i++) {
                if (!group_lives(group)) return false;
                usleep(10000);
        }
        return true;
}

static void test_ends(struct result *r)
{
        char script[128], path[] = "/tmp/tutti-process-XXXXXX";
        close(mkstemp(path));
        snprintf(script, sizeof script, "echo $$ >%s; sleep 60 & sleep 60", path);
        int64_t start = clock_monotonic_ms();
        run(r, (struct process_request){SH(script), .timeout_ms = 200});
        is_int(r->kind, ERROR_TIMEOUT, "a timeout");
        ok(clock_monotonic_ms() - start < 3000, "does not wait for the program's own end");
        FILE *f = fopen(path, "r");
        long pid = 0;
        ok(f && fscanf(f, "%ld", &pid) == 1 && !group_alive(pid), "the whole group is gone");
        if (f) fclose(f);

        start = clock_monotonic_ms();
        run(r, (struct process_request){SH("trap '' TERM; while :; do sleep 0.1; done"), .timeout_ms = 100});
        int64_t took = clock_monotonic_ms() - start;
        ok(r->kind == ERROR_TIMEOUT && took > 4900 && took < 7000,
            "one that ignores SIGTERM is killed after 5 s");

        start = clock_monotonic_ms();
        run(r, (struct process_request){SH("sleep 3 & echo $!")});
        took = clock_monotonic_ms() - start;
        ok(r->status == 0 && took < 2500, "a daemon that keeps the output open does not keep us");
        kill((pid_t)atol(r->out), SIGTERM);

        struct process_request request = {SH(script)};
        r->calls = 0;
        struct process *p = process_start(r->loop, &request, take, r);
        timer_start(r->loop, 150, (void (*)(void *))process_cancel, p);
        timer_start(r->loop, 600, stop, r->loop);
        loop_run(r->loop);
        f = fopen(path, "r");
        ok(f && fscanf(f, "%ld", &pid) == 1 && !group_alive(pid), "cancelling ends the group");
        if (f) fclose(f);
        process_cancel(process_start(r->loop, &(struct process_request){SH("true")}, take, r));
        process_cancel(process_start(r->loop,
            &(struct process_request){.argv = (const char *const[]){"no-such-program", NULL}}, take, r));
        timer_start(r->loop, 200, stop, r->loop);
        loop_run(r->loop);
        is_int(r->calls, 0, "no callback follows a cancellation");
        unlink(path);
}

/* Starts the script in a loop of its own, waits for its word, and is killed with it under way. */
static void run_and_be_killed(const char *script, const char *lock)
{
        struct result r = {0};
        if (loop_new(&r.loop, NULL) < 0) _exit(1);
        loop_guard_lock(r.loop, lock);
        process_start(r.loop,
            &(struct process_request){SH("exec sh"), .input = script, .input_len = strlen(script)}, take, &r);
        loop_run(r.loop);
        _exit(1);
}

/* Whose group is to be gone when nobody but the guard can have ended it. */
static void killed_with(const char *script, const char *path, const char *lock, long group[2])
{
        FILE *f = fopen(path, "w");
        if (f != NULL) fclose(f);
        pid_t pid = fork();
        if (pid == 0) run_and_be_killed(script, lock);
        group[0] = 0;
        for (int i = 0; i < 3000 && group[0] == 0; i++) {
                usleep(10000);
                f = fopen(path, "r");
                if (f == NULL || fscanf(f, "%ld ready", &group[0]) != 1) group[0] = 0;
                if (f != NULL) fclose(f);
        }
        ok(group[0] > 0 && group_lives(group[0]), "the command runs");
        cleanup(error_free) struct error *err = NULL;
        ok(guard_await(lock, pid, 0, &err) < 0 && error_kind(err) == ERROR_BUSY,
            "who waits for the commands of a process that lives waits");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        ok(guard_await(lock, pid, 60000, NULL) == 0, "when it was killed its commands are ended");
        group[1] = group_alive(group[0]);
}

static void test_guard(struct result *r)
{
        char path[] = "/tmp/tutti-process-XXXXXX", lock[] = "/tmp/tutti-process-XXXXXX", script[512],
             text[64] = "";
        long group[2];
        close(mkstemp(path));
        close(mkstemp(lock));
        snprintf(script, sizeof script,
            "(trap '' TERM; exec sleep 600) & sleep 600 &\n"
            "trap 'echo told to end >%s; exit 1' TERM\necho $$ ready >%s\nwhile :; do wait; done\n",
            path, path);
        killed_with(script, path, lock, group);
        ok(!group[1], "with all of their group");
        FILE *f = fopen(path, "r");
        ok(f && fgets(text, sizeof text, f) && strcmp(text, "told to end\n") == 0,
            "after they were asked to");
        if (f) fclose(f);
        snprintf(script, sizeof script, "trap '' TERM\necho $$ ready >%s\nwhile :; do sleep 1; done\n", path);
        killed_with(script, path, lock, group);
        ok(!group[1], "also one that does not listen");
        is_int(guard_await("/tmp/no/such/lock", 1, 0, NULL), 0,
            "where nothing ran there is nothing to wait for");

        run(r, (struct process_request){SH("sleep 600 >/dev/null 2>&1 & echo $!")});
        ok(kill((pid_t)atol(r->out), 0) == 0, "a daemon that a command left stays");
        loop_free(r->loop);
        ok(kill((pid_t)atol(r->out), SIGKILL) == 0, "also when the loop ends, and the guard with it");
        ok(loop_new(&r->loop, NULL) == 0, "another loop");
        unlink(path);
        unlink(lock);
}

static void test_many(struct result *r)
{
        r->waiting = 100;
        r->calls = 0;
        for (int i = 0; i < 100; i++)
                process_start(r->loop, &(struct process_request){SH("exit 3")}, take, r);
        loop_run(r->loop);
        ok(r->calls == 100 && r->status == 3, "a hundred at once");
}

int main(void)
{
        struct result r = {0};
        if (loop_new(&r.loop, NULL) < 0) return 1;
        test_outcomes(&r);
        test_streams(&r);
        test_ends(&r);
        test_guard(&r);
        test_many(&r);
        process_start(r.loop, &(struct process_request){SH("sleep 60")}, take, &r);
        r.calls = 0;
        loop_free(r.loop);
        is_int(r.calls, 0, "freeing the loop ends what runs, in silence");
        free(r.out);
        free(r.err);
        return done();
}
