/*
 * What a commit of the store costs: batches of fixed writes, as a run makes them, into a store of their own. It prints nothing about
 * time: tests/bench/instructions counts what happens inside counted().
 *
 *     bench_commit FOLDER COMMITS STEPS      FOLDER must exist and is left with the store in it; STEPS per commit, 1 to 100
 *
 * Each step is made of the writes of one that was done: its intent, its outcome, the resource, its event, its duration.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "state/store.h"

enum { WRITES_OF_STEP = 6, STEPS_MAX = 100 };

/* The rows of one step; its writes borrow them. */
struct step {
        char address[32], id[32];
        struct step_row row;
        struct operation_row operation;
        struct resource_row resource;
};

static void step_init(struct step *s, int64_t index)
{
        *s = (struct step){0};
        snprintf(s->address, sizeof s->address, "volume[%lld]", (long long)index);
        snprintf(s->id, sizeof s->id, "vol-%08lld", (long long)index);
        s->row = (struct step_row){.index = index,
            .address = s->address,
            .type = (char *)"sandbox.volume",
            .action = (char *)"create",
            .status = (char *)"done",
            .attempts = 1,
            .started_ms = 1700000000000,
            .ended_ms = 1700000000100};
        s->operation = (struct operation_row){.run = (char *)"r1",
            .step = index,
            .address = s->address,
            .deposed = (char *)"",
            .type = (char *)"sandbox.volume",
            .provider = (char *)"sandbox",
            .action = (char *)"create",
            .token = (char *)"0123456789abcdef0123456789abcdef",
            .state = 1,
            .planned = (char *)"{\"name\":\"volume\",\"size_gb\":10}",
            .started_ms = 1700000000000};
        s->resource = (struct resource_row){.address = s->address,
            .deposed = (char *)"",
            .type = (char *)"sandbox.volume",
            .provider = (char *)"sandbox",
            .id = s->id,
            .properties = (char *)"{\"labels\":null,\"name\":\"volume\",\"server_id\":null,\"size_gb\":10}",
            .outputs = (char *)"{\"device\":null,\"status\":\"active\"}",
            .token = s->operation.token,
            .created_ms = 1700000000100,
            .updated_ms = 1700000000100};
}

static void step_writes(const struct step *s, struct store_write *w)
{
        const char *data = "{\"address\":\"volume\",\"action\":\"create\",\"seconds\":0.1}";
        w[0] = (struct store_write){.kind = WRITE_OPERATION, .run = "r1", .operation = &s->operation};
        w[1] = (struct store_write){
            .kind = WRITE_RESOURCE, .run = "r1", .action = "create", .resource = &s->resource};
        w[2] = (struct store_write){.kind = WRITE_STEP, .run = "r1", .steps = {&s->row, 1}};
        w[3] = (struct store_write){.kind = WRITE_OPERATION_OVER, .run = "r1", .operation = &s->operation};
        w[4] = (struct store_write){.kind = WRITE_EVENT, .run = "r1", .event = {"step-done", data}};
        w[5] = (struct store_write){
            .kind = WRITE_DURATION, .action = "create", .duration = {"sandbox.volume", 0.1}};
}

static int fail(const char *what, struct error *err)
{
        fprintf(stderr, "bench_commit: %s: %s\n", what, error_message(err));
        error_free(err);
        return 1;
}

/* The run that the steps belong to, with its table. */
static int begin(struct store *s, const struct lease *lease, int total, struct error **err)
{
        struct run_row run = {.id = (char *)"r1",
            .kind = (char *)"apply",
            .status = (char *)"running",
            .requester = (char *)"bench",
            .digest = (char *)"sha256:0",
            .plan = (char *)"{}",
            .started_ms = 1700000000000};
        struct step *steps = mem_alloc((size_t)total * sizeof *steps);
        struct step_row *rows = mem_alloc((size_t)total * sizeof *rows);
        for (int i = 0; i < total; i++) {
                step_init(&steps[i], i);
                rows[i] = steps[i].row;
                rows[i].status = (char *)"pending";
        }
        struct store_write w[2] = {{.kind = WRITE_RUN, .run = "r1", .run_row = &run},
            {.kind = WRITE_STEPS, .run = "r1", .steps = {rows, (size_t)total}}};
        int rc = store_commit(s, lease, w, 2, err);
        free(steps);
        free(rows);
        return rc;
}

/* A function of its own, which callgrind finds by its name; --toggle-collect=counted leaves out all else. */
__attribute__((noinline)) static int counted(struct store *s, const struct lease *lease,
    const struct store_write *writes, size_t count, struct error **err)
{
        return store_commit(s, lease, writes, count, err);
}

int main(int argc, char **argv)
{
        int commits = argc == 4 ? atoi(argv[2]) : 0, steps = argc == 4 ? atoi(argv[3]) : 0;
        if (commits < 1 || commits > 10000 || steps < 1 || steps > STEPS_MAX) {
                fprintf(stderr, "usage: bench_commit FOLDER COMMITS STEPS\n");
                return 4;
        }
        cleanup_free char *url = mem_printf("sqlite:%s/state.db", argv[1]);
        cleanup(store_close) struct store *s = NULL;
        struct error *err = NULL;
        struct environment_row environment;
        struct lease lease;
        if (store_open(url, STORE_CREATE, &s, &err) < 0) return fail("open", err);
        if (store_environment(s, "bench", true, &environment, &err) < 0) return fail("environment", err);
        environment_row_release(&environment);
        if (store_lease_acquire(s, "bench", "bench", 600000, &lease, &err) < 0) return fail("lease", err);
        if (begin(s, &lease, commits * steps, &err) < 0) return fail("begin", err);
        for (int i = 0; i < commits; i++) {
                struct step batch[STEPS_MAX];
                struct store_write writes[STEPS_MAX * WRITES_OF_STEP];
                for (int k = 0; k < steps; k++) {
                        step_init(&batch[k], (int64_t)i * steps + k);
                        step_writes(&batch[k], writes + (size_t)k * WRITES_OF_STEP);
                }
                if (counted(s, &lease, writes, (size_t)steps * WRITES_OF_STEP, &err) < 0)
                        return fail("commit", err);
        }
        if (store_lease_release(s, &lease, &err) < 0) return fail("release", err);
        return 0;
}
