/* What was set aside and is wanted again is taken back, and never made anew. */
#include "plan_fixture.h"

static const char *const server = "environment: e\nresources:\n"
                                  "  web:\n    type: cloud.server\n    replace: create-first\n%s"
                                  "    properties: {name: %s, image: %s, subnet_id: '%s'}\n"
                                  "  app: {type: cloud.disk, properties: {size: 1}}\n"
                                  "  note: {type: value, properties: {input: \"${web.id}\"}}\n";

static bool load_server(struct cloud *c, const char *more, const char *name, const char *image)
{
        static char text[2048];
        snprintf(text, sizeof text, server, more, name, image, "none");
        return cloud_load(c, text);
}

/* Carries the plan out up to the first step of this action, and leaves that and all behind it. */
static void stop_before(struct cloud *c, const char *action, const char *address)
{
        const struct step *step = step_find(c->plan, action, address);
        cloud_apply_part(c, step ? step->index : c->plan->count);
}

/* web with image b, and the one with image a set aside, as its deletion failed. */
static void replaced(struct cloud *c)
{
        cloud_init(c);
        load_server(c, "", "n", "a");
        cloud_plan(c, NULL);
        cloud_apply(c);
        load_server(c, "", "n", "b");
        cloud_plan(c, NULL);
        stop_before(c, "replace-delete", "web");
        ok(cloud_find(c, "web", "id:1") != NULL, "one was set aside");
}

static void is_steps(struct cloud *c, const char *want, const char *name)
{
        cleanup_free char *problems = NULL;
        cloud_plan(c, &problems);
        if (problems != NULL) printf("# %s\n", problems);
        cleanup_free char *got = plan_text(c->plan);
        is_str(got, want, name);
}

static void is_plan_for(struct cloud *c, const char *more, const char *name, const char *image,
    const char *want, const char *what)
{
        load_server(c, more, name, image);
        is_steps(c, want, what);
}

static void takes_back(void)
{
        struct cloud c;
        replaced(&c);
        is_plan_for(&c, "", "n", "a", "restore web(id:1); update note; delete web(id:4)",
            "the one set aside is wanted");
        const struct step *back = step_find(c.plan, "restore", "web"),
                          *gone = step_find(c.plan, "delete", "web");
        is_str(back->deposed, "id:1", "that one");
        ok(waits_for(c.plan, gone, step_find(c.plan, "update", "note")),
            "the newer one goes when nobody needs it");
        ok(value_is_wholly_known(step_find(c.plan, "update", "note")->planned), "its id is known beforehand");
        is_int(c.plan->summary.restore, 1, "counted apart");
        is_int(c.plan->summary.replace + c.plan->summary.create, 0, "nothing is made");
        is_settled(&c, "taken back");
        ok(cloud_find(&c, "web", "") && strcmp(cloud_find(&c, "web", "")->id, "id:1") == 0, "by its id");
        cloud_release(&c);
}

static void changes_in_place(void)
{
        struct cloud c;
        replaced(&c);
        is_plan_for(&c, "", "other", "a", "restore web(id:1); update web; update note; delete web(id:4)",
            "what differs in place follows");
        is_settled(&c, "taken back and changed");
        is_str(cloud_find(&c, "web", "")->id, "id:1", "the same object");
        cloud_release(&c);
        replaced(&c);
        is_plan_for(&c, "", "n", "b", "delete web(id:1)", "what is as wanted needs none of it");
        is_plan_for(&c, "", "n", "c", "replace web; update note; replace-delete web; delete web(id:1)",
            "nor does another");
        is_settled(&c, "a third");
        cloud_release(&c);
}

static void chooses(void)
{
        struct cloud c;
        replaced(&c);
        load_server(&c, "", "n", "c");
        cloud_plan(&c, NULL);
        stop_before(&c, "replace-delete", "web");
        load_server(&c, "", "n", "d");
        cloud_plan(&c, NULL);
        ok(step_find(c.plan, "replace", "web") != NULL, "none of them");
        stop_before(&c, "replace-delete", "web");
        is_int(c.count, 6, "three were set aside");
        is_plan_for(&c, "", "n", "b",
            "restore web(id:4); update note; delete web(id:6); delete web(id:1); delete web(id:5)",
            "the one that matches is taken back, and the others go");
        is_settled(&c, "the middle one");
        cloud_release(&c);
        replaced(&c);
        cloud_find(&c, "web", "")->tainted = true;
        is_plan_for(
            &c, "", "n", "a", "restore web(id:1); update note; delete web(id:4)", "instead of a broken one");
        cloud_find(&c, "web", "id:1")->tainted = true;
        load_server(&c, "", "n", "a");
        cloud_plan(&c, NULL);
        ok(step_find(c.plan, "replace", "web") != NULL, "but not one that is broken itself");
        cloud_release(&c);
}

static void obeys(void)
{
        struct cloud c;
        replaced(&c);
        cleanup_free char *problems = NULL;
        load_server(&c, "    protect: true\n", "n", "a");
        ok(cloud_plan(&c, &problems) == NULL, "what is protected gives way to none");
        ok(problems && strstr(problems, "web is protected"), "and says so (%s)", problems);
        is_plan_for(&c, "    approve: {on: [replace]}\n", "n", "a",
            "gate web; restore web(id:1); update note; delete web(id:4)",
            "whoever approves replacements is asked");
        is_plan_for(&c, "    approve: {on: [update]}\n", "other", "a",
            "restore web(id:1); gate web; update web; update note; delete web(id:4)", "or changes in place");
        is_plan_for(&c, "    approve: true\n", "other", "a",
            "gate web; restore web(id:1); update web; update note; delete web(id:4)", "once for both");
        static const char *const excludes[] = {"web"};
        c.input.excludes = excludes;
        c.input.exclude_count = 1;
        is_plan_for(&c, "", "n", "a", "", "left out, both stay");
        c.input.exclude_count = 0;
        c.input.mode = PLAN_DESTROY;
        load_server(&c, "", "n", "a");
        cloud_plan(&c, NULL);
        cloud_apply(&c);
        is_int(c.count + (size_t)c.violations, 0, "destroyed, both go");
        cloud_release(&c);
}

static void looks(void)
{
        struct cloud c;
        replaced(&c);
        c.input.refresh = true;
        load_server(&c, "", "n", "a");
        cloud_plan(&c, NULL);
        ok(world_get(c.world, "web (set aside id:1)") != NULL, "whether it still stands is looked at");
        struct text out = {0};
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        is_int(plan_write(c.plan, &fake_sealer, &out, NULL), 0, "and kept with the plan");
        is_int(
            saved_plan_read(out.data, out.len, SAVED_FILE, &fake_sealer, &saved, NULL), 0, "which is read");
        struct plan *again = NULL;
        struct plan_input input = c.input;
        input.world = saved ? saved->world : c.world;
        is_int(plan_build(&input, &again, NULL), 0, "and built again");
        ok(again && again->wanted_count == 0 && memcmp(again->digest, saved->digest, 32) == 0, "the same");
        plan_free(again);
        text_release(&out);
        world_put(c.world, "web (set aside id:1)", NULL, NULL);
        plan_free(c.plan);
        c.plan = NULL;
        is_int(plan_build(&c.input, &c.plan, NULL), 0, "where it was deleted outside");
        cleanup_free char *steps = plan_text(c.plan);
        is_str(steps, "replace web; update note; replace-delete web; forget web(id:1)", "one is made");
        cloud_release(&c);
}

static const char *const chain =
    "environment: e\nresources:\n"
    "  net: {type: cloud.network, replace: create-first, properties: {name: n, cidr: %s}}\n"
    "  s: {type: cloud.subnet, for_each: [a, b], replace: create-first, properties: {name: s, network_id: "
    "\"${net.id}\"}}\n"
    "  w: {type: cloud.server, count: 2, properties: {name: w, subnet_id: '${s[\"a\"].id}'}}\n";

static void load_chain(struct cloud *c, const char *cidr)
{
        static char text[2048];
        snprintf(text, sizeof text, chain, cidr);
        cloud_load(c, text);
}

static void takes_chains_back(void)
{
        struct cloud c;
        cloud_init(&c);
        load_chain(&c, "a");
        cloud_plan(&c, NULL);
        cloud_apply(&c);
        load_chain(&c, "b");
        cloud_plan(&c, NULL);
        stop_before(&c, "replace-delete", "s[\"a\"]");
        load_chain(&c, "a");
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.restore, 2, "what still stands of a chain is taken back");
        is_settled(&c, "the chain");
        load_chain(&c, "b");
        cloud_plan(&c, NULL);
        const struct step *first = step_find(c.plan, "replace-delete", "s[\"b\"]");
        ok(first != NULL, "and forth again");
        for (size_t stop = 0; c.plan && stop <= c.plan->count; stop++) {
                struct cloud k;
                cloud_init(&k);
                load_chain(&k, "a");
                cloud_plan(&k, NULL);
                cloud_apply(&k);
                load_chain(&k, "b");
                cloud_plan(&k, NULL);
                cloud_apply_part(&k, stop);
                int made = k.made;
                load_chain(&k, "a");
                cloud_plan(&k, NULL);
                size_t again = k.plan->summary.create + k.plan->summary.replace;
                cloud_apply(&k);
                ok(k.violations == 0 && (size_t)(k.made - made) == again, "interrupted after %zu steps",
                    stop);
                cloud_plan(&k, NULL);
                ok(plan_is_empty(k.plan) && k.count == 5, "and back");
                cloud_release(&k);
        }
        cloud_release(&c);
}

static void leaves_what_ran(void)
{
        struct cloud c;
        cloud_init(&c);
        static const char *const text =
            "environment: e\nresources:\n"
            "  t: {type: cluster.thing, replace: create-first, properties: {name: n}}\n";
        for (size_t i = 0; i < c.types.count; i++)
                if (strcmp(c.types.schemas[i].type, "cluster.thing") == 0) {
                        c.types.schemas[i].can_import = false;
                        ((struct property *)c.types.schemas[i].properties)[0].create_only = true;
                }
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        cloud_apply(&c);
        cleanup_free char *other = mem_printf("%.*sm}}\n", (int)strlen(text) - 4, text);
        cloud_load(&c, other);
        cloud_plan(&c, NULL);
        stop_before(&c, "replace-delete", "t");
        cloud_load(&c, text);
        is_steps(
            &c, "replace t; replace-delete t; delete t(id:1)", "what has no id of its own is made, as ever");
        cloud_release(&c);
}

static void goes_back(void)
{
        struct cloud c;
        replaced(&c);
        load_server(&c, "", "n", "a");
        static const char *const returning[] = {"web"};
        struct way_back back = {.run = "r1",
            .undoes = "r2",
            .outputs = OUTPUTS_STAY,
            .returning = returning,
            .returning_count = 1};
        c.input.back = &back;
        is_steps(&c, "restore web(id:1); update note; delete web(id:4)",
            "the way back takes it back, and who stood on the other follows");
        c.input.back = NULL;
        cloud_release(&c);
}

int main(void)
{
        takes_back();
        changes_in_place();
        chooses();
        obeys();
        looks();
        takes_chains_back();
        leaves_what_ran();
        goes_back();
        return done();
}
