/*
 * Plans in memory: an environment from YAML text, resource types of our own, and a small cloud that carries plans out. The cloud
 * counts what a real one would refuse: something deleted while another still refers to it, or made upon what is not there.
 */
#ifndef TUTTI_TESTS_PLAN_FIXTURE_H
#define TUTTI_TESTS_PLAN_FIXTURE_H

#include <string.h>

#include "base/text.h"
#include "plan/plan.h"
#include "tap.h"

/* --- types ----------------------------------------------------------------------------------------------------------- */

struct types {
        struct arena *arena;
        struct schema schemas[12];
        size_t count;
        struct property config[1];
        int plan_calls;
};

static inline void drop_type(void *type)
{
        type_free(type);
}
static inline void drop_value(void *value)
{
        value_free(value);
}

/* "name! string; cidr^ string; zone? string; password* string; ports~ list(number); size=2 number; secret- string":
 * ! required, ^ create-only, ? computed, * sensitive, ~ unordered, - write-only, + grows in place, =N a default. Sorted by name. */
static inline const struct property *parse_properties(struct arena *arena, const char *text, size_t *count)
{
        struct property *all = arena_alloc(arena, 16 * sizeof *all);
        char *copy = arena_strdup(arena, text), *save = NULL;
        *count = 0;
        for (char *item = strtok_r(copy, ";", &save); item != NULL; item = strtok_r(NULL, ";", &save)) {
                while (*item == ' ') item++;
                char *space = strchr(item, ' ');
                *space = '\0';
                struct place none = {0};
                struct property p = {
                    .name = item, .type = type_parse(space + 1, strlen(space + 1), &none, NULL)};
                arena_defer(arena, drop_type, (void *)p.type);
                char *fallback = strchr(item, '=');
                if (fallback != NULL) {
                        *fallback = '\0';
                        p.fallback = value_from_json(fallback + 1, strlen(fallback + 1), p.type, NULL, NULL);
                        arena_defer(arena, drop_value, (void *)p.fallback);
                }
                for (char *end = item + strlen(item) - 1; strchr("!^?*~-+", *end) != NULL; *end-- = '\0') {
                        p.required |= *end == '!';
                        p.create_only |= *end == '^';
                        p.computed |= *end == '?';
                        p.sensitive |= *end == '*';
                        p.unordered |= *end == '~';
                        p.write_only |= *end == '-';
                        p.grows |= *end == '+';
                }
                all[(*count)++] = p;
        }
        return all;
}

static inline struct schema *add_type(
    struct types *t, const char *name, const char *properties, const char *outputs)
{
        struct schema *s = &t->schemas[t->count++];
        s->type = name;
        s->can_find = s->can_import = true;
        s->create_seconds = 10;
        s->properties = parse_properties(t->arena, properties, &s->property_count);
        s->outputs = parse_properties(t->arena, outputs, &s->output_count);
        return s;
}

static inline void types_init(struct types *t)
{
        *t = (struct types){.arena = arena_new()};
        add_type(t, "cloud.network", "cidr^ string; name! string; tags map(string); zone? string",
            "arn^ string; id string");
        add_type(t, "cloud.subnet", "name! string; network_id!^ string; ports~ list(number)", "id string");
        add_type(t, "cloud.server",
            "image^ string; name! string; password* string; pin- string; rules list(object({port = number, "
            "cidr = optional(string)})); "
            "size=2 number; subnet_id string",
            "id string; ip string; token* string");
        add_type(t, "cloud.disk", "size+ number", "id string");
        add_type(t, "cloud.image", "name! string", "id string; name string; size number")->lookup = true;
        add_type(t, "ssh.command", "run! string", "id string; output string")->acts_on_host = true;
        struct schema *value = add_type(t, "value", "input any", "id string; output any");
        value->local = value->no_read = true;
        value->create_seconds = 0;
        add_type(t, "cluster.thing", "name! string", "id string");
        add_type(t, "smart.thing", "name! string; shade? string", "id string")->plans = true;
        size_t count;
        memcpy(t->config, parse_properties(t->arena, "endpoint string", &count), sizeof t->config);
}

static inline const struct schema *find_type(void *context, const char *type, struct error **err)
{
        struct types *t = context;
        for (size_t i = 0; i < t->count; i++)
                if (strcmp(t->schemas[i].type, type) == 0) return &t->schemas[i];
        error_set(err, ERROR_INPUT, NULL, "unknown type '%s'", type);
        return NULL;
}

static inline const struct property *find_config(
    void *context, const char *provider, size_t *count, struct error **err)
{
        struct types *t = context;
        (void)provider, (void)err;
        *count = 1;
        return t->config;
}

/* A sealer that hides nothing from anybody who can read hexadecimal, but is no plain text. */
static inline int fake_seal(
    void *context, const void *plain, size_t len, struct text *out, struct error **err)
{
        (void)context, (void)err;
        for (size_t i = 0; i < len; i++) text_addf(out, "%02x", ((const unsigned char *)plain)[i] ^ 0x5a);
        return 0;
}
static inline int fake_open(
    void *context, const char *sealed, size_t len, struct text *out, struct error **err)
{
        (void)context;
        if (len % 2 != 0) return error_set(err, ERROR_INPUT, NULL, "a sealed value was damaged");
        for (size_t i = 0; i + 1 < len; i += 2) {
                unsigned byte;
                if (sscanf(sealed + i, "%2x", &byte) != 1)
                        return error_set(err, ERROR_INPUT, NULL, "a sealed value was damaged");
                text_addc(out, (char)(byte ^ 0x5a));
        }
        return 0;
}
static const struct sealer fake_sealer = {fake_seal, fake_open, NULL};

/* --- the cloud ------------------------------------------------------------------------------------------------------- */

struct object {
        char *address, *deposed, *type, *provider, *id, *account;
        struct value *properties, *outputs, *host;
        char **after;
        size_t after_count, inherited_count;
        bool protect, keep, tainted;
        int64_t created_ms;
};

struct cloud {
        struct types types;
        struct schema_source schemas;
        struct source_reader reader;
        struct {
                const char *path, *text;
        } files[8];
        size_t file_count;
        struct environment *env;
        struct object *objects;
        size_t count, capacity;
        struct value *outputs;
        int64_t serial;
        struct state *state;
        struct world *world;
        struct plan_input input;
        struct plan *plan;
        int made, violations, reads, late, in_use, spared, refused, needless;
        int64_t time_ms;
        struct text log; /* "create web; …" */
};

static inline int read_file(void *context, const char *path, struct text *out, struct error **err)
{
        struct cloud *c = context;
        for (size_t i = 0; i < c->file_count; i++) {
                if (strcmp(c->files[i].path, path) != 0) continue;
                text_add(out, c->files[i].text);
                return 0;
        }
        return error_set(err, ERROR_MISSING, NULL, "read %s: no such file", path);
}

static inline void cloud_init(struct cloud *c)
{
        *c = (struct cloud){.time_ms = 1000000};
        types_init(&c->types);
        c->schemas = (struct schema_source){.find = find_type, .config = find_config, .context = &c->types};
        c->reader = (struct source_reader){read_file, c};
}

static inline void object_release(struct object *o)
{
        for (size_t i = 0; i < o->after_count; i++) free(o->after[i]);
        free(o->after);
        free(o->address);
        free(o->deposed);
        free(o->type);
        free(o->provider);
        free(o->account);
        free(o->id);
        value_free(o->properties);
        value_free(o->outputs);
        value_free(o->host);
}

static inline void object_order(struct object *o, const char **after, size_t count, size_t inherited)
{
        for (size_t i = 0; i < o->after_count; i++) free(o->after[i]);
        o->after = mem_realloc(o->after, (count + 1) * sizeof *o->after);
        for (size_t i = 0; i < count; i++) o->after[i] = mem_strdup(after[i]);
        o->after_count = count;
        o->inherited_count = inherited;
}

static inline void cloud_forget_plan(struct cloud *c)
{
        plan_free(c->plan);
        state_free(c->state);
        world_free(c->world);
        c->plan = NULL;
        c->state = NULL;
        c->world = NULL;
}

static inline void cloud_release(struct cloud *c)
{
        cloud_forget_plan(c);
        environment_free(c->env);
        for (size_t i = 0; i < c->count; i++) object_release(&c->objects[i]);
        free(c->objects);
        value_free(c->outputs);
        text_release(&c->log);
        arena_free(c->types.arena);
}

static inline char *problems_text(const struct error *err)
{
        struct text all = {0};
        for (size_t i = 0; i < error_count(err); i++) {
                char *line = error_text(error_at(err, i));
                text_addf(&all, "%s%s", i > 0 ? "\n" : "", line);
                free(line);
        }
        return text_steal(&all);
}

static inline void cloud_file(struct cloud *c, const char *path, const char *text)
{
        for (size_t i = 0; i < c->file_count; i++) {
                if (strcmp(c->files[i].path, path) != 0) continue;
                c->files[i].text = text;
                return;
        }
        c->files[c->file_count].path = path;
        c->files[c->file_count++].text = text;
}

/* Takes `text` as the environment file from now on. */
static inline bool cloud_load(struct cloud *c, const char *text)
{
        cloud_forget_plan(c);
        environment_free(c->env);
        c->env = NULL;
        cloud_file(c, "e.yaml", text);
        cleanup(error_free) struct error *err = NULL;
        if (environment_load("e.yaml", &c->reader, NULL, &c->schemas, &c->env, &err) == 0) return true;
        cleanup_free char *problems = problems_text(err);
        printf("# cannot load: %s\n", problems);
        return false;
}

static inline char *encoded(const struct value *v)
{
        struct text out = {0};
        value_encode(v, &fake_sealer, &out, NULL);
        return text_steal(&out);
}

static inline struct state *cloud_state(struct cloud *c)
{
        struct resource_row *rows = mem_alloc(c->count * sizeof *rows);
        for (size_t i = 0; i < c->count; i++) {
                const struct object *o = &c->objects[i];
                rows[i] = (struct resource_row){.address = mem_strdup(o->address),
                    .deposed = mem_strdup(o->deposed),
                    .type = mem_strdup(o->type),
                    .provider = mem_strdup(o->provider),
                    .id = mem_strdup(o->id),
                    .account = mem_strdup(o->account),
                    .properties = encoded(o->properties),
                    .outputs = encoded(o->outputs),
                    .host = o->host ? encoded(o->host) : NULL,
                    .after = mem_alloc(o->after_count * sizeof(char *)),
                    .after_count = o->after_count,
                    .inherited_count = o->inherited_count,
                    .protect = o->protect,
                    .keep = o->keep,
                    .tainted = o->tainted,
                    .created_ms = o->created_ms,
                    .token = mem_strdup(o->id)};
                for (size_t a = 0; a < o->after_count; a++) rows[i].after[a] = mem_strdup(o->after[a]);
        }
        struct environment_row env = {.name = (char *)"e", .lineage = (char *)"line", .serial = c->serial};
        cleanup_free char *outputs = c->outputs ? encoded(c->outputs) : NULL;
        struct state *state = NULL;
        cleanup(error_free) struct error *err = NULL;
        if (state_decode(&env, rows, c->count, outputs, &fake_sealer, &state, &err) < 0)
                printf("# state_decode: %s\n", error_message(err));
        return state;
}

static inline struct object *cloud_find(struct cloud *c, const char *address, const char *deposed)
{
        for (size_t i = 0; i < c->count; i++)
                if (strcmp(c->objects[i].address, address) == 0 &&
                    strcmp(c->objects[i].deposed, deposed) == 0)
                        return &c->objects[i];
        return NULL;
}

static inline struct value *object_of(const char *json)
{
        return value_from_json(json, strlen(json), NULL, NULL, NULL);
}

static inline void cloud_answer(struct cloud *c, const struct wanted *w)
{
        if (w->recorded != NULL) {
                world_put(c->world, w->address, value_ref(w->prior), NULL);
                return;
        }
        c->reads++;
        const char *asked = value_as_string(value_get(w->properties, "name"));
        cleanup_free char *json = mem_printf(
            "{\"id\": \"img-%s\", \"name\": \"%s-full\", \"size\": 7}", asked, asked);
        world_put(c->world, w->address, object_of(json), NULL);
}

/* Plans with c->input's mode, targets and so on; what is wrong goes to *problems (to be freed) if not NULL. */
static inline struct plan *cloud_plan(struct cloud *c, char **problems)
{
        cloud_forget_plan(c);
        if (problems != NULL) *problems = NULL;
        if (c->env == NULL) return NULL;
        c->state = cloud_state(c);
        c->world = world_new(c->time_ms, NULL);
        c->input.env = c->env;
        c->input.state = c->state;
        c->input.world = c->world;
        c->input.schemas = &c->schemas;
        for (int round = 0; round < 10; round++) {
                cleanup(error_free) struct error *err = NULL;
                plan_free(c->plan);
                c->plan = NULL;
                if (plan_build(&c->input, &c->plan, &err) < 0) {
                        cleanup_free char *text = problems_text(err);
                        if (problems == NULL)
                                printf("# cannot plan: %s\n", text);
                        else
                                *problems = steal(text);
                        return NULL;
                }
                if (c->plan->wanted_count == 0) break;
                for (size_t i = 0; i < c->plan->wanted_count; i++) cloud_answer(c, &c->plan->wanted[i]);
        }
        return c->plan;
}

/* "create network; create subnet["a"]; gate go-live": the steps in their order, without joins. */
static inline char *plan_text(const struct plan *plan)
{
        struct text out = {0};
        for (size_t i = 0; plan && i < plan->count; i++) {
                const struct step *s = &plan->steps[i];
                if (s->action == ACTION_JOIN) continue;
                text_addf(&out, "%s%s %s", out.len ? "; " : "", action_name(s->action), s->address);
                if (s->deposed[0]) text_addf(&out, "(%s)", s->deposed);
        }
        for (size_t i = 0; plan && i < plan->deferred_count; i++)
                text_addf(&out, "%slater %s", out.len ? "; " : "", plan->deferred[i].address);
        return text_steal(&out);
}

static inline const struct step *step_find(const struct plan *plan, const char *action, const char *address)
{
        for (size_t i = 0; plan && i < plan->count; i++)
                if (strcmp(plan->steps[i].address, address) == 0 &&
                    strcmp(action_name(plan->steps[i].action), action) == 0)
                        return &plan->steps[i];
        return NULL;
}

/* Whether `later` waits for `earlier`, directly or through others. */
static inline bool waits_for(const struct plan *plan, const struct step *later, const struct step *earlier)
{
        if (later == NULL || earlier == NULL || later->index <= earlier->index) return false;
        bool *reached = mem_alloc(plan->count);
        reached[later->index] = true;
        for (size_t i = later->index + 1; i-- > 0;)
                for (size_t a = 0; reached[i] && a < plan->steps[i].after_count; a++)
                        reached[plan->steps[i].after[a]] = true;
        bool result = reached[earlier->index];
        free(reached);
        return result;
}

/* --- carrying out ---------------------------------------------------------------------------------------------------- */

/* Ids look like "id:7", several joined like "id:7+id:8". Calls `each` for all of them in a value. */
static inline void each_id(const struct value *v, void (*each)(void *context, const char *id), void *context)
{
        if (v == NULL || value_is_null(v) || !value_is_known(v)) return;
        for (size_t i = 0; value_kind(v) != TYPE_STRING && i < value_count(v); i++)
                each_id(value_at(v, i), each, context);
        if (value_kind(v) != TYPE_STRING || strncmp(value_as_string(v), "id:", 3) != 0) return;
        cleanup_free char *copy = mem_strdup(value_as_string(v));
        char *save = NULL;
        for (char *id = strtok_r(copy, "+", &save); id != NULL; id = strtok_r(NULL, "+", &save))
                each(context, id);
}

struct mention {
        const char *id;
        bool found;
};
static inline void compare_id(void *context, const char *id)
{
        struct mention *m = context;
        m->found |= strcmp(m->id, id) == 0;
}
static inline bool mentions(const struct value *v, const char *id)
{
        struct mention m = {.id = id};
        each_id(v, compare_id, &m);
        return m.found;
}

static inline void violation(struct cloud *c, const char *what, const char *address)
{
        c->violations++;
        printf("# violation: %s %s\n", what, address);
}

struct checking {
        struct cloud *cloud;
        const char *address;
};
static inline void check_id(void *context, const char *id)
{
        struct checking *k = context;
        for (size_t i = 0; i < k->cloud->count; i++)
                if (strcmp(k->cloud->objects[i].id, id) == 0) return;
        violation(k->cloud, "refers to what is not there:", k->address);
}
static inline void check_references(struct cloud *c, const struct value *v, const char *address)
{
        struct checking k = {c, address};
        each_id(v, check_id, &k);
}

/* Whoever still refers to it may be led away only afterwards, where that cannot be otherwise: its update waits for the deletion. */
static inline bool may_be_late(struct cloud *c, const struct object *user, const struct step *deletion)
{
        const struct step *update = step_find(c->plan, "update", user->address);
        /* Of several updates and deletions that wait for each other in a circle one has to yield: those are counted apart. */
        if (update != NULL && update->index > deletion->index && !waits_for(c->plan, update, deletion))
                c->late++;
        return update != NULL && update->index > deletion->index;
}

static inline void cloud_remove(struct cloud *c, const struct step *s, const char *deposed)
{
        struct object *o = cloud_find(c, s->address, deposed);
        if (o == NULL) {
                violation(c, "deletes what is not there:", s->address);
                return;
        }
        for (size_t i = 0; s->action != ACTION_FORGET && i < c->count; i++)
                if (&c->objects[i] != o && mentions(c->objects[i].properties, o->id) &&
                    !may_be_late(c, &c->objects[i], s)) {
                        violation(c, "deletes what is in use:", s->address);
                        c->in_use++;
                        printf("#   by %s\n", c->objects[i].address);
                }
        object_release(o);
        *o = c->objects[--c->count];
}

/* An `ip` follows from the name, so that an update may change it; else from the object. */
static bool ips_by_name;

static inline struct value *made_outputs(
    const struct schema *s, const char *id, const struct value *properties)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < s->output_count; i++) {
                const char *name = s->outputs[i].name;
                cleanup_free char *made = mem_printf("%s of %s", name, id);
                if (strcmp(name, "id") == 0)
                        value_builder_add(&b, name, value_string(id));
                else if (strcmp(s->type, "value") == 0)
                        value_builder_add(&b, name, value_ref(value_get(properties, "input")));
                else if (strcmp(name, "ip") == 0 && ips_by_name) {
                        const struct value *of = value_get(properties, "name");
                        bool known = of != NULL && value_is_known(of) && !value_is_null(of);
                        cleanup_free char *ip = mem_printf("ip of %s", known ? value_as_string(of) : "none");
                        value_builder_add(&b, name, value_string(ip));
                } else
                        value_builder_add(&b, name, value_string(made));
        }
        struct value *outputs = value_builder_object(&b);
        value_builder_release(&b);
        return outputs;
}

static inline struct value *settled(const struct schema *s, const struct value *given, const char *id)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < s->property_count; i++) {
                const struct value *v = value_get(given, s->properties[i].name);
                cleanup_free char *made = mem_printf("%s of %s", s->properties[i].name, id);
                bool fill = s->properties[i].computed && (v == NULL || value_is_null(v));
                value_builder_add(&b, s->properties[i].name, fill ? value_string(made) : value_ref(v));
        }
        struct value *properties = value_builder_object(&b);
        value_builder_release(&b);
        return properties;
}

static inline void cloud_make(struct cloud *c, const struct step *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct value *properties = NULL, *host = NULL;
        if (plan_resolve(c->plan, s, &properties, &host, &err) < 0) {
                violation(c, error_message(err), s->address);
                return;
        }
        check_references(c, properties, s->address);
        struct object *old = cloud_find(c, s->address, "");
        if (s->action == ACTION_REPLACE && s->create_first && old != NULL) {
                free(old->deposed);
                old->deposed = mem_strdup(old->id);
                old = NULL;
        }
        struct object o = {.address = mem_strdup(s->address),
            .deposed = mem_strdup(""),
            .type = mem_strdup(s->type),
            .provider = mem_strdup(s->provider ? s->provider : ""),
            .account = mem_strdup(s->account),
            .host = host,
            .protect = s->protect,
            .keep = s->resource->keep,
            .created_ms = s->action == ACTION_UPDATE && old ? old->created_ms : ++c->time_ms};
        o.id = s->action == ACTION_UPDATE && old ? mem_strdup(old->id) : mem_printf("id:%d", ++c->made);
        o.properties = settled(s->schema, properties, o.id);
        o.outputs = made_outputs(s->schema, o.id, o.properties);
        object_order(&o, s->depends, s->depends_count, s->inherited_count);
        value_free(properties);
        cleanup(value_free) struct value *attributes = value_merge(o.properties, o.outputs);
        plan_set_result(c->plan, s, attributes);
        if (old != NULL) {
                if (s->action == ACTION_REPLACE) violation(c, "replaces what was not deleted:", s->address);
                object_release(old);
                *old = o;
        } else
                vec_push(c->objects, c->count, c->capacity, o);
}

/* What is current is set aside, and what had been set aside is current. */
static inline void cloud_restore(struct cloud *c, const struct step *s)
{
        struct object *current = cloud_find(c, s->address, ""), *back = cloud_find(c, s->address, s->deposed);
        if (back == NULL) {
                violation(c, "takes back what is not there:", s->address);
                return;
        }
        if (current != NULL) {
                free(current->deposed);
                current->deposed = mem_strdup(current->id);
        }
        *back->deposed = '\0';
        for (size_t i = 0; i < back->after_count; i++) free(back->after[i]);
        back->after = mem_realloc(back->after, s->depends_count * sizeof *back->after);
        back->after_count = s->depends_count;
        for (size_t i = 0; i < s->depends_count; i++) back->after[i] = mem_strdup(s->depends[i]);
        back->protect = s->protect;
        back->keep = s->resource->keep;
}

/* A replacement that only may be needed, as the executor has it decided. True: the step has nothing to do. */
static inline bool cloud_spares(struct cloud *c, const struct step *s)
{
        if (!s->unsure) return false;
        if (s->action == ACTION_JOIN || (s->action == ACTION_REPLACE && s->create_first))
                plan_decide(c->plan, s);
        if (s->action == ACTION_JOIN) return true;
        if (s->action == ACTION_GATE) return plan_gate_spared(c->plan, s) != NULL;
        if (s->spared == NULL && s->refused == NULL) plan_begun(c->plan, s);
        c->spared += s->spared != NULL && s->action == ACTION_REPLACE;
        c->refused += s->refused != NULL;
        return s->spared != NULL || s->refused != NULL;
}

static inline void cloud_step(struct cloud *c, const struct step *s)
{
        for (size_t a = 0; a < s->after_count; a++)
                if (s->after[a] >= s->index) violation(c, "stands before what it waits for:", s->address);
        if (cloud_spares(c, s)) return;
        switch (s->action) {
        case ACTION_JOIN:
        case ACTION_GATE: return;
        case ACTION_DELETE: cloud_remove(c, s, s->deposed); break;
        case ACTION_REPLACE_DELETE: cloud_remove(c, s, s->create_first ? s->recorded->id : ""); break;
        case ACTION_FORGET: cloud_remove(c, s, s->deposed); break;
        case ACTION_RESTORE: cloud_restore(c, s); return;
        case ACTION_READ: {
                struct value *properties = NULL, *host = NULL;
                cleanup(error_free) struct error *err = NULL;
                if (plan_resolve(c->plan, s, &properties, &host, &err) < 0) {
                        violation(c, error_message(err), s->address);
                        return;
                }
                cleanup(value_free) struct value *answer = object_of(
                    "{\"id\": \"img-late\", \"name\": \"late-full\", \"size\": 7}");
                plan_set_result(c->plan, s, answer);
                value_free(properties);
                return;
        }
        default: cloud_make(c, s); return;
        }
        plan_set_result(c->plan, s, NULL);
}

static inline void cloud_annotate(struct cloud *c, const struct record_change *r)
{
        struct object *o = cloud_find(c, r->recorded->address, "");
        object_order(o, r->depends, r->depends_count, r->inherited_count);
        o->protect = r->protect;
        o->keep = r->keep;
        if (r->provider != NULL) {
                free(o->provider);
                o->provider = mem_strdup(r->provider);
        }
        if (r->account != NULL) {
                free(o->account);
                o->account = mem_strdup(r->account);
        }
        if (r->host != NULL) {
                value_free(o->host);
                o->host = value_ref(r->host);
        }
}

/* The first steps of the current plan, and then the run ends: it failed, or was interrupted. */
static inline void cloud_apply_part(struct cloud *c, size_t steps)
{
        for (size_t i = 0; c->plan && i < c->plan->count && i < steps; i++) cloud_step(c, &c->plan->steps[i]);
        c->serial++;
}

/* Carries the current plan out. */
static inline void cloud_apply(struct cloud *c)
{
        for (size_t i = 0; c->plan && i < c->plan->order_count; i++) {
                const struct record_order *r = &c->plan->orders[i];
                object_order(cloud_find(c, r->recorded->address, ""), r->after, r->count, r->inherited_count);
        }
        for (size_t i = 0; c->plan && i < c->plan->record_change_count; i++)
                cloud_annotate(c, &c->plan->record_changes[i]);
        for (size_t i = 0; c->plan && i < c->plan->count; i++) cloud_step(c, &c->plan->steps[i]);
        cleanup(error_free) struct error *err = NULL;
        struct value *outputs = c->plan ? plan_outputs(c->plan, &err) : NULL;
        if (outputs == NULL) violation(c, "no outputs:", err ? error_message(err) : "");
        value_free(c->outputs);
        c->outputs = outputs;
        c->serial++;
}

/* Loads, plans, compares the steps, carries out, and checks that a second plan is empty. */
static inline void is_plan(struct cloud *c, const char *text, const char *want, const char *name)
{
        if (!cloud_load(c, text)) {
                ok(false, "%s", name);
                return;
        }
        cleanup_free char *problems = NULL;
        cloud_plan(c, &problems);
        if (problems != NULL) printf("# %s\n", problems);
        cleanup_free char *got = plan_text(c->plan);
        is_str(got, want, name);
}

static inline void is_settled(struct cloud *c, const char *name)
{
        int before = c->violations;
        cloud_apply(c);
        cloud_plan(c, NULL);
        cleanup_free char *left = plan_text(c->plan);
        bool empty = c->plan != NULL && plan_is_empty(c->plan) && c->violations == before;
        ok(empty, "%s: settled", name);
        if (!empty)
                printf("# left: %s%s\n", left, c->plan && c->plan->outputs_change ? " (outputs change)" : "");
}

#endif
