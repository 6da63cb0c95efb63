/*
 * Instants: the proleptic Gregorian calendar, RFC 3339, and durations as Go writes them.
 */
#include "lang/instant.h"

#include <string.h>

enum { DAY = 86400, NANOS = 1000000000 };

/* Days since 1970-01-01, by counting years from March, so that the leap day is a year's last. */
static int64_t days_of_date(int64_t year, int month, int day)
{
        year -= month <= 2;
        int64_t era = (year >= 0 ? year : year - 399) / 400;
        int64_t of_era = year - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in_month(int64_t year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return days[month - 1] + (month == 2 && leap);
}

void instant_parts(const struct instant *i, struct instant_parts *p)
{
        int64_t local = i->seconds + i->offset, days = (local >= 0 ? local : local - (DAY - 1)) / DAY;
        int second = (int)(local - days * DAY);
        p->hour = second / 3600, p->minute = second / 60 % 60, p->second = second % 60;
        p->weekday = (int)(((days + 4) % 7 + 7) % 7);

        int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
        int64_t of_era = shifted - era * 146097;
        int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
        p->day = (int)(of_year - (153 * month + 2) / 5 + 1);
        p->month = (int)(month < 10 ? month + 3 : month - 9);
        p->year = year + era * 400 + (p->month <= 2);
}

struct cursor {
        const char *s, *end;
};

/* From `min` to `max` digits; -1 otherwise. */
static int take_digits(struct cursor *c, int min, int max)
{
        int n = 0, count = 0;
        for (; count < max && c->s < c->end && *c->s >= '0' && *c->s <= '9'; count++)
                n = n * 10 + (*c->s++ - '0');
        return count < min ? -1 : n;
}

static bool take(struct cursor *c, char expected)
{
        if (c->s >= c->end || *c->s != expected) return false;
        c->s++;
        return true;
}

/* Digits behind a point: nanoseconds, or -1 if there are none. */
static int32_t take_fraction(struct cursor *c)
{
        int32_t nanos = 0;
        int count = 0;
        for (; c->s < c->end && *c->s >= '0' && *c->s <= '9'; c->s++, count++)
                if (count < 9) nanos = nanos * 10 + (*c->s - '0');
        if (count == 0) return -1;
        for (; count < 9; count++) nanos *= 10;
        return nanos;
}

static const char *take_date(struct cursor *c, int min, int64_t *days)
{
        int year = take_digits(c, 4, 4);
        if (year < 0 || !take(c, '-')) return "a year of four digits and \"-\" is expected";
        int month = take_digits(c, min, 2);
        if (month < 0 || !take(c, '-')) return "a month of two digits and \"-\" is expected";
        int day = take_digits(c, min, 2);
        if (day < 0) return "a day of two digits is expected";
        if (month < 1 || month > 12) return "the month must be from 1 to 12";
        if (day < 1 || day > days_in_month(year, month)) return "the day is out of range";
        *days = days_of_date(year, month, day);
        return NULL;
}

static const char *take_time(struct cursor *c, int min, int *seconds, int32_t *nanos)
{
        int hour = take_digits(c, min, 2);
        if (hour < 0 || !take(c, ':')) return "an hour of two digits and \":\" is expected";
        int minute = take_digits(c, min, 2);
        if (minute < 0 || !take(c, ':')) return "a minute of two digits and \":\" is expected";
        int second = take_digits(c, min, 2);
        if (second < 0) return "a second of two digits is expected";
        if (hour > 23 || minute > 59 || second > 59) return "the time of day is out of range";
        *seconds = hour * 3600 + minute * 60 + second;
        *nanos = take(c, '.') ? take_fraction(c) : 0;
        return *nanos < 0 ? "digits are expected behind the point" : NULL;
}

static const char *take_offset(struct cursor *c, bool wide, int *offset)
{
        *offset = 0;
        if (take(c, 'Z')) return NULL;
        int sign = take(c, '+') ? 1 : take(c, '-') ? -1 : 0;
        int hour = sign ? take_digits(c, 2, 2) : -1,
            minute = hour >= 0 && take(c, ':') ? take_digits(c, 2, 2) : -1;
        if (minute < 0 || hour > 23 + wide || minute > 59 + wide)
                return "a UTC offset, Z or such as +01:00, is expected";
        *offset = sign * (hour * 3600 + minute * 60);
        return NULL;
}

const char *instant_parse(const char *s, size_t len, bool wide, struct instant *i)
{
        struct cursor c = {s, s + len};
        int64_t days;
        int seconds;
        *i = (struct instant){0};
        const char *problem = take_date(&c, 2, &days);
        if (!problem && !take(&c, 'T')) problem = "\"T\" is expected between date and time";
        if (!problem) problem = take_time(&c, 2, &seconds, &i->nanos);
        if (!problem) problem = take_offset(&c, wide, &i->offset);
        if (!problem && c.s != c.end) problem = "there is more behind the UTC offset";
        if (problem) return problem;
        i->seconds = days * DAY + seconds - i->offset;
        return NULL;
}

bool instant_parse_loose(const char *s, size_t len, struct instant *i)
{
        struct cursor c = {s, s + len};
        int64_t days;
        int seconds = 0;
        *i = (struct instant){0};
        if (take_date(&c, 1, &days)) return false;
        if (c.s < c.end) {
                bool zoned = *c.s == 'T' || *c.s == 't';
                if (!zoned && *c.s != ' ') return false;
                c.s++;
                if (take_time(&c, 1, &seconds, &i->nanos)) return false;
                if (zoned && take_offset(&c, false, &i->offset)) return false;
        }
        i->seconds = days * DAY + seconds - i->offset;
        return c.s == c.end;
}

void instant_text(const struct instant *i, struct text *out)
{
        struct instant_parts p;
        instant_parts(i, &p);
        text_addf(out, "%s%04lld-%02d-%02dT%02d:%02d:%02d", p.year < 0 ? "-" : "",
            (long long)(p.year < 0 ? -p.year : p.year), p.month, p.day, p.hour, p.minute, p.second);
        int offset = i->offset < 0 ? -i->offset : i->offset;
        if (offset == 0)
                text_addc(out, 'Z');
        else
                text_addf(out, "%c%02d:%02d", i->offset < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
}

/* Nanoseconds of the unit at the cursor; 0 for none. */
static int64_t take_unit(struct cursor *c)
{
        static const struct {
                const char *name;
                int64_t nanos;
        } units[] = {{"ns", 1}, {"us", 1000}, {"\u00b5s", 1000}, {"\u03bcs", 1000}, {"ms", 1000000},
            {"s", NANOS}, {"m", 60LL * NANOS}, {"h", 3600LL * NANOS}};
        const char *stop = c->s;
        while (stop < c->end && *stop != '.' && (*stop < '0' || *stop > '9')) stop++;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
                if (strlen(units[u].name) != (size_t)(stop - c->s) ||
                    memcmp(units[u].name, c->s, (size_t)(stop - c->s)) != 0)
                        continue;
                c->s = stop;
                return units[u].nanos;
        }
        return 0;
}

/* One number with its unit, in nanoseconds; -1 if there is none, or it is too large. */
static int64_t take_term(struct cursor *c)
{
        int64_t whole = 0, nanos = 0;
        const char *start = c->s;
        for (; c->s < c->end && *c->s >= '0' && *c->s <= '9'; c->s++)
                if (__builtin_mul_overflow(whole, 10, &whole) ||
                    __builtin_add_overflow(whole, *c->s - '0', &whole))
                        return -1;
        bool digits = c->s > start;
        double fraction = 0, scale = 1;
        if (take(c, '.'))
                for (; c->s < c->end && *c->s >= '0' && *c->s <= '9'; c->s++, digits = true) {
                        if (scale > 1e17) continue;
                        fraction = fraction * 10 + (*c->s - '0');
                        scale *= 10;
                }
        int64_t unit = digits ? take_unit(c) : 0;
        if (!unit || __builtin_mul_overflow(whole, unit, &nanos)) return -1;
        return __builtin_add_overflow(nanos, (int64_t)(fraction * ((double)unit / scale)), &nanos) ? -1
                                                                                                   : nanos;
}

bool duration_parse_nanos(const char *s, size_t len, int64_t *nanos)
{
        struct cursor c = {s, s + len};
        bool negative = take(&c, '-');
        if (!negative) take(&c, '+');
        *nanos = 0;
        if (c.end - c.s == 1 && *c.s == '0') return true;
        if (c.s == c.end) return false;
        while (c.s < c.end) {
                int64_t term = take_term(&c);
                if (term < 0 || __builtin_add_overflow(*nanos, term, nanos)) return false;
        }
        if (negative) *nanos = -*nanos;
        return true;
}
