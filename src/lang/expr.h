/*
 * Expressions: parsed once per template, evaluated many times.
 *
 * Syntax, functions and semantics are HCL's with the pure functions of Terraform 1.11. An expression lives
 * in the arena it was parsed into and is immutable. Every node knows its file:line:column.
 */
#ifndef TUTTI_LANG_EXPR_H
#define TUTTI_LANG_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/mem.h"
#include "lang/value.h"

struct expr;

/*
 * Where each byte of an expression's text stands in its file. A plain or quoted YAML scalar that was folded
 * or escaped does not map by simple offset; the YAML reader then gives the exact place per line. With
 * `lines` NULL, text byte 0 stands at `start` and lines count on from there at column 1.
 */
struct source_map {
        struct place start;
        const struct source_line { /* ascending by offset; text from `offset` stands at line:column */
                size_t offset;
                unsigned line, column;
        } * lines;
        size_t line_count;
};

/*
 * A bare expression, such as the text of `tutti eval`. It must be one that could stand inside `${…}`, so it may not
 * end in a comment without a newline. NULL with all problems in *err.
 */
struct expr *expr_parse(
    struct arena *arena, const char *text, size_t len, const struct source_map *map, struct error **err);

/*
 * The text of a YAML scalar: one single `${…}` keeps the type of its value; other text with `${…}` or `%{…}`
 * gives a string; text without either is the literal string. `$${` and `%%{` escape.
 */
struct expr *expr_parse_template(
    struct arena *arena, const char *text, size_t len, const struct source_map *map, struct error **err);

/* Built by the template reader out of YAML nodes. Parts are borrowed and must live as long as the arena. */
struct expr *expr_literal(struct arena *arena, struct value *steal, const struct place *place);
struct expr *expr_tuple(
    struct arena *arena, struct expr *const *elements, size_t count, const struct place *place);
struct expr *expr_object(struct arena *arena, const char *const *keys, const struct place *key_places,
    struct expr *const *values, size_t count, const struct place *place);

const struct place *expr_place(const struct expr *e);
/* The value of a literal, or of an expression without references and calls that was folded; else NULL. Borrowed. */
const struct value *expr_constant(const struct expr *e);
/* For an object made by expr_object: its attribute, or NULL. */
const struct expr *expr_attribute(const struct expr *e, const char *key);

/*
 * A reference: a root name and the path behind it as far as it is static, e.g. `subnet["a"].id` is root
 * "subnet", steps ["a", "id"]. Names bound by `for` inside the expression are not references.
 */
struct reference {
        const char *root;
        const struct reference_step {
                const char *name; /* attribute or string index; NULL for a number, splat or computed index */
                const struct value *index; /* a constant index's value, or NULL */
                bool is_attribute;         /* .name, not ["name"] */
        } * steps;
        size_t step_count;
        struct place place;
};

/* Calls `each` for every reference in the expression, in source order. */
void expr_references(
    const struct expr *e, void (*each)(void *context, const struct reference *reference), void *context);

/* If the whole expression is one reference (`${web}`), that one; else NULL. Borrowed. */
const struct reference *expr_is_reference(const struct expr *e);

/*
 * What an expression sees. The resolver gives the value of a root, and may take the next step with it: for
 * `web[3].id` it is called with root "web" and `key` 3, so that one instance can be handed out without building
 * the list of all; for `param.region` with root "param" and key "region"; `next` is the attribute name
 * after that, or NULL. It sets *consumed to 1 if the value it gives is that of root[key] already, else 0. key is
 * NULL when nothing follows the root, or a splat or an unknown index does.
 * It returns a new reference, or NULL with a problem in *err (without a place: the evaluator adds it); for a
 * root it does not know it returns NULL without a problem, and the evaluator reports an unknown name, with
 * the nearest of the names that `names` lists.
 */
struct scope {
        struct value *(*resolve)(void *context, const char *root, const struct value *key, const char *next,
            int *consumed, struct error **err);
        void (*names)(
            void *context, void (*each)(void *sink, const char *name), void *sink); /* may be NULL */
        void *context;

        /* For file functions: paths are relative to base_dir and must stay inside root_dir (NULL: base_dir) unless
         * allow_outside. A NULL base_dir makes file functions fail. */
        const char *base_dir, *root_dir;
        bool allow_outside;
        /* What was learnt of files stays so: see files.h. NULL: they are looked at each time. */
        struct files *files;

        /* plantimestamp() gives this instant; timestamp() is unknown while `planning`, else now. */
        int64_t plan_time_ms;
        bool planning;
        /* 0 for the defaults: evaluation steps and bytes that one expression may take. */
        size_t max_steps, max_bytes;
};

/* A new reference, or NULL with problems in *err (each with its place). */
struct value *expr_eval(const struct expr *e, const struct scope *scope, struct error **err);

/* A ready-made scope context over an object value whose attributes are the roots (may be NULL for none). */
void scope_over_object(struct scope *scope, const struct value *roots);

/*
 * Whether every reference of an expression can be followed into those roots, as it is checked before anything is
 * evaluated and whatever try(), can() or a branch not taken stands around it: each root is there, and `local`, `param` and
 * `lookup` are followed by the name of one of their members. -1 with all problems in *err, each with its place.
 */
int scope_check(const struct expr *e, const struct value *roots, struct error **err);

/* The function table, for documentation, completion and "did you mean". */
struct function_info {
        const char *name, *signature, *summary, *example;
};
const struct function_info *function_info_at(size_t index); /* NULL past the end; sorted by name */

#endif
