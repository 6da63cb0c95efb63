/*
 * What becomes of a step that failed, asked of a person; see question.h.
 *
 * Functions stand in order of time: asked, answered, acted on. The answer is on disk before anything is done about it.
 */
#include "run/question.h"

#include <string.h>

#include "base/clock.h"

struct question {
        unsigned number; /* how often this step was asked about in this run, counting from 1 */
        bool open, ambiguous;
        char *name, *failure;
        char *details; /* as the store keeps it */
};

/* What waits for a step is told up to here: a step that everything stands on may ask, and all that stand beside it. */
enum { BEHIND_MAX = 100 };

static const char *const failure_choices[] = {"retry", "skip", "abort", NULL};
static const char *const ambiguity_choices[] = {"adopt", "retry", "forget", NULL};

static const char *const *choices_of(const struct question *q)
{
        return q->ambiguous ? ambiguity_choices : failure_choices;
}

static char *name_of(const struct step_run *r, unsigned number)
{
        return number > 1 ? mem_printf("%s:failed-%u", r->step->address, number)
                          : mem_printf("%s:failed", r->step->address);
}

const char *question_name(const struct step_run *r)
{
        return r->question != NULL && r->question->open ? r->question->name : NULL;
}

char *question_choices(const struct step_run *r)
{
        if (question_name(r) == NULL) return NULL;
        const char *const *c = choices_of(r->question);
        return mem_printf("%s|%s|%s", c[0], c[1], c[2]);
}

unsigned question_count(const struct step_run *r)
{
        return r->question ? r->question->number : 0;
}

/* What another process needs to show it, and to check an answer. */
static char *details_of(const struct step_run *r)
{
        const struct executor *x = r->executor;
        const char *const *choices = choices_of(r->question);
        size_t count;
        cleanup_free uint32_t *behind = gate_behind(r, &count);
        struct text json = {0};
        char digest[65];
        text_hex(x->request.plan->digest, 32, digest);
        text_addc(&json, '{');
        text_add_member(&json, "message", r->question->failure);
        text_add_member(&json, "digest", digest);
        text_add(&json, ",\"approvers\":null");
        for (size_t i = 0; choices[i] != NULL; i++)
                text_addf(&json, "%s\"%s\"", i ? "," : ",\"choices\":[", choices[i]);
        text_add(&json, "],\"behind\":[");
        for (size_t i = 0; i < count && i < BEHIND_MAX; i++) {
                const struct step *s = &x->table[behind[i]];
                text_add(&json, i ? ",{" : "{");
                text_add_member(&json, "address", s->address);
                text_addf(&json, ",\"action\":\"%s\"}", action_name(s->action));
        }
        text_addc(&json, ']');
        if (count > BEHIND_MAX) text_addf(&json, ",\"behind_count\":%zu", count);
        text_addc(&json, '}');
        return text_steal(&json);
}

static void set(struct step_run *r, unsigned number, bool ambiguous, const char *failure)
{
        question_free(r);
        struct question *q = r->question = mem_alloc(sizeof *q);
        *q = (struct question){.number = number,
            .ambiguous = ambiguous,
            .name = name_of(r, number),
            .failure = mem_strdup(failure)};
        q->details = details_of(r);
}

void question_free(struct step_run *r)
{
        struct question *q = steal(r->question);
        if (q == NULL) return;
        free(q->name);
        free(q->failure);
        free(q->details);
        free(q);
}

static void show(struct step_run *r, bool open)
{
        struct executor *x = r->executor;
        const struct run_options *o = x->request.options;
        if (!o->interactive || o->gate == NULL) return;
        size_t count;
        cleanup_free uint32_t *behind = gate_behind(r, &count);
        struct gate_view view = {.step = r->step,
            .name = r->question->name,
            .message = r->question->failure,
            .choices = choices_of(r->question),
            .behind = behind,
            .behind_count = count,
            .run_started_ms = x->request.run_started_ms,
            .opened_ms = r->opened_ms};
        o->gate(o->context, &view, open);
}

static void write(struct step_run *r, const char *status, const char *by, const char *comment)
{
        gate_write(r, r->question->name, status, r->question->details, by, comment);
}

/* The prompt follows the event, which follows the disk. */
static void prompt(void *context)
{
        struct step_run *r = context;
        if (question_name(r) != NULL) show(r, true);
}

static void wait_for_answer(struct step_run *r)
{
        struct executor *x = r->executor;
        step_paused(r);
        r->question->open = true;
        r->started_ms = loop_now_ms(x->request.io->loop);
        executor_record_step(r, r->question->failure);
        struct event e = {
            .message = r->question->failure, .gate = r->question->name, .details = r->question->details};
        executor_emit(x, EVENT_GATE_WAITING, r, &e);
        if (x->request.options->interactive) journal_then(x->request.journal, prompt, r);
        executor_schedule(x);
}

bool question_ask(struct step_run *r, const char *message, bool ambiguous)
{
        const struct step *step = r->step;
        bool undecided = ambiguous && step->schema != NULL && !step->schema->can_find;
        bool asks = step_policy(r) == ON_FAILURE_ASK;
        if ((!asks && !undecided) || r->executor->stopping) return false;
        set(r, question_count(r) + 1, undecided, message);
        r->opened_ms = clock_wall_ms();
        write(r, "waiting", NULL, NULL);
        wait_for_answer(r);
        return true;
}

/* --- answers --------------------------------------------------------------------------------------------------------- */

/* Which of the choices an answer is, NULL for none; *rest: what follows the word, for adopt. */
static const char *choice_of(const struct question *q, const char *answer, const char **rest)
{
        size_t len = strcspn(answer, " ");
        *rest = answer + len + strspn(answer + len, " ");
        for (const char *const *c = choices_of(q); *c != NULL; c++)
                if (strlen(*c) == len && memcmp(*c, answer, len) == 0 &&
                    (**rest == '\0' || strcmp(*c, "adopt") == 0))
                        return *c;
        return NULL;
}

static bool goes_on(const char *choice)
{
        return strcmp(choice, "retry") == 0 || strcmp(choice, "adopt") == 0;
}

static void stops(struct step_run *r, const char *choice, const char *by)
{
        struct executor *x = r->executor;
        cleanup_free char *why = mem_printf("%s; %s: answered by %s", r->question->failure, choice, by);
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

static void answered(void *context)
{
        struct step_run *r = context;
        r->executor->recording--;
        if (r->broken)
                needs_another_plan(r);
        else
                step_again(r);
}

static void act(struct step_run *r, const char *choice, const char *rest, const char *by)
{
        r->question->open = false;
        if (!goes_on(choice)) {
                stops(r, choice, by);
                return;
        }
        if (strcmp(choice, "adopt") == 0) r->adopt_id = mem_strdup(rest);
        r->executor->recording++; /* the run does not end meanwhile */
        journal_then(r->executor->request.journal, answered, r);
}

int question_answer(struct step_run *r, const char *answer, const char *by, const char *comment,
    bool recorded, struct error **err)
{
        struct question *q = r->question;
        const char *rest, *choice = choice_of(q, answer, &rest);
        if (choice == NULL)
                return error_set(err, ERROR_INPUT, NULL, "'%.100s' is no answer to '%s': %s, %s or %s",
                    answer, q->name, choices_of(q)[0], choices_of(q)[1], choices_of(q)[2]);
        if (strcmp(choice, "adopt") == 0 && *rest == '\0' && !r->step->schema->no_read)
                return error_set(
                    err, ERROR_INPUT, NULL, "to adopt %s its id is needed: adopt ID", r->step->address);
        if (!recorded) write(r, answer, by, comment);
        show(r, false);
        struct event e = {.by = by, .message = comment, .answer = answer};
        executor_emit(r->executor, goes_on(choice) ? EVENT_GATE_APPROVED : EVENT_GATE_REJECTED, r, &e);
        act(r, choice, rest, by);
        return 0;
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

/* What was asked stands in the gate's details. */
static void recall(struct step_run *r, const struct gate_row *row, unsigned number)
{
        const char *details = row->details ? row->details : "";
        cleanup(value_free) struct value *asked = value_from_json(details, strlen(details), NULL, NULL, NULL);
        const struct value *message = asked ? value_get(asked, "message") : NULL;
        const struct value *choices = asked ? value_get(asked, "choices") : NULL;
        const struct value *first = choices && value_count(choices) > 0 ? value_at(choices, 0) : NULL;
        bool ambiguous = first != NULL && value_kind(first) == TYPE_STRING &&
                         strcmp(value_as_string(first), ambiguity_choices[0]) == 0;
        bool said = message != NULL && value_kind(message) == TYPE_STRING && !value_is_null(message);
        set(r, number, ambiguous, said ? value_as_string(message) : "it failed");
}

bool question_before(struct step_run *r)
{
        if (r->question != NULL) return true; /* asked and answered in this process */
        unsigned number;
        const struct gate_row *row = newest_question(r, &number);
        if (row == NULL) return true;
        recall(r, row, number);
        r->opened_ms = row->opened_ms;
        const char *rest, *choice = choice_of(r->question, row->status, &rest);
        if (choice == NULL) {
                wait_for_answer(r);
                return false;
        }
        if (strcmp(choice, "adopt") == 0 && *rest == '\0' && !r->step->schema->no_read) {
                question_ask(r, "to adopt it, its id is needed: adopt ID", true);
                return false;
        }
        if (strcmp(choice, "adopt") == 0) r->adopt_id = mem_strdup(rest);
        if (goes_on(choice)) return true;
        stops(r, choice, row->answered_by ? row->answered_by : "?");
        return false;
}

void question_recall(struct executor *x)
{
        if (x->request.answers == NULL || x->request.answers->count == 0) return;
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                unsigned number;
                const struct gate_row *row = newest_question(r, &number);
                if (row == NULL || strcmp(row->status, "abort") != 0) continue;
                if (r->status == STEP_PENDING)
                        question_before(r);
                else /* its recovery goes on */
                        x->stopping = x->given_up = true;
        }
}
