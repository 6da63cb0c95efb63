/* What is wrong in a manifest is said with its place, all at once, and nothing hostile gets through. */
#include "rest_driver.h"

static struct tutti_host host;

#define HEAD "provider: test\nendpoint: http://cloud\n"
#define TYPE                                                                                               \
        "types:\n  test.thing:\n    create: {method: POST, path: /things, id: \"${reply.body.id}\"}\n    " \
        "read: {path: [things, "                                                                           \
        "\"${id}\"], object: \"${reply.body}\"}\n"

/* The problem of a manifest, of loading it or of compiling its types; NULL when there is none. The caller frees it. */
static char *problem_of(const char *text)
{
        char *problem = NULL;
        void *plugin = NULL;
        char *folder = driver_fold("provider.yaml", text);
        if (tutti_provider.load(&host, "test", folder, &plugin, &problem) < 0) return problem;
        for (size_t i = 0; tutti_provider.type_at(plugin, i, &problem); i++) {}
        tutti_provider.unload(plugin);
        return problem;
}

static void says(const char *text, const char *want)
{
        char *problem = problem_of(text);
        if (!ok(problem && strstr(problem, want) != NULL, "says: %s", want))
                printf("# %s\n", problem ? problem : "nothing");
        free(problem);
}

static void test_good(void)
{
        char *problem = problem_of(HEAD TYPE);
        is_str(problem, NULL, "a small manifest is well formed");
        free(problem);
}

static void test_places(void)
{
        says("provider: test\nendpont: http://cloud\n",
            "test/provider.yaml:2:1: unknown key 'endpont' in the manifest; did you mean 'endpoint'?");
        says("provider: other\n", "a manifest begins with `provider: test`");
        says("provider: [", "test/provider.yaml:");
        says(HEAD "types: {other.thing: {}}\n", "a type here must be named test.NAME");
        says(HEAD "types: {test.thing: {create: {path: /x, id: \"${1}\"}, propertys: {}}}\n",
            "unknown key 'propertys' in test.thing; did you mean 'properties'?");
        says(HEAD TYPE "    properties:\n      a: {type: strin}\n",
            "test/provider.yaml:8:10: there is no type 'strin'; did you mean 'string'?");
        says(HEAD TYPE "    properties:\n      a: {type: number, default: x}\n", "test/provider.yaml:8:10: ");
        says(HEAD TYPE "    properties:\n      a: {type: string, required: maybe}\n",
            "required must be true or false");
        says(HEAD TYPE "    settle: soon\n", "settle must be a duration such as 30s or 5m");
        says(HEAD TYPE "    settle: 2m\n", "test.thing: `settle` must be shorter than a read may take");
        says(HEAD TYPE "    settle: 30s\n    timeouts: {read: 30s}\n",
            "`settle` must be shorter than a read may take");
        says(HEAD TYPE "    find: {name: {path: /x, id: \"${1}\"}, settle: 3m}\n",
            "`settle` must be shorter than a read may take");
        says(HEAD TYPE "    update: {method: PUSH, path: /x}\n",
            "method cannot be 'PUSH': it is one of GET, HEAD, POST");
        says(HEAD TYPE "    update: {method: PUT}\n", "update needs a path or a url");
        says(
            HEAD TYPE "    errors: [{means: ok}]\n", "a rule needs at least one of status, code, text, when");
        says(HEAD TYPE "    errors: [{status: 304}]\n", "a rule must say what the answer `means`");
        says(HEAD TYPE "    update: {path: /x, wait: {every: 1s}}\n", "wait must say `until` when");
        says(HEAD TYPE "    like: nothing\n", "there is no 'nothing' in patterns");
        says(HEAD "types: {test.thing: {create: {path: /x}}}\n",
            "no request of `create` says where the `id` is");
        says(HEAD "types: {test.thing: {read: {path: /x}}}\n", "test.thing needs `create`");
        says("provider: test\n" TYPE, "there is no `endpoint`");
        says(HEAD "auth: {scheme: baerer}\n",
            "there is no authentication scheme 'baerer'; did you mean 'bearer'?");
        says(HEAD "auth: {scheme: bearer, tokn: x}\n", "unknown key 'tokn' in auth; did you mean 'token'?");
        says(HEAD "wire: jsn\n", "there is no wire form 'jsn'");
        says(HEAD TYPE "    update: {path: \"/x/${id\"}\n", "test/provider.yaml:7:");
}

static void test_all_at_once(void)
{
        char *problem = problem_of("provider: test\nendpont: x\ndefalts: {}\nlimits: {paralel: 3}\n");
        int lines = 1;
        for (const char *s = problem ? problem : ""; *s; s++) lines += *s == '\n';
        is_int(lines, 3, "three problems are told together");
        free(problem);
        problem = problem_of(
            HEAD "defaults: {wrong: 1}\ntypes:\n  test.a: {create: {path: /x, id: \"${1}\"}}\n");
        ok(problem && strstr(problem, "wrong") && !strchr(problem, '\n'), "what types inherit is told once");
        free(problem);
}

static void test_hostile(void)
{
        says("provider: test\na: &x [1]\nb: *x\n", "anchors and tags have no meaning in a manifest");
        says("provider: test\nendpoint: !!binary x\n", "anchors and tags have no meaning in a manifest");
        says("provider: test\nprovider: test\n",
            "test/provider.yaml:2:1: duplicate key 'provider', first on line 1");
        says("provider: test\n---\nprovider: test\n", "more than one document");
        says("", "test/provider.yaml");
        struct buf deep = {0};
        buf_text(&deep, "provider: test\ndoc: ");
        for (int i = 0; i < 5000; i++) buf_char(&deep, '[');
        says(deep.data, "nested too deeply");
        buf_release(&deep);
        struct buf large = {0};
        buf_text(&large, "provider: test\n# ");
        for (int i = 0; i < 1 << 20; i++) buf_char(&large, 'x');
        says(large.data, "larger than a manifest may be");
        buf_release(&large);
        struct buf many = {0};
        buf_text(&many, "provider: test\ndoc: [");
        for (int i = 0; i < 60000; i++) buf_text(&many, "1,");
        buf_text(&many, "]\n");
        says(many.data, "too many nodes");
        buf_release(&many);
}

/* A part is read when one of its types is asked for, and is laid over provider.yaml. */
static void test_parts(void)
{
        char *problem = NULL;
        void *plugin = NULL;
        driver_fold("provider.yaml", HEAD "auth: {scheme: bearer, token: x}\nrequest: {headers: {A: b}}\n");
        driver_fold("bad.yaml", "provider: test\nnonsense: 1\n");
        char *folder = driver_fold("disk.yaml",
            "provider: test\nrequests: {it: {path: [it, \"${id}\"]}}\ntypes:\n  test.disk.one: "
            "{create: {like: it, method: POST, id: \"${1}\"}, read: {like: it}}\n");
        ok(tutti_provider.load(&host, "test", folder, &plugin, &problem) == 0,
            "a wrong part is no obstacle to the others");
        const struct tutti_type *t = tutti_provider.type(plugin, "test.disk.one", &problem);
        ok(t && !problem, "a type of a part");
        ok(!tutti_provider.type(plugin, "test.disk.two", &problem) && !problem, "one that the part has not");
        ok(!tutti_provider.type(plugin, "test.bad.one", &problem) && problem &&
                strstr(problem, "test/bad.yaml:2:1: unknown key"),
            "the wrong part is wrong when it is asked for");
        free(problem);
        tutti_provider.unload(plugin);
        AUTO_CHAR one = util_format("%s/bad.yaml", folder);
        AUTO_CHAR two = util_format("%s/disk.yaml", folder);
        AUTO_CHAR three = util_format("%s/provider.yaml", folder);
        unlink(one), unlink(two), unlink(three), rmdir(folder);
}

/* Every manifest of the project is well formed. */
static void test_project(void)
{
        static const char *const names[] = {"sandbox", "aws", "powerdns"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                char *problem = NULL;
                void *plugin = NULL;
                AUTO_CHAR folder = util_format("providers/%s", names[i]);
                int r = tutti_provider.load(&host, names[i], folder, &plugin, &problem);
                const struct tutti_type *t = NULL;
                size_t undocumented = 0;
                for (size_t n = 0; r == 0 && (t = tutti_provider.type_at(plugin, n, &problem)); n++) {
                        undocumented += !t->doc;
                        for (size_t p = 0; p < t->property_count; p++) undocumented += !t->properties[p].doc;
                        for (size_t p = 0; p < t->output_count; p++) undocumented += !t->outputs[p].doc;
                }
                if (!ok(r == 0 && !problem, "the manifests of %s are well formed", names[i]))
                        printf("# %s\n", problem);
                is_int(undocumented, 0, "and say what everything is");
                free(problem);
                if (r == 0) tutti_provider.unload(plugin);
        }
}

int main(void)
{
        host = driver_host();
        test_good();
        test_places();
        test_all_at_once();
        test_hostile();
        test_parts();
        test_project();
        return done();
}
