/*
 * The string functions, of which those with regular expressions are in functions_regex.c. Characters are
 * grapheme clusters where they are counted, and code points where they are mapped or trimmed.
 */
#include "lang/functions_string.h"

#include <string.h>

#include "lang/format.h"
#include "lang/unicode.h"

static struct value *part_of(const struct call *call, size_t start, size_t end)
{
        return value_string_n(call_string(call, 0) + start, end - start);
}

static VALUE_OF(chomp)
{
        (void)err;
        const char *s = call_string(call, 0);
        size_t len = call_string_len(call, 0);
        while (len && (s[len - 1] == '\n' || s[len - 1] == '\r')) len--;
        return part_of(call, 0, len);
}

static bool starts_with(const struct call *call)
{
        size_t len = call_string_len(call, 1);
        return len <= call_string_len(call, 0) &&
               memcmp(call_string(call, 0), call_string(call, 1), len) == 0;
}

static bool ends_with(const struct call *call)
{
        size_t all = call_string_len(call, 0), len = call_string_len(call, 1);
        return len <= all && memcmp(call_string(call, 0) + all - len, call_string(call, 1), len) == 0;
}

static VALUE_OF(startswith)
{
        (void)err;
        if (value_is_known(call->args[0])) return value_bool(starts_with(call));
        size_t known, len = call_string_len(call, 1);
        const char *begin = value_unknown_prefix(call->args[0], &known);
        if (len == 0) return value_bool(true);
        bool same = begin && memcmp(begin, call_string(call, 1), known < len ? known : len) == 0;
        if (begin && (!same || known >= len)) return value_bool(same);
        return value_unknown_present(type_bool);
}

static VALUE_OF(endswith)
{
        (void)err;
        return value_bool(ends_with(call));
}

static VALUE_OF(strcontains)
{
        (void)err;
        size_t len = call_string_len(call, 1);
        return value_bool(
            !len || memmem(call_string(call, 0), call_string_len(call, 0), call_string(call, 1), len));
}

static VALUE_OF(trimprefix)
{
        (void)err;
        return part_of(call, starts_with(call) ? call_string_len(call, 1) : 0, call_string_len(call, 0));
}

static VALUE_OF(trimsuffix)
{
        (void)err;
        return part_of(call, 0, call_string_len(call, 0) - (ends_with(call) ? call_string_len(call, 1) : 0));
}

static bool in_cutset(const struct call *call, int32_t point)
{
        int32_t one;
        const char *set = call_string(call, 1), *end = set + call_string_len(call, 1);
        while (set < end) {
                set += unicode_point(set, (size_t)(end - set), &one);
                if (one == point) return true;
        }
        return false;
}

static bool is_blank(const struct call *call, int32_t point)
{
        (void)call;
        return unicode_is_space(point);
}

static struct value *trimmed(const struct call *call, bool (*goes)(const struct call *, int32_t))
{
        const char *s = call_string(call, 0);
        size_t len = call_string_len(call, 0), start = 0, end = 0;
        int32_t point;
        for (size_t at = 0; at < len;) {
                size_t n = unicode_point(s + at, len - at, &point);
                bool gone = goes(call, point);
                if (gone && end == 0) start = at + n;
                at += n;
                if (!gone) end = at;
        }
        return part_of(call, end ? start : 0, end);
}

static VALUE_OF(trim)
{
        (void)err;
        return trimmed(call, in_cutset);
}

static VALUE_OF(trimspace)
{
        (void)err;
        return trimmed(call, is_blank);
}

static struct value *mapped(const struct call *call, enum unicode_case to)
{
        const char *s = call_string(call, 0), *end = s + call_string_len(call, 0);
        struct text out = {0};
        int32_t point;
        while (s < end) {
                s += unicode_point(s, (size_t)(end - s), &point);
                unicode_add(&out, unicode_map(point, to));
        }
        return call_text(&out);
}

static VALUE_OF(upper)
{
        (void)err;
        return mapped(call, CASE_UPPER);
}

static VALUE_OF(lower)
{
        (void)err;
        return mapped(call, CASE_LOWER);
}

/* A word starts behind what is neither letter, digit nor underscore; beyond ASCII, only behind a space. */
static bool separates_words(int32_t point)
{
        if (point >= 0x80) return unicode_is_space(point);
        return !((point >= '0' && point <= '9') || (point >= 'a' && point <= 'z') ||
                 (point >= 'A' && point <= 'Z') || point == '_');
}

static VALUE_OF(title)
{
        (void)err;
        const char *s = call_string(call, 0), *end = s + call_string_len(call, 0);
        struct text out = {0};
        int32_t point, before = ' ';
        for (; s < end; before = point) {
                s += unicode_point(s, (size_t)(end - s), &point);
                unicode_add(&out, separates_words(before) ? unicode_map(point, CASE_TITLE) : point);
        }
        return call_text(&out);
}

static VALUE_OF(strrev)
{
        (void)err;
        const char *s = call_string(call, 0);
        size_t len = call_string_len(call, 0);
        cleanup_free char *turned = mem_alloc(len + 1);
        for (size_t at = 0; at < len;) {
                size_t n = unicode_cluster(s + at, len - at);
                memcpy(turned + len - at - n, s + at, n);
                at += n;
        }
        return value_string_n(turned, len);
}

/* Bytes of the first `count` characters. */
static size_t characters_len(const char *s, size_t len, uint64_t count)
{
        size_t at = 0;
        for (; count > 0 && at < len; count--) at += unicode_cluster(s + at, len - at);
        return at;
}

/* A negative offset counts from the end, a negative length means up to the end, as does 0 behind a negative offset. */
static VALUE_OF(substr)
{
        int64_t offset, length;
        if (!call_int(call, 1, "offset", &offset, err) || !call_int(call, 2, "length", &length, err))
                return NULL;
        const char *s = call_string(call, 0);
        size_t len = call_string_len(call, 0);
        if (offset >= 0 && length == 0) return value_string("");
        if (offset < 0) {
                int64_t count = (int64_t)unicode_cluster_count(s, len);
                offset = offset < -count ? 0 : offset + count;
                if (length == 0) length = -1;
        }
        size_t start = characters_len(s, len, (uint64_t)offset);
        size_t part = length < 0 ? len - start : characters_len(s + start, len - start, (uint64_t)length);
        return part_of(call, start, start + part);
}

static VALUE_OF(indent)
{
        int64_t spaces;
        if (!call_int(call, 0, "spaces", &spaces, err)) return NULL;
        const char *s = call_string(call, 1), *end = s + call_string_len(call, 1);
        if (spaces < 0 || spaces > 10000)
                return call_refuse(err, "invalid value for \"spaces\": must be from 0 to 10000");
        struct text out = {0};
        for (; s < end; s++) {
                text_addc(&out, *s);
                if (*s == '\n')
                        for (int64_t i = 0; i < spaces; i++) text_addc(&out, ' ');
                if (out.len > CALL_MAX_BYTES) {
                        text_release(&out);
                        return call_refuse(err, "the result is too long");
                }
        }
        return call_text(&out);
}

static VALUE_OF(join)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        bool first = true;
        if (call->arg_count < 2) return call_refuse(err, "at least one list is required");
        for (size_t i = 1; i < call->arg_count; i++)
                for (size_t j = 0; j < value_count(call->args[i]); j++) {
                        const struct value *v = value_at(call->args[i], j);
                        if (value_is_null(v))
                                return call_refuse(err,
                                    "invalid value for \"lists\": element %zu of list %zu is null; cannot "
                                    "concatenate "
                                    "null values",
                                    j, i);
                        if (!first) text_addn(&out, call_string(call, 0), call_string_len(call, 0));
                        text_addn(&out, value_as_string(v), value_string_len(v));
                        first = false;
                        if (out.len > CALL_MAX_BYTES) return call_refuse(err, "the result is too long");
                }
        return call_text(&out);
}

static VALUE_OF(split)
{
        (void)err;
        const char *separator = call_string(call, 0), *s = call_string(call, 1),
                   *end = s + call_string_len(call, 1);
        size_t len = call_string_len(call, 0);
        int32_t point;
        cleanup(value_vec_release) struct value_vec parts = {0};
        while (len == 0 && s < end) {
                size_t n = unicode_point(s, (size_t)(end - s), &point);
                value_vec_push(&parts, value_string_n(s, n));
                s += n;
        }
        while (len) {
                const char *at = memmem(s, (size_t)(end - s), separator, len);
                value_vec_push(&parts, value_string_n(s, (size_t)((at ? at : end) - s)));
                if (!at) break;
                s = at + len;
        }
        return value_vec_list(&parts, type_string);
}

static VALUE_OF(format)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        if (format_text(&out, call_string(call, 0), call_string_len(call, 0),
                (const struct value *const *)call->args + 1, call->arg_count - 1, err) < 0)
                return NULL;
        return call_text(&out);
}

/* A list, set or tuple; a null one is written as a null for each element. */
static bool is_list(const struct value *v)
{
        if (value_is_null(v)) return false;
        return value_kind(v) == TYPE_LIST || value_kind(v) == TYPE_SET || value_kind(v) == TYPE_TUPLE;
}

/* How many strings formatlist makes: as many as each of its lists has elements, one without lists. */
static bool formatlist_count(const struct call *call, size_t *count, struct error **err)
{
        size_t first = 0;
        *count = 1;
        for (size_t i = 1; i < call->arg_count; i++) {
                if (!is_list(call->args[i])) continue;
                size_t own = value_count(call->args[i]);
                if (first && own != *count)
                        return call_refuse(err,
                            "argument %zu has length %zu, which is inconsistent with argument %zu of length "
                            "%zu",
                            i, own, first, *count);
                if (!first) first = i, *count = own;
        }
        return true;
}

static VALUE_OF(formatlist)
{
        size_t count, arg_count = call->arg_count - 1;
        for (size_t i = 1; i < call->arg_count; i++) {
                const struct value *v = call->args[i];
                bool list = is_list(v) || value_kind(v) == TYPE_DYNAMIC;
                bool loose = value_kind(v) == TYPE_SET && value_count(v) > 1 && !value_is_wholly_known(v);
                if ((!value_is_known(v) && list) || loose) return value_unknown(call->result);
        }
        if (!formatlist_count(call, &count, err)) return NULL;
        cleanup_free const struct value **args = mem_alloc((arg_count + 1) * sizeof *args);
        cleanup(value_vec_release) struct value_vec strings = {0};
        for (size_t n = 0; n < count; n++) {
                bool known = value_is_known(call->args[0]);
                for (size_t i = 0; i < arg_count; i++) {
                        args[i] = is_list(call->args[i + 1]) ? value_at(call->args[i + 1], n)
                                                             : call->args[i + 1];
                        known = known && value_is_wholly_known(args[i]);
                }
                struct text out = {0};
                if (known && format_text(&out, call_string(call, 0), call_string_len(call, 0), args,
                                 arg_count, err) < 0) {
                        text_release(&out);
                        error_context(err, "element %zu", n);
                        return NULL;
                }
                value_vec_push(&strings, known ? call_text(&out) : value_unknown(type_string));
        }
        return value_vec_list(&strings, type_string);
}

const struct function functions_string[] = {
    {.info = {"chomp", "chomp(str)", "A string without the newlines at its end.",
         "chomp(\"hello\\n\") => \"hello\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = chomp_value},
    {.info = {"endswith", "endswith(str, suffix)", "Whether a string ends in another.",
         "endswith(\"hello world\", \"world\") => true"},
        .parameters = {{"str", "string", 0}, {"suffix", "string", 0}},
        .result = "bool",
        .body = endswith_value},
    {.info = {"format", "format(format, args...)",
         "A string with values written in it by verbs: %s %d %f %t %q %x %v and others, with width and "
         "precision.",
         "format(\"%-5s|%05.1f|%03d\", \"ab\", 3.14159, 7) => \"ab   |003.1|007\""},
        .parameters = {{"format", "string", 0}},
        .rest = {"args", "any", PARAM_NULL},
        .result = "string",
        .body = format_value},
    {.info = {"formatlist", "formatlist(format, args...)",
         "As format, for each element of the lists among the arguments.",
         "formatlist(\"%s-%d\", [\"a\", \"b\"], [1, 2]) => tolist([\"a-1\", \"b-2\"])"},
        .parameters = {{"format", "string", PARAM_UNKNOWN}},
        .rest = {"args", "any", PARAM_NULL | PARAM_UNKNOWN},
        .result = "list(string)",
        .body = formatlist_value},
    {.info = {"indent", "indent(spaces, str)", "A string with all lines but the first indented.",
         "indent(2, \"a\\nb\") => \"a\\n  b\""},
        .parameters = {{"spaces", "number", 0}, {"str", "string", 0}},
        .result = "string",
        .body = indent_value},
    {.info = {"join", "join(separator, lists...)",
         "The strings of one or more lists, with a separator between them.",
         "join(\", \", [\"a\", \"b\"]) => \"a, b\""},
        .parameters = {{"separator", "string", 0}},
        .rest = {"lists", "list(string)", 0},
        .result = "string",
        .body = join_value},
    {.info = {"lower", "lower(str)", "A string in lower case.", "lower(\"HELLO\") => \"hello\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = lower_value},
    {.info = {"regex", "regex(pattern, string)",
         "The first match of a regular expression: a string, or a tuple or object of its groups.",
         "regex(\"(\\\\d+)-(\\\\d+)\", \"10-20\") => [\"10\", \"20\"]"},
        .parameters = {{"pattern", "string", 0}, {"string", "string", 0}},
        .result_type = regex_type,
        .body = regex_value},
    {.info = {"regexall", "regexall(pattern, string)",
         "All matches of a regular expression, each as regex gives it.",
         "regexall(\"[a-z]+\", \"12ab34cd\") => tolist([\"ab\", \"cd\"])"},
        .parameters = {{"pattern", "string", 0}, {"string", "string", 0}},
        .result_type = regexall_type,
        .body = regexall_value},
    {.info = {"replace", "replace(str, substring, replacement)",
         "A string with all occurrences of another, or of a /regular expression/, replaced.",
         "replace(\"hello world\", \"/w.*d/\", \"everybody\") => \"hello everybody\""},
        .parameters = {{"str", "string", 0}, {"substring", "string", 0}, {"replacement", "string", 0}},
        .result = "string",
        .body = replace_value},
    {.info = {"split", "split(separator, str)", "The parts of a string between the separators.",
         "split(\",\", \"foo,bar\") => tolist([\"foo\", \"bar\"])"},
        .parameters = {{"separator", "string", 0}, {"str", "string", 0}},
        .result = "list(string)",
        .body = split_value},
    {.info = {"startswith", "startswith(str, prefix)", "Whether a string begins with another.",
         "startswith(\"hello world\", \"hello\") => true"},
        .parameters = {{"str", "string", PARAM_UNKNOWN}, {"prefix", "string", 0}},
        .result = "bool",
        .body = startswith_value},
    {.info = {"strcontains", "strcontains(str, substr)", "Whether a string holds another.",
         "strcontains(\"hello world\", \"wor\") => true"},
        .parameters = {{"str", "string", 0}, {"substr", "string", 0}},
        .result = "bool",
        .body = strcontains_value},
    {.info = {"strrev", "strrev(str)", "The characters of a string in reverse order.",
         "strrev(\"hello\") => \"olleh\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = strrev_value},
    {.info = {"substr", "substr(str, offset, length)",
         "Part of a string; a negative offset counts from its end, and length -1 reaches to it.",
         "substr(\"hello world\", 1, 4) => \"ello\""},
        .parameters = {{"str", "string", 0}, {"offset", "number", 0}, {"length", "number", 0}},
        .result = "string",
        .body = substr_value},
    {.info = {"templatestring", "templatestring(template, vars)",
         "A string taken as a template over the variables; it must be a reference, such as local.greeting.",
         "[for t in [\"Hello, $${name}!\"] : templatestring(t, {name = \"Ada\"})] => [\"Hello, Ada!\"]"},
        .reference = true,
        .parameters = {{"template", "any", 0}, {"vars", "any", PARAM_SHALLOW | PARAM_SENSITIVE}},
        .result_type = templatestring_type,
        .body = templatestring_value},
    {.info = {"title", "title(str)", "A string with the first letter of each word in upper case.",
         "title(\"hello world\") => \"Hello World\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = title_value},
    {.info = {"trim", "trim(str, cutset)", "A string without the given characters at its start and end.",
         "trim(\"?!hello?!\", \"!?\") => \"hello\""},
        .parameters = {{"str", "string", 0}, {"cutset", "string", 0}},
        .result = "string",
        .body = trim_value},
    {.info = {"trimprefix", "trimprefix(str, prefix)", "A string without a prefix.",
         "trimprefix(\"helloworld\", \"hello\") => \"world\""},
        .parameters = {{"str", "string", 0}, {"prefix", "string", 0}},
        .result = "string",
        .body = trimprefix_value},
    {.info = {"trimspace", "trimspace(str)", "A string without the white space at its start and end.",
         "trimspace(\"  hello\\n\") => \"hello\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = trimspace_value},
    {.info = {"trimsuffix", "trimsuffix(str, suffix)", "A string without a suffix.",
         "trimsuffix(\"helloworld\", \"world\") => \"hello\""},
        .parameters = {{"str", "string", 0}, {"suffix", "string", 0}},
        .result = "string",
        .body = trimsuffix_value},
    {.info = {"upper", "upper(str)", "A string in upper case.", "upper(\"hello\") => \"HELLO\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = upper_value},
    {.info = {0}},
};
