/* The chart of a run: within its width, plain where it has to be, cut to what matters. */
#include "cli/timeline.h"

#include <string.h>

#include "tap.h"

static const struct run_row run = {.id = (char *)"r1", .started_ms = 1000000, .ended_ms = 1010000};

static struct step_row step(
    int64_t index, const char *address, const char *action, const char *status, int64_t from, int64_t until)
{
        return (struct step_row){.index = index,
            .address = (char *)address,
            .type = (char *)"value",
            .action = (char *)action,
            .status = (char *)status,
            .started_ms = from < 0 ? 0 : 1000000 + from,
            .ended_ms = until < 0 ? 0 : 1000000 + until};
}

static char *chart(const struct step_row *steps, size_t count, unsigned width, bool unicode, bool all)
{
        struct timeline t = {&run, steps, count, 1010000, width, all, unicode};
        struct text out = {0};
        timeline_render(&t, &out);
        return text_steal(&out);
}

static void lines(void)
{
        struct step_row steps[] = {step(0, "a", "create", "done", 0, 5000),
            step(1, "go", "gate", "done", 5000, 9000), step(2, "b", "create", "failed", 9000, 10000),
            step(3, "c", "create", "skipped", -1, -1)};
        steps[2].attempts = 2;
        steps[2].message = (char *)"no\033[31m way\n";
        cleanup_free char *text = chart(steps, 4, 67, false, false);
        is_str(text,
            "  done    a        create      +0ms |##########          | 5.0s\n"
            "  done    go       gate       +5.0s |          ........  | 4.0s\n"
            "  failed  b        create     +9.0s |                  ##| 1.0s (2 retries)\n"
            "          no\\x1b[31m way\\n\n"
            "  skipped c        create           |                    |\n",
            "work, waiting, a failure with its reason, and what never began");
        cleanup_free char *wide = chart(steps, 4, 67, true, false);
        ok(strstr(wide, "██████████ ") != NULL && strstr(wide, "░░░░") != NULL, "in Unicode with blocks");
}

static void odd(void)
{
        struct step_row steps[] = {
            step(0, "a-very-long-address-that-goes-on-and-on-and-on/and-on[\"\xc3\xa4\xc3\xb6\xc3\xbc\"]",
                "create", "done", 0, -500),
            step(1, "\x1b]0;x\x07", "create", "running", 9000, -1)};
        cleanup_free char *text = chart(steps, 2, 60, false, false);
        ok(strchr(text, '\x1b') == NULL && strchr(text, '\x07') == NULL,
            "nothing plays tricks on the terminal");
        ok(strchr(text, '~') != NULL, "a long address is cut");
        size_t longest = 0, n = 0;
        for (const char *p = text; *p != '\0'; p++) {
                n = *p == '\n' ? 0 : n + 1;
                if (n > longest) longest = n;
        }
        ok(longest <= 70, "lines stay short: %zu", longest);
        cleanup_free char *none = chart(steps, 0, 60, false, false);
        is_str(none, "", "a run without steps has no chart");
}

static size_t count_lines(const char *text)
{
        size_t n = 0;
        for (; *text != '\0'; text++) n += *text == '\n';
        return n;
}

static void cut(void)
{
        enum { COUNT = 1000 };
        static struct step_row steps[COUNT];
        for (int i = 0; i < COUNT; i++)
                steps[i] = step(i,
                    i == 700   ? "slow"
                    : i == 800 ? "bad"
                               : "x",
                    "create", i == 800 ? "failed" : "done", i, i == 700 ? 9000 : i + 1);
        cleanup_free char *text = chart(steps, COUNT, 100, false, false);
        is_int(count_lines(text), TIMELINE_SHOWN + 1, "a long run is cut");
        ok(strstr(text, " slow ") != NULL && strstr(text, " bad ") != NULL, "to what matters");
        ok(strstr(text, "and 960 more: 960 done; --all shows them\n") != NULL, "with a count of the rest");
        cleanup_free char *all = chart(steps, COUNT, 100, false, true);
        is_int(count_lines(all), COUNT, "or shown as a whole");
}

int main(void)
{
        lines();
        odd();
        cut();
        return done();
}
