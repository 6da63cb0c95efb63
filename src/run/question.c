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
        bool undecided;  /* nothing tells whether there is an object: a person has to */
        const char *
            outcome; /* while question_before counts: what the gate's row has come to by another process; else NULL */
};

/* What waits for a step is told up to here: a step that everything stands on may ask, and all that stand beside it. */
enum { BEHIND_MAX = 100 };

static const char *const failure_choices[] = {"retry", "skip", "abort", NULL};
static const char *const undecided_choices[] = {ANSWER_ADOPT, "retry", "forget", NULL};
/* It failed, and may have made something all the same, which the next try finds out. */
static const char *const doubt_choices[] = {"retry", "skip", "abort", ANSWER_ADOPT, "forget", NULL};
enum { CHOICES_MAX = 6 };

static char *name_of(const struct step_run *r, unsigned number)
{
        return number > 1 ? mem_printf("%s:failed-%u", r->step->address, number)
                          : mem_printf("%s:failed", r->step->address);
}

char *question_choices(const struct step_run *r)
{
        const char **c = r->gate != NULL ? r->gate->proposal->choices : NULL;
        if (c == NULL) return NULL;
        struct text words = {0};
        for (size_t i = 0; c[i] != NULL; i++) text_addf(&words, "%s%s", i > 0 ? "|" : "", c[i]);
        return text_steal(&words);
}

bool question_was_undecided(const struct step_run *r)
{
        return r->question != NULL && r->question->undecided;
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

/* About its address, in this run: several steps may be about one, and no question has the name of another. */
static unsigned times_asked(const struct step_run *r)
{
        unsigned before, here = (unsigned)(uintptr_t)map_get(&r->executor->asked, r->step->address);
        newest_question(r, &before);
        return here > before ? here : before;
}

/* A question is one about the step that had begun when it was asked. */
static bool had_begun(const struct step_run *r)
{
        const struct executor_request *q = &r->executor->request;
        int64_t row = q->row_of_step[r->step->index];
        return q->rows != NULL && row >= 0 && (size_t)row < q->row_count && q->rows[row].started_ms > 0;
}

void question_free(struct step_run *r)
{
        free(steal(r->question));
}

/* --- asked ----------------------------------------------------------------------------------------------------------- */

/* Whether a person may have been asked whether what it was to make is there. */
static bool may_be_undecided(const struct step_run *r)
{
        return r->step->schema != NULL && r->step->action != ACTION_UPDATE;
}

static bool needs_id(const struct step_run *r)
{
        return r->step->schema != NULL && !r->step->schema->no_read;
}

/* All of it is told to the person who answers, and nothing besides: the answer is bound to it. */
static struct proposal *propose(const struct step_run *r, const char *const *choices, const char *message,
    const uint32_t *behind, size_t count)
{
        const struct executor *x = r->executor;
        struct proposal *p = proposal_new();
        p->message = arena_strdup(p->arena, message);
        p->plan = x->request.digest;
        p->requester = x->request.requester;
        p->choices = arena_alloc(p->arena, CHOICES_MAX * sizeof *p->choices);
        for (size_t i = 0; choices[i] != NULL; i++) p->choices[i] = choices[i];
        p->needs_id = choices != failure_choices && needs_id(r);
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
static void begin(struct step_run *r, unsigned number, int64_t opened_ms, const char *const *choices,
    struct proposal *shown, const char *message)
{
        if (r->question == NULL) r->question = mem_alloc(sizeof *r->question);
        *r->question = (struct question){.number = number, .undecided = choices == undecided_choices};
        map_put(&r->executor->asked, r->step->address, (void *)(uintptr_t)number);
        cleanup_free char *name = name_of(r, number);
        size_t count;
        uint32_t *behind = gate_behind(r, &count);
        if (shown == NULL) shown = propose(r, choices, message, behind, count);
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
        bool undecided = ambiguous && r->undecidable;
        bool asks = step_policy(r) == ON_FAILURE_ASK;
        if ((!asks && !undecided) || r->executor->stopping) return false;
        const char *const *choices = undecided   ? undecided_choices
                                     : ambiguous ? doubt_choices
                                                 : failure_choices;
        begin(r, times_asked(r) + 1, clock_wall_ms(), choices, NULL, message);
        gate_write_waiting(r);
        wait_for_answer(r);
        return true;
}

/* --- answered -------------------------------------------------------------------------------------------------------- */

static bool goes_on(const char *choice)
{
        return strcmp(choice, "retry") == 0 || strcmp(choice, ANSWER_ADOPT) == 0;
}

/* What may be there was to be removed; a person said to leave it, if it is. */
static void left_alone(struct step_run *r, const char *by)
{
        cleanup_free char *why = mem_printf("left alone, as %s said", by);
        enum step_status before = r->status;
        r->nothing = true;
        r->status = STEP_DONE;
        executor_record_step(r, why);
        r->status = before;
        executor_emit(r->executor, EVENT_STEP_DONE, r, &(struct event){.message = why});
        step_finished(r, STEP_DONE, NULL);
}

static void stops(struct step_run *r, const char *choice, const char *failure, const char *by)
{
        struct executor *x = r->executor;
        cleanup_free char *why = mem_printf("%s; %s: answered by %s", failure, choice, by);
        enum step_status before = r->status;
        bool forgets = strcmp(choice, "forget") == 0;
        if (forgets) {
                execute_forget_intent(r);
                open_forget(r, true);
        }
        if (forgets && r->step->recorded != NULL && r->step->recorded->open != NULL) {
                left_alone(r, by);
                return;
        }
        r->status = STEP_FAILED;
        executor_record_step(r, why);
        r->status = before;
        if (strcmp(choice, "abort") == 0) x->stopping = x->given_up = true;
        step_finished(r, STEP_FAILED, why);
}

/* Something was left behind: only another plan can remove and make it anew, or continue it. */
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
        if (r->broken || (r->left_open && r->adopt_id == NULL))
                needs_another_plan(r); /* which knows what was left */
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

/*
 * What was asked stands in the gate's details; nothing else tells the failure. It stands if it is a question about this plan that could have
 * been asked of this step, else NULL.
 */
static struct proposal *recall(
    const struct step_run *r, const struct gate_row *row, const char *const **choices)
{
        struct proposal *p = NULL;
        *choices = failure_choices;
        if (proposal_read(row->details, &p, NULL) < 0) return NULL;
        if (may_be_undecided(r) && proposal_choices_are(p, undecided_choices)) *choices = undecided_choices;
        if (r->step->schema != NULL && proposal_choices_are(p, doubt_choices)) *choices = doubt_choices;
        bool good = proposal_choices_are(p, *choices) && strcmp(p->plan, r->executor->request.digest) == 0;
        if (*choices != failure_choices && needs_id(r)) p->needs_id = true;
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
        if (row == NULL || !had_begun(r)) return true;
        const char *const *choices;
        struct proposal *shown = recall(r, row, &choices);
        const struct answer_slice *given = given_to(r, row->name);
        begin(r, number, row->opened_ms, choices, shown, "it failed");
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
        const char *const *choices;
        const struct executor_request *q = &r->executor->request;
        const struct answer_slice *given = given_to(r, row->name);
        cleanup(proposal_free) struct proposal *shown = recall(r, row, &choices);
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
