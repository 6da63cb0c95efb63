/*
 * Answers to gates: making one, holding one against the rules, and counting them.
 *
 * Whoever writes to the store could put anything there, so an answer counts only when it is held against what the running process
 * knows by itself: the approvers of the environment file, and what its own plan proposes. `tutti approve` checks before it
 * stores, the run checks again when it reads, `tutti audit` afterwards; all of them here.
 */
#ifndef TUTTI_RUN_ANSWER_H
#define TUTTI_RUN_ANSWER_H

#include "base/map.h"
#include "run/proposal.h"
#include "run/signature.h"
#include "state/store.h"
#include "template/approvers.h"

enum {
        ANSWER_VALID_MS = 24 * 3600 * 1000, /* how long a signature is good for, unless said otherwise */
        ANSWER_SKEW_MS = 5 * 60 * 1000,     /* how far apart clocks may be */
        ANSWER_COMMENT_MAX = 4096,          /* bytes */
        ANSWER_MAX = 1024,                  /* bytes of an answer: a word, and the id of an object */
};
/* What is said to a gate that asks for approval. To a question it is one of its choices; after "adopt" a blank and an id may follow. */
#define ANSWER_APPROVED "approved"
#define ANSWER_REJECTED "rejected"
#define ANSWER_ADOPT "adopt"

/* A gate with all that an answer to it is held against; borrowed. */
struct ballot {
        const struct approvers
            *approvers; /* of the environment; NULL: it names nobody, and anyone's word counts */
        const struct proposal *proposal; /* as it was shown */
        const char *lineage, *run, *gate;
        int64_t opened_ms; /* when it was first asked */
};

/* Must answers be signed? */
bool ballot_signed(const struct ballot *b);
/* Is this person (a name) one of those whom the gate names? Says nothing of the requester. */
bool ballot_names(const struct ballot *b, const char *person);
/* May this person answer? */
bool ballot_admits(const struct ballot *b, const char *person);
/* Who may answer: persons, groups resolved, the requester left out where forbidden; the caller frees the list, not the names.
 * *anyone: nobody is named, so that everybody may. */
const char **ballot_people(const struct ballot *b, size_t *count, bool *anyone);

/*
 * Does this answer count? 0, or -1 with the reason: ERROR_DENIED for who gave it or how it is signed, ERROR_CONFLICT for what it was given to
 * (another run, gate, plan, proposal), ERROR_TIMEOUT for when. Whether the person answered before is for answers_count.
 */
int answer_check(const struct ballot *b, const struct answer_row *answer, int64_t now_ms, struct error **err);

/* The choice of a question that an answer names, and in *rest what follows it, or ""; NULL: none of them. */
const char *answer_choice(const struct proposal *question, const char *answer, const char **rest);

/* The answers to one gate, in order of arrival. */
struct answer_slice {
        const struct answer_row *rows;
        size_t count;
};
/* Puts the answers to each gate of one run, as store_answers gives them, into `by_gate`: name → slice. The caller releases the map,
 * and frees what is returned. */
struct answer_slice *answers_by_gate(const struct answer_row *rows, size_t count, struct map *by_gate);

/* What the answers to a gate come to. A rejection that counts rejects; so many approvals by different persons as are needed approve. To a
 * question the first answer that counts is the answer. */
struct tally {
        enum tally_outcome { TALLY_OPEN, TALLY_APPROVED, TALLY_REJECTED, TALLY_ANSWERED } outcome;
        const char **
            by; /* persons whose approval counts, in order of arrival; the list is the tally's, the names are the rows' */
        size_t count;
        const struct answer_row *last; /* what decided, or the last that counted; or NULL */
        bool all_signed;               /* of those that counted */
};
/* `rows` in order of arrival. Each that does not count is given to `refused`, unless that is NULL. */
void answers_count(const struct ballot *b, const struct answer_row *rows, size_t count, int64_t now_ms,
    void (*refused)(void *context, const struct answer_row *row, const struct error *why), void *context,
    struct tally *ret);
void tally_release(struct tally *t);
char *tally_names(
    const struct tally *t); /* "alice, bob"; of a rejection or a question who decided. The caller frees */
/* The status of the gate: "waiting", "approved", "rejected", or the answer to the question; borrowed. */
const char *tally_status(const struct tally *t);

/* --- making one --- */

struct answer_request {
        const char *by, *comment; /* comment or NULL */
        const char *user;         /* the operating system's user */
        const char *answer;       /* ANSWER_APPROVED, ANSWER_REJECTED, or one of the choices */
        const char *key_file;     /* or NULL: the person's at its usual place */
        int64_t valid_ms;         /* 0: ANSWER_VALID_MS */
        bool must_sign;           /* whatever the environment says */
};
/* What may be said besides, to a gate or a question; NULL: nothing. ERROR_INPUT. */
int answer_check_comment(const char *comment, struct error **err);
/* An answer that was checked and is signed where it has to be, or where the person's key is at hand; the caller releases it.
 * ERROR_DENIED and the like as answer_check, ERROR_MISSING when the key is not to be found. */
int answer_make(const struct ballot *b, const struct answer_request *request, int64_t now_ms,
    struct answer_row *ret, struct error **err);

/* May somebody act under this name, which is not that of the operating system's user? Where answers have to be signed only who has that person's
 * key at hand: `not_requester` would mean nothing if a run could be in the name of just anybody. ERROR_DENIED. */
int answer_prove(const struct approvers *approvers, const char *by, struct error **err);

/* --- answer_file.c: an answer by itself, to be handed to somebody who may write to the store --- */

/* Appends the JSON document, one line. */
void answer_write(
    const struct answer_row *answer, const char *environment, const char *lineage, struct text *out);
/* ERROR_INPUT when it is none; ERROR_CONFLICT when it is of an environment of another lineage. The caller releases it. */
int answer_read(
    const char *json, size_t len, const char *lineage, struct answer_row *ret, struct error **err);
/* The statement that a signed answer is a signature over; borrowed. */
struct statement answer_statement(const struct answer_row *answer, const char *lineage);

#endif
