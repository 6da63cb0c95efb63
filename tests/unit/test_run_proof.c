/* Proofs of recorded runs: they hold for what was recorded, and for nothing that differs in anything. */
#include <stdlib.h>

#include "base/mem.h"
#include "run/proof.h"
#include "state/seal.h"
#include "tap.h"

static struct seal *seal_of(const char *passphrase)
{
        char folder[] = "/tmp/tutti-proof-XXXXXX";
        struct seal *seal = NULL;
        if (mkdtemp(folder) == NULL) abort();
        setenv("TUTTI_PASSPHRASE", passphrase, 1);
        if (seal_open(folder, true, &seal, NULL) < 0) abort();
        cleanup_free char *remove = mem_printf("rm -r %s", folder);
        if (system(remove) != 0) abort();
        return seal;
}

struct made {
        struct run_row run;
        struct step_row steps[2];
        struct proved proved;
};

static void made_init(struct made *m)
{
        *m = (struct made){
            .run = {.id = (char *)"r1",
                .kind = (char *)"apply",
                .requester = (char *)"ann",
                .digest = (char *)"00ff",
                .plan = (char *)"{\"format\":1}",
                .started_ms = 1000},
            .steps = {{.index = 0, .address = (char *)"a", .type = (char *)"t", .action = (char *)"create"},
                {.index = 1, .address = (char *)"b", .type = (char *)"t", .action = (char *)"update"}},
        };
        m->proved = (struct proved){"staging", "0011", &m->run, m->steps, 2};
}

static bool holds(const struct made *m, unsigned parts, const struct sealer *sealer, const char *says)
{
        struct error *err = NULL;
        bool result = proof_check(&m->proved, parts, sealer, &err) == 0;
        if (!result && (error_kind(err) != ERROR_DENIED || strstr(error_message(err), says) == NULL))
                printf("# not as wanted: %s\n", error_message(err));
        bool as_wanted = result || (error_kind(err) == ERROR_DENIED && strstr(error_message(err), says));
        error_free(err);
        return result || !as_wanted;
}

#define refused(change, parts, says, name)                  \
        do {                                                \
                struct made m = good;                       \
                m.proved.run = &m.run;                      \
                m.proved.steps = m.steps;                   \
                change;                                     \
                ok(!holds(&m, parts, &sealer, says), name); \
        } while (0)

int main(void)
{
        struct seal *seal = seal_of("one"), *other = seal_of("two");
        const struct sealer sealer = {seal_seal, seal_unseal, seal},
                            foreign = {seal_seal, seal_unseal, other};
        enum { ALL = PROOF_PLAN | PROOF_STEPS };
        struct made good;
        made_init(&good);
        char *proof = NULL, *second = NULL;
        ok(proof_write(&good.proved, &sealer, &proof, NULL) == 0, "a proof");
        ok(proof_write(&good.proved, &sealer, &second, NULL) == 0 && strcmp(proof, second) != 0,
            "and another");
        good.run.proof = second;
        ok(holds(&good, ALL, &sealer, ""), "each holds");
        good.run.proof = proof;
        ok(holds(&good, ALL, &sealer, ""), "for all of it");
        ok(holds(&good, 0, &sealer, ""), "or the run alone");
        ok(!holds(&good, ALL, &foreign, "key did not make"), "to whoever has the key");
        ok(!holds(&good, ALL, NULL, "key did not make"), "without a key nothing does");

        refused(m.run.proof = NULL, 0, "no proof", "there has to be one");
        refused(m.run.proof = (char *)"", 0, "key did not make", "that is one");
        refused(m.proved.environment = "prod", 0, "row was changed", "of this environment");
        refused(m.proved.lineage = "0012", 0, "row was changed", "of this lineage");
        refused(m.run.id = (char *)"r2", 0, "row was changed", "of this run");
        refused(m.run.kind = (char *)"destroy", 0, "row was changed", "of this kind");
        refused(m.run.requester = (char *)"bob", 0, "row was changed", "by this person");
        refused(m.run.on_failure = (char *)"", 0, "row was changed", "with this policy, or none");
        refused(m.run.undoes = (char *)"r0", 0, "row was changed", "for this purpose");
        refused(m.run.digest = (char *)"00fe", 0, "row was changed", "of this plan");
        refused(m.run.started_ms = 999, 0, "row was changed", "begun then");
        refused(m.run.follows = (char *)"r0", 0, "row was changed", "after no other");
        refused(m.run.plan = (char *)"{\"format\":2}", ALL, "another plan", "and of this document");
        refused(m.run.plan = NULL, ALL, "another plan", "which is there");
        refused(m.proved.step_count = 1, ALL, "other steps", "a step less");
        refused(m.steps[1].index = 2, ALL, "other steps", "one of another number");
        refused(m.steps[1].address = (char *)"c", ALL, "other steps", "at another address");
        refused(m.steps[1].type = (char *)"u", ALL, "other steps", "of another type");
        refused(m.steps[1].action = (char *)"delete", ALL, "other steps", "that does something else");
        refused(m.steps[1].recovery_of = (char *)"a", ALL, "other steps", "for another reason");
        /* What is between two texts is not for anybody to move. */
        refused((m.run.kind = (char *)"applya", m.run.requester = (char *)"nn"), 0, "row was changed",
            "texts keep their borders");

        struct made m = good;
        m.proved.run = &m.run;
        m.proved.steps = m.steps;
        m.steps[0].status = (char *)"done";
        m.run.status = (char *)"waiting";
        m.run.summary = (char *)"{}";
        ok(holds(&m, ALL, &sealer, ""), "what changes while it runs is no part of it");
        m.run.plan = NULL;
        m.proved.step_count = 0;
        ok(holds(&m, 0, &sealer, ""), "what was not read is not looked at");

        /* Sealed with the key, and no proof. */
        struct text sealed = {0};
        ok(seal_seal(seal, "tutti plan 00ff", 15, &sealed, NULL) == 0, "another sealed value");
        m.run.proof = sealed.data;
        ok(!holds(&m, 0, &sealer, "key did not make"), "is no proof");
        text_release(&sealed);
        free(proof);
        free(second);
        seal_close(seal);
        seal_close(other);
        return done();
}
