/* Every mistake in the keys of a template: where it is said to be, what is said, and what is suggested; all of them at once. */
#include "template_fixture.h"

#define HEAD "environment: e\nresources:\n"
#define E "e.yaml:"

static void files(void)
{
        is_wrong("[]", E "1:1: an environment is a map with the key 'environment', not a list",
            "a list as an environment");
        is_wrong("template: shop\nresources: {}\n",
            E "1:1: this is a template, not an environment; write a file with 'environment: NAME' and "
              "'template: e.yaml', or put "
              "'environment: NAME' in place of 'template' here",
            "a template as an environment");
        is_wrong("enviroment: x\n",
            E "1:1: the key 'environment' with the environment's name is missing; is 'enviroment' meant to "
              "be it?",
            "a misspelt environment");
        is_wrong("environment: e\ntemplate: t.yaml\n", E "2:11: read t.yaml: no such file",
            "a template that is missing");
        is_wrong("environment: e\nresorces: {}\n",
            E "2:1: unknown key 'resorces' in an environment; did you mean 'resources'?", "an unknown key");
        is_wrong("environment: ../x y\n",
            E "1:14: '../x y' cannot be the name of an environment: letters, digits, '.', '_', '-' and '/', "
              "at most 128, beginning with a "
              "letter or digit",
            "a bad name");
        is_wrong(
            "environment: {}\n", E "1:14: 'environment' must be text, not a map", "a name that is a map");
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", "environment: e\ntemplate: t.yaml\nresources: {}\nlocals: {}\n");
        fixture_add(&f, "t.yaml", "environment: f\n");
        cleanup_free char *got = NULL;
        fixture_load_with(&f, "e.yaml", NULL, &got);
        is_str(got,
            E "2:11: t.yaml is an environment, not a template: it has the key 'environment'\n" E
              "3:1: 'resources' belongs in the template t.yaml: beside 'template: FILE', an environment "
              "gives 'parameters' and no parts of its own\n" E
              "4:1: 'locals' belongs in the template t.yaml: beside 'template: FILE', an environment gives "
              "'parameters' and no parts of its own",
            "an environment with a template and parts; an environment as a template");
}

static void several_files(void)
{
        struct fixture f = {0};
        fixture_add(&f, "d/e.yaml", "environment: e\ntemplate: ../t.yaml\nbad: 1\nparameters: {sise: 1}\n");
        fixture_add(&f, "t.yaml",
            "template: t\nparameters: {size: number}\nlocals: {x: \"${param.sizes}\"}\nresources:\n  n: "
            "{type: template, template: sub/n.yaml, "
            "parameters: {colr: red, shape: [1]}}\noutputs: {o: \"${n.outt}\"}\n");
        fixture_add(&f, "sub/n.yaml",
            "parameters: {color: string, shape: string}\nwrong: 1\noutputs: {out: \"${param.x}\"}\n");
        cleanup_free char *got = NULL;
        fixture_load_with(&f, "d/e.yaml", NULL, &got);
        is_str(got,
            "d/e.yaml:3:1: unknown key 'bad' in an environment\n"
            "d/e.yaml:4:14: the template 't' has no parameter 'sise'; did you mean 'size'?\n"
            "t.yaml:2:14: param.size: a value is missing: set it in the environment's 'parameters', with "
            "--set size=… or TUTTI_PARAM_size\n"
            "t.yaml:3:16: local.x: there is no parameter 'sizes'; did you mean 'size'?\n"
            "t.yaml:5:3: n: parameter 'color' of the template 'n' is missing\n"
            "t.yaml:5:58: n: template 'n' has no parameter 'colr'; did you mean 'color'?\n"
            "t.yaml:5:76: n: 'shape' must be string, not a list\n"
            "t.yaml:6:17: output.o: template 'n' has no output 'outt'; did you mean 'out'?\n"
            "sub/n.yaml:2:1: unknown key 'wrong' in a template\n"
            "sub/n.yaml:3:19: output.out: there is no parameter 'x'",
            "the problems of three files, in their order");
}

static void nesting(void)
{
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", "environment: e\ntemplate: a.yaml\n");
        fixture_add(&f, "a.yaml", "resources: {b: {type: template, template: b.yaml}}\n");
        fixture_add(&f, "b.yaml", "resources: {a: {type: template, template: ./x/../a.yaml}}\n");
        cleanup_free char *got = NULL;
        fixture_load_with(&f, "e.yaml", NULL, &got);
        is_str(got, "b.yaml:1:43: a: templates contain each other: a.yaml → b.yaml → a.yaml",
            "templates in a circle");

        struct fixture deep = {0};
        static char names[130][16], texts[130][128];
        fixture_add(&deep, "e.yaml", "environment: e\ntemplate: 0.yaml\n");
        for (int i = 0; i < 25; i++) {
                snprintf(names[i], sizeof names[i], "%d.yaml", i);
                snprintf(texts[i], sizeof texts[i], "resources: {n: {type: template, template: %d.yaml}}\n",
                    i + 1);
                fixture_add(&deep, names[i], texts[i]);
        }
        cleanup_free char *deep_got = NULL;
        fixture_load_with(&deep, "e.yaml", NULL, &deep_got);
        is_str(deep_got, "19.yaml:1:43: n: templates nest deeper than 20 levels", "25 levels");

        struct fixture wide = {0};
        struct text all = {0};
        text_add(&all, "environment: e\nresources:\n");
        for (int i = 0; i < 110; i++) {
                snprintf(names[i], sizeof names[i], "%d.yaml", i);
                text_addf(&all, "  r%d: {type: template, template: %d.yaml}\n", i, i);
                fixture_add(&wide, names[i], "description: x\n");
        }
        fixture_add(&wide, "e.yaml", all.data);
        cleanup_free char *wide_got = NULL;
        fixture_load_with(&wide, "e.yaml", NULL, &wide_got);
        if (!ok(text_starts(wide_got, E "102:35: r99: more than 100 files\n"), "110 files"))
                printf("# %.99s\n", wide_got);
        text_release(&all);
}

static void shared(void)
{
        struct fixture f = {0};
        fixture_add(&f, "e.yaml",
            "environment: e\nresources:\n  a: {type: template, template: n.yaml}\n  b: {type: template, "
            "template: n.yaml}\n");
        fixture_add(&f, "n.yaml", "resources: {v: {type: value}}\n");
        cleanup(environment_free) struct environment *env = fixture_load_with(&f, "e.yaml", NULL, NULL);
        ok(env && env->template->resources[0].nested == env->template->resources[1].nested,
            "a template used twice is read once");
        is_int(f.reads, 2, "with two reads in all");
}

static void parameters(void)
{
        is_wrong("environment: e\nparameters: {a: strin}\n",
            E "2:17: param.a: there is no type 'strin'; did you mean 'string'?", "an unknown type");
        is_wrong("environment: e\nparameters: {a: 3}\n",
            E "2:17: param.a: a parameter is declared by its type, as in 'string', or by a map with 'type', "
              "'default' and others",
            "a value where a declaration belongs");
        is_wrong("environment: e\nparameters: {a: {type: number, default: x}}\n",
            E "2:41: param.a: the default does not fit the type: a number is required; this string is none",
            "a default of another type");
        is_wrong("environment: e\nparameters: {a: {tpye: number, default: 1}}\n",
            E "2:18: param.a: unknown key 'tpye' in a parameter; did you mean 'type'?", "an unknown key");
        is_wrong("environment: e\nparameters: {a: {default: 1, check: {that: \"${param.a > 0}\"}}}\n",
            E "2:37: param.a: a check is a map with 'that' (a condition) and 'message'",
            "a check without a message");
        is_wrong(
            "environment: e\nparameters: {a: {default: 1, check: [{that: \"${local.x}\", message: m}]}}\n",
            E "2:48: param.a: a check sees only 'param', not 'local'", "a check that looks elsewhere");
        is_wrong("environment: e\nparameters: {a: {default: 1, sensitive: yes}}\n",
            E "2:41: param.a: 'sensitive' must be true or false", "yes is text");
        is_wrong("environment: e\nparameters: {1a: string}\n",
            E "2:14: '1a' cannot be the name of a parameter: a name begins with a letter and holds letters, "
              "digits, '_' and '-', at most 128",
            "a name that no reference can use");
}

static void providers(void)
{
        is_wrong("environment: e\nproviders: {sandbx: {}}\n",
            E "2:13: provider.sandbx: there is no provider 'sandbx'", "an unknown provider");
        is_wrong("environment: e\nproviders: {sandbox: {endpont: x, rate: fast, parallel: 0}}\n",
            E "2:23: provider.sandbox: unknown property 'endpont' on provider sandbox; did you mean "
              "'endpoint'?\n" E
              "2:41: provider.sandbox: 'rate' must be a number of requests, as in 50/s, 600/m or 10000/h\n" E
              "2:57: provider.sandbox: 'parallel' must be a whole number from 1 to 10000",
            "a provider's keys");
        is_wrong("environment: e\nproviders: {s: {type: sandbox}}\n"
                 "resources: {a: {type: value, provider: s}, b: {type: value, provider: ss}}\n",
            E "3:13: a: provider 's' is of type sandbox and has no value\n" E
              "3:44: b: there is no provider 'ss'",
            "a resource's provider");
}

static void resources(void)
{
        is_wrong(HEAD "  a: 1\n", E "3:6: a: a resource is a map with 'type' and 'properties', not a number",
            "no map");
        is_wrong(HEAD "  a: {}\n", E "3:3: a: 'type' is missing", "no type");
        is_wrong(HEAD "  a: {provider: x, ignore: [y]}\n", E "3:3: a: 'type' is missing",
            "no type, but keys that need one");
        is_wrong(HEAD "  self: {type: value}\n",
            E "3:3: a resource cannot be called 'self': expressions use that name", "a name of a root");
        is_wrong(HEAD "  null: {type: value}\n", E "3:3: a resource cannot be called 'null'",
            "a name that is a word");
        is_wrong(HEAD "  a: {type: sandbox.netwrk}\n",
            E "3:13: a: unknown type 'sandbox.netwrk'; did you mean 'sandbox.network'?", "an unknown type");
        is_wrong(HEAD "  a: {type: sandbox.image}\n",
            E "3:13: a: sandbox.image is a lookup, not a resource type: it belongs under 'lookups'",
            "a lookup");
        is_wrong("environment: e\nlookups:\n  a: {type: value, count: 2}\n",
            E "3:13: lookup.a: value is a resource type, not a lookup: it belongs under 'resources'\n" E
              "3:20: lookup.a: 'count' is not a key of a lookup",
            "a resource as a lookup");
        is_wrong(HEAD "  a: {type: value, proprties: {}}\n",
            E "3:20: a: unknown key 'proprties' in a resource; did you mean 'properties'?", "an unknown key");
        is_wrong(HEAD "  a: {type: value, input: 1}\n",
            E "3:20: a: 'input' is a property of value: it belongs under 'properties'",
            "a property as a key");
        is_wrong(HEAD "  a: {type: value, count: 1, for_each: [a]}\n",
            E "3:3: a: 'count' and 'for_each' exclude each other", "count and for_each");
        is_wrong(HEAD "  a: {type: value, count: -1}\n  b: {type: value, count: many}\n  c: {type: value, "
                      "for_each: 3}\n  d: {type: value, for_each: [{}]}\n"
                      "  f: {type: value, when: maybe}\n  g: {type: value, protect: 1}\n  h: {type: value, "
                      "keep: 1, replace: now, adopt: always}\n",
            E "3:27: a: 'count' must be a whole number, 0 or more\n" E
              "4:27: b: 'count' must be a whole number, 0 or more\n" E
              "5:30: c: 'for_each' must be a map, a list of texts, or an expression that gives one or names "
              "a resource\n" E
              "6:31: d: 'for_each' takes a list of texts; for more than a text each, give it a map\n" E
              "7:26: f: 'when' must be true or false, or an expression that gives one\n" E
              "8:29: g: 'protect' must be true or false, or an expression\n" E
              "9:26: h: 'keep' must be true or false\n" E
              "9:38: h: 'replace' must be 'create-first' or 'delete-first'\n" E
              "9:50: h: 'adopt' must be 'if-exists'",
            "constants of keys");
        is_wrong(HEAD
            "  a: {type: value, retry: many}\n  b: {type: value, retry: {attempts: 0, backof: 1s, max: 5}}\n"
            "  c: {type: value, timeout: 5}\n  d: {type: value, timeout: {creat: 5m, delete: soon}}\n",
            E
            "3:27: a: 'retry' must be a number of attempts or a map with 'attempts', 'backoff' and 'max'\n" E
            "4:38: b: 'attempts' must be a whole number from 1 to 1000\n" E
            "4:41: b: unknown key 'backof' in 'retry'; did you mean 'backoff'?\n" E
            "4:58: b: 'max' must be a duration such as 30s, 10m or 2h30m\n" E
            "5:29: c: 'timeout' must be a duration such as 30s, 10m or 2h30m\n" E
            "6:30: d: unknown key 'creat' in 'timeout'; did you mean 'create'?\n" E
            "6:49: d: 'delete' must be a duration such as 30s, 10m or 2h30m",
            "retry and timeout");
        is_wrong(HEAD
            "  a: {type: value, approve: yes}\n  b: {type: value, approve: {on: [destroy, delet], approvers: "
            "{}}}\n"
            "  c: {type: value, on_failure: rolback}\n  d: {type: value, on_failure: {run: [x], then: x}}\n",
            E "3:29: a: 'approve' must be true or a map with 'on', 'approvers' and 'message'\n" E
              "4:35: b: unknown action 'destroy': create, update, replace or delete\n" E
              "4:44: b: unknown action 'delet': create, update, replace or delete; did you mean 'delete'?\n" E
              "4:63: b: 'approvers' must be a list of names\n" E
              "5:32: c: unknown policy 'rolback': stop-dependants, stop-run, rollback or ask; did you mean "
              "'rollback'?\n" E "6:3: d: 'on_failure' runs the unknown resource 'x'\n" E
              "6:49: d: unknown policy 'x': stop-dependants, stop-run, rollback or ask",
            "approve and on_failure");
        is_wrong(HEAD "  first: {type: value, after: secnd}\n  second: {type: value, after: [frist, x]}\n",
            E "3:31: first: 'after' names the unknown resource 'secnd'; did you mean 'second'?\n" E
              "4:33: second: 'after' names the unknown resource 'frist'; did you mean 'first'?\n" E
              "4:40: second: 'after' names the unknown resource 'x'",
            "after");
        is_wrong(HEAD "  a: {type: value, ignore: [inptu, output.x]}\n",
            E "3:29: a: unknown property 'inptu' on value; did you mean 'input'?\n" E
              "3:36: a: unknown property 'output' on value",
            "ignore");
}

static void kinds(void)
{
        is_wrong(HEAD "  a: {type: gate, host: {}, properties: {mesage: x, expires: 1}}\n  b: {type: gate, "
                      "properties: [1]}\n",
            E "3:19: a: 'host' is not a key of a gate\n" E
              "3:42: a: unknown key 'mesage' in a gate's properties; did you mean 'message'?\n" E
              "3:62: a: 'expires' must be a duration such as 30s, 10m or 2h30m\n" E
              "4:31: b: 'properties' of a gate must be a map, not a list",
            "gates");
        is_wrong(HEAD "  a: {type: template}\n  b: {type: template, template: \"${x}\", parameters: {}, "
                      "properties: {}}\n  c: {type: value, template: t}\n",
            E "3:3: a: a resource of type 'template' needs 'template': the path of its file\n" E
              "4:33: b: 'template' must be constant, without an expression\n" E
              "4:41: b: give either 'parameters' or 'properties': they mean the same here\n" E
              "5:20: c: 'template' is not a key of a resource",
            "nested templates");
        is_wrong(HEAD "  a: {type: ssh.command, properties: {run: x}}\n  b: {type: ssh.command, host: {user: "
                      "x, adress: y}, properties: {run: x}}\n"
                      "  c: {type: value, host: {address: x}}\n  d: {type: ssh.command, host: 3, properties: "
                      "{run: x}}\n",
            E "3:3: a: ssh.command acts on a host: 'host' is missing\n" E
              "4:32: b: a host needs an 'address'\n" E
              "4:42: b: unknown key 'adress' in a host; did you mean 'address'?\n" E
              "5:20: c: value does not act on a host\n" E "6:32: d: 'host' must be a map, not a number",
            "hosts");
}

static void properties(void)
{
        is_wrong(HEAD "  a: {type: sandbox.network, properties: {nme: x, id: y}}\n",
            E "3:3: a: property 'cidr' of sandbox.network is missing\n" E
              "3:3: a: property 'name' of sandbox.network is missing\n" E
              "3:43: a: unknown property 'nme' on sandbox.network; did you mean 'name'?\n" E
              "3:51: a: 'id' is an output of sandbox.network: it cannot be set",
            "unknown and missing");
        is_wrong(HEAD "  a: {type: sandbox.network, properties: {name: ~, cidr: [x], labels: {a: {}}}}\n",
            E "3:3: a: property 'name' of sandbox.network is missing\n" E
              "3:58: a: 'cidr' must be string, not a list\n" E
              "3:75: a: 'labels.a' must be string, not a map",
            "wrong types");
        is_wrong(HEAD "  a:\n    type: sandbox.server\n    properties:\n      name: x\n      volumes: two\n  "
                      "    wait: 1\n      version: 1.10\n      tags: {a: b}\n"
                      "      rules:\n      - {port: 80, cdir: x}\n      - {cidr: x}\n      - {port: \"${1 + "
                      "1}\", cidr: [1]}\n      - 5\n",
            E "7:16: a: 'volumes' must be number, not text\n" E
              "8:13: a: 'wait' must be bool, not a number\n" E
              "9:16: a: 'version' is text, and 1.10 without quotes would become \"1.1\": put it in quotes\n" E
              "10:13: a: 'tags' must be set(string), not a map\n" E
              "12:20: a: unknown attribute 'cdir' in 'rules[0]'; did you mean 'cidr'?\n" E
              "13:9: a: attribute 'port' is missing in 'rules[1]'\n" E
              "14:34: a: 'rules[2].cidr' must be string, not a list\n" E
              "15:9: a: 'rules[3]' must be object({cidr: optional(string), port: number}), not a number",
            "inside");
        is_wrong(HEAD "  a: {type: value, properties: {input: {x: 0123, y: .inf, \"${z}\": 1}}}\n",
            E "3:44: a: 0123 is ambiguous: put it in quotes if it is text, else write the number without "
              "leading zeros (octal: 0o…)\n" E
              "3:53: a: .inf is ambiguous: put it in quotes if it is text\n" E
              "3:59: a: a key must be constant; to compute keys, write the whole map as one expression: "
              "\"${{ for … }}\"",
            "values");
        is_wrong(HEAD "  a: {type: value, properties: 5}\n",
            E "3:32: a: 'properties' must be a map, not a number", "no map");
        cleanup(environment_free) struct environment *env = is_right(HEAD
            "  a: {type: sandbox.network, properties: \"${{name = \\\"x\\\", cidr = \\\"y\\\"}}\"}\n"
            "  b: {type: sandbox.server, properties: {name: 5, volumes: \"5\", wait: \"true\", tags: [a, 1], "
            "rules: [{port: \"1\"}]}}\n",
            "one expression for all properties; constants that convert");
        ok(env != NULL, "loads");
}

static void syntax(void)
{
        is_wrong(HEAD "  a:\n    type: value\n    properties:\n      input: >\n        first\n        second "
                      "${1 +} x\n      other: \"a\\tb ${)}\"\n",
            E "8:21: a: expected an expression, found '}'\n" E "9:7: a: unknown property 'other' on value\n" E
              "9:22: a: expected an expression, found ')'",
            "the place of a mistake inside a scalar");
        is_wrong("environment: e\nstate: [\n",
            E "3:1: this is not valid YAML: did not find expected node content while parsing a flow node",
            "syntax");
}

int main(void)
{
        files();
        several_files();
        nesting();
        shared();
        parameters();
        providers();
        resources();
        kinds();
        properties();
        syntax();
        return done();
}
