/*
 * Gates: a step that waits for people. It asks them to approve (approval.c), or what is to become of it after it failed (question.c);
 * both put a proposal before them, wait until the answers decide, and are told what was decided.
 *
 * Answers come from the terminal, from other processes by way of the store, or were given beforehand. All of them are counted in one
 * place, by the rules of answer.h: what the store says of a gate is taken for what it is, somebody's claim. Nothing is done about an
 * answer before it is on disk. Internal to run/.
 */
#ifndef TUTTI_RUN_GATE_H
#define TUTTI_RUN_GATE_H

#include "run/answer.h"
#include "run/executor_internal.h"

/* What a step waits with; from gate_begin to gate_free. */
struct gate {
        char *name;
        int64_t opened_ms;         /* when it was first asked, by whichever process: wall clock */
        struct proposal *proposal; /* as it was shown */
        uint32_t *behind;          /* see gate_behind */
        size_t behind_count;
        char **approved; /* persons whose approval counts, as of the last count */
        size_t approved_count;
        int64_t heard;        /* the newest answer that was looked at: it is complained about once */
        struct timer *expiry; /* approval.c */
        /* The answers decided: TALLY_APPROVED, TALLY_REJECTED or TALLY_ANSWERED. Copies what it keeps, and frees the gate. */
        void (*decided)(struct step_run *r, const struct tally *t);
};

/* The name of the gate that the step waits with, else of the one that it is or that guards it. */
const char *gate_name(const struct step_run *r);
/* What waits for this step, directly or through others: indices of steps that act. The caller frees. */
uint32_t *gate_behind(const struct step_run *r, size_t *count);

/* The step waits with a gate. `opened_ms` as above; `behind` (gate_behind) and `proposal` become the gate's; the caller records it. */
void gate_begin(struct step_run *r, const char *name, int64_t opened_ms, uint32_t *behind, size_t count,
    struct proposal *proposal, void (*decided)(struct step_run *r, const struct tally *t));
void gate_free(struct step_run *r); /* with its timer */

/* Records that the gate waits, also over an outcome that stands there and that nobody's valid word bears out. */
void gate_write_waiting(struct step_run *r);
/* Records what it has come to, by whom and when: the wall clock of the answer that decided, 0 for now. */
void gate_write(struct step_run *r, const char *status, const char *by, const char *comment, int64_t when_ms);
/* Counts all answers to the gate, in order of arrival; true when they decided, and the gate is gone. */
bool gate_count(struct step_run *r, const struct answer_row *rows, size_t count);
/* The store claims an outcome that no answer bears out: says so. */
void gate_doubt(struct step_run *r, const struct gate_row *row);
bool gate_has_approved(const struct step_run *r, const char *person); /* as of the last count */
/* An answer of this process, checked and signed as answer_make does it; the caller releases it. */
int gate_make_answer(const struct step_run *r, const char *answer, const char *by, const char *comment,
    struct answer_row *ret, struct error **err);
void gate_write_answer(struct step_run *r, const struct answer_row *answer);

struct ballot gate_ballot(const struct step_run *r);
/* An event about the gate. */
void gate_emit(
    const struct step_run *r, enum event_kind kind, const char *by, const char *message, bool is_signed);
/* The prompt, if somebody sits there, closes after what became of the gate is told. */
void gate_show_closed(const struct step_run *r);
/* After all that was recorded so far: opens the prompt, and looks for answers that came in while nobody listened. */
void gate_ask(struct step_run *r);

/* --- approval.c: steps that are gates --- */

void approval_open(struct step_run *r);

#endif
