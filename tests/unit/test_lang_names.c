/* What an expression refers to, where its parts stand in the file, and what it asks of a resolver. */
#include "lang_helper.h"

static void note(void *context, const struct reference *r)
{
        struct text *out = context;
        text_addf(out, "%s%s", out->len ? "; " : "", r->root);
        for (size_t i = 0; i < r->step_count; i++)
                text_addf(out, r->steps[i].is_attribute ? ".%s" : "[%s]",
                    r->steps[i].name    ? r->steps[i].name
                    : r->steps[i].index ? "n"
                                        : "*");
}

static void refers(const char *source, const char *want)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        struct text out = {0};
        struct expr *e = expr_parse_template(arena, source, strlen(source), NULL, &err);
        if (e != NULL) expr_references(e, note, &out);
        is_str(e ? out.data ? out.data : "" : error_message(err), want, source);
        text_release(&out);
}

static void test_references(void)
{
        refers("plain", "");
        refers("${subnet[\"a\"].id}", "subnet[a].id");
        refers("${web[0].ip} and ${a.b}", "web[n].ip; a.b");
        refers("${web[*].ip}", "web[*].ip");
        refers("${subnet[each.key].id}", "subnet[*].id; each.key");
        refers("${[for x in web : x.ip if y.z]}", "web; y.z");
        refers("%{ for k, v in m }${k}${v}${w}%{ endfor }", "m; w");
        refers("${true ? a : {(b) = upper(c)}}", "a; b; c");
        refers("${[1, 2][0]}", "");
        refers("${(a.b).c}", "a.b");
        refers("${[for a in a : a]}", "a");
}

static void test_whole(void)
{
        static const struct {
                const char *source;
                bool whole;
        } cases[] = {{"${web}", true}, {"${web[0].id}", true}, {"${web[*]}", false}, {"a${web}", false},
            {"${web[i]}", false}, {"${(web)}", true}, {"web", false}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                cleanup(arena_free) struct arena *arena = arena_new();
                struct expr *e = expr_parse_template(
                    arena, cases[i].source, strlen(cases[i].source), NULL, NULL);
                ok((expr_is_reference(e) != NULL) == cases[i].whole, "%s", cases[i].source);
        }
}

/* Says what it was asked for, as `root[key].next`. */
struct asked {
        struct text text;
        int consume;
};

static struct value *resolve(void *context, const char *root, const struct value *key, const char *next,
    int *consumed, struct error **err)
{
        struct asked *asked = context;
        struct text text = {0};
        if (key) value_json(key, SECRETS_MASK, NULL, &text, NULL);
        text_addf(&asked->text, "%s[%s].%s", root, key ? text.data : "", next ? next : "");
        text_release(&text);
        *consumed = asked->consume;
        if (text_equal(root, "gone")) {
                error_set(err, ERROR_MISSING, NULL, "it is gone");
                return NULL;
        }
        return value_unknown(type_dynamic);
}

static void asks(const char *source, int consume, const char *want)
{
        struct asked asked = {.consume = consume};
        struct scope scope = {.resolve = resolve, .context = &asked};
        free(eval_in(source, &scope, false));
        is_str(asked.text.data, want, source);
        text_release(&asked.text);
}

static void test_resolver(void)
{
        asks("web", 0, "web[].");
        asks("web.id", 0, "web[\"id\"].");
        asks("web[3].id", 1, "web[3].id");
        asks("web[1 + 2].id.x", 1, "web[3].id");
        asks("web[*].id", 0, "web[].id");
        asks("web[i].id", 0, "i[].web[].id");
        struct asked asked = {0};
        struct scope scope = {.resolve = resolve, .context = &asked};
        is_eval("[gone.x]", "error: t:1:2: it is gone", &scope);
        is_eval("try(gone.x, 1)", "1", &scope);
        asked.consume = 1;
        is_eval("gone[0].x", "error: t:1:5: it is gone", &scope);
        text_release(&asked.text);
}

/* A folded scalar: its text does not map to the file by offset. */
static void test_places(void)
{
        static const struct source_line lines[] = {{0, 10, 5}, {4, 11, 7}, {9, 13, 3}};
        struct source_map map = {
            .start = {.file = "f", .line = 10, .column = 5}, .lines = lines, .line_count = 3};
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        static const char text[] = "[a, bb, \nccc]";
        struct expr *e = expr_parse(arena, text, strlen(text), &map, &err);
        free(outcome(expr_eval(e, NULL, &err), NULL));
        struct text all = {0};
        for (size_t i = 0; i < error_count(err); i++) {
                cleanup_free char *line = error_text(error_at(err, i));
                text_addf(&all, "%s|", line);
        }
        is_str(all.data,
            "f:10:6: there is no 'a' here|f:11:7: there is no 'bb' here|f:13:3: there is no 'ccc' here|",
            "places by way of the source map");
        text_release(&all);
        is_int(expr_place(e)->line, 10, "the place of the whole");
}

static void test_built(void)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        struct place at = {.file = "f", .line = 3, .column = 1};
        struct expr *x = expr_parse_template(arena, "${x}", 4, NULL, &err);
        struct expr *one = expr_literal(arena, value_int(1), &at);
        struct expr *tuple = expr_tuple(arena, (struct expr *[]){one, one}, 2, &at);
        const char *keys[] = {"b", "a"};
        struct expr *object = expr_object(arena, keys, NULL, (struct expr *[]){x, tuple}, 2, &at);
        ok(expr_constant(tuple) != NULL, "a tuple of literals is a constant");
        ok(expr_constant(object) == NULL, "with a reference in it, it is none");
        ok(expr_attribute(object, "a") == tuple && expr_attribute(object, "c") == NULL, "attributes by name");
        ok(expr_is_reference(expr_attribute(object, "b")) != NULL, "an attribute that is a reference");
        cleanup(value_free) struct value *roots = value_object(
            (const char *[]){"x"}, (struct value *[]){value_bool(true)}, 1);
        struct scope scope;
        scope_over_object(&scope, roots);
        struct value *v = expr_eval(object, &scope, &err);
        cleanup_free char *got = outcome(v, err);
        is_str(got, "{\"a\":[1,1],\"b\":true}", "and its value");
}

int main(void)
{
        test_references();
        test_whole();
        test_resolver();
        test_places();
        test_built();
        return done();
}
