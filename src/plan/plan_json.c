/*
 * A plan as one JSON object, as docs/plan.md describes it. Joins are no steps for readers: what waits for a join is written as
 * waiting for all that the join stands for. Only where that would make the text many times longer than the table are joins
 * written out as steps of action "join".
 */
#include <string.h>
#include "plan/plan_json.h"

enum { EXPANSION = 10 };

struct writer {
        const struct plan *plan;
        enum value_secrets secrets;
        const struct sealer *sealer;
        struct text *out;
        struct error **err;
        bool joins;       /* written out */
        uint32_t *number; /* index of each step among those that are written */
        uint32_t *mark, round;
        uint32_t *stack, *found;
        size_t found_count;
};

static void key(struct text *out, const char *name)
{
        text_addf(out, ",\"%s\":", name);
}

static void string(struct text *out, const char *s)
{
        text_add_json(out, s, strlen(s));
}

static void string_or_null(struct text *out, const char *s)
{
        if (s == NULL)
                text_add(out, "null");
        else
                string(out, s);
}

static int write_value(struct writer *w, const struct value *v, bool sensitive)
{
        if (v == NULL) {
                text_add(w->out, "null");
                return 0;
        }
        if (!sensitive || value_is_sensitive(v)) return value_json(v, w->secrets, w->sealer, w->out, w->err);
        cleanup(value_free) struct value *marked = value_sensitive(v, true);
        return value_json(marked, w->secrets, w->sealer, w->out, w->err);
}

static int write_change(struct writer *w, const struct change *c)
{
        text_add(w->out, "{\"path\":");
        string(w->out, c->path);
        key(w->out, "before");
        if (write_value(w, c->before, c->sensitive) < 0) return -1;
        bool unknown = c->after && !value_is_wholly_known(c->after);
        if (c->after == NULL || value_is_known(c->after)) {
                key(w->out, "after");
                if (write_value(w, c->after, c->sensitive) < 0) return -1;
        }
        if (unknown) text_add(w->out, ",\"unknown\":true");
        if (c->sensitive) text_add(w->out, ",\"sensitive\":true");
        if (c->forces_replace) text_add(w->out, ",\"forces_replace\":true");
        if (c->drift) text_add(w->out, ",\"drift\":true");
        text_addc(w->out, '}');
        return 0;
}

static bool is_written(const struct writer *w, const struct step *step)
{
        return w->joins || step->action != ACTION_JOIN;
}

static int compare_index(const void *a, const void *b)
{
        uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
        return left < right ? -1 : left > right;
}

/* The written steps that a step waits for, seen through joins. */
static void find_after(struct writer *w, const struct step *step)
{
        size_t depth = 0;
        uint32_t round = ++w->round;
        w->found_count = 0;
        w->stack[depth++] = step->index;
        while (depth > 0) {
                const struct step *at = &w->plan->steps[w->stack[--depth]];
                for (size_t a = 0; a < at->after_count; a++) {
                        uint32_t before = at->after[a];
                        if (w->mark[before] == round) continue;
                        w->mark[before] = round;
                        if (is_written(w, &w->plan->steps[before]))
                                w->found[w->found_count++] = w->number[before];
                        else
                                w->stack[depth++] = before;
                }
        }
        qsort(w->found, w->found_count, sizeof *w->found, compare_index);
}

static int write_step(struct writer *w, const struct step *step)
{
        struct text *out = w->out;
        text_addf(out, "{\"index\":%u", w->number[step->index]);
        key(out, "address");
        string(out, step->address);
        key(out, "type");
        string(out, step->type ? step->type : "");
        key(out, "action");
        string(out, action_name(step->action));
        if (step->provider != NULL) {
                key(out, "provider");
                string(out, step->provider);
        }
        if (step->account != NULL) {
                key(out, "account");
                text_add(out, step->account);
        }
        if (step->recovery_of != NULL) {
                key(out, "recovery_of");
                string(out, step->recovery_of);
        }
        if (step->deposed[0] != '\0') {
                key(out, "deposed");
                string(out, step->deposed);
        }
        if (step->open != NULL) { /* the run that began it */
                key(out, "open");
                string(out, step->open->row->run);
        }
        if (step->gate != NULL) {
                key(out, "gate");
                string(out, step->gate);
        }
        if (step->unsure && step->action != ACTION_JOIN) text_add(out, ",\"unsure\":true");
        if (step->reason != NULL) {
                key(out, "reason");
                string(out, step->reason);
        }
        key(out, "changes");
        text_addc(out, '[');
        for (size_t c = 0; c < step->change_count; c++) {
                if (c > 0) text_addc(out, ',');
                if (write_change(w, &step->changes[c]) < 0) return -1;
        }
        text_addc(out, ']');
        key(out, "after");
        text_addc(out, '[');
        find_after(w, step);
        for (size_t a = 0; a < w->found_count; a++) text_addf(out, "%s%u", a ? "," : "", w->found[a]);
        text_addf(out, "],\"seconds\":%.3f}", step->seconds);
        return 0;
}

/* How many edges there are when joins are seen through; counts what is reached twice twice. */
static bool joins_fit(const struct plan *plan)
{
        cleanup_free size_t *size = mem_alloc(plan->count * sizeof *size);
        size_t edges = 0, written = 0;
        for (size_t s = 0; s < plan->count; s++) {
                const struct step *step = &plan->steps[s];
                edges += step->after_count;
                for (size_t a = 0; a < step->after_count; a++) {
                        const struct step *before = &plan->steps[step->after[a]];
                        size[s] += before->action == ACTION_JOIN ? size[before->index] : 1;
                        if (size[s] > (size_t)1 << 40) size[s] = (size_t)1 << 40;
                }
                if (step->action != ACTION_JOIN) written += size[s];
                if (written > (size_t)1 << 40) return false;
        }
        return written <= EXPANSION * (plan->count + edges);
}

static int write_steps(struct writer *w)
{
        const struct plan *plan = w->plan;
        w->joins = !joins_fit(plan);
        w->number = mem_alloc(plan->count * sizeof *w->number);
        w->mark = mem_alloc(plan->count * sizeof *w->mark);
        w->stack = mem_alloc((plan->count + 1) * sizeof *w->stack);
        w->found = mem_alloc(plan->count * sizeof *w->found);
        uint32_t next = 0;
        for (size_t s = 0; s < plan->count; s++)
                if (is_written(w, &plan->steps[s])) w->number[s] = next++;
        int status = 0;
        bool first = true;
        for (size_t s = 0; s < plan->count && status == 0; s++) {
                if (!is_written(w, &plan->steps[s])) continue;
                if (!first) text_addc(w->out, ',');
                first = false;
                status = write_step(w, &plan->steps[s]);
        }
        free(w->number);
        free(w->mark);
        free(w->stack);
        free(w->found);
        return status;
}

int plan_json_sealed(
    const struct plan *plan, const struct sealer *sealer, struct text *out, struct error **err)
{
        const struct plan_summary *s = &plan->summary;
        char digest[65];
        text_hex(plan->digest, sizeof plan->digest, digest);
        text_add(out, "{\"environment\":");
        string(out, plan->input->env->name);
        text_addf(out, ",\"serial\":%lld,\"digest\":\"%s\"", (long long)plan->input->state->serial, digest);
        if (plan->input->back != NULL) {
                const struct way_back *back = plan->input->back;
                key(out, "back_to");
                string_or_null(out, back->run);
                key(out, "undoes");
                string_or_null(out, back->undoes);
        }
        text_addf(out,
            ",\"summary\":{\"create\":%zu,\"update\":%zu,\"replace\":%zu,\"restore\":%zu,\"delete\":%zu,"
            "\"keep\":%zu,"
            "\"gates\":%zu,"
            "\"deferred\":%zu,\"forget\":%zu,\"read\":%zu,\"left_out\":%zu}",
            s->create, s->update, s->replace, s->restore, s->delete_, s->keep, s->gates, s->deferred,
            s->forget, s->read, s->left_out);
        text_add(out, ",\"steps\":[");
        struct writer w = {.plan = plan,
            .secrets = sealer ? SECRETS_SEAL : SECRETS_MASK,
            .sealer = sealer,
            .out = out,
            .err = err};
        if (write_steps(&w) < 0) return -1;
        text_add(out, "],\"deferred\":[");
        for (size_t d = 0; d < plan->deferred_count; d++) {
                text_add(out, d ? ",{\"address\":" : "{\"address\":");
                string(out, plan->deferred[d].address);
                key(out, "reason");
                string(out, plan->deferred[d].reason);
                text_addc(out, '}');
        }
        text_addf(out, "],\"outputs_change\":%s", plan->outputs_change ? "true" : "false");
        text_addf(out, ",\"estimate\":{\"seconds\":%.3f,\"critical_path\":[", plan->seconds);
        for (size_t c = 0; c < plan->critical_count; c++) {
                if (c > 0) text_addc(out, ',');
                string(out, plan->critical_path[c]);
        }
        text_add(out, "]}}");
        return 0;
}

int plan_json(const struct plan *plan, struct text *out, struct error **err)
{
        return plan_json_sealed(plan, NULL, out, err);
}
