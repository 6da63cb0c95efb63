/*
 * What the oracle's plain values do not tell of the functions: unknown and sensitive arguments, files, clocks,
 * random values, and hostile arguments.
 *
 * tests/cases/oracle/plan.tsv holds an expression and its outcome per line. Where it is known, unknown and
 * sensitive is what a plan of Terraform shows for it; the types of unknowns are ours to tell.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lang_helper.h"

static struct value *roots_new(void)
{
        struct value_builder local = {0}, roots = {0};
        cleanup(type_free) const struct type *list = type_list(type_string), *map = type_map(type_string);
        value_builder_add(&local, "d", value_unknown(type_dynamic));
        value_builder_add(&local, "u", value_unknown(type_string));
        value_builder_add(&local, "n", value_unknown(type_number));
        value_builder_add(&local, "b", value_unknown(type_bool));
        value_builder_add(&local, "ul", value_unknown(list));
        value_builder_add(&local, "um", value_unknown(map));
        value_builder_add(&local, "t", value_string("v=${x}"));
        value_builder_add(&roots, "local", value_builder_object(&local));
        return value_builder_object(&roots);
}

static void test_plan(const struct scope *scope)
{
        FILE *f = fopen("tests/cases/oracle/plan.tsv", "r");
        ok(f != NULL, "the cases of plans are there");
        if (f == NULL) return;
        char *line = NULL;
        size_t room = 0;
        while (getline(&line, &room, f) > 0) {
                char *tab = strchr(line, '\t');
                line[strcspn(line, "\n")] = '\0';
                if (!tab) continue;
                *tab = '\0';
                is_eval(line, tab + 1, scope);
        }
        free(line);
        fclose(f);
}

/* --- files --- */

static void write_file(const char *folder, const char *name, const char *content)
{
        cleanup_free char *path = mem_printf("%s/%s", folder, name);
        FILE *f = fopen(path, "w");
        if (!f) abort();
        fputs(content, f);
        fclose(f);
}

static char *folder_new(void)
{
        char top[] = "/tmp/tutti-functions-XXXXXX";
        if (!mkdtemp(top)) abort();
        cleanup_free char *in = mem_printf("%s/project", top), *sub = mem_printf("%s/project/sub", top);
        cleanup_free char *link = mem_printf("%s/project/link.txt", top),
                          *out = mem_printf("%s/project/out", top);
        cleanup_free char *round = mem_printf("%s/project/sub/round", top),
                          *deep = mem_printf("%s/project/sub/deep", top);
        mkdir(in, 0700), mkdir(sub, 0700), mkdir(deep, 0700);
        write_file(top, "secret.txt", "not yours");
        write_file(in, "a.txt", "hello");
        write_file(in, "bytes.bin", "\xff");
        write_file(in, "greet.tmpl", "Hello, ${name}!%{ for x in list ~}\n- ${x}\n%{ endfor ~}");
        write_file(in, "one.tmpl", "${v}");
        write_file(in, "again.tmpl", "${templatefile(\"one.tmpl\", {v = 1})}");
        write_file(in, "broken.tmpl", "x\n${");
        write_file(sub, "b.txt", "b");
        write_file(sub, "c.conf", "c");
        write_file(deep, "d.txt", "d");
        if (symlink("a.txt", link) || symlink("..", out) || symlink("..", round)) abort();
        return mem_strdup(in);
}

static void test_reading(const struct scope *scope)
{
        is_eval("file(\"a.txt\")", "\"hello\"", scope);
        is_eval("file(\"./sub/../a.txt\")", "\"hello\"", scope);
        is_eval("file(\"link.txt\")", "\"hello\"", scope);
        is_eval("filebase64(\"bytes.bin\")", "\"/w==\"", scope);
        is_eval("file(\"bytes.bin\")",
            "error: t:1:1: file(): contents of \"bytes.bin\" are not valid UTF-8; use filebase64 or a digest "
            "of the file",
            scope);
        is_eval("file(\"no.txt\")", "error: t:1:1: file(): no file exists at \"no.txt\"", scope);
        is_eval("file(\"sub\")", "error: t:1:1: file(): \"sub\" is a folder, not a file", scope);
        is_eval("fileexists(\"a.txt\")", "true", scope);
        is_eval("fileexists(\"no.txt\")", "false", scope);
        is_eval("fileexists(\"a.txt/x\")", "false", scope);
        is_eval("can(fileexists(\"sub\"))", "false", scope);
        is_eval("filemd5(\"a.txt\") == md5(file(\"a.txt\"))", "true", scope);
        is_eval("filesha1(\"a.txt\") == sha1(\"hello\")", "true", scope);
        is_eval("filesha256(\"a.txt\") == sha256(\"hello\")", "true", scope);
        is_eval("filesha512(\"a.txt\") == sha512(\"hello\")", "true", scope);
        is_eval("filebase64sha256(\"a.txt\") == base64sha256(\"hello\")", "true", scope);
        is_eval("filebase64sha512(\"a.txt\") == base64sha512(\"hello\")", "true", scope);
        is_eval("can(file(\"a.txt\\u0000b\"))", "false", scope);
}

static void test_bounds(const struct scope *scope, const char *folder)
{
        struct scope wide = *scope, none = *scope, sub = *scope;
        cleanup_free char *base = mem_printf("%s/sub", folder);
        is_eval("file(\"../secret.txt\")",
            "error: t:1:1: file(): the path \"../secret.txt\" leads outside of the project; files there may "
            "not be read",
            scope);
        is_eval("can(file(\"out/secret.txt\"))", "false", scope);
        is_eval("can(filesha256(\"/etc/passwd\"))", "false", scope);
        is_eval("can(fileexists(\"/etc/passwd\"))", "false", scope);
        is_eval("can(fileset(\"..\", \"*\"))", "false", scope);
        is_eval("can(fileset(\".\", \"../*\"))", "false", scope);
        wide.allow_outside = true;
        is_eval("file(\"../secret.txt\")", "\"not yours\"", &wide);
        none.base_dir = NULL;
        is_eval("file(\"a.txt\")", "error: t:1:1: file(): files cannot be read here", &none);
        sub.base_dir = base, sub.root_dir = folder;
        is_eval("file(\"../a.txt\")", "\"hello\"", &sub);
        is_eval("can(file(\"../../secret.txt\"))", "false", &sub);
}

static void test_fileset(const struct scope *scope)
{
        is_eval("fileset(\".\", \"*.txt\")", "[\"a.txt\",\"link.txt\"]", scope);
        is_eval("fileset(\".\", \"**/*.txt\")", "[\"a.txt\",\"link.txt\",\"sub/b.txt\",\"sub/deep/d.txt\"]",
            scope);
        /* the link leads to the project's folder, and from there not into sub again */
        is_eval("fileset(\"sub\", \"**/*.txt\")",
            "[\"b.txt\",\"deep/d.txt\",\"round/a.txt\",\"round/link.txt\"]", scope);
        is_eval("fileset(\"sub/deep\", \"**\")", "[\"d.txt\"]", scope);
        is_eval("fileset(\".\", \"sub/{b,c}.*\")", "[\"sub/b.txt\",\"sub/c.conf\"]", scope);
        is_eval("fileset(\".\", \"*/[^b].*\")", "[\"sub/c.conf\"]", scope);
        is_eval("fileset(\".\", \"**/d.txt\")", "[\"sub/deep/d.txt\"]", scope);
        is_eval("fileset(\".\", \"sub/**/?.txt\")", "[\"sub/b.txt\",\"sub/deep/d.txt\",\"sub/round/a.txt\"]",
            scope);
        is_eval("fileset(\"no\", \"*\")", "[]", scope);
        is_eval("fileset(\"sub\", \"../*.txt\")", "[\"../a.txt\",\"../link.txt\"]", scope);
        is_eval("can(fileset(\"sub\", \"../../*\"))", "false", scope);
        is_eval("can(fileset(\"sub\", \"*/../*\"))", "false", scope);
        is_eval("can(fileset(\".\", \"[\"))", "false", scope);
        is_eval("can(fileset(\".\", \"{a\"))", "false", scope);
}

static void test_templates(const struct scope *scope)
{
        is_eval("templatefile(\"greet.tmpl\", {name = \"Ada\", list = [1, \"x\"]})",
            "\"Hello, Ada!- 1\\n- x\\n\"", scope);
        is_eval("templatefile(\"one.tmpl\", {v = [1]})", "[1]", scope);
        is_eval("templatefile(\"one.tmpl\", {v = sensitive(1)})", "\"(sensitive)\"", scope);
        is_eval("can(templatefile(\"one.tmpl\", {}))", "false", scope);
        is_eval("can(templatefile(\"one.tmpl\", \"x\"))", "false", scope);
        is_eval("can(templatefile(\"one.tmpl\", {v = 1, \"2x\" = 1}))", "false", scope);
        is_eval("can(templatefile(\"again.tmpl\", {}))", "false", scope);
        cleanup_free char *broken = eval_in("templatefile(\"broken.tmpl\", {})", scope, false);
        ok(strstr(broken, "broken.tmpl:2") != NULL, "a problem in a template tells its file and line: %s",
            broken);
        is_eval("[for t in [\"$${a}-%%{ if b }y%%{ endif }\"] : templatestring(t, {a = 1, b = true})]",
            "[\"1-y\"]", scope);
}

static void test_files(const struct value *roots)
{
        struct scope scope;
        cleanup_free char *folder = folder_new();
        scope_over_object(&scope, roots);
        scope.base_dir = folder;
        test_reading(&scope);
        test_bounds(&scope, folder);
        test_fileset(&scope);
        test_templates(&scope);
        is_eval("dirname(\"a/b/../c\")", "\"a\"", &scope);
        cleanup_free char *want = mem_printf("\"%s/x\"", folder);
        is_eval("abspath(\"./sub/../x\")", want, &scope);
        cleanup_free char *command = mem_printf(
            "rm -rf '%.*s'", (int)(strrchr(folder, '/') - folder), folder);
        ok(system(command) == 0, "the folder is gone again");
}

/* --- clocks and chance --- */

static void test_impure(const struct value *roots)
{
        struct scope plan, apply;
        scope_over_object(&plan, roots);
        scope_over_object(&apply, roots);
        plan.planning = true;
        plan.plan_time_ms = apply.plan_time_ms = 1700000000123;
        is_eval("plantimestamp()", "\"2023-11-14T22:13:20Z\"", &plan);
        is_eval("plantimestamp()", "\"2023-11-14T22:13:20Z\"", &apply);
        is_eval("timestamp()", "{\"$unknown\":\"string\"}", &plan);
        is_eval("timecmp(timestamp(), \"2020-01-01T00:00:00Z\")", "1", &apply);
        is_eval("uuid()", "{\"$unknown\":\"string\"}", &plan);
        is_eval("uuid() == uuid()", "false", &apply);
        is_eval("length(regex(\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$\", "
                "uuid()))",
            "36", &apply);
        is_eval("bcrypt(\"x\")", "{\"$unknown\":\"string\"}", &plan);
        is_eval("substr(bcrypt(\"x\", 5), 0, 7)", "\"$2a$05$\"", &apply);
        is_eval("length(bcrypt(\"x\", 4))", "60", &apply);
        is_eval("bcrypt(\"x\", 4) == bcrypt(\"x\", 4)", "false", &apply);
        is_eval("can(bcrypt(\"x\", 31))", "false", &apply);
        is_eval("can(bcrypt(join(\"\", [for i in range(73) : \"x\"]), 4))", "false", &apply);
        is_eval("base64gzip(\"hello\") == base64gzip(\"hello\")", "true", &apply);
        is_eval("substr(base64gzip(\"hello\"), 0, 4)", "\"H4sI\"", &apply);
}

/* A key of 1024 bits and "hello" sealed with it, both made with openssl(1) for this test alone. */
#define TEST_KEY "-----BEGIN PRIVATE KEY-----\\n" KEY_LINES "-----END PRIVATE KEY-----\\n"
#include "lang_rsa_key.h"

static void test_rsadecrypt(const struct scope *scope)
{
        is_eval("rsadecrypt(\"" TEST_SEALED "\", \"" TEST_KEY "\")", "\"hello\"", scope);
        is_eval("can(rsadecrypt(\"aGVsbG8=\", \"" TEST_KEY "\"))", "false", scope);
        is_eval("can(rsadecrypt(\"" TEST_SEALED "\", \"no key\"))", "false", scope);
}

/* What went wrong with a sensitive argument is told without it. */
static void test_secrets(const struct scope *scope)
{
        static const char *const cases[] = {
            "cidrhost(sensitive(\"hunter2\"), 1)",
            "file(sensitive(\"hunter2\"))",
            "tonumber(sensitive(\"hunter2\"))",
            "max(sensitive(\"hunter2\"))",
            "format(sensitive(\"hunter2 %s\"))",
            "format(\"%hunter2\", sensitive(1))",
            "lookup({a = 1}, sensitive(\"hunter2\"))",
            "lookup(tomap({a = 1}), sensitive(\"hunter2\"))",
            "regex(sensitive(\"hunter2(\"), \"x\")",
            "timeadd(\"2020-01-01T00:00:00Z\", sensitive(\"hunter2\"))",
            "uuidv5(sensitive(\"hunter2\"), \"x\")",
            "jsondecode(sensitive(\"hunter2\"))",
            "yamldecode(sensitive(\"*hunter2\"))",
            "csvdecode(sensitive(\"hunter2,hunter2\"))",
            "[for t in [\"$${cidrhost(x, 1)}\"] : templatestring(t, {x = sensitive(\"hunter2\")})]",
            "{a = 1}[sensitive(\"hunter2\")]",
            "tomap({a = 1})[sensitive(\"hunter2\")]",
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                cleanup_free char *got = eval_in(cases[i], scope, false);
                ok(text_starts(got, "error: ") && !strstr(got, "hunter2"), "kept: %s", cases[i]);
                if (strstr(got, "hunter2")) printf("#   got: %s\n", got);
        }
}

/* --- hostile arguments --- */

static double seconds_of(const char *source, const struct scope *scope)
{
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        cleanup_free char *got = eval_in(source, scope, false);
        clock_gettime(CLOCK_MONOTONIC, &after);
        ok(text_starts(got, "error: "), "refused: %.60s", source);
        return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static void test_hostile(const struct scope *scope)
{
        static const char *const cases[] = {
            "regex(\"(a+)+$\", \"${join(\"\", [for i in range(1000) : \"a\"])}b\")",
            "regex(\"(a|aa)+$\", \"${join(\"\", [for i in range(1000) : \"a\"])}b\")",
            "regex(\"a*a*a*a*a*a*b\", \"${join(\"\", [for i in range(1000) : \"a\"])}\")",
            "regexall(\"(x+x+)+y\", \"${join(\"\", [for i in range(1000) : \"x\"])}zy\")",
            "regex(\"((a{100}){100}){100}\", \"a\")",
            "format(\"%d\", 1e90000000)",
            "format(\"%f\", 1e90000000)",
            "format(\"%9999999d\", 1)",
            "cidrhost(\"10.0.0.0/8\", 1e90000000)",
            "yamldecode(\"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c "
            "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e "
            "[*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\")",
            "yamldecode(join(\"\", [for i in range(1000) : \"[\"]))",
            "setproduct(range(1000), range(1000), range(1000))",
            "indent(1000000, \"a\\nb\")",
            ("replace(join(\"\", [for i in range(1000) : \"a\"]), \"a\", join(\"\", [for i in range(1000) : "
             "join(\"\", [for j in range(100) : \"b\"])]))"),
            "parseint(join(\"\", [for i in range(1000) : \"99999\"]), 10)",
            "[for t in [\"$${templatestring(x, {})}\"] : templatestring(t, {x = \"a\"})]",
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                double seconds = seconds_of(cases[i], scope);
                ok(seconds < 5, "refused in time: %.3f s", seconds);
        }
}

/* Where we mean to differ from Terraform; docs/language.md tells of it. */
static void test_differences(const struct scope *scope)
{
        is_eval("can(yamldecode(\".inf\"))", "false", scope);
        is_eval("cidrsubnet(\"10.0.0.0/8\", 8, -1)", "\"0.1.0.0/16\"", scope);
        is_eval("cidrsubnet(\"10.0.0.0/8\", -1, 0)", "\"10.0.0.0/7\"", scope);
        is_eval("format(\"%v %5v\", null, null)", "\"null  null\"", scope);
        is_eval("yamlencode(\"a\\n \")", "\"\\\"a\\\\n \\\"\\n\"", scope);
}

int main(void)
{
        cleanup(value_free) struct value *roots = roots_new();
        struct scope scope;
        scope_over_object(&scope, roots);
        test_plan(&scope);
        test_files(roots);
        test_impure(roots);
        test_rsadecrypt(&scope);
        test_differences(&scope);
        test_secrets(&scope);
        test_hostile(&scope);
        return done();
}
