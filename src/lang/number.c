/*
 * Arithmetic: on machine integers while the result fits, else on MPFR numbers of 512 bits. A result that is an
 * integer and fits goes back to a machine integer, so equal numbers always have equal form.
 */
#include "lang/number.h"

#include <string.h>

#include "lang/value_internal.h"

enum {
        PLAIN_DIGITS_MAX =
            10000, /* beyond, a number is written with an exponent: zeros without end help nobody */
        EXPONENT_MAX = 100000000,      /* beyond, a number is refused as input and as a result */
        EXPONENT_BITS_MAX = 330000000, /* the same in binary, a little less: what is written can be read */
};

void number_get(const struct value *a, mpfr_ptr out)
{
        int64_t n;
        if (value_as_int(a, &n))
                mpfr_set_sj(out, n, MPFR_RNDN);
        else
                mpfr_set(out, ((const struct value_big *)a)->n, MPFR_RNDN);
}

struct value *value_from_mpfr(mpfr_srcptr n)
{
        if (mpfr_integer_p(n) && mpfr_fits_intmax_p(n, MPFR_RNDN))
                return value_int(mpfr_get_sj(n, MPFR_RNDN));
        struct value_big *big = value_big_new();
        mpfr_set(big->n, n, MPFR_RNDN);
        return &big->head;
}

struct value *value_double(double d)
{
        if (d >= -9.2e18 && d <= 9.2e18 && (double)(int64_t)d == d) return value_int((int64_t)d);
        struct value_big *big = value_big_new();
        mpfr_set_d(big->n, d, MPFR_RNDN);
        return &big->head;
}

typedef int mpfr_operation(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

static struct value *by_mpfr(const struct value *a, const struct value *b, mpfr_operation *operation)
{
        mpfr_t x, y;
        mpfr_inits2(NUMBER_BITS, x, y, (mpfr_ptr)0);
        number_get(a, x);
        number_get(b, y);
        operation(x, x, y, MPFR_RNDN);
        struct value *result = value_from_mpfr(x);
        mpfr_clears(x, y, (mpfr_ptr)0);
        return result;
}

struct value *number_add(const struct value *a, const struct value *b)
{
        int64_t x, y, sum;
        if (value_as_int(a, &x) && value_as_int(b, &y) && !__builtin_add_overflow(x, y, &sum))
                return value_int(sum);
        return by_mpfr(a, b, mpfr_add);
}

struct value *number_subtract(const struct value *a, const struct value *b)
{
        int64_t x, y, rest;
        if (value_as_int(a, &x) && value_as_int(b, &y) && !__builtin_sub_overflow(x, y, &rest))
                return value_int(rest);
        return by_mpfr(a, b, mpfr_sub);
}

struct value *number_multiply(const struct value *a, const struct value *b)
{
        int64_t x, y, product;
        if (value_as_int(a, &x) && value_as_int(b, &y) && !__builtin_mul_overflow(x, y, &product))
                return value_int(product);
        return by_mpfr(a, b, mpfr_mul);
}

struct value *number_divide(const struct value *a, const struct value *b)
{
        int64_t x, y;
        if (value_as_int(a, &x) && value_as_int(b, &y) && y != -1 && x % y == 0) return value_int(x / y);
        return by_mpfr(a, b, mpfr_div);
}

struct value *number_modulo(const struct value *a, const struct value *b)
{
        int64_t x, y;
        if (value_as_int(a, &x) && value_as_int(b, &y)) return value_int(y == -1 ? 0 : x % y);
        return by_mpfr(a, b, mpfr_fmod);
}

struct value *number_negate(const struct value *a)
{
        return number_subtract(make_integer(0), a);
}

int number_compare(const struct value *a, const struct value *b)
{
        int64_t x, y;
        bool a_fits = value_as_int(a, &x), b_fits = value_as_int(b, &y);
        if (a_fits && b_fits) return (x > y) - (x < y);
        if (!a_fits && !b_fits)
                return mpfr_cmp(((const struct value_big *)a)->n, ((const struct value_big *)b)->n);
        if (b_fits) return mpfr_cmp_si(((const struct value_big *)a)->n, y);
        return -mpfr_cmp_si(((const struct value_big *)b)->n, x);
}

int number_sign(const struct value *a)
{
        return number_compare(a, make_integer(0));
}

bool number_is_integer(const struct value *a)
{
        int64_t n;
        return value_as_int(a, &n) || mpfr_integer_p(((const struct value_big *)a)->n);
}

bool number_in_range(const struct value *a)
{
        int64_t n;
        if (value_as_int(a, &n)) return true;
        mpfr_srcptr big = ((const struct value_big *)a)->n;
        if (!mpfr_regular_p(big)) return mpfr_zero_p(big);
        return mpfr_get_exp(big) <= EXPONENT_BITS_MAX && mpfr_get_exp(big) >= -EXPONENT_BITS_MAX;
}

/*
 * The fewest decimal digits that give the same number back when read. Decimal texts of up to 154 digits all
 * denote different 512-bit numbers, so if 154 digits are enough, dropping their trailing zeros is the shortest.
 */
static char *shortest_digits(mpfr_srcptr n, mpfr_exp_t *exponent)
{
        mpfr_t again;
        mpfr_init2(again, NUMBER_BITS);
        char *digits = NULL;
        for (size_t count = 154; count <= 157; count++) {
                free(digits);
                digits = mem_alloc(count + 2);
                mpfr_get_str(digits, exponent, 10, count, n, MPFR_RNDN);
                cleanup_free char *text = mem_printf(
                    "%s0.%se%ld", *digits == '-' ? "-" : "", digits + (*digits == '-'), (long)*exponent);
                mpfr_set_str(again, text, 10, MPFR_RNDN);
                if (mpfr_equal_p(again, n)) break;
        }
        mpfr_clear(again);
        size_t len = strlen(digits);
        while (len > 1 && digits[len - 1] == '0') digits[--len] = '\0';
        return digits;
}

static void add_zeros(struct text *out, long count)
{
        for (; count > 0; count--) text_addc(out, '0');
}

static void big_text(mpfr_srcptr n, struct text *out)
{
        mpfr_exp_t point; /* digits before the decimal point; may be negative */
        cleanup_free char *all = shortest_digits(n, &point);
        char *digits = all;
        if (*digits == '-') text_addc(out, *digits++);
        long len = (long)strlen(digits);
        if (point > PLAIN_DIGITS_MAX || point < -PLAIN_DIGITS_MAX) {
                text_addf(out, "%c%s%se%ld", digits[0], len > 1 ? "." : "", digits + 1, (long)point - 1);
        } else if (point <= 0) {
                text_add(out, "0.");
                add_zeros(out, -point);
                text_add(out, digits);
        } else if (point >= len) {
                text_add(out, digits);
                add_zeros(out, point - len);
        } else {
                text_addn(out, digits, (size_t)point);
                text_addf(out, ".%s", digits + point);
        }
}

void number_text(const struct value *a, struct text *out)
{
        int64_t n;
        if (value_as_int(a, &n))
                text_addf(out, "%lld", (long long)n);
        else
                big_text(((const struct value_big *)a)->n, out);
}

static size_t count_digits(const char *s, size_t len)
{
        size_t n = 0;
        while (n < len && s[n] >= '0' && s[n] <= '9') n++;
        return n;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. */
static bool is_decimal(const char *s, size_t len, bool *plain)
{
        size_t at = len > 0 && (s[0] == '-' || s[0] == '+'), digits = count_digits(s + at, len - at);
        at += digits;
        *plain = at == len;
        if (at < len && s[at] == '.') {
                size_t behind = count_digits(s + at + 1, len - at - 1);
                at += 1 + behind;
                digits += behind;
        }
        if (digits == 0) return false;
        if (at < len && (s[at] == 'e' || s[at] == 'E')) {
                at++;
                if (at < len && (s[at] == '-' || s[at] == '+')) at++;
                size_t count = count_digits(s + at, len - at);
                long exponent = 0;
                for (size_t i = 0; i < count && exponent <= EXPONENT_MAX; i++)
                        exponent = exponent * 10 + (s[at + i] - '0');
                if (count == 0 || exponent > EXPONENT_MAX) return false;
                at += count;
        }
        return at == len;
}

struct value *value_number(const char *text, size_t len)
{
        bool plain;
        if (len > PLAIN_DIGITS_MAX || !is_decimal(text, len, &plain)) return NULL;
        cleanup_free char *copy = mem_dup(text, len);
        if (plain && len <= 18) return value_int(strtoll(copy, NULL, 10));
        mpfr_t n;
        mpfr_init2(n, NUMBER_BITS);
        mpfr_set_str(n, copy, 10, MPFR_RNDN);
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        if (number_in_range(v)) return v;
        value_free(v);
        return NULL;
}
