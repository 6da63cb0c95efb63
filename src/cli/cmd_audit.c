/* tutti audit: verifies the event log's chain, and prints who did what on whose approval. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

static void print_event(const struct options *o, const struct event_row *e)
{
        char when[CLOCK_TEXT];
        clock_text(e->time_ms, when);
        if (o->json)
                printf("{\"seq\":%lld,\"time\":\"%s\",\"run\":\"%s\",\"event\":\"%s\",\"data\":%s,\"hash\":"
                       "\"%s\"}\n",
                    (long long)e->seq, when, e->run ? e->run : "", e->kind, e->data, e->hash);
        else
                printf("%6lld  %s  %-6s %-14s %s\n", (long long)e->seq, when, e->run ? e->run : "", e->kind,
                    e->data);
}

int cmd_audit(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        if (s == NULL) return code;
        struct event_row *events;
        size_t count, checked = 0;
        if (store_events(session_store(s), session_name(s), NULL, &events, &count, &err) < 0)
                return print_error(o, err);
        for (size_t i = 0; i < count; i++) print_event(o, &events[i]);
        event_rows_free(events, count);
        if (store_verify(session_store(s), session_name(s), &checked, &err) < 0) {
                print_error(o, err);
                return EXIT_FAILED;
        }
        if (!o->json) printf("The chain of %zu events holds.\n", checked);
        return EXIT_DONE;
}
