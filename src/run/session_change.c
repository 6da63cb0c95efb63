/*
 * Changes of the record that no plan makes: by hand (state mv, rm, import; import), and the end of a run that gave way. Each is in the event
 * log in words, with who did it. See session.h.
 */
#include <string.h>

#include "base/clock.h"
#include "run/session_internal.h"

int session_hold_record(struct session *s, bool unfinished, struct error **err)
{
        if (session_hold(s, err) < 0) return -1;
        if (session_reload(s, err) == 0 && (unfinished || session_refuse_unfinished(s, err) == 0)) return 0;
        session_let_go(s);
        return -1;
}

/* What a write does to the record, as the data of an event; false where nothing is to be said of it. */
static bool describe(const struct store_write *w, const char *user, struct text *out)
{
        bool moves = w->kind == WRITE_RESOURCE_MOVE;
        if (w->kind == WRITE_OPERATION_OVER) {
                text_addc(out, '{');
                text_add_member(out, "action", w->action);
                text_add_member(out, "address", w->operation->address);
                text_add_member(out, "gives_up", w->operation->action);
                text_add_member(out, "of_run", w->operation->run);
                text_add_member(out, "by", user);
                text_addc(out, '}');
                return true;
        }
        if (!moves && w->kind != WRITE_RESOURCE && w->kind != WRITE_RESOURCE_GONE) return false;
        text_addc(out, '{');
        text_add_member(out, "action", w->action);
        text_add_member(out, "address", moves ? w->move.from : w->resource->address);
        if (moves) text_add_member(out, "to", w->move.to);
        if (!moves && w->resource->id != NULL && *w->resource->id != '\0')
                text_add_member(out, "id", w->resource->id);
        text_add_member(out, "by", user);
        text_addc(out, '}');
        return true;
}

/* `writes` with an event behind them for each that is one; *count becomes the number of both. The caller frees the list and the texts. */
static struct store_write *with_events(
    const struct store_write *writes, size_t *count, const char *user, struct arena *arena)
{
        size_t given = *count;
        struct store_write *all = arena_alloc(arena, 2 * given * sizeof *all);
        struct text data __attribute__((__cleanup__(text_release_cleanup))) = {0};
        memcpy(all, writes, given * sizeof *all);
        for (size_t i = 1; i < given; i++) {
                text_clear(&data);
                if (!describe(&writes[i], user, &data)) continue;
                all[*count] = (struct store_write){.kind = WRITE_EVENT};
                all[*count].event.kind = "record-changed";
                all[(*count)++].event.data = arena_strdup(arena, data.data);
        }
        return all;
}

int session_commit(
    struct session *s, const char *kind, const struct store_write *writes, size_t count, struct error **err)
{
        cleanup_free char *run = NULL, *user = session_user();
        if (store_next_run(s->store, s->name, &run, err) < 0) return -1;
        int64_t now = clock_wall_ms();
        struct run_row row = {.id = run,
            .kind = (char *)kind,
            .status = (char *)"done",
            .requester = user,
            .digest = (char *)"",
            .started_ms = now,
            .ended_ms = now};
        struct arena *arena = arena_new();
        struct store_write *all = with_events(writes, &count, user, arena);
        all[0] = (struct store_write){.kind = WRITE_RUN};
        all[0].run_row = &row;
        for (size_t i = 0; i < count; i++) all[i].run = run;
        int result = store_commit(s->store, &s->lease, all, count, err);
        arena_free(arena);
        return result;
}

void session_superseded_event(const struct session *s, const struct run_row *row, const char *by_run,
    struct text *data, struct store_write *ret)
{
        cleanup_free char *user = session_user();
        text_addc(data, '{');
        text_add_member(data, "status", row->status);
        if (by_run != NULL) text_add_member(data, "to", by_run);
        text_add_member(data, "by", s->by != NULL ? s->by : user);
        text_addc(data, '}');
        *ret = (struct store_write){.kind = WRITE_EVENT, .run = row->id};
        ret->event.kind = "run-superseded";
        ret->event.data = data->data;
}
