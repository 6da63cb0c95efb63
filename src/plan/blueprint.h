/*
 * A blueprint: what can be said of a template before any of its expressions is evaluated. Which of its parts use which, and
 * therefore in which order they are evaluated. One per template, however often it is instantiated.
 */
#ifndef TUTTI_PLAN_BLUEPRINT_H
#define TUTTI_PLAN_BLUEPRINT_H

#include "template/template.h"

enum use_kind { USE_PARAM, USE_LOCAL, USE_LOOKUP, USE_RESOURCE };
enum use_key {
        USE_WHOLE,    /* `web`: nothing follows the name */
        USE_CONSTANT, /* `web[0]`, `subnet["a"]`, `network.id` */
        USE_COMPUTED, /* `web[each.key]`, `web[*]` */
};

struct use { /* one reference in an expression */
        enum use_kind kind;
        enum use_key key;
        uint32_t index;            /* into the template's parameters, locals, lookups or resources */
        const char *name;          /* USE_CONSTANT: the name that follows, or NULL: */
        const struct value *value; /* the constant index that follows */
        const char *next;          /* the name after that, or NULL */
};
struct uses {
        struct use *items;
        uint32_t count;
};

enum part_kind { PART_LOCAL, PART_LOOKUP, PART_RESOURCE, PART_PROVIDER };

struct blueprint {
        const struct template *template;
        uint32_t part_count;
        uint32_t *
            order; /* of the parts: locals, lookups, resources, providers are numbered through in this order */
        struct uses *locals, *outputs, *providers;
        struct resource_uses {
                struct uses shape; /* count, for_each, when */
                struct uses host;
                struct uses body; /* the rest */
        } * lookups, *resources;
        struct map
            needs; /* names of configured providers that this template uses and does not itself configure */
};

/* Which part a number stands for; *index is into the array of that kind. */
enum part_kind blueprint_part(const struct blueprint *blueprint, uint32_t part, uint32_t *index);

/* Blueprints by template; in the arena. */
struct blueprints {
        struct arena *arena;
        struct blueprint **items;
        size_t count, capacity;
};
/* NULL with a problem when the template's parts use each other in a circle. */
const struct blueprint *blueprint_of(
    struct blueprints *all, const struct template *template, struct error **err);
/* What one expression of the template uses; in the arena. */
struct uses *blueprint_uses(struct blueprints *all, const struct template *template, const struct expr *expr);
void blueprints_release(struct blueprints *all);

#endif
