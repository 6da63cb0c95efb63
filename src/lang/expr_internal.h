/* The tree that the parser builds and the evaluator walks. All of it lives in one arena. */
#ifndef TUTTI_LANG_EXPR_INTERNAL_H
#define TUTTI_LANG_EXPR_INTERNAL_H

#include <stdint.h>
#include "lang/expr.h"
#include "lang/function.h"

enum expr_kind {
        EXPR_CONSTANT,
        EXPR_PATH, /* a base and the steps behind it */
        EXPR_TUPLE,
        EXPR_OBJECT,
        EXPR_UNARY,
        EXPR_BINARY,
        EXPR_CONDITIONAL,
        EXPR_CALL,
        EXPR_FOR,
        EXPR_TEMPLATE,     /* parts joined to a string */
        EXPR_TEMPLATE_FOR, /* %{for}: bodies joined to a string */
};

enum operation {
        OP_NOT,
        OP_NEGATE,
        OP_OR,
        OP_AND,
        OP_EQUAL,
        OP_NOT_EQUAL,
        OP_LESS,
        OP_LESS_EQUAL,
        OP_GREATER,
        OP_GREATER_EQUAL,
        OP_ADD,
        OP_SUBTRACT,
        OP_MULTIPLY,
        OP_DIVIDE,
        OP_MODULO,
};

enum step_kind {
        STEP_ATTRIBUTE,       /* .name */
        STEP_INDEX,           /* [constant], .0 */
        STEP_COMPUTED,        /* [expression] */
        STEP_SPLAT,           /* [*]: what follows applies to each element */
        STEP_ATTRIBUTE_SPLAT, /* .*: the next `covers` steps apply to each element */
};

struct step {
        enum step_kind kind;
        struct place place;
        bool dotted;        /* .name or .0 */
        const char *name;   /* of an attribute */
        struct value *key;  /* of an attribute (as a string) or constant index; owned by the arena */
        struct expr *index; /* of a computed one */
        size_t covers;
};

/* Where a path begins: a root of the scope, a variable bound by an enclosing `for`, or any expression. */
enum base_kind { BASE_ROOT, BASE_VARIABLE, BASE_EXPR };

struct path_expr {
        enum base_kind base;
        const char *root;
        unsigned slot; /* of a variable */
        struct expr *source;
        struct step *steps;
        size_t count;
        struct reference reference; /* of a root, for those who ask */
};

struct object_item {
        struct expr *key, *value;
        struct place place;
};

struct for_expr {
        struct expr *collection, *key, *value, *condition; /* key: NULL for the list form */
        unsigned key_slot, value_slot;                     /* always two, the key's first */
        bool grouped;
};

struct expr {
        uint8_t kind, op;
        bool expand_last; /* of a call: f(a...) */
        uint16_t depth;   /* of the tree below, this one included */
        struct place place;
        struct value *constant; /* what it folds to, or NULL; owned by the arena */
        union {
                struct path_expr *path;
                struct {
                        struct expr *
                            *items; /* elements, operands, arguments, parts, condition and branches */
                        size_t count;
                        const struct function *function; /* of a call; NULL: there is none of that name */
                        const char *name;                /* of a call */
                };
                struct {
                        struct object_item *fields;
                        size_t field_count;
                };
                struct for_expr *loop;
        };
};

enum { EXPR_DEPTH_MAX = 1000 };

/* A node with nothing in it yet. */
struct expr *expr_new(struct arena *arena, enum expr_kind kind, const struct place *place);
/* A node over `items` (borrowed, in the arena), with its depth, folded where all are constant and folding works. */
struct expr *expr_over(struct arena *arena, enum expr_kind kind, enum operation op, struct expr **items,
    size_t count, const struct place *place);
struct expr *expr_object_over(
    struct arena *arena, struct object_item *fields, size_t count, const struct place *place);
/* Lets the arena own a reference. */
struct value *expr_keep(struct arena *arena, struct value *steal);
/* Fills in the reference of a path that begins at a root. */
void expr_path_reference(struct arena *arena, struct expr *e);

#endif
