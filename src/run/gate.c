/*
 * A step that waits for people, and the answers to it; see gate.h.
 *
 * Functions stand in order of time.
 */
#include "run/gate.h"

#include <string.h>

#include "base/clock.h"

const char *gate_name(const struct step_run *r)
{
        if (r->gate != NULL) return r->gate->name;
        return r->step->gate ? r->step->gate : r->step->address;
}

uint32_t *gate_behind(const struct step_run *r, size_t *count)
{
        const struct executor *x = r->executor;
        bool *seen = mem_alloc(x->count);
        uint32_t *queue = mem_alloc((x->count + 1) * sizeof *queue);
        size_t queued = 0, found = 0;
        queue[queued++] = r->step->index;
        for (size_t i = 0; i < queued; i++) {
                for (uint32_t k = x->dependant_start[queue[i]]; k < x->dependant_start[queue[i] + 1]; k++) {
                        uint32_t d = x->dependants[k];
                        if (seen[d]) continue;
                        seen[d] = true;
                        queue[queued++] = d;
                }
        }
        for (size_t i = 1; i < queued; i++)
                if (x->table[queue[i]].action != ACTION_JOIN) queue[found++] = queue[i];
        free(seen);
        *count = found;
        return queue;
}

void gate_begin(struct step_run *r, const char *name, int64_t opened_ms, uint32_t *behind, size_t count,
    struct proposal *proposal, void (*decided)(struct step_run *r, const struct tally *t))
{
        struct gate *g = r->gate = mem_alloc(sizeof *g);
        *g = (struct gate){.name = mem_strdup(name),
            .opened_ms = opened_ms,
            .proposal = proposal,
            .behind = behind,
            .behind_count = count,
            .decided = decided};
}

static void forget_approved(struct gate *g)
{
        for (size_t i = 0; i < g->approved_count; i++) free(g->approved[i]);
        free(g->approved);
        g->approved = NULL;
        g->approved_count = 0;
}

void gate_free(struct step_run *r)
{
        struct gate *g = steal(r->gate);
        if (g == NULL) return;
        timer_cancel(g->expiry);
        forget_approved(g);
        proposal_free(g->proposal);
        free(g->behind);
        free(g->name);
        free(g);
}

struct ballot gate_ballot(const struct step_run *r)
{
        const struct executor_request *q = &r->executor->request;
        return (struct ballot){.approvers = q->approvers,
            .proposal = r->gate->proposal,
            .lineage = q->lineage,
            .run = q->run,
            .gate = r->gate->name,
            .opened_ms = r->gate->opened_ms};
}

/* --- telling --------------------------------------------------------------------------------------------------------- */

static void show(void *context)
{
        const struct step_run *r = context;
        const struct run_options *o = r->executor->request.options;
        const struct gate *g = r->gate;
        if (r->status != STEP_WAITING || g == NULL || !o->interactive || o->gate == NULL) return;
        struct ballot b = gate_ballot(r);
        struct gate_view view = {.step = r->step,
            .name = g->name,
            .message = g->proposal->message,
            .choices = g->proposal->choices,
            .approved = (const char *const *)g->approved,
            .approved_count = g->approved_count,
            .needed = g->proposal->needed,
            .yours = ballot_admits(&b, o->by),
            .behind = g->behind,
            .behind_count = g->behind_count,
            .run_started_ms = r->executor->request.run_started_ms,
            .opened_ms = g->opened_ms};
        const char **people = ballot_people(&b, &view.people_count, &view.anyone);
        view.people = people;
        o->gate(o->context, &view, true);
        free(people);
}

static void ask(void *context)
{
        struct step_run *r = context;
        struct executor_request *q = &r->executor->request;
        if (r->status != STEP_WAITING || r->gate == NULL) return;
        show(r);
        if (q->answers != NULL && map_has(q->answers, r->gate->name)) q->listen(q->context);
}

struct closing {
        const struct run_options *options;
        const char *name;
};

static void show_closed(void *context)
{
        const struct closing *c = context;
        const struct run_options *o = c->options;
        struct gate_view view = {.name = c->name};
        if (o->interactive && o->gate != NULL) o->gate(o->context, &view, false);
}

void gate_show_closed(const struct step_run *r)
{
        struct journal *j = r->executor->request.journal;
        struct closing *c = arena_alloc(journal_arena(j), sizeof *c);
        *c = (struct closing){r->executor->request.options, arena_strdup(journal_arena(j), r->gate->name)};
        journal_then(j, show_closed, c);
}

void gate_ask(struct step_run *r)
{
        journal_then(r->executor->request.journal, ask, r);
        executor_schedule(r->executor);
}

void gate_emit(
    const struct step_run *r, enum event_kind kind, const char *by, const char *message, bool is_signed)
{
        const struct gate *g = r->gate;
        bool question = g->proposal->choices != NULL;
        struct event e = {.by = by,
            .message = message,
            .gate = g->name,
            .details = g->proposal->text,
            .is_signed = is_signed,
            .approvals = question ? 0 : (unsigned)g->approved_count,
            .needed = question ? 0 : g->proposal->needed};
        executor_emit(r->executor, kind, r, &e);
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void write_row(struct step_run *r, const struct gate_row *outcome)
{
        struct journal *j = r->executor->request.journal;
        struct arena *a = journal_arena(j);
        struct gate_row *row = arena_alloc(a, sizeof *row);
        *row = *outcome;
        row->run = arena_strdup(a, r->executor->request.run);
        row->name = arena_strdup(a, r->gate->name);
        row->status = arena_strdup(a, outcome->status);
        row->details = arena_strdup(a, r->gate->proposal->text);
        row->answered_by = arena_strdup(a, outcome->answered_by);
        row->comment = arena_strdup(a, outcome->comment);
        row->opened_ms = r->gate->opened_ms;
        struct store_write w = {.kind = WRITE_GATE, .run = row->run};
        w.gate = row;
        journal_add(j, &w);
}

void gate_write_waiting(struct step_run *r)
{
        write_row(r, &(struct gate_row){.status = (char *)"waiting", .reopen = true});
}

void gate_write(struct step_run *r, const char *status, const char *by, const char *comment, int64_t when_ms)
{
        write_row(r, &(struct gate_row){.status = (char *)status,
                         .answered_by = (char *)by,
                         .comment = (char *)comment,
                         .answered_ms = when_ms > 0 ? when_ms : clock_wall_ms()});
}

void gate_write_answer(struct step_run *r, const struct answer_row *from)
{
        struct journal *j = r->executor->request.journal;
        struct arena *a = journal_arena(j);
        struct answer_row *row = arena_alloc(a, sizeof *row);
        *row = *from;
        row->run = arena_strdup(a, from->run);
        row->gate = arena_strdup(a, from->gate);
        row->answer = arena_strdup(a, from->answer);
        row->by = arena_strdup(a, from->by);
        row->comment = arena_strdup(a, from->comment);
        row->user = arena_strdup(a, from->user);
        row->digest = arena_strdup(a, from->digest);
        row->proposal = arena_strdup(a, from->proposal);
        row->signature = arena_strdup(a, from->signature);
        row->key = arena_strdup(a, from->key);
        struct store_write w = {.kind = WRITE_ANSWER, .run = row->run};
        w.answer = row;
        journal_add(j, &w);
}

/* --- counting -------------------------------------------------------------------------------------------------------- */

static void refused(void *context, const struct answer_row *row, const struct error *why)
{
        struct step_run *r = context;
        if (row->id <= r->gate->heard) return;
        cleanup_free char *text = mem_printf("this answer does not count: %s", error_message(why));
        gate_emit(r, EVENT_GATE_IGNORED, row->by, text, false);
}

static void remember(struct gate *g, const struct tally *t)
{
        forget_approved(g);
        g->approved = mem_alloc((t->count + 1) * sizeof *g->approved);
        for (size_t i = 0; i < t->count; i++) g->approved[g->approved_count++] = mem_strdup(t->by[i]);
}

bool gate_count(struct step_run *r, const struct answer_row *rows, size_t count)
{
        struct gate *g = r->gate;
        struct ballot b = gate_ballot(r);
        struct tally t;
        size_t before = g->approved_count;
        answers_count(&b, rows, count, clock_wall_ms(), refused, r, &t);
        for (size_t i = 0; i < count; i++)
                if (rows[i].id > g->heard) g->heard = rows[i].id;
        remember(g, &t);
        bool decided = t.outcome != TALLY_OPEN;
        if (decided) {
                g->decided(r, &t);
        } else if (g->approved_count > before) {
                gate_emit(r, EVENT_GATE_PARTIAL, t.last->by, t.last->comment, t.last->signature != NULL);
                journal_then(r->executor->request.journal, show, r); /* after that is told */
        }
        tally_release(&t);
        return decided;
}

/* Somebody wrote it there. */
void gate_doubt(struct step_run *r, const struct gate_row *row)
{
        cleanup_free char *text = mem_printf(
            "the store has it %.40s by %.100s, and no answer that counts says so: it waits on", row->status,
            row->answered_by ? row->answered_by : "nobody");
        gate_emit(r, EVENT_GATE_IGNORED, row->answered_by, text, false);
}

/* --- answers of this process ----------------------------------------------------------------------------------------- */

bool gate_has_approved(const struct step_run *r, const char *person)
{
        for (size_t i = 0; i < r->gate->approved_count; i++)
                if (strcmp(r->gate->approved[i], person) == 0) return true;
        return false;
}

int gate_make_answer(const struct step_run *r, const char *answer, const char *by, const char *comment,
    struct answer_row *ret, struct error **err)
{
        struct ballot b = gate_ballot(r);
        struct answer_request request = {
            .by = by, .comment = comment, .user = r->executor->request.user, .answer = answer};
        if (strcmp(answer, ANSWER_APPROVED) == 0 && gate_has_approved(r, by))
                return error_set(err, ERROR_CONFLICT, NULL, "%s approved gate '%s' already", by, b.gate);
        return answer_make(&b, &request, clock_wall_ms(), ret, err);
}

static void listen(void *context)
{
        struct executor *x = context;
        x->request.listen(x->request.context);
}

static struct step_run *open_gate(struct executor *x, const char *name)
{
        for (size_t i = 0; i < x->count && x->gates_open > 0 && !x->over; i++) {
                struct step_run *r = &x->steps[i];
                if (r->gate != NULL && strcmp(r->gate->name, name) == 0) return r;
        }
        return NULL;
}

/* It is counted once it is on disk, with those of others that came before it. */
int executor_answer(struct executor *x, const char *gate, const char *answer, const char *by,
    const char *comment, struct error **err)
{
        struct answer_row row = {0};
        struct step_run *r = open_gate(x, gate);
        if (r == NULL) return error_set(err, ERROR_MISSING, NULL, "no gate '%s' waits in this run", gate);
        if (gate_make_answer(r, answer, by, comment, &row, err) < 0) return -1;
        gate_write_answer(r, &row);
        answer_row_release(&row);
        journal_then(x->request.journal, listen, x);
        return 0;
}

/* --- answers that come in -------------------------------------------------------------------------------------------- */

static void hear(struct step_run *r, const struct gate_row *row, const struct answer_slice *answers)
{
        if (answers != NULL && gate_count(r, answers->rows, answers->count)) return;
        if (strcmp(row->status, "waiting") == 0) return;
        gate_doubt(r, row);
        gate_write_waiting(r);
}

void executor_hear(struct executor *x, const struct gate_row *rows, size_t count, const struct map *answers)
{
        struct map by_name __attribute__((__cleanup__(map_release_cleanup))) = {0};
        if (x->over) return; /* it is for whoever resumes */
        for (size_t i = 0; i < count; i++) map_put(&by_name, rows[i].name, (void *)&rows[i]);
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                if (r->gate == NULL) continue;
                const struct gate_row *row = map_get(&by_name, r->gate->name);
                if (row != NULL) hear(r, row, map_get(answers, row->name));
        }
}
