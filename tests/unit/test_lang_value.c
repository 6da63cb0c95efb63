/* Values by themselves: making, converting, comparing, writing and reading back. */
#include "lang/number.h"
#include "lang_helper.h"

static struct value *read(const char *json)
{
        struct error *err = NULL;
        struct value *v = value_from_json(json, strlen(json), NULL, NULL, &err);
        if (v == NULL) printf("# %s\n", error_message(err));
        error_free(err);
        return v;
}

static char *json_of(const struct value *v)
{
        struct text text = {0};
        value_json(v, SECRETS_MASK, NULL, &text, NULL);
        return text_steal(&text);
}

static const struct type *type_of(const char *source)
{
        struct error *err = NULL;
        const struct type *t = type_parse(source, strlen(source), NULL, &err);
        if (t == NULL) printf("# %s\n", error_message(err));
        error_free(err);
        return t;
}

/* The JSON and type of a JSON text after conversion, or the error. */
static void is_converted(const char *json, const char *to, const char *want)
{
        cleanup(value_free) struct value *v = read(json);
        cleanup(type_free) const struct type *type = type_of(to);
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *made = value_convert(v, type, &err);
        struct text text = {0};
        if (made != NULL) {
                value_json(made, SECRETS_MASK, NULL, &text, NULL);
                text_add(&text, " ");
                type_text(value_type(made), &text);
        } else {
                text_add(&text, error_message(err));
        }
        cleanup_free char *name = mem_printf("%s to %s", json, to);
        is_str(text.data, want, name);
        text_release(&text);
}

static void test_convert(void)
{
        is_converted("1", "string", "\"1\" string");
        is_converted("\"1.50\"", "number", "1.5 number");
        is_converted("\"true\"", "bool", "true bool");
        is_converted("\"yes\"", "bool", "a bool is required: \"true\" or \"false\"");
        is_converted("[]", "number", "a number is required, not a tuple");
        is_converted("[1,\"a\",true]", "list(string)", "[\"1\",\"a\",\"true\"] list(string)");
        is_converted("[1,\"a\"]", "list(any)", "[\"1\",\"a\"] list(string)");
        is_converted("[1,[2]]", "list(any)", "all elements must have the same type");
        is_converted("[3,1,3,2]", "set(number)", "[1,2,3] set(number)");
        is_converted("[]", "set(any)", "[] set(dynamic)");
        is_converted("{\"b\":1,\"a\":2}", "map(string)", "{\"a\":\"2\",\"b\":\"1\"} map(string)");
        is_converted("{\"a\":{\"b\":[1,\"x\"]}}", "map(object({b = list(number)}))",
            "a.b[1]: a number is required; this string is none");
        is_converted("{\"a\":1,\"z\":2}", "object({a = string})", "{\"a\":\"1\"} object({a: string})");
        is_converted("{\"a\":1}", "object({a = number, b = string})", "attribute \"b\" is required");
        is_converted("{\"a\":1}", "object({a = number, b = optional(string)})",
            "{\"a\":1,\"b\":null} object({a: number, b: string})");
        is_converted(
            "{}", "object({b = optional(list(number), [1, 2])})", "{\"b\":[1,2]} object({b: list(number)})");
        is_converted("{\"b\":null}", "object({b = optional(number, 7)})", "{\"b\":7} object({b: number})");
        is_converted("[1,2]", "tuple([string, number])", "[\"1\",2] tuple([string, number])");
        is_converted("[1, 2]", "tuple([string])", "a tuple of 1 element is required, not of 2");
        is_converted("[1]", "tuple([string, number])", "a tuple of 2 elements is required, not of 1");
        is_converted("null", "list(string)", "null list(string)");
        is_converted("[null,1]", "list(number)", "[null,1] list(number)");
        is_converted("[{\"a\":1},{\"a\":\"x\"}]", "list(any)",
            "[{\"a\":\"1\"},{\"a\":\"x\"}] list(object({a: string}))");
}

static void test_type_errors(void)
{
        static const char *const cases[][2] = {
            {"strnig", "there is no type 'strnig'; did you mean 'string'?"},
            {"list(string", "expected ')' behind an element type, found the end"},
            {"object({a = string, a = number})", "attribute \"a\" is there twice"},
            {"object({a = optional(number, \"x\")})",
                "this default does not fit its type: a number is required; this string is none"},
            {"string string", "expected the end of the type, found 'string'"},
            {"", "expected a type, found the end"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct error *err = NULL;
                const struct type *t = type_parse(cases[i][0], strlen(cases[i][0]), NULL, &err);
                is_str(t ? "a type" : error_message(err), cases[i][1], cases[i][0]);
                error_free(err);
                type_free(t);
        }
}

static void is_unread(const char *json, const char *part)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = value_from_json(json, strlen(json), NULL, NULL, &err);
        bool says = v == NULL && strstr(error_message(err), part) != NULL;
        ok(says, "%.40s is refused: %s", json, part);
        if (!says) printf("#   got: %s\n", v ? "a value" : error_message(err));
}

static void test_json(void)
{
        static const char *const kept[] = {"null", "true", "\"a\\\"\\\\\\n\xc3\xa9\"", "{}", "[]",
            "{\"a\":[1,2.5,-3],\"b\":{\"c\":null}}", "123456789012345678901234567890", "0.1", "-0.000001"};
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
                cleanup(value_free) struct value *v = read(kept[i]);
                cleanup_free char *back = json_of(v);
                is_str(back, kept[i], kept[i]);
        }
        cleanup(value_free) struct value *twice = read(" {\"a\" : 1 , \"a\" : 2e1}\n");
        cleanup_free char *text = json_of(twice);
        is_str(text, "{\"a\":20}", "the last of equal keys wins");
        cleanup(value_free) struct value *pair = read("\"\\ud83d\\ude00\\u00e9\\ud800\"");
        is_str(value_as_string(pair), "\xf0\x9f\x98\x80\xc3\xa9\xef\xbf\xbd", "surrogates");
        is_unread("", "the text ends where a value is expected");
        is_unread("[1,]", "line 1, column 4: expected a value");
        is_unread("{\"a\" 1}", "expected :");
        is_unread("{a:1}", "double quotes");
        is_unread("01", "not a number");
        is_unread("1.", "not a number");
        is_unread("+1", "expected a value");
        is_unread("\"a", "no end");
        is_unread("\"\x01\"", "control character");
        is_unread("\"\\x\"", "escape");
        is_unread("\"\xff\"", "not UTF-8");
        is_unread("{\"a\\u0000b\":1}", "NUL");
        is_unread("1 2", "expected the end");
        is_unread("1e999999999", "too large");
        is_unread("10e100000000", "too large");
        struct text deep = {0};
        for (int i = 0; i < 100000; i++) text_add(&deep, "[");
        is_unread(deep.data, "nested too deeply");
        text_release(&deep);
}

static int seal(void *context, const void *plain, size_t len, struct text *out, struct error **err)
{
        (void)err;
        cleanup_free char *hex = mem_alloc(2 * len + 1);
        text_hex(plain, len, hex);
        text_add(out, hex);
        ++*(int *)context;
        return 0;
}

static int unseal(void *context, const char *hex, size_t len, struct text *plain, struct error **err)
{
        if (len % 2) return error_set(err, ERROR_INPUT, NULL, "broken seal");
        for (size_t i = 0; i < len; i += 2) {
                char pair[3] = {hex[i], hex[i + 1], 0};
                text_addc(plain, (char)strtol(pair, NULL, 16));
        }
        --*(int *)context;
        return 0;
}

/* {list, set of nothing, null of a type, unknown of a type, secret tuple, an attribute that looks special} */
static struct value *everything(void)
{
        struct value_builder b = {0};
        cleanup(value_free) struct value *one = value_int(1), *secret = value_string("hunter2");
        cleanup(value_free) struct value *pair = value_tuple((struct value *[]){one, secret}, 2);
        cleanup(type_free) const struct type *map = type_map(type_number);
        cleanup(value_free) struct value *odd = value_object((const char *[]){"$unknown"}, &one, 1);
        value_builder_add(&b, "list", value_list(type_number, &one, 1));
        value_builder_add(&b, "none", value_set(type_string, NULL, 0));
        value_builder_add(&b, "null", value_null(map));
        value_builder_add(&b, "later", value_unknown(map));
        value_builder_add(&b, "secret", value_sensitive(pair, true));
        value_builder_add(&b, "odd", value_ref(odd));
        value_builder_add(&b, "big", value_number("1e40", 4));
        return value_builder_object(&b);
}

/* The longest that numbers are written out: with a sign, and with digits behind ten thousand zeros. */
static void test_long_numbers(void)
{
        char digits[201] = "";
        for (size_t i = 0; i < 200; i++) digits[i] = (char)('1' + i * 7 % 9);
        const char *const numbers[] = {"-1e9999", "1e9999", "-1.7e-9990", "-1e10000", "1e-10000", digits};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                struct text first = {0}, second = {0};
                cleanup(value_free) struct value *v = number_exact(numbers[i], strlen(numbers[i]));
                if (v != NULL) value_encode(v, NULL, &first, NULL);
                cleanup(value_free) struct value *back = value_decode(first.data, first.len, NULL, NULL);
                if (back != NULL) value_encode(back, NULL, &second, NULL);
                ok(back != NULL && text_equal(first.data, second.data) && value_equal(v, back),
                    "%s is read as it was written", numbers[i]);
                text_release(&first);
                text_release(&second);
        }
}

static void test_encode(void)
{
        int sealed = 0;
        struct sealer sealer = {seal, unseal, &sealed};
        struct text text = {0};
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = everything();
        is_int(value_encode(v, &sealer, &text, &err), 0, "encode");
        is_int(sealed, 1, "one part was sealed");
        ok(strstr(text.data, "hunter2") == NULL, "and does not show");
        cleanup(value_free) struct value *back = value_decode(text.data, text.len, &sealer, &err);
        ok(back != NULL && value_equal(v, back), "decode gives the same value");
        ok(back && value_is_sensitive(value_get(back, "secret")), "with its mark");
        ok(back && type_equal(value_type(v), value_type(back)), "and its type");
        text_clear(&text);
        ok(value_encode(v, NULL, &text, &err) < 0, "without a key a secret is not written");
        text_clear(&text);
        value_json(v, SECRETS_MASK, NULL, &text, &err);
        ok(strstr(text.data, "hunter2") == NULL && strstr(text.data, "\"(sensitive)\""), "nor with a mask");
        text_release(&text);
        cleanup(value_free) struct value *plain = read("{\"$sealed\":\"00\"}");
        ok(plain && value_get(plain, "$sealed"), "in foreign JSON the special forms are ordinary objects");
        unsigned char a[32], b[32], c[32];
        cleanup(value_free) struct value *unmarked = value_unmarked(v), *other = value_with(v, "odd", NULL);
        value_digest(v, a);
        value_digest(unmarked, b);
        value_digest(other, c);
        ok(memcmp(a, b, 32) == 0 && memcmp(a, c, 32) != 0, "the digest sees content, not marks");
}

static void test_parts(void)
{
        cleanup(value_free) struct value *v = read(
            "{\"network\":{\"zones\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"x.y\":1}}");
        is_str(value_as_string(value_path(v, "network.zones[1].name")), "b", "a path");
        ok(value_path(v, "network.zones[2].name") == NULL, "past the end");
        ok(value_path(v, "network.zones[x]") == NULL && value_path(v, "network[") == NULL, "no index");
        ok(value_path(v, "network[\"x.y\"]") != NULL, "a quoted key");
        cleanup(value_free) struct value *two = value_int(2);
        cleanup(value_free) struct value *more = value_with(v, "count", two),
                                         *less = value_with(more, "network", NULL);
        cleanup(value_free) struct value *merged = value_merge(v, less), *alone = value_merge(NULL, less);
        cleanup_free char *a = json_of(less), *b = json_of(merged), *c = json_of(alone);
        is_str(a, "{\"count\":2}", "an attribute added, another removed");
        is_str(b, "{\"count\":2,\"network\":{\"x.y\":1,\"zones\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
            "merged");
        is_str(c, "{\"count\":2}", "NULL counts as empty");
}

static void test_marks(void)
{
        cleanup(value_free) struct value *n = value_int(5), *big = value_int(INT64_MAX),
                                         *s = value_string("x");
        struct value *plain[] = {n, big, s};
        for (size_t i = 0; i < 3; i++) {
                cleanup(value_free) struct value *marked = value_sensitive(plain[i], true);
                cleanup(value_free) struct value *again = value_sensitive(marked, false);
                ok(value_is_sensitive(marked) && !value_is_sensitive(plain[i]),
                    "marking makes another value");
                ok(value_equal(marked, plain[i]) && value_equal(again, plain[i]), "of the same content");
        }
        cleanup(value_free) struct value *secret = value_sensitive(s, true);
        cleanup(value_free) struct value *inner = value_tuple(&secret, 1), *outer = value_tuple(&inner, 1);
        ok(value_has_sensitive(outer) && !value_is_sensitive(outer), "a mark inside is seen from outside");
        cleanup(value_free) struct value *bare = value_unmarked(outer);
        ok(!value_has_sensitive(bare) && value_equal(bare, outer), "and taken off everywhere");
        cleanup(value_free) struct value *set = value_set(type_string, &secret, 1);
        ok(value_is_sensitive(set), "a set is sensitive as a whole");
        int64_t back;
        ok(value_as_int(big, &back) && back == INT64_MAX, "the largest integer");
}

int main(void)
{
        test_convert();
        test_type_errors();
        test_json();
        test_encode();
        test_long_numbers();
        test_parts();
        test_marks();
        return done();
}
