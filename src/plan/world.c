/* What reading the clouds gave, by address. */
#include "plan/plan.h"

struct world *world_new(int64_t time_ms, struct files *files)
{
        struct world *world = mem_alloc(sizeof *world);
        world->time_ms = time_ms;
        world->files = files != NULL ? files_ref(files) : files_new();
        return world;
}

static void observation_free(struct observation *observation)
{
        if (observation == NULL) return;
        value_free(observation->observed);
        free(observation->private_);
        free(observation);
}

void world_put(struct world *world, const char *address, struct value *steal_observed_or_null,
    const char *private_or_null)
{
        struct observation *observation = mem_alloc(sizeof *observation);
        observation->gone = steal_observed_or_null == NULL;
        observation->observed = steal_observed_or_null;
        observation->private_ = mem_strdup(private_or_null);
        observation_free(map_put_copy(&world->observations, address, observation));
}

const struct observation *world_get(const struct world *world, const char *address)
{
        return map_get(&world->observations, address);
}

char *world_key(const struct recorded *r)
{
        if (r->deposed[0] == '\0') return mem_strdup(r->address);
        return mem_printf(
            "%s (set aside %s)", r->address, r->deposed); /* no address has a blank behind a key */
}

const struct observation *world_of(const struct world *world, const struct recorded *r)
{
        cleanup_free char *key = world_key(r);
        return world_get(world, key);
}

void world_free(struct world *world)
{
        if (world == NULL) return;
        for (map_foreach (&world->observations, entry)) observation_free(entry->value);
        map_release(&world->observations);
        files_free(world->files);
        free(world);
}
