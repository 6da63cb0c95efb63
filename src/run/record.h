/*
 * What a step leaves in the store: the resource's row, its absence, how long it took. Internal to run/.
 */
#ifndef TUTTI_RUN_RECORD_H
#define TUTTI_RUN_RECORD_H

#include "run/executor_internal.h"

/* A value as the store keeps it, in `arena`: encoded, secrets sealed. NULL with an error only when sealing fails. */
const char *record_text(
    const struct value *v, const struct sealer *sealer, struct arena *arena, struct error **err);

/*
 * Splits what the provider observed by the schema. Properties: the planned value, or the observed one where the plan left it to the
 * provider. Outputs: observed, converted, sensitive where the schema says so; missing ones are null. New references.
 */
int record_split(const struct schema *schema, const struct value *planned, const struct value *observed,
    const char *id, struct value **properties, struct value **outputs, struct error **err);

/* Writes the row of a finished create, update, replace or adopt, and tells the plan; for a lookup, tells the plan only. *attributes: its
 * properties and outputs in one object; a new reference. */
int record_result(struct step_run *r, const struct operation_outcome *outcome, struct value **attributes,
    struct error **err);
/* The object exists but is not as wanted: the row is marked, so that the next plan replaces it. */
void record_tainted(struct step_run *r, const struct operation_outcome *outcome);
void record_gone(struct step_run *r);
/* It is as it was: what else is to be recorded of it from now on (what it depends on, `protect`, `keep`) is written if that differs. */
int record_kept(struct step_run *r, struct error **err);
/* The current object, if there is one, is set aside, and the one that had been is the current one. */
int record_restored(struct step_run *r, struct error **err);
void record_duration(struct step_run *r, int64_t elapsed_ms);

#endif
