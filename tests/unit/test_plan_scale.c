/* A hundred thousand resources in the shapes that break what is quadratic or recursive. Counts, not clocks. */
#include <time.h>
#include "plan_fixture.h"

#if defined(__SANITIZE_ADDRESS__)
enum { MANY = 10000 }; /* a sanitizer is slow */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { MANY = 10000 };
#else
enum { MANY = 100000 };
#endif
#else
enum { MANY = 100000 };
#endif

static double seconds(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t edges(const struct plan *plan)
{
        size_t count = 0;
        for (size_t i = 0; plan && i < plan->count; i++) count += plan->steps[i].after_count;
        return count;
}

static size_t joins(const struct plan *plan)
{
        size_t count = 0;
        for (size_t i = 0; plan && i < plan->count; i++) count += plan->steps[i].action == ACTION_JOIN;
        return count;
}

static bool load(struct cloud *c, struct text *text)
{
        double start = seconds();
        bool loaded = cloud_load(c, text->data);
        printf("# load %.2f s\n", seconds() - start);
        return loaded;
}

/* Plans, carries out, and plans again: everything is there, nothing is left to do. */
static void run(struct cloud *c, struct text *text, size_t steps, size_t most_edges, const char *name)
{
        ok(load(c, text), "%s: loads", name);
        double start = seconds();
        cloud_plan(c, NULL);
        printf("# plan %.2f s\n", seconds() - start);
        is_int(c->plan ? c->plan->count - joins(c->plan) : 0, steps, name);
        ok(edges(c->plan) <= most_edges, "%s: %zu edges and %zu joins", name, edges(c->plan), joins(c->plan));
        text_release(text);
}

/* The record as it would be, without the slow checks of the small cloud. */
static void record_all(struct cloud *c)
{
        for (size_t i = 0; i < c->plan->count; i++) {
                const struct step *s = &c->plan->steps[i];
                if (s->action == ACTION_JOIN) continue;
                struct value *properties = NULL, *host = NULL;
                if (plan_resolve(c->plan, s, &properties, &host, NULL) < 0) {
                        violation(c, "cannot be resolved:", s->address);
                        return;
                }
                struct object o = {.address = mem_strdup(s->address),
                    .deposed = mem_strdup(""),
                    .type = mem_strdup(s->type),
                    .provider = mem_strdup("value"),
                    .id = mem_printf("id:%zu", i),
                    .properties = properties};
                o.outputs = made_outputs(s->schema, o.id, o.properties);
                o.after = mem_alloc(s->depends_count * sizeof *o.after);
                o.after_count = s->depends_count;
                for (size_t a = 0; a < s->depends_count; a++) o.after[a] = mem_strdup(s->depends[a]);
                cleanup(value_free) struct value *attributes = value_merge(o.properties, o.outputs);
                plan_set_result(c->plan, s, attributes);
                vec_push(c->objects, c->count, c->capacity, o);
        }
        value_free(c->outputs);
        c->outputs = plan_outputs(c->plan, NULL);
}

static void settle(struct cloud *c, const char *name)
{
        double start = seconds();
        record_all(c);
        printf("# run %.2f s\n", seconds() - start);
        start = seconds();
        cloud_plan(c, NULL);
        printf("# state and plan again %.2f s\n", seconds() - start);
        ok(c->plan && plan_is_empty(c->plan) && c->violations == 0, "%s: settled", name);
        c->input.mode = PLAN_DESTROY;
        start = seconds();
        cloud_plan(c, NULL);
        printf("# state and plan to destroy %.2f s\n", seconds() - start);
        is_int(c->plan ? c->plan->summary.delete_ : 0, c->count, name);
        ok(edges(c->plan) <= 4 * (size_t)MANY, "%s: destroying has %zu edges", name, edges(c->plan));
        cloud_release(c);
}

static void independent(void)
{
        struct cloud c;
        struct text t = {0};
        cloud_init(&c);
        text_add(&t, "environment: e\nresources:\n");
        for (int i = 0; i < MANY; i++)
                text_addf(&t, "  r%d: {type: value, properties: {input: x%d}}\n", i, i);
        run(&c, &t, MANY, 0, "independent");
        settle(&c, "independent");
}

static void layered(void)
{
        struct cloud c;
        struct text t = {0};
        unsigned seed = 7;
        cloud_init(&c);
        text_add(&t, "environment: e\nresources:\n");
        for (int i = 0; i < MANY; i++) {
                seed = seed * 1103515245u + 12345u;
                int a = i - 1 - (int)(seed >> 16) % 50, b = i - 1 - (int)(seed >> 8) % 50;
                if (a < 0 || b < 0)
                        text_addf(&t, "  r%d: {type: value}\n", i);
                else
                        text_addf(&t, "  r%d: {type: value, properties: {input: \"${r%d.id}-${r%d.id}\"}}\n",
                            i, a, b);
        }
        run(&c, &t, MANY, 2 * MANY, "layered");
        settle(&c, "layered");
}

static void chain(void)
{
        struct cloud c;
        struct text t = {0};
        cloud_init(&c);
        text_add(&t, "environment: e\nresources:\n  r0: {type: value}\n");
        for (int i = 1; i < MANY; i++)
                text_addf(&t, "  r%d: {type: value, properties: {input: \"${r%d.id}\"}}\n", i, i - 1);
        run(&c, &t, MANY, MANY, "chain");
        is_int(c.plan ? c.plan->critical_count : 0, MANY, "chain: all of it decides");
        settle(&c, "chain");
}

static void star(void)
{
        struct cloud c;
        struct text t = {0};
        cloud_init(&c);
        text_add(&t, "environment: e\nresources:\n  hub: {type: value}\n");
        for (int i = 0; i < MANY; i++)
                text_addf(&t, "  r%d: {type: value, properties: {input: \"${hub.id}\"}}\n", i);
        text_add(&t, "  all:\n    type: value\n    properties:\n      input:\n");
        for (int i = 0; i < MANY; i++) text_addf(&t, "        - ${r%d.id}\n", i);
        run(&c, &t, MANY + 2, 2 * MANY + 1, "star");
        settle(&c, "star");
}

/* Locals that follow from one another as far as the eye can see, unknown until the first resource is there. */
static void chain_of_locals(void)
{
        struct cloud c;
        struct text t = {0};
        cloud_init(&c);
        text_add(&t, "environment: e\nresources:\n  first: {type: value}\n  last: {type: value, properties: "
                     "{input: \"${local.last}\"}}\n"
                     "locals:\n  l0: ${first.id}\n");
        for (int i = 1; i < MANY; i++) text_addf(&t, "  l%d: ${local.l%d}\n", i, i - 1);
        text_addf(&t, "  last: ${local.l%d}\n", MANY - 1);
        run(&c, &t, 2, 1, "chain of locals");
        settle(&c, "chain of locals");
}

/* Instances of one resource upon those of another, by key, all at once, and through a local. */
static void counted(void)
{
        struct cloud c;
        struct text t = {0};
        const int third = MANY / 10 * 3;
        cloud_init(&c);
        text_addf(&t,
            "environment: e\nlocals:\n  all: ${a[*].id}\nresources:\n"
            "  a:\n    type: value\n    count: %d\n"
            "  b:\n    type: value\n    count: %d\n    properties: {input: \"${a[count.index].id}\"}\n"
            "  c:\n    type: value\n    for_each: ${b}\n    properties: {input: \"${each.value.id}\"}\n"
            "  d:\n    type: value\n    count: %d\n    after: [a, c]\n    properties: {input: "
            "\"${length(local.all)}\"}\n",
            third, third, MANY / 10);
        run(&c, &t, MANY, 2 * MANY, "counted");
        settle(&c, "counted");
}

int main(void)
{
        independent();
        layered();
        chain();
        star();
        chain_of_locals();
        counted();
        return done();
}
