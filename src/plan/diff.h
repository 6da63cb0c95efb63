/*
 * Comparing: what a resource is, what the template wants it to be, and which leaves differ.
 *
 * An object of properties and outputs is made by the schema: every property and output is in it, converted to its type, marked
 * where the schema says so. Properties that are not configured keep what the provider computed, or take their default, or are null.
 */
#ifndef TUTTI_PLAN_DIFF_H
#define TUTTI_PLAN_DIFF_H

#include "plan/plan.h"

/* Record and observation (may be NULL) in one object of properties and outputs; new reference. */
struct value *diff_prior(
    const struct schema *schema, const struct recorded *recorded, const struct value *observed);

/*
 * What the template wants: an object of properties, with unknowns where a value is known only later. `prior` NULL for something
 * that is to be created. New reference, or NULL with problems at `place`.
 */
struct value *diff_propose(const struct schema *schema, const struct value *config, const struct value *prior,
    const struct place *place, struct error **err);

/* `planned` with the properties at the paths `ignore` as they are in `prior`; new reference. */
struct value *diff_ignore(
    const struct value *planned, const struct value *prior, const char *const *ignore, size_t ignore_count);

/* Properties and outputs in one object: outputs from `outputs` (may be NULL) where `keep_all` or they never change; else unknown. */
struct value *diff_attributes(
    const struct schema *schema, const struct value *planned, const struct value *outputs, bool keep_all);

/* The properties that `given` has, converted and marked by the schema; the others as they are in `fallback`. New reference. */
struct value *diff_adapt(
    const struct schema *schema, const struct value *given, const struct value *fallback);

/* Whether two values of a property say the same. */
bool diff_same(const struct property *property, const struct value *a, const struct value *b);

/* Whether a property that goes from `before` to another value `after` forces a replacement. */
bool diff_replaces(const struct property *property, const struct value *before, const struct value *after);

/* The leaves that differ; in the arena. `prior` NULL: a creation, one change for each property with a value in `config`. */
struct change *diff_changes(struct arena *arena, const struct schema *schema, const struct value *prior,
    const struct value *planned, const struct value *recorded, size_t *count);

/* Whether `final` is what `planned` said it would be, as far as it said so. */
bool diff_refines(const struct value *planned, const struct value *final);

#endif
