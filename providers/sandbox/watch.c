/* A thin layer over epoll; see watch.h. */
#include "providers/sandbox/watch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int sandbox_watches_open(struct sandbox_watches *watches, struct error **err)
{
        watches->epoll = epoll_create1(EPOLL_CLOEXEC);
        return watches->epoll < 0 ? error_system(err, errno, "create epoll instance") : 0;
}

void sandbox_watches_close(struct sandbox_watches *watches)
{
        if (watches->epoll >= 0) close(watches->epoll);
        watches->epoll = -1;
}

int sandbox_watches_add(
    struct sandbox_watches *watches, int fd, uint32_t events, struct sandbox_watch *watch, struct error **err)
{
        struct epoll_event event = {.events = events, .data.ptr = watch};
        if (epoll_ctl(watches->epoll, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
        return error_system(err, errno, "watch a descriptor");
}

void sandbox_watches_remove(struct sandbox_watches *watches, int fd)
{
        epoll_ctl(watches->epoll, EPOLL_CTL_DEL, fd, NULL);
}

int sandbox_watches_run(struct sandbox_watches *watches, int timeout_ms, struct error **err)
{
        struct epoll_event event;
        int count = epoll_wait(watches->epoll, &event, 1, timeout_ms);
        if (count < 0 && errno != EINTR) return error_system(err, errno, "wait for events");
        if (count == 1) {
                struct sandbox_watch *watch = event.data.ptr;
                watch->ready(watch, event.events);
        }
        return 0;
}
