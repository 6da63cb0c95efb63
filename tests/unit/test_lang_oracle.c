/*
 * Every expression of tests/cases/oracle with the value and type (or the fact of an error) that Terraform
 * gives. The answers were taken through `jsonencode(…)` on one line, evaluated the way `tutti eval` does.
 */
#include <string.h>

#include "lang/expr.h"
#include "tap.h"

#define FOLDER "tests/cases/oracle/"

static char *read_all(const char *path, size_t *len)
{
        struct text text = {0};
        char buffer[4096];
        FILE *f = fopen(path, "r");
        if (f == NULL) return NULL;
        for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) text_addn(&text, buffer, n);
        fclose(f);
        *len = text.len;
        return text_steal(&text);
}

/* "value :: type", or "error: …". Caller frees. */
static char *evaluate(const char *source, const struct value *context)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        struct scope scope;
        struct text out = {0};
        scope_over_object(&scope, context);
        scope.base_dir = ".";
        struct expr *e = expr_parse(arena, source, strlen(source), NULL, &err);
        bool sound = e != NULL && scope_check(e, context, &err) == 0;
        cleanup(value_free) struct value *v = sound ? expr_eval(e, &scope, &err) : NULL;
        if (v == NULL) return mem_printf("error: %s", error_message(err));
        value_json(v, SECRETS_REVEAL, NULL, &out, &err);
        text_add(&out, " :: ");
        type_text(value_type(v), &out);
        return text_steal(&out);
}

/* The same without white space, so that only what counts is compared. */
static char *squeeze(const char *s)
{
        struct text out = {0};
        for (; *s; s++) {
                if (strchr(" \n\t", *s)) continue;
                if (*s == ',' && strspn(s + 1, " \n\t") < strlen(s + 1) &&
                    strchr(")]}", s[1 + strspn(s + 1, " \n\t")]))
                        continue;
                text_addc(&out, *s);
        }
        return text_steal(&out);
}

static bool agrees(const char *got, const struct value *want, char **expected)
{
        const struct value *json = value_get(want, "json");
        if (json == NULL || value_is_null(json)) {
                *expected = mem_strdup("error");
                return text_starts(got, "error: ");
        }
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = value_from_json(
            value_as_string(json), value_string_len(json), NULL, NULL, &err);
        struct text text = {0};
        value_json(v, SECRETS_REVEAL, NULL, &text, &err);
        text_addf(&text, " :: %s", value_as_string(value_get(want, "type")));
        *expected = text_steal(&text);
        cleanup_free char *a = squeeze(got), *b = squeeze(*expected);
        return text_equal(a, b);
}

static void run_case(const char *line, size_t len, const struct value *context)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *c = value_from_json(line, len, NULL, NULL, &err);
        const char *source = value_as_string(value_get(c, "expr"));
        cleanup_free char *got = evaluate(source, context), *expected = NULL;
        struct text name = {0};
        text_add_json(&name, source, strlen(source));
        if (!ok(agrees(got, c, &expected), "%s %s", value_as_string(value_get(c, "category")), name.data))
                printf("#   got: %s\n#  want: %s\n", got, expected);
        text_release(&name);
}

static void run_file(const char *path, const struct value *context)
{
        size_t len = 0;
        cleanup_free char *lines = read_all(path, &len);
        if (!ok(lines != NULL, "%s is there", path)) return;
        for (const char *line = lines; *line;) {
                size_t n = strcspn(line, "\n");
                if (n > 0) run_case(line, n, context);
                line += n + (line[n] == '\n');
        }
}

int main(void)
{
        size_t len = 0;
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *json = read_all(FOLDER "context.json", &len);
        if (json == NULL) skip_all("run from the top of the tree");
        cleanup(value_free) struct value *context = value_from_json(json, len, NULL, NULL, &err);
        run_file(FOLDER "expressions.jsonl", context);
        run_file(FOLDER "more.jsonl", context);
        return done();
}
