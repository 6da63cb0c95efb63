/*
 * The state machine of every action. A state is a request of the action's sequence, or its wait: state number = 2 × index (+ 1
 * while waiting). What follows the last request of a creation or an update is the type's `read`, unless the new state is known.
 *
 * A request that makes, changes or deletes something and is waited for, or tells the id, is never sent again once it was answered:
 * `again` begins with the first request, and passes by these.
 *
 * A state that begins without a reply sends its request; with one it takes the answer and moves on, through as many
 * states as need nothing from outside, until a request or a sleep is under way.
 */
#include "step.h"

#include <stdlib.h>
#include <string.h>

enum { FOR_EACH_MAX = 1000, POLL_GROWTH = 8, SETTLE_POLL_MIN = 100, SETTLE_POLL_MAX = 2000 };

/* The request at an index: of the action, then of `read`; NULL behind the end. */
static const struct request *step_request(const struct run *r, size_t index)
{
        if (index < r->requests->count) return &r->requests->items[index];
        bool reads = r->action == TUTTI_CREATE || r->action == TUTTI_UPDATE || r->action == TUTTI_FIND;
        index -= r->requests->count;
        return reads && index < r->type->read.count ? &r->type->read.items[index] : NULL;
}

static bool step_is_reading(const struct run *r)
{
        return r->index >= r->requests->count;
}

/* What a wait sends. */
static const struct request *step_poll(const struct run *r, const struct request *q)
{
        if (q->wait->own) return q->wait->own;
        return r->type->read.count ? &r->type->read.items[r->type->read.count - 1] : NULL;
}

static enum tutti_result step_cancelled(struct run *r)
{
        return r->host->op_fail(r->op, TUTTI_REFUSED, 0, "cancelled");
}

static enum tutti_result step_send(struct run *r, const struct request *q)
{
        return r->host->op_cancelled(r->op) ? step_cancelled(r) : request_send(r, q);
}

/* The longer it takes, the rarer it is asked for. */
static enum tutti_result step_sleep(struct run *r, int64_t min, int64_t max, int64_t retry_after_ms)
{
        if (r->host->op_cancelled(r->op)) return step_cancelled(r);
        int64_t ms = r->host->op_elapsed_ms(r->op) / POLL_GROWTH;
        ms = ms < min ? min : ms > max ? max : ms;
        return r->host->wait_sleep(r->op, retry_after_ms > ms ? retry_after_ms : ms);
}

static enum tutti_result step_finish(struct run *r)
{
        const struct tutti_host *host = r->host;
        if (r->action == TUTTI_DELETE) return TUTTI_DONE;
        if (r->observed) {
                host->op_observed(r->op, r->observed);
                return TUTTI_DONE;
        }
        /* A type without `read` whose answers show nothing: what was wanted is what there is. */
        if ((r->action == TUTTI_CREATE || r->action == TUTTI_UPDATE) && !r->type->read.count) {
                host->op_observed(r->op, host->op_planned(r->op));
                return TUTTI_DONE;
        }
        return run_fail(r, TUTTI_REFUSED, 0, "the answer shows no object");
}

/* Sets the root `each` for the turn of a `for_each`: 1, 0 when all are done, -1 with r->problem. */
static int step_each(struct run *r, const struct request *q)
{
        if (!q->for_each) return 1;
        struct value *all = run_fill(r, q->for_each);
        if (!all) return -1;
        bool map = kind_map(r->host, all);
        bool many = map || kind_list(r->host, all);
        size_t count = many ? r->host->value_count(all) : 0, i = (size_t)r->loop;
        if (count > FOR_EACH_MAX || (!many && !kind_none(r->host, all))) {
                r->problem = many ? util_format("for_each has more than %d elements", FOR_EACH_MAX)
                                  : util_format(
                                        "for_each takes a list or a map, not a %s", r->host->value_kind(all));
                r->host->value_free(all);
                return -1;
        }
        if (i < count) {
                struct object each = {0};
                const char *key = map ? r->host->value_key_at(all, i) : NULL;
                object_add(&each, "key",
                    map ? r->host->value_string(key, strlen(key)) : r->host->value_int(r->loop));
                object_add(&each, "value", r->host->value_ref(r->host->value_at(all, i)));
                object_add(&each, "index", r->host->value_int(r->loop));
                run_root(r, "each", object_value(r->host, &each));
        }
        r->host->value_free(all);
        return i < count;
}

static void step_first_page(struct run *r)
{
        r->pages = 0;
        r->host->value_free(r->next);
        r->next = r->host->value_null();
        run_root(r, "next", r->host->value_null());
}

/* On to the next request, or the next turn of this one. */
static void step_next(struct run *r, const struct request *q)
{
        step_first_page(r);
        if (q->for_each)
                r->loop++;
        else
                r->loop = 0;
        run_to(r, r->index + !q->for_each, false);
}

/* Whether the request under way is to be left out: 1, 0, -1 with r->problem. */
static int step_skips(struct run *r, const struct request *q)
{
        int when = run_true(r, q->when, 1);
        if (when <= 0) return when < 0 ? -1 : 1;
        int each = step_each(r, q);
        return each < 0 ? -1 : !each;
}

static enum tutti_result step_send_poll(struct run *r, const struct request *q)
{
        const struct request *poll = step_poll(r, q);
        if (poll) return step_send(r, poll);
        r->problem = util_format("there is no `read` to wait with");
        return run_wrong(r, q);
}

/* Whether the wait of a request applies. 1, 0, -1 */
static int step_waits(struct run *r, const struct request *q)
{
        return q->wait ? run_true(r, q->wait->when, 1) : 0;
}

/* The id became known now. */
static void step_made(struct run *r)
{
        int64_t elapsed = r->host->op_elapsed_ms(r->op);
        r->made_ms = elapsed > 0 ? elapsed : 1;
}

/* Whether the id of what a request makes comes with the end of its wait. */
static bool step_waits_for_id(const struct request *q)
{
        return q->wait && q->wait->own && q->wait->own->id;
}

/* A request that is not sent again once it was answered. */
static bool step_is_once(const struct run *r, const struct request *q)
{
        return !step_is_reading(r) && (q->wait || (r->action == TUTTI_CREATE && q->id));
}

/* Back to the first request. */
static void step_again(struct run *r)
{
        bool acts = r->action == TUTTI_CREATE || r->action == TUTTI_UPDATE || r->action == TUTTI_DELETE;
        size_t index = step_is_reading(r) ? r->requests->count : r->index;
        int64_t state = (int64_t)index * 2 + (r->waiting && !step_is_reading(r));
        if (acts && (state > r->again_state || (state == r->again_state && r->loop > r->again_loop))) {
                r->again_state = state;
                r->again_loop = step_is_reading(r) ? 0 : r->loop;
        }
        r->loop = 0;
        run_to(r, 0, false);
}

/* While going back to where `again` stands: whether it passed by the request under way, as that was answered. */
static bool step_passes(struct run *r, const struct request *q)
{
        int64_t index = (int64_t)r->index, mark = r->again_state / 2;
        bool waiting = r->again_state % 2, there = index >= mark;
        if (!r->again_state || step_is_reading(r)) return false;
        if (there) {
                r->loop = step_is_once(r, q) ? r->again_loop : 0;
                r->again_state = r->again_loop = 0;
        }
        bool passes = step_is_once(r, q) && (!there || waiting);
        if (there || passes) run_to(r, r->index + (passes && !there), passes && there);
        return passes;
}

/* Whether what a creation's request saved of its answer is known: then it was answered. */
static bool step_saved(const struct run *r, const struct request *q)
{
        for (size_t i = 0; i < q->save_count; i++)
                if (!r->host->value_get(r->vars, q->save_names[i])) return false;
        return true;
}

/* Enters the request under way: TUTTI_WAIT or TUTTI_FAILED, or TUTTI_DONE when it needs nothing from outside. */
static enum tutti_result step_enter_request(struct run *r, const struct request *q)
{
        if (step_passes(r, q)) return TUTTI_DONE;
        int skips = step_skips(r, q);
        if (skips < 0) return run_wrong(r, q);
        if (skips) {
                r->loop = 0;
                run_to(r, r->index + 1, false);
                return TUTTI_DONE;
        }
        bool made = r->action == TUTTI_CREATE && (q->id || step_waits_for_id(q)) && !step_is_reading(r) &&
                    r->host->op_id(r->op);
        if (!made) {
                r->host->value_free(r->observed);
                r->observed = NULL;
                return step_send(r, q);
        }
        /* The object was found again: on to waiting for it. A `when` that asks the reply cannot be answered now. */
        if (!r->made_ms) step_made(r);
        bool waits = step_saved(r, q) || !step_waits_for_id(q);
        if (waits && step_waits(r, q))
                run_to(r, r->index, true);
        else
                step_next(r, q);
        return TUTTI_DONE;
}

/* From the present state on, until something is under way or all is done. */
static enum tutti_result step_enter(struct run *r)
{
        for (;;) {
                const struct request *q = step_request(r, r->index);
                if (!q || (r->observed && step_is_reading(r))) return step_finish(r);
                if (run_prepare(r, q) < 0) return run_wrong(r, q);
                if (r->waiting) return step_each(r, q) < 0 ? run_wrong(r, q) : step_send_poll(r, q);
                enum tutti_result result = step_enter_request(r, q);
                if (result != TUTTI_DONE) return result;
        }
}

static enum tutti_result step_fail(struct run *r, const struct request *q, const struct answer *a)
{
        static const enum tutti_failure failures[] = {
            [MEANS_THROTTLED] = TUTTI_THROTTLED,
            [MEANS_TRANSIENT] = TUTTI_TRANSIENT,
            [MEANS_BUSY] = TUTTI_BUSY,
            [MEANS_AGAIN] = TUTTI_TRANSIENT,
            [MEANS_MISSING] = TUTTI_NOT_FOUND,
            [MEANS_EXISTS] = TUTTI_EXISTS,
            [MEANS_DENIED] = TUTTI_DENIED,
            [MEANS_INVALID] = TUTTI_INVALID,
            [MEANS_REFUSED] = TUTTI_REFUSED,
            [MEANS_BROKEN] = TUTTI_BROKEN,
        };
        enum tutti_failure kind = failures[a->means];
        /* It was made; that it cannot be read says nothing against it. */
        bool for_good = kind == TUTTI_REFUSED || kind == TUTTI_INVALID || kind == TUTTI_NOT_FOUND;
        if (r->action == TUTTI_CREATE && step_is_reading(r) && for_good) kind = TUTTI_UNCLEAR;
        if (a->means == MEANS_AGAIN) step_again(r);
        const char *why = a->message ? a->message : "failed";
        bool plain = strcmp(q->name, "read") == 0 &&
                     r->requests == &r->type->read; /* who reads says so itself */
        AUTO_CHAR message = plain ? util_format("%s", why) : util_format("%s: %s", q->name, why);
        return run_fail(r, kind, a->retry_after_ms, message);
}

/* The object asked for is not there. */
static enum tutti_result step_missing(struct run *r, const struct request *q, const struct answer *a)
{
        const struct tutti_host *host = r->host;
        bool about_it = r->waiting || step_is_reading(r);
        /* After a restart the clock of the operation begins anew, and so does the object's age. */
        int64_t elapsed = host->op_elapsed_ms(r->op),
                age = elapsed < r->made_ms ? elapsed : elapsed - r->made_ms;
        bool settling = age < (r->action == TUTTI_FIND ? r->type->find_settle_ms : r->type->settle_ms);
        switch (r->action) {
        case TUTTI_READ:
        case TUTTI_IMPORT: host->op_gone(r->op); return TUTTI_DONE;
        case TUTTI_FIND:
                if (settling && host->op_token(r->op)) {
                        step_first_page(r);
                        run_to(r, r->index, false);
                        return step_sleep(r, SETTLE_POLL_MIN, SETTLE_POLL_MAX, 0);
                }
                host->op_gone(r->op);
                return TUTTI_DONE;
        case TUTTI_LOOKUP: return run_fail(r, TUTTI_NOT_FOUND, 0, "nothing matches");
        case TUTTI_DELETE: step_next(r, q); return step_enter(r);
        case TUTTI_CREATE:
                if (!about_it) return step_fail(r, q, a);
                if (settling) return step_sleep(r, SETTLE_POLL_MIN, SETTLE_POLL_MAX, a->retry_after_ms);
                return run_fail(r, TUTTI_BROKEN, 0, "it was created, but is not there any more");
        default: return step_fail(r, q, a);
        }
}

/* Keeps what `save` and `id` say of the answer. */
static int step_keep(struct run *r, const struct request *q)
{
        for (size_t i = 0; i < q->save_count; i++) {
                struct value *v = run_fill(r, q->save[i]);
                if (!v) return -1;
                struct value *vars = r->host->value_with(r->vars, q->save_names[i], v);
                r->host->value_free(r->vars);
                r->host->value_free(v);
                r->vars = vars;
                run_root(r, "vars", r->host->value_ref(vars));
        }
        if (!q->id || (r->action != TUTTI_CREATE && r->action != TUTTI_FIND && r->action != TUTTI_LOOKUP))
                return 0;
        struct value *id = run_fill(r, q->id);
        AUTO_CHAR text = id && !kind_none(r->host, id) ? run_text(r, id, "the id") : NULL;
        r->host->value_free(id);
        if (!text || !*text) {
                if (!r->problem) r->problem = util_format("the answer has no id");
                return -1;
        }
        r->host->op_set_id(r->op, text);
        step_made(r);
        run_root(r, "id", r->host->value_string(text, strlen(text)));
        return 0;
}

/*
 * The new state, where this answer gives it. A `read` of several requests is complete with its last one only, and a request of
 * the wait's own need not show the whole object.
 */
static int step_observe(struct run *r, const struct request *q, const struct answer *a)
{
        const struct requests *read = &r->type->read;
        if (!a->item || r->action == TUTTI_DELETE) return 0;
        bool last = read->count && q == &read->items[read->count - 1];
        if (read->count > 1 && (r->waiting || !last)) return 0;
        if (r->waiting && !last) return 0;
        r->host->value_free(r->observed);
        r->observed = document_observe(r, a->item);
        return r->observed ? 0 : -1;
}

static bool step_asks(const struct request *q)
{
        return q->method && (strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0);
}

static bool step_gives_id(const struct request *q)
{
        return q->id || (q->wait && q->wait->own && q->wait->own->id);
}

/*
 * The request under way was the last that can make anything before there is an id, and was answered well: from here on the object is on its
 * way. A login, or anything else in front of it, has another one behind it.
 */
static void step_accepted(struct run *r, const struct request *q)
{
        const struct requests *all = r->requests;
        if (r->action != TUTTI_CREATE || r->waiting || step_is_reading(r) || step_asks(q)) return;
        if (r->host->op_id(r->op)) return;
        for (size_t i = r->index; i < all->count; i++) {
                if (i > r->index && !step_asks(&all->items[i])) return;
                if (!step_gives_id(&all->items[i])) continue;
                r->host->op_accepted(r->op);
                return;
        }
}

static enum tutti_result step_replied(struct run *r, const struct request *q)
{
        struct answer a;
        if (answer_take(r, q, q->wait, &a) < 0) return run_wrong(r, q);
        enum tutti_result result;
        int waits = 0;
        if (a.means == MEANS_MISSING) {
                result = step_missing(r, q, &a);
        } else if (a.means != MEANS_OK) {
                result = step_fail(r, q, &a);
        } else if (a.another_page) {
                run_root(r, "next", r->host->value_ref(r->next));
                run_to(r, r->index, false);
                result = step_enter(r);
        } else if (step_keep(r, q) < 0 || (waits = step_waits(r, q)) < 0 ||
                   (!waits && !q->read_again && step_observe(r, q, &a) < 0)) {
                result = run_wrong(r, q);
        } else {
                step_accepted(r, q);
                if (waits)
                        run_to(r, r->index, true);
                else
                        step_next(r, q);
                result = step_enter(r);
        }
        answer_release(&a);
        return result;
}

static enum tutti_result step_broken(struct run *r, const struct request *q)
{
        AUTO_CHAR why = run_text_or_null(r, q->wait->message);
        AUTO_CHAR message = util_format("%s: %s", q->name, why && *why ? why : "it ended in an error state");
        return run_fail(r, r->action == TUTTI_CREATE ? TUTTI_BROKEN : TUTTI_REFUSED, 0, message);
}

/* An answer to a poll that is good: whether what was waited for is there. */
static enum tutti_result step_poll_answered(
    struct run *r, const struct request *q, const struct request *poll, const struct answer *a)
{
        const struct wait *w = q->wait;
        int failed = run_true(r, w->failed, 0);
        if (failed > 0) return step_broken(r, q);
        int until = failed < 0 ? -1 : run_true(r, w->until, 0);
        if (until < 0) return run_wrong(r, q);
        if (!until) {
                AUTO_CHAR progress = run_text_or_null(r, w->progress);
                AUTO_CHAR masked = progress ? run_masked(r, progress) : NULL;
                if (masked) r->host->op_progress(r->op, masked);
                return step_sleep(r, w->every_min, w->every_max, a->retry_after_ms);
        }
        if ((w->own && step_keep(r, w->own) < 0) || step_observe(r, poll, a) < 0) return run_wrong(r, poll);
        step_next(r, q);
        return step_enter(r);
}

static enum tutti_result step_polled(struct run *r, const struct request *q)
{
        const struct request *poll = step_poll(r, q);
        struct answer a;
        if (answer_take(r, poll, q->wait, &a) < 0) return run_wrong(r, poll);
        enum tutti_result result;
        if (a.means == MEANS_MISSING && q->wait->until_gone) {
                step_next(r, q);
                result = step_enter(r);
        } else if (a.means == MEANS_MISSING) {
                result = step_missing(r, q, &a);
        } else if (a.means == MEANS_AGAIN) { /* one more way of "not yet" */
                AUTO_CHAR masked = run_masked(r, a.message ? a.message : "again");
                r->host->op_progress(r->op, masked);
                step_again(r);
                result = step_sleep(r, q->wait->every_min, q->wait->every_max, a.retry_after_ms);
        } else if (a.means != MEANS_OK) {
                result = step_fail(r, q, &a);
        } else {
                result = step_poll_answered(r, q, poll, &a);
        }
        answer_release(&a);
        return result;
}

enum tutti_result rest_step(void *context, struct tutti_op *op)
{
        struct run r;
        run_begin(&r, context, op);
        const struct tutti_reply *reply = r.host->op_reply(op);
        const struct request *q = step_request(&r, r.index);
        enum tutti_result result;
        if (r.action == TUTTI_FIND && !r.requests->count) { /* there is no way to look: none is known */
                r.host->op_gone(op);
                result = TUTTI_DONE;
        } else if (!q || !reply || reply->kind != TUTTI_REPLY_HTTP) {
                result = step_enter(&r);
        } else if (run_prepare(&r, q) < 0 || step_each(&r, q) < 0) {
                result = run_wrong(&r, q);
        } else {
                result = r.waiting ? step_polled(&r, q) : step_replied(&r, q);
        }
        run_release(&r);
        return result;
}
