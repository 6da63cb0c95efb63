/* An event of the log in words: who did what to what, and why. Internal to cli/. */
#ifndef TUTTI_CLI_EVENT_WORDS_H
#define TUTTI_CLI_EVENT_WORDS_H

#include "base/text.h"
#include "state/store.h"

/* Appends one line without control characters. */
void event_words(const struct event_row *e, struct text *out);
/* Is it only the log's witness of another row, of which people need not read? */
bool event_is_technical(const struct event_row *e);

#endif
