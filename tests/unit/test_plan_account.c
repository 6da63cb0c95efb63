/*
 * Where objects live: what of a configuration identifies an account, which one of several configurations serves a record, and what is
 * refused. "Variables" stand in for the environment's.
 */
#include "plan_fixture.h"

#include "plan/account.h"

static const char *variable; /* what fills in `endpoint`, or NULL */

static struct property properties[] = {{.name = "endpoint"}, {.name = "key", .credential = true},
    {.name = "port"}, {.name = "secret", .sensitive = true, .credential = true},
    {.name = "timeout", .incidental = true}};

static const struct property *config_of(
    void *context, const char *provider, size_t *count, struct error **err)
{
        (void)context, (void)err;
        *count = strcmp(provider, "value") == 0 ? 0 : sizeof properties / sizeof *properties;
        return properties;
}

static struct value *resolve(void *context, const char *provider, const struct value *config)
{
        (void)context;
        if (strcmp(provider, "value") == 0) return value_object(NULL, NULL, 0);
        struct value *v = config ? value_ref(config) : value_object(NULL, NULL, 0);
        if (variable == NULL || !value_is_known(v) || value_get(v, "endpoint") != NULL) return v;
        cleanup(value_free) struct value *endpoint = value_string(variable);
        struct value *filled = value_with(v, "endpoint", endpoint);
        value_free(v);
        return filled;
}

static void begin(struct cloud *c)
{
        cloud_init(c);
        for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
                properties[i].type = strcmp(properties[i].name, "port") == 0 ? type_number : type_string;
        properties[2].fallback = object_of("80");
        c->schemas.config = config_of;
        c->schemas.resolve = resolve;
        variable = NULL;
}

static void end(struct cloud *c)
{
        value_free((struct value *)properties[2].fallback);
        properties[2].fallback = NULL;
        cloud_release(c);
}

static void identifies(void)
{
        struct cloud c;
        begin(&c);
        cleanup(value_free) struct value *config = object_of(
            "{\"timeout\": \"5s\", \"secret\": \"hush\", \"port\": 8080, \"key\": \"k\", \"endpoint\": "
            "\"http://a\"}");
        cleanup(value_free) struct value *account = account_of(&c.schemas, "cloud", config);
        cleanup_free char *text = account_text(account);
        is_str(text, "{\"endpoint\":\"http://a\",\"port\":8080}",
            "neither who asks, nor a time-out; in order of names");
        cleanup(value_free) struct value *endpoint = value_string("http://a"),
                                         *hidden = value_sensitive(endpoint, true);
        cleanup(value_free) struct value *secret = value_with(config, "endpoint", hidden);
        cleanup(value_free) struct value *without = account_of(&c.schemas, "cloud", secret);
        cleanup_free char *less = account_text(without);
        is_str(less, "{\"port\":8080}", "nor what an expression made a secret");
        cleanup(value_free) struct value *unknown = value_unknown(type_string);
        cleanup(value_free) struct value *later = value_with(config, "endpoint", unknown);
        ok(account_of(&c.schemas, "cloud", later) == NULL, "what is not known is no account yet");
        cleanup(value_free) struct value *late_key = value_with(config, "key", unknown);
        cleanup(value_free) struct value *known = account_of(&c.schemas, "cloud", late_key);
        ok(known != NULL && value_equal(known, account), "a credential that is not known is no obstacle");
        variable = "http://v";
        cleanup(value_free) struct value *bare = account_of(&c.schemas, "cloud", NULL);
        cleanup_free char *from_variable = account_text(bare);
        is_str(from_variable, "{\"endpoint\":\"http://v\"}", "variables count");
        cleanup(value_free) struct value *none = account_of(&c.schemas, "value", NULL);
        ok(none != NULL && value_count(none) == 0, "a provider without a configuration has an empty one");
        end(&c);
}

static void compares(void)
{
        struct cloud c;
        begin(&c);
        static const struct {
                const char *then, *now;
                enum account_match match;
                const char *of_then, *of_now;
        } cases[] = {
            {"{\"endpoint\":\"a\"}", "{\"endpoint\":\"a\"}", ACCOUNT_SAME, NULL, NULL},
            {"{\"endpoint\":\"a\"}", "{\"endpoint\":\"a\",\"port\":80}", ACCOUNT_SAME, NULL, NULL},
            {"{\"endpoint\":\"a\",\"port\":\"80\"}", "{\"endpoint\":\"a\"}", ACCOUNT_SAME, NULL, NULL},
            {"{\"endpoint\":\"a\",\"gone\":1}", "{\"endpoint\":\"a\"}", ACCOUNT_SAME, NULL, NULL},
            {"{\"endpoint\":\"a\"}", "{\"endpoint\":\"b\"}", ACCOUNT_OTHER, "endpoint \"a\"",
                "endpoint \"b\""},
            {"{\"endpoint\":\"a\"}", "{}", ACCOUNT_ABSENT, "endpoint \"a\"", "no endpoint"},
            {"{}", "{\"endpoint\":\"b\"}", ACCOUNT_OTHER, "no endpoint", "endpoint \"b\""},
            {"{\"endpoint\":\"a\",\"port\":1}", "{\"port\":2}", ACCOUNT_OTHER, "endpoint \"a\", port 1",
                "no endpoint, port 2"},
            {"{\"endpoint\":[1]}", "{\"endpoint\":\"b\"}", ACCOUNT_OTHER, "endpoint [1]", "endpoint \"b\""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                cleanup(value_free) struct value *then = object_of(cases[i].then),
                                                 *now = object_of(cases[i].now);
                struct text a = {0}, b = {0};
                is_int(account_compare(&c.schemas, "cloud", then, now, &a, &b), cases[i].match, cases[i].now);
                if (cases[i].of_then != NULL) is_str(a.data, cases[i].of_then, "as it was");
                if (cases[i].of_now != NULL) is_str(b.data, cases[i].of_now, "as it is");
                text_release(&a);
                text_release(&b);
        }
        cleanup(value_free) struct value *then = object_of("{\"endpoint\":\"a\"}"),
                                         *now = object_of("{\"endpoint\":\"b\"}");
        struct recorded r = {.address = "net", .provider = "east", .account = then};
        struct provider_use use = {.name = "east", .recorded = &r};
        cleanup(error_free) struct error *err = NULL;
        ok(account_check(&c.schemas, "cloud", &use, now, &err) < 0 &&
                strstr(error_message(err), "endpoint \"a\", and provider 'east' has endpoint \"b\""),
            "a connection to another account is refused");
        use.accepted = true;
        ok(account_check(&c.schemas, "cloud", &use, now, NULL) == 0, "unless it was accepted");
        use.accepted = false;
        ok(account_check(&c.schemas, "cloud", &use, then, NULL) == 0, "the same one is not");
        r.account = NULL;
        ok(account_check(&c.schemas, "cloud", &use, now, NULL) == 0, "nor any where none is recorded");
        static const char *const wrong[] = {"", "[]", "1", "null", "{", "\"a\""};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                ok(account_read(wrong[i], NULL) == NULL, "%s is no account", wrong[i]);
        cleanup_free char *huge = mem_alloc(ACCOUNT_MAX + 3);
        memset(huge, ' ', ACCOUNT_MAX + 1);
        huge[0] = '{';
        huge[ACCOUNT_MAX] = '}';
        ok(account_read(huge, NULL) == NULL, "nor is one that is too large");
        end(&c);
}

#define BLOCK(name, endpoint) "  " name ": {type: cloud, endpoint: \"" endpoint "\"}\n"
#define DISK(provider) "  d: {type: cloud.disk, provider: " provider ", properties: {size: 1}}\n"
#define FILE_OF(blocks, resources) \
        "environment: e\nproviders:\n  cluster: {}\n" blocks "resources:\n  v: {type: value}\n" resources

static void plan_is(struct cloud *c, const char *text, const char *want, const char *name)
{
        char *problems = NULL;
        if (!cloud_load(c, text)) {
                ok(false, "%s", name);
                return;
        }
        struct plan *plan = cloud_plan(c, &problems);
        cleanup_free char *steps = plan_text(plan);
        cleanup_free char *got = problems;
        is_str(got ? got : steps, want, name);
}

static void plan_refuses(struct cloud *c, const char *text, const char *part, const char *name)
{
        char *problems = NULL;
        ok(cloud_load(c, text) && cloud_plan(c, &problems) == NULL && problems && strstr(problems, part),
            "%s", name);
        if (problems == NULL || strstr(problems, part) == NULL)
                printf("# got: %s\n# want: %s\n", problems ? problems : "a plan", part);
        free(problems);
}

static const char *server(struct cloud *c, const char *action, const char *address)
{
        const struct step *step = step_find(c->plan, action, address);
        return step ? step->account : "no such step";
}

static void serves(void)
{
        struct cloud c;
        begin(&c);
        plan_is(
            &c, FILE_OF(BLOCK("east", "http://e"), DISK("east")), "create v; create d", "made by a block");
        is_str(server(&c, "create", "d"), "{\"endpoint\":\"http://e\"}", "the step says where");
        cloud_apply(&c);
        plan_is(&c, FILE_OF(BLOCK("east", "http://e"), ""), "delete d", "removed by its block");
        is_str(server(&c, "delete", "d"), "{\"endpoint\":\"http://e\"}", "there");
        plan_refuses(&c, FILE_OF("", ""),
            "d was made with provider 'east' of {\"endpoint\":\"http://e\"}, which the template does not "
            "configure any more: put the block back, or `tutti state rm e.yaml d` to forget it",
            "without the block");
        plan_refuses(&c, FILE_OF("  east: {type: smart, endpoint: \"http://e\"}\n", ""),
            "does not configure any more", "with a block of another provider");
        plan_refuses(&c, FILE_OF(BLOCK("east", "http://x"), DISK("east")),
            "at endpoint \"http://e\", but block 'east' has endpoint \"http://x\"", "with another endpoint");
        plan_refuses(&c, FILE_OF(BLOCK("west", "http://x"), DISK("west")), "block 'west' has endpoint",
            "renamed and with another endpoint");
        plan_refuses(&c, FILE_OF(BLOCK("west", "http://e"), ""), "does not configure any more",
            "another name does not do for what left");
        plan_is(&c, FILE_OF(BLOCK("west", "http://e"), DISK("west")), "", "renamed, the same account");
        ok(c.plan && c.plan->record_change_count == 1 && !plan_is_empty(c.plan) &&
                text_equal(c.plan->record_changes[0].provider, "west") && !c.plan->record_changes[0].moved,
            "the record follows");
        plan_is(&c, FILE_OF(BLOCK("east", "http://e") BLOCK("west", "http://x"), DISK("west")),
            "replace-delete d; replace d", "from one block to another that both stand");
        is_str(server(&c, "replace-delete", "d"), "{\"endpoint\":\"http://e\"}", "deleted where it was");
        is_str(server(&c, "replace", "d"), "{\"endpoint\":\"http://x\"}", "made where it is to be");
        plan_is(&c, FILE_OF(BLOCK("east", "http://x") BLOCK("west", "http://e"), DISK("west")), "",
            "the names were exchanged, the account is the same");
        c.input.mode = PLAN_DESTROY;
        plan_is(&c, FILE_OF(BLOCK("west", "http://e"), DISK("west")), "delete d; delete v",
            "destroyed by the block that was renamed");
        plan_refuses(&c, FILE_OF("", ""), "does not configure any more", "not without it");
        c.input.mode = PLAN_DRIFT;
        plan_refuses(&c, FILE_OF("", ""), "does not configure any more", "nor is drift looked for");
        c.input.unchecked = true;
        plan_is(&c, FILE_OF("", ""), "", "unless nothing is to be asked");
        end(&c);
}

static void accepts(void)
{
        struct cloud c;
        begin(&c);
        plan_is(
            &c, FILE_OF(BLOCK("east", "http://e"), DISK("east")), "create v; create d", "made by a block");
        cloud_apply(&c);
        static const char *const names[] = {"other", "east"};
        c.input.accepted = names;
        c.input.accepted_count = 1;
        plan_refuses(&c, FILE_OF(BLOCK("east", "http://x"), DISK("east")), "--accept-provider east",
            "another one that is accepted does not help");
        c.input.accepted_count = 2;
        plan_is(&c, FILE_OF(BLOCK("east", "http://x"), DISK("east")), "", "accepted");
        ok(c.plan && c.plan->record_change_count == 1 && c.plan->record_changes[0].moved &&
                text_equal(c.plan->record_changes[0].account, "{\"endpoint\":\"http://x\"}"),
            "the record follows");
        unsigned char with[32] = {0}, without[32] = {0};
        plan_is(&c, FILE_OF(BLOCK("east", "http://e"), DISK("east")), "", "where it was");
        if (c.plan) memcpy(with, c.plan->digest, 32);
        c.input.accepted_count = 0;
        cloud_plan(&c, NULL);
        if (c.plan) memcpy(without, c.plan->digest, 32);
        ok(memcmp(with, without, 32) != 0, "what was accepted is in the digest");
        plan_refuses(&c, FILE_OF(BLOCK("west", "http://e"), ""), "does not configure", "by another name");
        static const char *const west[] = {"west"};
        c.input.accepted = west;
        c.input.accepted_count = 1;
        plan_is(&c, FILE_OF(BLOCK("west", "http://e"), ""), "delete d", "unless that is named");
        is_str(server(&c, "delete", "d"), "{\"endpoint\":\"http://e\"}", "which deletes it");
        end(&c);
}

/* A block that is named like its provider may be left to the variables. */
static void variables(void)
{
        struct cloud c;
        begin(&c);
        plan_is(
            &c, FILE_OF(BLOCK("cloud", "http://e"), DISK("cloud")), "create v; create d", "made by a block");
        cloud_apply(&c);
        plan_is(
            &c, FILE_OF("", ""), "delete d", "no variables: shown where nothing is read; connecting refuses");
        variable = "http://x";
        plan_refuses(
            &c, FILE_OF("", ""), "the environment variables have endpoint \"http://x\"", "other ones");
        plan_refuses(&c, FILE_OF("", DISK("cloud")), "--accept-provider cloud", "the same of what stays");
        variable = "http://e";
        plan_is(&c, FILE_OF("", ""), "delete d", "the same ones");
        plan_is(&c, FILE_OF("", DISK("cloud")), "", "the same ones, it stays");
        variable = NULL;
        c.input.refresh = true;
        plan_refuses(&c, FILE_OF("", ""), "have no endpoint", "nothing is read without");
        c.input.refresh = false;
        end(&c);
}

/* Of a record from before it is not known. */
static void unknown(void)
{
        struct cloud c;
        begin(&c);
        plan_is(
            &c, FILE_OF(BLOCK("east", "http://e"), DISK("east")), "create v; create d", "made by a block");
        cloud_apply(&c);
        for (size_t i = 0; i < c.count; i++) {
                free(c.objects[i].account);
                c.objects[i].account = NULL;
        }
        plan_is(&c, FILE_OF(BLOCK("east", "http://x"), DISK("east")), "", "any is as good");
        ok(c.plan && c.plan->record_change_count == 2 && plan_is_empty(c.plan),
            "it is noted, which is no change");
        plan_is(&c, FILE_OF(BLOCK("east", "http://x"), ""), "delete d", "its block serves it");
        plan_refuses(&c, FILE_OF(BLOCK("west", "http://e"), DISK("west")), "does not configure any more",
            "its name is all that is known");
        end(&c);
}

static void nested(void)
{
        struct cloud c;
        begin(&c);
        cloud_file(&c, "part.yaml",
            "template: p\nparameters: {url: string}\nproviders:\n  east: {type: cloud, endpoint: "
            "\"${param.url}\"}\n"
            "resources:\n" DISK("east"));
#define PART(more) "  p: {type: template, template: part.yaml" more "}\n"
#define EACH(keys) PART(", for_each: " keys ", parameters: {url: \"${each.value}\"}")
        plan_is(&c, FILE_OF(BLOCK("east", "http://r"), EACH("{a: \"http://a\", b: \"http://b\"}")),
            "create v; create p[\"a\"]/d; create p[\"b\"]/d", "one block for each");
        cloud_apply(&c);
        is_settled(&c, "nested");
        plan_refuses(&c, FILE_OF(BLOCK("east", "http://r"), EACH("{a: \"http://a\"}")),
            "p[\"b\"]/d was made with provider 'east' at endpoint \"http://b\", but block 'east' has "
            "endpoint "
            "\"http://r\": put back what it was (its nested template is gone: at the root, under that name)",
            "another block of the name, at the root");
        plan_refuses(&c, FILE_OF("", EACH("{a: \"http://b\"}")), "block 'east' has endpoint \"http://b\"",
            "the block of another one is none");
        plan_is(&c, FILE_OF(BLOCK("east", "http://b"), EACH("{a: \"http://a\"}")), "delete p[\"b\"]/d",
            "the right one at the root");
        is_str(server(&c, "delete", "p[\"b\"]/d"), "{\"endpoint\":\"http://b\"}", "serves it");
        plan_refuses(&c, FILE_OF("", ""), "`tutti state rm e.yaml 'p[\"a\"]/d'`", "each is named");
        end(&c);
}

int main(void)
{
        identifies();
        compares();
        serves();
        accepts();
        variables();
        unknown();
        nested();
        return done();
}
