/*
 * Operations of earlier runs with an unknown outcome: continued, or ended. See struct open_operation of plan.h.
 *
 * Functions stand in order of time.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run/executor_internal.h"
#include "run/owner.h"
#include "run/question.h"

static int decode(
    const struct step_run *r, const char *text, struct value **ret, const char *what, struct error **err)
{
        struct value *v = value_decode(text, strlen(text), r->executor->request.io->sealer, err);
        if (v == NULL) return error_context(err, "%s of the interrupted operation", what);
        value_free(*ret);
        *ret = v;
        return 0;
}

/* The state and the saved value mean what the type's description says: another description makes them another thing. */
static bool same_definition(const struct step_run *r, const struct operation_row *row)
{
        return text_equal(row->definition, r->step->schema->definition);
}

static int take_up_values(struct step_run *r, const struct operation_row *row,
    struct operation_request *request, struct error **err)
{
        bool makes = request->action == TUTTI_CREATE || request->action == TUTTI_UPDATE;
        if (makes && row->planned != NULL && decode(r, row->planned, &r->properties, "properties", err) < 0)
                return -1;
        if (makes && row->host != NULL && decode(r, row->host, &r->host, "host", err) < 0) return -1;
        if (same_definition(r, row)) {
                request->state = row->state;
                if (row->saved != NULL && decode(r, row->saved, &r->saved, "saved state", err) < 0) return -1;
        }
        request->planned = r->properties;
        if (r->host != NULL) request->host = r->host;
        request->saved = r->saved;
        return 0;
}

static bool goes_with(enum tutti_action action, const char *began)
{
        return (action == TUTTI_CREATE && strcmp(began, "create") == 0) ||
               (action == TUTTI_UPDATE && strcmp(began, "update") == 0) ||
               (action == TUTTI_DELETE && strcmp(began, "delete") == 0);
}

static void takes_place_of(struct operation_request *request, const struct operation_row *row)
{
        bool ours = strcmp(row->run, request->run) == 0 && row->step == request->step;
        request->before_run = ours ? NULL : row->run;
        request->before_step = row->step;
}

/*
 * What an expression gives anew (a time, a draw, an environment variable) is not what the request had said that may have had its effect, so
 * the recorded properties count.
 */
int open_take_up(struct step_run *r, struct operation_request *request, struct error **err)
{
        const struct operation_row *row = r->step->open ? r->step->open->row : NULL;
        if (row == NULL || r->adopt_id != NULL || !goes_with(request->action, row->action)) return 0;
        /*
         * Somebody said to try again since: what the intent of the first try stood for is over. That of the second takes its place, so that
         * nobody is asked about the first once more when the second is not answered either.
         */
        if (question_was_undecided(r) && strcmp(row->token, r->token) != 0) {
                takes_place_of(request, row);
                return 0;
        }
        bool creates = request->action == TUTTI_CREATE;
        /* A change is continued while it is the same; another one takes its place. */
        takes_place_of(request, row);
        if (request->action == TUTTI_UPDATE && !plan_wants_open(r->step, r->properties)) return 0;
        request->resumed = true;
        request->started_ms = 0; /* a new deadline: the time in between was nobody's fault */
        request->absent = row->absent;
        request->accepted = row->accepted && same_definition(r, row);
        snprintf(r->token, sizeof r->token, "%s", row->token);
        if (row->id != NULL && *row->id != '\0') request->id = row->id;
        if (row->private_ != NULL) request->private_ = row->private_;
        if (creates && r->wanted == NULL && r->properties != NULL) {
                enum open_difference d = plan_open_difference(r->step, r->properties);
                r->outdated = d == OPEN_REPLACES;
                if (d == OPEN_CHANGES) r->wanted = value_ref(r->properties);
        }
        return take_up_values(r, row, request, err);
}

bool open_goes_further(const struct step_run *r)
{
        return r->wanted != NULL && r->adopted == NULL && r->properties != NULL &&
               !value_equal(r->wanted, r->properties);
}

int open_recall_adopted(struct step_run *r, struct error **err)
{
        const struct operation_row *row = r->step->open ? r->step->open->row : NULL;
        if (r->step->action != ACTION_ADOPT || row == NULL || strcmp(row->action, "update") != 0) return 0;
        if (row->id == NULL || row->prior == NULL) return 0;
        if (decode(r, row->prior, &r->adopted, "object found before", err) < 0) return -1;
        r->adopted_id = mem_strdup(row->id);
        return 0;
}

/* --- removing what may be there -------------------------------------------------------------------------------------- */

static void deleted(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        r->operation = NULL;
        execute_forget_intent(r);
        if (outcome->failed)
                execute_fail(r, outcome->message, false);
        else
                execute_removed(r, NULL, outcome->elapsed_ms);
}

/* Whether it was recorded since, here or elsewhere: then it is no remainder, and somebody wants it. */
static bool is_recorded(struct step_run *r, const char *id)
{
        const struct state *state = r->executor->request.plan->input->state;
        const struct recorded *here = map_get(&state->by_address, r->step->address);
        return (here != NULL && text_equal(here->id, id)) || owner_claim(r, id) != NULL;
}

/* It is there, by this id: the rest is a deletion like any other, of which the intent is recorded beside that of the creation. */
static void delete (struct step_run *r, const char *id)
{
        if (is_recorded(r, id)) {
                r->nothing = true;
                execute_removed(r, "it was recorded since, and stays", 0);
                return;
        }
        free(r->found_id);
        r->found_id = mem_strdup(id);
        execute_operation(r, TUTTI_DELETE, NULL, deleted);
}

static void looked(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        r->operation = NULL;
        if (outcome->failed) {
                cleanup_free char *why = mem_printf("find out whether it was created: %s", outcome->message);
                execute_fail(r, why, false);
        } else if (outcome->gone || outcome->id == NULL) {
                r->nothing = true;
                execute_removed(r, "nothing was made", outcome->elapsed_ms);
        } else {
                delete (r, outcome->id);
        }
}

static void ask_for_it(struct step_run *r)
{
        r->left_open = r->undecidable = true;
        execute_fail(r,
            "its creation was never answered, and nothing can tell whether it exists without making it: look "
            "for it",
            true);
}

void open_remove(struct step_run *r)
{
        const struct operation_row *row = r->step->open->row;
        const struct schema *schema = r->step->schema;
        if (row->id != NULL && *row->id != '\0')
                delete (r, row->id);
        else if (schema->finds_token || (schema->can_find && row->absent))
                execute_operation(r, TUTTI_FIND, row->token, looked);
        else
                ask_for_it(r);
}

void open_remove_adopted(struct step_run *r)
{
        cleanup_free char *id = steal(r->adopt_id);
        delete (r, id);
}

static void repeated(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        r->operation = NULL;
        if (outcome->id != NULL)
                delete (r, outcome->id);
        else if (outcome->failed)
                execute_fail(r, outcome->message, outcome->ambiguous);
        else
                execute_removed(r, NULL, outcome->elapsed_ms);
}

void open_remove_repeated(struct step_run *r)
{
        execute_operation(r, TUTTI_CREATE, r->step->open->row->token, repeated);
}

/* --- the end of it --------------------------------------------------------------------------------------------------- */

static void drop(struct executor *x, const struct open_operation *open)
{
        struct arena *a = journal_arena(x->request.journal);
        struct operation_row *row = arena_alloc(a, sizeof *row);
        row->run = arena_strdup(a, open->row->run);
        row->step = open->row->step;
        struct store_write w = {.kind = WRITE_OPERATION_OVER, .run = row->run, .operation = row};
        journal_add(x->request.journal, &w);
}

void open_forget(struct step_run *r, bool creations)
{
        const struct state *state = r->executor->request.plan->input->state;
        const struct open_operation *open = map_get(&state->open_by_address, r->step->address);
        for (; open != NULL; open = open->next)
                if (open == r->step->open || (!open->creates && !creations)) drop(r->executor, open);
}

void open_drop_obsolete(struct executor *x)
{
        const struct plan *plan = x->request.plan;
        for (size_t i = 0; i < plan->obsolete_count; i++) drop(x, plan->obsolete[i]);
}
