/* Plans as JSON: what `plan --json` prints, and what is saved, read back and refused. */
#include "plan_fixture.h"

static const char *const text =
    "environment: e\nparameters:\n  p: {type: string, sensitive: true, default: hush}\nlookups:\n"
    "  image: {type: cloud.image, properties: {name: debian}}\nresources:\n"
    "  network:\n    type: cloud.network\n    properties: {name: \"n ${param.p}\", cidr: x}\n"
    "  s:\n    type: cloud.subnet\n    count: 3\n    properties: {name: s, network_id: \"${network.id}\"}\n"
    "  web:\n    type: cloud.server\n    count: 2\n    after: [s]\n"
    "    properties: {name: w, image: \"${lookup.image.id}\", password: hush, rules: [{port: 1, cidr: "
    "\"${network.zone}\"}]}\n"
    "  go:\n    type: gate\n    after: [web]\n    properties: {message: go}\n"
    "  dns:\n    type: value\n    after: [go]\n    properties: {input: \"${web[*].ip}\"}\noutputs:\n  n: "
    "${network.name}\n";

static struct value *json_of(const struct plan *plan)
{
        struct text out = {0};
        plan_json(plan, &out, NULL);
        struct value *v = value_from_json(out.data, out.len, NULL, NULL, NULL);
        ok(strstr(out.data, "hush") == NULL, "no secret is in it");
        text_release(&out);
        return v;
}

static long long number_at(const struct value *v, const char *path)
{
        const struct value *part = value_path(v, path);
        int64_t n = -1;
        return part && value_as_int(part, &n) ? n : -1;
}

static const char *string_at(const struct value *v, const char *path)
{
        const struct value *part = value_path(v, path);
        return part && value_kind(part) == TYPE_STRING ? value_as_string(part) : NULL;
}

static void prints(void)
{
        struct cloud c;
        cloud_init(&c);
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        cleanup(value_free) struct value *v = json_of(c.plan);
        is_str(string_at(v, "environment"), "e", "the environment");
        is_int(number_at(v, "serial"), 0, "the serial");
        is_int(strlen(string_at(v, "digest")), 64, "the digest");
        is_int(number_at(v, "summary.create"), 7, "creations");
        is_int(number_at(v, "summary.gates"), 1, "gates");
        is_int(value_count(value_get(v, "steps")), 8, "steps, without joins");
        is_str(string_at(v, "steps[4].address"), "web[0]", "in order");
        is_int(value_count(value_path(v, "steps[4].after")), 4, "a step waits for all that a join stood for");
        is_int(number_at(v, "steps[4].after[1]"), 1, "by its index");
        is_int(number_at(v, "steps[4].index"), 4, "which is its place");
        is_str(string_at(v, "steps[0].changes[1].after"), "(sensitive)", "a secret is masked");
        ok(value_as_bool(value_path(v, "steps[0].changes[1].sensitive")), "and marked");
        ok(value_as_bool(value_path(v, "steps[1].changes[1].unknown")), "an unknown is marked");
        ok(value_path(v, "steps[1].changes[1].after") == NULL, "in place of a value");
        is_str(string_at(v, "steps[6].gate"), "go", "a gate has its name");
        is_int(number_at(v, "estimate.seconds"), 30, "the estimate");
        is_int(value_count(value_path(v, "estimate.critical_path")), 5, "and the path that decides it");
        cloud_release(&c);
}

/* Many that wait for many through one: written out as joins instead of a million edges. */
static void stays_linear(void)
{
        struct cloud c;
        cloud_init(&c);
        cloud_load(&c, "environment: e\nresources:\n  a:\n    type: value\n    count: 1000\n"
                       "  b:\n    type: value\n    count: 1000\n    after: [a]\n");
        cloud_plan(&c, NULL);
        struct text out = {0};
        plan_json(c.plan, &out, NULL);
        ok(out.len < 1000000, "the text is in proportion to the table (%zu bytes)", out.len);
        ok(strstr(out.data, "\"action\":\"join\"") != NULL, "with its joins");
        text_release(&out);
        cloud_release(&c);
}

static void saves_and_reads(void)
{
        struct cloud c;
        cloud_init(&c);
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        struct text out = {0};
        is_int(plan_write(c.plan, &fake_sealer, &out, NULL), 0, "it is written");
        /* Also in the template, where its user wrote it. */
        int hushes = 0;
        for (const char *p = out.data; (p = strstr(p, "hush")) != NULL; p++) hushes++;
        is_int(hushes, 0, "secrets are sealed");
        cleanup(error_free) struct error *err = NULL;
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        is_int(saved_plan_read(out.data, out.len, SAVED_FILE, &fake_sealer, &saved, &err), 0, "it is read");
        if (saved == NULL) {
                printf("# %s\n", error_message(err));
                return;
        }
        is_str(saved->environment, "e", "with the environment");
        is_str(saved->lineage, "line", "the lineage");
        is_int(saved->source_count, 1, "the sources");
        ok(memcmp(saved->digest, c.plan->digest, 32) == 0, "the digest");
        ok(value_equal(saved->parameters, c.env->parameters) &&
                value_is_sensitive(value_get(saved->parameters, "p")),
            "the parameters, marked");
        struct plan_input input = c.input;
        input.world = saved->world;
        cleanup(plan_free) struct plan *again = NULL;
        is_int(plan_build(&input, &again, NULL), 0, "it can be built again");
        ok(again && memcmp(again->digest, saved->digest, 32) == 0, "to the same digest");
        ok(world_get(saved->world, "lookup.image") != NULL, "out of what was read then");

        size_t refused = 0, tried = 0;
        for (size_t cut = 0; cut < out.len; cut += out.len / 50 + 1) {
                cleanup(saved_plan_free) struct saved_plan *part = NULL;
                tried++;
                refused += saved_plan_read(out.data, cut, SAVED_FILE, &fake_sealer, &part, NULL) < 0;
        }
        is_int(refused, tried, "no part of it passes for the whole");
        static const char *const keys[] = {"format", "environment", "lineage", "serial", "digest", "proof",
            "mode", "sources", "world", "observations", "parameters", "targets", "text"};
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
                cleanup_free char *copy = mem_strndup(out.data, out.len);
                cleanup_free char *quoted = mem_printf("\"%s\":", keys[k]);
                strstr(copy, quoted)[1] = 'X';
                cleanup(saved_plan_free) struct saved_plan *part = NULL;
                ok(saved_plan_read(copy, out.len, SAVED_FILE, &fake_sealer, &part, NULL) < 0,
                    "it is refused without '%s'", keys[k]);
        }
        cleanup_free char *unproved = mem_strndup(out.data, out.len);
        strstr(unproved, "\"proof\":")[1] = 'X';
        cleanup(saved_plan_free) struct saved_plan *old = NULL, *forged = NULL;
        is_int(saved_plan_read(unproved, out.len, SAVED_RECORD, &fake_sealer, &old, NULL), 0,
            "a recorded plan may be from before there were proofs");
        char *digest = strstr(out.data, "\"digest\":\"") + strlen("\"digest\":\"");
        *digest = *digest == 'a' ? 'b' : 'a';
        cleanup(saved_plan_free) struct saved_plan *other = NULL;
        ok(saved_plan_read(out.data, out.len, SAVED_FILE, &fake_sealer, &other, &err) < 0 &&
                strstr(error_message(err), "key") != NULL,
            "another digest is none that the key proves");
        ok(saved_plan_read(out.data, out.len, SAVED_RECORD, &fake_sealer, &forged, NULL) < 0,
            "in the record neither");
        text_release(&out);
        cloud_release(&c);
}

static void digests(void)
{
        struct cloud c;
        cloud_init(&c);
        unsigned char one[32];
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        memcpy(one, c.plan->digest, 32);
        cloud_load(&c, text);
        cloud_plan(&c, NULL);
        ok(memcmp(one, c.plan->digest, 32) == 0, "the same input gives the same digest");
        cleanup_free char *other = mem_strdup(text);
        strstr(other, "cidr: x")[6] = 'y';
        cloud_load(&c, other);
        cloud_plan(&c, NULL);
        ok(memcmp(one, c.plan->digest, 32) != 0, "another value another one");
        strstr(other, "cidr: y")[6] = 'x';
        *strstr(other, "after: [go]") = '#';
        cloud_load(&c, other);
        cloud_plan(&c, NULL);
        ok(memcmp(one, c.plan->digest, 32) != 0, "other edges too");
        cloud_release(&c);
}

int main(void)
{
        prints();
        stays_linear();
        saves_and_reads();
        digests();
        return done();
}
