/*
 * The function table: what the evaluator and the functions know of each other. Internal to lang/.
 *
 * function_call does what is common to all functions: it counts and converts the arguments, refuses nulls where
 * they are not allowed, gives an unknown result of the best known type when an argument is unknown, and joins
 * the sensitive marks of the arguments onto the result. A body sees plain, known, converted values unless its
 * parameter asks otherwise.
 */
#ifndef TUTTI_LANG_FUNCTION_H
#define TUTTI_LANG_FUNCTION_H

#include "lang/expr.h"

enum parameter_flags {
        PARAM_NULL = 1,      /* accepts null */
        PARAM_UNKNOWN = 2,   /* body handles a value that is unknown at the top or inside */
        PARAM_SENSITIVE = 4, /* body handles the mark; it is not joined onto the result */
        PARAM_SHALLOW =
            8, /* only the top must be known: unknown parts inside do not make the result unknown */
};

struct function_parameter {
        const char *name;
        /* "string", "number", "bool", "any", "list(string)", "map(any)", …: parsed once, at first use. "any" is not
         * converted. */
        const char *type;
        unsigned flags;
};

struct call {
        const struct scope *scope; /* never NULL; for file functions, clocks and limits */
        struct value *const *args; /* borrowed, converted */
        size_t arg_count;
        const struct type *result; /* what `result_type` gave */
};

struct function {
        struct function_info info;
        struct function_parameter parameters[4]; /* up to the first with name NULL */
        struct function_parameter rest;          /* variadic, if its name is not NULL */
        bool reference;                          /* the first argument must be written as a reference */
        const char *result; /* result type, as in a parameter; NULL: result_type decides */
        /* New reference; the arguments may be unknown (their types count); NULL with an error if they do not fit. */
        const struct type *(*result_type)(const struct call *call, struct error **err);
        /* New reference, or NULL with one problem. `err` messages name the parameter where one is at fault. */
        struct value *(*body)(const struct call *call, struct error **err);
};

/* The tables, one per functions_*.c, each ending with an entry whose info.name is NULL. */
extern const struct function functions_numeric[], functions_string[], functions_collection[],
    functions_encoding[], functions_hash[], functions_date[], functions_net[], functions_conversion[],
    functions_file[];

const struct function *function_find(const char *name); /* by binary search */
/* The name that may have been meant, or NULL. */
const char *function_suggest(const char *name);

/* Calls with unconverted arguments. New reference, or NULL with problems (without place). */
struct value *function_call(const struct function *f, const struct scope *scope, struct value *const *args,
    size_t arg_count, struct error **err);

#endif
