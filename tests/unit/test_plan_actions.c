/* What is planned for what is wanted, recorded and observed. */
#include "plan_fixture.h"

#define NET "resources:\n  network:\n    type: cloud.network\n    properties: {name: n, cidr: 10.0.0.0/16}\n"

static void creates_and_keeps(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\n" NET "  subnet:\n    type: cloud.subnet\n    for_each: [a, b]\n"
            "    properties: {name: \"${each.key}\", network_id: \"${network.id}\", ports: [1, 2]}\n"
            "outputs:\n  arn: ${network.arn}\n";
        is_plan(
            &c, text, "create network; create subnet[\"a\"]; create subnet[\"b\"]", "everything is created");
        is_int(c.plan->summary.create, 3, "three are counted");
        ok(c.plan->outputs_change, "an output changes");
        ok(!plan_is_empty(c.plan), "the plan is not empty");
        const struct step *s = step_find(c.plan, "create", "subnet[\"a\"]");
        is_int(s ? s->after_count : 0, 1, "a subnet waits for one step");
        ok(waits_for(c.plan, s, step_find(c.plan, "create", "network")), "which is the network");
        is_str(
            s && s->depends_count == 1 ? s->depends[0] : "", "network", "and depends on it for the record");
        is_settled(&c, "creation");
        is_int(c.plan->summary.keep, 3, "all three are kept");
        cloud_release(&c);
}

static void updates_and_replaces(void)
{
        struct cloud c;
        cloud_init(&c);
        is_plan(&c,
            "environment: e\n" NET
            "  s:\n    type: cloud.subnet\n    properties: {name: s, network_id: \"${network.id}\"}\n",
            "create network; create s", "first");
        is_settled(&c, "first");
        is_plan(&c,
            "environment: e\nresources:\n  network:\n    type: cloud.network\n    properties: {name: m, "
            "cidr: 10.0.0.0/16, "
            "tags: {a: b}}\n  s:\n    type: cloud.subnet\n    properties: {name: s, network_id: "
            "\"${network.id}\"}\n",
            "update network", "an update leaves the id known");
        const struct step *s = step_find(c.plan, "update", "network");
        is_int(s ? s->change_count : 0, 2, "two leaves change");
        is_str(s ? s->changes[0].path : "", "name", "the first is the name");
        ok(s && !s->changes[0].forces_replace && !s->changes[0].drift, "in place, and not by drift");
        is_settled(&c, "update");
        const char *other = "environment: e\nresources:\n  network:\n    type: cloud.network\n%s    "
                            "properties: {name: m, cidr: 10.1.0.0/16, "
                            "tags: {a: b}}\n  s:\n    type: cloud.subnet\n    properties: {name: s, "
                            "network_id: \"${network.id}\"}\n";
        cleanup_free char *delete_first = mem_printf(other, "");
        is_plan(&c, delete_first, "replace-delete s; replace-delete network; replace network; replace s",
            "delete-first, outside in");
        s = step_find(c.plan, "replace", "network");
        ok(s && s->change_count == 1 && s->changes[0].forces_replace, "the change that forces it is marked");
        is_str(s ? s->reason : "", "cidr changed, which needs a new one", "and told");
        cleanup_free char *create_first = mem_printf(other, "    replace: create-first\n");
        is_plan(&c, create_first, "replace network; replace-delete s; replace s; replace-delete network",
            "create-first for the network only");
        is_settled(&c, "create-first");
        cloud_release(&c);
}

static void grows_in_place(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form = "environment: e\nresources:\n  d: {type: cloud.disk, properties: {size: %s}}\n";
        cleanup_free char *ten = mem_printf(form, "10");
        is_plan(&c, ten, "create d", "a disk");
        is_settled(&c, "a disk");
        cleanup_free char *twenty = mem_printf(form, "20");
        is_plan(&c, twenty, "update d", "a larger one grows in place");
        is_settled(&c, "grown");
        is_plan(&c, ten, "replace-delete d; replace d", "a smaller one is another disk");
        const struct step *s = step_find(c.plan, "replace", "d");
        ok(s && s->changes[0].forces_replace, "for that reason");
        cloud_release(&c);
}

static void create_first_spreads(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form =
            "environment: e\nresources:\n  network:\n    type: cloud.network\n    properties: {name: m, "
            "cidr: %s}\n"
            "  s:\n    type: cloud.subnet\n    replace: create-first\n    properties: {name: s, network_id: "
            "\"${network.id}\"}\n"
            "  web:\n    type: cloud.server\n    properties: {name: w, subnet_id: \"${s.id}\"}\n";
        cleanup_free char *one = mem_printf(form, "a"), *two = mem_printf(form, "b");
        is_plan(&c, one, "create network; create s; create web", "first");
        is_settled(&c, "first");
        is_plan(&c, two, "replace network; replace s; update web; replace-delete s; replace-delete network",
            "what it needs is replaced create-first too");
        is_settled(&c, "spread");
        cloud_release(&c);
}

static void deletes(void)
{
        struct cloud c;
        cloud_init(&c);
        is_plan(&c,
            "environment: e\n" NET "  s:\n    type: cloud.subnet\n    count: 2\n    properties: {name: s, "
            "network_id: \"${network.id}\"}\n"
            "  web:\n    type: cloud.server\n    properties: {name: w, subnet_id: \"${s[1].id}\"}\n  kept:\n "
            "   type: value\n    keep: true\n",
            "create network; create s[0]; create s[1]; create web; create kept", "first");
        is_settled(&c, "first");
        is_plan(&c,
            "environment: e\n" NET "  s:\n    type: cloud.subnet\n    count: 1\n    properties: {name: s, "
            "network_id: \"${network.id}\"}\n"
            "  web:\n    type: cloud.server\n    properties: {name: w, subnet_id: \"${s[0].id}\"}\n",
            "update web; forget kept; delete s[1]", "what stands on it goes over first");
        is_str(step_find(c.plan, "delete", "s[1]")->reason, "not in the template any more",
            "the reason is told");
        is_settled(&c, "fewer");
        is_plan(&c, "environment: e\n" NET, "delete web; delete s[0]", "the reverse of the recorded order");
        is_settled(&c, "none");
        cloud_release(&c);
}

static void destroys(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\n" NET "  s:\n    type: cloud.subnet\n    count: 3\n    properties: {name: s, "
            "network_id: \"${network.id}\"}\n"
            "  all:\n    type: value\n    properties: {input: \"${s[*].id}\"}\n"
            "  web:\n    type: cloud.server\n    approve: {on: [delete], message: \"Really?\"}\n    after: "
            "[ok]\n    properties: {name: w}\n"
            "  ok:\n    type: gate\n    after: [all]\n    properties: {message: go}\noutputs: {x: 1}\n";
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.gates, 1, "the gate is planned at first");
        is_settled(&c, "first");
        c.input.mode = PLAN_DESTROY;
        cloud_plan(&c, NULL);
        cleanup_free char *got = plan_text(c.plan);
        is_str(got, "gate web; delete web; delete all; delete s[0]; delete s[1]; delete s[2]; delete network",
            "everything goes in reverse, and only what has to be approved is asked for");
        is_settled(&c, "destroyed");
        is_int(c.count, 0, "nothing is left");
        cloud_release(&c);
}

static void heals_drift(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\n" NET
            "  w:\n    type: cloud.server\n    ignore: [size]\n    properties: {name: w, size: 2, pin: p}\n";
        is_plan(&c, text, "create network; create w", "first");
        is_settled(&c, "first");
        cloud_plan(&c, NULL);
        world_put(c.world, "network", object_of("{\"name\":\"other\",\"id\":\"id:1\",\"arn\":\"x\"}"), NULL);
        world_put(c.world, "w", object_of("{\"size\":9,\"pin\":\"not shown\"}"), NULL);
        plan_free(c.plan);
        c.plan = NULL;
        plan_build(&c.input, &c.plan, NULL);
        cleanup_free char *got = plan_text(c.plan);
        is_str(got, "update network", "drift is healed, unless it is ignored or cannot be read");
        const struct step *s = step_find(c.plan, "update", "network");
        ok(s && s->change_count == 1 && s->changes[0].drift, "and marked as drift");
        is_str(s ? value_as_string(s->changes[0].before) : "", "other", "before is what the world has");
        c.input.mode = PLAN_DRIFT;
        plan_free(c.plan);
        plan_build(&c.input, &c.plan, NULL);
        cleanup_free char *drift = plan_text(c.plan);
        is_str(drift, "update network", "drift alone is listed, and what is ignored is none");
        is_int(c.plan->steps[0].change_count, 2, "outputs count too");
        c.input.mode = PLAN_APPLY;
        world_put(c.world, "network", NULL, NULL);
        plan_free(c.plan);
        plan_build(&c.input, &c.plan, NULL);
        s = step_find(c.plan, "create", "network");
        is_str(s ? s->reason : "", "was deleted outside", "what is gone is created again");
        cloud_release(&c);
}

static void protects(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form = "environment: e\nresources:\n  db:\n    type: cloud.network\n    protect: "
                           "${environment.name == \"e\"}\n"
                           "    properties: {name: n, cidr: %s}\n";
        cleanup_free char *one = mem_printf(form, "a"), *two = mem_printf(form, "b");
        is_plan(&c, one, "create db", "first");
        is_settled(&c, "first");
        ok(c.objects[0].protect, "the flag is handed on for the record");
        cloud_load(&c, two);
        cleanup_free char *problem = NULL;
        ok(cloud_plan(&c, &problem) == NULL, "a replacement is refused");
        is_str(problem,
            "e.yaml:3:3: db: db is protected, and this change would replace it: cidr changed, which needs a "
            "new one; "
            "take `protect` away first if that is meant",
            "and told why");
        free(steal(problem));
        cloud_load(&c, "environment: e\n");
        ok(cloud_plan(&c, &problem) == NULL, "so is leaving the template");
        ok(problem && strstr(problem, "db is protected, and this would delete it"), "and told");
        free(steal(problem));
        cloud_load(&c, one);
        c.input.mode = PLAN_DESTROY;
        ok(cloud_plan(&c, &problem) == NULL, "so is destroying everything");
        cloud_release(&c);
}

static void adopts_and_mends(void)
{
        struct cloud c;
        cloud_init(&c);
        is_plan(&c,
            "environment: e\nresources:\n  n:\n    type: cloud.network\n    adopt: if-exists\n    "
            "properties: {name: n}\n",
            "adopt n", "adopt looks before it creates");
        is_settled(&c, "adopted");
        c.objects[0].tainted = true;
        cloud_plan(&c, NULL);
        cleanup_free char *got = plan_text(c.plan);
        is_str(got, "replace-delete n; replace n", "what was made but broken is replaced");
        c.objects[0].tainted = false;
        is_plan(&c, "environment: e\nresources:\n  n:\n    type: value\n    properties: {input: 1}\n",
            "replace-delete n; replace n", "another type at the same address");
        is_str(c.plan->steps[0].type, "cloud.network", "the old one is deleted as what it was");
        is_str(c.plan->steps[1].type, "value", "and the new one made as what it is");
        is_settled(&c, "another type");
        free(c.objects[0].type);
        c.objects[0].type = mem_strdup("lost.thing");
        cloud_load(&c, "environment: e\n");
        cleanup_free char *problem = NULL;
        cloud_plan(&c, &problem);
        is_str(problem, "n: cannot delete n: unknown type 'lost.thing'",
            "a type that nobody serves cannot be deleted");
        cloud_release(&c);
}

static void compares_quietly(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form =
            "environment: e\nparameters:\n  p: {type: string, sensitive: true, default: one}\nresources:\n"
            "  s:\n    type: cloud.subnet\n    properties: {name: s, network_id: x, ports: %s}\n"
            "  w:\n    type: cloud.server\n    properties: {name: \"w-${param.p}\", password: pw, pin: %s, "
            "rules: [{port: 1}, {port: %s}]}\n"
            "  v:\n    type: value\n    properties: {input: {list: [1, two, {a: null}], set: "
            "'${toset([\"b\", \"a\"])}' }}\n";
        cleanup_free char *one = mem_printf(form, "[1, 2, 2]", "p", "2"),
                          *two = mem_printf(form, "[2, 1, 2]", "p", "2");
        cleanup_free char *three = mem_printf(form, "[2, 1, 1]", "q", "3");
        is_plan(&c, one, "create s; create w; create v", "first");
        const struct step *s = step_find(c.plan, "create", "w");
        int sensitive = 0;
        for (size_t i = 0; s && i < s->change_count; i++) sensitive += s->changes[i].sensitive;
        is_int(sensitive, 2, "the name and the password are sensitive");
        is_settled(&c, "first");
        is_plan(&c, two, "", "another order of an unordered list is no change");
        is_plan(&c, three, "update s; update w", "another content is");
        s = step_find(c.plan, "update", "w");
        is_int(s ? s->change_count : 0, 2, "two leaves: the write-only pin, and a port inside a list");
        is_str(s ? s->changes[1].path : "", "rules[1].port", "by its path");
        is_settled(&c, "third");
        cloud_release(&c);
}

/* What decides over a resource once it has left the template follows the template while it is there. */
static void annotates(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form = "environment: e\nresources:\n  a:\n    type: value\n  b:\n    type: value\n%s";
        cleanup_free char *one = mem_printf(form, ""),
                          *two = mem_printf(form, "    keep: true\n    after: [a]\n");
        is_plan(&c, one, "create a; create b", "first");
        is_settled(&c, "first");
        is_int(c.plan->record_change_count, 0, "nothing to note");
        is_plan(&c, two, "", "keep and order are no change");
        is_int(c.plan->record_change_count, 1, "but are noted");
        ok(!plan_is_empty(c.plan), "which is worth a run");
        is_settled(&c, "noted");
        is_int(c.plan->record_change_count, 0, "once");
        is_plan(&c, "environment: e\n", "delete a; forget b", "and count when it has left");
        cloud_release(&c);
}

/* A cloud tells a secret back without any mark; nothing that a plan shows may hold it. */
static void hides(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form =
            "environment: e\nparameters:\n  p: {type: string, sensitive: true, default: hush}\nresources:\n"
            "  w:\n    type: cloud.server\n    properties: {name: w, rules: [{port: %d, cidr: \"%s\"}]}\n";
        cleanup_free char *one = mem_printf(form, 1, "${param.p}"), *two = mem_printf(form, 2, "plain");
        is_plan(&c, one, "create w", "first");
        is_settled(&c, "first");
        cloud_load(&c, two);
        cloud_plan(&c, NULL);
        world_put(
            c.world, "w", object_of("{\"rules\": [{\"port\": 1, \"cidr\": \"hush\"}], \"size\": 2}"), NULL);
        plan_free(c.plan);
        c.plan = NULL;
        plan_build(&c.input, &c.plan, NULL);
        struct text out = {0};
        plan_json(c.plan, &out, NULL);
        ok(step_find(c.plan, "update", "w") != NULL, "a refreshed secret is compared");
        ok(out.data && strstr(out.data, "hush") == NULL, "and not shown");
        text_clear(&out);
        world_put(
            c.world, "w", object_of("{\"rules\": [{\"port\": 1, \"cidr\": \"hush2\"}], \"size\": 2}"), NULL);
        plan_free(c.plan);
        c.plan = NULL;
        plan_build(&c.input, &c.plan, NULL);
        plan_json(c.plan, &out, NULL);
        ok(out.data && strstr(out.data, "hush") == NULL, "nor is one that was changed outside");
        text_release(&out);
        cloud_release(&c);
}

/* Recovery steps stand by: seen, not counted, and never a reason for a plan. */
static void stands_by(void)
{
        struct cloud c;
        cloud_init(&c);
        static const char *const text =
            "environment: e\n" NET
            "  s:\n    type: cloud.subnet\n    count: 2\n    on_failure: {run: [first, second]}\n"
            "    properties: {name: s, network_id: \"${network.id}\"}\n"
            "  first: {type: cloud.disk, properties: {size: 1}}\n"
            "  second: {type: value, properties: {input: [\"${failure.message}\", \"${first.id}\", "
            "\"${network.name}\"]}}\n";
        is_plan(&c, text, "create network; create s[0]; create s[1]; create first; create second",
            "in their order");
        is_int(c.plan->summary.create, 3, "three count");
        const struct step *s = step_find(c.plan, "create", "s[1]"),
                          *first = step_find(c.plan, "create", "first");
        is_str(first->recovery_of, "s", "they know what they belong to");
        is_int(s->recovery_count, 2, "which leads to both");
        ok(&c.plan->steps[s->recovery[0]] == first, "the first one first");
        ok(waits_for(c.plan, first, s), "they stand behind it");
        ok(c.plan->seconds < 30, "and cost no time");
        struct value *properties = NULL, *host = NULL;
        const struct step *second = step_find(c.plan, "create", "second");
        ok(plan_resolve(c.plan, second, &properties, &host, NULL) < 0, "nothing has failed yet");
        plan_set_failure(c.plan, "s[1]", "no room");
        cleanup(value_free) struct value *made = object_of("{\"size\": 1, \"id\": \"disk-7\"}");
        plan_set_result(c.plan, first, made);
        is_int(plan_resolve(c.plan, second, &properties, &host, NULL), 0, "then its values are known");
        cleanup_free char *encoded_properties = encoded(properties);
        ok(strstr(encoded_properties, "no room") && strstr(encoded_properties, "disk-7"),
            "the failure and what ran before");
        value_free(properties);
        is_plan(&c, text, "create network; create s[0]; create s[1]; create first; create second", "again");
        plan_set_failure(c.plan, "s[1]", "no room");
        cloud_apply(&c); /* carries out recovery steps as well, as after a failure */
        cloud_plan(&c, NULL);
        ok(plan_is_empty(c.plan) && c.plan->count == 0, "recorded they are no reason for a plan");
        is_int(c.plan->summary.keep, 5, "but kept");
        cloud_find(&c, "s[0]", "")->tainted = true;
        cloud_plan(&c, NULL);
        cleanup_free char *got = plan_text(c.plan);
        is_str(got,
            "replace-delete s[0]; replace s[0]; replace-delete first; replace first; replace-delete second; "
            "replace second",
            "they would be made anew");
        c.input.mode = PLAN_DESTROY;
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.delete_, 5, "and go with the rest");
        cloud_release(&c);
}

int main(void)
{
        stands_by();
        creates_and_keeps();
        updates_and_replaces();
        grows_in_place();
        create_first_spreads();
        deletes();
        destroys();
        heals_drift();
        protects();
        adopts_and_mends();
        compares_quietly();
        annotates();
        hides();
        return done();
}
