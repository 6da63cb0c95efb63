/*
 * Functions on numbers. Whole numbers and sums are exact to the precision of their arguments; logarithms and powers
 * are computed in double precision, as Terraform computes them.
 */
#include "lang/call.h"

#include <math.h>
#include <string.h>

#include "lang/double.h"
#include "lang/number.h"

static struct value *number_abs(const struct call *call, struct error **err)
{
        (void)err;
        const struct value *n = call->args[0];
        return number_sign(n) < 0 || number_is_minus_zero(n) ? number_negate(n) : value_ref(n);
}

static struct value *number_round(const struct call *call, mpfr_rnd_t direction)
{
        if (number_is_minus_zero(call->args[0])) return value_int(0);
        if (number_is_integer(call->args[0])) return value_ref(call->args[0]);
        mpfr_t n;
        mpfr_init2(n, number_bits(call->args[0]));
        number_get(call->args[0], n);
        mpfr_rint(n, n, direction);
        if (mpfr_zero_p(n)) mpfr_set_zero(n, 1); /* not a -0 */
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        return v;
}

static struct value *number_ceil(const struct call *call, struct error **err)
{
        (void)err;
        return number_round(call, MPFR_RNDU);
}

static struct value *number_floor(const struct call *call, struct error **err)
{
        (void)err;
        return number_round(call, MPFR_RNDD);
}

/* A double for a function that computes in doubles; false for what lies beyond them. */
static bool number_double(const struct value *v, const char *name, double *n, struct error **err)
{
        *n = value_as_double(v);
        if (isfinite(*n) || value_has_infinite(v)) return true;
        call_refuse(err, "invalid value for \"%s\": the number is too large", name);
        return false;
}

static struct value *number_of_double(double n, struct error **err)
{
        return isnan(n) ? call_refuse(err, "the result is not a number") : value_double(n);
}

static struct value *number_log(const struct call *call, struct error **err)
{
        double n, base;
        if (!number_double(call->args[0], "num", &n, err)) return NULL;
        if (!number_double(call->args[1], "base", &base, err)) return NULL;
        return number_of_double(double_log(n) / double_log(base), err);
}

static struct value *number_pow(const struct call *call, struct error **err)
{
        double n, power;
        if (!number_double(call->args[0], "num", &n, err)) return NULL;
        if (!number_double(call->args[1], "power", &power, err)) return NULL;
        return number_of_double(double_pow(n, power), err);
}

static struct value *number_extreme(const struct call *call, int sign, struct error **err)
{
        if (call->arg_count == 0) return call_refuse(err, "at least one number is required");
        const struct value *best = call->args[0];
        for (size_t i = 1; i < call->arg_count; i++)
                if (sign * number_compare(call->args[i], best) > 0) best = call->args[i];
        return value_ref(best);
}

static struct value *number_max(const struct call *call, struct error **err)
{
        return number_extreme(call, 1, err);
}

static struct value *number_min(const struct call *call, struct error **err)
{
        return number_extreme(call, -1, err);
}

static struct value *number_signum(const struct call *call, struct error **err)
{
        int64_t n;
        if (!call_int(call, 0, "num", &n, err)) return NULL;
        return value_machine_int(n < 0 ? -1 : n > 0);
}

/* Digits beyond 9 are letters; above base 36, lower case stands before upper case. -1 for none. */
static int digit_value(char c, int base)
{
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'z') return c - 'a' + 10;
        if (c >= 'A' && c <= 'Z') return c - 'A' + (base > 36 ? 36 : 10);
        return -1;
}

/* GMP takes the letters of bases above 36 the other way round. */
static char digit_for_gmp(char c, int base)
{
        if (base <= 36) return c;
        if (c >= 'a' && c <= 'z') return (char)(c - 'a' + 'A');
        if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
        return c;
}

static struct value *number_parse(const char *s, size_t len, int base)
{
        enum { MAX_DIGITS = 4096 };
        bool negative = len && *s == '-';
        if (len && (*s == '-' || *s == '+')) s++, len--;
        if (len == 0 || len > MAX_DIGITS) return NULL;

        cleanup_free char *digits = mem_alloc(len + 1);
        for (size_t i = 0; i < len; i++) {
                int digit = digit_value(s[i], base);
                if (digit < 0 || digit >= base) return NULL;
                digits[i] = digit_for_gmp(s[i], base);
        }
        mpz_t whole;
        mpz_init(whole);
        mpz_set_str(whole, digits, base);
        if (negative) mpz_neg(whole, whole);
        mpfr_t n;
        size_t bits = mpz_sizeinbase(whole, 2);
        mpfr_init2(n, bits > NUMBER_BITS_MACHINE ? (mpfr_prec_t)bits : NUMBER_BITS_MACHINE);
        mpfr_set_z(n, whole, MPFR_RNDN);
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        mpz_clear(whole);
        return v;
}

static struct value *number_parseint(const struct call *call, struct error **err)
{
        int64_t base;
        if (value_kind(call->args[0]) != TYPE_STRING)
                return call_refuse(err, "invalid value for \"number\": a string is required, not %s",
                    type_friendly(value_type(call->args[0])));
        if (!call_int(call, 1, "base", &base, err)) return NULL;
        if (base < 2 || base > 62)
                return call_refuse(err, "invalid value for \"base\": must be from 2 to 62");
        struct value *v = number_parse(call_string(call, 0), call_string_len(call, 0), (int)base);
        if (!v) call_refuse(err, "invalid value for \"number\": not a whole number in base %d", (int)base);
        return v;
}

static struct value *number_sum(const struct call *call, struct error **err)
{
        const struct value *list = call->args[0];
        enum type_kind kind = value_kind(list);
        if (kind != TYPE_LIST && kind != TYPE_SET && kind != TYPE_TUPLE)
                return call_refuse(err, "a list, set or tuple of numbers is required, not %s",
                    type_friendly(value_type(list)));
        if (value_count(list) == 0) return call_refuse(err, "cannot sum an empty list");
        cleanup(value_free) struct value *sum = NULL;
        for (size_t i = 0; i < value_count(list); i++) {
                if (value_is_null(value_at(list, i)))
                        return call_refuse(
                            err, "a list, set or tuple of numbers is required: element %zu is null", i);
                cleanup(value_free) struct value *n = value_convert(value_at(list, i), type_number, err);
                if (!n) return NULL;
                struct value *next = sum ? number_add(sum, n) : value_ref(n);
                if (!next) return call_refuse(err, "cannot add infinite numbers of both signs");
                value_free(sum);
                sum = next;
        }
        return steal(sum);
}

const struct function functions_numeric[] = {
    {.info = {"abs", "abs(num)", "The number without its sign.", "abs(-3.5) => 3.5"},
        .parameters = {{"num", "number", 0}},
        .result = "number",
        .body = number_abs},
    {.info = {"ceil", "ceil(num)", "The nearest whole number that is not smaller.", "ceil(5.1) => 6"},
        .parameters = {{"num", "number", 0}},
        .result = "number",
        .body = number_ceil},
    {.info = {"floor", "floor(num)", "The nearest whole number that is not greater.", "floor(4.9) => 4"},
        .parameters = {{"num", "number", 0}},
        .result = "number",
        .body = number_floor},
    {.info = {"log", "log(num, base)", "The logarithm of a number in a base.", "log(16, 2) => 4"},
        .parameters = {{"num", "number", 0}, {"base", "number", 0}},
        .result = "number",
        .body = number_log},
    {.info = {"max", "max(numbers...)", "The greatest of the numbers.", "max(5, 12, 9) => 12"},
        .rest = {"numbers", "number", 0},
        .result = "number",
        .body = number_max},
    {.info = {"min", "min(numbers...)", "The smallest of the numbers.", "min(12, 54, 3) => 3"},
        .rest = {"numbers", "number", 0},
        .result = "number",
        .body = number_min},
    {.info = {"parseint", "parseint(number, base)",
         "The whole number that a string writes in a base from 2 to 62.", "parseint(\"FF\", 16) => 255"},
        .parameters = {{"number", "any", 0}, {"base", "number", 0}},
        .result = "number",
        .body = number_parseint},
    {.info = {"pow", "pow(num, power)", "The number raised to a power.", "pow(3, 2) => 9"},
        .parameters = {{"num", "number", 0}, {"power", "number", 0}},
        .result = "number",
        .body = number_pow},
    {.info = {"signum", "signum(num)", "-1, 0 or 1: the sign of a whole number.", "signum(-13) => -1"},
        .parameters = {{"num", "number", 0}},
        .result = "number",
        .body = number_signum},
    {.info = {"sum", "sum(list)", "The sum of the numbers in a list, set or tuple.",
         "sum([10, 13, 6, 4.5]) => 33.5"},
        .parameters = {{"list", "any", 0}},
        .result = "number",
        .body = number_sum},
    {.info = {0}},
};
