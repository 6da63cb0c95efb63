/*
 * Time: two clocks, and the texts in which people write instants and durations.
 *
 * Deadlines, backoff and latencies use the monotonic clock; what is recorded uses the wall clock.
 * (Named clock, as <time.h> would be shadowed by a time.h of ours.)
 */
#ifndef TUTTI_BASE_CLOCK_H
#define TUTTI_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void);
/* Since the machine was started, and on while it sleeps: what a lease's age is measured by. The same for all processes of a boot. */
int64_t clock_boot_ms(void);
/* Names this boot of this machine; "" when it cannot be told. */
const char *clock_boot_id(void);
/*
 * Since 1970-01-01T00:00:00Z. For tests, TUTTI_CLOCK_OFFSET moves it: "1d", "-90m", or "@FILE" with such a text in it, read at each call,
 * so that the clock can jump while the program runs.
 */
int64_t clock_wall_ms(void);

/* "2026-11-23T21:45:01.123Z" (RFC 3339, UTC, milliseconds). `out` has room for CLOCK_TEXT bytes. */
enum { CLOCK_TEXT = 32 };
void clock_text(int64_t wall_ms, char *out);
bool clock_parse(const char *text, int64_t *wall_ms); /* RFC 3339 with any offset */

/* "250ms", "1.5s", "10m", "2h30m", "1d" to milliseconds; units ms s m h d w. False when malformed or over
 * ten years. A bare number is not a duration. */
bool duration_parse(const char *text, int64_t *ms);
/* For people: "85ms", "4.2s", "1m 05s", "2h 10m". `out` has room for CLOCK_TEXT bytes. */
void duration_text(int64_t ms, char *out);

#endif
