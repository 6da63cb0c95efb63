/* The rules by which answers to gates count; see answer.h. */
#include "run/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"

bool ballot_signed(const struct ballot *b)
{
        return b->approvers != NULL && !b->approvers->unsigned_;
}

/* The environment names somebody, so that others are strangers. */
static bool knows_people(const struct ballot *b)
{
        return b->approvers != NULL && b->approvers->people_count > 0;
}

static bool in_group(const struct approvers *a, const char *group, const char *person)
{
        const struct approver_group *g = a ? map_get(&a->group_by_name, group) : NULL;
        for (size_t i = 0; g != NULL && i < g->member_count; i++)
                if (strcmp(g->members[i]->name, person) == 0) return true;
        return false;
}

bool ballot_names(const struct ballot *b, const char *person)
{
        const struct proposal *q = b->proposal;
        if (q->approver_count == 0) return true;
        for (size_t i = 0; i < q->approver_count; i++)
                if (strcmp(q->approvers[i], person) == 0 || in_group(b->approvers, q->approvers[i], person))
                        return true;
        return false;
}

static bool is_requester(const struct ballot *b, const char *person)
{
        return b->proposal->not_requester && strcmp(b->proposal->requester, person) == 0;
}

static void add_person(
    const struct ballot *b, const char *name, struct map *seen, const char **list, size_t *count)
{
        if (is_requester(b, name) || map_put(seen, name, (void *)b) != NULL) return;
        list[(*count)++] = name;
}

const char **ballot_people(const struct ballot *b, size_t *count, bool *anyone)
{
        const struct proposal *q = b->proposal;
        const struct approvers *a = b->approvers;
        struct map seen __attribute__((__cleanup__(map_release_cleanup))) = {0};
        const char **list = mem_alloc(((a ? a->people_count : 0) + q->approver_count + 1) * sizeof *list);
        *count = 0;
        *anyone = q->approver_count == 0 && !knows_people(b);
        for (size_t i = 0; q->approver_count == 0 && a != NULL && i < a->people_count; i++)
                add_person(b, a->people[i].name, &seen, list, count);
        for (size_t i = 0; i < q->approver_count; i++) {
                const struct approver_group *g = a ? map_get(&a->group_by_name, q->approvers[i]) : NULL;
                for (size_t m = 0; g != NULL && m < g->member_count; m++)
                        add_person(b, g->members[m]->name, &seen, list, count);
                if (g == NULL && (!knows_people(b) || map_has(&a->person_by_name, q->approvers[i])))
                        add_person(b, q->approvers[i], &seen, list, count);
        }
        return list;
}

/* --- one answer ------------------------------------------------------------------------------------------------------ */

static int refuse_stranger(const struct ballot *b, const char *by, struct error **err)
{
        struct text names __attribute__((__cleanup__(text_release_cleanup))) = {0};
        for (size_t i = 0; i < b->proposal->approver_count; i++)
                text_addf(&names, "%s%s", i ? ", " : "", b->proposal->approvers[i]);
        return error_set(err, ERROR_DENIED, NULL, "%s may not answer gate '%s'; its approvers are: %s", by,
            b->gate, names.len ? names.data : "all whom the environment names");
}

static int check_person(const struct ballot *b, const char *by, struct error **err)
{
        if (*by == '\0')
                return error_set(err, ERROR_DENIED, NULL, "the answer to gate '%s' names nobody", b->gate);
        if (knows_people(b) && !map_has(&b->approvers->person_by_name, by))
                return error_set(err, ERROR_DENIED, NULL,
                    "%s may not answer gate '%s': the environment's 'approvers' know no person of that name",
                    by, b->gate);
        if (!ballot_names(b, by)) return refuse_stranger(b, by, err);
        if (is_requester(b, by))
                return error_set(err, ERROR_DENIED, NULL,
                    "%s may not answer gate '%s': whoever started run %s may not", by, b->gate, b->run);
        return 0;
}

bool ballot_admits(const struct ballot *b, const char *person)
{
        return check_person(b, person, NULL) == 0;
}

/* What it was given to. Answers from before there were proposals name none. */
static int check_subject(const struct ballot *b, const struct answer_row *a, struct error **err)
{
        if (strcmp(a->run, b->run) != 0)
                return error_set(
                    err, ERROR_CONFLICT, NULL, "the answer is to run %s, not to run %s", a->run, b->run);
        if (strcmp(a->gate, b->gate) != 0)
                return error_set(
                    err, ERROR_CONFLICT, NULL, "the answer is to gate '%s', not to '%s'", a->gate, b->gate);
        bool old = a->signature == NULL && *a->proposal == '\0';
        if (!old && strcmp(a->digest, b->proposal->plan) != 0)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "%s answered for another plan (%.12s…, not %.12s…): the answer is stale", a->by,
                    a->digest, b->proposal->plan);
        if (!old && (strcmp(a->proposal, b->proposal->digest) != 0 || a->opened_ms != b->opened_ms))
                return error_set(err, ERROR_CONFLICT, NULL,
                    "what %s was shown at gate '%s' is not what is asked now: the answer is "
                    "stale",
                    a->by, b->gate);
        return 0;
}

static int check_times(const struct ballot *b, const struct answer_row *a, int64_t now_ms, struct error **err)
{
        char when[CLOCK_TEXT];
        const struct proposal *q = b->proposal;
        if (a->signature != NULL && a->signed_ms > now_ms + ANSWER_SKEW_MS) {
                clock_text(a->signed_ms, when);
                return error_set(err, ERROR_TIMEOUT, NULL,
                    "the answer of %s was signed in the future, at %s: a clock is wrong", a->by, when);
        }
        if (a->signature != NULL && a->expires_ms <= now_ms) {
                clock_text(a->expires_ms, when);
                return error_set(err, ERROR_TIMEOUT, NULL, "the answer of %s expired at %s", a->by, when);
        }
        int64_t given_ms = a->signature != NULL ? a->signed_ms : a->answered_ms;
        if (q->expires_ms > 0 && !q->remind && given_ms < b->opened_ms - ANSWER_SKEW_MS)
                return error_set(err, ERROR_TIMEOUT, NULL,
                    "%s answered before gate '%s' was asked: a clock is wrong, or was put back", a->by,
                    b->gate);
        if (q->expires_ms > 0 && !q->remind && given_ms > b->opened_ms + q->expires_ms)
                return error_set(
                    err, ERROR_TIMEOUT, NULL, "%s answered after gate '%s' had lapsed", a->by, b->gate);
        return 0;
}

static int check_signature(const struct ballot *b, const struct answer_row *a, struct error **err)
{
        if (b->approvers == NULL) return 0; /* nobody's key is known, and a word is enough */
        if (a->signature == NULL)
                return b->approvers->unsigned_ ? 0
                                               : error_set(err, ERROR_DENIED, NULL,
                                                     "the answer of %s is not signed, and the environment's "
                                                     "'approvers' ask for it",
                                                     a->by);
        const struct approver *person = map_get(&b->approvers->person_by_name, a->by);
        if (person == NULL || !person->has_key)
                return error_set(err, ERROR_DENIED, NULL,
                    "the answer of %s is signed, and the environment knows no key of theirs", a->by);
        struct statement s = answer_statement(a, b->lineage);
        if (statement_verify(&s, person->key, a->signature)) return 0;
        return error_set(err, ERROR_DENIED, NULL,
            "the signature of %s does not verify: it was made with another key, for another environment, or "
            "altered since",
            a->by);
}

/* --- what it says ----------------------------------------------------------------------------------------------------- */

const char *answer_choice(const struct proposal *q, const char *answer, const char **rest)
{
        size_t len = strcspn(answer, " ");
        *rest = answer + len + strspn(answer + len, " ");
        for (const char *const *c = (const char *const *)q->choices; c != NULL && *c != NULL; c++)
                if (strlen(*c) == len && memcmp(*c, answer, len) == 0 &&
                    (**rest == '\0' || strcmp(*c, ANSWER_ADOPT) == 0))
                        return *c;
        return NULL;
}

static int refuse_word(const struct ballot *b, const char *word, struct error **err)
{
        struct text names __attribute__((__cleanup__(text_release_cleanup))) = {0};
        for (const char **c = b->proposal->choices; *c != NULL; c++)
                text_addf(&names, "%s%s", names.len == 0 ? "" : c[1] ? ", " : " or ", *c);
        return error_set(err, ERROR_INPUT, NULL, "'%.100s' is no answer to '%s': %s", word, b->gate,
            names.len ? names.data : "nothing can be said to it");
}

static bool is_one_line(const char *s)
{
        for (const char *c = s; *c != '\0'; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f) return false;
        return strlen(s) <= ANSWER_MAX && text_is_utf8(s, strlen(s));
}

static int check_word(const struct ballot *b, const char *word, struct error **err)
{
        const char *rest;
        bool question = b->proposal->choices != NULL;
        if (!question && strcmp(word, ANSWER_APPROVED) != 0 && strcmp(word, ANSWER_REJECTED) != 0)
                return error_set(err, ERROR_DENIED, NULL, "'%.20s' is no answer to gate '%s'", word, b->gate);
        if (!question) return 0;
        const char *choice = is_one_line(word) ? answer_choice(b->proposal, word, &rest) : NULL;
        if (choice == NULL) return refuse_word(b, word, err);
        if (b->proposal->needs_id && *rest == '\0' && strcmp(choice, ANSWER_ADOPT) == 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "'%s': to adopt the object its id is needed: adopt ID", b->gate);
        return 0;
}

int answer_check(const struct ballot *b, const struct answer_row *a, int64_t now_ms, struct error **err)
{
        if (check_word(b, a->answer, err) < 0) return -1;
        if (check_person(b, a->by, err) < 0 || check_subject(b, a, err) < 0 || check_signature(b, a, err) < 0)
                return -1;
        return check_times(b, a, now_ms, err);
}

struct answer_slice *answers_by_gate(const struct answer_row *rows, size_t count, struct map *by_gate)
{
        struct answer_slice *slices = mem_alloc((count + 1) * sizeof *slices);
        size_t used = 0;
        for (size_t i = 0; i < count; i++) {
                if (used == 0 || strcmp(slices[used - 1].rows->gate, rows[i].gate) != 0) {
                        slices[used++] = (struct answer_slice){&rows[i], 0};
                        map_put(by_gate, rows[i].gate, &slices[used - 1]);
                }
                slices[used - 1].count++;
        }
        return slices;
}

/* --- all of them ----------------------------------------------------------------------------------------------------- */

void answers_count(const struct ballot *b, const struct answer_row *rows, size_t count, int64_t now_ms,
    void (*refused)(void *context, const struct answer_row *row, const struct error *why), void *context,
    struct tally *ret)
{
        struct map seen __attribute__((__cleanup__(map_release_cleanup))) = {0};
        *ret = (struct tally){.by = mem_alloc((count + 1) * sizeof *ret->by), .all_signed = true};
        for (size_t i = 0; i < count && ret->outcome == TALLY_OPEN; i++) {
                const struct answer_row *a = &rows[i];
                cleanup(error_free) struct error *why = NULL;
                if (answer_check(b, a, now_ms, &why) < 0) {
                        if (refused != NULL) refused(context, a, why);
                        continue;
                }
                if (b->proposal->choices != NULL) {
                        ret->outcome = TALLY_ANSWERED;
                        ret->last = a;
                        ret->all_signed = a->signature != NULL;
                        return;
                }
                bool approves = strcmp(a->answer, ANSWER_APPROVED) == 0;
                if (approves && map_put(&seen, a->by, (void *)a) != NULL)
                        continue; /* twice by one person is once */
                ret->last = a;
                ret->all_signed = (approves ? ret->all_signed : true) && a->signature != NULL;
                if (!approves)
                        ret->outcome = TALLY_REJECTED;
                else
                        ret->by[ret->count++] = a->by;
                if (ret->count >= b->proposal->needed) ret->outcome = TALLY_APPROVED;
        }
}

void tally_release(struct tally *t)
{
        free(t->by);
        *t = (struct tally){0};
}

char *tally_names(const struct tally *t)
{
        if (t->outcome == TALLY_REJECTED || t->outcome == TALLY_ANSWERED) return mem_strdup(t->last->by);
        struct text names = {0};
        for (size_t i = 0; i < t->count; i++) text_addf(&names, "%s%s", i ? ", " : "", t->by[i]);
        return text_steal(&names);
}

const char *tally_status(const struct tally *t)
{
        switch (t->outcome) {
        case TALLY_APPROVED: return ANSWER_APPROVED;
        case TALLY_REJECTED: return ANSWER_REJECTED;
        case TALLY_ANSWERED: return t->last->answer;
        default: return "waiting";
        }
}

/* --- making one ------------------------------------------------------------------------------------------------------ */

static int load_key(
    const struct ballot *b, const struct answer_request *q, struct signing_key **ret, struct error **err)
{
        cleanup_free char *standard = approver_name_is_good(q->by) ? signing_key_path(q->by) : NULL;
        const char *path = q->key_file ? q->key_file : standard;
        bool optional = q->key_file == NULL && !q->must_sign && !ballot_signed(b);
        cleanup(error_free) struct error *problem = NULL;
        if (path != NULL && signing_key_load(path, ret, &problem) == 0) return 0;
        if (path == NULL || (error_kind(problem) == ERROR_MISSING && q->key_file == NULL)) {
                if (optional) return 0;
                return error_set(err, ERROR_DENIED, NULL,
                    "gate '%s' takes signed answers only, and the key of %s is not here (%s); name it with "
                    "--key FILE, "
                    "or hand in an answer that was signed elsewhere with --signature FILE",
                    b->gate, q->by, path ? path : "there is no home");
        }
        return error_move(err, &problem);
}

static int sign(
    const struct ballot *b, const struct answer_request *q, struct answer_row *a, struct error **err)
{
        const struct approver *person = b->approvers ? map_get(&b->approvers->person_by_name, q->by) : NULL;
        if (person == NULL || !person->has_key) {
                if (q->must_sign || q->key_file != NULL)
                        return error_set(err, ERROR_DENIED, NULL,
                            "the environment knows no key of %s, so that nothing they sign would verify",
                            q->by);
                return 0;
        }
        cleanup(signing_key_free) struct signing_key *key = NULL;
        if (load_key(b, q, &key, err) < 0) return -1;
        if (key == NULL) return 0;
        unsigned char bytes[APPROVER_KEY];
        signing_key_public(key, bytes);
        if (memcmp(bytes, person->key, sizeof bytes) != 0)
                return error_set(err, ERROR_DENIED, NULL,
                    "this is not the key of %s that the environment names: nothing was signed", q->by);
        a->key = approver_key_text(bytes);
        struct statement s = answer_statement(a, b->lineage);
        return statement_sign(&s, key, &a->signature, err);
}

static int refuse_name(const char *by, const char *why, struct error **err)
{
        return error_set(err, ERROR_DENIED, NULL,
            "a run in the name of %s: %s (without --as it is in that of the operating system's user)", by,
            why);
}

int answer_prove(const struct approvers *approvers, const char *by, struct error **err)
{
        if (approvers == NULL || approvers->unsigned_ || approvers->people_count == 0) return 0;
        const struct approver *person = map_get(&approvers->person_by_name, by);
        if (person == NULL || !person->has_key)
                return refuse_name(
                    by, "the environment's 'approvers' know no key of a person of that name", err);
        cleanup_free char *path = signing_key_path(by);
        cleanup(signing_key_free) struct signing_key *key = NULL;
        cleanup(error_free) struct error *problem = NULL;
        if (path == NULL || signing_key_load(path, &key, &problem) < 0)
                return refuse_name(by, path ? error_message(problem) : "there is no home for their key", err);
        unsigned char bytes[APPROVER_KEY];
        signing_key_public(key, bytes);
        return memcmp(bytes, person->key, sizeof bytes) == 0
                   ? 0
                   : refuse_name(by, "the key that is here is not theirs", err);
}

int answer_check_comment(const char *comment, struct error **err)
{
        if (comment == NULL ||
            (strlen(comment) <= ANSWER_COMMENT_MAX && text_is_utf8(comment, strlen(comment))))
                return 0;
        return error_set(
            err, ERROR_INPUT, NULL, "a comment is text in UTF-8 of at most %d bytes", ANSWER_COMMENT_MAX);
}

int answer_make(const struct ballot *b, const struct answer_request *q, int64_t now_ms,
    struct answer_row *ret, struct error **err)
{
        if (answer_check_comment(q->comment, err) < 0) return -1;
        struct answer_row a = {
            .run = mem_strdup(b->run),
            .gate = mem_strdup(b->gate),
            .answer = mem_strdup(q->answer),
            .by = mem_strdup(q->by),
            .comment = mem_strdup(q->comment),
            .user = mem_strdup(q->user),
            .digest = mem_strdup(b->proposal->plan),
            .proposal = mem_strdup(b->proposal->digest),
            .opened_ms = b->opened_ms,
            .answered_ms = now_ms,
            .signed_ms = now_ms,
            .expires_ms = now_ms + (q->valid_ms > 0 ? q->valid_ms : ANSWER_VALID_MS),
        };
        int result = check_word(b, a.answer, err) < 0 ? -1 : check_person(b, a.by, err);
        if (result == 0) result = sign(b, q, &a, err);
        if (a.signature == NULL) a.signed_ms = a.expires_ms = 0;
        if (result == 0) result = answer_check(b, &a, now_ms, err);
        if (result == 0)
                *ret = a;
        else
                answer_row_release(&a);
        return result;
}
