/* Exponential backoff with jitter; see retry.h. */
#include "run/retry.h"

#include <sys/random.h>

enum { BACKOFF_MS = 1000, BACKOFF_MAX_MS = 30000 };

int64_t retry_wait_ms(const struct retry_policy *policy, unsigned failed, int64_t retry_after_ms)
{
        int64_t wait = policy->backoff_ms ? policy->backoff_ms : BACKOFF_MS;
        int64_t max = policy->max_ms ? policy->max_ms : BACKOFF_MAX_MS;
        for (unsigned i = 1; i < failed && wait < max; i++) wait *= 2;
        if (wait > max) wait = max;
        uint32_t random = 0;
        if (getrandom(&random, sizeof random, 0) < 0) random = 0;
        wait = wait / 2 + (int64_t)((double)wait / 2 * random / UINT32_MAX);
        return wait > retry_after_ms ? wait : retry_after_ms;
}
