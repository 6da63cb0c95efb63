/* Messages that were not delivered yet; see notify_report.h. */
#include "cli/notify_report.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/print.h"

void notify_json(const struct notification_row *rows, size_t count, struct text *out)
{
        text_addc(out, '[');
        for (size_t i = 0; i < count; i++) {
                const struct notification_row *row = &rows[i];
                char created[CLOCK_TEXT], next[CLOCK_TEXT];
                clock_text(row->created_ms, created);
                clock_text(row->next_ms, next);
                text_add(out, i > 0 ? ",{" : "{");
                text_add_member(out, "delivery", row->id);
                text_add_member(out, "event", row->event);
                text_add_member(out, "target", row->target);
                text_add_member(out, "run", *row->run ? row->run : NULL);
                text_addf(out, ",\"attempts\":%d", row->attempts);
                text_add_member(out, "error", row->error);
                text_add_member(out, "created", created);
                text_add_member(out, "next", next);
                text_addc(out, '}');
        }
        text_addc(out, ']');
}

void notify_print(const struct notification_row *rows, size_t count, const char *file)
{
        for (size_t i = 0; i < count; i++) {
                const struct notification_row *row = &rows[i];
                printf("  %sundelivered%s  ", style_on(STYLE_YELLOW), style_off());
                print_safe(stdout, row->event);
                printf(" to ");
                print_safe(stdout, row->target);
                if (row->attempts > 0)
                        printf(": %d attempt%s", row->attempts, plural((size_t)row->attempts));
                else
                        printf(": not tried yet");
                if (row->error != NULL) {
                        printf(", ");
                        print_safe(stdout, row->error);
                }
                putchar('\n');
        }
        if (count == 0 || file == NULL) return;
        putchar('`');
        print_hint("notify", file);
        printf("` tries again at once.\n");
}
