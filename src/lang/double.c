/* Logarithm and power of doubles: the order of the operations is the point here, as each of them rounds. */
#include "lang/double.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double double_log(double x)
{
        /* The minimax polynomial that fdlibm gives for log(1 + s) - log(1 - s) over s, and ln 2 in two parts. */
        static const double c[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
            2.857142874366239149e-01, 2.222219843214978396e-01, 1.818357216161805012e-01,
            1.531383769920937332e-01, 1.479819860511658591e-01};
        static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
        int exponent;
        if (!(x > 0) || isinf(x)) return log(x);
        double f = frexp(x, &exponent);
        if (f < M_SQRT1_2) f *= 2, exponent--;
        f -= 1;
        double k = exponent, s = f / (2 + f), s2 = s * s, s4 = s2 * s2;
        double odd = s2 * (c[0] + s4 * (c[2] + s4 * (c[4] + s4 * c[6])));
        double even = s4 * (c[1] + s4 * (c[3] + s4 * c[5]));
        double rest = odd + even, half = 0.5 * f * f;
        return k * ln2_high - ((half - (s * (half + rest) + k * ln2_low)) - f);
}

/*
 * e^x by the series of e^r - 1, where x = k ln 2 + 16 r: with p = e^r - 1, e^2r - 1 is p (p + 2), and so four times. Each
 * step that is fused into one rounding here has to be.
 */
static double double_exp(double x)
{
        static const double ln2_high = 0x1.62e42fefa3000p-1, ln2_low = 0x1.3de6af278ece6p-42;
        static const double inverse_factorials[] = {
            1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1};
        double k = nearbyint(x * M_LOG2E);
        double r = fma(-ln2_low, k, fma(-ln2_high, k, x)) / 16, sum = 0;
        for (size_t i = 0; i < sizeof inverse_factorials / sizeof *inverse_factorials; i++)
                sum = fma(sum, r, inverse_factorials[i]);
        double p = r * sum;
        for (int i = 0; i < 3; i++) p *= p + 2;
        return ldexp(fma(p, p + 2, 1), (int)k);
}

/* Neither is 0, 1, infinite or a NaN. */
static double power(double x, double y)
{
        enum { EXPONENT_MAX = 1 << 12 };
        double whole, fraction = modf(fabs(y), &whole), result = 1;
        if (fraction != 0 && x < 0) return NAN;
        if (whole >= 0x1p63) {
                if (x == -1) return 1;
                return (fabs(x) < 1) == (y > 0) ? 0 : INFINITY;
        }
        if (fraction > 0.5) fraction--, whole++;
        if (fraction != 0) result = double_exp(fraction * double_log(x));

        int exponent;
        int64_t scale = 0;
        double square = frexp(x, &exponent);
        int64_t square_scale = exponent;
        for (int64_t i = (int64_t)whole; i != 0; i >>= 1) {
                if (square_scale < -EXPONENT_MAX || square_scale > EXPONENT_MAX) {
                        scale += square_scale; /* beyond all doubles already, and so it stays */
                        break;
                }
                if (i & 1) {
                        result *= square;
                        scale += square_scale;
                }
                square *= square;
                square_scale *= 2;
                if (square < 0.5) square += square, square_scale--;
        }
        if (y < 0) {
                result = 1 / result;
                scale = -scale;
        }
        return ldexp(result, (int)scale);
}

double double_pow(double x, double y)
{
        bool plain = x != 0 && x != 1 && y != 0 && isfinite(x) && isfinite(y);
        if (!plain || y == 1) return pow(x, y);
        if (y == 0.5) return sqrt(x);
        if (y == -0.5) return 1 / sqrt(x);
        return power(x, y);
}
