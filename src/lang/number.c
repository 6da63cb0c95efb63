/*
 * Arithmetic: on machine integers while the result fits, else on MPFR numbers with the greater precision of the
 * operands. What is written down has 512 bits, and a result of that precision that is an integer and fits goes back
 * to a machine integer. Numbers that functions computed have 53 or 64 bits, as in Terraform, and it shows in what
 * is made of them: pow(10, -1) * 3 is not 0.3.
 */
#include "lang/number.h"

#include <string.h>

#include "lang/value_internal.h"

enum {
        PLAIN_DIGITS_MAX =
            10000, /* beyond, a number is written with an exponent: zeros without end help nobody */
        WRITTEN_MAX = PLAIN_DIGITS_MAX +
                      1000, /* bytes: what is written can be read, with sign, point and digits behind zeros */
        EXPONENT_MAX = 100000000,      /* beyond, a number is refused as input and as a result */
        EXPONENT_BITS_MAX = 330000000, /* the same in binary, a little less: what is written can be read */
};

/* An integer as precise as what is written down, which most numbers are. */
static bool is_plain(const struct value *v, int64_t *n)
{
        if (is_integer(v)) {
                *n = integer_of(v);
                return true;
        }
        return !is_immediate(v) && !(v->flags & VALUE_BIG) && value_as_int(v, n);
}

static mpfr_srcptr big_of(const struct value *v)
{
        bool big = !is_immediate(v) && (v->flags & VALUE_BIG);
        return big ? ((const struct value_big *)v)->n : NULL;
}

mpfr_prec_t number_bits(const struct value *v)
{
        mpfr_srcptr big = big_of(v);
        return big ? mpfr_get_prec(big) : is_small(v) ? NUMBER_BITS_MACHINE : NUMBER_BITS;
}

void number_get(const struct value *a, mpfr_ptr out)
{
        int64_t n = 0;
        mpfr_srcptr big = big_of(a);
        if (big)
                mpfr_set(out, big, MPFR_RNDN);
        else if (value_as_int(a, &n))
                mpfr_set_sj(out, n, MPFR_RNDN);
}

struct value *value_from_mpfr(mpfr_srcptr n)
{
        mpfr_prec_t bits = mpfr_get_prec(n);
        bool integer = mpfr_integer_p(n) && mpfr_fits_intmax_p(n, MPFR_RNDN) &&
                       !(mpfr_zero_p(n) && mpfr_signbit(n));
        if (integer && bits == NUMBER_BITS) return value_int(mpfr_get_sj(n, MPFR_RNDN));
        if (integer && bits == NUMBER_BITS_MACHINE) return value_machine_int(mpfr_get_sj(n, MPFR_RNDN));
        return value_big_new(n);
}

struct value *value_double(double d)
{
        enum { BITS = 53 };
        mpfr_t n;
        mpfr_init2(n, BITS);
        mpfr_set_d(n, d, MPFR_RNDN);
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        return v;
}

/* Both operands as they are, and the greater of their precisions. */
struct operands {
        mpfr_t a, b;
        mpfr_prec_t bits;
};

static void operands_init(struct operands *o, const struct value *a, const struct value *b)
{
        mpfr_prec_t x = number_bits(a), y = number_bits(b);
        mpfr_init2(o->a, x);
        mpfr_init2(o->b, y);
        number_get(a, o->a);
        number_get(b, o->b);
        o->bits = x > y ? x : y;
}

static void operands_clear(struct operands *o)
{
        mpfr_clears(o->a, o->b, (mpfr_ptr)0);
}

/* The result, which is cleared; NULL if it is not a number. */
static struct value *result_of(mpfr_ptr n)
{
        struct value *v = mpfr_nan_p(n) ? NULL : value_from_mpfr(n);
        mpfr_clear(n);
        return v;
}

typedef int mpfr_operation(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

static struct value *by_mpfr(const struct value *a, const struct value *b, mpfr_operation *operation)
{
        struct operands o;
        mpfr_t n;
        operands_init(&o, a, b);
        mpfr_init2(n, o.bits);
        operation(n, o.a, o.b, MPFR_RNDN);
        operands_clear(&o);
        return result_of(n);
}

struct value *number_add(const struct value *a, const struct value *b)
{
        int64_t x, y, sum;
        if (is_plain(a, &x) && is_plain(b, &y) && !__builtin_add_overflow(x, y, &sum)) return value_int(sum);
        return by_mpfr(a, b, mpfr_add);
}

struct value *number_subtract(const struct value *a, const struct value *b)
{
        int64_t x, y, rest;
        if (is_plain(a, &x) && is_plain(b, &y) && !__builtin_sub_overflow(x, y, &rest))
                return value_int(rest);
        return by_mpfr(a, b, mpfr_sub);
}

/* A product keeps all of its bits, up to 512, even if its factors have fewer. */
struct value *number_multiply(const struct value *a, const struct value *b)
{
        int64_t x, y, product;
        if (is_plain(a, &x) && is_plain(b, &y) && !__builtin_mul_overflow(x, y, &product) &&
            (product != 0 || (x >= 0 && y >= 0)))
                return value_int(product);
        struct operands o;
        mpfr_t n;
        operands_init(&o, a, b);
        mpfr_init2(n, NUMBER_BITS);
        mpfr_mul(n, o.a, o.b, MPFR_RNDN);
        mpfr_prec_t needed = mpfr_regular_p(n) ? mpfr_min_prec(n) : 0;
        mpfr_prec_round(n, needed > o.bits ? needed : o.bits, MPFR_RNDN);
        operands_clear(&o);
        return result_of(n);
}

struct value *number_divide(const struct value *a, const struct value *b)
{
        int64_t x, y;
        if (is_plain(a, &x) && is_plain(b, &y) && y != 0 && y != -1 && x % y == 0 && (x != 0 || y > 0))
                return value_int(x / y);
        return by_mpfr(a, b, mpfr_div);
}

/* What remains when the quotient, cut to an integer, is taken away; each step rounds to the precision of `a`. */
struct value *number_modulo(const struct value *a, const struct value *b)
{
        int64_t x, y;
        if (is_plain(a, &x) && is_plain(b, &y) && y != 0) return value_int(y == -1 ? 0 : x % y);
        struct operands o;
        mpfr_t quotient, n;
        operands_init(&o, a, b);
        mpfr_init2(quotient, o.bits);
        mpfr_init2(n, mpfr_get_prec(o.a));
        mpfr_div(quotient, o.a, o.b, MPFR_RNDN);
        if (mpfr_number_p(quotient)) {
                mpfr_trunc(quotient, quotient);
                mpfr_set(n, quotient, MPFR_RNDN);
                mpfr_mul(n, n, o.b, MPFR_RNDN);
                mpfr_sub(n, o.a, n, MPFR_RNDN);
        } else {
                mpfr_set_nan(n);
        }
        mpfr_clear(quotient);
        operands_clear(&o);
        return result_of(n);
}

struct value *number_negate(const struct value *a)
{
        int64_t x;
        if (is_plain(a, &x) && x != 0 && x != INT64_MIN) return value_int(-x);
        mpfr_t n;
        mpfr_init2(n, number_bits(a));
        number_get(a, n);
        mpfr_neg(n, n, MPFR_RNDN);
        return result_of(n);
}

int number_compare(const struct value *a, const struct value *b)
{
        int64_t x, y;
        if (is_integer(a) && is_integer(b))
                return (integer_of(a) > integer_of(b)) - (integer_of(a) < integer_of(b));
        bool a_fits = value_as_int(a, &x), b_fits = value_as_int(b, &y);
        if (a_fits && b_fits) return (x > y) - (x < y);
        if (!a_fits && !b_fits) return mpfr_cmp(big_of(a), big_of(b));
        if (b_fits) return mpfr_cmp_si(big_of(a), y);
        return -mpfr_cmp_si(big_of(b), x);
}

bool number_equal(const struct value *a, const struct value *b)
{
        const int64_t exact = (int64_t)1 << 53;
        int64_t x, y;
        if (is_integer(a) && is_integer(b)) return a == b;
        if (number_bits(a) == number_bits(b)) return number_compare(a, b) == 0;
        if (value_as_int(a, &x) && value_as_int(b, &y) && x < exact && x > -exact) return x == y;
        if (number_sign(a) != number_sign(b)) return false;
        struct text s = {0}, t = {0};
        number_text(a, &s);
        number_text(b, &t);
        bool equal = text_equal(s.data, t.data);
        text_release(&s);
        text_release(&t);
        return equal;
}

bool number_is_minus_zero(const struct value *a)
{
        mpfr_srcptr big = big_of(a);
        return big != NULL && mpfr_zero_p(big) && mpfr_signbit(big);
}

int number_sign(const struct value *a)
{
        return number_compare(a, make_integer(0));
}

bool number_is_integer(const struct value *a)
{
        mpfr_srcptr big = big_of(a);
        return big == NULL || mpfr_integer_p(big);
}

bool number_in_range(const struct value *a)
{
        mpfr_srcptr big = big_of(a);
        if (big == NULL || !mpfr_regular_p(big)) return true;
        return mpfr_get_exp(big) <= EXPONENT_BITS_MAX && mpfr_get_exp(big) >= -EXPONENT_BITS_MAX;
}

/*
 * `count` digits of n, in the given direction; whether they are within half a unit of n's last place, so that reading
 * them gives n back. (Below a power of two numbers are denser: there Terraform takes digits that give the neighbour.)
 * Replaces *digits.
 */
static bool try_digits(mpfr_srcptr n, size_t count, mpfr_rnd_t direction, char **digits, mpfr_exp_t *exponent)
{
        mpfr_t again;
        free(*digits);
        *digits = mem_alloc(count + 2);
        mpfr_get_str(*digits, exponent, 10, count, n, direction);
        bool negative = **digits == '-';
        cleanup_free char *text = mem_printf(
            "%s0.%se%ld", negative ? "-" : "", *digits + negative, (long)*exponent);
        mpfr_init2(again, mpfr_get_prec(n));
        mpfr_set_str(again, text, 10, MPFR_RNDN);
        bool within = mpfr_equal_p(again, n);
        if (!within && mpfr_min_prec(n) == 1) {
                mpfr_set_str(again, text, 10, MPFR_RNDA);
                within = mpfr_equal_p(again, n);
        }
        mpfr_clear(again);
        return within;
}

/*
 * The fewest decimal digits that give the same number back when read with its precision; among as many, the
 * nearest. Up to so many digits (`sure`), different texts always denote different numbers, so if those are enough,
 * dropping their trailing zeros is the shortest.
 */
static char *shortest_digits(mpfr_srcptr n, mpfr_exp_t *exponent)
{
        static const mpfr_rnd_t directions[] = {MPFR_RNDN, MPFR_RNDZ, MPFR_RNDA};
        mpfr_prec_t bits = mpfr_get_prec(n);
        size_t sure = bits > 8 ? (size_t)(bits - 1) * 30103 / 100000 : 2, most = sure + 4;
        char *digits = mem_strdup("");
        bool found = false;
        for (size_t count = sure; count <= most && !found; count++)
                for (size_t i = 0; i < 3 && !found; i++)
                        found = try_digits(n, count, directions[i], &digits, exponent);
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
        mpfr_exp_t point = 0; /* digits before the decimal point; may be negative */
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
        int64_t n = 0;
        mpfr_srcptr big = big_of(a);
        if (big == NULL && value_as_int(a, &n))
                text_addf(out, "%lld", (long long)n);
        else if (mpfr_inf_p(big))
                text_add(out, mpfr_signbit(big) ? "-Inf" : "+Inf");
        else if (mpfr_zero_p(big))
                text_add(out, mpfr_signbit(big) ? "-0" : "0");
        else
                big_text(big, out);
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

static struct value *read_number(const char *text, size_t len, bool exact)
{
        bool plain;
        if (len > WRITTEN_MAX || !is_decimal(text, len, &plain)) return NULL;
        cleanup_free char *copy = mem_dup(text, len);
        if (plain && len <= 18 && (copy[0] != '-' || strtoll(copy, NULL, 10) != 0))
                return value_int(strtoll(copy, NULL, 10));
        mpfr_t n;
        /* An integer of more digits than that precision holds: ten of them take less than 34 bits. */
        mpfr_prec_t whole = exact && plain ? (mpfr_prec_t)len * 34 / 10 + 8 : 0;
        mpfr_init2(n, whole > NUMBER_BITS ? whole : NUMBER_BITS);
        mpfr_set_str(n, copy, 10, MPFR_RNDN);
        struct value *v = value_from_mpfr(n);
        mpfr_clear(n);
        if (number_in_range(v)) return v;
        value_free(v);
        return NULL;
}

struct value *value_number(const char *text, size_t len)
{
        return read_number(text, len, false);
}

struct value *number_exact(const char *text, size_t len)
{
        return read_number(text, len, true);
}
