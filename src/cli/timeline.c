/* A run's chart; see timeline.h. */
#include "cli/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/print.h"

enum { ADDRESS_MAX = 40, BAR_MIN = 10, BAR_MAX = 80, OFFSET = 9, DURATION = 8 };

unsigned timeline_width(void)
{
        const char *columns = getenv("COLUMNS");
        struct winsize size = {0};
        unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;
        if (width == 0 && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
                width = size.ws_col;
        if (width == 0) width = 100;
        return width < TIMELINE_WIDTH_MIN   ? TIMELINE_WIDTH_MIN
               : width > TIMELINE_WIDTH_MAX ? TIMELINE_WIDTH_MAX
                                            : (unsigned)width;
}

bool timeline_unicode(void)
{
        static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                const char *locale = getenv(names[i]);
                if (locale == NULL || *locale == '\0') continue;
                return strcasestr(locale, "utf-8") != NULL || strcasestr(locale, "utf8") != NULL;
        }
        return false;
}

/* --- which steps, in which order ------------------------------------------------------------------------------------- */

static bool is(const struct step_row *s, const char *status)
{
        return strcmp(s->status, status) == 0;
}

static int64_t end_of(const struct timeline *t, const struct step_row *s)
{
        if (s->started_ms == 0) return 0;
        if (s->ended_ms > 0)
                return s->ended_ms > s->started_ms ? s->ended_ms : s->started_ms; /* clocks may go back */
        return is(s, "running") || is(s, "waiting") ? t->now_ms : s->started_ms;
}

struct line {
        const struct step_row *step;
        int64_t took;
};

static int weight(const struct step_row *s)
{
        return is(s, "failed") ? 3 : is(s, "running") || is(s, "waiting") ? 2 : s->started_ms > 0 ? 1 : 0;
}

static int by_weight(const void *a, const void *b)
{
        const struct line *x = a, *y = b;
        int wx = weight(x->step), wy = weight(y->step);
        if (wx != wy) return wx > wy ? -1 : 1;
        if (x->took != y->took) return x->took > y->took ? -1 : 1;
        return x->step->index < y->step->index ? -1 : 1;
}

/* What never began stands behind what did. */
static int by_time(const void *a, const void *b)
{
        const struct step_row *x = ((const struct line *)a)->step, *y = ((const struct line *)b)->step;
        bool began_x = x->started_ms > 0, began_y = y->started_ms > 0;
        if (began_x != began_y) return began_x ? -1 : 1;
        if (x->started_ms != y->started_ms) return x->started_ms < y->started_ms ? -1 : 1;
        return x->index < y->index ? -1 : 1;
}

/* --- the chart ------------------------------------------------------------------------------------------------------- */

struct chart {
        const struct timeline *t;
        int64_t from, span;
        size_t status, address, action, bar; /* columns */
};

/* Columns that a text takes, a letter counting as one. */
static size_t columns(const char *s)
{
        size_t n = 0;
        for (; *s != '\0'; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
        return n;
}

/* Cut or filled to `width` columns, as print.h shows what comes from outside. */
static void add_cell(struct text *out, const char *text, size_t width, bool unicode)
{
        struct text shown __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add_shown(&shown, text);
        const char *s = shown.data ? shown.data : "";
        size_t len = columns(s), n = 0;
        for (; *s != '\0' && (n < width - 1 || len <= width); n++) {
                size_t bytes = 1;
                while (((unsigned char)s[bytes] & 0xc0) == 0x80) bytes++;
                text_addn(out, s, bytes);
                s += bytes;
        }
        if (*s != '\0') {
                text_add(out, unicode ? "…" : "~");
                n++;
        }
        for (; n < width; n++) text_addc(out, ' ');
}

static struct chart layout(const struct timeline *t)
{
        struct chart c = {.t = t, .from = t->run->started_ms, .status = 8, .address = 8, .action = 6};
        int64_t until = t->run->ended_ms;
        for (size_t i = 0; i < t->count; i++) {
                const struct step_row *s = &t->steps[i];
                size_t address = columns(s->address), action = strlen(s->action);
                if (address > c.address) c.address = address;
                if (is(s, "cancelled")) c.status = sizeof "cancelled"; /* and a blank */
                if (action > c.action && action <= 14) c.action = action;
                if (s->started_ms > 0 && s->started_ms < c.from) c.from = s->started_ms;
                if (end_of(t, s) > until) until = end_of(t, s);
        }
        if (c.address > ADDRESS_MAX) c.address = ADDRESS_MAX;
        if (c.address > t->width / 3) c.address = t->width / 3;
        c.span = until > c.from ? until - c.from : 1;
        /* two spaces, status, address, action, offset, bar between its ends, duration */
        size_t fixed = 2 + c.status + c.address + 1 + c.action + 1 + OFFSET + 1 + 2 + 1 + DURATION;
        size_t room = t->width > fixed ? t->width - fixed : 0;
        c.bar = room < BAR_MIN ? BAR_MIN : room > BAR_MAX ? BAR_MAX : room;
        return c;
}

static void add_right(struct text *out, const char *s, size_t width)
{
        for (size_t n = strlen(s); n < width; n++) text_addc(out, ' ');
        text_add(out, s);
}

/* Waiting for an answer looks different from work. */
static void add_bar(struct text *out, const struct chart *c, const struct step_row *s)
{
        bool unicode = c->t->unicode, gate = strcmp(s->action, "gate") == 0 || is(s, "waiting");
        const char *full = gate ? (unicode ? "░" : ".") : (unicode ? "█" : "#");
        int64_t bar = (int64_t)c->bar, from = bar, until = -1;
        if (s->started_ms > 0) {
                from = (s->started_ms - c->from) * bar / c->span;
                until = (end_of(c->t, s) - c->from) * bar / c->span;
                if (from >= bar) from = bar - 1;
        }
        text_add(out, unicode ? "│" : "|");
        for (int64_t i = 0; i < bar; i++) text_add(out, i >= from && (i < until || i == from) ? full : " ");
        text_add(out, unicode ? "│" : "|");
}

static enum style style_of(const struct step_row *s)
{
        return is(s, "done")      ? STYLE_GREEN
               : is(s, "failed")  ? STYLE_RED
               : is(s, "running") ? STYLE_BOLD
               : is(s, "waiting") ? STYLE_CYAN
                                  : STYLE_DIM;
}

static void add_message(struct text *out, const struct step_row *s)
{
        if (s->message == NULL || *s->message == '\0' || is(s, "done")) return;
        text_add(out, "\n          ");
        text_add_shown(out, s->message);
}

static void add_line(struct text *out, const struct chart *c, const struct line *line)
{
        const struct step_row *s = line->step;
        char offset[CLOCK_TEXT + 1] = "", took[CLOCK_TEXT] = "";
        if (s->started_ms > 0) {
                offset[0] = '+';
                duration_text(s->started_ms - c->from, offset + 1);
                duration_text(line->took, took);
        }
        text_add(out, "  ");
        text_add(out, style_on(style_of(s)));
        add_cell(out, s->status, c->status, c->t->unicode);
        text_add(out, style_off());
        add_cell(out, s->address, c->address, c->t->unicode);
        text_addc(out, ' ');
        add_cell(out, s->action, c->action, c->t->unicode);
        text_addc(out, ' ');
        add_right(out, offset, OFFSET);
        text_addc(out, ' ');
        text_add(out, style_on(style_of(s)));
        add_bar(out, c, s);
        text_add(out, style_off());
        text_addf(out, " %s", took);
        if (s->attempts > 0) text_addf(out, " (%d %s)", s->attempts, s->attempts == 1 ? "retry" : "retries");
        while (out->data[out->len - 1] == ' ') out->data[--out->len] = '\0';
        add_message(out, s);
        text_addc(out, '\n');
}

/* "and 940 more: 938 done, 2 skipped". */
static void add_rest(struct text *out, const struct line *rest, size_t count)
{
        static const char *const statuses[] = {
            "done", "failed", "running", "waiting", "cancelled", "skipped", "pending"};
        const char *separator = ": ";
        text_addf(out, "  and %zu more", count);
        for (size_t k = 0; k < sizeof statuses / sizeof statuses[0]; k++) {
                size_t n = 0;
                for (size_t i = 0; i < count; i++) n += is(rest[i].step, statuses[k]);
                if (n == 0) continue;
                text_addf(out, "%s%zu %s", separator, n, statuses[k]);
                separator = ", ";
        }
        text_add(out, "; --all shows them\n");
}

void timeline_render(const struct timeline *t, struct text *out)
{
        struct chart c = layout(t);
        cleanup_free struct line *lines = mem_alloc((t->count + 1) * sizeof *lines);
        size_t shown = t->count;
        for (size_t i = 0; i < t->count; i++) {
                const struct step_row *s = &t->steps[i];
                lines[i] = (struct line){s, s->started_ms > 0 ? end_of(t, s) - s->started_ms : 0};
        }
        if (!t->all && t->count > TIMELINE_CUT) {
                qsort(lines, t->count, sizeof *lines, by_weight);
                shown = TIMELINE_SHOWN;
        }
        qsort(lines, shown, sizeof *lines, by_time);
        for (size_t i = 0; i < shown; i++) add_line(out, &c, &lines[i]);
        if (shown < t->count) add_rest(out, lines + shown, t->count - shown);
}
