/*
 * The string functions that take regular expressions: regex, regexall and replace.
 */
#include "lang/functions_string.h"

#include <string.h>

#include "lang/regex.h"

static struct regex *pattern_argument(const struct call *call, struct error **err)
{
        cleanup(regex_free) struct regex *r = regex_new(call_string(call, 0), call_string_len(call, 0), err);
        if (!r) return NULL;
        size_t named = 0, count = regex_group_count(r);
        for (size_t g = 1; g <= count; g++) named += regex_group_name(r, g) != NULL;
        if (named && named < count)
                return call_refuse(
                    err, "invalid regular expression: cannot mix both named and unnamed capture groups");
        return steal(r);
}

/* What one match gives: a string without groups, an object of named ones, a tuple of unnamed ones. */
static const struct type *match_type(const struct regex *r)
{
        size_t count = regex_group_count(r);
        if (count == 0) return type_ref(type_string);
        if (!regex_group_name(r, 1)) {
                cleanup_free const struct type **types = mem_alloc(count * sizeof *types);
                for (size_t g = 0; g < count; g++) types[g] = type_string;
                return type_tuple(types, count);
        }
        cleanup_free const char **keys = mem_alloc(count * sizeof *keys);
        cleanup(value_vec_release) struct value_vec strings = {0};
        for (size_t g = 0; g < count; g++) {
                keys[g] = regex_group_name(r, g + 1);
                value_vec_push(&strings, value_unknown(type_string));
        }
        cleanup(value_free) struct value *object = value_object(keys, strings.items, count);
        return type_ref(value_type(object));
}

static struct value *group_value(const char *text, const size_t *offsets, size_t group)
{
        size_t start = offsets[2 * group], end = offsets[2 * group + 1];
        if (start == REGEX_NONE) return value_null(type_string);
        return value_string_n(text + start, end - start);
}

static struct value *match_value(const struct regex *r, const char *text, const size_t *offsets)
{
        size_t count = regex_group_count(r);
        if (count == 0) return group_value(text, offsets, 0);
        cleanup(value_vec_release) struct value_vec groups = {0};
        for (size_t g = 1; g <= count; g++) value_vec_push(&groups, group_value(text, offsets, g));
        if (!regex_group_name(r, 1)) return value_tuple(groups.items, count);
        cleanup_free const char **keys = mem_alloc(count * sizeof *keys);
        for (size_t g = 0; g < count; g++) keys[g] = regex_group_name(r, g + 1);
        return value_object(keys, groups.items, count);
}

TYPE_OF(regex)
{
        if (!value_is_known(call->args[0])) return type_ref(type_dynamic);
        cleanup(regex_free) struct regex *r = pattern_argument(call, err);
        return r ? match_type(r) : NULL;
}

VALUE_OF(regex)
{
        cleanup(regex_free) struct regex *r = pattern_argument(call, err);
        const size_t *offsets;
        if (!r) return NULL;
        int found = regex_search(r, call_string(call, 1), call_string_len(call, 1), 0, &offsets, err);
        if (found < 0) return NULL;
        if (!found) return call_refuse(err, "pattern did not match any part of the given string");
        return match_value(r, call_string(call, 1), offsets);
}

TYPE_OF(regexall)
{
        if (!value_is_known(call->args[0])) return type_list(type_dynamic);
        cleanup(type_free) const struct type *type = regex_type(call, err);
        return type ? type_list(type) : NULL;
}

/* Bytes of the code point at text[at], at least one. */
static size_t step_at(const char *text, size_t len, size_t at)
{
        size_t n = 1;
        while (at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80) n++;
        return n;
}

/* Where to search next after a match at `from`..`end`; an empty match moves on by one code point. */
static size_t search_after(const char *text, size_t len, size_t searched, size_t end)
{
        return end > searched ? end : searched + step_at(text, len, searched);
}

VALUE_OF(regexall)
{
        cleanup(regex_free) struct regex *r = pattern_argument(call, err);
        if (!r) return NULL;
        const char *text = call_string(call, 1);
        size_t len = call_string_len(call, 1), from = 0, last_end = REGEX_NONE;
        const size_t *offsets;
        cleanup(value_vec_release) struct value_vec matches = {0};
        while (from <= len) {
                int found = regex_search(r, text, len, from, &offsets, err);
                if (found < 0) return NULL;
                if (!found) break;
                bool empty_after_match = offsets[0] == offsets[1] && offsets[0] == last_end;
                if (!empty_after_match) value_vec_push(&matches, match_value(r, text, offsets));
                last_end = offsets[1];
                from = search_after(text, len, offsets[0] == offsets[1] ? offsets[1] : from, offsets[1]);
        }
        cleanup(type_free) const struct type *type = match_type(r);
        return value_vec_list(&matches, type);
}

/* The text of the group that a replacement names by number or by name; nothing if there is none such. */
static void add_group(struct text *out, const struct regex *r, const char *text, const size_t *offsets,
    const char *name, size_t len)
{
        size_t group = 0, count = regex_group_count(r), digits = 0;
        while (digits < len && name[digits] >= '0' && name[digits] <= '9') digits++;
        if (digits == len && len < 9)
                group = (size_t)strtoul(name, NULL, 10);
        else
                for (group = 1; group <= count; group++) {
                        const char *own = regex_group_name(r, group);
                        if (own && strlen(own) == len && memcmp(own, name, len) == 0 &&
                            offsets[2 * group] != REGEX_NONE)
                                break;
                }
        if (group <= count && offsets[2 * group] != REGEX_NONE)
                text_addn(out, text + offsets[2 * group], offsets[2 * group + 1] - offsets[2 * group]);
}

static bool is_name(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The replacement with $1, $name, ${name} and $$ in it. */
static void add_replacement(struct text *out, const struct regex *r, const char *text, const size_t *offsets,
    const char *with, size_t len)
{
        const char *s = with, *end = with + len;
        while (s < end) {
                const char *dollar = memchr(s, '$', (size_t)(end - s));
                text_addn(out, s, (size_t)((dollar ? dollar : end) - s));
                if (!dollar) return;
                s = dollar + 1;
                bool braces = s < end && *s == '{';
                const char *name = s + braces, *stop = name;
                while (stop < end && is_name(*stop)) stop++;
                if (s < end && *s == '$') {
                        text_addc(out, '$');
                        s++;
                } else if (stop == name || (braces && (stop >= end || *stop != '}'))) {
                        text_addc(out, '$');
                } else {
                        add_group(out, r, text, offsets, name, (size_t)(stop - name));
                        s = stop + braces;
                }
        }
}

static int replace_matches(const struct call *call, struct regex *r, struct text *out, struct error **err)
{
        const char *text = call_string(call, 0);
        size_t len = call_string_len(call, 0), from = 0, last_end = 0;
        const size_t *offsets;
        while (from <= len) {
                int found = regex_search(r, text, len, from, &offsets, err);
                if (found < 0) return -1;
                if (!found) break;
                text_addn(out, text + last_end, offsets[0] - last_end);
                if (offsets[1] > last_end || offsets[0] == 0)
                        add_replacement(
                            out, r, text, offsets, call_string(call, 2), call_string_len(call, 2));
                if (out->len > CALL_MAX_BYTES)
                        return error_set(err, ERROR_INPUT, NULL, "the result is too long");
                last_end = offsets[1];
                from = search_after(text, len, offsets[0] == offsets[1] ? offsets[1] : from, offsets[1]);
        }
        text_addn(out, text + last_end, len - last_end);
        return 0;
}

static int replace_literal(const struct call *call, struct text *out, struct error **err)
{
        const char *s = call_string(call, 0), *end = s + call_string_len(call, 0),
                   *what = call_string(call, 1);
        const char *with = call_string(call, 2);
        size_t len = call_string_len(call, 1), with_len = call_string_len(call, 2);
        while (len == 0 || s < end) {
                const char *at = len ? memmem(s, (size_t)(end - s), what, len) : s;
                if (!at) break;
                text_addn(out, s, (size_t)(at - s));
                text_addn(out, with, with_len);
                if (out->len > CALL_MAX_BYTES)
                        return error_set(err, ERROR_INPUT, NULL, "the result is too long");
                s = at + len;
                if (len > 0) continue;
                if (s >= end) break;
                size_t step = step_at(s, (size_t)(end - s), 0);
                text_addn(out, s, step);
                s += step;
        }
        text_addn(out, s, (size_t)(end - s));
        return 0;
}

VALUE_OF(replace)
{
        const char *what = call_string(call, 1);
        size_t len = call_string_len(call, 1);
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        bool pattern = len > 1 && what[0] == '/' && what[len - 1] == '/';
        cleanup(regex_free) struct regex *r = pattern ? regex_new(what + 1, len - 2, err) : NULL;
        if (pattern && !r) return NULL;
        if ((r ? replace_matches(call, r, &out, err) : replace_literal(call, &out, err)) < 0) return NULL;
        return call_text(&out);
}
