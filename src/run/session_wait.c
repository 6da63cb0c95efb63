/*
 * Waiting for an environment that another run holds: woken by what the other writes, and when its lease would end. See session.h.
 *
 * Each commit of the other touches the store's signal file, so does letting go. The death of a holder on this machine is an event as
 * well; one elsewhere is found out when its lease ends.
 */
#include <string.h>

#include "base/clock.h"
#include "run/holder.h"
#include "run/session_internal.h"

struct waiting {
        struct session *session;
        const struct wait_request *request;
        int64_t deadline_ms; /* monotonic */
        struct timer *timer;
        struct death *death;
        char *told; /* the holder that was told of last */
        struct lease_holder holder;
        bool interrupted;
        struct error *err;
};

static void look(void *context);
static void look_for_timer(void *context);

static void interrupted(void *context, int signal)
{
        struct session *s = context;
        (void)signal;
        if (s->waiting == NULL) return;
        s->waiting->interrupted = true;
        loop_stop(s->engine->loop);
}

static void tell(struct waiting *w)
{
        if (text_equal(w->told, w->holder.holder)) return;
        free(w->told);
        w->told = mem_strdup(w->holder.holder);
        death_unwatch(w->death);
        long pid = holder_pid(w->holder.holder);
        w->death = pid > 0 ? death_watch(w->session->engine->loop, pid, look, w) : NULL;
        cleanup_free char *name = holder_short(w->holder.holder);
        if (w->request->held != NULL) w->request->held(w->request->context, name, w->holder.since_ms);
}

/* Looks again when the lease ends or time is up, whatever is first; a clock that jumps makes it look early, never late. */
static void sleep_on(struct waiting *w, int64_t left_ms)
{
        int64_t expires = w->holder.expires_ms - clock_wall_ms() + 1;
        int64_t wait = expires < left_ms ? expires : left_ms;
        w->timer = timer_start(w->session->engine->loop, wait > 0 ? wait : 1, look_for_timer, w);
}

static void look(void *context)
{
        struct waiting *w = context;
        struct session *s = w->session;
        timer_cancel(steal(w->timer));
        free(steal(w->holder.holder));
        int64_t left = w->deadline_ms - clock_monotonic_ms();
        bool looked = store_lease_holder(s->store, s->name, &w->holder, &w->err) == 0;
        if (!looked || w->holder.holder == NULL || holder_is_dead(w->holder.holder) || left <= 0) {
                loop_stop(s->engine->loop);
                return;
        }
        tell(w);
        sleep_on(w, left);
}

static void look_for_timer(void *context)
{
        struct waiting *w = context;
        w->timer = NULL;
        look(w);
}

static int outcome(struct waiting *w, struct error **err)
{
        if (w->err != NULL) return error_move(err, &w->err);
        if (w->interrupted) return error_set(err, ERROR_CANCELLED, NULL, "interrupted while waiting");
        if (w->holder.holder == NULL || holder_is_dead(w->holder.holder)) return 0;
        char since[CLOCK_TEXT], waited[CLOCK_TEXT];
        clock_text(w->holder.since_ms, since);
        duration_text(w->request->ms, waited);
        cleanup_free char *name = holder_short(w->holder.holder);
        return error_set(err, ERROR_BUSY, NULL, "environment '%s' is held by %s since %s; waited %s for it",
            w->session->name, name, since, waited);
}

int session_wait(struct session *s, const struct wait_request *request, struct error **err)
{
        struct waiting w = {.session = s, .request = request};
        struct watch *watch = NULL;
        w.deadline_ms = clock_monotonic_ms() + request->left_ms;
        if (s->store == NULL) return 0; /* nothing ran yet */
        if (store_lease_holder(s->store, s->name, &w.holder, err) < 0) return -1;
        if (w.holder.holder == NULL) return 0;
        if (session_engine(s, err) == NULL || loop_on_signal(s->engine->loop, interrupted, s, err) < 0 ||
            watch_start(s->engine->loop, store_signal_file(s->store), look, &w, &watch, err) < 0) {
                free(w.holder.holder);
                return -1;
        }
        s->waiting = &w;
        w.timer = timer_start(s->engine->loop, 0, look_for_timer, &w);
        loop_run(s->engine->loop);
        s->waiting = NULL;
        loop_off_signal(s->engine->loop); /* what follows is planning, which any signal may end */
        timer_cancel(w.timer);
        death_unwatch(w.death);
        watch_stop(watch);
        int result = outcome(&w, err);
        free(w.told);
        free(w.holder.holder);
        return result < 0 ? -1 : session_reload(s, err);
}

/* Nobody who is alive, as far as can be known, holds the environment. */
static bool is_let_go(struct session *s)
{
        struct lease_holder holder = {0};
        if (store_lease_holder(s->store, s->name, &holder, NULL) < 0) return false;
        bool gone = holder.holder == NULL || holder_is_dead(holder.holder);
        free(holder.holder);
        return gone;
}

bool session_run_left(struct session *s, const struct run_row *run)
{
        if (strcmp(run->status, "running") != 0 || !is_let_go(s)) return false;
        /* It may have come to its end after the row was read; then it let go after that. */
        struct run_row now = {0};
        bool left = store_run(s->store, s->name, run->id, &now, NULL) == 0 &&
                    strcmp(now.status, "running") == 0;
        run_row_release(&now);
        return left;
}
