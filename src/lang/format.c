/*
 * Terraform's format strings: reading verbs and writing values in them.
 */
#include "lang/format.h"

#include <string.h>

#include "lang/call.h"
#include "lang/json_text.h"
#include "lang/number.h"
#include "lang/unicode.h"

enum { MAX_WIDTH = 1000000 };

struct verb {
        const char *source; /* from the percent sign on */
        size_t len, offset;
        bool zero, sharp, plus, minus, space;
        int width, precision; /* -1: not given */
        size_t argument;      /* from 1; 0: the next */
        char mode;
};

static int verb_refuse(const struct verb *v, struct error **err, const char *what)
{
        return error_set(err, ERROR_INPUT, NULL, "unsupported value for \"%.*s\" at %zu: %s", (int)v->len,
            v->source, v->offset, what);
}

/* Digits at *s; -1 for none, -2 for too large a number. */
static int take_number(const char **s, const char *end)
{
        const char *start = *s;
        int n = 0;
        for (; *s < end && **s >= '0' && **s <= '9'; ++*s)
                if (n <= MAX_WIDTH) n = n * 10 + (**s - '0');
        return *s == start ? -1 : n > MAX_WIDTH ? -2 : n;
}

static bool take_flag(struct verb *v, char c)
{
        switch (c) {
        case '0': return v->zero = true;
        case '#': return v->sharp = true;
        case '+': return v->plus = true;
        case '-': return v->minus = true;
        case ' ': return v->space = true;
        default: return false;
        }
}

static int stray(const char *format, const char *at, const char *end, struct error **err)
{
        if (at >= end)
                return error_set(err, ERROR_INPUT, NULL, "invalid format string: it ends inside of a verb");
        int32_t point;
        int len = (int)unicode_point(at, (size_t)(end - at), &point);
        return error_set(err, ERROR_INPUT, NULL, "unrecognized format character '%.*s' at offset %zu", len,
            at, (size_t)(at - format));
}

/* The verb at *s, which is at a percent sign; *s moves behind it. */
static int take_verb(struct verb *v, const char *format, const char **s, const char *end, struct error **err)
{
        *v = (struct verb){.source = *s, .offset = (size_t)(*s - format), .width = -1, .precision = -1};
        const char *c = *s + 1;
        while (c < end && take_flag(v, *c)) c++;
        v->width = take_number(&c, end);
        if (c < end && *c == '.') {
                c++;
                v->precision = take_number(&c, end);
                if (v->precision == -1) v->precision = 0;
        }
        if (v->width == -2 || v->precision == -2)
                return error_set(err, ERROR_INPUT, NULL, "width or precision at offset %zu is over %d",
                    v->offset, MAX_WIDTH);
        if (c < end && *c == '[') {
                c++;
                if (c < end && *c == '0') return stray(format, c, end, err);
                int argument = take_number(&c, end);
                if (argument < 0 || c >= end || *c != ']') return stray(format, c, end, err);
                v->argument = (size_t)argument;
                c++;
        }
        if (c >= end || !((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')))
                return stray(format, c, end, err);
        v->mode = *c++;
        v->len = (size_t)(c - *s);
        *s = c;
        return 0;
}

static void add_repeated(struct text *out, char c, size_t count)
{
        for (size_t i = 0; i < count; i++) text_addc(out, c);
}

/* Text in its width, which counts characters as a reader sees them. */
static void add_padded(const struct verb *v, struct text *out, const char *s, size_t len)
{
        size_t given = unicode_cluster_count(s, len), pad = 0;
        if (v->width > 0 && (size_t)v->width > given) pad = (size_t)v->width - given;
        char with = v->zero ? '0' : ' ';
        if (!v->minus) add_repeated(out, with, pad);
        text_addn(out, s, len);
        if (v->minus) add_repeated(out, with, pad);
}

/* The shortest digits of a number and its decimal exponent (of the first digit), out of its decimal text. */
static int shortest_digits(const char *decimal, struct text *digits)
{
        int point = -1, first = -1, at = 0;
        const char *c = decimal;
        for (; *c && *c != 'e'; c++) {
                if (*c == '-') continue;
                if (*c == '.') {
                        point = at;
                        continue;
                }
                if (*c != '0' && first < 0) first = at;
                if (first >= 0) text_addc(digits, *c);
                at++;
        }
        if (point < 0) point = at;
        while (digits->len && digits->data[digits->len - 1] == '0') digits->data[--digits->len] = '\0';
        if (first < 0) text_addc(digits, '0');
        int exponent = *c == 'e' ? (int)strtol(c + 1, NULL, 10)
                                 : 0; /* of numbers too large to be written out */
        return first < 0 ? 0 : exponent + point - 1 - first;
}

/* Shortest text that reads back the same: decimal for exponents from -4 up to 5, scientific beyond. */
static void add_general(struct text *out, const struct value *number, char e)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text decimal = {0}, digits = {0};
        number_text(number, &decimal);
        if (value_has_infinite(number)) {
                text_add(out, decimal.data);
                return;
        }
        int exponent = shortest_digits(decimal.data, &digits);
        if (exponent >= -4 && exponent < 6) {
                text_add(out, decimal.data);
                return;
        }
        if (decimal.data[0] == '-') text_addc(out, '-');
        text_addc(out, digits.data[0]);
        if (digits.len > 1) text_addf(out, ".%s", digits.data + 1);
        text_addf(out, "%c%c%02d", e, exponent < 0 ? '-' : '+', abs(exponent));
}

/* A number's text, sign first, in its width. */
static void add_number(const struct verb *v, struct text *out, const char *s)
{
        bool infinite = strcmp(s, "+Inf") == 0 || strcmp(s, "-Inf") == 0;
        const char *sign = *s == '-' ? "-" : v->plus ? "+" : v->space ? " " : infinite ? "+" : "";
        if (*s == '-' || *s == '+') s++;
        size_t len = strlen(sign) + strlen(s), pad = 0;
        if (v->width > 0 && (size_t)v->width > len) pad = (size_t)v->width - len;
        bool zeros = v->zero && !v->minus && !infinite;
        if (!v->minus && !zeros) add_repeated(out, ' ', pad);
        text_add(out, sign);
        if (zeros) add_repeated(out, '0', pad);
        text_add(out, s);
        if (v->minus) add_repeated(out, ' ', pad);
}

/* By MPFR, which rounds the exact value. -1 for a number whose plain text would be too long. */
static int add_rounded(const struct verb *v, struct text *out, const struct value *number)
{
        enum { MAX_BITS = 34000 };
        char pattern[] = "%.*Rx", *text = NULL;
        pattern[4] = v->mode;
        mpfr_t n;
        mpfr_init2(n, number_bits(number));
        number_get(number, n);
        bool fits = mpfr_zero_p(n) || mpfr_get_exp(n) <= MAX_BITS || v->mode != 'f';
        if (fits) {
                mpfr_asprintf(&text, pattern, v->precision < 0 ? 6 : v->precision, n);
                text_add(out, text);
                mpfr_free_str(text);
        }
        mpfr_clear(n);
        return fits ? 0 : -1;
}

static int add_float(const struct verb *v, struct text *out, const struct value *number, struct error **err)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text t = {0};
        bool general = v->mode == 'g' || v->mode == 'G';
        if (value_has_infinite(number))
                number_text(number, &t);
        else if (general && v->precision < 0)
                add_general(&t, number, v->mode == 'g' ? 'e' : 'E');
        else if (add_rounded(v, &t, number) < 0)
                return verb_refuse(v, err, "the number is too large");
        add_number(v, out, t.data);
        return 0;
}

static const char *integer_prefix(const struct verb *v)
{
        if (!v->sharp) return "";
        switch (v->mode) {
        case 'b': return "0b";
        case 'o': return "0";
        case 'x': return "0x";
        case 'X': return "0X";
        default: return "";
        }
}

static int add_integer(const struct verb *v, struct text *out, const struct value *number, struct error **err)
{
        if (!number_is_integer(number)) return verb_refuse(v, err, "an integer is required");
        int base = v->mode == 'b' ? 2 : v->mode == 'o' ? 8 : v->mode == 'd' ? 10 : v->mode == 'x' ? 16 : -16;
        mpz_t n;
        mpz_init(n);
        if (!number_whole(number, n)) {
                mpz_clear(n);
                return verb_refuse(v, err, "the number is too large");
        }
        bool negative = mpz_sgn(n) < 0;
        mpz_abs(n, n);
        cleanup_free char *digits = mem_alloc(mpz_sizeinbase(n, abs(base)) + 2);
        mpz_get_str(digits, base, n);
        mpz_clear(n);

        const char *sign = negative ? "-" : v->plus ? "+" : v->space ? " " : "", *prefix = integer_prefix(v);
        if (v->precision == 0 && strcmp(digits, "0") == 0) return 0;
        size_t len = strlen(digits),
               zeros = v->precision > 0 && (size_t)v->precision > len ? (size_t)v->precision - len : 0;
        size_t total = strlen(sign) + strlen(prefix) + zeros + len;
        size_t pad = v->width > 0 && (size_t)v->width > total ? (size_t)v->width - total : 0;
        if (!v->minus && v->zero && v->precision < 0) zeros = pad, pad = 0;
        if (!v->minus) add_repeated(out, ' ', pad);
        text_add(out, sign);
        text_add(out, prefix);
        add_repeated(out, '0', zeros);
        text_add(out, digits);
        if (v->minus) add_repeated(out, ' ', pad);
        return 0;
}

static int add_json(const struct verb *v, struct text *out, const struct value *arg, struct error **err)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text json = {0};
        if (json_encode(arg, &json, err) < 0) return -1;
        add_padded(v, out, json.data, json.len);
        return 0;
}

static int add_as_is(const struct verb *v, struct text *out, const struct value *arg, struct error **err)
{
        if (v->sharp || value_is_null(arg)) return add_json(v, out, arg, err);
        if (value_kind(arg) == TYPE_STRING) {
                add_padded(v, out, value_as_string(arg), value_string_len(arg));
                return 0;
        }
        if (value_kind(arg) != TYPE_NUMBER) return add_json(v, out, arg, err);
        __attribute__((__cleanup__(text_release_cleanup))) struct text t = {0};
        add_general(&t, arg, 'e');
        add_padded(v, out, t.data, t.len);
        return 0;
}

/* The bytes of the first `count` characters. */
static size_t clusters_len(const char *s, size_t len, size_t count)
{
        size_t at = 0;
        for (; count > 0 && at < len; count--) at += unicode_cluster(s + at, len - at);
        return at;
}

static int add_string(const struct verb *v, struct text *out, const struct value *string, struct error **err)
{
        const char *s = value_as_string(string);
        size_t len = value_string_len(string);
        if (v->precision > 0) len = clusters_len(s, len, (size_t)v->precision);
        if (v->mode == 's') {
                add_padded(v, out, s, len);
                return 0;
        }
        cleanup(value_free) struct value *cut = value_string_n(s, len);
        return add_json(v, out, cut, err);
}

/* The argument as the verb needs it: a new reference, or NULL with a problem. */
static struct value *verb_argument(const struct verb *v, const struct value *arg, const struct type *type,
    const char *what, struct error **err)
{
        cleanup(error_free) struct error *problem = NULL;
        struct value *converted = value_convert(arg, type, &problem);
        if (!converted) verb_refuse(v, err, what);
        return converted;
}

static int add_verb(const struct verb *v, struct text *out, const struct value *arg, struct error **err)
{
        if (v->mode == 'v') return add_as_is(v, out, arg, err);
        if (!strchr("tbdoxXeEfgGsq", v->mode))
                return error_set(err, ERROR_INPUT, NULL,
                    "unsupported format verb '%c' in \"%.*s\" at offset %zu", v->mode, (int)v->len, v->source,
                    v->offset);
        if (value_is_null(arg)) return verb_refuse(v, err, "null value cannot be formatted");
        bool text = v->mode == 's' || v->mode == 'q';
        cleanup(value_free) struct value *to =
            v->mode == 't' ? verb_argument(v, arg, type_bool, "a bool is required", err)
            : text         ? verb_argument(v, arg, type_string, "a string is required", err)
                           : verb_argument(v, arg, type_number, "a number is required", err);
        if (!to) return -1;
        if (text) return add_string(v, out, to, err);
        if (strchr("eEfgG", v->mode)) return add_float(v, out, to, err);
        if (v->mode != 't') return add_integer(v, out, to, err);
        text_add(out, value_as_bool(to) ? "true" : "false");
        return 0;
}

static int too_many(size_t used, struct error **err)
{
        if (used == 0)
                return error_set(err, ERROR_INPUT, NULL, "too many arguments; no verbs in format string");
        return error_set(err, ERROR_INPUT, NULL, "too many arguments; only %zu used by format string", used);
}

int format_text(struct text *out, const char *format, size_t len, const struct value *const *args,
    size_t count, struct error **err)
{
        const char *s = format, *end = format + len;
        size_t next = 1, used = 0;
        while (s < end) {
                const char *percent = memchr(s, '%', (size_t)(end - s));
                text_addn(out, s, (size_t)((percent ? percent : end) - s));
                if (!percent) break;
                s = percent;
                if (s + 1 < end && s[1] == '%') {
                        text_addc(out, '%');
                        s += 2;
                        continue;
                }
                struct verb v;
                if (take_verb(&v, format, &s, end, err) < 0) return -1;
                size_t argument = v.argument ? v.argument : next;
                if (argument > count)
                        return error_set(err, ERROR_INPUT, NULL,
                            "not enough arguments for \"%.*s\" at %zu: need index %zu but have %zu total",
                            (int)v.len, v.source, v.offset, argument, count);
                if (add_verb(&v, out, args[argument - 1], err) < 0) return -1;
                if (out->len > CALL_MAX_BYTES)
                        return error_set(err, ERROR_INPUT, NULL, "the result is too long");
                next = argument + 1;
                if (argument > used) used = argument;
        }
        return used < count ? too_many(used, err) : 0;
}
