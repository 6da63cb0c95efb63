/*
 * tutti audit: verifies the event log's chain, and prints who did what on whose approval.
 *
 * Each answer to a gate is in the log with its signature: that is verified here once more, with the key that was recorded with it, and
 * the key is held against the environment file. Answers that are in the store and not in the log were written there by something else
 * than this program.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "cli/command.h"
#include "cli/event_words.h"
#include "cli/print.h"
#include "cli/work.h"
#include "run/answer.h"

struct audit {
        const struct options *o;
        const struct approvers *approvers; /* of the environment file; or NULL */
        const char *lineage;
        struct map
            logged; /* what identifies an answer → how many there are in the log, as a number in a pointer */
        size_t invalid, strangers;
};

enum verdict { NO_ANSWER, UNSIGNED, VALID, RETIRED, INVALID };
static const char *const verdicts[] = {NULL, "unsigned", "valid", "retired", "invalid"};

/* --- signatures ------------------------------------------------------------------------------------------------------ */

/* Fields of an event's data, borrowed from `data`. */
static struct answer_row answer_of(const struct event_row *e, const json_t *data)
{
        return (struct answer_row){
            .run = e->run,
            .gate = (char *)json_string_value(json_object_get(data, "gate")),
            .answer = (char *)json_string_value(json_object_get(data, "answer")),
            .by = (char *)json_string_value(json_object_get(data, "by")),
            .comment = (char *)json_string_value(json_object_get(data, "comment")),
            .digest = (char *)json_string_value(json_object_get(data, "digest")),
            .proposal = (char *)json_string_value(json_object_get(data, "proposal")),
            .opened_ms = json_integer_value(json_object_get(data, "opened_ms")),
            .signed_ms = json_integer_value(json_object_get(data, "signed_ms")),
            .expires_ms = json_integer_value(json_object_get(data, "expires_ms")),
            .key = (char *)json_string_value(json_object_get(data, "key")),
            .signature = (char *)json_string_value(json_object_get(data, "signature")),
        };
}

static enum verdict verify(const struct audit *a, const struct answer_row *row)
{
        unsigned char key[APPROVER_KEY];
        if (row->signature == NULL) return UNSIGNED;
        struct statement s = answer_statement(row, a->lineage);
        if (row->key == NULL || !approver_key_parse(row->key, key) ||
            !statement_verify(&s, key, row->signature))
                return INVALID;
        const struct approver *person = a->approvers && row->by
                                            ? map_get(&a->approvers->person_by_name, row->by)
                                            : NULL;
        bool named = person != NULL && person->has_key && memcmp(person->key, key, sizeof key) == 0;
        return named ? VALID : RETIRED;
}

static char *identity(const struct answer_row *row)
{
        return mem_printf("%s\n%s\n%s\n%s\n%s", row->run, row->gate ? row->gate : "", row->by ? row->by : "",
            row->answer ? row->answer : "", row->signature ? row->signature : "");
}

static enum verdict look_at(struct audit *a, const struct event_row *e)
{
        if (strcmp(e->kind, "gate-answered") != 0) return NO_ANSWER;
        json_t *data = json_loads(e->data ? e->data : "", 0, NULL);
        struct answer_row row = answer_of(e, data);
        enum verdict verdict = verify(a, &row);
        cleanup_free char *key = identity(&row);
        uintptr_t count = (uintptr_t)map_get(&a->logged, key);
        map_put_copy(&a->logged, key, (void *)(count + 1));
        a->invalid += verdict == INVALID;
        json_decref(data);
        return verdict;
}

/* --- printing -------------------------------------------------------------------------------------------------------- */

static const char *verdict_words(enum verdict verdict)
{
        switch (verdict) {
        case UNSIGNED: return "  (not signed)";
        case VALID: return "  (the signature verifies)";
        case RETIRED:
                return "  (the signature verifies, with a key that the environment does not name for them "
                       "now)";
        case INVALID: return "  (the signature DOES NOT verify)";
        default: return "";
        }
}

static void print_event(struct audit *a, const struct event_row *e)
{
        char when[CLOCK_TEXT];
        clock_text(e->time_ms, when);
        enum verdict verdict = look_at(a, e);
        if (!a->o->json && event_is_technical(e)) return;
        if (!a->o->json) {
                struct text words __attribute__((__cleanup__(text_release_cleanup))) = {0};
                event_words(e, &words);
                printf("%6lld  %s  ", (long long)e->seq, when);
                print_cell(e->run, 7);
                print_cell(e->kind, 15);
                printf("%s%s%s%s\n", words.data ? words.data : "",
                    style_on(verdict == INVALID ? STYLE_RED : STYLE_NONE), verdict_words(verdict),
                    style_off());
                return;
        }
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addf(&json, "{\"seq\":%lld", (long long)e->seq);
        text_add_member(&json, "time", when);
        text_add_member(&json, "run", e->run ? e->run : "");
        text_add_member(&json, "event", e->kind);
        text_add(&json, ",\"data\":");
        text_json_recorded(&json, e->data);
        if (verdict != NO_ANSWER) text_add_member(&json, "signature", verdicts[verdict]);
        text_add_member(&json, "hash", e->hash);
        text_addc(&json, '}');
        puts(json.data);
}

/* --- the store against the log --------------------------------------------------------------------------------------- */

/* Answers from before they had a table of their own were not all logged as such; they name no proposal. */
static bool is_logged(struct audit *a, const struct answer_row *row)
{
        cleanup_free char *key = identity(row);
        uintptr_t count = (uintptr_t)map_get(&a->logged, key);
        if (count == 0) return row->signature == NULL && *row->proposal == '\0';
        map_put_copy(&a->logged, key, (void *)(count - 1));
        return true;
}

static int check_answers(struct audit *a, const struct answer_row *rows, size_t count, struct error **err)
{
        for (size_t i = 0; i < count; i++) {
                if (is_logged(a, &rows[i])) continue;
                a->strangers++;
                error_set(err, ERROR_CONFLICT, NULL,
                    "the store has an answer of %s to gate '%s' of run %s that is not in the log: it was not "
                    "written by this "
                    "program",
                    rows[i].by, rows[i].gate, rows[i].run);
        }
        if (a->invalid > 0)
                error_set(err, ERROR_CONFLICT, NULL, "%zu signed answer%s in the log %s not verify",
                    a->invalid, plural(a->invalid), a->invalid == 1 ? "does" : "do");
        return a->strangers + a->invalid > 0 ? -1 : 0;
}

static int audit(struct audit *a, struct session *s, size_t *checked, struct error **err)
{
        struct answer_row *answers;
        struct event_row *events;
        size_t answer_count, event_count;
        /* In this order: an answer that is read has its event read as well, also while a run goes on. */
        if (store_answers(session_store(s), session_name(s), NULL, &answers, &answer_count, err) < 0)
                return -1;
        int result = store_events(session_store(s), session_name(s), NULL, &events, &event_count, err);
        if (result == 0) {
                for (size_t i = 0; i < event_count; i++) print_event(a, &events[i]);
                event_rows_free(events, event_count);
                result = check_answers(a, answers, answer_count, err);
                if (store_verify(session_store(s), session_name(s), checked, err) < 0) result = -1;
        }
        answer_rows_free(answers, answer_count);
        return result;
}

int cmd_audit(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        if (s == NULL) return code;
        size_t checked = 0;
        struct audit a = {.o = o, .lineage = session_state(s)->lineage};
        session_approvers(s, &a.approvers, NULL); /* where it is wrong, nobody's key is known */
        int result = audit(&a, s, &checked, &err);
        map_release(&a.logged);
        if (result < 0) {
                print_error(o, err);
                return EXIT_FAILED;
        }
        if (!o->json)
                printf("The chain of %zu event%s holds, and every row is as it says.\n", checked,
                    plural(checked));
        return EXIT_DONE;
}
