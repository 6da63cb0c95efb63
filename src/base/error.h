/*
 * Errors as lists of problems.
 *
 * Every fallible function returns 0 / -1 (or a pointer / NULL) and takes `struct error **err` last.
 * `lang`, `template` and `plan` go on after a problem and report all of them; other rooms stop at the
 * first. The kind says what the caller does about it, never where it came from. Bugs are assert().
 *
 *         return error_set(err, ERROR_INPUT, &place, "unknown property '%s' on %s", name, type);
 */
#ifndef TUTTI_BASE_ERROR_H
#define TUTTI_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/mem.h"

enum error_kind {
        ERROR_INPUT,     /* template, parameters, flags, a file of the user's: exit 4 */
        ERROR_DENIED,    /* credentials, permissions, a refused approval */
        ERROR_MISSING,   /* what was asked for does not exist */
        ERROR_CONFLICT,  /* the world is not as assumed: lease lost, plan stale, already exists */
        ERROR_RETRY,     /* transient or throttled: the same call may succeed later */
        ERROR_TIMEOUT,   /* a deadline passed */
        ERROR_CANCELLED, /* the user asked to stop */
        ERROR_SYSTEM,    /* the operating system refused: disk, memory, network, permissions */
        ERROR_PROVIDER,  /* the provider or its cloud refused for good */
        ERROR_BUSY,      /* another run holds the environment: exit 5 */
};

/* Where a problem is. Any part may be absent: file NULL, line 0, column 0, address NULL. Lines and
 * columns count from 1; a column counts Unicode code points. Strings are borrowed. */
struct place {
        const char *file;
        unsigned line, column;
        const char *address;
};

struct problem {
        enum error_kind kind;
        char *message;
        struct place place; /* its strings are owned by the error */
};

struct error;

/* Appends a problem to *err, creating the list; does nothing when err is NULL. `place` may be NULL.
 * Always returns -1, so that a failing function can say it in one expression. */
int error_set(struct error **err, enum error_kind kind, const struct place *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* As error_set with kind SYSTEM and ": strerror(errnum)" behind the message. */
int error_system(struct error **err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A rule of the program itself does not hold: kind SYSTEM, "internal error: …; please report it". Where TUTTI_STRICT=1 is set, as the tests
 * do, the program aborts here instead, so that nobody takes it for a failure of the world. Returns -1. */
int error_internal(struct error **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message of every problem in *err, and returns -1. */
int error_context(struct error **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fills in what the problems' places lack (file, line and column together; address by itself). */
int error_place(struct error **err, const struct place *place);

/* Appends the problems of *from to *to; *from becomes NULL. Returns -1 if there was any, else 0. */
int error_move(struct error **to, struct error **from);

void error_free(struct error *err); /* NULL-safe */
CLEANUP(struct error *, error_free);

size_t error_count(const struct error *err); /* 0 for NULL */
const struct problem *error_at(const struct error *err, size_t index);
enum error_kind error_kind(const struct error *err); /* of the first problem; err must not be NULL */
const char *error_message(const struct error *err);  /* of the first problem; "" for NULL */
const char *error_kind_name(enum error_kind kind);   /* "input", "denied", ... */

/* "file:line:column: address: message" of one problem, without what is absent. Caller frees. */
char *error_text(const struct problem *problem);

#endif
