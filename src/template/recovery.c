/*
 * Recovery steps: the resources that `on_failure: {run: [names]}` names. They are no part of the normal order, so nothing else may
 * refer to them, and the keys that say when or whether a resource is made have no meaning on them.
 */
#include "template/loader.h"

#include <string.h>

static void refuse_key(struct loader *loader, const struct resource *r, bool given, const char *key)
{
        if (given)
                loader_problem(loader, r->place, r->name, "'%s' has no meaning on a recovery step (of %s)",
                    key, r->recovery_of->name);
}

static void check_keys(struct loader *loader, const struct resource *r)
{
        refuse_key(loader, r, r->count != NULL, "count");
        refuse_key(loader, r, r->for_each != NULL, "for_each");
        refuse_key(loader, r, r->when != NULL, "when");
        refuse_key(loader, r, r->after_count > 0, "after");
        refuse_key(loader, r, r->approve != NULL, "approve");
        refuse_key(loader, r, r->protect != NULL, "protect");
        refuse_key(loader, r, r->adopt, "adopt");
        refuse_key(loader, r, r->create_first, "replace");
        refuse_key(
            loader, r, r->recovery_count > 0 || r->on_failure != ON_FAILURE_STOP_DEPENDANTS, "on_failure");
}

static void name_one(
    struct loader *loader, const struct template *t, const struct resource *r, const char *name)
{
        struct resource *step = map_get(&t->resource_by_name, name);
        if (step == NULL)
                loader_problem(loader, r->place, r->name, "'on_failure' runs the unknown resource '%.100s'%s",
                    name, loader_suggest_map(loader, name, &t->resource_by_name));
        else if (step->kind != RESOURCE_MANAGED)
                loader_problem(loader, r->place, r->name,
                    "'on_failure' runs %s, which is a %s: only resources can be recovery steps", name,
                    step->kind == RESOURCE_GATE ? "gate" : "nested template");
        else if (step == r)
                loader_problem(loader, r->place, r->name, "'on_failure' runs the resource itself");
        else if (step->recovery_of != NULL)
                loader_problem(loader, r->place, r->name,
                    "'on_failure' runs %s, which is a recovery step of %s already", name,
                    step->recovery_of->name);
        else
                step->recovery_of = r;
}

void recovery_check(struct loader *loader, struct template *t)
{
        for (size_t i = 0; i < t->resource_count; i++) {
                const struct resource *r = &t->resources[i];
                for (size_t k = 0; k < r->recovery_count; k++) name_one(loader, t, r, r->recovery[k]);
                if (r->recovery_count > 0 && r->on_failure == ON_FAILURE_ASK)
                        loader_problem(loader, r->place, r->name,
                            "'then: ask' and 'run' exclude each other: recovery steps run when a step has "
                            "failed for "
                            "good");
        }
        for (size_t i = 0; i < t->resource_count; i++)
                if (t->resources[i].recovery_of != NULL) check_keys(loader, &t->resources[i]);
}
