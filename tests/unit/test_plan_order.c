/*
 * In which order things are deleted: by the template where it has an order, by the record where it has none, and what the record keeps of
 * it over moves and over what leaves it from the middle.
 */
#include "plan/record_order.h"
#include "plan_fixture.h"

#define V "    type: value\n    properties: {input: 1}\n"
#define HEAD "environment: e\nresources:\n"

static bool waits(const struct cloud *c, const char *later, const char *earlier)
{
        return waits_for(c->plan, step_find(c->plan, "delete", later), step_find(c->plan, "delete", earlier));
}

static void destroys(struct cloud *c, const char *text)
{
        c->input.mode = PLAN_DESTROY;
        ok(cloud_load(c, text) && cloud_plan(c, NULL) != NULL, "to destroy");
}

static void applies(struct cloud *c, const char *text)
{
        c->input.mode = PLAN_APPLY;
        ok(cloud_load(c, text) && cloud_plan(c, NULL) != NULL, "to apply");
        cloud_apply(c);
}

/* "a b | c": what is recorded of an address as its order, and what of that is inherited. */
static char *order_of(struct cloud *c, const char *address)
{
        const struct object *o = cloud_find(c, address, "");
        struct text t = {0};
        for (size_t i = 0; o && i < o->after_count; i++)
                text_addf(&t, "%s%s%s", t.len ? " " : "",
                    i == o->after_count - o->inherited_count ? "| " : "", o->after[i]);
        return text_steal(&t);
}

static void is_order(struct cloud *c, const char *address, const char *want, const char *name)
{
        cleanup_free char *got = order_of(c, address);
        is_str(got, want, name);
}

static void test_template(void)
{
        struct cloud c;
        cloud_init(&c);
        applies(&c, HEAD "  a:\n" V "  b:\n" V "  c:\n" V);
        destroys(&c, HEAD "  a:\n" V "  b:\n" V "    after: a\n  c:\n" V "    after: b\n");
        ok(waits(&c, "a", "b") && waits(&c, "b", "c"), "an `after` that nobody recorded holds");
        ok(!waits(&c, "b", "a"), "one way");

        applies(&c, HEAD "  a:\n" V "  b:\n" V "    after: a\n  c:\n" V "    after: b\n");
        is_order(&c, "c", "b", "recorded");
        destroys(&c, HEAD "  a:\n" V "    after: b\n  b:\n" V "    after: c\n  c:\n" V);
        ok(waits(&c, "c", "b") && waits(&c, "b", "a"), "turned round: the template's order");
        ok(!waits(&c, "a", "c"), "and not the recorded one");
        destroys(&c, HEAD "  a:\n" V "    after: c\n  b:\n" V "  c:\n" V);
        ok(waits(&c, "c", "a"), "what contradicts it by a third gives way");
        destroys(&c, HEAD "  a:\n" V "  c:\n" V "    after: a\n");
        ok(waits(&c, "a", "c") && waits(&c, "b", "c") && waits(&c, "a", "b"),
            "what left the template keeps its place");
        cloud_release(&c);
}

/* Two pairs are turned round, and one recorded edge leads from one to the other: it is part of no circle. */
static void test_between_circles(void)
{
        struct cloud c;
        cloud_init(&c);
        applies(
            &c, HEAD "  d:\n" V "    after: c\n  c:\n" V "    after: b\n  b:\n" V "    after: a\n  a:\n" V);
        destroys(&c, HEAD "  c:\n" V "    after: d\n  d:\n" V "  a:\n" V "    after: b\n  b:\n" V);
        ok(waits(&c, "d", "c") && waits(&c, "b", "a"), "both pairs by the template");
        ok(waits(&c, "b", "c"), "and what the record says between them");
        cloud_release(&c);
}

/* References that were turned round and not applied: a cloud refuses to delete first what is recorded as used. */
static void test_held(void)
{
#define NET(name, cidr) \
        "  " name ":\n    type: cloud.network\n    properties: {name: " name ", cidr: '" cidr "'}\n"
        struct cloud c;
        cloud_init(&c);
        applies(&c, HEAD NET("a", "x") NET("b", "${a.id}") NET("c", "${b.id}"));
        destroys(&c, HEAD NET("a", "${b.id}") NET("b", "${c.id}") NET("c", "x"));
        ok(waits(&c, "a", "b") && waits(&c, "b", "c"),
            "what holds an id goes first, whatever the template says");
        cloud_apply(&c);
        is_int(c.violations, 0, "and nothing is refused");
        cloud_release(&c);

        cloud_init(&c);
        applies(&c,
            HEAD "  a:\n" V "    count: 3\n  b:\n    type: value\n    properties: {input: '${join(\"+\", "
                 "a[*].id)}'}\n");
        destroys(&c, HEAD "  a:\n" V "    count: 3\n    after: b\n  b:\n" V);
        ok(waits(&c, "a[0]", "b") && waits(&c, "a[2]", "b"), "of several, in one text");
        cloud_release(&c);
}

static void test_through(void)
{
        static const char gate[] = HEAD "  a:\n" V "  go: {type: gate, after: a}\n  b:\n" V "    after: go\n";
        static const char none[] = HEAD "  a:\n" V "  no:\n" V "    count: 0\n    after: a\n  b:\n" V
                                        "    after: no\n";
        static const char gates[] = HEAD
            "  a:\n" V "  in: {type: template, template: in.yaml, after: a}\n  b:\n" V "    after: in\n";
        static const char *const texts[] = {gate, none, gates};
        static const char *const names[] = {"a gate", "a resource without instances", "a template of gates"};
        for (unsigned i = 0; i < 3; i++) {
                struct cloud c;
                cloud_init(&c);
                cloud_file(&c, "in.yaml", "template: in\nresources:\n  go: {type: gate}\n");
                applies(&c, texts[i]);
                is_order(&c, "b", "a", names[i]);
                destroys(&c, texts[i]);
                ok(waits(&c, "a", "b"), "destroyed in order through %s", names[i]);
                destroys(&c, "environment: e\nresources: {}\n");
                ok(waits(&c, "a", "b"), "without the template too");
                cloud_release(&c);
        }
}

static void test_nested(void)
{
        static const char text[] = HEAD "  one: {type: template, template: in.yaml}\n"
                                        "  two: {type: template, template: in.yaml, after: one}\n"
                                        "  three: {type: template, template: in.yaml, after: two}\n";
        static const char fewer[] = HEAD "  one: {type: template, template: in.yaml}\n"
                                         "  three: {type: template, template: in.yaml}\n";
        struct cloud c;
        cloud_init(&c);
        cloud_file(&c, "in.yaml", "template: in\nresources:\n  x:\n" V "  y:\n" V);
        applies(&c, text);
        destroys(&c, text);
        ok(waits(&c, "one/x", "two/y") && waits(&c, "two/x", "three/y") && waits(&c, "one/y", "three/x"),
            "nested templates one after the other");
        applies(&c, fewer);
        applies(&c, fewer);
        is_order(&c, "three/x", "| one", "the middle one is gone, and its order inherited");
        destroys(&c, fewer);
        ok(waits(&c, "one/x", "three/y") && waits(&c, "one/y", "three/x"), "which holds");
        cloud_release(&c);
}

static void test_middle(void)
{
        static const char all[] = HEAD "  a:\n" V "  b:\n" V "    after: a\n  c:\n" V "    after: b\n  d:\n" V
                                       "    after: c\n";
        static const char ends[] = HEAD "  a:\n" V "  d:\n" V;
        struct cloud c;
        cloud_init(&c);
        applies(&c, all);
        applies(&c, ends);
        is_order(&c, "d", "| c b a", "until they are known to be gone, they count");
        c.input.mode = PLAN_APPLY;
        cloud_plan(&c, NULL);
        ok(plan_is_empty(c.plan), "which is no reason for a plan");
        is_int(c.plan->order_count, 1, "but written");
        cloud_apply(&c);
        is_order(&c, "d", "| a", "two in the middle are gone");
        cloud_plan(&c, NULL);
        is_int(c.plan->order_count, 0, "once");
        destroys(&c, ends);
        ok(waits(&c, "a", "d"), "the ends keep their order");
        destroys(&c, HEAD "  a:\n" V "    after: d\n  d:\n" V);
        ok(waits(&c, "d", "a"), "unless the template turns it");
        applies(&c, HEAD "  a:\n" V "    after: d\n  d:\n" V);
        destroys(&c, "environment: e\nresources: {}\n");
        ok(waits(&c, "d", "a"), "which is stronger in the record as well");

        applies(&c, all);
        applies(&c, HEAD "  b:\n" V "  c:\n" V);
        destroys(&c, HEAD "  b:\n" V "  c:\n" V);
        ok(!waits(&c, "b", "c"), "an `after` that was taken away is no order any more");
        cloud_release(&c);
}

/* What lies between two that are deleted stays, or its object is gone already. */
static void test_passing(void)
{
        static const char all[] = HEAD
            "  a:\n    type: cloud.network\n    properties: {name: a}\n"
            "  b:\n    type: cloud.network\n    after: a\n    properties: {name: b}\n"
            "  c:\n    type: cloud.network\n    after: b\n    properties: {name: c}\n";
        struct cloud c;
        cloud_init(&c);
        applies(&c, all);
        c.input.mode = PLAN_APPLY;
        cloud_load(&c, HEAD "  b:\n    type: cloud.network\n    properties: {name: b}\n");
        cloud_plan(&c, NULL);
        ok(waits(&c, "a", "c"), "through what stays");
        destroys(&c, "environment: e\nresources: {}\n");
        world_put(c.world, "b", NULL, NULL);
        plan_free(c.plan);
        c.plan = NULL;
        plan_build(&c.input, &c.plan, NULL);
        ok(step_find(c.plan, "forget", "b") != NULL && waits(&c, "a", "c"),
            "through what was deleted outside");
        cloud_release(&c);
}

/* What a replacement left behind is deleted in order too. */
static void test_set_aside(void)
{
        static const char all[] = HEAD "  a:\n" V "  b:\n" V "    after: a\n  c:\n" V "    after: b\n";
        struct cloud c;
        cloud_init(&c);
        applies(&c, all);
        for (size_t i = 0; i < c.count; i++) {
                free(c.objects[i].deposed);
                c.objects[i].deposed = mem_strdup("old");
        }
        applies(&c, all);
        c.input.mode = PLAN_DESTROY;
        for (size_t i = 0; i < 3; i++) {
                struct object *o = cloud_find(&c, (const char *[]){"a", "b", "c"}[i], "old");
                ok(o == NULL, "left-overs are deleted");
        }
        cloud_release(&c);

        cloud_init(&c);
        applies(&c, all);
        for (size_t i = 0; i < c.count; i++) {
                free(c.objects[i].deposed);
                c.objects[i].deposed = mem_strdup("old");
        }
        c.input.mode = PLAN_APPLY;
        cloud_load(&c, "environment: e\nresources: {}\n");
        cloud_plan(&c, NULL);
        ok(waits(&c, "a", "b") && waits(&c, "b", "c"), "one after the other");
        cloud_release(&c);
}

/* --- by hand --- */

static void moves(struct cloud *c, const char *from, const char *to, const char *want)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup(arena_free) struct arena *arena = arena_new();
        struct state *state = cloud_state(c);
        struct record_move m;
        struct text got = {0};
        if (record_move(state, from, to, arena, &m, &err) < 0)
                text_addf(&got, "! %s", error_message(err));
        else {
                for (size_t i = 0; i < m.moved_count; i++)
                        text_addf(&got, "%s>%s ", m.moved[i].recorded->address, m.moved[i].to);
                for (size_t i = 0; i < m.order_count; i++) {
                        text_addf(&got, "%s:", m.orders[i].recorded->address);
                        for (size_t a = 0; a < m.orders[i].count; a++)
                                text_addf(&got, "%s%s", a ? "," : "", m.orders[i].after[a]);
                        text_addc(&got, ' ');
                }
        }
        cleanup_free char *name = mem_printf("%s to %s", from, to);
        is_str(got.data ? got.data : "", want, name);
        text_release(&got);
        state_free(state);
}

static void test_move(void)
{
        struct cloud c;
        cloud_init(&c);
        cloud_file(&c, "in.yaml",
            "template: in\nresources:\n  sub:\n" V "    for_each: [a, b]\n  top:\n" V "    after: sub\n");
        applies(&c,
            HEAD "  net:\n" V "  web:\n" V "    count: 2\n    after: net\n"
                 "  old: {type: template, template: in.yaml, after: web}\n  all:\n" V
                 "    after: [old, web]\n  one:\n    type: value\n    properties: {input: '${web[1].id}'}\n");
        is_order(&c, "one", "web[1]", "one instance");
        moves(&c, "net", "network", "net>network web[0]:network web[1]:network ");
        moves(&c, "web", "site",
            "web[0]>site[0] web[1]>site[1] all:old,site old/sub[\"a\"]:site old/sub[\"b\"]:site "
            "old/top:site,old/sub "
            "one:site[1] ");
        moves(&c, "web[1]", "site",
            "web[1]>site all:old,web,site old/sub[\"a\"]:web,site old/sub[\"b\"]:web,site "
            "old/top:web,site,old/sub one:site ");
        moves(&c, "old", "new",
            "old/sub[\"a\"]>new/sub[\"a\"] old/sub[\"b\"]>new/sub[\"b\"] old/top>new/top all:new,web "
            "old/top:web,new/sub ");
        moves(&c, "old", "new[\"x\"]",
            "old/sub[\"a\"]>new[\"x\"]/sub[\"a\"] old/sub[\"b\"]>new[\"x\"]/sub[\"b\"] "
            "old/top>new[\"x\"]/top "
            "all:new[\"x\"],web old/top:web,new[\"x\"]/sub ");
        moves(&c, "old", "old[0]",
            "old/sub[\"a\"]>old[0]/sub[\"a\"] old/sub[\"b\"]>old[0]/sub[\"b\"] old/top>old[0]/top "
            "all:old[0],web "
            "old/top:web,old[0]/sub ");
        moves(&c, "old/sub", "old/net",
            "old/sub[\"a\"]>old/net[\"a\"] old/sub[\"b\"]>old/net[\"b\"] old/top:web,old/net ");
        moves(&c, "old/sub[\"a\"]", "sub", "old/sub[\"a\"]>sub all:old,sub,web old/top:web,old/sub,sub ");
        moves(&c, "net", "net[0]", "net>net[0] web[0]:net[0] web[1]:net[0] ");
        moves(&c, "web[0]", "web", "web[0]>web ");

        moves(&c, "net", "net", "! 'net' has that address already");
        moves(&c, "old", "old/deeper",
            "! 'old' and 'old/deeper' lie inside of one another; move by way of a third address");
        moves(&c, "old/top", "old",
            "! 'old/top' and 'old' lie inside of one another; move by way of a third address");
        moves(&c, "net", "old", "! something is recorded at 'old/sub[\"a\"]' already");
        moves(&c, "net", "web", "! something is recorded at 'web[0]' already");
        moves(&c, "net", "web[0]", "! something is recorded at 'web[0]' already");
        moves(&c, "old", "web", "! something is recorded at 'web[0]' already");
        moves(&c, "we", "site", "! nothing is recorded at 'we'; `tutti state list` shows what is");
        moves(&c, "web", "site[0]",
            "! 'site[0]' is one instance, and 'web' is none that is recorded: name the one that is to move, "
            "such "
            "as 'web[0]'");
        cloud_release(&c);
}

/* The last of several that were moved one by one takes the name of all with it. */
static void test_move_last(void)
{
        static const char *const after[] = {"w", "site"};
        struct cloud c;
        cloud_init(&c);
        applies(&c, HEAD "  w:\n" V "    count: 1\n  all:\n" V "    after: w\n");
        moves(&c, "w[0]", "site", "w[0]>site all:site ");
        object_order(cloud_find(&c, "all", ""), (const char **)after, 2, 1);
        moves(&c, "w", "v", "w[0]>v[0] all:v,site ");
        cloud_release(&c);
}

static void test_forget(void)
{
        struct cloud c;
        cloud_init(&c);
        applies(&c, HEAD "  a:\n" V "  b:\n" V "    count: 2\n    after: a\n  c:\n" V "    after: b\n  d:\n"
                         "    type: value\n    properties: {input: '${b[0].id}'}\n");
        struct state *state = cloud_state(&c);
        cleanup(arena_free) struct arena *arena = arena_new();
        struct record_move m;
        struct text got = {0};
        record_forget(state, map_get(&state->by_address, "b[0]"), arena, &m);
        for (size_t i = 0; i < m.order_count; i++)
                for (size_t a = 0; a < m.orders[i].count; a++)
                        text_addf(&got, "%s%s%s ", m.orders[i].recorded->address,
                            a < m.orders[i].count - m.orders[i].inherited_count ? ":" : "|",
                            m.orders[i].after[a]);
        is_str(got.data, "c:b c|a d|a ", "who came after what is forgotten comes after what that came after");
        text_release(&got);
        state_free(state);
        cloud_release(&c);
}

int main(void)
{
        test_template();
        test_between_circles();
        test_held();
        test_through();
        test_nested();
        test_middle();
        test_passing();
        test_set_aside();
        test_move();
        test_move_last();
        test_forget();
        return done();
}
