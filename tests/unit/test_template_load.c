/* A whole environment, with everything that a template may hold, and what became of each part. */
#include "template/notify.h"
#include "template_fixture.h"

#include <time.h>

static const char webshop[] =
    "template: webshop\n"
    "description: a shop\n"
    "parameters:\n"
    "  region: string\n"
    "  web_count:\n"
    "    type: number\n"
    "    default: 1\n"
    "    check: {that: \"${param.web_count >= 1}\", message: at least one web server}\n"
    "  password: {type: string, sensitive: true}\n"
    "providers:\n"
    "  sandbox: {endpoint: \"http://${param.region}\", rate: 600/m, parallel: 4}\n"
    "  other: {type: sandbox}\n"
    "lookups:\n"
    "  image: {type: sandbox.image, properties: {name: \"debian-12-*\", most_recent: true}}\n"
    "locals:\n"
    "  zones: [a, b]\n"
    "resources:\n"
    "  network:\n"
    "    type: sandbox.network\n"
    "    properties: {name: n, cidr: 10.0.0.0/16}\n"
    "  subnet:\n"
    "    type: sandbox.subnet\n"
    "    for_each: ${local.zones}\n"
    "    provider: other\n"
    "    properties:\n"
    "      name: subnet-${each.key}\n"
    "      network_id: ${network.id}\n"
    "      cidr: 10.0.${each.index}.0/24\n"
    "  web:\n"
    "    type: sandbox.server\n"
    "    count: ${param.web_count}\n"
    "    properties:\n"
    "      name: web-${count.index}-${subnet[\"a\"].id}-${lookup.image.id}\n"
    "      rules: [{port: 80}]\n"
    "    timeout: {create: 10m}\n"
    "    retry: {attempts: 5, backoff: 2s, max: 1m}\n"
    "    approve: {on: [replace, delete], approvers: [dba], message: careful}\n"
    "    protect: ${param.region == \"eu\"}\n"
    "    keep: true\n"
    "    replace: create-first\n"
    "    ignore: [version]\n"
    "    adopt: if-exists\n"
    "    on_failure: {run: [tidy], then: rollback}\n"
    "  install:\n"
    "    type: ssh.command\n"
    "    for_each: ${web}\n"
    "    host: {address: \"${each.value.private_ip}\", user: admin}\n"
    "    properties: {run: \"apt-get install -y nginx\", unless: \"command -v nginx\"}\n"
    "    timeout: 5m\n"
    "    retry: 3\n"
    "    on_failure: ask\n"
    "  go-live:\n"
    "    type: gate\n"
    "    after: [install]\n"
    "    properties: {message: \"Switch ${web[0].id}?\", approvers: [ops], expires: 24h}\n"
    "  tidy: {type: value, properties: {input: \"${failure.message}\"}}\n"
    "  inner:\n"
    "    type: template\n"
    "    template: parts/inner.yaml\n"
    "    after: go-live\n"
    "    parameters: {size: 3}\n"
    "outputs:\n"
    "  url: https://${web[0].address.ip}/${inner.name}\n"
    "  secret: {value: \"${param.password}\", sensitive: true, description: the password}\n";

static const char inner[] = "template: inner\n"
                            "parameters: {size: number}\n"
                            "resources:\n"
                            "  thing: {type: value, properties: {input: \"${param.size}\"}}\n"
                            "outputs: {name: \"${thing.output}\"}\n";

static void resources(const struct template *t)
{
        const struct resource *subnet = template_resource(t, "subnet"), *web = template_resource(t, "web");
        const struct resource *install = template_resource(t, "install"),
                              *gate = template_resource(t, "go-live");
        const struct resource *nested = template_resource(t, "inner");
        is_int(t->resource_count, 7, "seven resources");
        is_str(subnet->provider, "other", "a provider is named");
        is_str(web->provider, "sandbox", "or comes from the type");
        ok(subnet->for_each && !subnet->count && web->count, "count and for_each");
        is_int(web->timeout_ms[VERB_CREATE], 600000, "timeout of one action");
        is_int(web->timeout_ms[VERB_DELETE], 0, "and not of another");
        is_int(install->timeout_ms[VERB_DELETE], 300000, "timeout of all");
        is_int(web->retry.attempts, 5, "attempts");
        is_int(web->retry.backoff_ms, 2000, "backoff");
        is_int(web->retry.max_ms, 60000, "longest wait");
        is_int(install->retry.attempts, 3, "attempts in short");
        is_int(web->approve->on, APPROVE_REPLACE | APPROVE_DELETE, "approve on");
        ok(web->keep && web->create_first && web->adopt && web->protect, "keep, replace, adopt, protect");
        is_str(web->ignore[0], "version", "ignore");
        is_int(web->on_failure, ON_FAILURE_ROLLBACK, "then");
        is_str(web->recovery[0], "tidy", "run");
        ok(template_resource(t, "tidy")->recovery_of == web && web->recovery_of == NULL,
            "and what that belongs to");
        is_int(install->on_failure, ON_FAILURE_ASK, "on_failure in short");
        ok(install->host != NULL && expr_attribute(install->host, "user") != NULL, "host");
        is_int(gate->kind, RESOURCE_GATE, "a gate");
        is_int(gate->approve->expires_ms, 86400000, "that expires");
        is_str(gate->after[0], "install", "after");
        is_int(nested->kind, RESOURCE_TEMPLATE, "a nested template");
        is_str(nested->nested->name, "inner", "by its name");
        is_str(nested->nested->folder, "templates/parts", "in its folder");
        is_int(web->place.line, 29, "the line of a resource");
        is_int(web->place.column, 3, "and its column");
}

static void whole(void)
{
        struct fixture f = {0};
        fixture_add(&f, "envs/staging.yaml",
            "environment: webshop-staging\ntemplate: ../templates/webshop.yaml\nstate: sqlite:x.db\n"
            "parameters: {region: eu, password: geheim}\nschedule: {drift: "
            "\"at ${environment.name}\"}\n"
            "notify:\n  - {webhook: \"https://x.org:1/${environment.name}\", secret: \"${param.password}\"}\n"
            "  - {slack: \"https://x.org:1/\", on: [run-done, run-failed]}\n"
            "  - {webhook: \"https://x.org:1/other\", on: run-done, name: other}\n"
            "  - {webhook: \"https://X.org:1/\", ca: ../ca.pem}\n");
        fixture_add(&f, "templates/webshop.yaml", webshop);
        fixture_add(&f, "templates/parts/inner.yaml", inner);
        cleanup_free char *problems = NULL;
        cleanup(environment_free) struct environment *env = fixture_load_with(
            &f, "envs/staging.yaml", NULL, &problems);
        if (!is_str(problems, "", "the webshop loads") || env == NULL) return;
        is_str(env->name, "webshop-staging", "its name");
        is_str(env->state, "sqlite:x.db", "its state");
        is_str(env->folder, "envs", "its folder");
        is_str(value_as_string(value_path(env->settings, "schedule.drift")), "at webshop-staging",
            "settings may be computed");
        is_int(env->notify_count, 4, "four are told");
        is_str(env->notify[0].url, "https://x.org:1/webshop-staging", "URLs may be computed");
        is_str(env->notify[0].secret, "geheim", "a secret comes from a parameter");
        is_int(env->notify[0].events, NOTIFY_DEFAULT, "of what needs somebody, if nothing is said");
        is_str(env->notify[0].name, "webhook x.org:1", "a name of kind and host");
        is_int(env->notify[1].events, NOTIFY_RUN_DONE | NOTIFY_RUN_FAILED, "else of what is said");
        is_str(env->notify[2].name, "other", "or a given one");
        is_str(env->notify[3].ca, "ca.pem", "paths begin at the file's folder");
        is_int(env->source_count, 3, "three files");
        is_str(env->sources[1].path, "templates/webshop.yaml", "with normalised paths");
        is_str(value_as_string(value_get(env->parameters, "region")), "eu", "a parameter from the file");
        ok(value_is_sensitive(value_get(env->parameters, "password")), "a sensitive one is marked");
        is_int(value_as_double(value_get(env->parameters, "web_count")), 1, "a default");
        const struct template *t = env->template;
        is_str(t->name, "webshop", "the template's name");
        is_str(t->doc, "a shop", "its description");
        is_int(t->provider_count, 2, "providers");
        ok(t->providers[0].rate == 10 && t->providers[0].parallel == 4, "rate and parallel");
        ok(expr_attribute(t->providers[0].config, "endpoint") &&
                !expr_attribute(t->providers[0].config, "rate"),
            "are not configuration");
        is_str(t->providers[1].type, "sandbox", "the type of a provider");
        is_int(t->lookups[0].kind, RESOURCE_LOOKUP, "a lookup");
        ok(t->outputs[1].sensitive && !t->outputs[0].sensitive, "a sensitive output");
        is_str(t->outputs[1].doc, "the password", "a described one");
        resources(t);
}

static void inline_environment(void)
{
        cleanup(environment_free) struct environment *env = is_right(
            "environment: one\nparameters: {n: {type: number, default: 2}}\n"
            "resources: {a: {type: value, count: \"${param.n}\"}}\noutputs: {all: \"${a[*].id}\"}\n",
            "an environment in one file");
        if (env == NULL) return;
        is_str(env->template->name, "one", "the template is called as the environment");
        is_int(env->template->resource_count, 1, "its resource");
        is_int(value_as_double(value_get(env->parameters, "n")), 2, "its parameter");
        ok(env->template->resources[0].properties == NULL, "no properties");
}

static void digests(void)
{
        cleanup(environment_free) struct environment *a = is_right(
            "environment: e\nresources: {a: {type: value}}\n", "a");
        cleanup(environment_free) struct environment *b = is_right(
            "environment: e\nresources: {a: {type: value}}\n", "a again");
        cleanup(environment_free) struct environment *c = is_right(
            "environment: e\nresources: {b: {type: value}}\n", "b");
        ok(a && b && memcmp(a->digest, b->digest, 32) == 0, "the same text has the same digest");
        ok(a && c && memcmp(a->digest, c->digest, 32) != 0, "another has not");
}

/* --- the schema for editors ------------------------------------------------------------------------------------------ */

/* Every "$ref" names a definition. Gives how many there are. */
static int check_refs(const struct value *v, const struct value *definitions)
{
        int count = 0;
        if (value_kind(v) != TYPE_OBJECT && value_kind(v) != TYPE_TUPLE) return 0;
        for (size_t i = 0; i < value_count(v); i++) {
                const struct value *part = value_at(v, i);
                bool is_ref = value_kind(v) == TYPE_OBJECT && strcmp(value_key_at(v, i), "$ref") == 0;
                if (!is_ref) {
                        count += check_refs(part, definitions);
                        continue;
                }
                const char *name = value_as_string(part);
                count++;
                if (!text_starts(name, "#/$defs/") || value_get(definitions, name + 8) == NULL)
                        ok(false, "%s is defined", name);
        }
        return count;
}

static void schema(void)
{
        struct text text = {0};
        template_json_schema(&text);
        cleanup(value_free) struct value *v = value_from_json(text.data, text.len, NULL, NULL, NULL);
        text_release(&text);
        if (!ok(v != NULL, "the schema is JSON")) return;
        ok(check_refs(v, value_get(v, "$defs")) > 50, "with references that lead somewhere");
        static const char *const keys[] = {"type", "properties", "provider", "after", "count", "for_each",
            "when", "host", "approve", "retry", "timeout", "protect", "keep", "replace", "ignore", "adopt",
            "on_failure"};
        const struct value *resource = value_path(v, "$defs.managed.properties");
        is_int(value_count(resource), sizeof keys / sizeof keys[0],
            "it has as many keys of a resource as the reader");
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
                ok(value_get(resource, keys[i]) != NULL, "%s is described", keys[i]);
}

/* --- size ------------------------------------------------------------------------------------------------------------ */

static double load_many(int count)
{
        struct text text = {0};
        text_add(&text, "environment: e\nresources:\n");
        for (int i = 0; i < count; i++)
                text_addf(&text,
                    "  r%d:\n    type: sandbox.subnet\n    properties:\n      name: subnet-%d\n      "
                    "network_id: %s\n      labels: {tier: web}\n",
                    i, i, "x");
        for (int i = 1; i < count; i++)
                text_addf(&text, "  s%d: {type: value, properties: {input: \"${s%d.id}\"}}\n", i,
                    i > 1 ? i - 1 : count);
        text_addf(&text, "  s%d: {type: value}\n", count);
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", text.data);
        clock_t start = clock();
        cleanup(environment_free) struct environment *env = fixture_load_with(&f, "e.yaml", NULL, NULL);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        ok(env && env->template->resource_count == (size_t)count * 2, "%d resources load", count * 2);
        text_release(&text);
        return seconds;
}

static void size(void)
{
        double few = load_many(5000), many = load_many(50000);
        ok(many < 30 * few + 0.5, "ten times as many take about ten times as long: %.3f s and %.3f s", few,
            many);
}

int main(void)
{
        whole();
        inline_environment();
        digests();
        schema();
        size();
        return done();
}
