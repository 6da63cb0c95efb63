/*
 * The last part of docs/language.md, from "## Functions" on, is generated from the function tables, and every example in
 * it is evaluated. To write it anew:
 *
 *     build/tests/test_lang_reference.t --write
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lang/function.h"
#include "lang_helper.h"

#define PAGE "docs/language.md"
#define BEGINNING "## Functions\n\n"

static const struct group {
        const char *title, *about;
        const struct function *functions;
} groups[] = {
    {"Numbers",
        "Numbers that are written down are exact to 512 bits. `log` and `pow` give doubles, `length` and its "
        "like numbers of 64 bits, "
        "and what is computed from such alone is as precise as they are.",
        functions_numeric},
    {"Strings",
        "A character is what a reader takes for one: a grapheme cluster. Regular expressions have RE2's "
        "syntax: no "
        "back references and no look-around; one that takes too long is refused.",
        functions_string},
    {"Collections",
        "A tuple or object stands for a list or map wherever its elements have one type in common.",
        functions_collection},
    {"Encodings", "", functions_encoding},
    {"Files",
        "Paths are relative to the folder of the template, and may not lead out of the project. What a file "
        "holds is read when the template is evaluated. In the examples, the folder has one file, "
        "`greeting.txt`, with the text `Hello, ${name}!` and no newline.",
        functions_file},
    {"Dates", "Timestamps are texts as RFC 3339 has them: `2018-01-02T23:12:01Z`.", functions_date},
    {"Hashes and keys", "", functions_hash},
    {"Networks", "Networks are texts such as `10.0.0.0/8` or `fd00::/8`.", functions_net},
    {"Types and marks", "", functions_conversion},
};
enum { GROUPS = sizeof groups / sizeof *groups };

static const char arrow[] = " => ";

/* Where the result of an example begins, behind the last arrow; NULL if there is no example. */
static const char *example_result(const char *example)
{
        const char *found = NULL;
        for (const char *s = example; s && (s = strstr(s, arrow)) != NULL; s++) found = s;
        return found;
}

/* What a user of Terraform may stumble over; each of these is tested in test_lang_functions.c or kept out of the oracle. */
static const char *const differences[] = {
    "Infinite numbers, as of `1/0`, can be computed with but are refused as results, and so is `.inf` in "
    "YAML.",
    "A negative `newbits` of `cidrsubnet` that leads below prefix 0 is refused; Terraform gives the text "
    "`<nil>`.",
    "A null without a type is formatted by `%v` as `null`, where Terraform's result stays unknown.",
    "`yamlencode` puts a text in quotes whose last line is only blanks, and does not escape all that follows "
    "a byte order mark.",
    "`base64gzip` may compress text that repeats itself to other bytes than Terraform (which expand to the "
    "same).",
    "`textencodebase64` and `textdecodebase64` do not know HZ-GB-2312.",
    "`bcrypt` takes a cost up to 16.",
    "`fileset` finds no file outside of the project, and no file function reads one.",
    "Inputs are bounded: regular expressions that take over a second, texts over 64 MiB, files over 32 MiB, "
    "products over a "
    "million elements and YAML that expands to as many are refused.",
};

/* In a table, a bar ends a cell even within code. */
static void add_cell(struct text *out, const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (s[i] == '|') text_addc(out, '\\');
                text_addc(out, s[i]);
        }
}

static void add_function(struct text *out, const struct function_info *info)
{
        text_add(out, "| `");
        add_cell(out, info->signature, strlen(info->signature));
        text_add(out, "` | ");
        add_cell(out, info->summary, strlen(info->summary));
        text_add(out, " | ");
        const char *result = example_result(info->example);
        if (result) {
                text_addc(out, '`');
                add_cell(out, info->example, (size_t)(result - info->example));
                text_add(out, "` gives `");
                add_cell(out, result + strlen(arrow), strlen(result + strlen(arrow)));
                text_addc(out, '`');
        }
        text_add(out, " |\n");
}

static void reference(struct text *out)
{
        text_add(out, BEGINNING
            "<!-- Generated from the function tables by tests/unit/test_lang_reference.c; do not "
            "edit. -->\n\n"
            "They behave as Terraform's of the same name do, but for what [the last "
            "section](#where-expressions-differ-from-terraforms) tells. An argument with `...` may be given "
            "any number of times; "
            "`f(list...)` passes the elements of a list as arguments. A result is sensitive if an "
            "argument is, "
            "and unknown as long as it depends on what is not known yet.\n");
        for (size_t g = 0; g < GROUPS; g++) {
                text_addf(out, "\n### %s\n\n%s%s", groups[g].title, groups[g].about,
                    *groups[g].about ? "\n\n" : "");
                text_add(out, "| Function | What it gives | Example |\n|---|---|---|\n");
                for (const struct function *f = groups[g].functions; f->info.name; f++)
                        add_function(out, &f->info);
        }
        text_add(out, "\n## Where expressions differ from Terraform's\n\n");
        for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
                text_addf(out, "- %s\n", differences[i]);
}

static void read_all(const char *path, struct text *out)
{
        char buffer[4096];
        FILE *f = fopen(path, "r");
        if (f == NULL) return;
        for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) text_addn(out, buffer, n);
        fclose(f);
}

static void test_document(const char *path)
{
        struct text want = {0}, have = {0};
        reference(&want);
        read_all(path, &have);
        const char *section = have.data ? strstr(have.data, BEGINNING) : NULL;
        ok(section != NULL, "%s has a section of functions", path);
        ok(section && text_equal(section, want.data), "it is what the tables say");
        text_release(&want);
        text_release(&have);
}

/* Replaces the section in the page. */
static int write_document(const char *path)
{
        struct text page = {0};
        read_all(path, &page);
        char *section = page.data ? strstr(page.data, BEGINNING) : NULL;
        FILE *f = section ? fopen(path, "w") : NULL;
        if (f == NULL) return 1;
        *section = '\0';
        page.len = (size_t)(section - page.data);
        reference(&page);
        fwrite(page.data, 1, page.len, f);
        text_release(&page);
        return fclose(f) == 0 ? 0 : 1;
}

static void test_example(const struct function_info *info, const struct scope *scope)
{
        const char *result = example_result(info->example);
        if (!ok(result != NULL, "%s has an example", info->name)) return;
        cleanup_free char *source = mem_strndup(info->example, (size_t)(result - info->example));
        cleanup_free char *typed_source = mem_printf("[type(%s), %s]", source, source);
        cleanup_free char *typed_result = mem_printf(
            "[type(%s), %s]", result + strlen(arrow), result + strlen(arrow));
        cleanup_free char *got = eval_in(typed_source, scope, false),
                          *want = eval_in(typed_result, scope, false);
        ok(!text_starts(want, "error: ") && text_equal(got, want), "%s", info->example);
        if (!text_equal(got, want)) printf("#   got: %s\n#  want: %s\n", got, want);
}

static void test_table(const struct function *f)
{
        const struct function *found = function_find(f->info.name);
        size_t len = strlen(f->info.name);
        bool lazy = text_equal(f->info.name, "can") || text_equal(f->info.name, "try");
        ok(found == f, "%s is found", f->info.name);
        ok(strncmp(f->info.signature, f->info.name, len) == 0 && f->info.signature[len] == '(',
            "%s has its signature", f->info.name);
        ok(f->info.summary && text_ends(f->info.summary, "."), "%s has a summary", f->info.name);
        ok(lazy || (f->body && (f->result || f->result_type)), "%s has a body and a type", f->info.name);
}

/* The names of Terraform 1.11's functions, but those of its core:: namespace. */
static const char *const expected[] = {"abs", "abspath", "alltrue", "anytrue", "base64decode", "base64encode",
    "base64gzip", "base64sha256", "base64sha512", "basename", "bcrypt", "can", "ceil", "chomp", "chunklist",
    "cidrhost", "cidrnetmask", "cidrsubnet", "cidrsubnets", "coalesce", "coalescelist", "compact", "concat",
    "contains", "csvdecode", "dirname", "distinct", "element", "endswith", "ephemeralasnull", "file",
    "filebase64", "filebase64sha256", "filebase64sha512", "fileexists", "filemd5", "fileset", "filesha1",
    "filesha256", "filesha512", "flatten", "floor", "format", "formatdate", "formatlist", "indent", "index",
    "issensitive", "join", "jsondecode", "jsonencode", "keys", "length", "list", "log", "lookup", "lower",
    "map", "matchkeys", "max", "md5", "merge", "min", "nonsensitive", "one", "parseint", "pathexpand",
    "plantimestamp", "pow", "range", "regex", "regexall", "replace", "reverse", "rsadecrypt", "sensitive",
    "setintersection", "setproduct", "setsubtract", "setunion", "sha1", "sha256", "sha512", "signum", "slice",
    "sort", "split", "startswith", "strcontains", "strrev", "substr", "sum", "templatefile", "templatestring",
    "textdecodebase64", "textencodebase64", "timeadd", "timecmp", "timestamp", "title", "tobool", "tolist",
    "tomap", "tonumber", "toset", "tostring", "transpose", "trim", "trimprefix", "trimspace", "trimsuffix",
    "try", "type", "upper", "urlencode", "uuid", "uuidv5", "values", "yamldecode", "yamlencode", "zipmap"};

static void test_names(void)
{
        size_t count = 0;
        while (function_info_at(count)) count++;
        is_int(count, sizeof expected / sizeof *expected, "the number of functions");
        for (size_t i = 0; i < count && i < sizeof expected / sizeof *expected; i++)
                is_str(function_info_at(i)->name, expected[i], "in the order of their names");
}

int main(int argc, char **argv)
{
        if (argc > 1 && text_equal(argv[1], "--write")) return write_document(PAGE);
        struct scope scope;
        char folder[] = "/tmp/tutti-reference-XXXXXX";
        if (!ok(mkdtemp(folder) != NULL, "a folder for the examples")) return done();
        cleanup_free char *file = mem_printf("%s/greeting.txt", folder);
        FILE *f = fopen(file, "w");
        bool written = f != NULL && fputs("Hello, ${name}!", f) >= 0;
        if (f != NULL && fclose(f) != 0) written = false;
        if (!ok(written, "with a file")) return done();
        scope_over_object(&scope, NULL);
        scope.base_dir = folder;
        for (size_t g = 0; g < GROUPS; g++)
                for (const struct function *function = groups[g].functions; function->info.name; function++) {
                        test_table(function);
                        test_example(&function->info, &scope);
                }
        unlink(file);
        rmdir(folder);
        test_names();
        test_document(PAGE);
        return done();
}
