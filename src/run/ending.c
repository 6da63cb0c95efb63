/* Whether a run may be over; see ending.h. */
#include "run/ending.h"

/* Steps stand in an order that respects every edge, so that what is before one has been judged. */
static bool has_reason(const struct executor *x, const bool *open, size_t index)
{
        const struct step *step = &x->table[index];
        if (x->steps[index].status == STEP_WAITING || x->stopping) return true;
        for (size_t a = 0; a < step->after_count && step->recovery_of == NULL; a++)
                if (open[step->after[a]]) return true;
        return false;
}

static int check_steps(const struct executor *x, bool *open, struct error **err)
{
        for (size_t i = 0; i < x->count; i++) {
                const struct step_run *r = &x->steps[i];
                open[i] = r->status == STEP_PENDING || r->status == STEP_RUNNING || r->status == STEP_WAITING;
                bool fine = !open[i] || (has_reason(x, open, i) && (r->status != STEP_RUNNING || x->aborted));
                if (fine) continue;
                const char *address = r->step->address ? r->step->address : "a step without an address";
                return error_internal(err,
                    "the run came to its end, but %s (%s) did not, and nothing held it back", address,
                    action_name(r->step->action));
        }
        return 0;
}

/* Recovery steps are on standby until their turn comes. */
static int check_recoveries(const struct executor *x, const bool *open, struct error **err)
{
        if (x->recovery_next >= x->recovery_count || x->interrupted || x->aborted || x->again) return 0;
        for (size_t i = 0; i < x->count; i++)
                if (open[i] && x->table[i].recovery_of != NULL) return 0; /* it waits for people */
        return error_internal(err, "the run came to its end before the recovery steps of a failure did");
}

int ending_check(const struct executor *x, struct error **err)
{
        cleanup_free bool *open = mem_alloc((x->count + 1) * sizeof *open);
        if (check_steps(x, open, err) < 0) return -1;
        return check_recoveries(x, open, err);
}
