/* Results into rows; see record.h. */
#include "run/record.h"

#include <string.h>

#include "base/clock.h"
#include "run/owner.h"

const char *record_text(
    const struct value *v, const struct sealer *sealer, struct arena *arena, struct error **err)
{
        struct text text = {0};
        if (value_encode(v, sealer, &text, err) < 0) {
                text_release(&text);
                return NULL;
        }
        char *copy = arena_strndup(arena, text.data, text.len);
        text_release(&text);
        return copy;
}

/* A property or output of the observed object, converted and marked by the schema; null when absent. New reference. */
static struct value *observed_part(const struct property *p, const struct value *observed, struct error **err)
{
        const struct value *seen = observed ? value_get(observed, p->name) : NULL;
        if (seen == NULL || !value_is_known(seen)) return value_null(p->type);
        struct value *v = value_convert(seen, p->type, err);
        if (v == NULL) error_context(err, "the provider's reply: '%s'", p->name);
        if (v == NULL || !p->sensitive) return v;
        struct value *marked = value_sensitive(v, true);
        value_free(v);
        return marked;
}

static struct value *settled_property(
    const struct property *p, const struct value *planned, const struct value *observed, struct error **err)
{
        const struct value *want = planned ? value_get(planned, p->name) : NULL;
        bool left_to_provider = want == NULL || !value_is_known(want) || (value_is_null(want) && p->computed);
        return left_to_provider ? observed_part(p, observed, err) : value_ref(want);
}

int record_split(const struct schema *schema, const struct value *planned, const struct value *observed,
    const char *id, struct value **properties, struct value **outputs, struct error **err)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < schema->property_count; i++) {
                struct value *v = settled_property(&schema->properties[i], planned, observed, err);
                if (v == NULL) {
                        value_builder_release(&b);
                        return -1;
                }
                value_builder_add(&b, schema->properties[i].name, v);
        }
        *properties = value_builder_object(&b);
        for (size_t i = 0; i < schema->output_count; i++) {
                const struct property *p = &schema->outputs[i];
                bool is_id = id != NULL && strcmp(p->name, "id") == 0;
                struct value *v = is_id ? value_string(id) : observed_part(p, observed, err);
                if (v == NULL) {
                        value_builder_release(&b);
                        value_free(steal(*properties));
                        return -1;
                }
                value_builder_add(&b, p->name, v);
        }
        *outputs = value_builder_object(&b);
        return 0;
}

static void add_resource(struct step_run *r, const struct resource_row *row, enum store_write_kind kind)
{
        struct executor *x = r->executor;
        struct arena *a = journal_arena(x->request.journal);
        struct store_write w = {
            .kind = kind, .run = arena_strdup(a, x->request.run), .action = action_name(r->step->action)};
        w.resource = row;
        journal_add(x->request.journal, &w);
}

/* A create-first replacement: the old object stays recorded, aside, until its deletion. */
static const char *deposed_key(const struct step *step)
{
        if (*step->deposed != '\0') return step->deposed;
        bool aside = step->create_first && step->recorded != NULL;
        return aside ? recorded_key_aside(step->recorded) : "";
}

static void move_record(struct step_run *r, const char *from_deposed, const char *to_deposed)
{
        struct executor *x = r->executor;
        struct arena *a = journal_arena(x->request.journal);
        struct store_write w = {.kind = WRITE_RESOURCE_MOVE,
            .run = arena_strdup(a, x->request.run),
            .action = action_name(r->step->action)};
        w.move.from = w.move.to = arena_strdup(a, r->step->address);
        w.move.from_deposed = arena_strdup(a, from_deposed);
        w.move.to_deposed = arena_strdup(a, to_deposed);
        journal_add(x->request.journal, &w);
}

static void set_aside(struct step_run *r)
{
        const struct step *step = r->step;
        if (step->action == ACTION_REPLACE && *deposed_key(step) != '\0')
                move_record(r, "", deposed_key(step));
}

/* What an earlier run began to create was there before this one. */
static int64_t created_ms(const struct step_run *r, bool stays)
{
        const struct open_operation *open = r->step->open;
        if (stays) return r->step->recorded->created_ms;
        return open != NULL && open->creates ? open->row->started_ms : clock_wall_ms();
}

static int row_fill(struct step_run *r, struct resource_row *row, const struct operation_outcome *outcome,
    const struct value *properties, const struct value *outputs, struct error **err)
{
        struct executor *x = r->executor;
        struct arena *a = journal_arena(x->request.journal);
        const struct step *step = r->step;
        const struct value *host = r->host ? r->host : step->host;
        const char *id = outcome->id;
        bool stays = (step->action == ACTION_UPDATE || step->action == ACTION_RESTORE ||
                         step->spared != NULL) &&
                     step->recorded;
        const struct value *id_output = value_get(outputs, "id");
        if (id == NULL && id_output != NULL && value_kind(id_output) == TYPE_STRING &&
            !value_is_null(id_output))
                id = value_as_string(id_output);
        *row = (struct resource_row){
            .address = arena_strdup(a, step->address),
            .deposed = arena_strdup(a, ""),
            .type = arena_strdup(a, step->type),
            .provider = arena_strdup(a, step->provider ? step->provider : ""),
            .id = arena_strdup(a, id ? id : ""),
            .properties = (char *)record_text(properties, x->request.io->sealer, a, err),
            .outputs = (char *)record_text(outputs, x->request.io->sealer, a, err),
            .host = host ? (char *)record_text(host, x->request.io->sealer, a, err) : NULL,
            .private_ = arena_strdup(a, outcome->private_),
            .account = arena_strdup(a, r->connection ? r->connection->account_text : NULL),
            .after_count = step->depends_count,
            .inherited_count = step->inherited_count,
            .token = arena_strdup(a, stays ? step->recorded->token : r->token),
            .protect = step->protect,
            .keep = step->resource && step->resource->keep,
            .created_ms = created_ms(r, stays),
            .updated_ms = clock_wall_ms(),
        };
        row->after = arena_alloc(a, (row->after_count + 1) * sizeof *row->after);
        for (size_t i = 0; i < row->after_count; i++) row->after[i] = arena_strdup(a, step->depends[i]);
        return row->properties && row->outputs && (host == NULL || row->host) ? 0 : -1;
}

/*
 * An update may change what the provider computes besides. Where the template leaves that to the provider, what it shows now is what there is.
 * New reference.
 */
static struct value *with_computed(struct step_run *r, const struct value *observed)
{
        struct value *properties = value_ref(r->properties);
        const struct step *step = r->step;
        bool updates = step->action == ACTION_UPDATE && observed != NULL && step->prior != NULL;
        for (size_t i = 0; updates && i < step->schema->property_count; i++) {
                const struct property *p = &step->schema->properties[i];
                const struct value *now = value_get(observed, p->name),
                                   *planned = value_get(properties, p->name);
                if (!p->computed || p->write_only || now == NULL || planned == NULL ||
                    !value_is_wholly_known(now))
                        continue;
                const struct value *before = value_get(step->prior, p->name);
                if (before == NULL || !value_equal(planned, before))
                        continue; /* the update was to change it */
                struct value *seen = observed_part(p, observed, NULL);
                if (seen != NULL && !value_equal(seen, planned) &&
                    plan_leaves(r->executor->request.plan, step, p->name)) {
                        struct value *more = value_with(properties, p->name, seen);
                        value_free(properties);
                        properties = more;
                }
                value_free(seen);
        }
        return properties;
}

int record_result(
    struct step_run *r, const struct operation_outcome *outcome, struct value **ret, struct error **err)
{
        struct executor *x = r->executor;
        const struct schema *schema = r->step->schema;
        cleanup(value_free) struct value *properties = NULL, *outputs = NULL;
        cleanup(value_free) struct value *planned = with_computed(r, outcome->observed);
        if (record_split(schema, planned, outcome->observed, outcome->id, &properties, &outputs, err) < 0)
                return -1;
        if (r->step->action != ACTION_READ) {
                struct resource_row *row = arena_alloc(journal_arena(x->request.journal), sizeof *row);
                if (row_fill(r, row, outcome, properties, outputs, err) < 0) return -1;
                set_aside(r);
                add_resource(r, row, WRITE_RESOURCE);
                if (outcome->id == NULL) owner_claim(r, row->id); /* else the operation did */
        }
        *ret = value_merge(properties, outputs);
        plan_set_result(x->request.plan, r->step, *ret);
        return 0;
}

void record_tainted(struct step_run *r, const struct operation_outcome *outcome)
{
        cleanup(value_free) struct value *properties = NULL, *outputs = NULL;
        cleanup(error_free) struct error *err = NULL;
        struct executor *x = r->executor;
        if (record_split(r->step->schema, r->properties, outcome->observed, outcome->id, &properties,
                &outputs, &err) < 0) {
                if (record_split(
                        r->step->schema, r->properties, NULL, outcome->id, &properties, &outputs, &err) < 0)
                        return;
        }
        struct resource_row *row = arena_alloc(journal_arena(x->request.journal), sizeof *row);
        if (row_fill(r, row, outcome, properties, outputs, &err) < 0) return;
        row->tainted = true;
        set_aside(r);
        add_resource(r, row, WRITE_RESOURCE);
}

void record_gone(struct step_run *r)
{
        struct arena *a = journal_arena(r->executor->request.journal);
        struct resource_row *row = arena_alloc(a, sizeof *row);
        owner_leave(r);
        row->address = arena_strdup(a, r->step->address);
        row->deposed = arena_strdup(a, deposed_key(r->step));
        add_resource(r, row, WRITE_RESOURCE_GONE);
}

static bool same_after(const struct recorded *r, const struct resource_row *row)
{
        if (r->after_count != row->after_count) return false;
        for (size_t i = 0; i < r->after_count; i++)
                if (strcmp(r->after[i], row->after[i]) != 0) return false;
        return true;
}

int record_kept(struct step_run *r, struct error **err)
{
        const struct recorded *old = r->step->recorded;
        struct resource_row *row = arena_alloc(journal_arena(r->executor->request.journal), sizeof *row);
        const struct operation_outcome as_it_is = {.id = (char *)old->id, .private_ = (char *)old->private_};
        if (row_fill(r, row, &as_it_is, old->properties, old->outputs, err) < 0) return -1;
        bool same = old->protect == row->protect && old->keep == row->keep && same_after(old, row);
        if (!same) add_resource(r, row, WRITE_RESOURCE);
        return 0;
}

int record_restored(struct step_run *r, struct error **err)
{
        const struct executor *x = r->executor;
        const struct recorded *back = r->step->recorded,
                              *current = map_get(&x->request.plan->input->state->by_address, back->address);
        struct resource_row *row = arena_alloc(journal_arena(x->request.journal), sizeof *row);
        const struct operation_outcome as_it_is = {
            .id = (char *)back->id, .private_ = (char *)back->private_};
        if (row_fill(r, row, &as_it_is, back->properties, back->outputs, err) < 0) return -1;
        if (current != NULL) move_record(r, "", recorded_key_aside(current));
        move_record(r, back->deposed, "");
        add_resource(r, row, WRITE_RESOURCE);
        return 0;
}

void record_duration(struct step_run *r, int64_t elapsed_ms)
{
        struct executor *x = r->executor;
        struct arena *a = journal_arena(x->request.journal);
        struct store_write w = {.kind = WRITE_DURATION, .action = action_name(r->step->action)};
        w.duration.type = arena_strdup(a, r->step->type);
        w.duration.seconds = (double)elapsed_ms / 1000.0;
        journal_add(x->request.journal, &w);
}
