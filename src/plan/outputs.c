/* The outputs of an environment, while it is planned and while it runs. */
#include <string.h>
#include "plan/evaluation.h"

static struct value *empty(void)
{
        return value_object(NULL, NULL, 0);
}

struct value *outputs_now(struct evaluation *ev, struct error **err)
{
        const struct plan_input *in = ev->input;
        const struct value *recorded = in->state->outputs;
        bool partial = in->target_count > 0 || in->exclude_count > 0;
        if (in->back != NULL && in->back->outputs == OUTPUTS_NONE) return empty();
        bool stay = in->back != NULL && in->back->outputs == OUTPUTS_STAY;
        if (stay || in->mode == PLAN_DRIFT || (in->mode == PLAN_DESTROY && partial))
                return recorded ? value_ref(recorded) : empty();
        if (in->mode == PLAN_DESTROY) return empty();
        const struct template *t = ev->root->blueprint->template;
        struct value_builder b = {0};
        cleanup(error_free) struct error *problems = NULL, *absent = NULL;
        /* What an output tells of may not have existed then: on the way back it is left out. */
        struct error **noted = in->back != NULL ? &absent : &problems;
        size_t missing = 0;
        for (size_t o = 0; o < t->output_count; o++) {
                struct cell *cell = &ev->root->outputs[o];
                const struct value *v = cell_value(ev, cell, noted);
                if (cell->node.left_out) v = recorded ? value_get(recorded, t->outputs[o].name) : NULL;
                if (error_count(absent) > missing) v = NULL;
                missing = error_count(absent);
                if (v != NULL) value_builder_add(&b, t->outputs[o].name, value_ref(v));
        }
        struct value *outputs = value_builder_object(&b);
        value_builder_release(&b);
        if (error_count(problems) == 0) return outputs;
        value_free(outputs);
        error_move(err, &problems);
        return NULL;
}

bool outputs_differ(const struct value *planned, const struct value *recorded)
{
        size_t before = recorded ? value_count(recorded) : 0;
        if (value_count(planned) != before) return true;
        for (size_t i = 0; i < before; i++) {
                const struct value *a = value_at(planned, i), *b = value_at(recorded, i);
                if (strcmp(value_key_at(planned, i), value_key_at(recorded, i)) != 0) return true;
                if (!value_equal(a, b) || value_is_sensitive(a) != value_is_sensitive(b)) return true;
                if (value_has_sensitive(a) != value_has_sensitive(b)) return true;
        }
        return false;
}
