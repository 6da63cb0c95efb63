/* The way back: what returns, what must not be there, what stays, and what has to follow. */
#include "plan_fixture.h"

static const char *const one =
    "environment: e\nresources:\n"
    "  network: {type: cloud.network, properties: {name: n, cidr: a}}\n"
    "  s: {type: cloud.subnet, properties: {name: s, network_id: \"${network.id}\"}}\n"
    "  web: {type: cloud.server, count: 2, properties: {name: \"w${count.index}\", subnet_id: \"${s.id}\"}}\n"
    "  d: {type: cloud.disk, properties: {size: 1}}\n"
    "outputs: {size: \"${d.size}\"}\n";

static const char *const two =
    "environment: e\nresources:\n"
    "  network: {type: cloud.network, properties: {name: n, cidr: b}}\n"
    "  s: {type: cloud.subnet, properties: {name: s, network_id: \"${network.id}\"}}\n"
    "  web: {type: cloud.server, count: 3, properties: {name: \"w${count.index}\", subnet_id: \"${s.id}\"}}\n"
    "  d: {type: cloud.disk, properties: {size: 1}}\n"
    "  more: {type: cloud.disk, properties: {size: 9}}\n"
    "outputs: {size: 9}\n";

static void set_back(
    struct cloud *c, struct way_back *back, const char *const *returning, const char *const *absent)
{
        *back = (struct way_back){
            .run = "r1", .outputs = OUTPUTS_DESCRIBED, .returning = returning, .absent = absent};
        for (size_t i = 0; returning[i] != NULL; i++) back->returning_count++;
        for (size_t i = 0; absent[i] != NULL; i++) back->absent_count++;
        c->input.back = back;
}

static bool brought(struct cloud *c, const char *text)
{
        c->input.back = NULL;
        if (!cloud_load(c, text) || cloud_plan(c, NULL) == NULL) return false;
        cloud_apply(c);
        return c->violations == 0;
}

static void is_plan_back(struct cloud *c, const char *want, const char *name)
{
        cleanup_free char *problems = NULL;
        cloud_plan(c, &problems);
        if (problems != NULL) printf("# %s\n", problems);
        cleanup_free char *got = plan_text(c->plan);
        is_str(got, want, name);
}

static void returns(void)
{
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, one) && brought(&c, two), "two versions, one after the other");
        cloud_load(&c, one);
        static const char *const returning[] = {"network", "s", "web[0]", "web[1]", NULL};
        static const char *const absent[] = {"more", "web[2]", NULL};
        set_back(&c, &back, returning, absent);
        is_plan_back(&c,
            "delete more; delete web[2]; replace-delete s; replace-delete network; replace network; replace "
            "s; update "
            "web[0]; update web[1]",
            "what was replaced is replaced again, what was made is deleted");
        is_str(step_find(c.plan, "delete", "more")->reason, "did not exist after run r1", "with the reason");
        is_settled(&c, "the way back");
        c.input.back = NULL;
        cloud_plan(&c, NULL);
        ok(plan_is_empty(c.plan), "and the first version says the same");
        cloud_release(&c);
}

static void leaves_alone(void)
{
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, one), "a version");
        static const char *const none[] = {NULL};
        cloud_load(&c, two);
        set_back(&c, &back, none, none);
        back.outputs = OUTPUTS_STAY;
        is_plan_back(
            &c, "", "what was not touched stays, whatever the template says, and nothing else is made");
        ok(plan_is_empty(c.plan), "outputs stay too");
        back.outputs = OUTPUTS_NONE;
        cloud_plan(&c, NULL);
        ok(c.plan->outputs_change && value_count(c.plan->outputs) == 0, "or are none");
        static const char *const found[] = {"d"};
        back.released = found;
        back.released_count = 1;
        is_plan_back(&c, "forget d", "what was there before it was taken over leaves the record only");
        static const char *const network[] = {"network", NULL};
        set_back(&c, &back, network, none);
        is_plan_back(&c,
            "replace-delete s; replace-delete network; replace network; replace s; update web[0]; update "
            "web[1]",
            "what stands on something that is made anew follows; the third server is not wanted");
        cloud_release(&c);
}

static void refuses(void)
{
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, two), "a version");
        cloud_load(&c, one);
        static const char *const none[] = {NULL}, *const strange[] = {"more", NULL},
                                 *const absent[] = {"more", NULL};
        set_back(&c, &back, strange, none);
        cleanup_free char *problems = NULL;
        ok(cloud_plan(&c, &problems) == NULL, "what the template does not describe cannot return");
        ok(problems && strstr(problems, "more: existed after run r1"), "its address is named (%s)", problems);
        free(steal(problems));
        cloud_find(&c, "more", "")->protect = true;
        set_back(&c, &back, none, absent);
        ok(cloud_plan(&c, &problems) == NULL, "what is protected is not taken away");
        ok(problems && strstr(problems, "protected"), "and says so (%s)", problems);
        free(steal(problems));
        cloud_find(&c, "more", "")->protect = false;
        cloud_find(&c, "network", "")->tainted = true;
        is_plan_back(&c, "delete more", "what is broken and was not touched stays broken");
        static const char *const network[] = {"network", NULL};
        set_back(&c, &back, network, absent);
        cloud_plan(&c, NULL);
        ok(step_find(c.plan, "replace", "network") != NULL, "else it is replaced");
        cloud_release(&c);
}

/* An automatic one takes away what its run made. */
static void asks(void)
{
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, one), "a version");
        int64_t since = c.time_ms + 1;
        ok(brought(&c, two), "and another");
        cloud_load(&c, one);
        static const char *const returning[] = {"network", "s", "web[0]", "web[1]", NULL};
        static const char *const absent[] = {"more", "web[2]", NULL};
        static const char *const made[] = {"more", "network", "s", "web[2]"};
        set_back(&c, &back, returning, absent);
        back.undoes = "r2";
        back.since_ms = since;
        back.made = made;
        back.made_count = 4;
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.gates, 0, "what the run made goes without a question");
        back.made_count = 1;
        cloud_plan(&c, NULL);
        const struct step *gate = step_find(c.plan, "gate", "rollback:r2");
        ok(gate != NULL && gate->resource == NULL, "else somebody is asked");
        if (gate == NULL) return;
        is_str(gate->reason,
            "going back would delete what run r2 did not make, with all that is in it: network (cidr "
            "changed, which "
            "needs a new one), s (network_id may change, which needs a new one), web[2] (did not exist after "
            "run r1)",
            "about all of it at once");
        ok(waits_for(c.plan, step_find(c.plan, "replace-delete", "network"), gate) &&
                waits_for(c.plan, step_find(c.plan, "replace-delete", "s"), gate) &&
                waits_for(c.plan, step_find(c.plan, "delete", "web[2]"), gate),
            "before anything of it goes");
        ok(!waits_for(c.plan, step_find(c.plan, "delete", "more"), gate), "and the rest does not wait");
        back.made_count = 4;
        back.since_ms = c.time_ms + 1;
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.gates, 1, "what is older than the run was there before it");
        back.since_ms = 0;
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.gates, 0, "a person who goes back sees the plan");
        cloud_release(&c);
}

static void is_saved(void)
{
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, two), "a version");
        cloud_load(&c, one);
        static const char *const network[] = {"network", NULL}, *const absent[] = {"more", "web[2]", NULL};
        set_back(&c, &back, network, absent);
        back.undoes = "r2";
        back.since_ms = 5;
        back.made = network;
        back.made_count = 1;
        cloud_plan(&c, NULL);
        struct text out = {0};
        is_int(plan_write(c.plan, &fake_sealer, &out, NULL), 0, "it is written");
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        is_int(saved_plan_read(out.data, out.len, SAVED_FILE, &fake_sealer, &saved, NULL), 0, "and read");
        if (saved == NULL || saved->back == NULL) return;
        is_str(saved->back->run, "r1", "where it leads");
        is_str(saved->back->undoes, "r2", "what it undoes");
        ok(saved->back->base == NULL, "what it has not");
        is_int(saved->back->outputs, OUTPUTS_DESCRIBED, "what becomes of the outputs");
        is_int(saved->back->returning_count + saved->back->absent_count, 3, "the addresses");
        is_int(saved->back->since_ms, 5, "and what it may not take away");
        is_str(saved->back->made_count == 1 ? saved->back->made[0] : "", "network", "by itself");
        c.input.back = saved->back;
        cleanup(plan_free) struct plan *again = NULL;
        is_int(plan_build(&c.input, &again, NULL), 0, "built again");
        ok(again && memcmp(again->digest, c.plan->digest, 32) == 0, "it has the same digest");
        saved->back->absent_count = 1;
        cleanup(plan_free) struct plan *other = NULL;
        is_int(plan_build(&c.input, &other, NULL), 0, "with an address less");
        ok(other && memcmp(other->digest, c.plan->digest, 32) != 0, "it has another");
        static const char *const parts[] = {"\"described\"",
            "\"returning\":", "\"absent\":", "\"undoes\":", "\"base\":", "\"released\":", "\"made\":"};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
                cleanup_free char *copy = mem_strndup(out.data, out.len);
                strstr(copy, parts[i])[1] = 'X';
                cleanup(saved_plan_free) struct saved_plan *bad = NULL;
                ok(saved_plan_read(copy, out.len, SAVED_FILE, &fake_sealer, &bad, NULL) < 0,
                    "without %s it is refused", parts[i]);
        }
        text_release(&out);
        cloud_release(&c);
}

/* How many there will be is not known, once what tells it is gone; that nothing of them was there then is. */
static void deferred(void)
{
        static const char *const rounds =
            "environment: e\nresources:\n"
            "  d: {type: cloud.disk, properties: {size: 2}}\n"
            "  v: {type: cloud.disk, count: \"${length(d.id) > 0 ? 2 : 1}\", properties: {size: 1}}\n";
        struct cloud c;
        struct way_back back;
        cloud_init(&c);
        ok(brought(&c, rounds) && brought(&c, rounds), "made in two rounds");
        ok(cloud_find(&c, "v[1]", "") != NULL, "both of them");
        static const char *const none[] = {NULL}, *const all[] = {"d", "v[0]", "v[1]", NULL},
                                 *const first[] = {"d", "v[1]", NULL};
        set_back(&c, &back, none, all);
        cleanup_free char *problems = NULL;
        cloud_plan(&c, &problems);
        is_int(c.plan ? c.plan->summary.delete_ : 0, 3, "to before the first, all of it goes");
        is_int(c.plan ? c.plan->deferred_count : 1, 0, "and nothing is left for later");
        set_back(&c, &back, none, first);
        cloud_plan(&c, &problems);
        is_int(c.plan ? c.plan->summary.delete_ : 0, 2, "what was there stays");
        is_int(c.plan ? c.plan->deferred_count : 0, 1, "and is looked at later");
        cloud_release(&c);
}

int main(void)
{
        returns();
        deferred();
        leaves_alone();
        refuses();
        asks();
        is_saved();
        return done();
}
