/* What the oracle cannot ask: unknown and sensitive values through every operator, and the form of errors. */
#include "lang_helper.h"

static struct value *roots(void)
{
        struct value_builder b = {0};
        cleanup(type_free) const struct type *list = type_list(type_string);
        cleanup(type_free) const struct type *map = type_map(type_number);
        struct type_attribute attributes[] = {
            {"id", type_string, false, NULL}, {"port", type_number, false, NULL}};
        cleanup(type_free) const struct type *object = type_object(attributes, 2);
        cleanup(value_free) struct value *secret = value_string("hunter2");
        cleanup(value_free) struct value *five = value_int(5), *yes = value_bool(true);
        cleanup(value_free) struct value *marked = value_sensitive(secret, true);
        value_builder_add(&b, "num", value_unknown(type_number));
        value_builder_add(&b, "str", value_unknown(type_string));
        value_builder_add(&b, "flag", value_unknown(type_bool));
        value_builder_add(&b, "any", value_unknown(type_dynamic));
        value_builder_add(&b, "list", value_unknown(list));
        value_builder_add(&b, "map", value_unknown(map));
        value_builder_add(&b, "object", value_unknown(object));
        value_builder_add(&b, "secret", value_ref(marked));
        value_builder_add(&b, "secret_five", value_sensitive(five, true));
        value_builder_add(&b, "secret_true", value_sensitive(yes, true));
        value_builder_add(&b, "plain", value_string("x"));
        struct value *items[] = {marked, five};
        cleanup(value_free) struct value *mixed = value_tuple(items, 2);
        value_builder_add(&b, "mixed", value_ref(mixed));
        cleanup(value_free) struct value *secrets = value_object((const char *[]){"hunted"}, &five, 1);
        value_builder_add(&b, "secret_map", value_sensitive(secrets, true));
        value_builder_add(&b, "secret_mixed", value_sensitive(mixed, true));
        return value_builder_object(&b);
}

static void test_unknown(const struct scope *s)
{
        is_eval("num + 1", "{\"$unknown\":\"number\"}", s);
        is_eval("-num", "{\"$unknown\":\"number\"}", s);
        is_eval("num < 1", "{\"$unknown\":\"bool\"}", s);
        is_eval("num == 1", "{\"$unknown\":\"bool\"}", s);
        is_eval("!flag", "{\"$unknown\":\"bool\"}", s);
        is_eval("false && flag", "false", s);
        is_eval("flag && false", "false", s);
        is_eval("flag || true", "true", s);
        is_eval("flag && true", "{\"$unknown\":\"bool\"}", s);
        is_eval("flag ? 1 : 2", "{\"$unknown\":\"number\"}", s);
        is_eval("flag ? 1 : \"a\"", "{\"$unknown\":\"string\"}", s);
        is_eval("flag ? null : \"a\"", "{\"$unknown\":\"string\"}", s);
        is_eval("true ? 1 : num", "1", s);
        is_eval("\"a${str}\"", "{\"$unknown\":\"string\"}", s);
        is_eval("\"${num}\"", "{\"$unknown\":\"number\"}", s);
        is_eval("list[0]", "{\"$unknown\":\"string\"}", s);
        is_eval("list[num]", "{\"$unknown\":\"string\"}", s);
        is_eval("map.a", "{\"$unknown\":\"number\"}", s);
        is_eval("object.port", "{\"$unknown\":\"number\"}", s);
        is_eval("any.a.b[0]", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("[1, num]", "[1,{\"$unknown\":\"number\"}]", s);
        is_eval("[for x in list : x]", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("[for x in [1, 2] : x if flag]", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("{for x in [1] : str => x}", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("{(str) = 1}", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("list[*]", "{\"$unknown\":[\"list\",\"string\"]}", s);
        is_eval("object[*].id", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("any[*][null]", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("can(list[*].a)", "false", s);
        is_eval("(num == 1)[*]", "[{\"$unknown\":\"bool\"}]", s);
        is_eval("can((num == 1)[*].a)", "false", s);
        is_eval("[1, 2][num]", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("[num] == [1, 2]", "false", s);
        is_eval("[num, 1] == [1, 2]", "false", s);
        is_eval("[num, 2] == [1, 2]", "{\"$unknown\":\"bool\"}", s);
        is_eval("try(num, 1)", "{\"$unknown\":\"dynamic\"}", s);
        is_eval("can(num)", "{\"$unknown\":\"bool\"}", s);
        is_eval("num == \"a\"", "false", s);
        is_eval("str != [1]", "true", s);
        is_eval("list == map", "false", s);
        is_eval("any == 1", "{\"$unknown\":\"bool\"}", s);
        is_eval("contains([num], \"a\")", "false", s);
        is_eval("index([list, \"a\"], \"a\")", "1", s);
        is_eval("length([str, str])", "2", s);
        is_eval("length({a = str})", "1", s);
        is_eval("length(list)", "{\"$unknown\":\"number\"}", s);
        is_eval("length(toset([str, \"a\"]))", "{\"$unknown\":\"number\"}", s);
        is_eval("tolist(toset([str, \"a\"]))", "{\"$unknown\":[\"list\",\"string\"]}", s);
        is_eval("tolist(toset([str]))", "[{\"$unknown\":\"string\"}]", s);
        is_eval("keys({a = any, b = str})", "[\"a\",\"b\"]", s);
        is_eval("try([1 / 0 > num, 2][1], 3)", "2", s);
}

/* What is known of an unknown where it shows: that it is not null, and how a text begins. */
static void test_refined(const struct scope *s)
{
        is_eval("str == null", "{\"$unknown\":\"bool\"}", s);
        is_eval("any == null", "{\"$unknown\":\"bool\"}", s);
        is_eval("num + 1 == null", "false", s);
        is_eval("null != -num", "true", s);
        is_eval("(num > 1) == null", "false", s);
        is_eval("!flag == null", "false", s);
        is_eval("(str == \"a\") != null", "true", s);
        is_eval("\"a${str}\" == null", "false", s);
        is_eval("upper(str) == null", "false", s);
        is_eval("split(\",\", str) == null", "false", s);
        is_eval("length(list) == null", "false", s);
        is_eval("sensitive(upper(str)) == null", "\"(sensitive)\"", s);
        is_eval("nonsensitive(sensitive(upper(str)) == null)", "false", s);
        is_eval("tostring(num + 1) == null", "false", s);
        is_eval("startswith(\"pre-${str}\", \"pre-\")", "true", s);
        is_eval("startswith(\"pre-${str}\", \"pra\")", "false", s);
        is_eval("startswith(\"pre-${str}\", \"pre-x\")", "{\"$unknown\":\"bool\"}", s);
        is_eval("startswith(\"pre${str}\", \"pre\")", "{\"$unknown\":\"bool\"}", s);
        is_eval("startswith(str, \"\")", "true", s);
        is_eval("startswith(str, str)", "{\"$unknown\":\"bool\"}", s);
        is_eval("nonsensitive(startswith(sensitive(\"a-${str}\"), \"a\"))", "true", s);
        is_eval("\"pre-${str}\" == \"\"", "false", s);
        is_eval("\"pre-x\" == \"pre-${str}\"", "{\"$unknown\":\"bool\"}", s);
        is_eval("[\"a-${str}\", 1] == [\"b\", 1]", "false", s);
}

static void test_sensitive(const struct scope *s)
{
        is_eval("secret", "\"(sensitive)\"", s);
        is_eval("\"a${secret}\"", "\"(sensitive)\"", s);
        is_eval("secret_five + 1", "\"(sensitive)\"", s);
        is_eval("-secret_five", "\"(sensitive)\"", s);
        is_eval("secret_five > 1", "\"(sensitive)\"", s);
        is_eval("secret == \"x\"", "\"(sensitive)\"", s);
        is_eval("[secret] == [\"x\"]", "\"(sensitive)\"", s);
        is_eval("secret_true ? 1 : 2", "\"(sensitive)\"", s);
        is_eval("secret_true && flag", "\"(sensitive)\"", s);
        is_eval("!secret_true", "\"(sensitive)\"", s);
        is_eval("[1, secret]", "[1,\"(sensitive)\"]", s);
        is_eval("mixed[1]", "5", s);
        is_eval("mixed[0]", "\"(sensitive)\"", s);
        is_eval("secret_mixed[1]", "\"(sensitive)\"", s);
        is_eval("[for x in secret_mixed : 1]", "\"(sensitive)\"", s);
        is_eval("[for x in [1] : x if secret_true]", "\"(sensitive)\"", s);
        is_eval("{(secret) = 1}", "\"(sensitive)\"", s);
        is_eval("secret_mixed[*]", "\"(sensitive)\"", s);
        is_eval("mixed[*]", "[\"(sensitive)\",5]", s);
        is_eval("\"%{if secret_true}a%{endif}\"", "\"(sensitive)\"", s);
        is_eval("[1, 2][secret_five - 4]", "\"(sensitive)\"", s);
        is_eval(
            "secret + 1", "error: t:1:1: the left side of '+': a number is required; this string is none", s);
}

/* No message may repeat what is secret, nor what is like it. */
static void test_discretion(const struct scope *s)
{
        static const char *const sources[] = {"{a = 1}[secret]", "{hunter = 1}[secret]", "secret_map.b",
            "secret_map[\"b\"]", "tonumber(secret)", "regex(secret, \"x\")", "regex(\"(\", secret)",
            "tomap({(secret) = [], b = 1})", "jsondecode(secret)", "[for k in [secret, secret] : k]...",
            "{for k in [secret, secret] : k => 1}", "secret ? 1 : 2", "secret + 1", "-secret", "[1][secret]",
            "secret.a", "base64decode(secret)", "file(secret)", "parseint(secret, 10)",
            "element(secret_map, 1)", "lookup({a = 1}, secret)", "cidrhost(secret, 1)",
            "timeadd(secret, secret)", "format(secret, secret, secret)", "index([\"a\"], secret)",
            "merge(secret)", "templatestring(secret, {})",
            "[for t in [\"$${x.hunter}\"] : templatestring(t, {x = secret_map})]", "zipmap([secret], [])",
            "setproduct(secret)", "one([secret, secret])", "formatdate(secret, secret)",
            "yamldecode(\"[${secret}\")"};
        for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
                cleanup_free char *got = eval_in(sources[i], s, false);
                bool error = text_starts(got, "error: "),
                     told = strstr(got, "unter2") != NULL || strstr(got, "hunted") != NULL;
                ok(!told && (error || strstr(got, "(sensitive)")), "%s tells nothing", sources[i]);
                if (told || !error) printf("# got: %s\n", got);
        }
}

static void test_errors(const struct scope *s)
{
        is_eval("plian", "error: t:1:1: there is no 'plian' here; did you mean 'plain'?", s);
        is_eval(
            "object.prot", "error: t:1:7: this object has no attribute \"prot\"; did you mean \"port\"?", s);
        is_eval(
            "[1, nope, nil]", "error: t:1:5: there is no 'nope' here | t:1:11: there is no 'nil' here", s);
        is_eval("[1 + \"a\", 2 + []]",
            "error: t:1:6: the right side of '+': a number is required; this string is none | "
            "t:1:15: the right side of '+': a number is required, not a tuple",
            s);
        is_eval("1 +\n  * 2", "error: t:2:3: expected an expression, found '*'", s);
        is_eval("{a = 1 b = 2}",
            "error: t:1:8: expected ',', a new line or '}' behind this attribute, found 'b'", s);
        is_eval("cna(1)", "error: t:1:1: there is no function 'cna'; did you mean 'can'?", s);
        is_eval("\"ü${nope}\"", "error: t:1:5: there is no 'nope' here", s);
        is_eval("try(nope, 1)", "error: t:1:5: there is no 'nope' here", s);
        is_eval("[1][1]", "error: t:1:4: this index is past the end: the tuple has 1 element", s);
        is_eval("null.a", "error: t:1:5: this value is null, so it has no attribute \"a\"", s);
        is_eval("true ? 1 : [2]",
            "error: t:1:6: both results of a conditional must be of one type, not number and tuple([number])",
            s);
        is_template("a: ${1 +}", "error: t:1:9: expected an expression, found '}'", s);
        is_template("x\ny ${nope}", "error: t:2:5: there is no 'nope' here", s);
}

static void test_templates(const struct scope *s)
{
        is_template("plain", "\"plain\"", s);
        is_template("", "\"\"", s);
        is_template("${1}", "1", s);
        is_template("${ [1, 2] }", "[1,2]", s);
        is_template(" ${1}", "\" 1\"", s);
        is_template("  ${~ 1}", "\"1\"", s);
        is_template("\\n \"quoted\"", "\"\\\\n \\\"quoted\\\"\"", s);
        is_template("$${a} %%{b} $$ %% $a %b", "\"${a} %{b} $$ %% $a %b\"", s);
        is_template("x\n  %{ for i in [1,2] ~}\n\n    y ${i}\n  %{ endfor ~}\n   z\n",
            "\"x\\n  \\n    y 1\\n  \\n    y 2\\n     z\\n\"", s);
        is_template("a  \n   ${~ 1 ~}\n   \n   b\n", "\"a  \\n1   \\n   b\\n\"", s);
        is_template("a  \n${~ 1 ~}\n", "\"a1\"", s);
        is_template("%{ if true }\n  a\n%{~ endif ~}\nb\n", "\"\\n  ab\\n\"", s);
        is_template("%{ if false }a%{ else }b%{ endif }", "\"b\"", s);
        is_template("%{ for k, v in {a = 1} }${k}=${v};%{ endfor }", "\"a=1;\"", s);
        is_eval("\"a\\n\\n  ${~ 1 ~}  \\n\\n b\"", "\"a1b\"", s);
        is_eval("<<EOT\na ${1 + 1}\n  b\nEOT\n", "\"a 2\\n  b\\n\"", s);
        is_eval("<<-EOT\n    a\n      b ${\"c\"}\n\n    EOT\n", "\"a\\n  b c\\n\\n\"", s);
        is_eval("[<<EOT\na\nEOT\n, 1]", "[\"a\\n\",1]", s);
        is_eval("<<EOT\na ${nope}\nEOT\n", "error: t:2:5: there is no 'nope' here", s);
        is_template("%{ if true }", "error: t:1:1: this '%{if}' has no '%{endif}'", s);
        is_template("a %{ endfor }", "error: t:1:3: this directive ends nothing that was begun before", s);
        is_template("${1", "error: t:1:1: this '${' has no closing '}'", s);
}

static void test_grammar(const struct scope *s)
{
        is_eval("1 + 2 # three\n", "3", s);
        is_eval("[1, // one\n 2 /* two */,\n]", "[1,2]", s);
        is_eval("{\n  a = 1\n  b = 1 +\n 1\n}",
            "error: t:3:10: expected an expression, found the end of the line", s);
        is_eval(
            "{\n  a = 1\n\n  \"b c\" : (1 +\n 1), (plain) = [\n3]\n}", "{\"a\":1,\"b c\":2,\"x\":[3]}", s);
        is_eval("{\"for\" = 1}", "{\"for\":1}", s);
        is_eval("[[1,2],[3]].0.1", "error: t:1:13: two indexes behind one another must be written [0][0]", s);
        is_eval("[[{a=1}]].*.*.a", "error: t:1:14: '.*' cannot stand behind another; write [*]", s);
        is_eval("{a = 'x'}",
            "error: t:1:6: expected an expression, found '''; strings stand in double quotes", s);
        is_eval("1 = 1",
            "error: t:1:3: expected an operator or the end of the expression, found '='; did you mean '=='?",
            s);
        is_eval(
            "if(true, 1, 2)", "error: t:1:1: there is no function 'if'; write CONDITION ? THIS : THAT", s);
        is_eval("true ? 1 : nofunc()", "1", s);
        is_eval("false ? 1 : lenght([])",
            "error: t:1:13: there is no function 'lenght'; did you mean 'length'?", s);
        is_eval("true ? 1 : lenght([]) + nofunc(", "error: t:1:32: expected an expression, found the end", s);
        is_eval("1 / 0", "error: t:1:3: division by zero", s);
        is_eval("[1, [2 / 0]]", "error: t:1:8: division by zero", s);
        is_eval("0 / 0", "error: t:1:3: division of zero by zero", s);
        is_eval("try([1 / 0], 3)[0] > 5", "true", s);
        is_eval("[[1,2],[3]].*.0", "[1,3]", s);
        is_eval("[{a=[1,2]},{a=[3]}].*.a[0]", "[1,2]", s);
        is_eval("[{a=[1,2]},{a=[3]}][*].a[0]", "[1,3]", s);
        is_eval("[{a=[{b=1}]}][*].a[*].b", "[[1]]", s);
        is_eval("{a={b=1}}.*.a.b", "[1]", s);
        is_eval("null[*]", "[]", s);
        is_eval("[for i, v in [[1, 2], [3]] : [for w in v : w + i]]", "[[1,2],[4]]", s);
        is_eval("max([1, 2, 3]...)", "3", s);
        is_eval("{for v in [\"b\", \"a\", \"b\"] : v => 1...}", "{\"a\":[1],\"b\":[1,1]}", s);
        is_eval("{for v in [\"a\", \"a\"] : v => 1}",
            "error: t:1:24: two elements have the key \"a\"; put '...' behind the value to group them", s);
        is_eval("true ? [1] : [\"a\", \"b\"]", "[\"1\"]", s);
        is_eval("true ? toset([1]) : [\"a\"]", "[1]", s);
        is_eval("{a = 1} == {a = 1} && [null] != [1] && null == null && 1 != \"1\"", "true", s);
        is_eval("any != null && any.x", "{\"$unknown\":\"bool\"}", s);
        is_eval("can(null != null && null.x)", "false", s);
        is_eval("false && 1 / 0 > 0", "false", s);
        is_eval("5 % 0", "5", s);
        is_eval("1/3 * 3 == 1", "true", s);
        is_eval("0.1 + 0.2", "0.3", s);
        is_eval("9223372036854775807 + 1", "9223372036854775808", s);
        is_eval("-9223372036854775808 - 1", "-9223372036854775809", s);
        is_eval("9223372036854775807 * 2 / 2", "9223372036854775807", s);
        is_eval("\"\\u00e9\" == \"e\\u0301\"", "true", s);
        is_eval(
            "1 \u00b7 2", "error: t:1:3: expected an operator or the end of the expression, found '·'", s);
}

int main(void)
{
        cleanup(value_free) struct value *all = roots();
        struct scope scope;
        scope_over_object(&scope, all);
        test_unknown(&scope);
        test_refined(&scope);
        test_sensitive(&scope);
        test_discretion(&scope);
        test_errors(&scope);
        test_templates(&scope);
        test_grammar(&scope);
        return done();
}
