/* Hostile expressions end in an error, and soon. */
#include <time.h>

#include "lang_helper.h"

/* CPU time, as other tests share the machine; sanitizers cost a factor. */
#ifdef __SANITIZE_ADDRESS__
enum { PATIENCE_MS = 20000 };
#else
enum { PATIENCE_MS = 3000 };
#endif

static int64_t cpu_ms(void)
{
        return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static struct text repeated(
    const char *before, const char *s, size_t count, const char *middle, const char *t, const char *after)
{
        struct text text = {0};
        text_add(&text, before);
        for (size_t i = 0; i < count; i++) text_add(&text, s);
        text_add(&text, middle);
        for (size_t i = 0; i < count; i++) text_add(&text, t);
        text_add(&text, after);
        return text;
}

static void ends_in_error(const char *name, const char *source, const char *part, const struct scope *scope)
{
        int64_t begin = cpu_ms();
        cleanup_free char *got = eval_in(source, scope, false);
        int64_t took = cpu_ms() - begin;
        ok(text_starts(got, "error: ") && strstr(got, part) != NULL, "%s: an error that says \"%s\"", name,
            part);
        if (strstr(got, part) == NULL) printf("# got: %.300s\n", got);
        ok(took < PATIENCE_MS, "%s: bounded (%lld ms of CPU here)", name, (long long)took);
}

static void deep(const char *name, const char *open, const char *close, const char *middle)
{
        struct text source = repeated("", open, 100000, middle, close, "");
        ends_in_error(name, source.data, "too deeply", NULL);
        text_release(&source);
}

static void test_depth(void)
{
        deep("parentheses", "(", ")", "1");
        deep("tuples", "[", "]", "1");
        deep("objects", "{a=", "}", "1");
        deep("negation", "-", "", "1");
        deep("conditionals", "true ? 1 : ", "", "1");
        deep("templates", "\"${", "}\"", "1");
        deep("for", "[for x in ", ": x]", "[]");
        deep("indices", "a[", "]", "1");
        struct text directives = repeated("\"", "%{if true}", 100000, "", "%{endif}", "\"");
        ends_in_error("directives", directives.data, "too deeply", NULL);
        text_release(&directives);
        struct text sum = repeated("a", " + a", 100000, "", "", "");
        ends_in_error("a long sum", sum.data, "too large", NULL);
        text_release(&sum);
        struct text splats = repeated("[]", "[*]", 100000, "", "", "");
        ends_in_error("splats", splats.data, "splats", NULL);
        text_release(&splats);
}

static struct value *range(size_t count)
{
        cleanup_free struct value **items = mem_alloc(count * sizeof *items);
        for (size_t i = 0; i < count; i++) items[i] = value_int((int64_t)i);
        return value_tuple(items, count);
}

static void test_work(void)
{
        struct value_builder b = {0};
        struct scope scope;
        value_builder_add(&b, "r", range(1000));
        value_builder_add(&b, "big", range(5000000));
        cleanup(value_free) struct value *all = value_builder_object(&b);
        scope_over_object(&scope, all);
        ends_in_error(
            "nested loops", "[for a in r : [for b in r : [for c in r : [for d in r : 1]]]]", "too", &scope);
        ends_in_error("loops that make nothing",
            "[for a in r : 1 if [for b in r : 1 if [for c in r : 1 if false] == 1] == 1]", "too long",
            &scope);
        ends_in_error("laughs",
            "[for a in [[for x in [[for x in [[for x in r : r]] : [x, x, x, x, x, x, x, x, x, x]]] : [x, x, "
            "x, x, x, x, x, x, x, x]]] : [a, a, a, a, a]]",
            "too large", &scope);
        ends_in_error("strings that grow",
            "[for a in [for a in [for a in [\"%{for x in r}0123456789%{endfor}\"] : \"%{for x in "
            "r}${a}%{endfor}\"] : \"%{for x in r}${a}%{endfor}\"] : a]",
            "too much memory", &scope);
        ends_in_error("a million loops", "[for a in big : [for b in big : b]]", "too", &scope);
        ends_in_error("numbers that grow",
            "[for a in [for a in [for a in [for a in [1e99999999] : a*a*a*a] : a*a*a*a] : a*a*a*a] : a]",
            "too large", &scope);
        ends_in_error("a huge literal", "1e999999999", "too large", &scope);
        ends_in_error("a huge power", "pow(10, 1e9)", "too large", &scope);
        ends_in_error("a huge base", "pow(1e400, 2)", "too large", &scope);
        ends_in_error("infinity", "[for a in r : 1 / 0]", "division by zero", &scope);
        ends_in_error("infinity as JSON", "jsonencode([1 / 0])", "infinite", &scope);
        ends_in_error("infinity less infinity", "1 / 0 - 1 / 0", "infinite", &scope);
        ends_in_error("a range without end", "range(1 / 0)", "1024", &scope);
        ends_in_error("a range in no steps", "range(0, 1, 0)", "1024", &scope);
        ends_in_error("a huge width", "format(\"%999999999d\", 1)", "over 1000000", &scope);
        ends_in_error(
            "many wide verbs", "format(join(\"\", [for a in r : \"%1000000s\"]), r...)", "too long", &scope);
        ends_in_error("a product", "setproduct(r, r, r)", "more than 1000000", &scope);
        ends_in_error("a huge index", "[1][1e99]", "index", &scope);
        struct text failures = repeated("", "true ? [", 100, "nofunc()", "] : [1]", "");
        ends_in_error("failures inside one another", failures.data, "of one type", &scope);
        text_release(&failures);
        failures = repeated("", "null ? [", 100, "1", "] : [1]", "");
        ends_in_error("conditions without an answer", failures.data, "null", &scope);
        text_release(&failures);
        scope.max_steps = 100;
        ends_in_error("a limit of one's own", "[for a in r : a]", "over 100 steps", &scope);
        ends_in_error("try() does not hide it", "try([for a in r : a], 1)", "over 100 steps", &scope);
        ends_in_error("nor can()", "can([for a in r : a])", "over 100 steps", &scope);
        ends_in_error("nor a branch not taken", "true ? 1 : [for a in r : a]", "over 100 steps", &scope);
}

/* Values handed from one expression to the next: each is small, the last is enormous once walked. */
static void test_shared(void)
{
        cleanup(value_free) struct value *v = range(10);
        cleanup_free char *got = NULL;
        for (int i = 0; i < 40 && got == NULL; i++) {
                struct value_builder b = {0};
                struct scope scope;
                value_builder_add(&b, "v", value_ref(v));
                cleanup(value_free) struct value *all = value_builder_object(&b);
                scope_over_object(&scope, all);
                cleanup(arena_free) struct arena *arena = arena_new();
                cleanup(error_free) struct error *err = NULL;
                const char source[] = "[v, v, v, v, v, v, v, v]";
                struct expr *e = expr_parse(arena, source, strlen(source), NULL, &err);
                struct value *next = expr_eval(e, &scope, &err);
                if (next == NULL) {
                        got = mem_strdup(error_message(err));
                } else {
                        value_free(v);
                        v = next;
                }
        }
        is_str(got, "this value is too large: over 268435456 bytes", "sharing does not hide size");
}

static void test_nesting_across(void)
{
        cleanup(value_free) struct value *v = value_int(1);
        cleanup_free char *got = NULL;
        for (int i = 0; i < 2000 && got == NULL; i++) {
                struct scope scope;
                struct value_builder b = {0};
                value_builder_add(&b, "v", value_ref(v));
                cleanup(value_free) struct value *all = value_builder_object(&b);
                scope_over_object(&scope, all);
                cleanup(arena_free) struct arena *arena = arena_new();
                cleanup(error_free) struct error *err = NULL;
                struct expr *e = expr_parse(arena, "[v]", 3, NULL, &err);
                struct value *next = expr_eval(e, &scope, &err);
                if (next == NULL) {
                        got = mem_strdup(error_message(err));
                } else {
                        value_free(v);
                        v = next;
                }
        }
        is_str(got, "this value is nested too deeply: over 1000 levels", "nor does it hide depth");
}

/* Parsing takes time in proportion to the text, with a place for every node. */
static void test_linear(void)
{
        struct text source = {0};
        text_add(&source, "[");
        for (int i = 0; i < 100000; i++) text_add(&source, "[{a = \"x${b}\", c = 1 + 2}],");
        text_add(&source, "]");
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        int64_t begin = cpu_ms();
        struct expr *e = expr_parse(arena, source.data, source.len, NULL, &err);
        int64_t took = cpu_ms() - begin;
        ok(e != NULL && took < 5000, "%zu bytes on one line parse in %lld ms of CPU", source.len,
            (long long)took);
        text_release(&source);
}

int main(void)
{
        test_linear();
        test_depth();
        test_work();
        test_shared();
        test_nesting_across();
        return done();
}
