/*
 * tutti approve: answers a gate of a waiting or running run, from any terminal; or signs an answer for somebody else to hand in, or
 * hands in one that was signed elsewhere.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/gates.h"
#include "cli/print.h"
#include "cli/work.h"
#include "io/file.h"
#include "run/hint.h"

#define ANSWER_HEAD "{\"format\":\"tutti approval 1\""
enum { ANSWER_FILE_MAX = 65536, TRIES = 20 };

struct approving {
        struct session *session;
        const struct options *o;
        char *run, *user;
        const char *by;
        /* what came of it, for the last word */
        char *answer, *person;
        bool is_signed, question;
        unsigned approvals, needed;
        char *status; /* of the gate; NULL: it waits as before */
};

/* What is said: approved or rejected, or the word that answers a question. NULL with an error. */
static const char *word_of(const struct options *o, const struct counted_gate *c, struct error **err)
{
        const char *gate = c->ballot.gate;
        if (c->proposal->choices == NULL) {
                if (o->answer == NULL) return o->reject ? ANSWER_REJECTED : ANSWER_APPROVED;
                error_set(
                    err, ERROR_INPUT, NULL, "gate '%s' is approved or rejected: it takes no --answer", gate);
                return NULL;
        }
        if (o->answer != NULL && !o->reject) return o->answer;
        struct text names __attribute__((__cleanup__(text_release_cleanup))) = {0};
        for (const char **word = c->proposal->choices; *word != NULL; word++)
                text_addf(&names, "%s%s", names.len ? ", " : "", *word);
        error_set(err, ERROR_INPUT, NULL,
            "'%s' asks what is to become of a step: give --answer with one of: %s", gate, names.data);
        return NULL;
}

/* --- the answer ------------------------------------------------------------------------------------------------------ */

/* What was signed elsewhere: it says by itself who answers what. */
static int read_answer(
    const struct approving *a, const struct counted_gate *c, struct answer_row *ret, struct error **err)
{
        struct text text __attribute__((__cleanup__(text_release_cleanup))) = {0};
        const char *path = a->o->signature;
        if (a->o->reject || a->o->answer != NULL || a->o->comment != NULL || a->o->as != NULL ||
            a->o->key != NULL)
                return error_set(err, ERROR_INPUT, NULL,
                    "--signature names an answer that says by itself who answers what and why; --reject, "
                    "--answer, --comment, --as and --key have no place beside it");
        if (file_read(path, ANSWER_FILE_MAX, &text, err) < 0) return -1;
        if (answer_read(text.data ? text.data : "", text.len, c->ballot.lineage, ret, err) < 0)
                return error_context(err, "%s", path);
        free(ret->user);
        ret->user = mem_strdup(a->user);
        ret->answered_ms = clock_wall_ms();
        if (answer_check(&c->ballot, ret, ret->answered_ms, err) == 0) return 0;
        answer_row_release(ret);
        return error_context(err, "%s", path);
}

static int obtain(
    const struct approving *a, const struct counted_gate *c, struct answer_row *ret, struct error **err)
{
        if (a->o->signature != NULL) return read_answer(a, c, ret, err);
        const char *word = word_of(a->o, c, err);
        if (word == NULL) return -1;
        struct answer_request request = {
            .by = a->by,
            .comment = a->o->comment,
            .user = a->user,
            .answer = word,
            .key_file = a->o->key,
            .valid_ms = a->o->valid_ms,
            .must_sign = a->o->sign,
        };
        return answer_make(&c->ballot, &request, clock_wall_ms(), ret, err);
}

static int refuse_twice(const struct counted_gate *c, const struct answer_row *row, struct error **err)
{
        for (size_t i = 0; strcmp(row->answer, ANSWER_APPROVED) == 0 && i < c->tally.count; i++)
                if (strcmp(c->tally.by[i], row->by) == 0)
                        return error_set(
                            err, ERROR_CONFLICT, NULL, "%s approved gate '%s' already", row->by, row->gate);
        return 0;
}

/* Stores it with what the gate comes to by it. ERROR_RETRY when others were faster. */
static int store(struct approving *a, const struct gate_row *gate, const struct counted_gate *c,
    const struct answer_row *own, struct error **err)
{
        size_t count = c->answers.count;
        cleanup_free struct answer_row *all = mem_alloc((count + 1) * sizeof *all);
        if (count > 0) memcpy(all, c->answers.rows, count * sizeof *all);
        all[count] = *own;
        struct tally t;
        answers_count(&c->ballot, all, count + 1, clock_wall_ms(), NULL, NULL, &t);
        cleanup_free char *names = tally_names(&t);
        bool closes = t.outcome != TALLY_OPEN;
        a->status = mem_strdup(tally_status(&t));
        struct gate_row outcome = {
            .status = a->status,
            .answered_by = names,
            .comment = closes ? t.last->comment : NULL,
        };
        /* An outcome that no answer bears out was written there by somebody else: it stands in nobody's way. The clock rejects by itself. */
        bool forged = strcmp(gate->status, "waiting") != 0 && strcmp(gate->status, ANSWER_REJECTED) != 0 &&
                      c->tally.outcome == TALLY_OPEN;
        int result = store_answer(session_store(a->session), session_name(a->session), own,
            closes ? &outcome : NULL, forged, count, err);
        a->approvals = (unsigned)t.count;
        a->needed = c->proposal->needed;
        tally_release(&t);
        return result;
}

static int print_signed(
    const struct approving *a, const struct counted_gate *c, const struct answer_row *row, struct error **err)
{
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        answer_write(row, session_name(a->session), c->ballot.lineage, &json);
        if (a->o->out != NULL) return file_write(a->o->out, json.data, json.len, 0600, err);
        fputs(json.data, stdout);
        return 0;
}

static int answer_ballot(
    struct approving *a, const struct gate_row *gate, const struct counted_gate *c, struct error **err)
{
        struct answer_row own = {0};
        if (obtain(a, c, &own, err) < 0) return -1;
        int result = refuse_twice(c, &own, err);
        if (result == 0) result = a->o->sign ? print_signed(a, c, &own, err) : store(a, gate, c, &own, err);
        a->answer = mem_strdup(own.answer);
        a->person = mem_strdup(own.by);
        a->is_signed = own.signature != NULL;
        a->question = c->proposal->choices != NULL;
        answer_row_release(&own);
        return result;
}

/* --- one attempt ----------------------------------------------------------------------------------------------------- */

/* What the gate shows must be of the plan that its run is recorded with. */
static int check_plan(struct approving *a, const struct counted_gate *c, struct error **err)
{
        struct run_row run = {0};
        if (store_run(session_store(a->session), session_name(a->session), a->run, &run, err) < 0) return -1;
        bool same = text_equal(run.digest, c->proposal->plan);
        run_row_release(&run);
        return same ? 0
                    : error_set(err, ERROR_CONFLICT, NULL,
                          "gate '%s' was asked about another plan than that of run %s: it is stale; `tutti "
                          "resume` asks anew",
                          c->ballot.gate, a->run);
}

static int attempt(struct approving *a, struct error **err)
{
        struct gates gates;
        const struct approvers *approvers;
        if (session_approvers(a->session, &approvers, err) < 0 ||
            store_verify_answers(session_store(a->session), session_name(a->session), a->run, err) < 0 ||
            gates_load(a->session, a->run, approvers, &gates, err) < 0)
                return -1;
        const struct gate_row *gate = gates_find(&gates, a->o->args[1]);
        struct counted_gate c = {0};
        int result = -1;
        if (gate == NULL) {
                struct text status __attribute__((__cleanup__(text_release_cleanup))) = {0};
                hint_add(&status, "status", a->o->args[0]);
                error_set(err, ERROR_MISSING, NULL, "no gate '%s' waits in run %s; `%s` shows those that do",
                    a->o->args[1], a->run, status.data);
        } else if (gates_count(&gates, gate, &c, err) == 0 && check_plan(a, &c, err) == 0) {
                result = answer_ballot(a, gate, &c, err);
        }
        counted_gate_release(&c);
        gates_release(&gates);
        return result;
}

static int answer(struct approving *a, struct error **err)
{
        for (int i = 0;; i++) {
                cleanup(error_free) struct error *problem = NULL;
                free(steal(a->answer));
                free(steal(a->person));
                free(steal(a->status));
                if (attempt(a, &problem) == 0) return 0;
                if (error_kind(problem) != ERROR_RETRY || i == TRIES) return error_move(err, &problem);
        }
}

/* --- the command ----------------------------------------------------------------------------------------------------- */

static void print_json(const struct approving *a)
{
        struct text json = {0};
        text_add(&json, "{\"run\":");
        text_json(&json, a->run);
        text_add(&json, ",\"gate\":");
        text_json(&json, a->o->args[1]);
        text_add(&json, ",\"answer\":");
        text_json(&json, a->answer);
        text_add(&json, ",\"by\":");
        text_json(&json, a->person);
        text_addf(&json, ",\"signed\":%s", a->is_signed ? "true" : "false");
        if (!a->question) text_addf(&json, ",\"approvals\":%u,\"needed\":%u", a->approvals, a->needed);
        text_add(&json, ",\"status\":");
        text_json(&json, a->status);
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

static void print_text(const struct approving *a)
{
        print_safe(stdout, a->o->args[1]);
        printf(": %s by ", a->answer);
        print_safe(stdout, a->person);
        printf("%s, in run ", a->is_signed ? ", signed" : "");
        print_safe(stdout, a->run);
        putchar('.');
        if (a->status == NULL || strcmp(a->status, "waiting") == 0)
                printf(" That is %u of %u; the gate waits on.\n", a->approvals, a->needed);
        else {
                printf(" A run that is under way goes on by itself; otherwise: ");
                print_hint("resume", a->o->args[0]);
                putchar('\n');
        }
}

static void print_hand_in(const struct options *o)
{
        struct text option __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add(&option, "--signature ");
        text_add_path(&option, o->out);
        printf("Signed. To hand it in: ");
        print_named_hint("approve", o->args[0], o->args[1], option.data);
        putchar('\n');
}

int cmd_approve(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        if (o->out != NULL && !o->sign) {
                error_set(&err, ERROR_INPUT, NULL,
                    "-o is where a signed answer goes: give --sign with it, or leave it out to answer the "
                    "gate");
                return print_error(o, err);
        }
        if (work_may_write(o->out, ANSWER_HEAD, "signed answer", &err) < 0) return print_error(o, err);
        cleanup(session_close) struct session *s = work_open_record(o, !o->sign, &code);
        if (s == NULL) return code;
        cleanup_free char *run = NULL, *user = session_user();
        if (!session_unfinished(s, &run, NULL)) {
                error_set(&err, ERROR_MISSING, NULL, "no run of environment '%s' waits", session_name(s));
                return print_error(o, err);
        }
        struct approving a = {.session = s, .o = o, .run = run, .user = user, .by = o->as ? o->as : user};
        int result = answer(&a, &err);
        if (result == 0 && !o->sign) (o->json ? print_json : print_text)(&a);
        if (result == 0 && o->sign && o->out != NULL && !o->json) print_hand_in(o);
        free(a.answer);
        free(a.person);
        free(a.status);
        return result == 0 ? EXIT_DONE : print_error(o, err);
}
