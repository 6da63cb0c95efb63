/* Who waits for whom, what waits for later, and what the user leaves out. */
#include "plan_fixture.h"

#define NET "  network:\n    type: cloud.network\n    properties: {name: n}\n"
#define SUB                                                                                                 \
        "  subnet:\n    type: cloud.subnet\n    for_each: [a, b]\n    properties: {name: \"${each.key}\", " \
        "network_id: \"${network.id}\"}\n"

static void edges_are_precise(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\nlocals:\n  ids: {x: '${subnet[\"a\"].id}'}\nresources:\n" NET SUB
            "  web:\n    type: cloud.server\n    count: 2\n    properties: {name: w, subnet_id: "
            "'${subnet[[\"a\", \"b\"][count.index]].id}'}\n"
            "  one:\n    type: value\n    properties: {input: \"${local.ids.x}\"}\n"
            "  all:\n    type: value\n    properties: {input: \"${subnet}\"}\n"
            "  per:\n    type: value\n    for_each: ${web}\n    properties: {input: \"${each.value.ip}\"}\n"
            "  pick:\n    type: value\n    properties: {input: '${[for s in [network.id]: "
            "subnet[\"b\"].id]}'}\n"
            "  late:\n    type: value\n    properties: {input: '${[for s in one.output: web[0].ip]}'}\n"
            "  end:\n    type: value\n    after: [web]\n";
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        const struct plan *p = c.plan;
        const struct step *a = step_find(p, "create", "subnet[\"a\"]"),
                          *b = step_find(p, "create", "subnet[\"b\"]");
        const struct step *web1 = step_find(p, "create", "web[1]"), *web0 = step_find(p, "create", "web[0]");
        ok(waits_for(p, web1, b) && !waits_for(p, web1, a), "web[1] waits for subnet[\"b\"] alone");
        const struct step *one = step_find(p, "create", "one");
        ok(waits_for(p, one, a) && !waits_for(p, one, b), "a local passes on the one instance it uses");
        is_str(one->depends_count == 1 ? one->depends[0] : "", "subnet[\"a\"]", "also for the record");
        const struct step *all = step_find(p, "create", "all");
        ok(waits_for(p, all, a) && waits_for(p, all, b), "a whole resource is all its instances");
        is_str(all->depends_count == 1 ? all->depends[0] : "", "subnet", "recorded as one address");
        const struct step *each1 = step_find(p, "create", "per[1]");
        ok(waits_for(p, each1, web1) && !waits_for(p, each1, web0), "for_each over a resource: one to one");
        const struct step *pick = step_find(p, "create", "pick");
        ok(waits_for(p, pick, b) && !waits_for(p, pick, a), "a reference inside `for` is precise too");
        ok(waits_for(p, step_find(p, "create", "late"), web0),
            "what could not be evaluated yet is waited for all the same");
        const struct step *end = step_find(p, "create", "end");
        ok(waits_for(p, end, web0) && waits_for(p, end, web1), "`after` means all instances");
        cloud_release(&c);
}

static void defers(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\nproviders:\n  cluster: {endpoint: \"${network.arn}\"}\nresources:\n" NET
            "  some:\n    type: value\n    count: ${length(network.zone)}\n"
            "  many:\n    type: value\n    for_each: ${toset([network.zone])}\n"
            "  over:\n    type: value\n    for_each: ${some}\n"
            "  maybe:\n    type: value\n    when: ${network.zone == \"x\"}\n"
            "  needs:\n    type: value\n    properties: {input: \"${some[0].id}\"}\n"
            "  thing:\n    type: cluster.thing\n    properties: {name: t}\n"
            "  free:\n    type: value\noutputs:\n  n: ${length(some)}\n";
        is_plan(&c, text,
            "create network; create free; later some; later many; later over; later maybe; "
            "later needs; later thing",
            "what cannot be known yet is left for the next round");
        bool found = false;
        for (size_t i = 0; i < c.plan->deferred_count; i++) {
                const struct deferred *d = &c.plan->deferred[i];
                if (strcmp(d->address, "some") == 0)
                        found = strcmp(d->reason, "count is known only after network was created") == 0;
                if (strcmp(d->address, "thing") == 0)
                        is_str(d->reason,
                            "the configuration of provider cluster is known only after network was created",
                            "a provider configured from a resource");
                if (strcmp(d->address, "needs") == 0)
                        is_str(d->reason, "needs some, which is planned later", "and what needs it");
        }
        ok(found, "the reason names what it waits for");
        ok(!value_is_known(value_get(c.plan->outputs, "n")), "an output of it is unknown");
        cloud_apply(&c);
        cloud_plan(&c, NULL);
        is_int(c.plan->deferred_count, 0, "the second round knows");
        is_int(c.plan->summary.create, 12 + 1 + 12 + 1 + 1, "and creates the rest");
        is_settled(&c, "second round");
        /* A record of something whose number is not known in this round is left alone. */
        for (size_t i = 0; i < c.count; i++)
                if (strcmp(c.objects[i].address, "network") == 0) c.objects[i].tainted = true;
        cloud_plan(&c, NULL);
        is_int(c.plan->summary.delete_, 0, "nothing of a deferred resource is deleted");
        cloud_release(&c);
}

static void asks_at_gates(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form =
            "environment: e\nresources:\n" NET "  go:\n    type: gate\n    after: [network]\n    properties: "
            "{message: \"Zone ${network.zone}?\", approvers: [ops]}\n"
            "  idle:\n    type: gate\n    after: [go]\n    properties: {message: nothing waits}\n"
            "  mid:\n    type: value\n    after: [go]\n    properties: {input: %s}\n"
            "  dns:\n    type: value\n    after: [mid]\n    properties: {input: %s}\n"
            "  db:\n    type: cloud.network\n    approve: {on: [update, replace], message: \"Sure?\"}\n    "
            "properties: {name: %s, cidr: %s}\n";
        cleanup_free char *one = mem_printf(form, "1", "1", "n", "x"),
                          *two = mem_printf(form, "1", "2", "m", "x");
        cleanup_free char *three = mem_printf(form, "2", "2", "m", "y");
        is_plan(&c, one, "create network; gate go; create mid; create dns; create db",
            "a gate that guards nothing is left out");
        const struct step *gate = step_find(c.plan, "gate", "go");
        ok(waits_for(c.plan, step_find(c.plan, "create", "mid"), gate),
            "what comes after waits for the gate");
        is_str(gate ? gate->gate : NULL, "go", "which has its name");
        const struct step *mid = step_find(c.plan, "create", "mid");
        is_str(mid->depends_count == 1 ? mid->depends[0] : "", "network", "the record looks through gates");
        char *message = NULL;
        struct value *approvers = NULL;
        is_int(plan_gate_text(c.plan, gate, &message, &approvers, NULL), 0, "a gate can be shown early");
        is_str(message, NULL, "without what it cannot know");
        is_int(approvers ? value_count(approvers) : 0, 1, "with who may approve");
        value_free(approvers);
        cleanup(value_free) struct value *made = object_of("{\"id\":\"id:1\",\"zone\":\"z1\"}");
        plan_set_result(c.plan, step_find(c.plan, "create", "network"), made);
        is_int(plan_gate_text(c.plan, gate, &message, &approvers, NULL), 0, "and again later");
        is_str(message, "Zone z1?", "with the value by then");
        free(message);
        value_free(approvers);
        cloud_plan(&c, NULL);
        is_settled(&c, "gates");
        is_plan(&c, two, "update dns; gate db; update db", "the gate before mid does not guard dns");
        const struct step *db = step_find(c.plan, "update", "db");
        is_str(db ? db->gate : NULL, "db", "a guarded step names its gate");
        ok(waits_for(c.plan, db, step_find(c.plan, "gate", "db")), "and waits for it");
        is_settled(&c, "second");
        is_plan(&c, three, "gate go; update mid; gate db; replace-delete db; replace db",
            "nothing is taken down before the answer");
        is_settled(&c, "third");
        cloud_release(&c);
}

static void nests(void)
{
        struct cloud c;
        cloud_init(&c);
        cloud_file(&c, "area.yaml",
            "template: area\nparameters:\n  cidr: string\n  up: {type: string, default: none}\nresources:\n"
            "  net:\n    type: cloud.network\n    properties: {name: \"${param.cidr}\"}\n"
            "  sub:\n    type: cloud.subnet\n    properties: {name: \"${param.up}\", network_id: "
            "\"${net.id}\"}\n"
            "outputs:\n  id: ${net.id}\n  sub: ${sub.id}\n  plain: ${param.cidr}\n");
        const char *text =
            "environment: e\nresources:\n"
            "  area:\n    type: template\n    template: area.yaml\n    for_each: {x: one, y: two}\n    "
            "properties: {cidr: \"${each.value}\"}\n"
            "  solo:\n    type: template\n    template: area.yaml\n    after: [wait]\n    properties: {cidr: "
            "c, up: '${area[\"x\"].id}'}\n"
            "  wait:\n    type: value\n"
            "  v:\n    type: value\n    properties: {input: \"${solo.plain}-${solo.id}\"}\n"
            "  w:\n    type: value\n    after: [area]\n    properties: {input: \"${solo.plain}\"}\n";
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        const struct plan *p = c.plan;
        const struct step *xnet = step_find(p, "create", "area[\"x\"]/net"),
                          *xsub = step_find(p, "create", "area[\"x\"]/sub");
        const struct step *snet = step_find(p, "create", "solo/net"),
                          *ssub = step_find(p, "create", "solo/sub");
        ok(xnet && xsub && snet && ssub, "nested instances have nested addresses");
        ok(waits_for(p, ssub, xnet) && !waits_for(p, ssub, xsub),
            "an output is as precise as what it is made of");
        ok(!waits_for(p, snet, xnet), "a parameter matters only where it is used");
        ok(waits_for(p, snet, step_find(p, "create", "wait")), "`after` holds for everything inside");
        const struct step *v = step_find(p, "create", "v"), *w = step_find(p, "create", "w");
        ok(waits_for(p, v, snet) && !waits_for(p, v, ssub), "outputs are used one by one");
        ok(waits_for(p, w, xsub) && !waits_for(p, w, snet), "`after` a nested template is after all of it");
        is_str(w->depends_count > 0 ? w->depends[0] : "", "area", "recorded as one address");
        is_settled(&c, "nested");
        is_plan(&c, "environment: e\nresources:\n  v:\n    type: value\n    properties: {input: c-id:2}\n",
            "update v; delete solo/sub; delete solo/net; delete w; delete area[\"x\"]/sub; delete "
            "area[\"y\"]/sub; "
            "delete area[\"y\"]/net; delete area[\"x\"]/net; delete wait",
            "and goes in reverse when it has left");
        is_settled(&c, "gone");
        cloud_release(&c);
}

static void leaves_out(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\nresources:\n" NET SUB
            "  web:\n    type: cloud.server\n    properties: {name: w, subnet_id: '${subnet[\"a\"].id}'}\n"
            "  free:\n    type: value\noutputs:\n  f: ${free.id}\n  w: ${web.id}\n";
        const char *target[] = {"web"}, *exclude[] = {"subnet"}, *wrong[] = {"wbe"};
        c.input.targets = target;
        c.input.target_count = 1;
        is_plan(&c, text, "create network; create subnet[\"a\"]; create web",
            "a target comes with what it depends on");
        ok(value_get(c.plan->outputs, "f") == NULL, "the outputs of the rest stay as they were");
        c.input.target_count = 0;
        c.input.excludes = exclude;
        c.input.exclude_count = 1;
        is_plan(&c, text, "create network; create free", "an exclusion takes along what depends on it");
        c.input.excludes = wrong;
        cleanup_free char *problem = NULL;
        ok(cloud_plan(&c, &problem) == NULL, "an address that is none is refused");
        is_str(problem, "wbe: no resource is called that, so it cannot be excluded; did you mean web?",
            "with a guess");
        c.input.exclude_count = 0;
        cloud_plan(&c, NULL);
        is_settled(&c, "all");
        c.input.mode = PLAN_DESTROY;
        c.input.targets = exclude;
        c.input.target_count = 1;
        cloud_plan(&c, NULL);
        cleanup_free char *destroyed = plan_text(c.plan);
        is_str(destroyed, "delete subnet[\"b\"]; delete web; delete subnet[\"a\"]",
            "destroying a target takes along what depends on it");
        c.input.targets = target;
        c.input.target_count = 0;
        c.input.excludes = target;
        c.input.exclude_count = 1;
        cloud_plan(&c, NULL);
        cleanup_free char *kept = plan_text(c.plan);
        is_str(kept, "delete free; delete subnet[\"b\"]", "sparing one spares what it depends on");
        cloud_release(&c);
}

static void looks_up(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\nlookups:\n  image: {type: cloud.image, properties: {name: debian}}\n"
            "  idle: {type: cloud.image, properties: {name: \"${n.zone}\"}}\n"
            "  late: {type: cloud.image, properties: {name: \"${n.zone}\"}}\nresources:\n"
            "  n:\n    type: cloud.network\n    properties: {name: n}\n"
            "  web:\n    type: cloud.server\n    properties: {name: w, image: \"${lookup.image.id}\"}\n"
            "  more:\n    type: cloud.server\n    properties: {name: \"${lookup.late.name}\", image: "
            "\"${lookup.late.id}\"}\n"
            "  said:\n    type: cloud.server\n    properties: {name: \"${lookup.image.name}\"}\n";
        is_plan(&c, text, "create n; read lookup.late; create web; create more; create said",
            "a lookup that depends on a step is read while it runs");
        is_int(c.reads, 1, "the other was read before");
        const struct step *web = step_find(c.plan, "create", "web");
        is_str(web ? value_as_string(value_get(web->planned, "image")) : NULL, "img-debian",
            "and its value is known");
        const struct step *said = step_find(c.plan, "create", "said");
        is_str(said ? value_as_string(value_get(said->planned, "name")) : NULL, "debian-full",
            "where the answer has a name of the question's, the answer counts");
        const struct step *more = step_find(c.plan, "create", "more");
        ok(more && !value_is_known(value_get(more->planned, "name")), "and is not known before it is there");
        is_int(c.plan->summary.read, 1, "one read is counted");
        cloud_apply(&c);
        is_int(c.violations, 0, "it runs");
        is_str(value_as_string(value_get(cloud_find(&c, "more", "")->properties, "image")), "img-late",
            "with what it gave");
        is_str(value_as_string(value_get(cloud_find(&c, "more", "")->properties, "name")), "late-full",
            "and by the answer's name");
        cloud_release(&c);
}

static void follows_hosts(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form = "environment: e\nresources:\n  web:\n    type: cloud.server\n    count: 2\n    "
                           "properties: {name: w, image: %s}\n"
                           "  install:\n    type: ssh.command\n    for_each: ${web}\n    host: {address: "
                           "\"${each.value.ip}\", user: u}\n"
                           "    properties: {run: x}\n";
        cleanup_free char *one = mem_printf(form, "a"), *two = mem_printf(form, "b");
        is_plan(&c, one, "create web[0]; create web[1]; create install[0]; create install[1]", "first");
        const struct step *s = step_find(c.plan, "create", "install[1]");
        ok(s && !value_is_wholly_known(s->host), "the host is not known yet");
        is_settled(&c, "hosts");
        is_str(value_as_string(value_get(cloud_find(&c, "install[1]", "")->host, "address")), "ip of id:2",
            "it was when it ran");
        is_plan(&c, two,
            "replace-delete install[0]; replace-delete web[0]; replace web[0]; replace install[0]; "
            "replace-delete install[1]; replace-delete web[1]; replace web[1]; replace install[1]",
            "a new host is a new installation");
        is_settled(&c, "moved");
        cloud_release(&c);
}

/* A host that changes in place is the same host, also while its address is not known. */
static void stays_on_hosts(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *form = "environment: e\nresources:\n  other:\n    type: cloud.network\n    properties: "
                           "{name: o, cidr: %s}\n"
                           "  web:\n    type: cloud.server\n    properties: {name: w, size: %d}\n"
                           "  install:\n    type: ssh.command\n    after: [other]\n    host: {address: "
                           "\"${web.ip}\", user: %s}\n    properties: {run: x}\n";
        cleanup_free char *one = mem_printf(form, "a", 1, "u"), *two = mem_printf(form, "b", 2, "u");
        cleanup_free char *three = mem_printf(form, "b", 2, "v");
        is_plan(&c, one, "create other; create web; create install", "first");
        is_settled(&c, "first");
        is_plan(&c, two, "replace-delete other; replace other; update web",
            "a host that is only updated is the same host");
        is_settled(&c, "updated");
        is_plan(&c, three, "", "another user is no change");
        is_int(c.plan->record_change_count, 1, "but is noted");
        cloud_apply(&c);
        is_str(value_as_string(value_get(cloud_find(&c, "install", "")->host, "user")), "v",
            "for the next time");
        cloud_release(&c);
}

static int smart_plan(void *context, const struct provider_use *use, const struct schema *schema,
    const struct value *prior, const struct value *proposed, struct value **planned,
    const char *const **replace, size_t *replace_count, char **private_, struct error **err)
{
        static const char *const paths[] = {"name"};
        struct cloud *c = context;
        (void)use, (void)schema, (void)err;
        c->types.plan_calls++;
        cleanup(value_free) struct value *shade = value_string("blue");
        *planned = value_with(proposed, "shade", shade);
        *private_ = mem_strdup("secret");
        if (prior && !value_equal(value_get(prior, "name"), value_get(proposed, "name"))) {
                *replace = paths;
                *replace_count = 1;
        }
        return 0;
}

static void asks_providers(void)
{
        struct cloud c;
        cloud_init(&c);
        c.input.provider_plan = smart_plan;
        c.input.provider_context = &c;
        is_plan(&c, "environment: e\nresources:\n  t:\n    type: smart.thing\n    properties: {name: a}\n",
            "create t", "first");
        is_str(value_as_string(value_get(c.plan->steps[0].planned, "shade")), "blue",
            "the provider plans what it computes");
        is_str(c.plan->steps[0].private_, "secret", "and keeps its own bytes");
        is_settled(&c, "smart");
        is_plan(&c, "environment: e\nresources:\n  t:\n    type: smart.thing\n    properties: {name: b}\n",
            "replace-delete t; replace t", "and says what it cannot change");
        ok(c.plan->steps[1].changes[0].forces_replace, "which is marked");
        is_settled(&c, "smart");
        cloud_release(&c);
}

static void refuses(void)
{
        struct cloud c;
        cloud_init(&c);
        const struct {
                const char *text, *want;
        } wrong[] = {
            {"environment: e\nlocals:\n  n: -1\nresources:\n  a:\n    type: value\n    count: ${local.n}\n",
                "count must be a whole number of 0 or more"},
            {"environment: e\nresources:\n  a:\n    type: value\n    for_each: [x, x]\n",
                "for_each holds 'x' twice"},
            {"environment: e\nresources:\n  a:\n    type: value\n    for_each: [1]\n",
                "for_each over a list takes strings only"},
            {"environment: e\nresources:\n  a:\n    type: value\n    count: 2\n  b:\n    type: value\n    "
             "properties: {input: \"${a[2].id}\"}\n",
                "there is no a[2]: it has 2 instances"},
            {"environment: e\nparameters:\n  p: {type: string, sensitive: true, default: x}\nresources:\n  "
             "a:\n    type: value\n"
             "    for_each: [\"${param.p}\"]\n",
                "sensitive"},
            {"environment: e\nlocals:\n  p: {nam: x}\nresources:\n  a:\n    type: cloud.network\n    "
             "properties: ${local.p}\n",
                "unknown property 'nam' on cloud.network; did you mean 'name'?"},
            {"environment: e\nlocals:\n  p: {nam: x}\nresources:\n  a:\n    type: cloud.network\n    "
             "properties: ${local.p}\n",
                "property 'name' of cloud.network is required"},
            {"environment: e\nlocals:\n  p: {x: 1}\nresources:\n  a:\n    type: value\n    properties: "
             "{input: \"${local.p.y}\"}\n"
             "  b:\n    type: value\n    properties: {input: \"${local.p.z}\"}\n",
                "\n"},
        };
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                char *problem = NULL;
                bool loaded = cloud_load(&c, wrong[i].text);
                struct plan *p = cloud_plan(&c, &problem);
                bool right = loaded && p == NULL && problem && strstr(problem, wrong[i].want);
                ok(right, "refused: %s",
                    wrong[i].want[0] == '\n' ? "all problems are told at once" : wrong[i].want);
                if (!right) printf("# %s\n", problem ? problem : "(planned)");
                free(problem);
        }
        cloud_release(&c);
}

/* What deviates from the plan when its turn comes is not done. */
static void holds_to_the_plan(void)
{
        struct cloud c;
        cloud_init(&c);
        const char *text =
            "environment: e\nresources:\n" NET
            "  s:\n    type: cloud.subnet\n    properties: {name: '${network.zone}', network_id: fixed}\n"
            "  w:\n    type: cloud.server\n    properties: {name: w, rules: [{port: 1, cidr: "
            "'${network.zone}'}]}\n";
        is_plan(&c, text, "create network; create s; create w", "first");
        is_settled(&c, "first");
        is_plan(&c,
            "environment: e\nresources:\n  network:\n    type: cloud.network\n    properties: {name: m}\n"
            "  s:\n    type: cloud.subnet\n    properties: {name: '${network.zone}', network_id: fixed}\n",
            "update network; delete w", "what the provider computed is kept by an update");
        cloud_release(&c);
        cloud_init(&c);
        is_plan(&c, text, "create network; create s; create w", "again");
        const struct step *w = step_find(c.plan, "create", "w");
        struct value *properties = NULL, *host = NULL;
        cleanup(error_free) struct error *err = NULL;
        ok(plan_resolve(c.plan, w, &properties, &host, &err) < 0, "too early, it cannot be resolved");
        is_str(error_message(err),
            "property 'rules' of w cannot be known yet: something it refers to has no value", "and says so");
        cleanup(value_free) struct value *made = object_of("{\"id\":\"id:1\",\"zone\":\"z1\"}");
        plan_set_result(c.plan, step_find(c.plan, "create", "network"), made);
        is_int(plan_resolve(c.plan, w, &properties, &host, NULL), 0, "in time, it can");
        const struct value *cidr = properties ? value_path(properties, "rules[0].cidr") : NULL;
        is_str(cidr ? value_as_string(cidr) : NULL, "z1", "with the value that came in");
        value_free(properties);
        struct step other = *w;
        cleanup(value_free) struct value *planned = value_with(w->planned, "size", NULL);
        cleanup(value_free) struct value *seven = value_int(7);
        cleanup(value_free) struct value *shown = value_with(planned, "size", seven);
        other.planned = shown;
        cleanup(error_free) struct error *conflict = NULL;
        ok(plan_resolve(c.plan, &other, &properties, &host, &conflict) < 0,
            "another value than was shown is refused");
        is_int(conflict ? error_kind(conflict) : 0, ERROR_CONFLICT, "as a conflict");
        cloud_release(&c);
}

int main(void)
{
        edges_are_precise();
        defers();
        asks_at_gates();
        nests();
        leaves_out();
        looks_up();
        follows_hosts();
        stays_on_hosts();
        asks_providers();
        refuses();
        holds_to_the_plan();
        return done();
}
