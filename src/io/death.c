/* Watching for the end of a process that is not our child: a pidfd becomes readable then (Linux 5.3; elsewhere nobody is woken). */
#include "io/loop_item.h"

#include <sys/syscall.h>
#include <unistd.h>

struct death {
        struct loop_item item; /* first: the item is the watch */
        uv_poll_t poll;
        int fd;
        void (*ended)(void *context);
        void *context;
};

static void death_close(struct loop_item *item)
{
        struct death *death = (struct death *)item;
        uv_poll_stop(&death->poll);
        close(death->fd);
        loop_close_block((uv_handle_t *)&death->poll, death);
}

static void death_event(uv_poll_t *handle, int status, int events)
{
        struct death *death = handle->data;
        (void)status, (void)events;
        uv_poll_stop(&death->poll); /* it stays readable */
        death->ended(death->context);
}

struct death *death_watch(struct loop *loop, long pid, void (*ended)(void *context), void *context)
{
        int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0); /* closed on exec by itself */
        if (fd < 0) return NULL;
        struct death *death = mem_alloc(sizeof *death);
        death->fd = fd;
        death->ended = ended;
        death->context = context;
        if (uv_poll_init(loop_uv(loop), &death->poll, fd) < 0) {
                close(fd);
                free(death);
                return NULL;
        }
        death->poll.data = death;
        loop_item_add(loop, &death->item, death_close);
        uv_poll_start(&death->poll, UV_READABLE, death_event);
        return death;
}

void death_unwatch(struct death *death)
{
        if (death == NULL) return;
        loop_item_remove(&death->item);
        death_close(&death->item);
}
