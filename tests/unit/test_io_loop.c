/* The loop, its timers, deferred calls, watches, lines and worker; and whole files. */
#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/worker.h"

struct trace {
        struct loop *loop;
        char order[256];
        int count;
        struct timer *other;
        struct worker *worker;
        pthread_t thread;
        bool elsewhere;
};

static void add(struct trace *t, const char *s)
{
        strncat(t->order, s, sizeof t->order - strlen(t->order) - 1);
}

static void stop(void *context)
{
        loop_stop(((struct trace *)context)->loop);
}

static void add_a(void *context)
{
        add(context, "a");
}

static void add_b(void *context)
{
        add(context, "b");
}

static void cancel_other(void *context)
{
        struct trace *t = context;
        timer_cancel(t->other);
        add(t, "c");
}

static void test_timers(struct loop *loop)
{
        struct trace t = {.loop = loop};
        int64_t start = clock_monotonic_ms();
        timer_start(loop, 30, add_b, &t);
        timer_start(loop, 10, add_a, &t);
        timer_start(loop, 20, cancel_other, &t);
        t.other = timer_start(loop, 40, add_a, &t);
        timer_start(loop, 60, stop, &t);
        is_str(t.order, "", "no timer fires inside its start");
        loop_run(loop);
        is_str(t.order, "acb", "timers fire in order of time; a cancelled one does not");
        ok(clock_monotonic_ms() - start >= 60, "and not before their time");
}

static void again(void *context)
{
        struct trace *t = context;
        if (++t->count < 3)
                loop_defer(t->loop, again, t);
        else
                loop_stop(t->loop);
        add(t, "d");
}

static void test_defer(struct loop *loop)
{
        struct trace t = {.loop = loop};
        for (int i = 0; i < 40; i++) loop_defer(loop, add_a, &t);
        loop_defer(loop, again, &t);
        is_str(t.order, "", "a deferred call does not run at once");
        loop_run(loop);
        is_str(t.order, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaddd",
            "deferred calls run in order, and may defer");
}

static void stop_now(void *context)
{
        struct trace *t = context;
        loop_stop(t->loop);
}

static void forget_other(void *context)
{
        struct trace *t = context;
        loop_forget(t->loop, t + 1);
        stop_now(t);
}

static void test_forget(struct loop *loop)
{
        struct trace t[3] = {{.loop = loop}, {.loop = loop}, {.loop = loop}};
        loop_defer(loop, forget_other, &t[0]);
        loop_defer(loop, add_a, &t[1]);
        loop_defer(loop, add_a, &t[2]);
        loop_run(loop);
        is_str(t[1].order, "", "a deferred call that is forgotten in its own turn does not follow");
        is_str(t[2].order, "a", "others do");
        loop_defer(loop, add_a, &t[1]);
        loop_forget(loop, &t[1]);
        loop_defer(loop, stop_now, &t[0]);
        loop_run(loop);
        is_str(t[1].order, "", "nor one that was left over from a run of the loop before");
}

static void caught(void *context, int number)
{
        struct trace *t = context;
        t->count += number;
        loop_stop(t->loop);
}

static void raise_term(void *context)
{
        (void)context;
        kill(getpid(), SIGTERM);
}

static void test_signal(struct loop *loop)
{
        struct trace t = {.loop = loop};
        is_int(loop_on_signal(loop, caught, &t, NULL), 0, "signals can be waited for");
        timer_start(loop, 5, raise_term, NULL);
        loop_run(loop);
        is_int(t.count, SIGTERM, "a SIGTERM arrives on the loop");
}

static char *scratch(const char *name)
{
        static char folder[] = "/tmp/tutti-io-XXXXXX";
        static bool made;
        if (!made) made = mkdtemp(folder) != NULL;
        return mem_printf("%s/%s", folder, name);
}

static void count_change(void *context)
{
        ((struct trace *)context)->count++;
}

static void append_thrice(void *context)
{
        cleanup_free char *path = scratch("watched");
        int fd = open(path, O_WRONLY | O_APPEND);
        for (int i = 0; i < 3; i++) add(context, write(fd, "x", 1) == 1 ? "w" : "-");
        close(fd);
        cleanup_free char *other = scratch("other");
        file_write(other, "x", 1, 0600, NULL);
}

static void replace(void *context)
{
        (void)context;
        cleanup_free char *path = scratch("watched");
        file_write(path, "new", 3, 0600, NULL);
}

static void test_watch(struct loop *loop)
{
        struct trace t = {.loop = loop};
        struct watch *watch = NULL;
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *path = scratch("watched"), *none = scratch("none"), *other = scratch("other");
        is_int(watch_start(loop, none, count_change, &t, &watch, &err), -1,
            "what does not exist cannot be watched");
        is_int(error_kind(err), ERROR_MISSING, "and is missing");
        file_write(path, "x", 1, 0600, NULL);
        is_int(watch_start(loop, path, count_change, &t, &watch, NULL), 0, "a file is watched");
        timer_start(loop, 20, append_thrice, &t);
        timer_start(loop, 100, stop, &t);
        loop_run(loop);
        is_int(t.count, 1, "a burst of writes is one change; a neighbour's is none");
        timer_start(loop, 20, replace, &t);
        timer_start(loop, 100, stop, &t);
        loop_run(loop);
        is_int(t.count, 2, "a replaced file is still watched");
        timer_start(loop, 20, append_thrice, &t);
        timer_start(loop, 100, stop, &t);
        loop_run(loop);
        is_int(t.count, 3, "and so is the new one");
        watch_stop(watch);
        timer_start(loop, 5, replace, &t);
        timer_start(loop, 60, stop, &t);
        loop_run(loop);
        is_int(t.count, 3, "a stopped watch is silent");
        unlink(path);
        unlink(other);
}

/* ---- standard input ---- */

struct typed {
        struct loop *loop;
        struct input *input;
        int lines, stop_after;
        bool ended;
        size_t longest;
        char last[64];
};

static void typed_line(void *context, const char *line)
{
        struct typed *t = context;
        if (line == NULL) {
                t->ended = true;
                loop_stop(t->loop);
                return;
        }
        t->lines++;
        if (strlen(line) > t->longest) t->longest = strlen(line);
        snprintf(t->last, sizeof t->last, "%s", line);
        if (t->lines == t->stop_after) {
                input_stop(steal(t->input));
                loop_stop(t->loop);
        }
}

/* Makes `fd` our standard input for one test. */
static struct typed read_lines(struct loop *loop, int fd, int stop_after)
{
        struct typed t = {.loop = loop, .stop_after = stop_after};
        int before = dup(STDIN_FILENO);
        dup2(fd, STDIN_FILENO);
        close(fd);
        if (input_start(loop, typed_line, &t, &t.input, NULL) == 0) loop_run(loop);
        input_stop(t.input);
        struct trace s = {.loop = loop};
        timer_start(loop, 5, stop, &s);
        loop_run(loop);
        dup2(before, STDIN_FILENO);
        close(before);
        return t;
}

static int pipe_with(const char *data, size_t len)
{
        int fds[2];
        if (pipe(fds) < 0 || fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) < 0 ||
            write(fds[1], data, len) != (ssize_t)len)
                exit(1);
        close(fds[1]);
        return fds[0];
}

static void test_input(struct loop *loop)
{
        struct typed t = read_lines(loop, pipe_with("yes\r\nno\n\nlast", 13), 0);
        is_int(t.lines, 4, "lines are read from a pipe, the last without its end");
        is_str(t.last, "last", "with their text");
        ok(t.ended, "and the end is told");
        t = read_lines(loop, pipe_with("a\nb\nc\n", 6), 2);
        is_int(t.lines, 2, "stopped from its own callback, it is silent");
        cleanup_free char *big = mem_alloc(300001);
        memset(big, 'x', 300000);
        big[300000] = '\n';
        t = read_lines(loop, pipe_with(big, 300001), 0);
        ok(t.lines == 1 && t.longest == 64 * 1024, "an overlong line is cut, not gathered");

        int before = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        close(null);
        struct input *input;
        cleanup(error_free) struct error *err = NULL;
        is_int(input_start(loop, typed_line, &t, &input, &err), -1, "neither terminal nor pipe: refused");
        is_int(error_kind(err), ERROR_INPUT, "in the user's words");
        dup2(before, STDIN_FILENO);
        close(before);
}

struct terminal {
        struct typed typed; /* first: it is what lines come to */
        int master;
        char *order; /* what came: lines by their first letter, '!' the discard */
};

static void told(void *context, const char *line)
{
        struct terminal *t = context;
        size_t len = strlen(t->order);
        t->order[len] = line == NULL ? '.' : *line == '\0' ? '-' : *line;
        if (t->order[len] == 'z' || line == NULL) loop_stop(t->typed.loop);
}

static void type(struct terminal *t, const char *keys)
{
        if (write(t->master, keys, strlen(keys)) < 0) exit(1);
}

/* A whole line and the beginning of another lie there, and the line is to be read in this turn. */
static void discards(void *context)
{
        struct terminal *t = context;
        type(t, "a\nb\nc");
        input_discard(t->typed.input);
        strcat(t->order, "!");
        type(t, "\nx\nz\n");
}

static void test_discard(struct loop *loop)
{
        char order[16] = "";
        struct terminal t = {.typed = {.loop = loop}, .order = order};
        t.master = posix_openpt(O_RDWR | O_NOCTTY);
        if (t.master < 0 || grantpt(t.master) < 0 || unlockpt(t.master) < 0) {
                skip("no pseudo terminal is to be had here");
                return;
        }
        int before = dup(STDIN_FILENO), slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
        dup2(slave, STDIN_FILENO);
        close(slave);
        is_int(input_start(loop, told, &t, &t.typed.input, NULL), 0, "a terminal is read");
        type(&t, "k\n");
        timer_start(loop, 5, discards, &t);
        loop_run(loop);
        is_str(order, "k!-xz", "what was typed until a discard never comes, also the beginning of a line");
        input_discard(t.typed.input);
        input_stop(t.typed.input);
        loop_defer(loop, stop, &(struct trace){.loop = loop});
        loop_run(loop);
        dup2(before, STDIN_FILENO);
        close(before);
        close(t.master);
}

/* ---- the worker ---- */

static void work(void *context)
{
        struct trace *t = context;
        t->elsewhere = !pthread_equal(t->thread, pthread_self());
        usleep(200);
        t->count++;
}

static void work_done(void *context)
{
        struct trace *t = context;
        add(t, t->count == (int)strlen(t->order) + 1 ? "." : "!");
        if (t->count < 20)
                worker_submit(t->worker, work, work_done, t);
        else
                loop_stop(t->loop);
}

static void work_more(void *context)
{
        struct trace *t = context;
        add(t, "m");
        if (t->count < 8) worker_submit(t->worker, work, work_more, t);
}

static void test_worker(struct loop *loop)
{
        struct trace t = {.loop = loop, .thread = pthread_self()};
        is_int(worker_new(loop, &t.worker, NULL), 0, "a worker starts");
        worker_submit(t.worker, work, work_done, &t);
        loop_run(loop);
        is_str(t.order, "....................", "each job is done before its callback");
        ok(t.elsewhere, "on another thread");
        struct trace u = {.loop = loop, .worker = t.worker, .thread = pthread_self()};
        for (int i = 0; i < 5; i++) worker_submit(t.worker, work, work_more, &u);
        worker_free(t.worker);
        is_int(u.count, 8 + 4, "freeing it waits for what was submitted, also by callbacks");
        is_str(u.order, "mmmmmmmmmmmm", "and runs their callbacks");
}

/* ---- files ---- */

static void test_files(void)
{
        cleanup_free char *path = scratch("file"), *none = scratch("none"), *folder = path_folder(path);
        cleanup(text_release) struct text text = {0};
        cleanup(error_free) struct error *err = NULL;
        is_int(file_write(path, "one\0two", 7, 0640, NULL), 0, "a file is written");
        is_int(file_write(path, "one\0six", 7, 0640, NULL), 0, "and replaced");
        struct stat st;
        ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640, "with its mode");
        is_int(file_read(path, 7, &text, NULL), 0, "and read");
        ok(text.len == 7 && memcmp(text.data, "one\0six", 8) == 0, "as it was written");
        is_int(file_read(path, 6, &text, &err), -1, "one byte over the bound is refused");
        is_int(error_kind(err), ERROR_INPUT, "as input");
        ok(strstr(error_message(err), path) != NULL, "naming the path");
        error_free(steal(err));
        is_int(file_read(none, 6, &text, &err), -1, "what is not there");
        is_int(error_kind(err), ERROR_MISSING, "is missing");
        error_free(steal(err));
        is_int(file_read(folder, 6, &text, &err), -1, "a folder is no file");
        is_int(error_kind(err), ERROR_INPUT, "but a mistake");
        error_free(steal(err));
        text_clear(&text);
        is_int(file_read("/dev/null", 6, &text, NULL), 0, "an empty file");
        is_str(text.data, "", "is an empty text");
        unlink(path);
}

static void test_paths(void)
{
        static const char *const folders[][2] = {{"a", "."}, {"/a", "/"}, {"a/b", "a"}, {"/a/b/c", "/a/b"}};
        for (size_t i = 0; i < 4; i++) {
                cleanup_free char *got = path_folder(folders[i][0]);
                is_str(got, folders[i][1], folders[i][0]);
        }
        static const char *const joins[][3] = {
            {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {".", "b", "b"}, {"a", "/b", "/b"}, {"/", "b", "/b"}};
        for (size_t i = 0; i < 5; i++) {
                cleanup_free char *got = path_join(joins[i][0], joins[i][1]);
                is_str(got, joins[i][2], joins[i][2]);
        }
        cleanup_free char *real = path_absolute("/tmp/../tmp", NULL);
        is_str(real, "/tmp", "an absolute path");
}

int main(void)
{
        struct loop *loop;
        if (loop_new(&loop, NULL) < 0) return 1;
        test_timers(loop);
        test_defer(loop);
        test_forget(loop);
        test_signal(loop);
        test_watch(loop);
        test_input(loop);
        test_discard(loop);
        test_worker(loop);
        test_files();
        test_paths();
        /* Left open on purpose: loop_free closes it. */
        struct trace t = {.loop = loop};
        struct watch *watch;
        timer_start(loop, 100000, add_a, &t);
        watch_start(loop, "/tmp", add_a, &t, &watch, NULL);
        loop_free(loop);
        is_str(t.order, "", "what is open when the loop is freed is closed in silence");
        cleanup_free char *file = scratch("x"), *folder = path_folder(file);
        is_int(rmdir(folder), 0, "no file was left beside what was written");
        return done();
}
