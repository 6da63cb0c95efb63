/*
 * Stories against a real API: an object of a type is created, read back without drift, imported, found, updated, deleted.
 */
#ifndef TUTTI_TESTS_REST_CLOUD_H
#define TUTTI_TESTS_REST_CLOUD_H

#include "rest_driver.h"

static struct tutti_host host;
static void *plugin, *context;

static struct tutti_op begin(enum tutti_action action, const char *type, const char *token)
{
        char *problem = NULL;
        struct tutti_op op = {
            .action = action, .type = tutti_provider.type(plugin, type, &problem), .token = token};
        if (!op.type) {
                printf("Bail out! %s\n", problem ? problem : type);
                exit(1);
        }
        return op;
}

struct made {
        const char *type, *token;
        char *id;
        struct value *planned, *observed;
} made[32];
static size_t made_count;

static bool run(struct tutti_op *op, const char *what)
{
        enum tutti_result result = driver_run(context, op);
        bool good = ok(result == TUTTI_DONE, "%s %s", what, op->type->name);
        if (!good) printf("# %s\n# %s\n", op->message, op->request);
        return good;
}

static void no_drift(const struct tutti_type *type, const struct value *planned, const struct value *observed,
    const char *what)
{
        char *drift = driver_drift(&host, type, planned, observed);
        char *name = util_format("%s %s: a plan would be empty", what, type->name);
        is_str(drift, "", name);
        free(name);
        free(drift);
}

static struct tutti_op create_begin(const char *type, const char *json)
{
        static char tokens[32][33];
        char *token = tokens[made_count];
        snprintf(token, sizeof tokens[0], "%032zx", made_count + 1);
        struct tutti_op op = begin(TUTTI_CREATE, type, token);
        op.planned = driver_object(&host, op.type, json);
        return op;
}

/* Creates an object and remembers it; the operation is to be released by the caller. */
static struct made *create_run(struct tutti_op *op)
{
        run(op, "create");
        struct made *m = &made[made_count++];
        *m = (struct made){.type = op->type->name,
            .token = op->token,
            .id = strdup(op->id ? op->id : ""),
            .planned = value_ref(op->planned),
            .observed = op->observed ? value_ref(op->observed) : value_ref(op->planned)};
        if (op->observed) no_drift(op->type, m->planned, m->observed, "create");
        return m;
}

static void read_back(struct made *m, bool by_name)
{
        struct tutti_op op = begin(TUTTI_READ, m->type, NULL);
        op.prior = value_ref(m->observed);
        op.id = strdup(m->id);
        run(&op, "read");
        if (op.observed) no_drift(op.type, m->planned, op.observed, "read");
        driver_release(&op);
        op = begin(TUTTI_IMPORT, m->type, NULL);
        op.id = strdup(m->id);
        run(&op, "import");
        driver_release(&op);
        op = begin(TUTTI_FIND, m->type, NULL);
        op.planned = value_ref(m->planned);
        if (op.type->flags & TUTTI_TYPE_FIND) {
                run(&op, "find by name");
                bool named = false;
                for (size_t p = 0; p < op.type->property_count; p++)
                        named |= strcmp(op.type->properties[p].name, "name") == 0;
                if (!named)
                        ok(op.gone, "what has no name is not found by one");
                else
                        ok(by_name ? op.id && strcmp(op.id, m->id) == 0 : op.gone, "%s",
                            by_name ? "the object" : "nothing has a name");
        }
        driver_release(&op);
}

static void update(size_t i, const char *key, const char *json)
{
        struct made *m = &made[i];
        char *problem = NULL;
        struct tutti_op op = begin(TUTTI_UPDATE, m->type, NULL);
        struct value *v = host.value_from_json(json, strlen(json), &problem);
        const char *type = "any";
        for (size_t p = 0; p < op.type->property_count; p++)
                if (strcmp(op.type->properties[p].name, key) == 0) type = op.type->properties[p].type;
        struct value *converted = host.value_convert(v, type, &problem);
        op.prior = value_ref(m->observed);
        op.planned = host.value_with(m->planned, key, converted);
        op.id = strdup(m->id);
        run(&op, "update");
        if (op.observed) no_drift(op.type, op.planned, op.observed, "update");
        value_free(v), value_free(converted);
        value_free(m->planned);
        m->planned = value_ref(op.planned);
        if (op.observed) value_free(m->observed), m->observed = value_ref(op.observed);
        driver_release(&op);
}

static void delete (struct made *m)
{
        struct tutti_op op = begin(TUTTI_DELETE, m->type, NULL);
        op.prior = value_ref(m->observed);
        op.id = strdup(m->id);
        run(&op, "delete");
        driver_release(&op);
        op = begin(TUTTI_READ, m->type, NULL);
        op.prior = value_ref(m->observed);
        op.id = strdup(m->id);
        enum tutti_result result = driver_run(context, &op);
        ok(result == TUTTI_DONE && op.gone, "then %s is gone", m->type);
        driver_release(&op);
        free(m->id), value_free(m->planned), value_free(m->observed);
}

#endif
