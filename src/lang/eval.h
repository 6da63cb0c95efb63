/* What the files eval*.c share: one evaluation in progress. */
#ifndef TUTTI_LANG_EVAL_H
#define TUTTI_LANG_EVAL_H

#include "lang/expr_internal.h"

enum { EVAL_STEPS = 10000000, EVAL_BYTES = 256 << 20, VALUE_DEPTH_MAX = 1000 };

struct eval {
        const struct scope *scope;
        struct error **err;
        struct value **slots; /* the variables that `for` bound, by slot; owned */
        size_t slot_count;
        size_t steps;   /* left */
        uint64_t bytes; /* left */
        size_t steps_max;
        uint64_t bytes_max;
        unsigned typing;              /* how many failed parts are evaluated again for their types */
        unsigned quiet;               /* how many try() and can() are around: nobody will read the problems */
        bool fatal;                   /* a limit was hit: nothing more is evaluated */
        const struct place *infinite; /* where something was divided by zero; borrowed */
        bool undeclared; /* a name does not exist: others may be looked up, but try() and can() do not help */
};

/* A new reference, or NULL with problems in *ev->err. */
struct value *eval_expr(struct eval *ev, const struct expr *e);

struct value *eval_path(struct eval *ev, const struct expr *e);
struct value *eval_for(struct eval *ev, const struct expr *e);
struct value *eval_template(struct eval *ev, const struct expr *e);
struct value *eval_template_for(struct eval *ev, const struct expr *e);
struct value *eval_unary(struct eval *ev, const struct expr *e);
struct value *eval_binary(struct eval *ev, const struct expr *e);
struct value *eval_conditional(struct eval *ev, const struct expr *e);
struct value *eval_call(struct eval *ev, const struct expr *e);

/* Always NULL, with a problem at the place. */
void *eval_fail(struct eval *ev, const struct place *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes from what is left; -1 with a problem when that is not enough. */
int eval_charge(struct eval *ev, uint64_t steps, uint64_t bytes, const struct place *place);
/* Charges for a value with parts just made and checks its size and depth. Takes v; gives it back, or NULL. */
struct value *eval_made(struct eval *ev, struct value *v, const struct place *place);
/* Takes v; gives it with the mark if `sensitive`. NULL stays NULL. */
struct value *eval_mark(struct value *v, bool sensitive);
/* As eval_expr, then converted; `what` begins the message where that fails. Nulls are refused. *sensitive is set
 * if the value was marked; the one returned is not. */
struct value *eval_operand(
    struct eval *ev, const struct expr *e, const struct type *type, const char *what, bool *sensitive);

/* Loops: the elements of a collection, one after the other, in two slots. */
struct iteration {
        struct value *collection;
        size_t count, index;
        bool sensitive, unknown;
};
/* -1 with a problem if it cannot be iterated. */
int eval_iterate(struct eval *ev, const struct for_expr *loop, struct iteration *it);
/* Binds the next element; false at the end. */
bool eval_next(struct eval *ev, const struct for_expr *loop, struct iteration *it);
void eval_iterated(struct eval *ev, const struct for_expr *loop, struct iteration *it);

/* The value of a node whose items are all constant, or NULL. */
struct value *eval_fold(const struct expr *e);

#endif
