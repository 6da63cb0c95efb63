/*
 * What a gate, or a question, puts before people: shown to them before they answer, and what their answers are bound to.
 *
 * It is recorded with the gate as JSON, and an answer names the SHA-256 of that text. So an answer holds for what was shown: the
 * message, the plan, the rules, and every step that waits behind the gate. A run that goes on later with less to do asks for the same
 * as long as what was shown covers what is to happen; otherwise it asks anew, and earlier answers do not count.
 */
#ifndef TUTTI_RUN_PROPOSAL_H
#define TUTTI_RUN_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/mem.h"

struct proposal_step {
        const char *address, *action;
};

struct proposal {
        struct arena *arena;        /* all of it, the proposal itself included */
        const char *text;           /* the JSON as it is recorded */
        char digest[65];            /* SHA-256 of the text, in hexadecimal */
        const char *message;        /* "" when the gate has none */
        const char *plan;           /* digest of the run's plan, in hexadecimal */
        const char *requester;      /* who started the run */
        const char **approvers;     /* persons and groups, as the gate names them */
        size_t approver_count;      /* 0: everybody */
        unsigned needed;            /* so many persons must approve; at least 1 */
        bool not_requester, remind; /* remind: when it expires it is asked again, not rejected */
        int64_t expires_ms;         /* 0: never */
        const char *
            *choices;  /* a question: what can be said to it, ends with NULL; NULL: approved or rejected */
        bool needs_id; /* a question: who adopts names the object */
        struct proposal_step *behind;
        size_t behind_count;
        size_t behind_total; /* so many wait behind it; `behind` may tell of fewer */
};

/* Empty, with an arena of its own; the caller fills in the parts, strings from that arena, and seals it: text and digest. */
struct proposal *proposal_new(void);
void proposal_seal(struct proposal *q);
/* A recorded one. ERROR_CONFLICT when it is none that we wrote. */
int proposal_read(const char *json, struct proposal **ret, struct error **err);
void proposal_free(struct proposal *q); /* NULL-safe */
CLEANUP(struct proposal *, proposal_free);

/* Are these (ending with NULL) what can be said to it? NULL: it is no question. */
bool proposal_choices_are(const struct proposal *q, const char *const *words);
/* Does an answer to `shown` also answer `now`? All is the same, except that less may wait behind. */
bool proposal_covers(const struct proposal *shown, const struct proposal *now);

#endif
