/* The run that gives way to another, and the answers that are given up with it; see supersede.h. */
#include "cli/supersede.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/flow.h"
#include "cli/gates.h"
#include "cli/print.h"

#define THIS_PLAN "this plan takes its place"

struct giving_way {
        struct run_row run;
        const char *status; /* as it stands: waiting, interrupted or RUN_ROLLBACK_DUE */
        struct gates gates;
};

/* What resume would make of it. */
enum readiness { READY, LACKS_ANSWERS, REFUSED };

/* A gate in the words of an event. */
struct told_gate {
        const struct gate_row *row;
        char *by;                   /* who approved, or answered */
        unsigned approvals, needed; /* needed 0: a question, or a proposal that cannot be read */
        bool waits;                 /* something is missing still */
        bool refused;
};

static bool load(struct session *s, struct giving_way *g)
{
        static const struct approvers nobody = {0};
        const struct approvers *approvers;
        cleanup_free char *id = NULL;
        if (!session_unfinished(s, &id, NULL)) return false;
        if (store_run(session_store(s), session_name(s), id, &g->run, NULL) < 0) return false;
        bool runs = strcmp(g->run.status, "running") == 0;
        if (runs && !session_run_left(s, &g->run)) return false; /* it is under way: ours will be refused */
        g->status = runs ? "interrupted" : g->run.status;
        if (session_approvers(s, &approvers, NULL) < 0) approvers = &nobody;
        return gates_load(s, id, approvers, &g->gates, NULL) == 0;
}

static struct told_gate tell_gate(const struct gates *gates, const struct gate_row *row)
{
        struct told_gate told = {.row = row, .waits = strcmp(row->status, "waiting") == 0};
        struct counted_gate c = {0};
        told.refused = strcmp(row->status, "rejected") == 0;
        if (gates_count(gates, row, &c, NULL) == 0 && c.proposal->choices == NULL) {
                told.approvals = (unsigned)c.tally.count;
                told.needed = c.proposal->needed;
                told.by = tally_names(&c.tally);
                told.waits = told.waits && told.approvals < told.needed;
        }
        if (told.by == NULL) told.by = mem_strdup(row->answered_by ? row->answered_by : "");
        counted_gate_release(&c);
        return told;
}

static void print_told(const struct told_gate *t)
{
        printf("  gate ");
        print_safe(stdout, t->row->name);
        if (!t->waits) printf(": ");
        if (!t->waits) print_safe(stdout, strcmp(t->row->status, "waiting") ? t->row->status : "approved");
        if (t->waits && t->needed > 1) printf(": %u of %u approved", t->approvals, t->needed);
        if (t->waits && t->needed <= 1) printf(": waits");
        if (*t->by != '\0') {
                printf(" by ");
                print_safe(stdout, t->by);
        }
        putchar('\n');
}

static const char *how_it_stands(const struct giving_way *g)
{
        return strcmp(g->status, "waiting") == 0          ? "waits"
               : strcmp(g->status, RUN_ROLLBACK_DUE) == 0 ? "failed, and its rollback is due"
                                                          : "was interrupted";
}

/* `why`: "this plan takes its place". */
static void print_text(struct session *s, const struct giving_way *g, const struct told_gate *told,
    enum readiness ready, const char *why)
{
        bool waits = strcmp(g->status, "waiting") == 0, gates = g->gates.count > 0;
        print_shown("\nRun %s %s; %s%s", g->run.id, how_it_stands(g), why,
            gates ? ", and what was answered in it is given up:\n" : ".");
        for (size_t i = 0; i < g->gates.count; i++) print_told(&told[i]);
        if (ready != REFUSED) {
                printf("%s", gates ? "" : " ");
                if (ready == READY && waits) printf("Nothing is missing that it waits for: ");
                putchar('`');
                print_hint("resume", session_file(s));
                printf("` %s with it instead%s.", ready == READY && waits ? "would go on" : "goes on",
                    ready == READY ? "" : ", once what is missing was answered");
        }
        if (ready != REFUSED || !gates) putchar('\n');
}

static void print_json(const struct giving_way *g, const struct told_gate *told, enum readiness ready)
{
        char now[CLOCK_TEXT];
        clock_text(clock_wall_ms(), now);
        struct text json = {0};
        text_addc(&json, '{');
        text_add_member(&json, "time", now);
        text_add_member(&json, "run", g->run.id);
        text_add_member(&json, "event", "run-superseded");
        text_add_member(&json, "status", g->status);
        text_addf(&json, ",\"ready\":%s,\"gates\":[", ready == READY ? "true" : "false");
        for (size_t i = 0; i < g->gates.count; i++) {
                const struct told_gate *t = &told[i];
                text_add(&json, i > 0 ? ",{\"gate\":" : "{\"gate\":");
                text_json(&json, t->row->name);
                text_add(&json, ",\"status\":");
                text_json(&json, t->row->status);
                text_add(&json, ",\"by\":");
                text_json(&json, *t->by ? t->by : NULL);
                if (t->needed > 0)
                        text_addf(&json, ",\"approvals\":%u,\"needed\":%u", t->approvals, t->needed);
                text_addc(&json, '}');
        }
        text_add(&json, "]}");
        puts(json.data);
        fflush(stdout);
        text_release(&json);
}

static void tell(struct session *s, const struct options *o, const struct giving_way *g, const char *why)
{
        struct told_gate *told = mem_alloc((g->gates.count + 1) * sizeof *told);
        enum readiness ready = READY;
        for (size_t i = 0; i < g->gates.count; i++) {
                told[i] = tell_gate(&g->gates, &g->gates.rows[i]);
                if (told[i].refused) ready = REFUSED;
                if (told[i].waits && ready == READY) ready = LACKS_ANSWERS;
        }
        if (o->json)
                print_json(g, told, ready);
        else
                print_text(s, g, told, ready, why);
        for (size_t i = 0; i < g->gates.count; i++) free(told[i].by);
        free(told);
}

/* Whoever says yes beforehand, as a pipeline does, did not see that others are at work. `sure`: it was said of this plan that it is to run. */
static int check_owner(struct session *s, const struct options *o, const struct giving_way *g, bool sure)
{
        cleanup_free char *user = session_user();
        cleanup(error_free) struct error *err = NULL;
        struct text resume __attribute__((__cleanup__(text_release_cleanup))) = {0};
        bool theirs = !text_equal(g->run.requester, o->as ? o->as : user);
        if (!sure || o->supersede || !theirs || strcmp(g->status, "waiting") != 0) return EXIT_DONE;
        text_add_shell(&resume, session_file(s));
        error_set(&err, ERROR_CONFLICT, NULL,
            "run %s of %s waits, and would be given up with what was answered in it: `tutti resume %s` goes "
            "on with it, "
            "--supersede takes its place",
            g->run.id, g->run.requester, resume.data);
        return print_error(o, err);
}

int supersede_tell(struct session *s, const struct options *o)
{
        struct giving_way g = {0};
        int code = EXIT_DONE;
        if (load(s, &g)) {
                code = check_owner(s, o, &g, true);
                if (code == EXIT_DONE) tell(s, o, &g, THIS_PLAN);
        }
        gates_release(&g.gates);
        run_row_release(&g.run);
        return code;
}

bool supersede_confirm(
    struct session *s, const struct options *o, bool empty, const char *question, int *code)
{
        struct giving_way g = {0};
        bool found = load(s, &g);
        *code = found ? check_owner(s, o, &g, o->yes) : EXIT_DONE;
        bool refused = *code != EXIT_DONE;
        /* An event says what happens, so it comes after the yes. */
        if (found && !refused && (!o->json || o->yes)) tell(s, o, &g, THIS_PLAN);
        if (found && !o->json && !o->yes) putchar('\n');
        gates_release(&g.gates);
        run_row_release(&g.run);
        return !refused && ((empty && !found) || flow_confirm(o, question, code));
}

static int end(struct session *s, const struct options *o, const struct giving_way *g)
{
        cleanup(error_free) struct error *err = NULL;
        int code = EXIT_DONE;
        if (!flow_can_confirm(o)) {
                print_shown("\nRun %s %s still: `", g->run.id, how_it_stands(g));
                print_hint("resume", session_file(s));
                printf("` goes on with it, --yes ends it.\n");
                return EXIT_DONE;
        }
        code = check_owner(s, o, g, o->yes);
        if (code != EXIT_DONE) return code;
        tell(s, o, g, "as there is nothing to do it is ended");
        if (!o->yes) putchar('\n');
        if (!flow_confirm(o, "End it?", &code)) return code;
        if (session_give_up(s, g->run.id, &err) < 0) return print_error(o, err);
        print_shown("Run %s was ended.\n", g->run.id);
        return EXIT_DONE;
}

int supersede_end(struct session *s, const struct options *o)
{
        struct giving_way g = {0};
        int code = load(s, &g) ? end(s, o, &g) : EXIT_DONE;
        gates_release(&g.gates);
        run_row_release(&g.run);
        return code;
}
