/* What is to be done about one instance: evaluated, compared with what there is, and judged. */
#include <string.h>
#include "plan/diff.h"
#include "plan/evaluation.h"
#include "plan/server.h"

void defer(struct evaluation *ev, const struct node *node, const char *address, const char *reason)
{
        if (ev->input->mode != PLAN_APPLY) return;
        struct deferred d = {.address = address, .reason = reason, .node = node};
        vec_push(ev->deferred, ev->deferred_count, ev->deferred_capacity, d);
}

static struct place place_of(const struct instance *i)
{
        struct place place = i->expansion->resource->place;
        place.address = i->address;
        return place;
}

static void set_attributes(struct instance *i, struct value *steal)
{
        value_free(i->attributes);
        i->attributes = steal;
}

/* All of its attributes, each unknown but of its type; what is there already is not promised to stay. */
static struct value *unknown_attributes(const struct schema *schema)
{
        return diff_attributes(schema, NULL, NULL, false);
}

static bool is_deferred(const struct node *n)
{
        if (n->kind == NODE_EXPANSION) return !((const struct expansion *)n)->expanded;
        return n->deferred && ((const struct instance *)n)->nested == NULL;
}

static void fail(struct evaluation *ev, struct instance *i)
{
        i->failed = true;
        set_attributes(i, value_ref(ev->unknown));
}

static void load_prior(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct resource *r = i->expansion->resource;
        i->recorded = map_get(&ev->input->state->by_address, i->address);
        if (i->recorded == NULL) return;
        const struct observation *seen = world_get(ev->input->world, i->address);
        i->gone = seen != NULL && seen->gone;
        if (i->gone) return;
        const struct schema *schema = r->schema;
        if (strcmp(i->recorded->type, r->type) != 0) {
                const struct schema_source *schemas = ev->input->schemas;
                schema = schemas->find(schemas->context, i->recorded->type, err);
                if (schema == NULL) {
                        struct place place = place_of(i);
                        error_place(err, &place);
                        i->failed = true;
                        return;
                }
        }
        i->prior = evaluation_own(ev, diff_prior(schema, i->recorded, seen ? seen->observed : NULL));
}

static bool is_made_anew(const struct node *n)
{
        const struct instance *i = (const struct instance *)n;
        if (n->kind != NODE_INSTANCE || !i->acts) return false;
        return i->action == ACTION_CREATE || i->action == ACTION_ADOPT || i->action == ACTION_REPLACE;
}

static bool is_gone(const struct node *n)
{
        return n->kind == NODE_INSTANCE && ((const struct instance *)n)->gone;
}

/* First of all that is evaluated, so that the notes are those of the host alone. */
static void evaluate_host(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct expansion *x = i->expansion;
        struct value *host = evaluate(ev, x->module, i, x->resource->host, &x->uses->host, i->address, err);
        if (host == NULL) i->failed = true;
        i->host = evaluation_own(ev, host);
        struct node of_host = {
            .kind = NODE_ENTRY, .deps = ev->touched, .dep_count = (uint32_t)ev->touched_count};
        i->host_anew = node_culprit(&of_host, is_made_anew) != NULL;
        i->host_gone = node_culprit(&of_host, is_gone) != NULL;
}

/* Evaluates properties and host with notes of what they touch. Returns the configuration as an own reference, or NULL. */
static struct value *evaluate_body(struct evaluation *ev, struct instance *i, struct error **err)
{
        struct expansion *x = i->expansion;
        const struct resource *r = x->resource;
        /* What is wrong with a configuration is no obstacle to destroying what it once made. */
        if (ev->input->mode != PLAN_APPLY) err = NULL;
        note_begin(ev);
        if (r->host != NULL) evaluate_host(ev, i, err);
        if (x->source != NULL && i->index < x->source->count) note(ev, &x->source->instances[i->index].node);
        note(ev, &x->entry);
        struct value *config = NULL;
        if (r->properties != NULL)
                config = evaluate(ev, x->module, i, r->properties, &x->uses->body, i->address, err);
        else
                config = value_object(NULL, NULL, 0);
        if (config == NULL) i->failed = true;
        note_end(ev, &i->node);
        return config;
}

/* A part of a host that is there; *known is cleared when it is not known. */
static const struct value *host_part(const struct value *host, const char *name, bool *known)
{
        const struct value *v = value_get(host, name);
        if (v != NULL && !value_is_known(v)) *known = false;
        return v == NULL || !value_is_known(v) || value_is_null(v) ? NULL : v;
}

static bool same_part(const struct value *a, const struct value *b)
{
        return a == NULL || b == NULL ? a == b : value_equal(a, b);
}

/*
 * Whether what was done on a host would now have to be done on another. The same host key is the same host, whatever its address
 * has become. Where the address is not known yet, it is another host if what gives it is made anew, not if it only changes.
 */
static bool moves_from(const struct recorded *recorded, const struct instance *i)
{
        const struct value *old = recorded->host, *now = i->host;
        if (!i->expansion->resource->schema->acts_on_host || old == NULL || now == NULL) return false;
        if (!value_is_known(now)) return i->host_anew;
        bool known = true;
        const struct value *key = host_part(now, "host_key", &known),
                           *old_key = host_part(old, "host_key", &known);
        if (key != NULL && old_key != NULL) return !value_equal(key, old_key);
        const struct value *address = host_part(now, "address", &known),
                           *port = host_part(now, "port", &known);
        if (!known) return i->host_anew;
        return !same_part(address, host_part(old, "address", &known)) ||
               !same_part(port, host_part(old, "port", &known));
}

bool decide_host_moves(const struct instance *i)
{
        return i->recorded != NULL && moves_from(i->recorded, i);
}

static const char *change_reason(struct evaluation *ev, const struct change *changes, size_t count)
{
        for (size_t c = 0; c < count; c++)
                if (changes[c].forces_replace)
                        return arena_printf(ev->arena,
                            changes[c].after && !value_is_wholly_known(changes[c].after)
                                ? "%s may change, which needs a new one"
                                : "%s changed, which needs a new one",
                            changes[c].path);
        return NULL;
}

int provider_plan(struct evaluation *ev, struct instance *i, const struct value *prior,
    struct value **proposed, struct replace_paths *replace, struct error **err)
{
        const struct plan_input *in = ev->input;
        const struct resource *r = i->expansion->resource;
        *replace = (struct replace_paths){0};
        if (!r->schema->plans || in->provider_plan == NULL) return 0;
        cleanup(value_free) struct value *none = value_object(NULL, NULL, 0);
        const struct value *settings = none;
        cleanup(error_free) struct error *unusable = NULL;
        if (i->expansion->provider != NULL) settings = cell_value(ev, i->expansion->provider, &unusable);
        if (error_count(unusable) > 0) return error_move(err, &unusable);
        if (!value_is_wholly_known(settings)) return 0; /* it cannot be asked yet: by the schema alone */
        cleanup(value_free) struct value *planned = NULL;
        char *private_ = NULL;
        cleanup(error_free) struct error *problems = NULL;
        struct provider_use use = provider_use_of(i->expansion->provider, i->address, r->provider);
        use.config = settings;
        if (in->provider_plan(in->provider_context, &use, r->schema, prior, *proposed, &planned,
                &replace->paths, &replace->count, &private_, &problems) < 0) {
                struct place place = place_of(i);
                error_place(&problems, &place);
                return error_move(err, &problems);
        }
        free(i->private_);
        i->private_ = private_;
        if (planned == NULL) return 0;
        struct value *adapted = diff_adapt(r->schema, planned, *proposed);
        value_free(*proposed);
        *proposed = adapted;
        return 0;
}

/* Whether the provider cannot change what is at this path in place. */
static bool is_replaced_by(const struct replace_paths *replace, const char *path)
{
        for (size_t p = 0; p < replace->count; p++) {
                size_t len = strlen(replace->paths[p]);
                if (strncmp(path, replace->paths[p], len) != 0) continue;
                if (path[len] == '\0' || path[len] == '.' || path[len] == '[') return true;
        }
        return false;
}

static void take_changes(struct evaluation *ev, struct instance *i, const struct value *prior)
{
        size_t count = 0;
        const struct value *recorded = i->recorded && prior ? i->recorded->properties : NULL;
        i->changes = diff_changes(
            ev->arena, i->expansion->resource->schema, prior, i->planned, recorded, &count);
        i->change_count = (uint32_t)count;
}

static void act(struct instance *i, enum action action, const char *reason)
{
        i->acts = true;
        i->node.pending = true;
        /* Whatever is taken back: who stands on the one that gives way has to go over to it. */
        i->node.anew = action == ACTION_CREATE || action == ACTION_ADOPT || action == ACTION_REPLACE ||
                       action == ACTION_RESTORE;
        i->action = action;
        i->reason = reason;
        i->create_first = action == ACTION_REPLACE && i->expansion->resource->create_first;
}

/* Where the very same creation was begun by an earlier run, the step is its other half. */
static void go_on_with(struct evaluation *ev, struct instance *i)
{
        i->open = open_creation(ev, i);
        if (i->open == NULL && i->action == ACTION_ADOPT) {
                i->open = open_action(ev, i->address, "update"); /* it was found, and was being changed */
                return;
        }
        if (i->open != NULL) i->reason = open_reason(ev, i->open, true);
}

/* Everything anew: nothing of the old one is carried over, but the list shows what differs from it. */
static void decide_creation(struct evaluation *ev, struct instance *i, const struct value *config,
    enum action action, const char *reason, struct error **err)
{
        const struct schema *schema = i->expansion->resource->schema;
        struct place place = place_of(i);
        struct value *planned = diff_propose(schema, config, NULL, &place, err);
        struct replace_paths none;
        const struct value *prior = i->prior;
        if (planned == NULL || provider_plan(ev, i, NULL, &planned, &none, err) < 0) {
                value_free(planned);
                fail(ev, i);
                return;
        }
        i->planned = evaluation_own(ev, planned);
        bool comparable = action == ACTION_REPLACE && prior != NULL &&
                          strcmp(i->recorded->type, schema->type) == 0;
        if (action != ACTION_REPLACE || !comparable)
                take_changes(ev, i, NULL);
        else if (i->change_count == 0)
                take_changes(ev, i, prior);
        act(i, action, reason);
        go_on_with(ev, i);
        set_attributes(i, diff_attributes(schema, i->planned, NULL, false));
}

/* Its block has another name now, and is the same account; or none is, which is refused (server.h). */
static bool is_served_alike(struct evaluation *ev, const struct recorded *recorded, const struct instance *i)
{
        const struct server *old = server_of_record(ev, recorded, i, NULL);
        return old == NULL || (old->ev == ev && old->cell == i->expansion->provider);
}

const char *decide_replacement(struct evaluation *ev, const struct recorded *old, const struct instance *i)
{
        const struct resource *r = i->expansion->resource;
        if (strcmp(old->type, r->type) != 0) return arena_printf(ev->arena, "its type was %s", old->type);
        if (old->provider != NULL && r->provider != NULL && old->provider[0] &&
            strcmp(old->provider, r->provider) != 0 && !is_served_alike(ev, old, i))
                return arena_printf(ev->arena, "its provider was %s", old->provider);
        if (old->tainted) return "its creation failed";
        if (moves_from(old, i)) return "it moves to another host";
        return NULL;
}

/* Nothing else keeps it from staying, and it is not known yet whether that does. */
static bool only_host_moves(struct evaluation *ev, const struct instance *i)
{
        struct instance stays = *i;
        stays.host = NULL;
        return decide_replacement(ev, i->recorded, &stays) == NULL;
}

static void keep_as_is(struct evaluation *ev, struct instance *i, const struct value *planned)
{
        const struct schema *schema = i->expansion->resource->schema;
        set_attributes(i, diff_attributes(schema, planned, i->prior, true));
        i->kept = true;
        ev->keep_count++;
}

int decide_compare(struct evaluation *ev, struct instance *i, const struct value *config,
    struct comparison *ret, struct error **err)
{
        const struct resource *r = i->expansion->resource;
        struct place place = place_of(i);
        struct value *proposed = diff_propose(r->schema, config, i->prior, &place, err);
        if (proposed == NULL) return -1;
        struct value *planned = diff_ignore(proposed, i->prior, r->ignore, r->ignore_count);
        value_free(proposed);
        struct replace_paths paths;
        if (provider_plan(ev, i, i->prior, &planned, &paths, err) < 0) {
                value_free(planned);
                return -1;
        }
        /* The list of changes borrows values that have to outlive it. */
        *ret = (struct comparison){.planned = evaluation_own(ev, planned), .replace = paths.count > 0};
        ret->changes = diff_changes(
            ev->arena, r->schema, i->prior, planned, i->recorded->properties, &ret->count);
        for (size_t c = 0; c < ret->count; c++) {
                ret->changes[c].forces_replace |= is_replaced_by(&paths, ret->changes[c].path);
                ret->replace |= ret->changes[c].forces_replace;
        }
        return 0;
}

static bool try_back(struct evaluation *ev, struct instance *i, const struct recorded *candidate,
    const struct value *config, struct comparison *found)
{
        const struct schema *schema = i->expansion->resource->schema;
        const struct observation *seen = world_of(ev->input->world, candidate);
        cleanup(error_free) struct error *unsuitable = NULL;
        i->recorded = candidate;
        i->prior = evaluation_own(ev, diff_prior(schema, candidate, seen ? seen->observed : NULL));
        return decide_replacement(ev, i->recorded, i) == NULL &&
               decide_compare(ev, i, config, found, &unsuitable) == 0 && !found->replace;
}

/* Instead of making something: what is wanted may have been set aside, and stand still. False: it has to be made. */
static bool take_back(struct evaluation *ev, struct instance *i, const struct value *config)
{
        struct comparison found;
        size_t count;
        const struct recorded *current = i->recorded, **candidates = restore_candidates(ev, i, &count);
        struct value *prior = i->prior;
        for (size_t c = 0; c < count; c++) {
                if (!try_back(ev, i, candidates[c], config, &found)) continue;
                want_read(ev, candidates[c]);
                i->aside = current;
                i->gone = false;
                i->planned = found.planned;
                i->changes = found.changes;
                i->change_count = (uint32_t)found.count;
                act(i, ACTION_RESTORE,
                    found.count == 0 ? "is as wanted, and still stands"
                                     : "still stands, and can be changed to what is wanted");
                set_attributes(i, diff_attributes(i->expansion->resource->schema, found.planned, i->prior,
                                      found.count == 0));
                return true;
        }
        i->recorded = current;
        i->prior = prior;
        return false;
}

/* Nothing that is known by now needs a new object: what is not known yet may turn out to be as it was. */
static bool is_unsure(const struct comparison *c)
{
        bool forced = false;
        for (size_t k = 0; k < c->count; k++) {
                const struct change *change = &c->changes[k];
                if (!change->forces_replace) continue;
                if (change->after == NULL || value_is_wholly_known(change->after)) return false;
                forced = true;
        }
        return forced;
}

static void decide_change(
    struct evaluation *ev, struct instance *i, const struct value *config, struct error **err)
{
        const struct schema *schema = i->expansion->resource->schema;
        struct comparison c;
        if (decide_compare(ev, i, config, &c, err) < 0) {
                fail(ev, i);
                return;
        }
        const struct open_operation *open = open_action_on(ev, i->recorded, "update");
        if (c.count == 0 && !c.replace && open == NULL) {
                keep_as_is(ev, i, c.planned);
                return;
        }
        if (c.replace) {
                if (take_back(ev, i, config)) return;
                i->changes = c.changes;
                i->change_count = (uint32_t)c.count;
                const char *reason = change_reason(ev, c.changes, c.count);
                bool unsure = is_unsure(&c);
                decide_creation(
                    ev, i, config, ACTION_REPLACE, reason ? reason : "the provider needs a new one", err);
                i->unsure = i->acts && unsure;
                return;
        }
        i->changes = c.changes;
        i->change_count = (uint32_t)c.count;
        i->planned = c.planned;
        act(i, ACTION_UPDATE, c.count == 0 ? open_reason(ev, open, true) : NULL);
        i->open = open;
        set_attributes(i, diff_attributes(schema, c.planned, i->prior, false));
}

static void decide_action(
    struct evaluation *ev, struct instance *i, const struct value *config, struct error **err)
{
        const struct resource *r = i->expansion->resource;
        bool current = i->recorded != NULL && !i->gone;
        if (!current && take_back(ev, i, config)) return;
        if (i->recorded == NULL) {
                if (!r->adopt) {
                        decide_creation(ev, i, config, ACTION_CREATE, NULL, err);
                        return;
                }
                if (r->schema->can_find) {
                        decide_creation(ev, i, config, ACTION_ADOPT, NULL, err);
                        return;
                }
                struct place place = place_of(i);
                error_set(err, ERROR_INPUT, &place,
                    "%s cannot be adopted: its provider has no way to find one", r->type);
                {
                        fail(ev, i);
                        return;
                }
        }
        if (i->gone) {
                decide_creation(ev, i, config, ACTION_CREATE, gone_reason(ev, i->address), err);
                return;
        }
        const char *reason = decide_replacement(ev, i->recorded, i);
        if (reason == NULL) {
                decide_change(ev, i, config, err);
                return;
        }
        if (decide_host_moves(i) && i->host_gone) {
                decide_creation(ev, i, config, ACTION_CREATE, "its host was deleted outside", err);
                return;
        }
        if (take_back(ev, i, config)) return;
        bool unsure = i->host != NULL && !value_is_wholly_known(i->host) && only_host_moves(ev, i);
        decide_creation(ev, i, config, ACTION_REPLACE, reason, err);
        i->unsure = i->acts && unsure;
}

static void check_by_provider(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct schema_source *schemas = ev->input->schemas;
        if (!i->acts || i->planned == NULL || schemas->validate == NULL) return;
        struct place place = place_of(i);
        schemas->validate(schemas->context, i->expansion->resource->schema, i->planned, &place, err);
}

static bool evaluate_protect(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct expr *e = i->expansion->resource->protect;
        if (e == NULL) return false;
        cleanup(value_free) struct value *v = evaluate(ev, i->expansion->module, i, e, NULL, i->address, err);
        cleanup(value_free) struct value *b = v ? value_convert(v, type_bool, NULL) : NULL;
        /* What is not known to be unprotected is protected. */
        return b == NULL || !value_is_known(b) || (!value_is_null(b) && value_as_bool(b));
}

void decide_refuse_protected(const struct instance *i, struct error **err)
{
        struct place place = place_of(i);
        error_set(err, ERROR_INPUT, &place,
            "%s is protected, and this change would replace it: %s; take `protect` away first if that is "
            "meant",
            i->address, i->reason ? i->reason : "it has to be made anew");
}

/* Refuses a replacement of what is protected, by a new one or by one that is taken back. Of one that only may be needed that is judged later. */
static void check_protection(struct evaluation *ev, struct instance *i, struct error **err)
{
        i->protect = evaluate_protect(ev, i, err);
        bool replaces = (i->action == ACTION_REPLACE && i->prior != NULL) || restore_destroys(ev, i);
        if (i->acts && i->protect && replaces && !i->unsure) decide_refuse_protected(i, err);
}

/* The way back: what did not exist then, or not at all, is not there for anybody. */
static void decide_absent(struct evaluation *ev, struct instance *i)
{
        cleanup(value_free) struct value *config = evaluate_body(ev, i, NULL);
        i->unwanted = i->recorded;
        i->recorded = NULL;
        i->prior = NULL;
        i->gone = i->failed = false;
        i->node.left_out = true;
        set_attributes(i, unknown_attributes(i->expansion->resource->schema));
}

/* The way back: what was not touched since then is as it was, whatever the template of that time says of it. */
static void decide_stay(struct evaluation *ev, struct instance *i)
{
        i->failed = false;
        set_attributes(i, diff_attributes(i->expansion->resource->schema, i->prior, i->prior, true));
        ev->keep_count++;
}

/*
 * A recovery step is made anew whenever it has to run, whatever its record says: a command runs again. Until then it is kept as it
 * is, also where it was changed or deleted outside.
 */
static void decide_standby(
    struct evaluation *ev, struct instance *i, const struct value *config, struct error **err)
{
        bool exists = i->recorded != NULL && i->prior != NULL;
        decide_creation(
            ev, i, config, exists ? ACTION_REPLACE : ACTION_CREATE, exists ? "runs again" : NULL, err);
        if (i->recorded != NULL) ev->keep_count++;
        if (i->failed) return;
        check_by_provider(ev, i, err);
        i->standby = ev->input->back == NULL;
        i->acts = i->node.pending = i->node.anew = false;
}

void decide_managed(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct schema *schema = i->expansion->resource->schema;
        load_prior(ev, i, err);
        enum back_role role = back_role(ev, i);
        if (role == BACK_ABSENT) {
                decide_absent(ev, i);
                return;
        }
        cleanup(value_free) struct value *config = evaluate_body(ev, i, err);
        if (ev->input->mode != PLAN_APPLY) {
                set_attributes(i, i->prior ? diff_attributes(schema, i->prior, i->prior, true)
                                           : unknown_attributes(schema));
                return;
        }
        if (role == BACK_STAYS && !back_must_follow(i) && i->prior != NULL) {
                decide_stay(ev, i);
                return;
        }
        if (i->failed) {
                fail(ev, i);
                return;
        }
        if (i->node.deferred) {
                const char *other = node_culprit(&i->node, is_deferred);
                defer(ev, &i->node, i->address,
                    other ? arena_printf(ev->arena, "needs %s, which is planned later", other)
                          : "needs something that is planned later");
                {
                        set_attributes(i, unknown_attributes(schema));
                        return;
                }
        }
        if (i->expansion->resource->recovery_of != NULL) {
                decide_standby(ev, i, config, err);
                return;
        }
        decide_action(ev, i, config, err);
        if (i->failed) return;
        check_by_provider(ev, i, err);
        check_protection(ev, i, err);
}

static bool entry_is_pending(const struct instance *i)
{
        for (uint32_t d = 0; d < i->node.dep_count; d++)
                if (i->node.deps[d]->pending) return true;
        return false;
}

/* A lookup's answer by its schema; its properties are part of it. */
static struct value *lookup_attributes(
    const struct schema *schema, const struct value *properties, const struct value *observed)
{
        struct recorded r = {
            .id = "", .outputs = (struct value *)observed, .properties = (struct value *)properties};
        cleanup(value_free) struct value *whole = diff_prior(schema, &r, observed);
        return diff_attributes(schema, properties, whole, true);
}

void decide_lookup(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct schema *schema = i->expansion->resource->schema;
        cleanup(value_free) struct value *config = evaluate_body(ev, i, err);
        if (i->failed) {
                fail(ev, i);
                return;
        }
        struct place place = place_of(i);
        struct value *properties = diff_propose(schema, config, NULL, &place, err);
        if (properties == NULL) {
                fail(ev, i);
                return;
        }
        /* What the caller may leave to the provider is null in a request. */
        struct value *given = properties;
        for (size_t p = 0; p < schema->property_count; p++) {
                const struct property *property = &schema->properties[p];
                const struct value *said = value_is_known(config) ? value_get(config, property->name) : given;
                if (!property->computed || (said != NULL && !value_is_null(said))) continue;
                cleanup(value_free) struct value *null = value_null(property->type);
                struct value *next = value_with(given, property->name, null);
                value_free(given);
                given = next;
        }
        i->planned = evaluation_own(ev, given);
        set_attributes(i, diff_attributes(schema, given, NULL, false));
        struct cell *provider = i->expansion->provider;
        bool known = value_is_wholly_known(given) &&
                     (provider == NULL || value_is_wholly_known(provider->value));
        const struct observation *seen = world_get(ev->input->world, i->address);
        if (seen != NULL && known && !entry_is_pending(i)) {
                if (seen->gone) {
                        error_set(
                            err, ERROR_MISSING, &place, "nothing was found that %s describes", i->address);
                        {
                                fail(ev, i);
                                return;
                        }
                }
                {
                        set_attributes(i, lookup_attributes(schema, given, seen->observed));
                        return;
                }
        }
        if (known && !entry_is_pending(i) && !i->node.deferred) {
                struct wanted w = {.address = i->address,
                    .schema = schema,
                    .use = provider_use_of(provider, i->address, i->expansion->resource->provider),
                    .properties = given};
                w.use.config = provider ? provider->value : NULL;
                vec_push(ev->wanted, ev->wanted_count, ev->wanted_capacity, w);
                return;
        }
        if (i->node.deferred) {
                defer(ev, &i->node, i->address, "needs something that is planned later");
                return;
        }
        act(i, ACTION_READ, "can be read only while the plan runs");
}

void decide_gate(struct evaluation *ev, struct instance *i, struct error **err)
{
        struct expansion *x = i->expansion;
        const struct approval *a = x->resource->approve;
        note_begin(ev);
        note(ev, &x->entry);
        if (x->source != NULL && i->index < x->source->count) note(ev, &x->source->instances[i->index].node);
        const struct expr *texts[] = {a ? a->message : NULL, a ? a->approvers : NULL};
        for (unsigned t = 0; t < 2; t++) {
                if (texts[t] == NULL) continue;
                struct value *v = evaluate(ev, x->module, i, texts[t], &x->uses->body, i->address, err);
                i->failed |= v == NULL;
                value_free(v);
        }
        note_end(ev, &i->node);
        set_attributes(i, value_object(NULL, NULL, 0));
        if (ev->input->mode != PLAN_APPLY || i->failed || i->node.deferred) return;
        act(i, ACTION_GATE, NULL);
        i->node.pending = entry_is_pending(i);
}
