/* The rules by which answers to gates count, one by one, and what a proposal covers. */
#include <unistd.h>

#include "base/clock.h"
#include "run/answer.h"
#include "tap.h"
#include "template/template.h"

enum { HOUR = 3600 * 1000 };
static const int64_t NOW = 1800000000000;

struct people { /* alice, bob and carol with keys of their own; ops: alice and bob */
        struct approver list[3];
        struct signing_key *keys[3];
        struct approver_group ops;
        const struct approver *members[2];
        struct approvers approvers;
};

static void people_init(struct people *p)
{
        static const char *const names[] = {"alice", "bob", "carol"};
        *p = (struct people){0};
        for (int i = 0; i < 3; i++) {
                if (signing_key_new(&p->keys[i], NULL) < 0) abort();
                p->list[i] = (struct approver){.name = names[i], .has_key = true};
                signing_key_public(p->keys[i], p->list[i].key);
                map_put(&p->approvers.person_by_name, names[i], &p->list[i]);
        }
        p->members[0] = &p->list[0];
        p->members[1] = &p->list[1];
        p->ops = (struct approver_group){"ops", p->members, 2};
        map_put(&p->approvers.group_by_name, "ops", &p->ops);
        p->approvers.people = p->list;
        p->approvers.people_count = 3;
        p->approvers.groups = &p->ops;
        p->approvers.group_count = 1;
}

static void people_release(struct people *p)
{
        for (int i = 0; i < 3; i++) signing_key_free(p->keys[i]);
        map_release(&p->approvers.person_by_name);
        map_release(&p->approvers.group_by_name);
}

/* Approvers end with NULL. */
static struct proposal *propose(unsigned needed, const char *const *approvers)
{
        struct proposal *p = proposal_new();
        p->message = "Shall we?";
        p->plan = "00ff";
        p->requester = "root";
        p->needed = needed;
        p->approvers = arena_alloc(p->arena, 8 * sizeof *p->approvers);
        for (; approvers != NULL && *approvers != NULL; approvers++)
                p->approvers[p->approver_count++] = *approvers;
        p->behind = arena_alloc(p->arena, 8 * sizeof *p->behind);
        p->behind[p->behind_count++] = (struct proposal_step){"web", "create"};
        p->behind[p->behind_count++] = (struct proposal_step){"dns[\"a\"]", "replace"};
        proposal_seal(p);
        return p;
}

static struct ballot ballot_of(const struct approvers *a, const struct proposal *p)
{
        return (struct ballot){.approvers = a,
            .proposal = p,
            .lineage = "l1",
            .run = "r1",
            .gate = "go",
            .opened_ms = NOW - HOUR};
}

/* An answer as it should be, by hand: signed with the key, if there is one. */
static struct answer_row says(
    const struct ballot *b, const char *by, const char *word, const struct signing_key *key)
{
        struct answer_row a = {.run = (char *)"r1",
            .gate = (char *)"go",
            .answer = (char *)word,
            .by = (char *)by,
            .digest = (char *)b->proposal->plan,
            .proposal = (char *)b->proposal->digest,
            .opened_ms = b->opened_ms,
            .answered_ms = NOW};
        if (key == NULL) return a;
        a.signed_ms = NOW;
        a.expires_ms = NOW + HOUR;
        struct statement s = answer_statement(&a, b->lineage);
        statement_sign(&s, key, &a.signature, NULL);
        return a;
}

static struct answer_row answer(const struct ballot *b, const char *by, const struct signing_key *key)
{
        return says(b, by, ANSWER_APPROVED, key);
}

static void sign_again(const struct ballot *b, struct answer_row *a, const struct signing_key *key)
{
        free(a->signature);
        struct statement s = answer_statement(a, b->lineage);
        statement_sign(&s, key, &a->signature, NULL);
}

static void refused(const struct ballot *b, const struct answer_row *a, enum error_kind kind,
    const char *reason, const char *name)
{
        cleanup(error_free) struct error *err = NULL;
        int result = answer_check(b, a, NOW, &err);
        ok(result < 0 && error_kind(err) == kind && strstr(error_message(err), reason) != NULL, "%s", name);
        if (result == 0 || strstr(error_message(err), reason) == NULL)
                printf("#   got: %s\n#  want: %s\n", error_message(err), reason);
}

static void who(struct people *p)
{
        static const char *const ops[] = {"ops", NULL};
        cleanup(proposal_free) struct proposal *q = propose(1, ops);
        struct ballot b = ballot_of(&p->approvers, q);
        struct answer_row alice = answer(&b, "alice", p->keys[0]), carol = answer(&b, "carol", p->keys[2]),
                          stranger = answer(&b, "dave", p->keys[2]), plain = answer(&b, "alice", NULL),
                          wrong = answer(&b, "alice", p->keys[1]), nobody = answer(&b, "", p->keys[0]);
        ok(answer_check(&b, &alice, NOW, NULL) == 0, "one of a group, signed");
        refused(&b, &carol, ERROR_DENIED, "its approvers are: ops", "a person who is not among them");
        refused(&b, &stranger, ERROR_DENIED, "know no person", "a stranger");
        refused(&b, &nobody, ERROR_DENIED, "names nobody", "an answer of nobody");
        refused(&b, &plain, ERROR_DENIED, "is not signed", "an answer without a signature");
        refused(&b, &wrong, ERROR_DENIED, "does not verify", "a signature by another's key");
        q->not_requester = true;
        q->requester = "alice";
        refused(&b, &alice, ERROR_DENIED, "whoever started run r1", "the requester");
        q->not_requester = false;
        p->approvers.unsigned_ = true;
        ok(answer_check(&b, &plain, NOW, NULL) == 0, "a word, where it is enough");
        refused(&b, &wrong, ERROR_DENIED, "does not verify", "a wrong signature even there");
        p->list[0].has_key = false;
        refused(&b, &alice, ERROR_DENIED, "knows no key", "a signature by a key that nobody knows");
        p->list[0].has_key = true;
        p->approvers.unsigned_ = false;
        struct ballot open = ballot_of(NULL, q);
        ok(answer_check(&open, &plain, NOW, NULL) < 0, "without approvers 'ops' is a name");
        struct answer_row named = answer(&open, "ops", NULL);
        ok(answer_check(&open, &named, NOW, NULL) == 0, "which answers");
        alice.answer = (char *)"maybe";
        refused(&b, &alice, ERROR_DENIED, "is no answer", "another word");
        free(alice.signature), free(carol.signature), free(stranger.signature), free(wrong.signature),
            free(nobody.signature);
}

static void what_and_when(struct people *p)
{
        cleanup(proposal_free) struct proposal *q = propose(1, NULL);
        struct ballot b = ballot_of(&p->approvers, q);
        struct answer_row a = answer(&b, "alice", p->keys[0]), good = a;
        a.run = (char *)"r2";
        refused(&b, &a, ERROR_CONFLICT, "to run r2, not to run r1", "another run");
        a = good, a.gate = (char *)"stop";
        refused(&b, &a, ERROR_CONFLICT, "to gate 'stop', not to 'go'", "another gate");
        a = good, a.digest = (char *)"00fe";
        refused(&b, &a, ERROR_CONFLICT, "another plan", "another plan");
        a = good, a.proposal = (char *)"";
        refused(&b, &a, ERROR_CONFLICT, "stale", "no proposal, though signed");
        a = good, a.opened_ms++;
        refused(&b, &a, ERROR_CONFLICT, "stale", "asked at another time");
        struct ballot other = b;
        other.lineage = "l2";
        refused(&other, &good, ERROR_DENIED, "another environment", "the same run of another environment");
        ok(answer_check(&b, &good, NOW + HOUR - 1, NULL) == 0, "good to the last millisecond");
        cleanup(error_free) struct error *err = NULL;
        ok(answer_check(&b, &good, NOW + HOUR, &err) < 0 && strstr(error_message(err), "expired at"),
            "and then expired");
        ok(answer_check(&b, &good, NOW - ANSWER_SKEW_MS, NULL) == 0, "clocks may differ a little");
        ok(answer_check(&b, &good, NOW - ANSWER_SKEW_MS - 1, NULL) < 0, "not more");
        q->expires_ms = HOUR;
        ok(answer_check(&b, &good, NOW, NULL) == 0, "in time at the last moment");
        q->expires_ms = HOUR - 1;
        refused(&b, &good, ERROR_TIMEOUT, "had lapsed", "after the gate lapsed");
        q->remind = true;
        ok(answer_check(&b, &good, NOW, NULL) == 0, "which one that reminds does not");
        free(good.signature);
}

static int complaints;
static void complain(void *context, const struct answer_row *row, const struct error *why)
{
        (void)context, (void)row, (void)why;
        complaints++;
}

static void counting(struct people *p)
{
        cleanup(proposal_free) struct proposal *q = propose(2, NULL);
        struct ballot b = ballot_of(&p->approvers, q);
        struct answer_row rows[5] = {answer(&b, "alice", p->keys[0]), answer(&b, "alice", p->keys[0]),
            answer(&b, "bob", NULL), answer(&b, "bob", p->keys[1]), answer(&b, "carol", p->keys[2])};
        struct tally t;
        answers_count(&b, rows, 3, NOW, complain, NULL, &t);
        ok(t.outcome == TALLY_OPEN && t.count == 1 && complaints == 1,
            "twice by one person is once; unsigned is not");
        tally_release(&t);
        answers_count(&b, rows, 5, NOW, NULL, NULL, &t);
        cleanup_free char *names = tally_names(&t);
        ok(t.outcome == TALLY_APPROVED && t.all_signed && t.last == &rows[3], "two persons approve");
        is_str(names, "alice, bob", "by name");
        tally_release(&t);
        rows[3].answer = (char *)"rejected";
        sign_again(&b, &rows[3], p->keys[1]);
        answers_count(&b, rows, 5, NOW, NULL, NULL, &t);
        cleanup_free char *rejected = tally_names(&t);
        ok(t.outcome == TALLY_REJECTED && t.last == &rows[3], "one rejection before that rejects");
        is_str(rejected, "bob", "by name");
        tally_release(&t);
        struct map by_gate = {0};
        rows[3].gate = rows[4].gate = (char *)"other";
        struct answer_slice *slices = answers_by_gate(rows, 5, &by_gate);
        const struct answer_slice *go = map_get(&by_gate, "go"), *other = map_get(&by_gate, "other");
        ok(go && go->count == 3 && other && other->rows == &rows[3] && other->count == 2, "answers by gate");
        map_release(&by_gate);
        free(slices);
        for (int i = 0; i < 5; i++) free(rows[i].signature);
}

static void people_of(struct people *p)
{
        static const char *const both[] = {"ops", "carol", "alice", NULL};
        cleanup(proposal_free) struct proposal *q = propose(1, both);
        struct ballot b = ballot_of(&p->approvers, q);
        size_t count;
        bool anyone;
        const char **list = ballot_people(&b, &count, &anyone);
        ok(!anyone && count == 3 && strcmp(list[2], "carol") == 0, "groups and persons, each once");
        free(list);
        q->not_requester = true;
        q->requester = "bob";
        free(ballot_people(&b, &count, &anyone));
        is_int(count, 2, "the requester left out");
        cleanup(proposal_free) struct proposal *open = propose(1, NULL);
        struct ballot everybody = ballot_of(NULL, open);
        free(ballot_people(&everybody, &count, &anyone));
        ok(anyone && count == 0, "nobody named: anyone");
        everybody.approvers = &p->approvers;
        free(ballot_people(&everybody, &count, &anyone));
        ok(!anyone && count == 3, "or all whom the environment names");
}

static void making(struct people *p, const char *folder)
{
        cleanup(proposal_free) struct proposal *q = propose(1, NULL);
        struct ballot b = ballot_of(&p->approvers, q);
        cleanup_free char *path = mem_printf("%s/alice.pem", folder);
        ok(signing_key_save(p->keys[0], path, NULL) == 0, "a key in a file");
        struct answer_request request = {
            .by = "alice", .user = "root", .answer = ANSWER_APPROVED, .key_file = path, .comment = "fine"};
        struct answer_row a;
        cleanup(error_free) struct error *err = NULL;
        if (!ok(answer_make(&b, &request, NOW, &a, &err) == 0, "an answer is made")) return;
        ok(a.signature != NULL && a.expires_ms == NOW + ANSWER_VALID_MS &&
                answer_check(&b, &a, NOW, NULL) == 0,
            "signed for a day");
        struct text json = {0};
        answer_write(&a, "staging", "l1", &json);
        struct answer_row back;
        ok(answer_read(json.data, json.len, "l1", &back, NULL) == 0, "its document is read again");
        ok(answer_check(&b, &back, NOW, NULL) == 0, "and counts");
        is_str(back.comment, "fine", "with its comment");
        answer_row_release(&back);
        ok(answer_read(json.data, json.len, "l2", &back, &err) < 0 && error_kind(err) == ERROR_CONFLICT,
            "not for another environment");
        error_free(steal(err));
        ok(answer_read("{}", 2, "l1", &back, &err) < 0 && error_kind(err) == ERROR_INPUT,
            "not another document");
        error_free(steal(err));
        for (size_t len = 0; len < json.len - 1; len += 7)
                if (answer_read(json.data, len, "l1", &back, NULL) == 0)
                        ok(false, "a part of %zu bytes is read", len);
        text_release(&json);
        answer_row_release(&a);
        request.by = "bob";
        ok(answer_make(&b, &request, NOW, &a, &err) < 0 && strstr(error_message(err), "not the key of bob"),
            "not with another's key");
        error_free(steal(err));
        request.by = "alice";
        request.comment = "\xff";
        ok(answer_make(&b, &request, NOW, &a, &err) < 0 && error_kind(err) == ERROR_INPUT,
            "a comment is text");
        error_free(steal(err));
        request = (struct answer_request){.by = "bob", .user = "root", .answer = ANSWER_APPROVED};
        setenv("XDG_CONFIG_HOME", folder, 1);
        ok(answer_make(&b, &request, NOW, &a, &err) < 0 &&
                strstr(error_message(err), "the key of bob is not here"),
            "not without a key");
        unlink(path);
}

static void questions(const struct people *p)
{
        cleanup(proposal_free) struct proposal *q = propose(1, NULL), *read = NULL;
        const char *words[] = {"adopt", "retry", "forget", NULL}, *rest;
        q->choices = words;
        q->behind_total = 7;
        proposal_seal(q);
        ok(proposal_read(q->text, &read, NULL) == 0 && proposal_covers(read, q) && read->behind_total == 7,
            "a question is read again as it was written");
        is_str(read->digest, q->digest, "to the byte");
        read->needs_id = true;
        ok(!proposal_covers(read, q), "one that needs an id is another");
        is_str(answer_choice(read, "adopt vol-1", &rest), "adopt", "a choice");
        is_str(rest, "vol-1", "with what follows it");
        ok(answer_choice(read, "retry now", &rest) == NULL, "nothing follows the others");
        ok(answer_choice(read, "adop", &rest) == NULL && answer_choice(read, "", &rest) == NULL,
            "words are whole");

        struct ballot b = ballot_of(&p->approvers, read);
        static const char *const bad[] = {"approved", "adopt", "retry x", "adopt a\nb", "adopt \xff", ""};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct answer_row a = says(&b, "alice", bad[i], p->keys[0]);
                ok(answer_check(&b, &a, NOW, NULL) < 0, "%zu: no answer to it", i);
                free(a.signature);
        }
        struct answer_row rows[] = {says(&b, "alice", "retry", p->keys[1]),
            says(&b, "bob", "adopt vol-1", p->keys[1]), says(&b, "alice", "forget", p->keys[0])};
        struct tally t;
        answers_count(&b, rows, 3, NOW, NULL, NULL, &t);
        ok(t.outcome == TALLY_ANSWERED && t.last == &rows[1] && t.all_signed,
            "the first that counts answers");
        is_str(tally_status(&t), "adopt vol-1", "with what it says");
        cleanup_free char *names = tally_names(&t);
        is_str(names, "bob", "by whom");
        tally_release(&t);
        for (size_t i = 0; i < 3; i++) free(rows[i].signature);
}

static void covering(void)
{
        static const char *const ops[] = {"ops", NULL};
        cleanup(proposal_free) struct proposal *shown = propose(2, ops), *now = propose(2, ops), *read = NULL;
        is_str(shown->digest, now->digest, "the same is the same");
        ok(proposal_read(shown->text, &read, NULL) == 0, "it is read again");
        is_str(read->digest, shown->digest, "as it was written");
        ok(proposal_covers(read, now) && proposal_covers(now, read), "and stands for it");
        now->behind_count = 1;
        ok(proposal_covers(read, now), "what is done already need not be asked for");
        ok(!proposal_covers(now, read), "what was not shown has to be");
        now->behind[0].action = "delete";
        ok(!proposal_covers(read, now), "nor another action");
        now->behind_count = 0;
        struct proposal good = *now;
        now->message = "Shall we not?";
        ok(!proposal_covers(read, now), "another message");
        *now = good, now->needed = 1;
        ok(!proposal_covers(read, now), "another quorum");
        *now = good, now->plan = "00fe";
        ok(!proposal_covers(read, now), "another plan");
        *now = good, now->approver_count = 0;
        ok(!proposal_covers(read, now), "other approvers");
        *now = good, now->requester = "eve";
        ok(!proposal_covers(read, now), "another requester");
        *now = good, now->expires_ms = 5;
        ok(!proposal_covers(read, now), "another time");
        *now = good;
        struct proposal *broken = NULL;
        ok(proposal_read("{\"message\":", &broken, NULL) < 0 && proposal_read("[]", &broken, NULL) < 0 &&
                proposal_read(NULL, &broken, NULL) < 0,
            "what we did not write is none");
        ok(proposal_read("{\"needed\":-3,\"behind\":[1,null],\"approvers\":[[]],\"expires_ms\":-1}", &broken,
               NULL) == 0 &&
                broken->needed == 1 && broken->approver_count == 0 && broken->expires_ms == 0,
            "and odd values are harmless");
        proposal_free(broken);
}

int main(void)
{
        struct people p;
        char folder[] = "/tmp/tutti-answer-XXXXXX";
        if (mkdtemp(folder) == NULL) skip_all("no folder for keys");
        people_init(&p);
        who(&p);
        what_and_when(&p);
        counting(&p);
        people_of(&p);
        making(&p, folder);
        questions(&p);
        covering();
        people_release(&p);
        rmdir(folder);
        return done();
}
