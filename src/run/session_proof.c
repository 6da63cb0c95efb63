/*
 * Proofs in a session: held against what is recorded before it is acted on, and given, once, to the runs of a store that an older
 * program made. See proof.h.
 *
 * The older runs are taken for what they are when the store is brought up to date; the key then writes down, beside the
 * database, that from here on nothing without a proof is to be believed. So deleting a proof does not make a run an old one.
 */
#include <stdlib.h>

#include "run/proof.h"
#include "run/session_internal.h"

int session_check_proof(struct session *s, const struct run_row *run, const struct step_row *steps,
    size_t step_count, unsigned parts, struct error **err)
{
        const struct proved p = {s->name, s->state->lineage, run, steps, step_count};
        /* A store of an older program that cannot be written: it can be looked at, nothing more. */
        if (run->proof == NULL && s->seal != NULL && seal_before_proofs(s->seal)) return 0;
        return proof_check(&p, parts, s->seal ? &s->sealer : NULL, err);
}

struct proofs {
        struct proof_row *rows;
        size_t count, capacity;
};

static int prove_run(struct session *s, const struct environment_row *e, const char *id,
    struct proofs *proofs, struct error **err)
{
        struct run_row run = {0};
        struct step_row *steps = NULL;
        size_t count = 0;
        char *proof = NULL;
        if (store_run(s->store, e->name, id, &run, err) < 0) return -1;
        int status = store_steps(s->store, e->name, id, &steps, &count, err);
        const struct proved p = {e->name, e->lineage, &run, steps, count};
        if (status == 0) status = proof_write(&p, &s->sealer, &proof, err);
        if (status == 0)
                vec_push(proofs->rows, proofs->count, proofs->capacity,
                    (struct proof_row){mem_strdup(e->name), mem_strdup(id), proof});
        step_rows_free(steps, count);
        run_row_release(&run);
        return status;
}

static int prove_environment(
    struct session *s, const struct environment_row *e, struct proofs *proofs, struct error **err)
{
        struct run_row *runs = NULL;
        size_t count = 0;
        int status = store_runs(s->store, e->name, &runs, &count, err);
        for (size_t i = 0; i < count && status == 0; i++)
                if (runs[i].proof == NULL && run_acts(runs[i].kind))
                        status = prove_run(s, e, runs[i].id, proofs, err);
        run_rows_free(runs, count);
        return status;
}

static void proofs_release(struct proofs *p)
{
        for (size_t i = 0; i < p->count; i++) {
                free(p->rows[i].environment);
                free(p->rows[i].run);
                free(p->rows[i].proof);
        }
        free(p->rows);
}

int session_prove_old(struct session *s, struct error **err)
{
        if (s->store == NULL || s->seal == NULL || !seal_before_proofs(s->seal)) return 0;
        struct environment_row *rows = NULL;
        struct proofs proofs = {0};
        size_t count = 0;
        int status = store_environments(s->store, &rows, &count, err);
        for (size_t i = 0; i < count && status == 0; i++)
                status = prove_environment(s, &rows[i], &proofs, err);
        if (status == 0 && proofs.count > 0)
                status = store_add_proofs(s->store, proofs.rows, proofs.count, err);
        proofs_release(&proofs);
        environment_rows_free(rows, count);
        /* In this order: a crash in between leaves a store that is gone through once more. */
        if (status == 0) status = seal_begin_proofs(s->store_folder, s->seal, err);
        return status < 0 ? error_context(err, "bring the recorded runs of %s up to date", s->state_url) : 0;
}
