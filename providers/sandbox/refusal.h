/*
 * What the practice cloud answers when it does not do what was asked: a status, a sentence, and the
 * property at fault. Every room of the server fills one in; only the routes turn it into a reply.
 */
#ifndef TUTTI_SANDBOX_REFUSAL_H
#define TUTTI_SANDBOX_REFUSAL_H

struct sandbox_refusal {
        int status;      /* an HTTP status from 400 on */
        char field[128]; /* the property at fault ("rules[1].port"), or "" */
        char detail[512];
};

/* Fills in *refusal and returns -1, so that a refusing function can say it in one expression. `field` may
 * be NULL. Text that is too long is cut, and what is not UTF-8 becomes '?'. */
int sandbox_refuse(struct sandbox_refusal *refusal, int status, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
