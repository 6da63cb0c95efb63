/*
 * Instants with the offset they were written with, for the date functions. Internal to lang/.
 */
#ifndef TUTTI_LANG_INSTANT_H
#define TUTTI_LANG_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

struct instant {
        int64_t seconds; /* since 1970-01-01T00:00:00Z */
        int32_t nanos;   /* 0 .. 999999999 */
        int offset;      /* of its time zone, in seconds east of Greenwich */
};

/* Its parts in its own time zone. */
struct instant_parts {
        int64_t year;
        int month, day, hour, minute, second; /* months and days from 1 */
        int weekday;                          /* 0 is Sunday */
};
void instant_parts(const struct instant *i, struct instant_parts *parts);

/* RFC 3339, strictly; `wide` takes offsets up to 24:60, as timecmp does. On failure says what is wrong, in a constant
 * text. */
const char *instant_parse(const char *s, size_t len, bool wide, struct instant *i);
/* The timestamps of YAML: also without a time, or with a blank in place of T and then in UTC. */
bool instant_parse_loose(const char *s, size_t len, struct instant *i);

/* Appends RFC 3339 in whole seconds, with the instant's own offset. */
void instant_text(const struct instant *i, struct text *out);

/* A duration such as "-1h30m" or "1.5s", with units ns us µs ms s m h, in nanoseconds. */
bool duration_parse_nanos(const char *s, size_t len, int64_t *nanos);

#endif
