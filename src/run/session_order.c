/*
 * Recording in which order things were made, as far as no step does: of what stays as it is. See struct record_order in plan.h and session.h.
 *
 * It is written when a run begins, and once more when it is over: what is inherited for the time in which something that is to go is still
 * there is not kept when it is gone. Where there is nothing to run it is written by itself.
 */
#include <string.h>

#include "base/clock.h"
#include "plan/record_order.h"
#include "run/record.h"
#include "run/session_internal.h"

static struct store_write order_write(struct arena *arena, const struct record_order *order, const char *run)
{
        struct resource_row *row = arena_alloc(arena, sizeof *row);
        *row = (struct resource_row){.address = arena_strdup(arena, order->recorded->address),
            .deposed = arena_strdup(arena, order->recorded->deposed),
            .after_count = order->count,
            .inherited_count = order->inherited_count};
        row->after = arena_alloc(arena, (order->count + 1) * sizeof *row->after);
        for (size_t i = 0; i < order->count; i++) row->after[i] = arena_strdup(arena, order->after[i]);
        struct store_write w = {.kind = WRITE_RESOURCE_AFTER, .run = run};
        w.resource = row;
        return w;
}

void session_order_writes(
    const struct session *s, struct arena *arena, struct store_write *writes, size_t *used)
{
        for (size_t i = 0; i < s->plan->order_count; i++)
                writes[(*used)++] = order_write(arena, &s->plan->orders[i], s->run);
}

/* What left the record in this run, by address. */
static void find_gone(const struct session *s, struct map *gone)
{
        for (size_t i = 0; i < s->plan->count; i++) {
                const struct step *step = &s->plan->steps[i];
                bool leaves = step->action == ACTION_DELETE || step->action == ACTION_FORGET;
                if (!leaves || step->deposed[0] != '\0') continue;
                if (text_equal(executor_step_status(s->executor, step->index, NULL), "done"))
                        map_put(gone, step->address, (void *)step);
        }
}

void session_settle_orders(struct session *s)
{
        struct map gone = {0};
        find_gone(s, &gone);
        for (size_t i = 0; gone.used > 0 && i < s->plan->order_count; i++) {
                struct record_order order = s->plan->orders[i];
                struct arena *arena = journal_arena(s->journal);
                const char **after = arena_alloc(arena, (order.count + 1) * sizeof *after);
                size_t own = order.count - order.inherited_count, kept = own;
                if (own > 0) memcpy(after, order.after, own * sizeof *after);
                for (size_t a = own; a < order.count; a++)
                        if (state_has_within(s->state, order.after[a], &gone)) after[kept++] = order.after[a];
                if (kept == order.count) continue;
                order.after = after;
                order.count = kept;
                order.inherited_count = kept - own;
                struct store_write w = order_write(arena, &order, s->run);
                journal_add(s->journal, &w);
        }
        map_release(&gone);
}

bool session_has_orders(const struct session *s)
{
        for (size_t i = 0; i < s->plan->record_change_count; i++)
                if (s->plan->record_changes[i].host != NULL || s->plan->record_changes[i].account != NULL ||
                    s->plan->record_changes[i].seen != NULL)
                        return true;
        return s->plan->order_count > 0;
}

/* Hosts of which only the way there changed: by another address, user or key; accounts that are known for the first time; and what was seen of
 * resources of which the template does not say otherwise. */
static void host_writes(
    const struct session *s, struct arena *arena, struct store_write *writes, size_t *used)
{
        for (size_t i = 0; i < s->plan->record_change_count; i++) {
                const struct record_change *c = &s->plan->record_changes[i];
                if (c->host == NULL && c->account == NULL && c->seen == NULL) continue;
                struct resource_row *row = session_changed_row(s, c, arena);
                if (row == NULL) continue;
                writes[*used] = (struct store_write){.kind = WRITE_RESOURCE, .action = "update"};
                writes[(*used)++].resource = row;
        }
}

static int write_orders(struct session *s, struct error **err)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        size_t most = s->plan->order_count + s->plan->record_change_count + 1, used = 0;
        struct store_write *writes = arena_alloc(arena, most * sizeof *writes);
        struct text data __attribute__((__cleanup__(text_release_cleanup))) = {0};
        cleanup_free char *user = session_user();
        host_writes(s, arena, writes, &used);
        session_order_writes(s, arena, writes, &used);
        text_add(&data, "{\"action\":\"order\"");
        text_add_member(&data, "by", user);
        text_addf(&data, ",\"resources\":%zu}", used);
        writes[used] = (struct store_write){.kind = WRITE_EVENT};
        writes[used].event.kind = "record-changed";
        writes[used++].event.data = data.data;
        return store_commit(s->store, &s->lease, writes, used, err);
}

int session_record_orders(struct session *s, bool *outdated, struct error **err)
{
        struct environment_row now = {0};
        *outdated = false;
        if (session_hold(s, err) < 0) return -1;
        int status = store_environment(s->store, s->name, false, &now, err);
        if (status == 0) *outdated = now.serial != s->state->serial;
        if (status == 0 && !*outdated) status = write_orders(s, err);
        environment_row_release(&now);
        session_let_go(s);
        return status;
}
