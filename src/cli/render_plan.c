/* Plans for people: what happens to what, why, and what forces a replacement. See render.h. */
#include <string.h>

#include "base/clock.h"
#include "cli/render.h"

static const struct {
        const char *mark, *words;
        enum style style;
} looks[] = {
    [ACTION_JOIN] = {" ", "", STYLE_NONE},
    [ACTION_CREATE] = {"+", "create", STYLE_GREEN},
    [ACTION_UPDATE] = {"~", "update in place", STYLE_YELLOW},
    [ACTION_REPLACE] = {"±", "replace", STYLE_MAGENTA},
    [ACTION_REPLACE_DELETE] = {"∓", "delete the old one", STYLE_MAGENTA},
    [ACTION_DELETE] = {"-", "delete", STYLE_RED},
    [ACTION_FORGET] = {".", "forget, keeping the object", STYLE_DIM},
    [ACTION_READ] = {"<", "read", STYLE_CYAN},
    [ACTION_GATE] = {"?", "wait for approval", STYLE_CYAN},
    [ACTION_ADOPT] = {"+", "create, or adopt if it exists", STYLE_GREEN},
    [ACTION_RESTORE] = {"↺", "take back", STYLE_MAGENTA},
};

enum { SHORT = 60, ROWS_SHOWN = 50 };

static bool is_list(const struct value *v)
{
        return v != NULL && value_is_wholly_known(v) && !value_is_null(v) &&
               (value_kind(v) == TYPE_LIST || value_kind(v) == TYPE_SET);
}

static int compare_rows(const void *a, const void *b)
{
        return value_compare(*(const struct value *const *)a, *(const struct value *const *)b);
}

/* The elements in the order of values; to be freed. */
static const struct value **sort_rows(const struct value *list)
{
        const struct value **rows = mem_alloc((value_count(list) + 1) * sizeof *rows);
        for (size_t i = 0; i < value_count(list); i++) rows[i] = value_at(list, i);
        qsort(rows, value_count(list), sizeof *rows, compare_rows);
        return rows;
}

static void render_row(FILE *f, const struct value *row, bool added, int indent)
{
        cleanup(value_free) struct value *dense = NULL;
        if (value_kind(row) == TYPE_OBJECT && !value_is_null(row) && !value_is_sensitive(row)) {
                struct value_builder b = {0}; /* what is null says nothing */
                for (size_t i = 0; i < value_count(row); i++)
                        if (!value_is_null(value_at(row, i)))
                                value_builder_add(&b, value_key_at(row, i), value_ref(value_at(row, i)));
                dense = value_builder_object(&b);
                value_builder_release(&b);
        }
        struct text line = {0};
        value_short(dense ? dense : row, false, 160, &line);
        fprintf(f, "%*s%s%c%s ", indent, "", style_on(added ? STYLE_GREEN : STYLE_RED), added ? '+' : '-',
            style_off());
        print_safe(f, line.data);
        fputc('\n', f);
        text_release(&line);
}

/* Of two lists whose order means nothing, what is taken out and what comes in: shortened side by side they would look alike. */
static void render_rows(FILE *f, const struct value *before, const struct value *after, int indent)
{
        cleanup_free const struct value **old = sort_rows(before);
        cleanup_free const struct value **new = sort_rows(after);
        size_t m = value_count(before), n = value_count(after), hidden = 0, shown = 0;
        for (size_t i = 0, j = 0; i < m || j < n;) {
                int order = i == m ? 1 : j == n ? -1 : value_compare(old[i], new[j]);
                if (order != 0 && shown++ < ROWS_SHOWN)
                        render_row(f, order < 0 ? old[i] : new[j], order > 0, indent);
                else if (order != 0)
                        hidden++;
                i += order <= 0;
                j += order >= 0;
        }
        if (hidden > 0) fprintf(f, "%*s… %zu more\n", indent, "", hidden);
}

static void render_change(FILE *f, const struct change *c, int indent)
{
        struct text line = {0};
        value_short(c->before, c->sensitive, SHORT, &line);
        cleanup_free char *before = text_steal(&line);
        value_short(c->after, c->sensitive, SHORT, &line);
        cleanup_free char *after = text_steal(&line);
        bool rows = !c->sensitive && is_list(c->before) && is_list(c->after) &&
                    (strlen(before) > SHORT || strlen(after) > SHORT);
        fprintf(f, "%*s", indent, "");
        print_safe(f, c->path);
        fputs(": ", f);
        if (rows)
                fprintf(f, "%zu element%s, then %zu", value_count(c->before), plural(value_count(c->before)),
                    value_count(c->after));
        else if (c->before == NULL)
                print_safe(f, after);
        else {
                print_safe(f, before);
                fprintf(f, " %s→%s ", style_on(STYLE_DIM), style_off());
                print_safe(f, after);
        }
        if (c->forces_replace) fprintf(f, "  %sforces replacement%s", style_on(STYLE_RED), style_off());
        if (c->drift) fprintf(f, "  %schanged outside%s", style_on(STYLE_YELLOW), style_off());
        fputc('\n', f);
        if (rows) render_rows(f, c->before, c->after, indent + 2);
}

void render_step(FILE *f, const struct step *step, int indent)
{
        fprintf(f, "%*s%s%s %s", indent, "", style_on(looks[step->action].style), looks[step->action].mark,
            style_on(STYLE_BOLD));
        print_safe(f, step->address);
        fputs(style_off(), f);
        if (step->action == ACTION_GATE && step->resource == NULL) { /* the planner's own */
                fprintf(f, "  %sasks first: ", style_on(STYLE_DIM));
                print_safe(f, step->reason ? step->reason : "");
                fprintf(f, "%s\n", style_off());
                return;
        }
        if (step->action == ACTION_GATE) {
                fprintf(f, "  %s%s%s\n", style_on(STYLE_DIM),
                    step->schema || step->resource == NULL || step->resource->kind != RESOURCE_GATE
                        ? "approval before this goes on"
                        : "gate: waits for approval",
                    style_off());
                return;
        }
        fprintf(f, "  %s", style_on(STYLE_DIM));
        print_safe(f, step->type);
        fprintf(f, "%s  %s%s", style_off(), looks[step->action].words,
            *step->deposed && step->open == NULL ? " the one that was set aside" : "");
        if (step->reason != NULL) {
                fprintf(f, "  %s(", style_on(STYLE_DIM));
                print_safe(f, step->reason);
                fprintf(f, ")%s", style_off());
        }
        fputc('\n', f);
        if (step->action == ACTION_DELETE || step->action == ACTION_REPLACE_DELETE) return;
        for (size_t i = 0; i < step->change_count; i++) render_change(f, &step->changes[i], indent + 6);
}

static void add_count(struct text *out, size_t n, const char *what)
{
        if (n == 0) return;
        text_addf(out, "%s%zu %s", out->len ? ", " : "", n, what);
}

void render_summary(const struct plan_summary *s, bool done, struct text *out)
{
        add_count(out, s->create, done ? "created" : "to create");
        add_count(out, s->update, done ? "updated" : "to update");
        add_count(out, s->replace, done ? "replaced" : "to replace");
        add_count(out, s->replace_delete,
            s->replace_delete == 1 ? "deleted (of a replacement that did not happen)"
                                   : "deleted (of replacements that did not happen)");
        add_count(out, s->restore, done ? "taken back" : "to take back");
        add_count(out, s->delete_, done ? "deleted" : "to delete");
        add_count(out, s->forget, done ? "forgotten" : "to forget");
        if (!done) add_count(out, s->keep, "unchanged");
        add_count(out, s->gates,
            done ? (s->gates == 1 ? "gate approved" : "gates approved") : (s->gates == 1 ? "gate" : "gates"));
        add_count(out, s->deferred, "deferred");
        if (out->len == 0) text_add(out, done ? "nothing to do" : "no changes");
}

static void render_estimate(const struct plan *plan)
{
        char duration[CLOCK_TEXT];
        if (plan->seconds < 1) return;
        duration_text((int64_t)(plan->seconds * 1000), duration);
        printf("Estimate: about %s", duration);
        if (plan->critical_count > 1) {
                printf("; the longest path is ");
                size_t shown = plan->critical_count > 6 ? 5 : plan->critical_count;
                for (size_t i = 0; i < shown; i++) {
                        if (i > 0) printf(" → ");
                        print_safe(stdout, plan->critical_path[i]);
                }
                if (shown < plan->critical_count) printf(" → … %zu more", plan->critical_count - shown);
        }
        putchar('\n');
}

/* What is to run only when something fails. */
static void render_recovery(const struct plan *plan)
{
        const char *of = NULL;
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                if (step->recovery_of == NULL) continue;
                if (of == NULL || strcmp(of, step->recovery_of) != 0) {
                        printf("\n  on failure of ");
                        print_safe(stdout, step->recovery_of);
                        printf(":\n");
                }
                of = step->recovery_of;
                render_step(stdout, step, 4);
        }
}

/* What is said of the rest where only a part was looked at. */
static void render_left_out(const struct plan *plan)
{
        const struct plan_input *in = plan->input;
        size_t n = plan->summary.left_out;
        if (in->target_count + in->exclude_count == 0 || n == 0) return;
        printf("%s left out %zu resource%s that would change otherwise.\n",
            in->target_count == 0    ? "--exclude"
            : in->exclude_count == 0 ? "--target"
                                     : "--target and --exclude",
            n, n == 1 ? "" : "s");
}

static void render_no_changes(const struct plan *plan)
{
        size_t kept = plan->summary.keep;
        if (plan->summary.left_out > 0)
                printf("No changes in what was chosen.\n");
        else if (kept == 0 && plan->input->mode == PLAN_DESTROY)
                printf("No changes: there is nothing to delete.\n");
        else if (kept == 0)
                printf("No changes: there is nothing to do.\n");
        else if (plan->input->back != NULL)
                printf("No changes. %zu resource%s then.\n", kept,
                    kept == 1 ? " is as it was" : "s are as they were");
        else
                printf(
                    "No changes. %zu resource%s as the template says.\n", kept, kept == 1 ? " is" : "s are");
}

static void render_record_change(const struct record_change *c)
{
        const struct recorded *r = c->recorded;
        if (c->protect != r->protect || c->keep != r->keep)
                printf("  is recorded as %s, %s\n", c->protect ? "protected" : "not protected",
                    c->keep ? "to be kept" : "not to be kept");
        if (c->provider == NULL && !c->moved) return;
        printf("  is recorded with provider '");
        print_safe(stdout, c->provider ? c->provider : r->provider);
        printf("'%s", c->moved ? " of " : "\n");
        if (!c->moved) return;
        print_safe(stdout, c->account);
        printf(", which was accepted\n");
}

void render_plan(const struct plan *plan)
{
        struct text summary = {0};
        if (plan_is_empty(plan)) {
                render_no_changes(plan);
                render_left_out(plan);
                return;
        }
        for (size_t i = 0; i < plan->count; i++)
                if (plan->steps[i].action != ACTION_JOIN && plan->steps[i].recovery_of == NULL)
                        render_step(stdout, &plan->steps[i], 2);
        render_recovery(plan);
        for (size_t i = 0; i < plan->deferred_count; i++) {
                printf("  %s…%s ", style_on(STYLE_CYAN), style_off());
                print_safe(stdout, plan->deferred[i].address);
                printf("  %sdeferred: ", style_on(STYLE_DIM));
                print_safe(stdout, plan->deferred[i].reason);
                printf("%s\n", style_off());
        }
        for (size_t i = 0; i < plan->record_change_count; i++) {
                const struct record_change *c = &plan->record_changes[i];
                if (!record_change_matters(c)) continue;
                printf("  . ");
                print_safe(stdout, c->recorded->address);
                render_record_change(c);
        }
        for (size_t i = 0; i < plan->obsolete_count; i++) {
                printf("  . ");
                print_safe(stdout, plan->obsolete[i]->row->address);
                printf("  the %s that run %s began is over: nothing is left to do about it\n",
                    plan->obsolete[i]->row->action, plan->obsolete[i]->row->run);
        }
        render_summary(&plan->summary, false, &summary);
        printf("\n%sPlan: %s.%s%s\n", style_on(STYLE_BOLD), summary.data, style_off(),
            plan->outputs_change ? " Outputs change." : "");
        text_release(&summary);
        render_left_out(plan);
        render_estimate(plan);
}

void render_outputs(const struct value *outputs)
{
        if (outputs == NULL || value_count(outputs) == 0) return;
        printf("\nOutputs:\n");
        for (size_t i = 0; i < value_count(outputs); i++) {
                struct text line = {0};
                const struct value *v = value_at(outputs, i);
                value_short(v, value_is_sensitive(outputs), 200, &line);
                printf("  %s = ", value_key_at(outputs, i));
                print_safe(stdout, line.data);
                putchar('\n');
                text_release(&line);
        }
}

void output_json(const struct value *outputs, bool reveal, struct text *out)
{
        if (outputs == NULL)
                text_add(out, "{}");
        else
                value_json(outputs, reveal ? SECRETS_REVEAL : SECRETS_MASK, NULL, out, NULL);
}
