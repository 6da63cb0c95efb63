/*
 * Local commands by uv_spawn. Each leads a process group (and session) of its own, so that a timeout or a
 * cancellation ends what it started as well.
 *
 * A process is complete when its program has exited and both outputs are at their end; a grandchild that keeps an
 * output open (a daemon) is waited for no longer than LINGER_MS after the exit.
 *
 * While its program runs a process is in the hands of the loop's guard, which ends it should we die. It is told before the program
 * gets its input: one that waits for that has done nothing unguarded.
 */
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "io/guard.h"
#include "io/loop_item.h"

enum { TERM_TO_KILL_MS = 5000, LINGER_MS = 1000, OUTPUT_DEFAULT = 1024 * 1024 };

struct output {
        uv_pipe_t pipe;
        struct process *process;
        struct text text;
        bool open, truncated;
};

struct process {
        struct loop_item item; /* first: the item is the process */
        struct loop *loop;
        uv_process_t uv;
        uv_pipe_t in;
        uv_write_t write;
        struct output outputs[2];
        char *program; /* for messages */
        char *input;
        size_t output_max;
        int64_t timeout_ms;
        struct timer *timer;  /* the deadline, then the step from SIGTERM to SIGKILL, then the linger */
        struct error *failed; /* set once the outcome is an error */
        int exit_status, exit_signal;
        bool spawned, running, in_open, ended, cancelled;
        struct guard *guard; /* while it has this one */
        unsigned uses;       /* open libuv handles, and one until the end: the block is freed with the last */
        process_done *done;
        void *context;
};

/* ---- end ---- */

static void process_release(struct process *p)
{
        for (size_t i = 0; i < 2; i++) text_release(&p->outputs[i].text);
        free(p->program);
        free(p->input);
        error_free(p->failed);
        free(p);
}

static void process_unuse(struct process *p)
{
        if (--p->uses == 0) process_release(p);
}

static void handle_closed(uv_handle_t *handle)
{
        process_unuse(handle->data);
}

static void close_output(struct output *output)
{
        if (!output->open) return;
        output->open = false;
        uv_close((uv_handle_t *)&output->pipe, handle_closed);
}

static void close_input(struct process *p)
{
        if (!p->in_open) return;
        p->in_open = false;
        uv_close((uv_handle_t *)&p->in, handle_closed);
}

static void unguard(struct process *p)
{
        if (p->guard != NULL) guard_remove(steal(p->guard), p->uv.pid);
}

/* Closes every handle; nothing of this process is heard of again. */
static void process_end(struct process *p)
{
        p->ended = true;
        unguard(p);
        timer_cancel(steal(p->timer));
        loop_item_remove(&p->item);
        close_input(p);
        for (size_t i = 0; i < 2; i++) close_output(&p->outputs[i]);
        if (p->spawned) uv_close((uv_handle_t *)&p->uv, handle_closed);
        process_unuse(p);
}

static void signal_group(struct process *p, int number)
{
        if (p->uv.pid > 0) kill(-p->uv.pid, number);
}

static void process_complete(struct process *p)
{
        struct process_reply reply = {
            .exit_status = p->exit_signal ? -1 : p->exit_status, .exit_signal = p->exit_signal};
        struct error *error = steal(p->failed);
        process_done *done = p->cancelled ? NULL : p->done;
        void *context = p->context;
        reply.out_len = p->outputs[0].text.len;
        reply.err_len = p->outputs[1].text.len;
        reply.out = text_steal(&p->outputs[0].text);
        reply.err = text_steal(&p->outputs[1].text);
        reply.truncated = p->outputs[0].truncated || p->outputs[1].truncated;
        process_end(p);
        if (done != NULL) done(context, error == NULL ? &reply : NULL, error);
        free(reply.out);
        free(reply.err);
        error_free(error);
}

static void complete_if_over(struct process *p)
{
        if (!p->ended && !p->running && !p->outputs[0].open && !p->outputs[1].open) process_complete(p);
}

static void lingered(void *context)
{
        struct process *p = context;
        p->timer = NULL;
        for (size_t i = 0; i < 2; i++) close_output(&p->outputs[i]);
        complete_if_over(p);
}

static void process_exited(uv_process_t *handle, int64_t status, int signal)
{
        struct process *p = handle->data;
        p->running = false;
        p->exit_status = (int)status;
        p->exit_signal = signal;
        timer_cancel(steal(p->timer));
        close_input(p);
        if (p->failed != NULL || p->cancelled) {
                signal_group(p, SIGKILL); /* what the leader left behind */
                process_complete(p);
                return;
        }
        unguard(p); /* a daemon that it left is meant to stay */
        p->timer = timer_start(p->loop, LINGER_MS, lingered, p);
        complete_if_over(p);
}

/* ---- stopping ---- */

static void kill_group(void *context)
{
        struct process *p = context;
        p->timer = NULL;
        signal_group(p, SIGKILL);
}

static void process_terminate(struct process *p)
{
        timer_cancel(p->timer);
        p->timer = timer_start(p->loop, TERM_TO_KILL_MS, kill_group, p);
        signal_group(p, SIGTERM);
}

static void deadline_passed(void *context)
{
        struct process *p = context;
        p->timer = NULL;
        error_set(&p->failed, ERROR_TIMEOUT, NULL, "run %s: not done after %lld ms", p->program,
            (long long)p->timeout_ms);
        process_terminate(p);
}

void process_cancel(struct process *p)
{
        if (p == NULL) return;
        p->cancelled = true;
        /* Not started, or exited and only lingering: there is nobody to wait for. */
        if (!p->running) {
                signal_group(p, SIGKILL);
                process_end(p);
                return;
        }
        process_terminate(p);
}

static void process_close(struct loop_item *item)
{
        struct process *p = (struct process *)item;
        signal_group(p, SIGKILL);
        process_end(p);
}

/* ---- input and output ---- */

static void input_written(uv_write_t *write, int status)
{
        (void)status; /* a program need not read its input */
        close_input(write->data);
}

static void output_chunk(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
        (void)handle;
        *buf = uv_buf_init(mem_alloc(wanted), (unsigned)wanted);
}

static void output_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
        struct output *output = (struct output *)stream;
        if (n > 0) {
                size_t room = output->process->output_max - output->text.len, len = (size_t)n;
                output->truncated |= len > room;
                text_addn(&output->text, buf->base, len < room ? len : room);
        }
        free(buf->base);
        if (n >= 0) return;
        close_output(output);
        complete_if_over(output->process);
}

/* Real pipes, not libuv's socket pairs: a program may open /dev/stdin. Returns the child's end. */
static int pipe_for(struct process *p, uv_pipe_t *pipe, bool child_reads)
{
        int fds[2];
        int rc = uv_pipe(fds, child_reads ? 0 : UV_NONBLOCK_PIPE, child_reads ? UV_NONBLOCK_PIPE : 0);
        if (rc < 0) return rc;
        uv_pipe_init(loop_uv(p->loop), pipe, 0);
        pipe->data = p;
        p->uses++;
        rc = uv_pipe_open(pipe, fds[child_reads ? 1 : 0]);
        if (rc < 0) close(fds[child_reads ? 1 : 0]);
        return fds[child_reads ? 0 : 1];
}

/* ---- start ---- */

/*
 * Our environment with the request's on top, but without our own variables: secrets are given to us by them (TUTTI_PASSPHRASE,
 * TUTTI_PARAM_…, tokens of providers), and are no business of what we run. The array is the caller's, its strings are borrowed.
 */
static char **environment_with(const char *const *extra)
{
        size_t count = 0, more = 0;
        while (environ[count] != NULL) count++;
        while (extra != NULL && extra[more] != NULL) more++;
        char **all = mem_alloc((count + more + 1) * sizeof *all);
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
                if (text_starts(environ[i], "TUTTI_")) continue;
                size_t name = strcspn(environ[i], "="), j = 0;
                while (j < more && (strncmp(environ[i], extra[j], name + 1) != 0)) j++;
                if (j == more) all[n++] = environ[i];
        }
        for (size_t i = 0; i < more; i++) all[n++] = (char *)extra[i];
        return all;
}

static void spawn_failed(struct process *p, const struct process_request *request, int rc)
{
        struct stat st;
        if (request->folder != NULL && (stat(request->folder, &st) < 0 || !S_ISDIR(st.st_mode)))
                error_set(&p->failed, ERROR_MISSING, NULL, "run %s: there is no folder %s", p->program,
                    request->folder);
        else if (rc == UV_ENOENT)
                error_set(&p->failed, ERROR_MISSING, NULL, "run %s: no such program", p->program);
        else
                error_set(&p->failed, ERROR_SYSTEM, NULL, "run %s: %s", p->program, uv_strerror(rc));
}

/* 0, or with p->failed set. */
static int guard_process(struct process *p, struct guard *guard)
{
        if (guard_add(guard, p->uv.pid, &p->failed) < 0) {
                signal_group(p, SIGKILL);
                close_input(p);
                return error_context(&p->failed, "run %s", p->program);
        }
        p->guard = guard;
        return 0;
}

static int process_spawn(struct process *p, const struct process_request *request)
{
        int fds[3] = {-1, -1, -1}, rc = 0;
        uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
        if (request->input != NULL) {
                rc = fds[0] = pipe_for(p, &p->in, true);
                p->in_open = p->uses == 2;
        }
        for (int i = 0; i < 2 && rc >= 0; i++) {
                unsigned before = p->uses;
                rc = fds[i + 1] = pipe_for(p, &p->outputs[i].pipe, false);
                p->outputs[i].open = p->uses > before;
        }
        for (int i = 0; i < 3; i++) {
                if (fds[i] < 0) continue;
                stdio[i].flags = UV_INHERIT_FD;
                stdio[i].data.fd = fds[i];
        }
        cleanup_free char **env = environment_with(request->env);
        uv_process_options_t options = {.exit_cb = process_exited,
            .file = request->argv[0],
            .args = (char **)request->argv,
            .env = env,
            .cwd = request->folder,
            .flags = UV_PROCESS_DETACHED,
            .stdio_count = 3,
            .stdio = stdio};
        if (rc >= 0) {
                p->spawned = true; /* from here on the handle must be closed, whatever comes of it */
                p->uses++;
                rc = uv_spawn(loop_uv(p->loop), &p->uv, &options);
        }
        for (int i = 0; i < 3; i++)
                if (fds[i] >= 0) close(fds[i]);
        return rc;
}

static void report_failed_start(void *context)
{
        struct process *p = context;
        p->timer = NULL;
        process_complete(p);
}

static void feed_input(struct process *p, const struct process_request *request)
{
        if (!p->in_open) return;
        p->input = mem_dup(request->input, request->input_len);
        uv_buf_t buf = {.base = p->input, .len = request->input_len};
        p->write.data = p;
        if (uv_write(&p->write, (uv_stream_t *)&p->in, &buf, 1, input_written) < 0) close_input(p);
}

struct process *process_start(
    struct loop *loop, const struct process_request *request, process_done *done, void *context)
{
        struct process *p = mem_alloc(sizeof *p);
        p->loop = loop;
        p->done = done;
        p->context = context;
        p->program = mem_strdup(request->argv[0]);
        p->output_max = request->output_max ? request->output_max : OUTPUT_DEFAULT;
        p->timeout_ms = request->timeout_ms;
        p->uv.data = p;
        p->uses = 1;
        for (size_t i = 0; i < 2; i++) p->outputs[i].process = p;
        loop_item_add(loop, &p->item, process_close);
        struct guard *guard = loop_guard(loop, &p->failed);
        int rc = guard ? process_spawn(p, request) : -1;
        if (rc < 0) {
                if (guard != NULL) spawn_failed(p, request, rc);
                p->uv.pid = 0;
                p->timer = timer_start(loop, 0, report_failed_start, p);
                return p;
        }
        p->running = true;
        for (size_t i = 0; i < 2; i++)
                uv_read_start((uv_stream_t *)&p->outputs[i].pipe, output_chunk, output_read);
        if (guard_process(p, guard) == 0) feed_input(p, request);
        if (p->timeout_ms > 0) p->timer = timer_start(loop, p->timeout_ms, deadline_passed, p);
        return p;
}
