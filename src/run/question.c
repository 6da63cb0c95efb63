/*
 * What becomes of a step that failed, asked of a person; see question.h.
 *
 * Functions stand in order of time: asked, answered, acted on. The answer is on disk before anything is done about it.
 */
#include "run/question.h"

#include <string.h>

#include "base/clock.h"
#include "run/gate.h"

struct question {
        unsigned number; /* how often this step was asked about in this run, counting from 1 */
        bool ambiguous;
        const char *
            outcome; /* while question_before counts: what the gate's row has come to by another process; else NULL */
};

/* What waits for a step is told up to here: a step that everything stands on may ask, and all that stand beside it. */
enum { BEHIND_MAX = 100 };

static const char *const failure_choices[] = {"retry", "skip", "abort", NULL};
static const char *const ambiguity_choices[] = {ANSWER_ADOPT, "retry", "forget", NULL};

static char *name_of(const struct step_run *r, unsigned number)
{
        return number > 1 ? mem_printf("%s:failed-%u", r->step->address, number)
                          : mem_printf("%s:failed", r->step->address);
}

char *question_choices(const struct step_run *r)
{
        const char **c = r->gate != NULL ? r->gate->proposal->choices : NULL;
        return c != NULL ? mem_printf("%s|%s|%s", c[0], c[1], c[2]) : NULL;
}

unsigned question_count(const struct step_run *r)
{
        return r->question ? r->question->number : 0;
}

/* The other half of a replacement: questions are about the resource. */
static struct step_run *half_of(const struct step_run *r)
{
        const struct executor *x = r->executor;
        uint32_t other = x->halves != NULL ? x->halves[r->step->index] : UINT32_MAX;
        return other != UINT32_MAX ? &x->steps[other] : NULL;
}

static unsigned times_asked(const struct step_run *r)
{
        const struct step_run *half = half_of(r);
        unsigned own = question_count(r), other = half ? question_count(half) : 0;
        return own > other ? own : other;
}

void question_free(struct step_run *r)
{
        free(steal(r->question));
}

/* --- asked ----------------------------------------------------------------------------------------------------------- */

/* Nothing tells whether what it was to make is there. */
static bool is_undecidable(const struct step_run *r)
{
        return r->step->schema != NULL && !r->step->schema->can_find;
}

/* All of it is told to the person who answers, and nothing besides: the answer is bound to it. */
static struct proposal *propose(
    const struct step_run *r, bool ambiguous, const char *message, const uint32_t *behind, size_t count)
{
        const struct executor *x = r->executor;
        const char *const *choices = ambiguous ? ambiguity_choices : failure_choices;
        struct proposal *p = proposal_new();
        p->message = arena_strdup(p->arena, message);
        p->plan = x->request.digest;
        p->requester = x->request.requester;
        p->choices = arena_alloc(p->arena, sizeof failure_choices);
        for (size_t i = 0; choices[i] != NULL; i++) p->choices[i] = choices[i];
        p->needs_id = ambiguous && !r->step->schema->no_read;
        p->behind = arena_alloc(p->arena, BEHIND_MAX * sizeof *p->behind);
        for (size_t i = 0; i < count && i < BEHIND_MAX; i++) {
                const struct step *s = &x->table[behind[i]];
                p->behind[p->behind_count++] = (struct proposal_step){s->address, action_name(s->action)};
        }
        p->behind_total = count;
        proposal_seal(p);
        return p;
}

static void decided(struct step_run *r, const struct tally *t);

/* Question `number` about the step. `shown`: what was shown of it by another process and stands (taken), or NULL: `message` is asked. */
static void begin(struct step_run *r, unsigned number, int64_t opened_ms, bool ambiguous,
    struct proposal *shown, const char *message)
{
        if (r->question == NULL) r->question = mem_alloc(sizeof *r->question);
        *r->question = (struct question){.number = number, .ambiguous = ambiguous};
        cleanup_free char *name = name_of(r, number);
        size_t count;
        uint32_t *behind = gate_behind(r, &count);
        if (shown == NULL) shown = propose(r, ambiguous, message, behind, count);
        gate_begin(r, name, opened_ms, behind, count, shown, decided);
        step_paused(r);
}

static void wait_for_answer(struct step_run *r)
{
        const char *failure = r->gate->proposal->message;
        r->started_ms = loop_now_ms(r->executor->request.io->loop);
        if (r->started_wall_ms == 0) r->started_wall_ms = r->gate->opened_ms;
        executor_record_step(r, failure);
        gate_emit(r, EVENT_GATE_WAITING, NULL, failure, false);
        gate_ask(r);
}

bool question_ask(struct step_run *r, const char *message, bool ambiguous)
{
        bool undecided = ambiguous && is_undecidable(r);
        bool asks = step_policy(r) == ON_FAILURE_ASK;
        if ((!asks && !undecided) || r->executor->stopping) return false;
        begin(r, times_asked(r) + 1, clock_wall_ms(), undecided, NULL, message);
        gate_write_waiting(r);
        wait_for_answer(r);
        return true;
}

/* --- answered -------------------------------------------------------------------------------------------------------- */

static bool goes_on(const char *choice)
{
        return strcmp(choice, "retry") == 0 || strcmp(choice, ANSWER_ADOPT) == 0;
}

static void stops(struct step_run *r, const char *choice, const char *failure, const char *by)
{
        struct executor *x = r->executor;
        cleanup_free char *why = mem_printf("%s; %s: answered by %s", failure, choice, by);
        enum step_status before = r->status;
        if (r->question->ambiguous) execute_forget_intent(r);
        r->status = STEP_FAILED;
        executor_record_step(r, why);
        r->status = before;
        if (strcmp(choice, "abort") == 0) x->stopping = x->given_up = true;
        step_finished(r, STEP_FAILED, why);
}

/* A broken object was left behind: only another plan can remove and make it anew. */
static void needs_another_plan(struct step_run *r)
{
        struct executor *x = r->executor;
        x->again = x->stopping = true;
        x->gates_open--;
        r->status = STEP_PENDING;
        executor_schedule(x);
}

static void recorded(void *context)
{
        struct step_run *r = context;
        r->executor->recording--;
        if (r->broken)
                needs_another_plan(r);
        else
                step_again(r);
}

static void decided(struct step_run *r, const struct tally *t)
{
        const struct answer_row *a = t->last;
        const char *rest, *choice = answer_choice(r->gate->proposal, a->answer, &rest);
        struct event e = {.by = a->by,
            .message = a->comment,
            .answer = a->answer,
            .gate = r->gate->name,
            .is_signed = a->signature != NULL};
        cleanup_free char *failure = mem_strdup(r->gate->proposal->message);
        if (!text_equal(r->question->outcome, a->answer))
                gate_write(r, a->answer, a->by, a->comment, a->answered_ms);
        executor_emit(r->executor, goes_on(choice) ? EVENT_GATE_APPROVED : EVENT_GATE_REJECTED, r, &e);
        gate_show_closed(r);
        if (strcmp(choice, ANSWER_ADOPT) == 0) r->adopt_id = mem_strdup(rest);
        if (!goes_on(choice)) {
                cleanup_free char *word = mem_strdup(choice); /* it is the gate's */
                gate_free(r);
                stops(r, word, failure, a->by);
                return;
        }
        gate_free(r);
        r->executor->recording++; /* the run does not end meanwhile */
        journal_then(r->executor->request.journal, recorded, r);
}

/* --- coming back ----------------------------------------------------------------------------------------------------- */

static const struct gate_row *newest_question(const struct step_run *r, unsigned *number)
{
        const struct map *answers = r->executor->request.answers;
        const struct gate_row *newest = NULL;
        for (*number = 0; answers != NULL;) {
                cleanup_free char *name = name_of(r, *number + 1);
                const struct gate_row *row = map_get(answers, name);
                if (row == NULL) break;
                newest = row;
                (*number)++;
        }
        return newest;
}

/*
 * What was asked stands in the gate's details; nothing else tells the failure. It stands if it is a question about this plan that could have
 * been asked of this step, else NULL.
 */
static struct proposal *recall(const struct step_run *r, const struct gate_row *row, bool *ambiguous)
{
        struct proposal *p = NULL;
        *ambiguous = false;
        if (proposal_read(row->details, &p, NULL) < 0) return NULL;
        *ambiguous = is_undecidable(r) && proposal_choices_are(p, ambiguity_choices);
        bool good = (*ambiguous || proposal_choices_are(p, failure_choices)) &&
                    strcmp(p->plan, r->executor->request.digest) == 0;
        if (*ambiguous && !r->step->schema->no_read) p->needs_id = true;
        if (good) return p;
        proposal_free(p);
        return NULL;
}

static const struct answer_slice *given_to(const struct step_run *r, const char *name)
{
        const struct map *given = r->executor->request.given;
        return given ? map_get(given, name) : NULL;
}

bool question_before(struct step_run *r)
{
        if (r->question != NULL) return true; /* asked and answered in this process */
        const struct step_run *half = half_of(r);
        if (half != NULL && half->question != NULL) { /* and so it was for both */
                r->question = mem_dup(half->question, sizeof *half->question);
                return true;
        }
        unsigned number;
        const struct gate_row *row = newest_question(r, &number);
        if (row == NULL) return true;
        bool ambiguous;
        struct proposal *shown = recall(r, row, &ambiguous);
        const struct answer_slice *given = given_to(r, row->name);
        begin(r, number, row->opened_ms, ambiguous, shown, "it failed");
        r->question->outcome = row->status;
        bool answered = given != NULL && gate_count(r, given->rows, given->count);
        r->question->outcome = NULL;
        if (answered) return false;
        if (strcmp(row->status, "waiting") != 0) gate_doubt(r, row);
        gate_write_waiting(r);
        wait_for_answer(r);
        return false;
}

/* Was the run ended by an answer to this? */
static bool was_aborted(const struct step_run *r, const struct gate_row *row)
{
        bool ambiguous;
        const struct executor_request *q = &r->executor->request;
        const struct answer_slice *given = given_to(r, row->name);
        cleanup(proposal_free) struct proposal *shown = recall(r, row, &ambiguous);
        if (shown == NULL || given == NULL) return false;
        struct ballot b = {.approvers = q->approvers,
            .proposal = shown,
            .lineage = q->lineage,
            .run = q->run,
            .gate = row->name,
            .opened_ms = row->opened_ms};
        struct tally t;
        answers_count(&b, given->rows, given->count, clock_wall_ms(), NULL, NULL, &t);
        bool aborted = strcmp(tally_status(&t), "abort") == 0;
        tally_release(&t);
        return aborted;
}

void question_recall(struct executor *x)
{
        if (x->request.answers == NULL || x->request.answers->count == 0) return;
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                unsigned number;
                const struct gate_row *row = newest_question(r, &number);
                if (row == NULL || !was_aborted(r, row)) continue;
                if (r->status == STEP_PENDING)
                        question_before(r);
                else /* its recovery goes on */
                        x->stopping = x->given_up = true;
        }
}
