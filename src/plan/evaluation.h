/*
 * The planner's view of an environment: its templates instantiated, every value as far as it is known, and who used whom.
 * Internal to plan/.
 *
 * Everything that others can depend on begins with a struct node. While expressions are evaluated, the resolver notes each node
 * that it hands a value of ("touches" it); these notes become the node's dependencies, and later edges. So an edge goes to the very
 * instance that was used, and what stands for many (a local, all instances of a resource) is one node between them, which keeps
 * the number of edges linear. Nodes are listed in the order in which they were evaluated: dependencies come first.
 *
 * A cell is a node with a value that follows from others: a local, a parameter of a nested template, an output, … While the
 * plan is made each is evaluated once, in order. While it runs, those that were not wholly known are evaluated anew when asked for.
 */
#ifndef TUTTI_PLAN_EVALUATION_H
#define TUTTI_PLAN_EVALUATION_H

#include "plan/blueprint.h"
#include "plan/plan.h"

#define STEP_NONE UINT32_MAX

enum node_kind {
        NODE_ENTRY,     /* what all of a resource's instances wait for: `after`, its count, its provider */
        NODE_CELL,      /* a struct cell */
        NODE_INSTANCE,  /* a struct instance */
        NODE_EXPANSION, /* all instances of a resource */
        NODE_MEMBERS,   /* everything in an instance of a nested template */
        NODE_OUTPUTS,   /* all outputs of an instance of a nested template */
};

struct node {
        uint8_t kind;
        bool deferred; /* not planned in this round */
        bool pending;  /* changes when this plan runs, or stands for something that does */
        bool anew;     /* is made anew by this plan, or stands for something that is */
        bool carried;  /* something that acts depends on it */
        bool left_out; /* by targets or excludes */
        bool chosen;   /* by targets */
        bool excluded; /* or stands on what is */
        bool gated;    /* is an approval gate, or stands for one among others */
        bool holds;    /* an object is it, or in it */
        bool first;    /* something that is replaced create-first needs it to be replaced create-first too */
        uint32_t stamp;
        bool remade;   /* its old object goes before there is a new one, for certain; or it stands for such */
        uint32_t step; /* the step that stands for it, or STEP_NONE */
        uint32_t
            known; /* the step after which its values are known, or are known to be others; as a rule the same */
        uint32_t dep_count;
        struct node **deps;
        struct node **roots; /* instances and resources behind it, for `depends`; filled in on demand */
        uint32_t root_count;
        uint32_t visit;
};

enum cell_kind { CELL_PARAM, CELL_LOCAL, CELL_PROVIDER, CELL_EACH, CELL_OUTPUT };

struct cell {
        struct node node;
        enum cell_kind kind;
        struct module *module;   /* the one it belongs to */
        const struct expr *expr; /* evaluated in `module`; a parameter in the module around it */
        const struct uses *uses; /* or NULL */
        union {
                const struct parameter *parameter;
                const struct provider_block *provider;
                const struct output_block *output;
                const struct local_block *local;
                const struct expansion *expansion; /* CELL_EACH */
        };
        struct value *value; /* NULL until evaluated */
        uint32_t epoch;      /* when */
};

enum shape { SHAPE_LONE, SHAPE_COUNTED, SHAPE_KEYED };

/* A resource, lookup, gate or nested template of one module, and its instances. */
struct expansion {
        struct node node;
        struct node entry;
        struct module *module;
        const struct resource *resource;
        const struct resource_uses *uses;
        const char *address; /* bare */
        enum shape shape;
        bool expanded;
        struct instance *instances;
        uint32_t count;
        struct map by_key;              /* SHAPE_KEYED: key → struct instance * */
        struct cell *each;              /* for_each over a value, or NULL */
        const struct expansion *source; /* for_each over another resource, or NULL */
        struct value *aggregate;        /* all instances in one value */
        uint32_t aggregate_epoch;
        uint32_t touches, touch_round; /* how often an instance was handed out in this evaluation */
        struct cell *provider;         /* the configuration of who serves it; NULL: none is given */
};

struct instance {
        struct node node;
        struct expansion *expansion;
        const char *address;
        const struct value *key; /* NULL for a lone one; a number or a string */
        uint32_t index;
        struct module *nested;    /* RESOURCE_TEMPLATE */
        struct value *attributes; /* owned; properties and outputs as far as known */
        const struct recorded
            *recorded; /* what the action is about: the current object, or the one that is taken back */
        const struct recorded *unwanted; /* way back: recorded, but did not exist then; `recorded` is NULL */
        const struct open_operation *open; /* the earlier operation that its action continues */
        const struct recorded *aside; /* RESTORE: the current object, which gives way; NULL: there is none */
        struct value *prior;          /* properties and outputs before; NULL: does not exist */
        struct value *planned, *host;
        char *private_; /* malloc'ed, from the provider's own planning */
        struct change *changes;
        uint32_t change_count;
        bool acts;                 /* has a step of `action`; for gates and lookups: would have one */
        bool gone;                 /* was deleted outside */
        bool host_anew, host_gone; /* what gives its host is made anew, or was deleted outside */
        bool kept;                 /* compared, and found to be as it should be */
        bool unsure;               /* REPLACE only if values that are not known yet differ */
        bool decided;              /* ...which was found out */
        bool refused;              /* ...and must not be */
        bool standby; /* a recovery step: `action` is what it does when it has to; `acts` is false */
        bool protect;
        bool create_first;
        uint32_t half; /* the deleting step of a replacement, or STEP_NONE */
        bool failed;   /* could not be evaluated; a problem was reported */
        enum action action;
        const char *reason;
};

/* An instance of a template: the root, or one of a nested template. */
struct module {
        struct module *parent;
        struct instance *instance; /* in `parent`; NULL for the root */
        const struct blueprint *blueprint;
        const char *prefix; /* "", "network/", `network["a"]/` */
        unsigned depth;
        struct node members, outputs_node;
        struct cell *params, *locals, *providers, *outputs;
        struct expansion *lookups, *resources;
        size_t param_count, local_count, provider_count, output_count, lookup_count, resource_count;
        const struct value *fixed; /* the root's parameters */
        struct value *attributes;  /* the outputs in one object */
        uint32_t attributes_epoch;
        bool given_checked; /* the names of its parameters, where an expression gives them */
};

struct evaluation {
        struct arena *arena;
        const struct plan_input *input;
        struct blueprints blueprints;
        struct module *root;
        struct map modules;       /* prefix → struct module * */
        struct map deferred_bare; /* bare addresses whose instances are not known in this round → reason */
        struct node **nodes;      /* dependencies first */
        size_t node_count, node_capacity;
        struct value *unknown; /* dynamic */
        struct value **owned;  /* dropped with the evaluation */
        size_t owned_count, owned_capacity;
        struct module **module_list;
        size_t module_count, module_capacity;
        bool running;  /* the plan is made: values change by results */
        bool deviated; /* a result is not what was foretold: an update changed what is computed besides */
        bool anew;     /* what was known is evaluated once more, too */
        uint32_t epoch;
        /* the notes of the evaluation that goes on */
        bool noting;
        uint32_t stamp, round;
        struct node **touched;
        size_t touched_count, touched_capacity;
        uint32_t visit;
        struct wanted *wanted;
        size_t wanted_count, wanted_capacity;
        struct deferred *deferred;
        size_t deferred_count, deferred_capacity;
        size_t instance_total, keep_count, left_out_count;
        struct map returning, absent,
            released;    /* rollback: addresses; `absent` holds those that are released too */
        struct map made; /* rollback: where the run that is undone made something */
        struct text
            losses; /* rollback: what it would delete or replace that this run did not make, for people */
        size_t loss_count;
        struct map concerned; /* way back: what covers an address that is to return or to stay */
        struct map servers;   /* server.c: those that were looked at */
        const struct server *last_server;
        const struct server *
            *record_servers, /* ...and of each record, by its index; NULL until they were found */
            **open_servers;  /* ...and of what each open creation may have made */
        struct map refusals; /* address of what turned out to be replaced and must not be → why */
        size_t root_budget;
        struct inheritance *inheritance;               /* inherit.c; NULL until asked for */
        const char *failure_address, *failure_message; /* while recovery steps run; in the arena */
        struct arena *scratch;                         /* for addresses in messages while it runs */
};

struct evaluation *evaluation_new(struct arena *arena, const struct plan_input *input);
void evaluation_free(struct evaluation *ev);
/* Has the value dropped with the evaluation; gives it back as borrowed. */
struct value *evaluation_own(struct evaluation *ev, struct value *steal);

/* Noting what evaluations touch. note_end copies the notes into `node` and makes it known; later nodes may depend on it. */
void note_begin(struct evaluation *ev);
void note(struct evaluation *ev, struct node *node);
void note_end(struct evaluation *ev, struct node *node);
/* Makes a node known with the dependencies that it has already. */
void node_add(struct evaluation *ev, struct node *node);
/* The address of an instance or resource behind a node for which `test` holds, or NULL: whom to name in a reason. Looks at a
 * bounded number, and not behind an instance: what it gives is its own doing. */
const char *node_culprit(const struct node *node, bool (*test)(const struct node *));
/* The output of that name, or all of them. */
struct node *output_node(struct module *m, const char *name);

/*
 * Evaluates in the scope of a module and, unless NULL, of one of its instances. While the plan is made and the result is not wholly
 * known, also notes what the expression refers to without having been evaluated. New reference, or NULL with problems at `address`.
 */
struct value *evaluate(struct evaluation *ev, struct module *module, struct instance *instance,
    const struct expr *expr, const struct uses *uses, const char *address, struct error **err);

/* The value of a cell as of now; borrowed; never NULL (unknown when it cannot be evaluated). Problems go into *err. */
const struct value *cell_value(struct evaluation *ev, struct cell *cell, struct error **err);
/* The attributes of an instance as of now; borrowed. */
const struct value *instance_value(struct evaluation *ev, struct instance *instance, struct error **err);

/* The resolver of expr.h's scope over a struct frame; names for suggestions. */
struct frame {
        struct evaluation *ev;
        struct module *module;
        struct instance *instance;
};
struct value *frame_resolve(void *context, const char *root, const struct value *key, const char *next,
    int *consumed, struct error **err);
void frame_names(void *context, void (*each)(void *sink, const char *name), void *sink);
struct instance *expansion_find(const struct expansion *x, const struct value *key, const char *name);
/* The configuration cell of a provider by name as seen from a module: its own, or that of a module around it; NULL. */
struct cell *module_provider(struct module *module, const char *name);
/* What such a cell (NULL: there is none) says of who serves `address`; its value is left out. */
struct provider_use provider_use_of(const struct cell *cell, const char *address, const char *name);
struct cell *step_provider(
    const struct plan *plan, const struct step *step); /* resolve.c: of a step; or NULL */
/* The module that an address stands in, or the nearest one around it that exists. */
struct module *module_of_address(struct evaluation *ev, const char *address);

/* Instantiates the root template and all nested ones, evaluates everything and decides on every instance. */
int instances_expand(struct evaluation *ev, struct error **err);

/* roots.c: the addresses that an instance depends on, for the record; in the arena. */
int roots_collect(struct evaluation *ev, struct error **err);
const char **instance_depends(struct evaluation *ev, const struct instance *instance, size_t *count);

/* inherit.c: the same, and behind them what it comes after because something in between is gone; in the arena. */
const char **instance_order(
    struct evaluation *ev, const struct instance *instance, size_t *count, size_t *inherited_count);
/* What a recorded resource inherits whose own order is `own`; in the arena. */
const char **inherited_order(
    struct evaluation *ev, const struct recorded *r, const char *const *own, size_t own_count, size_t *count);
bool inheritance_any(struct evaluation *ev); /* whether something recorded left the template */
bool inheritance_has_left(struct evaluation *ev, const struct recorded *r);
void inheritance_release(struct evaluation *ev);

/* annotate.c: kept resources of which the record says something else than the template now. */
void annotate_build(struct evaluation *ev, struct plan *plan);

/* policy.c: what is left out, which gates and reads are worth it, which order of replacement follows from others. */
int policy_apply(struct evaluation *ev, struct error **err);

/* back.c: the way back to an earlier state. */
enum back_role {
        BACK_DECIDES, /* compare with the template as ever */
        BACK_STAYS,   /* as recorded, unless it must follow */
        BACK_ABSENT,  /* is not there, and is not made */
};
void back_index(struct evaluation *ev);
enum back_role back_role(const struct evaluation *ev, const struct instance *i);
bool back_is_absent(const struct evaluation *ev, const char *address);
/* Whether taking this object away loses something that the run which is undone did not make. */
bool back_loses(const struct evaluation *ev, const struct recorded *r);
/* Set aside before that run, by a replacement that was left unfinished: it was there then, and stays. */
bool back_leaves_aside(const struct evaluation *ev, const struct recorded *r);
void back_note_loss(struct evaluation *ev, const struct recorded *r, const char *reason);
/* What to ask about all that was noted; in the arena. */
const char *back_losses_question(struct evaluation *ev);
/* Whether there is anything under a bare address to wait for, where its instances are not known in this round: what is to be absent goes
 * all the same. True where no way back is planned. */
bool back_concerns(const struct evaluation *ev, const char *bare);
/* Whether it stands on something that is made anew. Its dependencies have been noted. */
bool back_must_follow(const struct instance *i);
/* ERROR_CONFLICT for each address that is to return and that the environment does not describe. */
int back_check(struct evaluation *ev, struct error **err);

/* restore.c: the objects at an instance's address that were set aside and may be taken back, the newest first; in the arena. */
const struct recorded **restore_candidates(struct evaluation *ev, const struct instance *i, size_t *count);
/* Whether taking one back takes an object away that exists. */
bool restore_destroys(const struct evaluation *ev, const struct instance *i);

/* plan.c: has a recorded object read, unless that was done or cannot be. */
void want_read(struct evaluation *ev, const struct recorded *recorded);

/* removal.c: what is recorded and has to go. */
struct removal {
        const struct recorded *recorded;
        struct instance *instance; /* of the template, when everything is destroyed; or NULL */
        struct instance *heir;     /* it gives way to one that is taken back: the instance of that; or NULL */
        const struct schema *schema; /* may be NULL when it is only forgotten */
        enum action action;          /* DELETE or FORGET */
        const char *reason;
        bool off; /* left out */
        uint32_t step;
        struct instance
            *again; /* what may have been made is removed before this is made at its place; or NULL */
};
struct removals {
        struct removal *items;
        size_t count, capacity;
};
int removals_find(struct evaluation *ev, struct removals *removals, struct error **err);

/* open.c: operations of earlier runs with an unknown outcome. */
/* The open creation of what the instance is to make, if it is the very same; NULL. `action` and `planned` are decided. */
const struct open_operation *open_creation(struct evaluation *ev, const struct instance *i);
/* An open update or deletion of its object; NULL. */
const struct open_operation *open_action(
    const struct evaluation *ev, const char *address, const char *action);
/* ...on this very object: two may be recorded at one address. */
const struct open_operation *open_action_on(
    const struct evaluation *ev, const struct recorded *r, const char *action);
/* For people: why there is a step about it. */
const char *open_reason(struct evaluation *ev, const struct open_operation *open, bool wanted);
/* Why a recorded object is not there: a run was deleting it, or somebody else did. */
const char *gone_reason(struct evaluation *ev, const char *address);
/* Adds what open creations may have made that nothing wants. */
void open_removals(struct evaluation *ev, struct removals *removals);
/* Lists what there is nothing to do about any more. The table is finished. */
void open_list_obsolete(struct evaluation *ev, struct plan *plan);

/* outputs.c: the root's outputs as of now; what was left out keeps its recorded value. New reference, or NULL with problems. */
struct value *outputs_now(struct evaluation *ev, struct error **err);
bool outputs_differ(const struct value *planned, const struct value *recorded);

/* table.c: steps, their edges and their order. */
int table_build(struct evaluation *ev, struct removals *removals, struct plan *plan, struct error **err);
/* drift.c: the table of a plan that only says what differs. */
void drift_build(struct evaluation *ev, struct plan *plan);
/* estimate.c: how long each step and the whole may take. Steps are in order. */
void estimate_build(struct plan *plan);
/* digest.c */
void digest_build(struct plan *plan);

/* decide.c: what is to be done about one instance, whose dependencies are noted while it is evaluated. */
void decide_managed(struct evaluation *ev, struct instance *instance, struct error **err);
void decide_lookup(struct evaluation *ev, struct instance *instance, struct error **err);
void decide_gate(struct evaluation *ev, struct instance *instance, struct error **err);
/* What the template wants of an object, compared with what it is. */
struct comparison {
        struct value *planned; /* the evaluation's */
        struct change *changes;
        size_t count;
        bool replace; /* cannot be done in place */
};
int decide_compare(struct evaluation *ev, struct instance *i, const struct value *config,
    struct comparison *ret, struct error **err);
/* Whether what was done on a host would now have to be done on another; `host` of the instance as it is known by now. */
bool decide_host_moves(const struct instance *i);
/* Why an object that is recorded, or was being made, cannot be what the instance wants, whatever its properties; NULL when it can. */
const char *decide_replacement(
    struct evaluation *ev, const struct recorded *recorded, const struct instance *instance);
/* Says that what is protected would be replaced. */
void decide_refuse_protected(const struct instance *i, struct error **err);
/* What a provider cannot change in place; borrowed until its next planning. */
struct replace_paths {
        const char *const *paths;
        size_t count;
};
/* Asks the provider's own planning where the type has one; *proposed becomes what it plans. */
int provider_plan(struct evaluation *ev, struct instance *i, const struct value *prior,
    struct value **proposed, struct replace_paths *replace, struct error **err);
void defer(struct evaluation *ev, const struct node *node, const char *address, const char *reason);

#endif
