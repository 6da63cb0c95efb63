/*
 * Lines typed on standard input: answers to gates and questions. A terminal or a pipe is read as it comes; lines are
 * bounded (the rest of an overlong one is dropped), and the flags of the descriptor, which other processes share, are
 * put back.
 */
#include "io/loop_item.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

struct input {
        struct loop_item item; /* first: the item is the input */
        union {
                uv_handle_t handle;
                uv_stream_t stream;
                uv_tty_t tty;
                uv_pipe_t pipe;
        } uv;
        char chunk[4096];
        struct text line;
        int flags;    /* of the descriptor, as they were */
        bool closing; /* stopped, perhaps from within its own callback */
        bool ended;
        bool dropped; /* what is at hand, too: discarded, perhaps from there as well */
        struct loop *loop;
        void (*call)(void *context, const char *line);
        void *context;
};

static void input_freed(uv_handle_t *handle)
{
        struct input *input = handle->data;
        text_release(&input->line);
        free(input);
}

static void input_close(struct loop_item *item)
{
        struct input *input = (struct input *)item;
        input->closing = true;
        loop_forget(input->loop, input);
        uv_close(&input->uv.handle, input_freed);
        if (input->flags >= 0) fcntl(STDIN_FILENO, F_SETFL, input->flags);
}

static void input_chunk(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
        struct input *input = handle->data;
        (void)wanted;
        *buf = uv_buf_init(input->chunk, sizeof input->chunk);
}

static void input_line(struct input *input)
{
        cleanup_free char *line = text_steal(&input->line);
        size_t len = strlen(line);
        if (len > 0 && line[len - 1] == '\r') line[len - 1] = '\0';
        input->call(input->context, line);
}

static void input_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
        struct input *input = stream->data;
        input->dropped = false;
        for (ssize_t i = 0; i < n && !input->closing && !input->dropped; i++) {
                char c = buf->base[i];
                if (c == '\n')
                        input_line(input);
                else if (c != '\0' && input->line.len < LINE_MAX_BYTES)
                        text_addc(&input->line, c);
        }
        if (n >= 0 || input->closing) return;
        input->ended = true;
        uv_read_stop(stream);
        if (input->line.len > 0) input_line(input);
        if (!input->closing) input->call(input->context, NULL);
}

static int input_open(struct loop *loop, struct input *input)
{
        switch (uv_guess_handle(STDIN_FILENO)) {
        case UV_TTY: return uv_tty_init(loop_uv(loop), &input->uv.tty, STDIN_FILENO, 0);
        case UV_NAMED_PIPE:
                uv_pipe_init(loop_uv(loop), &input->uv.pipe, 0);
                return uv_pipe_open(&input->uv.pipe, STDIN_FILENO);
        default: return UV_ENOTSUP;
        }
}

int input_start(struct loop *loop, void (*line)(void *context, const char *line), void *context,
    struct input **ret, struct error **err)
{
        struct input *input = mem_alloc(sizeof *input);
        input->loop = loop;
        input->call = line;
        input->context = context;
        input->flags = fcntl(STDIN_FILENO, F_GETFL);
        int rc = input_open(loop, input);
        bool opened = input->uv.handle.loop != NULL;
        input->uv.handle.data = input;
        if (rc == 0) rc = uv_read_start(&input->uv.stream, input_chunk, input_read);
        if (rc < 0) {
                if (opened)
                        input_close(&input->item);
                else
                        free(input);
                if (rc == UV_ENOTSUP)
                        return error_set(err, ERROR_INPUT, NULL,
                            "read standard input: it is neither a terminal nor a pipe");
                return error_set(err, ERROR_SYSTEM, NULL, "read standard input: %s", uv_strerror(rc));
        }
        loop_item_add(loop, &input->item, input_close);
        *ret = input;
        return 0;
}

void input_stop(struct input *input)
{
        if (input == NULL) return;
        loop_item_remove(&input->item);
        input_close(&input->item);
}

static void input_go_on(void *context)
{
        struct input *input = context;
        uv_read_start(&input->uv.stream, input_chunk, input_read);
}

/* In the background the keyboard is not ours: the flush would stop this process, and what is typed is for others. */
static bool has_keyboard(void)
{
        pid_t front = tcgetpgrp(STDIN_FILENO);
        return front < 0 || front == getpgrp();
}

/*
 * Reading goes on with the next turn: this one may have been told already that there is something to read, which is gone now, and a
 * descriptor that blocks (a terminal of another user cannot be opened anew) would be waited for.
 */
void input_discard(struct input *input)
{
        if (input->closing || input->ended || input->uv.handle.type != UV_TTY || !has_keyboard()) return;
        text_clear(&input->line);
        input->dropped = true;
        uv_read_stop(&input->uv.stream);
        tcflush(STDIN_FILENO, TCIFLUSH);
        loop_forget(input->loop, input);
        loop_defer(input->loop, input_go_on, input);
}
