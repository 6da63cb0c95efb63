/*
 * The glue between curl's multi socket interface and libuv, written from both manuals: curl says which sockets and
 * which timeout it waits for; we tell it what happened.
 *
 * What is easy to get wrong here: a timeout of -1 deletes the timer; a socket may be wanted for reading and writing
 * at once; curl must not be entered from within its own callbacks (the timer fires on a later turn even for 0); a
 * callback that reports an error ends every transfer, and no timer then tells of it; libuv allows one active poll
 * handle per socket and stops a handle that reports an error.
 */
#include "io/transfer_multi.h"

#include <assert.h>
#include <uv.h>

#include "io/loop_item.h"

/* Idle connections kept for reuse, as many as exchanges that we expect at once. */
enum { CONNECTIONS_KEPT = 1024 };

struct transfer_multi {
        CURLM *handle;
        struct loop *loop;
        void (*completed)(CURL *easy, CURLcode result);
        uv_timer_t timer;
        CURL **unwatched; /* whose socket could not be watched: to be given up on the next turn */
        size_t unwatched_count, unwatched_capacity;
        struct socket_watch *reporting; /* whose event is being handled; NULL once curl let go of it */
};

struct socket_watch {
        uv_poll_t poll;
        curl_socket_t socket;
        struct transfer_multi *multi;
};

static void harvest(struct transfer_multi *multi)
{
        int left;
        /* The message goes with its handle: nothing of it is looked at afterwards. */
        for (CURLMsg *message; (message = curl.multi_info_read(multi->handle, &left)) != NULL;)
                if (message->msg == CURLMSG_DONE)
                        multi->completed(message->easy_handle, message->data.result);
}

static void report(struct transfer_multi *multi, curl_socket_t socket, int events)
{
        int running;
        curl.multi_socket_action(multi->handle, socket, events, &running);
}

/*
 * libuv has stopped a handle that reports an error. curl first gets to read what arrived before the error, and the error
 * itself; should it still want to wait for that socket, it is told to give up.
 */
static void socket_failed(struct transfer_multi *multi, struct socket_watch *watch)
{
        curl_socket_t socket = watch->socket;
        report(multi, socket, CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT);
        if (multi->reporting == watch) report(multi, socket, CURL_CSELECT_ERR);
}

static void socket_event(uv_poll_t *handle, int status, int events)
{
        struct socket_watch *watch = handle->data;
        struct transfer_multi *multi = watch->multi;
        multi->reporting = watch;
        if (status < 0)
                socket_failed(multi, watch);
        else
                report(multi, watch->socket,
                    ((events & UV_READABLE) ? CURL_CSELECT_IN : 0) |
                        ((events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0));
        multi->reporting = NULL;
        harvest(multi);
}

static struct socket_watch *socket_watch_new(struct transfer_multi *multi, curl_socket_t socket)
{
        struct socket_watch *watch = mem_alloc(sizeof *watch);
        watch->socket = socket;
        watch->multi = multi;
        if (uv_poll_init_socket(loop_uv(multi->loop), &watch->poll, socket) < 0) {
                free(watch);
                return NULL;
        }
        watch->poll.data = watch;
        curl.multi_assign(multi->handle, socket, watch);
        return watch;
}

static void give_up_unwatched(void *context)
{
        struct transfer_multi *multi = context;
        while (multi->unwatched_count > 0)
                multi->completed(multi->unwatched[multi->unwatched_count - 1], CURLE_ABORTED_BY_CALLBACK);
}

static void give_up_later(struct transfer_multi *multi, CURL *easy)
{
        void *owner = NULL;
        curl.easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
        if (owner == NULL) return; /* curl's own, which closes a connection that nobody waits for */
        vec_push(multi->unwatched, multi->unwatched_count, multi->unwatched_capacity, easy);
        loop_defer(multi->loop, give_up_unwatched, multi);
}

static int watch_events(struct socket_watch *watch, int what)
{
        int events = 0;
        if (what & CURL_POLL_IN) events |= UV_READABLE;
        if (what & CURL_POLL_OUT) events |= UV_WRITABLE;
        return uv_poll_start(&watch->poll, events, socket_event);
}

/* CURLMOPT_SOCKETFUNCTION: curl now waits for `what` on `socket`. */
static int socket_wanted(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
        struct transfer_multi *multi = context;
        struct socket_watch *watch = assigned;
        if (what == CURL_POLL_REMOVE) {
                if (watch == NULL) return 0;
                if (multi->reporting == watch) multi->reporting = NULL;
                curl.multi_assign(multi->handle, socket, NULL);
                loop_close_block((uv_handle_t *)&watch->poll, watch);
                return 0;
        }
        if (watch == NULL) watch = socket_watch_new(multi, socket);
        if (watch == NULL || watch_events(watch, what) < 0) give_up_later(multi, easy);
        return 0;
}

static void timer_due(uv_timer_t *timer)
{
        struct transfer_multi *multi = timer->data;
        report(multi, CURL_SOCKET_TIMEOUT, 0);
        harvest(multi);
}

/* CURLMOPT_TIMERFUNCTION: curl wants to be called after `ms`. */
static int timeout_wanted(CURLM *handle, long ms, void *context)
{
        struct transfer_multi *multi = context;
        (void)handle;
        if (ms < 0)
                uv_timer_stop(&multi->timer);
        else
                uv_timer_start(&multi->timer, timer_due, (uint64_t)ms, 0);
        return 0;
}

int transfer_multi_new(struct loop *loop, void (*completed)(CURL *easy, CURLcode result),
    struct transfer_multi **ret, struct error **err)
{
        CURLM *handle = curl.multi_init();
        if (handle == NULL) return error_set(err, ERROR_SYSTEM, NULL, "start libcurl: out of memory");
        struct transfer_multi *multi = mem_alloc(sizeof *multi);
        multi->handle = handle;
        multi->loop = loop;
        multi->completed = completed;
        uv_timer_init(loop_uv(loop), &multi->timer);
        multi->timer.data = multi;
        curl.multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, socket_wanted);
        curl.multi_setopt(handle, CURLMOPT_SOCKETDATA, multi);
        curl.multi_setopt(handle, CURLMOPT_TIMERFUNCTION, timeout_wanted);
        curl.multi_setopt(handle, CURLMOPT_TIMERDATA, multi);
        curl.multi_setopt(handle, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
        *ret = multi;
        return 0;
}

void transfer_multi_free(struct transfer_multi *multi)
{
        if (multi == NULL) return;
        /* Closing the kept connections calls socket_wanted, maybe timeout_wanted. */
        curl.multi_cleanup(multi->handle);
        loop_forget(multi->loop, multi);
        free(multi->unwatched);
        loop_close_block((uv_handle_t *)&multi->timer, multi);
}

void transfer_multi_add(struct transfer_multi *multi, CURL *easy)
{
        CURLMcode rc = curl.multi_add_handle(multi->handle, easy);
        if (rc == CURLM_OUT_OF_MEMORY) abort(); /* as in mem_alloc */
        assert(rc == CURLM_OK);
}

void transfer_multi_remove(struct transfer_multi *multi, CURL *easy)
{
        curl.multi_remove_handle(multi->handle, easy);
        size_t kept = 0;
        for (size_t i = 0; i < multi->unwatched_count; i++)
                if (multi->unwatched[i] != easy) multi->unwatched[kept++] = multi->unwatched[i];
        multi->unwatched_count = kept;
}
