/*
 * Functions on timestamps. The clock itself is read by `timestamp` alone; while planning its result is not
 * known yet, so that a plan does not differ from itself.
 */
#include "lang/call.h"

#include <string.h>

#include "base/clock.h"
#include "lang/instant.h"
#include "lang/unicode.h"

static bool time_argument(
    const struct call *call, size_t index, const char *name, struct instant *i, struct error **err)
{
        bool wide = text_starts(name, "timestamp_");
        const char *problem = instant_parse(call_string(call, index), call_string_len(call, index), wide, i);
        if (problem)
                call_refuse(
                    err, "invalid value for \"%s\": not a valid RFC 3339 timestamp: %s", name, problem);
        return !problem;
}

/* The month, or day of the week, in 1, 2, 3 or 4 and more letters. */
static void add_name(struct text *out, const char *name, bool full)
{
        text_addn(out, name, full ? strlen(name) : 3);
}

static bool add_month(struct text *out, const struct instant_parts *p, size_t count)
{
        static const char *const names[] = {"January", "February", "March", "April", "May", "June", "July",
            "August", "September", "October", "November", "December"};
        if (count <= 2)
                text_addf(out, "%0*d", (int)count, p->month);
        else if (count <= 4)
                add_name(out, names[p->month - 1], count == 4);
        return count <= 4;
}

static bool add_weekday(struct text *out, const struct instant_parts *p, size_t count)
{
        static const char *const names[] = {
            "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
        if (count != 3 && count != 4) return false;
        add_name(out, names[p->weekday], count == 4);
        return true;
}

static bool add_year(struct text *out, const struct instant_parts *p, size_t count)
{
        if (count != 2 && count != 4) return false;
        text_addf(out, "%0*d", (int)count, (int)(count == 2 ? p->year % 100 : p->year));
        return true;
}

static bool add_zone(struct text *out, const struct instant *i, size_t count)
{
        int offset = i->offset < 0 ? -i->offset : i->offset;
        if (count == 2 || count > 5) return false;
        if (count == 1 && offset == 0)
                text_add(out, "Z");
        else if (count == 3 && offset == 0)
                text_add(out, "UTC");
        else
                text_addf(out, "%c%02d%s%02d", i->offset < 0 ? '-' : '+', offset / 3600,
                    count == 1 || count == 5 ? ":" : "", offset / 60 % 60);
        return true;
}

static bool add_count(struct text *out, int n, size_t count)
{
        if (count <= 2) text_addf(out, "%0*d", (int)count, n);
        return count <= 2;
}

static bool add_half(
    struct text *out, const struct instant_parts *p, size_t count, const char *am, const char *pm)
{
        if (count == 2) text_add(out, p->hour < 12 ? am : pm);
        return count == 2;
}

/* A run of one letter; NULL, or what such a run should be instead. */
static const char *add_verb(struct text *out, const struct instant *i, char letter, size_t count)
{
        struct instant_parts p;
        instant_parts(i, &p);
        switch (letter) {
        case 'Y': return add_year(out, &p, count) ? NULL : "year must either be YY or YYYY";
        case 'M': return add_month(out, &p, count) ? NULL : "month must be M, MM, MMM or MMMM";
        case 'D': return add_count(out, p.day, count) ? NULL : "day of month must either be D or DD";
        case 'E': return add_weekday(out, &p, count) ? NULL : "day of week must either be EEE or EEEE";
        case 'h': return add_count(out, p.hour, count) ? NULL : "24-hour must either be h or hh";
        case 'H':
                return add_count(out, (p.hour + 11) % 12 + 1, count) ? NULL
                                                                     : "12-hour must either be H or HH";
        case 'A': return add_half(out, &p, count, "AM", "PM") ? NULL : "must be AA";
        case 'a': return add_half(out, &p, count, "am", "pm") ? NULL : "must be aa";
        case 'm': return add_count(out, p.minute, count) ? NULL : "minute must either be m or mm";
        case 's': return add_count(out, p.second, count) ? NULL : "second must either be s or ss";
        case 'Z': return add_zone(out, i, count) ? NULL : "timezone must be Z, ZZZ, ZZZZ or ZZZZZ";
        default: return "there is no such verb; write literal letters in single quotes";
        }
}

/* A literal in single quotes, in which two of them stand for one. The bytes taken, or 0 if it does not end. */
static size_t add_quoted(struct text *out, const char *s, const char *end)
{
        const char *c = s + 1;
        if (c < end && *c == '\'') {
                text_addc(out, '\'');
                return 2;
        }
        for (; c < end; c++) {
                if (*c != '\'')
                        text_addc(out, *c);
                else if (c + 1 < end && c[1] == '\'')
                        text_addc(out, *c++);
                else
                        return (size_t)(c + 1 - s);
        }
        return 0;
}

static bool is_ascii_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static VALUE_OF(formatdate)
{
        struct instant i;
        if (!time_argument(call, 1, "time", &i, err)) return NULL;
        const char *s = call_string(call, 0), *end = s + call_string_len(call, 0);
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        while (s < end) {
                size_t count = 1;
                if (*s == '\'') {
                        count = add_quoted(&out, s, end);
                        if (count == 0)
                                return call_refuse(
                                    err, "invalid value for \"format\": unterminated literal '");
                } else if (!is_ascii_letter(*s)) {
                        text_addc(&out, *s);
                } else {
                        while (s + count < end && s[count] == *s) count++;
                        const char *problem = add_verb(&out, &i, *s, count);
                        if (problem)
                                return call_refuse(err,
                                    "invalid value for \"format\": invalid date format verb \"%.*s\": %s",
                                    count < 16 ? (int)count : 16, s, problem);
                }
                s += count;
        }
        return call_text(&out);
}

static struct value *instant_value(const struct instant *i)
{
        struct text t = {0};
        instant_text(i, &t);
        return call_text(&t);
}

static VALUE_OF(timeadd)
{
        enum { NANOS = 1000000000 };
        struct instant i;
        int64_t nanos;
        if (!time_argument(call, 0, "timestamp", &i, err)) return NULL;
        if (!duration_parse_nanos(call_string(call, 1), call_string_len(call, 1), &nanos))
                return call_refuse(err,
                    "invalid value for \"duration\": \"%s\" is not a duration such as \"1h30m\" "
                    "(units: ns us ms s m h)",
                    call_string(call, 1));
        int64_t rest = i.nanos + nanos % NANOS;
        i.seconds += nanos / NANOS + (rest >= NANOS) - (rest < 0);
        i.nanos = (int32_t)(rest < 0 ? rest + NANOS : rest % NANOS);
        return instant_value(&i);
}

static VALUE_OF(timecmp)
{
        struct instant a, b;
        if (!time_argument(call, 0, "timestamp_a", &a, err) ||
            !time_argument(call, 1, "timestamp_b", &b, err))
                return NULL;
        if (a.seconds != b.seconds) return value_machine_int(a.seconds < b.seconds ? -1 : 1);
        return value_machine_int((a.nanos > b.nanos) - (a.nanos < b.nanos));
}

static struct value *instant_at(int64_t wall_ms)
{
        struct instant i = {.seconds = wall_ms / 1000 - (wall_ms % 1000 < 0)};
        return instant_value(&i);
}

static VALUE_OF(timestamp)
{
        (void)err;
        return call->scope->planning ? value_unknown(type_string) : instant_at(clock_wall_ms());
}

static VALUE_OF(plantimestamp)
{
        (void)err;
        return instant_at(call->scope->plan_time_ms);
}

const struct function functions_date[] = {
    {.info = {"formatdate", "formatdate(spec, time)",
         "A timestamp in another form: YYYY MM DD hh mm ss, MMM EEE AA Z and others; literals in single "
         "quotes.",
         "formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2018-01-02T23:12:01Z\") => \"02 Jan 2018 23:12 UTC\""},
        .parameters = {{"format", "string", 0}, {"time", "string", 0}},
        .result = "string",
        .body = formatdate_value},
    {.info = {"plantimestamp", "plantimestamp()",
         "When the plan was made, in UTC; the same in plan and apply.",
         "timecmp(plantimestamp(), timestamp()) => -1"},
        .result = "string",
        .body = plantimestamp_value},
    {.info = {"timeadd", "timeadd(timestamp, duration)",
         "A timestamp moved by a duration such as \"-1h30m\".",
         "timeadd(\"2017-11-22T00:00:00Z\", \"10m\") => \"2017-11-22T00:10:00Z\""},
        .parameters = {{"timestamp", "string", 0}, {"duration", "string", 0}},
        .result = "string",
        .body = timeadd_value},
    {.info = {"timecmp", "timecmp(timestamp_a, timestamp_b)",
         "-1, 0 or 1: whether a is before, at or after b.",
         "timecmp(\"2017-11-22T00:00:00Z\", \"2017-11-22T01:00:00+01:00\") => 0"},
        .parameters = {{"timestamp_a", "string", 0}, {"timestamp_b", "string", 0}},
        .result = "number",
        .body = timecmp_value},
    {.info = {"timestamp", "timestamp()", "The time of evaluation in UTC; unknown while planning.",
         "timecmp(timestamp(), \"2020-01-01T00:00:00Z\") => 1"},
        .result = "string",
        .body = timestamp_value},
    {.info = {0}},
};
