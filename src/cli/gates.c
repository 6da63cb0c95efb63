/* Gates and their answers, read and counted; see gates.h. */
#include "cli/gates.h"

#include <string.h>

#include "base/clock.h"

int gates_load(struct session *s, const char *run, const struct approvers *approvers, struct gates *g,
    struct error **err)
{
        *g = (struct gates){.approvers = approvers, .lineage = session_state(s)->lineage};
        /* In this order: an outcome that is read has its answers read as well. */
        if (store_gates(session_store(s), session_name(s), run, &g->rows, &g->count, err) < 0) return -1;
        if (store_answers(session_store(s), session_name(s), run, &g->answers, &g->answer_count, err) < 0) {
                gates_release(g);
                return -1;
        }
        g->slices = answers_by_gate(g->answers, g->answer_count, &g->by_gate);
        return 0;
}

void gates_release(struct gates *g)
{
        gate_rows_free(g->rows, g->count);
        answer_rows_free(g->answers, g->answer_count);
        map_release(&g->by_gate);
        free(g->slices);
        *g = (struct gates){0};
}

const struct gate_row *gates_find(const struct gates *g, const char *name)
{
        for (size_t i = 0; i < g->count; i++)
                if (strcmp(g->rows[i].name, name) == 0) return &g->rows[i];
        return NULL;
}

int gates_count(const struct gates *g, const struct gate_row *row, struct counted_gate *c, struct error **err)
{
        *c = (struct counted_gate){0};
        if (proposal_read(row->details, &c->proposal, err) < 0)
                return error_context(err, "gate '%s'", row->name);
        const struct answer_slice *given = map_get(&g->by_gate, row->name);
        if (given != NULL) c->answers = *given;
        c->ballot = (struct ballot){.approvers = g->approvers,
            .proposal = c->proposal,
            .lineage = g->lineage,
            .run = row->run,
            .gate = row->name,
            .opened_ms = row->opened_ms};
        answers_count(&c->ballot, c->answers.rows, c->answers.count, clock_wall_ms(), NULL, NULL, &c->tally);
        return 0;
}

void counted_gate_release(struct counted_gate *c)
{
        proposal_free(c->proposal);
        tally_release(&c->tally);
        *c = (struct counted_gate){0};
}
