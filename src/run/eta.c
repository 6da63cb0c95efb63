/* See eta.h. */
#include "run/eta.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"

static double elapsed(const struct eta_step *step)
{
        double seconds = step->running_ms > 0 ? (double)step->running_ms / 1000 : 0;
        return seconds < step->seconds ? seconds : step->seconds; /* one that is late is about to end */
}

/* What is left to do for each provider, over what it does at once: the longest. */
static double longest_work(const struct eta_step *steps, size_t count)
{
        struct map work = {0};
        double longest = 0;
        for (size_t i = 0; i < count; i++) {
                const struct eta_step *step = &steps[i];
                if (step->over || step->share <= 0 || step->type == NULL) continue;
                cleanup_free char *provider = mem_strndup(step->type, strcspn(step->type, "."));
                double *sum = map_get(&work, provider);
                if (sum == NULL) {
                        sum = mem_alloc(sizeof *sum);
                        map_put_copy(&work, provider, sum);
                }
                *sum += step->share * (1 - (step->seconds > 0 ? elapsed(step) / step->seconds : 0));
                if (*sum > longest) longest = *sum;
        }
        for (map_foreach (&work, e)) free(e->value);
        map_release(&work);
        return longest;
}

static void follow(const struct eta_step *steps, size_t first, struct eta *ret)
{
        size_t capacity = 0;
        const char *before = NULL; /* both halves of a replacement are one to look at */
        for (int64_t i = (int64_t)first; i >= 0; i = steps[i].next) {
                const char *address = steps[i].address;
                if (steps[i].over || address == NULL) continue;
                if (before == NULL || strcmp(before, address) != 0)
                        vec_push(ret->path, ret->path_count, capacity, address);
                before = address;
        }
}

void eta_tell(const struct eta_step *steps, size_t count, struct eta *ret)
{
        *ret = (struct eta){0};
        size_t first = count;
        for (size_t i = 0; i < count; i++) {
                if (steps[i].over) continue;
                double left = steps[i].remaining - elapsed(&steps[i]);
                if (first < count && left <= ret->seconds) continue;
                ret->seconds = left;
                first = i;
        }
        if (first < count) follow(steps, first, ret);
        double work = longest_work(steps, count);
        if (work > ret->seconds) ret->seconds = work;
}

void eta_release(struct eta *eta)
{
        free(eta->path);
        *eta = (struct eta){0};
}
