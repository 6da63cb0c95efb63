/* Replacements that only may be needed: they wait until that is known, and what is as it was stays. */
#include "plan_fixture.h"

static const char *const text =
    "environment: e\nresources:\n"
    "  a: {type: cloud.server, properties: {name: %s}}\n"
    "  s:\n    type: cloud.subnet\n%s    properties: {name: %s, network_id: \"${a.ip}\"}\n"
    "  t: {type: cloud.subnet, count: 2, properties: {name: t, network_id: \"${s.id}\"}}\n"
    "  u: {type: cloud.server, properties: {name: u, subnet_id: \"${s.id}\"}}\n";

static bool load(struct cloud *c, const char *a, const char *more, const char *name)
{
        static char all[2048];
        snprintf(all, sizeof all, text, a, more, name);
        return cloud_load(c, all);
}

/* a with ip "ip of A"; what makes its ip another one is its name, and only a plan that runs finds out. */
static void begin(struct cloud *c, const char *more)
{
        cloud_init(c);
        load(c, "one", more, "n");
        cloud_plan(c, NULL);
        cloud_apply(c);
}

/* An update of `a` that leaves its ip alone: its password. */
static bool load_same(struct cloud *c, const char *more, const char *name)
{
        static char a[64];
        static int changes;
        snprintf(a, sizeof a, "one, password: p%d", ++changes);
        return load(c, a, more, name);
}

static void waits(void)
{
        struct cloud c;
        begin(&c, "");
        load_same(&c, "", "n");
        cloud_plan(&c, NULL);
        cleanup_free char *steps = plan_text(c.plan);
        is_str(steps,
            "update a; replace-delete t[0]; replace-delete t[1]; replace-delete s; replace s; replace t[0]; "
            "replace "
            "t[1]; update u",
            "it may be replaced, with all that stands on it");
        const struct step *known = step_find(c.plan, "update", "a");
        ok(step_find(c.plan, "replace", "s")->unsure, "which is told");
        ok(waits_for(c.plan, step_find(c.plan, "replace-delete", "s"), known),
            "its deletion waits for the value");
        ok(waits_for(c.plan, step_find(c.plan, "replace-delete", "t[1]"), known),
            "and so does the deletion of what stands on it");
        int made = c.made;
        is_settled(&c, "the value is what it was");
        is_int(c.spared, 3, "all are spared");
        is_int(c.made, made, "and nothing is made");
        load(&c, "two", "", "n");
        cloud_plan(&c, NULL);
        is_settled(&c, "the value differs");
        is_int(c.spared, 3, "none is spared");
        is_int(c.made, made + 3, "three are made");
        cloud_release(&c);
}

static void in_order(const char *more, const char *what)
{
        struct cloud c;
        begin(&c, more);
        int made = c.made;
        load_same(&c, more, "n");
        cloud_plan(&c, NULL);
        is_settled(&c, what);
        is_int(c.made, made, "nothing is made");
        load_same(&c, more, "other");
        cloud_plan(&c, NULL);
        ok(step_find(c.plan, "replace", "s") != NULL, "%s: another name as well may need a new one", what);
        is_settled(&c, what);
        ok(c.made == made, "%s: and is changed in place", what);
        load(&c, "two", more, "other");
        cloud_plan(&c, NULL);
        is_settled(&c, what);
        ok(c.made > made, "%s: what differs is replaced", what);
        cloud_release(&c);
}

static void obeys(void)
{
        struct cloud c;
        begin(&c, "");
        load_same(&c, "    protect: true\n", "n");
        cleanup_free char *problems = NULL;
        ok(cloud_plan(&c, &problems) != NULL, "what only may be replaced is no obstacle (%s)",
            problems ? problems : "");
        cloud_apply(&c);
        is_int(c.refused, 0, "and is not replaced");
        int made = c.made;
        load(&c, "two", "    protect: true\n", "n");
        cloud_plan(&c, NULL);
        cloud_apply_part(&c, c.plan->count - 1);
        is_int(c.made, made, "what is protected is not replaced when the time comes");
        const struct step *s = step_find(c.plan, "replace-delete", "s"),
                          *t = step_find(c.plan, "replace-delete", "t[0]");
        ok(s->refused && strstr(s->refused, "s is protected"), "which is said (%s)", s->refused);
        ok(t->refused && strstr(t->refused, "follow s: s is protected"), "nor is what stands on it (%s)",
            t->refused);
        cloud_release(&c);
        begin(&c, "    approve: {on: [replace]}\n");
        load_same(&c, "    approve: {on: [replace]}\n", "n");
        cloud_plan(&c, NULL);
        const struct step *gate = step_find(c.plan, "gate", "s");
        ok(waits_for(c.plan, gate, step_find(c.plan, "update", "a")),
            "a gate before it waits for the value as well");
        cloud_apply(&c);
        is_str(plan_gate_spared(c.plan, gate), "network_id is the same", "and need not be asked");
        cloud_release(&c);
}

/* Where what tells the value is made anew itself, and only once the old ones are gone, nothing can be waited for. */
static void yields(void)
{
        struct cloud c;
        cloud_init(&c);
        static const char *const chain =
            "environment: e\nresources:\n"
            "  n: {type: cloud.network, properties: {name: n, cidr: %s}}\n"
            "  s: {type: cloud.subnet, properties: {name: s, network_id: \"${n.id}\"}}\n"
            "  v: {type: value, properties: {input: \"${n.id}\"}}\n"
            "  w: {type: cloud.subnet, after: [s], properties: {name: w, network_id: \"${v.output}\"}}\n";
        cleanup_free char *one = mem_printf(chain, "a"), *two = mem_printf(chain, "b");
        cloud_load(&c, one);
        cloud_plan(&c, NULL);
        cloud_apply(&c);
        cloud_load(&c, two);
        cloud_plan(&c, NULL);
        ok(!step_find(c.plan, "replace", "s")->unsure,
            "who refers to what is made anew is replaced for certain");
        is_settled(&c, "with what refers to it by way of something else");
        cloud_release(&c);
}

static void reads(void)
{
        struct cloud c;
        cloud_init(&c);
        static const char *const late =
            "environment: e\nresources:\n"
            "  a: {type: cloud.disk, properties: {size: %d}}\n"
            "  w: {type: cloud.server, properties: {name: w, image: \"${lookup.i.name}\"}}\n"
            "lookups:\n  i: {type: cloud.image, after: [a], properties: {name: late}}\n";
        cleanup_free char *one = mem_printf(late, 1), *two = mem_printf(late, 2);
        cloud_load(&c, one);
        cloud_plan(&c, NULL);
        cloud_apply(&c);
        int made = c.made;
        cloud_load(&c, two);
        cloud_plan(&c, NULL);
        ok(waits_for(c.plan, step_find(c.plan, "replace-delete", "w"), step_find(c.plan, "read", "lookup.i")),
            "a deletion waits for a lookup that is read while the plan runs");
        is_settled(&c, "it gives the same");
        is_int(c.made, made, "and nothing is made");
        cloud_release(&c);
}

int main(void)
{
        ips_by_name = true;
        waits();
        in_order("", "delete-first");
        in_order("    replace: create-first\n", "create-first");
        obeys();
        yields();
        reads();
        return done();
}
