/*
 * The state machine of every action: struct tutti_provider's `step`. The context is a struct rest_context.
 */
#ifndef TUTTI_REST_STEP_H
#define TUTTI_REST_STEP_H

#include "run.h"

enum tutti_result rest_step(void *context, struct tutti_op *op);

#endif
