/* Planning: what the world looks like, and what has to happen; again until nothing more is wanted. See session.h. */
#include <string.h>

#include "base/clock.h"
#include "run/connect.h"
#include "run/session_internal.h"

enum { READ_ROUNDS = 50 }; /* lookups that feed lookups; templates nest far less deep */

void session_drop_plan(struct session *s)
{
        plan_free(s->plan);
        s->plan = NULL;
        error_free(s->outlook.problems);
        s->outlook = (struct rollback_outlook){0};
        session_drop_present(s);
        world_free(s->world);
        s->world = NULL;
        for (size_t i = 0; i < s->unread_count; i++) {
                free(s->unread[i].address);
                free(s->unread[i].reason);
        }
        free(steal(s->unread));
        s->unread_count = s->unread_capacity = 0;
}

struct unread *session_unread_add(struct session *s)
{
        vec_push(s->unread, s->unread_count, s->unread_capacity, (struct unread){0});
        return &s->unread[s->unread_count - 1];
}

size_t session_unread(const struct session *s, const struct unread **ret)
{
        *ret = s->unread;
        return s->unread_count;
}

static double duration(void *context, const char *type, const char *action)
{
        struct session *s = context;
        cleanup_free char *key = mem_printf("%s %s", type, action);
        const double *seconds = map_get(&s->durations, key);
        return seconds ? *seconds : 0;
}

static unsigned parallel(void *context, const struct provider_block *block, const struct schema *schema)
{
        struct session *s = context;
        return block != NULL && block->parallel > 0 ? block->parallel : plugins_parallel(s->plugins, schema);
}

/* Asks the provider over the connection that the run will use. */
static int ask_provider(void *context, const struct provider_use *use, const struct schema *schema,
    const struct value *prior, const struct value *proposed, struct value **planned,
    const char *const **replace, size_t *replace_count, char **private_, struct error **err)
{
        struct session *s = context;
        struct connector connector = {s->plugins, &s->schemas, s->present.plan};
        struct connection *c = provider_connect(&connector, use, schema, err);
        if (c == NULL) return -1;
        return connection_plan(c, schema, prior, proposed, planned, replace, replace_count, private_, err);
}

void session_input(struct session *s, const struct environment *env, enum plan_mode mode, bool refresh)
{
        s->input = (struct plan_input){
            .env = env,
            .state = s->state,
            .world = s->world,
            .schemas = &s->schemas,
            .mode = mode,
            .refresh = refresh,
            .provider_plan = ask_provider,
            .provider_context = s,
            .duration = duration,
            .parallel = parallel,
            .duration_context = s,
            .allow_outside = s->allow_outside,
            .accepted = s->accepted,
            .accepted_count = s->accepted_count,
            .present = s->present.plan,
        };
}

int session_check(struct session *s, struct error **err)
{
        session_drop_plan(s);
        s->world = world_new(clock_wall_ms(), NULL);
        session_input(s, s->env, PLAN_APPLY, false);
        s->input.provider_plan = NULL; /* a check opens no provider */
        s->input.unchecked = true;
        int result = plan_build(&s->input, &s->plan, err);
        session_drop_plan(s);
        return result;
}

static const char *const *keep_list(struct session *s, const char *const *list, size_t count)
{
        if (s->request_arena == NULL) s->request_arena = arena_new();
        const char **copy = arena_alloc(s->request_arena, (count + 1) * sizeof *copy);
        for (size_t i = 0; i < count; i++) copy[i] = arena_strdup(s->request_arena, list[i]);
        return copy;
}

int session_build_with(struct session *s, const struct plan_request *request, struct error **err)
{
        for (int round = 0; round < READ_ROUNDS; round++) {
                plan_free(s->plan);
                s->plan = NULL;
                if (plan_build(&s->input, &s->plan, err) < 0) return -1;
                if (s->plan->wanted_count == 0) return 0;
                if (session_read(s, s->plan, request, err) < 0) return -1;
        }
        return error_set(
            err, ERROR_INPUT, NULL, "lookups depend on each other more than %d deep", READ_ROUNDS);
}

int session_build(struct session *s, struct error **err)
{
        struct plan_request none = {0};
        return session_build_with(s, &none, err);
}

int session_plan(struct session *s, const struct plan_request *request, struct plan **ret, struct error **err)
{
        session_drop_plan(s);
        s->world = world_new(clock_wall_ms(), NULL);
        session_input(s, s->env, request->mode, !request->no_refresh);
        s->input.unchecked = request->unchecked;
        s->input.targets = keep_list(s, request->targets, request->target_count);
        s->input.target_count = request->target_count;
        s->input.excludes = keep_list(s, request->excludes, request->exclude_count);
        s->input.exclude_count = request->exclude_count;
        if (session_build_with(s, request, err) < 0) return -1;
        *ret = s->plan;
        return 0;
}

static int read_saved_source(void *context, const char *path, struct text *out, struct error **err)
{
        const struct saved_plan *saved = context;
        for (size_t i = 0; i < saved->source_count; i++) {
                if (strcmp(saved->sources[i].path, path) != 0) continue;
                text_addn(out, saved->sources[i].text, saved->sources[i].len);
                return 0;
        }
        return error_set(err, ERROR_CONFLICT, NULL, "the saved plan does not hold %s", path);
}

int session_load_saved(
    struct session *s, const struct saved_plan *saved, struct environment **ret, struct error **err)
{
        struct source_reader reader = {read_saved_source, (void *)saved};
        struct parameter_source parameters = {.fixed = saved->parameters, .allow_outside = s->allow_outside};
        return environment_load(saved->file, &reader, &parameters, &s->schemas, ret, err);
}

/* A plan is for one use. */
static int check_unused(struct session *s, const struct saved_plan *saved, struct error **err)
{
        if (s->store == NULL || *s->state->lineage == '\0') return 0;
        struct run_row *runs;
        size_t count;
        if (store_runs(s->store, s->name, &runs, &count, err) < 0) return -1;
        char digest[65];
        text_hex(saved->digest, sizeof saved->digest, digest);
        int result = 0;
        for (size_t i = 0; i < count && result == 0; i++)
                if (text_equal(runs[i].digest, digest) && runs[i].started_ms >= saved->world->time_ms)
                        result = error_set(err, ERROR_CONFLICT, NULL,
                            "the plan was applied already, by run %s; a plan is for one use", runs[i].id);
        run_rows_free(runs, count);
        return result;
}

/* ...and good only for the state that it was made from. */
static int check_fresh(struct session *s, const struct saved_plan *saved, struct error **err)
{
        const struct state *state = s->state;
        if (check_unused(s, saved, err) < 0) return -1;
        if (strcmp(saved->lineage, state->lineage) != 0)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the plan is stale: it was made %s environment '%s' was first recorded, or for another "
                    "one of that name; plan again",
                    *saved->lineage ? "after" : "before", s->name);
        if (saved->serial != state->serial)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the plan is stale: it was made for serial %lld, and the state is at %lld now; plan "
                    "again",
                    (long long)saved->serial, (long long)state->serial);
        return 0;
}

int session_plan_saved(struct session *s, struct plan **ret, struct error **err)
{
        const struct saved_plan *saved = s->saved;
        if (check_fresh(s, saved, err) < 0) return -1;
        session_drop_plan(s);
        session_find_present(s, saved);
        s->world = saved->world;
        session_input(s, s->env, saved->mode, false);
        s->input.refresh = saved->refresh;
        s->input.targets = (const char *const *)saved->targets;
        s->input.target_count = saved->target_count;
        s->input.excludes = (const char *const *)saved->excludes;
        s->input.exclude_count = saved->exclude_count;
        s->input.accepted = (const char *const *)saved->accepted;
        s->input.accepted_count = saved->accepted_count;
        s->input.back = saved->back;
        int built = plan_build(&s->input, &s->plan, err);
        s->world = NULL; /* the saved plan's own */
        if (built < 0) return error_context(err, "build the saved plan again");
        if (s->plan->wanted_count > 0 || memcmp(s->plan->digest, saved->digest, sizeof saved->digest) != 0)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the plan is stale: it does not give the steps that it was saved with; it was changed, a "
                    "provider "
                    "was, or a run since left an operation open or ended one; plan again");
        *ret = s->plan;
        return 0;
}

int session_plan_write(struct session *s, struct text *out, struct error **err)
{
        /* The key is all that is needed; with the first plan of all it is drawn. */
        if (s->seal == NULL && session_store_create(s, err) < 0) return -1;
        return plan_write(s->plan, &s->sealer, out, err);
}
