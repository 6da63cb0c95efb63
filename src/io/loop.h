/*
 * The engine's event loop: libuv behind the few things the rest of the program needs.
 *
 * One thread. A callback stores its result and resumes whatever waited; nothing completes inside its own start
 * call: a start function returns first, and the callback follows on a later turn. Cancelling means that no
 * callback follows.
 */
#ifndef TUTTI_IO_LOOP_H
#define TUTTI_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct loop;

int loop_new(struct loop **ret, struct error **err);
void loop_free(struct loop *loop); /* closes what is still open; NULL-safe */
CLEANUP(struct loop *, loop_free);
void loop_run(struct loop *loop); /* until loop_stop */
void loop_stop(struct loop *loop);
int64_t loop_now_ms(const struct loop *loop); /* monotonic, as of this turn */
void *loop_uv(struct loop *loop);             /* the uv_loop_t, for the other files of io/ only */

/* The lock file of what guards the commands that are run on this loop, see io/guard.h; to be set before the first. */
void loop_guard_lock(struct loop *loop, const char *path);

/* One-shot timers. The handle is valid until the callback starts or timer_cancel. */
struct timer;
struct timer *timer_start(struct loop *loop, int64_t delay_ms, void (*fired)(void *context), void *context);
void timer_cancel(struct timer *timer); /* NULL-safe */

/* Runs `call` on the next turn. */
void loop_defer(struct loop *loop, void (*call)(void *context), void *context);
/* No deferred call with this context follows: before it is freed, as loop_stop leaves what was deferred to the next loop_run. */
void loop_forget(struct loop *loop, const void *context);

/* Signals: `caught` is called on the loop for each SIGINT, SIGTERM or SIGHUP until the loop is freed. */
int loop_on_signal(
    struct loop *loop, void (*caught)(void *context, int signal), void *context, struct error **err);

/* From now on they do again what they do by default. */
void loop_off_signal(struct loop *loop);

/* Calls `changed` when the file (which must exist) is written to or touched; coalesces bursts. */
struct watch;
int watch_start(struct loop *loop, const char *path, void (*changed)(void *context), void *context,
    struct watch **ret, struct error **err);
void watch_stop(struct watch *watch);

/* Calls `ended` once when a process of this machine ends that is not our child. NULL where that cannot be told, or when there is no
 * such process. */
struct death;
struct death *death_watch(struct loop *loop, long pid, void (*ended)(void *context), void *context);
void death_unwatch(struct death *death); /* NULL-safe */

/* Calls `line` for each line typed on standard input, NULL at its end. Reads only while started; needs a terminal or pipe. */
struct input;
int input_start(struct loop *loop, void (*line)(void *context, const char *line), void *context,
    struct input **ret, struct error **err);
void input_stop(struct input *input);
/* At a terminal: what was typed until now is dropped, also a line that is not ended, and one that would be read in this turn. Anything else
 * has nobody who types, and loses nothing. */
void input_discard(struct input *input);

#endif
