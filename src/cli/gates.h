/*
 * The gates of a run as the store has them, each with the answers to it counted by the rules: for approve, status and show. Internal to
 * cli/.
 */
#ifndef TUTTI_CLI_GATES_H
#define TUTTI_CLI_GATES_H

#include "run/answer.h"
#include "run/session.h"

struct gates {
        struct gate_row *rows;
        size_t count;
        struct answer_row *answers; /* all, in the order of gates */
        size_t answer_count;
        struct answer_slice *slices;
        struct map by_gate; /* name → struct answer_slice * */
        const struct approvers *approvers;
        const char *lineage;
};
/* Reads them. `approvers` as session_approvers gives them. */
int gates_load(struct session *s, const char *run, const struct approvers *approvers, struct gates *ret,
    struct error **err);
void gates_release(struct gates *g);
const struct gate_row *gates_find(const struct gates *g, const char *name); /* or NULL */

/* One gate, or question about a failed step, opened for looking at. */
struct counted_gate {
        struct proposal *proposal;
        struct ballot ballot;
        struct answer_slice answers; /* maybe none */
        struct tally tally;
};
int gates_count(
    const struct gates *g, const struct gate_row *row, struct counted_gate *ret, struct error **err);
void counted_gate_release(struct counted_gate *c);

#endif
