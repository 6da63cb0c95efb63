/*
 * The engine's event loop: the life of the libuv loop, deferred calls, timers and signals. Standard input and
 * watched files are in input.c and watch.c.
 */
#include "io/guard.h"
#include "io/loop_item.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

enum { SIGNALS = 3 };

struct deferred {
        void (*call)(void *context);
        void *context;
};

struct loop {
        uv_loop_t uv;
        uv_async_t keep; /* never sent: keeps uv_run from returning before loop_stop */
        uv_idle_t idle;  /* active while calls are deferred */
        struct deferred *deferred;
        size_t deferred_count, deferred_capacity;
        struct deferred *running; /* the batch of this turn: its memory is kept for the next */
        size_t running_count, running_capacity;
        uv_signal_t signals[SIGNALS];
        void (*caught)(void *context, int signal);
        void *caught_context;
        struct ring items;   /* of what is open */
        struct guard *guard; /* NULL until something is run */
        char *guard_lock;
};

struct timer {
        struct loop_item item; /* first: the item is the timer */
        uv_timer_t uv;
        void (*fired)(void *context);
        void *context;
};

static void free_data(uv_handle_t *handle)
{
        free(handle->data);
}

void loop_close_block(uv_handle_t *handle, void *block)
{
        handle->data = block;
        uv_close(handle, free_data);
}

void loop_item_add(struct loop *loop, struct loop_item *item, void (*close)(struct loop_item *item))
{
        item->close = close;
        ring_add_last(&loop->items, &item->place);
}

void loop_item_remove(struct loop_item *item)
{
        ring_remove(&item->place);
}

/* ---- the loop ---- */

static void keep_nothing(uv_async_t *handle)
{
        (void)handle;
}

int loop_new(struct loop **ret, struct error **err)
{
        struct loop *loop = mem_alloc(sizeof *loop);
        int rc = uv_loop_init(&loop->uv);
        if (rc < 0) {
                free(loop);
                return error_set(err, ERROR_SYSTEM, NULL, "start the event loop: %s", uv_strerror(rc));
        }
        ring_init(&loop->items);
        uv_idle_init(&loop->uv, &loop->idle);
        loop->idle.data = loop;
        for (size_t i = 0; i < SIGNALS; i++) {
                uv_signal_init(&loop->uv, &loop->signals[i]);
                loop->signals[i].data = loop;
        }
        rc = uv_async_init(&loop->uv, &loop->keep, keep_nothing);
        if (rc < 0) {
                error_set(err, ERROR_SYSTEM, NULL, "start the event loop: %s", uv_strerror(rc));
                loop_free(loop);
                return -1;
        }
        /* A peer that hangs up is an error of that write, not the end of the program. */
        signal(SIGPIPE, SIG_IGN);
        *ret = loop;
        return 0;
}

static void close_rest(uv_handle_t *handle, void *context)
{
        (void)context;
        if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void loop_free(struct loop *loop)
{
        if (loop == NULL) return;
        for (struct ring *place; (place = ring_take_first(&loop->items)) != NULL;) {
                struct loop_item *item = (struct loop_item *)place;
                item->close(item);
        }
        uv_walk(&loop->uv, close_rest, NULL);
        while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) continue;
        int busy = uv_loop_close(&loop->uv);
        assert(busy == 0);
        (void)busy;
        guard_free(loop->guard);
        free(loop->guard_lock);
        free(loop->deferred);
        free(loop->running);
        free(loop);
}

void loop_run(struct loop *loop)
{
        uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
        uv_stop(&loop->uv);
}

int64_t loop_now_ms(const struct loop *loop)
{
        return (int64_t)uv_now(&loop->uv);
}

void *loop_uv(struct loop *loop)
{
        return &loop->uv;
}

void loop_guard_lock(struct loop *loop, const char *path)
{
        free(loop->guard_lock);
        loop->guard_lock = mem_strdup(path);
}

struct guard *loop_guard(struct loop *loop, struct error **err)
{
        if (loop->guard == NULL && guard_start(loop->guard_lock, &loop->guard, err) < 0) return NULL;
        return loop->guard;
}

/* ---- deferred calls ---- */

/* Calls that are deferred from within a deferred call wait for the turn after. */
static void run_deferred(uv_idle_t *idle)
{
        struct loop *loop = idle->data;
        struct deferred *spare = loop->running;
        size_t spare_capacity = loop->running_capacity;
        loop->running = loop->deferred;
        loop->running_count = loop->deferred_count;
        loop->running_capacity = loop->deferred_capacity;
        loop->deferred = spare;
        loop->deferred_capacity = spare_capacity;
        loop->deferred_count = 0;
        for (size_t i = 0; i < loop->running_count; i++) {
                struct deferred d = loop->running[i];
                if (d.call != NULL) d.call(d.context);
        }
        loop->running_count = 0;
        if (loop->deferred_count == 0) uv_idle_stop(&loop->idle);
}

void loop_defer(struct loop *loop, void (*call)(void *context), void *context)
{
        vec_push(loop->deferred, loop->deferred_count, loop->deferred_capacity,
            (struct deferred){.call = call, .context = context});
        uv_idle_start(&loop->idle, run_deferred);
}

static void forget_in(struct deferred *batch, size_t count, const void *context)
{
        for (size_t i = 0; i < count; i++)
                if (batch[i].context == context) batch[i].call = NULL;
}

void loop_forget(struct loop *loop, const void *context)
{
        forget_in(loop->deferred, loop->deferred_count, context);
        forget_in(loop->running, loop->running_count, context);
}

/* ---- timers ---- */

static void timer_close(struct loop_item *item)
{
        struct timer *timer = (struct timer *)item;
        loop_close_block((uv_handle_t *)&timer->uv, timer);
}

static void timer_fire(uv_timer_t *handle)
{
        struct timer *timer = handle->data;
        void (*fired)(void *) = timer->fired;
        void *context = timer->context;
        timer_cancel(timer);
        fired(context);
}

struct timer *timer_start(struct loop *loop, int64_t delay_ms, void (*fired)(void *context), void *context)
{
        struct timer *timer = mem_alloc(sizeof *timer);
        timer->fired = fired;
        timer->context = context;
        timer->uv.data = timer;
        uv_timer_init(&loop->uv, &timer->uv);
        /* The delay counts from now, not from the start of a turn that may have been long. */
        uv_update_time(&loop->uv);
        uv_timer_start(&timer->uv, timer_fire, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
        loop_item_add(loop, &timer->item, timer_close);
        return timer;
}

void timer_cancel(struct timer *timer)
{
        if (timer == NULL) return;
        loop_item_remove(&timer->item);
        timer_close(&timer->item);
}

/* ---- signals ---- */

static void signal_caught(uv_signal_t *handle, int signal)
{
        struct loop *loop = handle->data;
        loop->caught(loop->caught_context, signal);
}

int loop_on_signal(
    struct loop *loop, void (*caught)(void *context, int signal), void *context, struct error **err)
{
        static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
        loop->caught = caught;
        loop->caught_context = context;
        for (size_t i = 0; i < SIGNALS; i++) {
                int rc = uv_signal_start(&loop->signals[i], signal_caught, numbers[i]);
                if (rc < 0)
                        return error_set(
                            err, ERROR_SYSTEM, NULL, "wait for signal %d: %s", numbers[i], uv_strerror(rc));
        }
        return 0;
}

void loop_off_signal(struct loop *loop)
{
        for (size_t i = 0; i < SIGNALS; i++) uv_signal_stop(&loop->signals[i]);
}
