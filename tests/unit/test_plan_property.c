/*
 * Random environments, changed at random a few times over: each plan is carried out, or a part of it, nothing that a cloud would refuse
 * happens, what stands as it is wanted is not made again, the plan after a whole one is empty, and destroying leaves nothing. TUTTI_SEED=n repeats one run and prints what it did.
 */
#include "plan_fixture.h"

enum { RESOURCES = 14, ROUNDS = 4, RUNS = 400 };

struct dice {
        uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
        d->state = d->state * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(d->state >> 33) % sides;
}

enum form { LONE, COUNTED, KEYED };
struct made {
        bool there, gate, server;
        enum form form;
        int count;
};

/* A reference to some of what stands before `at` in the order, as an expression without its ${}; NULL when there is none. */
static char *reference(struct dice *d, const struct made *all, const int *order, int at)
{
        for (int tries = 0; at > 0 && tries < 8; tries++) {
                int i = order[roll(d, (unsigned)at)];
                const struct made *m = &all[i];
                if (!m->there || m->gate || (m->form == COUNTED && m->count == 0)) continue;
                if (m->form == LONE && m->server && roll(d, 2)) return mem_printf("r%d.ip", i);
                if (m->form == LONE) return mem_printf("r%d.id", i);
                if (m->form == COUNTED && roll(d, 3))
                        return mem_printf("r%d[%d].id", i, (int)roll(d, (unsigned)m->count));
                if (m->form == COUNTED) return mem_printf("join(\"+\", r%d[*].id)", i);
                return roll(d, 3) ? mem_printf("r%d[\"%s\"].id", i, roll(d, 2) ? "a" : "b")
                                  : mem_printf("join(\"+\", [for x in r%d : x.id])", i);
        }
        return NULL;
}

static void add_resource(struct text *t, struct dice *d, struct made *all, const int *order, int at)
{
        static const char *const types[] = {"cloud.network", "cloud.subnet", "cloud.server", "value"};
        int i = order[at];
        struct made *m = &all[i];
        unsigned kind = i % 7 == 6 ? 4 : roll(d, 12) ? (unsigned)i % 4 : roll(d, 4);
        *m = (struct made){.there = roll(d, 8) != 0,
            .gate = kind == 4,
            .server = kind == 2,
            .form = kind == 4 ? LONE : (enum form)(i / 4 % 3),
            .count = (int)roll(d, 4)};
        if (!m->there) return;
        text_addf(t, "  r%d:\n    type: %s\n", i, m->gate ? "gate" : types[kind]);
        if (m->form == COUNTED) text_addf(t, "    count: %d\n", m->count);
        if (m->form == KEYED) text_add(t, "    for_each: [a, b]\n");
        int after = at > 0 ? order[roll(d, (unsigned)at)] : -1;
        if (after >= 0 && all[after].there && (m->gate || roll(d, 5) == 0))
                text_addf(t, "    after: [r%d]\n", after);
        if (m->gate) {
                text_add(t, "    properties: {message: go}\n");
                return;
        }
        if (roll(d, 4) == 0) text_add(t, "    replace: create-first\n");
        if (roll(d, 8) == 0) text_add(t, "    approve: {on: [create, update, replace, delete]}\n");
        cleanup_free char *ref = reference(d, all, order, at), *more = reference(d, all, order, at);
        cleanup_free char *first = ref ? mem_printf("'${%s}'", ref) : mem_strdup("none");
        const char *names[] = {"cidr", "network_id", "subnet_id", "input"};
        if (kind == 3 && more != NULL)
                text_addf(t, "    properties: {input: [%s, '${%s}', local.l]}\n", first, more);
        else if (kind == 3)
                text_addf(t, "    properties: {input: [%s, \"${local.l}\"]}\n", first);
        else
                text_addf(t, "    properties: {name: v%u, %s: %s}\n", roll(d, 3), names[kind], first);
}

static char *environment(struct dice *d)
{
        struct text t = {0};
        struct made all[RESOURCES] = {0};
        int order[RESOURCES];
        for (int i = 0; i < RESOURCES; i++) order[i] = i;
        for (int swaps = 0; swaps < 3; swaps++) {
                unsigned a = roll(d, RESOURCES), b = roll(d, RESOURCES);
                int other = order[a];
                order[a] = order[b];
                order[b] = other;
        }
        text_add(&t, "environment: e\nresources:\n  base: {type: value, properties: {input: x}}\n");
        for (int at = 0; at < RESOURCES; at++) add_resource(&t, d, all, order, at);
        cleanup_free char *ref = reference(d, all, order, RESOURCES);
        text_addf(&t, "locals:\n  l: '${base.id}'\noutputs:\n  o: '${%s}'\n", ref ? ref : "base.id");
        return text_steal(&t);
}

/* What stands as it is wanted is not made again. Reports the address, or NULL. */
static const char *made_again(struct cloud *c)
{
        for (size_t s = 0; c->plan && s < c->plan->count; s++) {
                const struct step *step = &c->plan->steps[s];
                bool makes = step->action == ACTION_CREATE || step->action == ACTION_REPLACE;
                if (!makes || !step->schema->can_import || !value_is_wholly_known(step->planned)) continue;
                for (size_t o = 0; o < c->count; o++) {
                        const struct object *object = &c->objects[o];
                        if (strcmp(object->address, step->address) == 0 && object->deposed[0] &&
                            strcmp(object->type, step->type) == 0 && !object->tainted &&
                            value_equal(object->properties, step->planned))
                                return step->address;
                }
        }
        return NULL;
}

static void release_texts(char **texts)
{
        for (int round = 0; round < ROUNDS; round++) free(texts[round]);
}

struct luck { /* over all environments */
        int late, restored, tangled, spared;
};

/* Versions that were carried out in part may have left records whose orders form a circle, each right by itself: those lives are counted apart. */
static char *judge(struct cloud *c, bool parted, int round, struct luck *luck)
{
        if (c->violations == 0) return NULL;
        bool tangled = parted && c->in_use == c->violations;
        luck->tangled += tangled;
        c->violations = c->in_use = 0;
        return tangled ? NULL : mem_printf("round %d: a cloud would refuse this", round);
}

/* Carries out what the plan says, or only a part of it. What is wrong, to be freed, or NULL. */
static char *carry_out(struct cloud *c, struct dice *d, int round, bool *parted, struct luck *luck)
{
        const char *again = made_again(c);
        if (again != NULL) return mem_printf("round %d: %s is made again, and one stands", round, again);
        for (size_t s = 0; s < c->plan->count; s++)
                luck->restored += c->plan->steps[s].action == ACTION_RESTORE;
        bool part = round < ROUNDS && c->plan->count > 0 && roll(d, 3) == 0;
        if (part)
                cloud_apply_part(c, roll(d, (unsigned)c->plan->count));
        else
                cloud_apply(c);
        char *wrong = judge(c, *parted, round, luck);
        *parted |= part;
        if (wrong != NULL || part) return wrong;
        if (cloud_plan(c, NULL) == NULL) return mem_printf("round %d: no second plan", round);
        return plan_is_empty(c->plan) ? NULL : mem_printf("round %d: not settled", round);
}

/* One environment through its life, which goes back to an earlier version of it now and then; the first thing that is wrong, to be
 * freed, or NULL. */
static char *live(uint64_t seed, bool talk, struct luck *luck)
{
        struct cloud c;
        struct dice d = {.state = seed * 2654435761u + 1};
        char *wrong = NULL;
        bool parted = false;
        char *texts[ROUNDS] = {0};
        cloud_init(&c);
        for (int round = 0; round <= ROUNDS && wrong == NULL; round++) {
                if (round < ROUNDS) {
                        bool back = round > 1 && roll(&d, 2) == 0;
                        texts[round] = back ? mem_strdup(texts[round - 2]) : environment(&d);
                        if (talk) printf("# --- round %d\n%s", round, texts[round]);
                        if (!cloud_load(&c, texts[round]))
                                wrong = mem_printf("round %d does not load", round);
                } else
                        c.input.mode = PLAN_DESTROY;
                cleanup_free char *problems = NULL;
                if (wrong == NULL && cloud_plan(&c, &problems) == NULL)
                        wrong = mem_printf("round %d: %s", round, problems);
                if (wrong != NULL) break;
                cleanup_free char *steps = plan_text(c.plan);
                if (talk) printf("# %s\n", steps);
                wrong = carry_out(&c, &d, round, &parted, luck);
        }
        luck->late += c.late > 0;
        luck->spared += c.spared;
        if (wrong == NULL && c.count > 0) wrong = mem_strdup("destroying left something");
        cloud_release(&c);
        release_texts(texts);
        return wrong;
}

int main(void)
{
        ips_by_name = true;
        const char *only = getenv("TUTTI_SEED");
        int bad = 0;
        struct luck luck = {0};
        for (uint64_t seed = 1; seed <= RUNS && only == NULL; seed++) {
                cleanup_free char *wrong = live(seed, false, &luck);
                if (wrong != NULL && ++bad <= 5) printf("# seed %llu: %s\n", (unsigned long long)seed, wrong);
        }
        if (only != NULL) {
                cleanup_free char *wrong = live(strtoull(only, NULL, 10), true, &luck);
                printf("# %s\n", wrong ? wrong : "right");
                bad = wrong != NULL;
        }
        ok(luck.late <= RUNS / 50, "%d environments led something away later than they might have",
            luck.late);
        ok(luck.tangled <= RUNS / 20, "%d that stopped in the middle left a circle", luck.tangled);
        ok(luck.spared > 0 || only != NULL, "%d replacements turned out not to be needed", luck.spared);
        ok(luck.restored > 0 || only != NULL, "%d objects were taken back", luck.restored);
        is_int(bad, 0, "every environment lives and dies without a complaint");
        return done();
}
