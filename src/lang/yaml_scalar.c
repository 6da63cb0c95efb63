/*
 * What an unquoted YAML scalar means: null, bool, number, timestamp. The rules are those that Terraform uses: the
 * core schema of YAML 1.2, with the words for bool of YAML 1.1.
 */
#include "lang/yaml_value.h"

#include <string.h>

#include "lang/instant.h"
#include "lang/number.h"

static bool is_one_of(const char *s, size_t len, const char *const *words)
{
        for (; *words; words++)
                if (strlen(*words) == len && memcmp(*words, s, len) == 0) return true;
        return false;
}

bool yaml_is_null(const char *s, size_t len)
{
        static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
        return is_one_of(s, len, words);
}

static size_t digits_at(const char *s, const char *end, const char *allowed)
{
        size_t n = 0;
        while (s + n < end && s[n] && strchr(allowed, s[n])) n++;
        return n;
}

/* 0x… and 0o… */
static struct value *prefixed_integer(const char *s, size_t len)
{
        bool hex = len > 2 && memcmp(s, "0x", 2) == 0, octal = len > 2 && memcmp(s, "0o", 2) == 0;
        if ((!hex && !octal) || len > 1000) return NULL;
        if (digits_at(s + 2, s + len, hex ? "0123456789abcdefABCDEF" : "01234567") != len - 2) return NULL;
        cleanup_free char *digits = mem_strndup(s + 2, len - 2);
        mpfr_t n;
        mpfr_init2(n, NUMBER_BITS);
        mpfr_set_str(n, digits, hex ? 16 : 8, MPFR_RNDN);
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        return v;
}

/* [-+]? ( .5 | 5 | 5. | 5.5 ) ( e[-+]?5 )? */
static struct value *decimal_number(const char *s, size_t len)
{
        static const char decimal[] = "0123456789";
        const char *c = s, *end = s + len;
        if (len > 4096) return NULL;
        if (c < end && (*c == '-' || *c == '+')) c++;
        size_t whole = digits_at(c, end, decimal), part = 0;
        c += whole;
        if (c < end && *c == '.') {
                part = digits_at(c + 1, end, decimal);
                c += 1 + part;
        }
        if (whole + part == 0) return NULL;
        if (c < end && (*c == 'e' || *c == 'E')) {
                c++;
                if (c < end && (*c == '-' || *c == '+')) c++;
                size_t exponent = digits_at(c, end, decimal);
                if (exponent == 0 || exponent > 4) return NULL;
                c += exponent;
        }
        if (c != end) return NULL;
        if (*s == '+') s++, len--;
        /* the strict form wants a digit on both sides of the point */
        __attribute__((__cleanup__(text_release_cleanup))) struct text strict = {0};
        for (const char *p = s; p < s + len; p++) {
                bool bare_before = *p == '.' && (p == s || p[-1] == '-');
                bool bare_after = *p == '.' && (p + 1 == s + len || !strchr(decimal, p[1]));
                if (bare_before) text_addc(&strict, '0');
                if (!bare_after) text_addc(&strict, *p);
        }
        return value_number(strict.data, strict.len);
}

struct value *yaml_plain_scalar(const char *s, size_t len, bool *unusable)
{
        static const char *const yes[] = {
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", NULL};
        static const char *const no[] = {
            "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE", NULL};
        static const char *const infinite[] = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf",
            "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};
        *unusable = is_one_of(s, len, infinite);
        if (*unusable) return NULL;
        if (yaml_is_null(s, len)) return value_null(type_dynamic);
        if (is_one_of(s, len, yes)) return value_bool(true);
        if (is_one_of(s, len, no)) return value_bool(false);
        struct value *v = prefixed_integer(s, len);
        if (!v) v = decimal_number(s, len);
        struct instant instant;
        if (!v && instant_parse_loose(s, len, &instant)) {
                struct text t = {0};
                instant_text(&instant, &t);
                v = value_string_n(t.data, t.len);
                text_release(&t);
        }
        return v;
}
