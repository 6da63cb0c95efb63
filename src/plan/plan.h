/*
 * The plan: what has to happen, as one flat table of steps whose edges are indices.
 *
 * plan_build is pure: template, recorded state, what reading the clouds gave, and a time come in; a plan comes out. The same
 * input gives the same plan, so that a saved plan is its inputs plus the digest of the table that they must give again.
 *
 * Reading the clouds happens outside: plan_build lists the reads it would need (lookups whose properties are known, and
 * the refresh of recorded resources); the caller performs them, puts the answers into the world and builds again, until nothing
 * is wanted. The executor evaluates what was unknown with plan_resolve, by the same evaluator, as results come in.
 */
#ifndef TUTTI_PLAN_PLAN_H
#define TUTTI_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/map.h"
#include "lang/files.h"
#include "lang/value.h"
#include "state/store.h"
#include "template/template.h"

/* Recorded state, decoded. Owned by whoever loaded it; plan borrows. */
struct recorded {
        const char *address, *deposed; /* deposed "" for the current object */
        const char *type, *provider, *id, *private_, *token;
        struct value *properties, *outputs; /* objects */
        struct value *host;                 /* or NULL */
        struct value *account;              /* where it was made (account.h); NULL: not known */
        const char *const *after;
        size_t after_count, inherited_count; /* the last so many: because what was between them is gone */
        bool protect, keep;
        bool tainted; /* made but broken: plan a replacement, reason "its creation failed" */
        int64_t created_ms, updated_ms;
        const struct open_operation *open; /* not recorded, but possibly there: see struct open_operation */
};
/*
 * An action of an earlier run of which nobody knows yet what became of it. Of a creation there may be an object, so it is kept like one: a
 * plan either wants the very same creation, and continues it, or removes what it may have made. An update is continued, or gives way
 * to what is wanted now; so does a deletion.
 */
struct open_operation {
        const struct operation_row *row; /* lives as long as the state */
        bool creates;
        struct value *planned, *host; /* decoded; or NULL */
        struct recorded object;       /* creations: what there may be; its id is "" while it is not known */
        const struct open_operation *next; /* of the same address */
};
struct state {
        char *environment, *lineage;
        int64_t serial;
        struct recorded *resources; /* sorted by address, then deposed */
        size_t count;
        struct value *outputs;     /* an object, or NULL */
        struct map by_address;     /* address → struct recorded *, current objects only */
        struct resource_row *rows; /* what the strings are borrowed from */
        size_t row_count;
        struct open_operation *open; /* in the order in which they began */
        size_t open_count;
        struct map open_by_address; /* address → struct open_operation *, the first of them */
        struct operation_row *operations;
        size_t operation_count;
};
/* Decodes rows (which it takes over). `sealer` opens sealed values. */
int state_decode(const struct environment_row *env, struct resource_row *steal_rows, size_t count,
    const char *outputs, const struct sealer *sealer, struct state **ret, struct error **err);
/* -1 with the reason: nothing is recorded at the address, but something may be open there. */
int state_refuse_missing(const struct state *state, const char *address, struct error **err);
/* Takes over the rows of open operations, once; on failure nothing of them is in the state. */
int state_add_operations(struct state *state, struct operation_row *steal_rows, size_t count,
    const struct sealer *sealer, struct error **err);
/* The index of the first recorded object whose address is not before `address`; `count` where there is none. O(log n). */
size_t state_first_at(const struct state *state, const char *address);
void state_free(struct state *state);
CLEANUP(struct state *, state_free);
/* What a current object is recorded as, beside its address, once it is set aside (`deposed`). */
const char *recorded_key_aside(const struct recorded *r);

/* What reading the clouds, and files, gave. Keys are addresses; lookups are "lookup.NAME" with the nested path before: "net/lookup.image". Of
 * what was set aside they are as world_key says. */
struct observation {
        bool gone;              /* refresh only: the object no longer exists */
        struct value *observed; /* an object of properties and outputs; NULL when gone */
        char *private_;         /* or NULL */
};
struct world {
        struct map observations; /* address → struct observation * */
        int64_t time_ms;         /* plantimestamp() */
        struct files *files;     /* what expressions learnt of files; they add to it */
};
/* `files`: what is known of files, of which the world takes a reference; NULL: nothing yet. */
struct world *world_new(int64_t time_ms, struct files *files);
void world_put(struct world *world, const char *address, struct value *steal_observed_or_null,
    const char *private_or_null);
const struct observation *world_get(const struct world *world, const char *address);
/* The key of what was seen of a recorded object: its address, or, of one that was set aside, "web[0] (set aside TOKEN)"; the caller frees. */
char *world_key(const struct recorded *recorded);
const struct observation *world_of(const struct world *world, const struct recorded *recorded);
void world_free(struct world *world);
CLEANUP(struct world *, world_free);

enum plan_mode {
        PLAN_APPLY,
        PLAN_DESTROY,
        PLAN_DRIFT
}; /* DRIFT: only what differs between record and world */

/*
 * The way back to the state after an earlier run. The environment is that of its time; only what is named here is brought to what
 * it says, or taken away, and of the rest what stands on something that is made anew. Everything else stays as it is recorded,
 * whether the environment describes it or not.
 */
enum back_outputs {
        OUTPUTS_STAY,      /* as recorded */
        OUTPUTS_DESCRIBED, /* as the environment says */
        OUTPUTS_NONE,
};
struct way_back {
        const char *run;    /* the state after this run; NULL: before the first one */
        const char *undoes; /* the run that failed and asked for it; NULL: a person asked */
        const char *base;   /* the run whose plan describes that state; NULL: nothing has to be described */
        const char *const *returning; /* existed then and was touched since: as the environment says */
        size_t returning_count;
        const char *const *absent; /* did not exist then: what is recorded of it is deleted */
        size_t absent_count;
        const char *const
            *released; /* was not recorded then, but was there: it leaves the record, and is left alone */
        size_t released_count;
        /*
         * Where nobody has asked for it but the run that failed: the addresses at which that run made something, and when it began (wall
         * clock). What is recorded at one of them and is younger is of its making, and may go. Anything else goes only if somebody says
         * so: a gate, "rollback:RUN", stands before it. since_ms 0: there is no such limit, as a person sees the plan first.
         */
        const char *const *made;
        size_t made_count;
        int64_t since_ms;
        enum back_outputs outputs;
};

/* Who serves something: a provider as it is configured where that stands. Strings and values are borrowed from the plan. */
struct provider_use {
        const char *address;                /* of what is served */
        const char *name;                   /* of the block; NULL: none is named */
        const struct provider_block *block; /* at the root, or of a nested template; NULL: none is written */
        const struct value *config;         /* an object as far as known; NULL: none is written */
        const struct recorded *recorded; /* whose account it must have; NULL: nothing is recorded of that */
        bool accepted;                   /* ...unless this says that another one is right */
};

struct plan_input {
        const struct environment *env;
        const struct state *state;
        const struct world *world;
        const struct schema_source *schemas;
        enum plan_mode mode;
        bool refresh; /* list recorded resources that the world has no observation of as wanted */
        const char *const *targets; /* addresses; with what they depend on; none: all */
        size_t target_count;
        const char *const *excludes; /* with what depends on them */
        size_t exclude_count;
        /* A provider's own planning, where a schema says `plans`; may be NULL. As provider.h's plan; with its configuration. */
        int (*provider_plan)(void *context, const struct provider_use *use, const struct schema *schema,
            const struct value *prior, const struct value *proposed, struct value **planned,
            const char *const **replace, size_t *replace_count, char **private_, struct error **err);
        void *provider_context;
        /* Estimates: typical seconds of an action on a type; 0 unknown. May be NULL. */
        double (*duration)(void *context, const char *type, const char *action);
        /* How many operations a provider does at once; 0: no limit. May be NULL. */
        unsigned (*parallel)(void *context, const struct provider_block *block, const struct schema *schema);
        void *duration_context; /* of both */
        bool allow_outside;     /* file functions may leave the project's folder */
        /* Blocks that somebody said to be the right ones for what is recorded with another account. */
        const char *const *accepted;
        size_t accepted_count;
        /* The environment as it stands, where `env` is one from before: its blocks serve what they fit better; or NULL. */
        const struct plan *present;
        bool unchecked;              /* whether a record has its account still is not looked at */
        const struct way_back *back; /* PLAN_APPLY: only the way back to an earlier state; or NULL */
};

enum action {
        ACTION_JOIN, /* no action: "all of these", so that edges stay linear; not shown */
        ACTION_CREATE,
        ACTION_UPDATE,
        ACTION_REPLACE,        /* the creating half */
        ACTION_REPLACE_DELETE, /* the deleting half */
        ACTION_DELETE,
        ACTION_FORGET, /* leaves the record only */
        ACTION_READ,   /* a lookup that could not be read before */
        ACTION_GATE,
        ACTION_ADOPT,   /* create, after looking whether the object exists already */
        ACTION_RESTORE, /* an object that was set aside is the current one again, and that one is set aside */
};
const char *action_name(
    enum action action); /* as in the JSON: "create", "update", "replace", "replace-delete", … */

struct change {
        const char *path;           /* "cidr_block", "rules[0].port" */
        const struct value *before; /* NULL: absent */
        const struct value *after;  /* NULL: absent; may be unknown */
        bool sensitive, forces_replace;
        bool drift; /* before is what the world has, and the record said otherwise */
};

struct step {
        uint32_t index;
        enum action action;
        const char *
            address; /* of the instance, of the gate ("go-live"), or for `approve:` the resource's with gate = true */
        const char *deposed;               /* "" unless this deletes a deposed object, or takes it back */
        const char *type;                  /* "aws.ec2.vpc", "gate", "lookup" types likewise */
        const char *provider;              /* name of the configured provider, or NULL */
        const struct schema *schema;       /* NULL for gates and joins */
        const struct resource *resource;   /* NULL when it left the template */
        const struct recorded *recorded;   /* NULL if there is no record */
        const struct open_operation *open; /* the earlier action that this step continues or ends; or NULL */
        const struct value *prior; /* record updated by refresh: object of properties and outputs; or NULL */
        const struct value *planned; /* object of properties, may hold unknowns; NULL for deletes and gates */
        const struct value *host;    /* may hold unknowns, or NULL */
        const char *private_;
        struct change *changes;
        size_t change_count;
        const uint32_t *after; /* steps that must be done first */
        size_t after_count;
        const char **depends; /* addresses it depends on, as recorded for deletion order */
        size_t depends_count, inherited_count;
        const struct approval *approval; /* gates */
        const char *
            gate; /* gates: its name; for a step that an `approve:` gate guards: that gate's name; else NULL */
        bool
            create_first; /* REPLACE and REPLACE_DELETE: the new one is made first; may follow from what depends on it */
        /*
         * REPLACE, its other half, and its gate: whether the values that need a new object differ is known only when the step's turn comes. A JOIN
         * with it is that moment: plan_decide then says so. `spared`: why nothing is to be done then, for people; `refused`: why it must not.
         */
        bool unsure;
        const char *spared, *refused;
        bool protect; /* as `protect` says of it now, for the record */
        const char *
            reason; /* for people: "not in the template any more", "was deleted outside", "image changed"; or NULL */
        double seconds;   /* estimate of its own duration */
        double share;     /* of that, over what its provider does at once; 0: no limit */
        uint32_t next;    /* the step that follows on the longest path; UINT32_MAX: none */
        double remaining; /* longest path from its start to the end of the plan, in seconds; the priority */
        const char *recovery_of;  /* runs only when this address fails; NULL: a normal step */
        const uint32_t *recovery; /* the steps that run, in this order, when this one fails */
        size_t recovery_count;
        const char *account; /* of who serves it: where the object is or will be, as far as known; or NULL */
        const struct server *server; /* the planner's */
        void *instance;              /* the planner's */
};

struct wanted {              /* a read that plan_build would like to have in the world */
        const char *address; /* or the world_key of what was set aside */
        const struct schema *schema;
        struct provider_use use;         /* its configuration is wholly known */
        const struct value *properties;  /* lookup: its properties, wholly known; NULL for a refresh */
        const struct recorded *recorded; /* refresh; NULL for a lookup */
        const struct value *prior;       /* refresh: record's properties and outputs in one object */
};

struct deferred {
        const char *address, *reason; /* "count is known only after network[0] was created" */
        const void *node;             /* the planner's */
};

/*
 * A resource that is kept as it is, but of which other things are to be recorded from now on: what it depends on, `protect`, `keep`.
 * No step: whoever runs the plan writes these into the record when it is over.
 */
struct record_change {
        const struct recorded *recorded;
        const char **depends;
        size_t depends_count, inherited_count;
        bool protect, keep;
        const struct value *host; /* the same host by another address, user or key; NULL: as recorded */
        const struct value *seen; /* properties and outputs as they were read; NULL: as recorded */
        const char *provider;     /* its block has another name now; NULL: as recorded */
        const char *account;      /* ...is known for the first time, or was accepted; NULL: as recorded */
        bool moved;               /* the account is another than the recorded one */
};
/* `protect`, `keep`, the provider or a known account changes: worth a run by itself. What it depends on, its host, and an account that is known for the
 * first time, are worth none: apply records them all the same. */
bool record_change_matters(const struct record_change *change);
/* The properties and outputs to record where `seen` is not NULL; new references. */
void record_change_values(const struct record_change *change, const struct schema *schema,
    struct value **properties, struct value **outputs);

/* The reason of a step in a drift plan that no apply undoes, as nothing in the template says otherwise: it records what is there. */
#define DRIFT_ACCEPTED "was changed outside; the template does not say otherwise"

/*
 * What is to be recorded of a resource that stays as what it comes after. Written before the first step of a run: nothing leaves the record
 * before those that came after it have inherited its order.
 */
struct record_order {
        const struct recorded *recorded;
        const char **after;
        size_t count, inherited_count; /* the last so many are inherited */
};

struct plan_summary {
        size_t create, update, replace, restore, delete_, keep, gates, deferred, forget, read;
        size_t left_out;       /* by targets or excludes: resources that there is something to do about */
        size_t replace_delete; /* of a run: deleted to be replaced, and not replaced */
};

struct plan {
        struct arena *arena;
        const struct plan_input *input; /* borrowed: outlives the plan */
        struct step *steps;             /* in an order that respects every edge */
        size_t count;
        struct wanted *wanted;
        size_t wanted_count;
        struct deferred *deferred;
        size_t deferred_count;
        struct record_change *record_changes;
        size_t record_change_count;
        const struct open_operation *
            *obsolete; /* open operations that there is nothing to do about any more */
        size_t obsolete_count;
        struct record_order *orders;
        size_t order_count;
        struct plan_summary summary;
        const struct value *outputs; /* as far as known */
        bool outputs_change;         /* planned outputs differ from the recorded ones */
        double
            seconds; /* estimate of the whole: the longest path, or the work of a provider over what it does at once */
        const char **critical_path; /* addresses */
        size_t critical_count;
        unsigned char digest[32];      /* over steps: address, action, planned values, edges, gates */
        struct evaluation *evaluation; /* the planner's */
};

/* The property that an update changes in a way that could not be taken back in place, or NULL: a rollback would replace the object. */
const char *step_one_way(const struct step *step);

/* Builds a plan. On failure *ret is NULL and *err holds every problem. Cost: O((V + E) log V). */
int plan_build(const struct plan_input *input, struct plan **ret, struct error **err);
void plan_free(struct plan *plan);
CLEANUP(struct plan *, plan_free);
bool plan_is_empty(const struct plan *plan); /* nothing to do and outputs stay: "no changes" */

/* While running. Not thread-safe; all on the engine's thread. */

/*
 * The final properties (and host) of a step, evaluated with the results that came in so far; new references. ERROR_CONFLICT when they
 * deviate from what was planned: a planned known value differs, or a property that forces a replacement would change.
 * ERROR_INPUT when evaluation fails or something is still unknown.
 */
int plan_resolve(struct plan *plan, const struct step *step, struct value **properties, struct value **host,
    struct error **err);
/*
 * Decides on a replacement that is `unsure`, with what is known now: it happens as planned, or what is there can be changed in place (the
 * step becomes an update), or is as wanted, so that it is kept. Done once; `step` is any of its steps. Before its deletion or creation begins.
 */
void plan_decide(struct plan *plan, const struct step *step);
/* Why the gate before such a replacement need not be asked, or NULL. */
const char *plan_gate_spared(struct plan *plan, const struct step *gate);
/* It has begun as planned: nothing is decided any more. */
void plan_begun(struct plan *plan, const struct step *step);
/* Whether the template leaves a property of an update's step to the provider: it gives none, or null. False where nothing says so. */
bool plan_leaves(struct plan *plan, const struct step *step, const char *property);
/* Whether what `step` continues would come to what the step wants, whose final properties these are. */
bool plan_wants_open(const struct step *step, const struct value *properties);
/*
 * What is wanted, now that all is known, beside what the creation that `step` continues makes: the same, something that it can be changed
 * into, or another one. What the template ignores counts for nothing.
 */
enum open_difference { OPEN_SAME, OPEN_CHANGES, OPEN_REPLACES };
enum open_difference plan_open_difference(const struct step *step, const struct value *properties);
/* Who serves a step: the provider of its name, configured where it stands or around that; its configuration as far as it is known now, borrowed
 * until more becomes known. */
int plan_provider(struct plan *plan, const struct step *step, struct provider_use *use, struct error **err);
/* A gate's message and approvers with what is known now; new references, message may be NULL. */
int plan_gate_text(
    struct plan *plan, const struct step *step, char **message, struct value **approvers, struct error **err);
/* Tells the evaluator what a step gave: object of properties and outputs. NULL: the instance is gone. */
void plan_set_result(struct plan *plan, const struct step *step, const struct value *attributes);
/* What recovery steps see as `failure` from now on. */
void plan_set_failure(struct plan *plan, const char *address, const char *message);
/* All outputs with what is known now: an object; parts that depend on steps that failed stay unknown. New reference. */
struct value *plan_outputs(struct plan *plan, struct error **err);

/* The saved form: JSON (see docs/plan.md). Sensitive values sealed; `sealer` must not be NULL. */
int plan_write(const struct plan *plan, const struct sealer *sealer, struct text *out, struct error **err);
/* The object that `tutti plan --json` prints; sensitive values masked. */
int plan_json(const struct plan *plan, struct text *out, struct error **err);
/* What a saved plan holds: everything needed to build it again, and the digest it must give. */
struct saved_plan {
        char *environment, *file, *lineage;
        int64_t serial;
        enum plan_mode mode;
        bool refresh;
        unsigned char digest[32];
        struct source *sources;
        size_t source_count;
        struct value *parameters;
        struct world *world;
        char **targets, **excludes, **accepted;
        size_t target_count, exclude_count, accepted_count;
        struct way_back *back; /* or NULL */
        struct arena *arena;
};
/* Where a saved plan comes from: a file, which anybody may have written, so that the store's key has to prove its digest; or the record of a
 * run, which the key proves as a whole before it is read (run/proof.h). */
enum saved_from { SAVED_FILE, SAVED_RECORD };
/* ERROR_INPUT when it is none, or not proved. */
int saved_plan_read(const char *json, size_t len, enum saved_from from, const struct sealer *sealer,
    struct saved_plan **ret, struct error **err);
void saved_plan_free(struct saved_plan *saved);
CLEANUP(struct saved_plan *, saved_plan_free);

#endif
