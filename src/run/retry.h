/* How long to wait before an attempt is made again: exponential backoff with jitter. */
#ifndef TUTTI_RUN_RETRY_H
#define TUTTI_RUN_RETRY_H

#include <stdint.h>
#include "template/template.h"

enum {
        RETRY_ATTEMPTS = 5,       /* in a row, when the template does not say */
        RETRY_ATTEMPTS_BUSY = 10, /* for what is in use or in transition */
};

/*
 * Milliseconds before the attempt after `failed` failures in a row (from 1): backoff × 2^(failed-1), at most max, of which a random
 * half to whole is taken so that many do not return together; never less than `retry_after_ms`, which the cloud asked for.
 */
int64_t retry_wait_ms(const struct retry_policy *policy, unsigned failed, int64_t retry_after_ms);

#endif
