/* Values of parameters: which source wins, what texts become, what is refused, and that secrets are not told. */
#include "template_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static const char declarations[] =
    "parameters:\n"
    "  name: string\n"
    "  count: {type: number, default: 1, check: {that: \"${param.count < 10}\", message: \"${param.name} has "
    "too many: ${param.count}\"}}\n"
    "  zones: {type: list(string), default: []}\n"
    "  flag: {type: bool, default: false}\n"
    "  any: {default: x}\n"
    "  rules: {type: \"list(object({port = number, cidr = optional(string, \\\"any\\\")}))\", default: []}\n"
    "  secret: {type: number, sensitive: true, default: 1, check: {that: \"${param.secret != 7}\", message: "
    "\"not ${param.secret}\"}}\n"
    "  none: {type: string, default: null}\n";

/* The parameters as JSON, or the problems. Consumes nothing; the caller frees. */
static char *load(const char *given, const struct parameter_source *source)
{
        struct fixture f = {0};
        cleanup_free char *text = mem_printf(
            "environment: stage\ntemplate: t.yaml\n%s%s", given ? "parameters: " : "", given ? given : "");
        fixture_add(&f, "e.yaml", text);
        fixture_add(&f, "t.yaml", declarations);
        fixture_add(&f, "one.yaml", "name: one\ncount: 2\n");
        fixture_add(&f, "two.json", "{\"count\": 3, \"rules\": [{\"port\": 1}]}");
        fixture_add(&f, "bad.yaml", "nmae: x\ncount: {}\n");
        char *problems = NULL;
        cleanup(environment_free) struct environment *env = fixture_load_with(
            &f, "e.yaml", source, &problems);
        if (env == NULL) return problems;
        free(problems);
        struct text json = {0};
        value_json(env->parameters, SECRETS_MASK, NULL, &json, NULL);
        return text_steal(&json);
}

static void gives(
    const char *given, const struct parameter_source *source, const char *want, const char *name)
{
        cleanup_free char *got = load(given, source);
        is_str(got, want, name);
}

/* One --set on top of a name. */
static void sets(const char *set, const char *want, const char *name)
{
        const char *all[] = {"name=n", set};
        struct parameter_source source = {.sets = all, .set_count = 2};
        cleanup_free char *got = load(NULL, &source);
        if (!ok(strstr(got, want) != NULL, "%s", name)) printf("#   got: %s\n#  want: %s\n", got, want);
}

static void precedence(void)
{
        const char *const files[] = {"one.yaml", "two.json"};
        const char *const variables[] = {
            "PATH=/", "TUTTI_PARAM_count=4", "TUTTI_PARAM_other=4", "TUTTI_PARAM_x", NULL};
        const char *const all[] = {"count=5"};
        const char rest[] = "\"flag\":false,\"name\":\"%s\",\"none\":null,\"rules\":%s,\"secret\":\"("
                            "sensitive)\",\"zones\":[]}";
        char want[512], tail[400];
        struct parameter_source source = {0};
        snprintf(tail, sizeof tail, rest, "e", "[]");
        snprintf(want, sizeof want, "{\"any\":\"x\",\"count\":1,%s", tail);
        gives("{name: e}", &source, want, "the file and defaults");
        gives("{name: e}", NULL, want, "no other sources at all");
        source.values_files = files;
        source.values_file_count = 1;
        snprintf(tail, sizeof tail, rest, "one", "[]");
        snprintf(want, sizeof want, "{\"any\":\"x\",\"count\":2,%s", tail);
        gives("{name: e}", &source, want, "a values file wins over the environment");
        source.values_file_count = 2;
        snprintf(tail, sizeof tail, rest, "one", "[{\"cidr\":\"any\",\"port\":1}]");
        snprintf(want, sizeof want, "{\"any\":\"x\",\"count\":3,%s", tail);
        gives("{name: e}", &source, want, "a later one over an earlier; JSON is read too");
        source.variables = variables;
        snprintf(want, sizeof want, "{\"any\":\"x\",\"count\":4,%s", tail);
        gives("{name: e}", &source, want, "a variable wins over files; others are passed over");
        source.sets = all;
        source.set_count = 1;
        snprintf(want, sizeof want, "{\"any\":\"x\",\"count\":5,%s", tail);
        gives("{name: e}", &source, want, "--set wins over all");
}

static void texts(void)
{
        sets("name=1.10", "\"name\":\"1.10\"", "text is taken as it stands");
        sets("name=a=b ${x}", "\"name\":\"a=b ${x}\"", "even with = and ${");
        sets("name=", "\"name\":\"\"", "even empty");
        sets("count=1+2", "\"count\":3", "a number is an expression");
        sets("flag=true", "\"flag\":true", "a bool");
        sets("zones=[\"a\",\"b\"]", "\"zones\":[\"a\",\"b\"]", "a list as an expression");
        sets("zones=[a, b]", "\"zones\":[\"a\",\"b\"]", "a list as YAML");
        sets("rules=[{port = 1, cidr = \"x\"}]", "\"rules\":[{\"cidr\":\"x\",\"port\":1}]",
            "objects as an expression");
        sets("rules=[{port: 1}]", "\"rules\":[{\"cidr\":\"any\",\"port\":1}]", "objects as YAML");
        sets("any=hello world", "\"any\":\"hello world\"", "without a type: text");
        sets("any=[1]", "\"any\":[1]", "without a type: a list");
        sets("any=3", "\"any\":3", "without a type: a number");
        sets("none=null", "\"none\":\"null\"", "null is text for a string");
        gives("{name: \"${upper(environment.name)}-${1 + 1}\", none: x}", NULL,
            "{\"any\":\"x\",\"count\":1,\"flag\":false,\"name\":\"STAGE-2\",\"none\":\"x\",\"rules\":[],"
            "\"secret\":\"(sensitive)\",\"zones\":[]}",
            "values may be computed by functions");
}

static void refusals(void)
{
        gives(NULL, NULL,
            "t.yaml:2:3: param.name: a value is missing: set it in the environment's 'parameters', with "
            "--set name=… or TUTTI_PARAM_name",
            "missing");
        gives("{name: n, coutn: 1, zones: {}}", NULL,
            "e.yaml:3:23: the template 't' has no parameter 'coutn'; did you mean 'count'?\n"
            "e.yaml:3:40: param.zones: the value does not fit the parameter: a list is required, "
            "not an object",
            "unknown; wrong type");
        gives("{name: n, count: 12}", NULL, "e.yaml:3:30: param.count: n has too many: 12",
            "a check fails where the value stands");
        gives("{name: n, secret: 7}", NULL, "e.yaml:3:31: param.secret: the value does not pass its check",
            "without telling a secret");
        gives("{name: \"${param.x}\"}", NULL, "e.yaml:3:23: param.name: there is no 'param' here",
            "values see no parameters");
        gives("[1]", NULL,
            "e.yaml:3:13: parameters must be a map, not a list\n"
            "t.yaml:2:3: param.name: a value is missing: set it in the environment's 'parameters', with "
            "--set name=… or TUTTI_PARAM_name",
            "a list");
        const char *const files[] = {"bad.yaml", "nowhere.yaml"};
        struct parameter_source source = {.values_files = files, .values_file_count = 2};
        gives("{name: n}", &source,
            "bad.yaml:1:1: the template 't' has no parameter 'nmae'; did you mean 'name'?\n"
            "bad.yaml:2:8: param.count: the value does not fit the parameter: a number is required, "
            "not an object\n"
            "nowhere.yaml: read nowhere.yaml: no such file",
            "values files");
        const char *const sets_[] = {
            "name=x", "coutn=1", "nonsense", "count=oops(", "flag=\"nein\"", "secret=hush hush"};
        const char *const variables[] = {"TUTTI_PARAM_zones=5", NULL};
        source = (struct parameter_source){.sets = sets_, .set_count = 6, .variables = variables};
        gives(NULL, &source,
            "param.zones: TUTTI_PARAM_zones does not give a value of type list(string): a list is required, "
            "not a number\n"
            "--set: the template 't' has no parameter 'coutn'; did you mean 'count'?\n"
            "--set takes name=value\n"
            "param.count: --set does not give a value of type number: there is no function 'oops'\n"
            "param.flag: --set does not give a value of type bool: a bool is required: \"true\" or "
            "\"false\"\n"
            "param.secret: --set does not give a value of type number",
            "texts that do not fit, without the secret one");
}

static void fixed(void)
{
        cleanup(value_free) struct value *all = value_from_json(
            "{\"name\":\"f\",\"count\":9}", 22, NULL, NULL, NULL);
        const char *const sets_[] = {"name=x"};
        struct parameter_source source = {.fixed = all, .sets = sets_, .set_count = 1};
        cleanup_free char *got = load("{name: e, count: 2}", &source);
        ok(strstr(got, "\"count\":9") && strstr(got, "\"name\":\"f\""),
            "those of a saved plan replace all others");
}

/* Files beside the environment may be read, others only if that is allowed. */
static void outside(void)
{
        char folder[] = "/tmp/tutti-parameters-XXXXXX";
        if (!ok(mkdtemp(folder) != NULL, "a folder")) return;
        cleanup_free char *inner = mem_printf("%s/inner", folder), *secret = mem_printf("%s/secret", folder);
        cleanup_free char *beside = mem_printf("%s/beside", inner), *path = mem_printf("%s/e.yaml", inner);
        mkdir(inner, 0700);
        FILE *a = fopen(secret, "w"), *b = fopen(beside, "w");
        fputs("out", a);
        fputs("in", b);
        fclose(a);
        fclose(b);
        struct fixture f = {0};
        fixture_add(&f, path,
            "environment: e\nparameters:\n  a: {default: '${file(\"beside\")}'}\n  b: {default: "
            "'${file(\"../secret\")}'}\n");
        cleanup_free char *problems = NULL;
        fixture_load_with(&f, path, NULL, &problems);
        ok(strstr(problems, "e.yaml:4:") && strstr(problems, "outside") && !strstr(problems, "param.a"),
            "a file outside is refused");
        struct parameter_source source = {.allow_outside = true};
        cleanup(environment_free) struct environment *env = fixture_load_with(&f, path, &source, NULL);
        is_str(env ? value_as_string(value_get(env->parameters, "a")) : "", "in", "a file beside");
        is_str(
            env ? value_as_string(value_get(env->parameters, "b")) : "", "out", "a file outside, if allowed");
        unlink(secret);
        unlink(beside);
        rmdir(inner);
        rmdir(folder);
}

/* What a saved plan keeps are the values, sealed; not the files that they came from. */
static void sources(void)
{
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", "environment: e\ntemplate: t.yaml\n");
        fixture_add(&f, "t.yaml", declarations);
        fixture_add(&f, "v.yaml", "name: v\n");
        const char *const files[] = {"v.yaml"};
        struct parameter_source source = {.values_files = files, .values_file_count = 1};
        cleanup(environment_free) struct environment *env = fixture_load_with(&f, "e.yaml", &source, NULL);
        ok(env && env->source_count == 2, "values files are no sources");
        source = (struct parameter_source){.fixed = env ? env->parameters : NULL};
        cleanup(environment_free) struct environment *again = fixture_load_with(&f, "e.yaml", &source, NULL);
        ok(env && again && memcmp(env->digest, again->digest, 32) == 0,
            "the values alone give the same digest");
}

static void digests(void)
{
        unsigned char first[32];
        for (int i = 0; i < 3; i++) {
                struct fixture f = {0};
                const char *set = i < 2 ? "name=a" : "name=b";
                struct parameter_source source = {.sets = &set, .set_count = 1};
                fixture_add(&f, "e.yaml", "environment: e\ntemplate: t.yaml\n");
                fixture_add(&f, "t.yaml", declarations);
                cleanup(environment_free) struct environment *env = fixture_load_with(
                    &f, "e.yaml", &source, NULL);
                if (i == 0 && env) memcpy(first, env->digest, 32);
                ok(env && (memcmp(first, env->digest, 32) == 0) == (i < 2),
                    "the digest goes with the parameters %d", i);
        }
}

int main(void)
{
        precedence();
        texts();
        refusals();
        fixed();
        digests();
        sources();
        outside();
        return done();
}
