/*
 * The environment as it stands today, for a plan from before: its providers' credentials count, and nothing else of it. See credentials.h.
 *
 * It is built like a search for drift, for which what is wrong with a template is no obstacle as long as it can be read.
 */
#include "base/log.h"
#include "io/file.h"
#include "run/back_search.h"

static int read_file(void *context, const char *path, struct text *out, struct error **err)
{
        (void)context;
        return file_read(path, ENVIRONMENT_FILE_MAX, out, err);
}

/* The file as it is on the disk now. The environment of a session that came from a plan is the plan's. */
static const struct environment *find_environment(
    struct session *s, const struct saved_plan *saved, struct error **err)
{
        if (s->env != NULL && s->saved == NULL) return s->env;
        struct source_reader reader = {read_file, NULL};
        struct parameter_source parameters = s->parameters;
        parameters.recorded = saved->parameters;
        environment_load(s->file, &reader, &parameters, &s->schemas, &s->present.env, err);
        return s->present.env;
}

void session_find_present(struct session *s, const struct saved_plan *saved)
{
        cleanup(error_free) struct error *problem = NULL;
        session_drop_present(s);
        const struct environment *env = find_environment(s, saved, &problem);
        if (env != NULL) {
                s->present.world = search_world(saved, NULL);
                s->present.input = (struct plan_input){
                    .env = env,
                    .state = s->state,
                    .world = s->present.world,
                    .schemas = &s->schemas,
                    .mode = PLAN_DRIFT,
                    .unchecked = true,
                    .allow_outside = s->allow_outside,
                };
                if (plan_build(&s->present.input, &s->present.plan, &problem) == 0) return;
        }
        cleanup_free char *text = error_text(error_at(problem, 0));
        log_warn("credentials are those of then, as the environment cannot be read as it is now: %s", text);
}

void session_drop_present(struct session *s)
{
        plan_free(s->present.plan);
        environment_free(s->present.env);
        world_free(s->present.world);
        s->present = (struct present){0};
}
