/*
 * A run as a chart over time: one line for each step, with when it began, a bar, how long it took, and what there is to say.
 * Internal to cli/.
 */
#ifndef TUTTI_CLI_TIMELINE_H
#define TUTTI_CLI_TIMELINE_H

#include <stdbool.h>
#include "base/text.h"
#include "state/store.h"

struct timeline {
        const struct run_row *run;
        const struct step_row *steps;
        size_t count;
        int64_t now_ms; /* until when what has no end goes on; wall clock */
        unsigned width; /* of a line, in columns */
        bool all;       /* every step; else a long run is cut to what matters, with a count of the rest */
        bool unicode;   /* else plain ASCII */
};
enum { TIMELINE_CUT = 50, TIMELINE_SHOWN = 40, TIMELINE_WIDTH_MIN = 60, TIMELINE_WIDTH_MAX = 250 };

/* Appends the chart. Failed steps, what goes on and what took longest are shown first of all; what is shown stands in order of time. */
void timeline_render(const struct timeline *t, struct text *out);

unsigned timeline_width(void); /* of the terminal; COLUMNS overrides; 100 where there is neither */
bool timeline_unicode(void);   /* as the locale says: LC_ALL, LC_CTYPE, LANG */

#endif
