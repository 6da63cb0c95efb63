/* A plan as JSON, for plan_file.c as well. Internal to plan/. */
#ifndef TUTTI_PLAN_PLAN_JSON_H
#define TUTTI_PLAN_PLAN_JSON_H

#include "plan/plan.h"

/* As plan_json, with sensitive values sealed; masked when `sealer` is NULL. */
int plan_json_sealed(
    const struct plan *plan, const struct sealer *sealer, struct text *out, struct error **err);

#endif
