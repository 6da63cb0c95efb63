/* One line per message, written with a single write so that lines of processes do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static enum log_level threshold = LOG_WARN; /* set once, before any thread starts */
static const char *const names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
        threshold = level;
}

bool log_parse_level(const char *name, enum log_level *level)
{
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
                if (strcmp(names[i], name) == 0) {
                        *level = (enum log_level)i;
                        return true;
                }
        }
        return false;
}

bool log_enabled(enum log_level level)
{
        return level <= threshold;
}

void log_at(enum log_level level, const char *fmt, ...)
{
        if (!log_enabled(level)) return;
        char now[CLOCK_TEXT];
        clock_text(clock_wall_ms(), now);
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        for (char *c = message; *c != '\0'; c++)
                if ((unsigned char)*c < 0x20) *c = ' '; /* no forged lines, no terminal escapes */
        cleanup_free char *line = mem_printf("%s %s %s\n", now, names[level], message);
        if (write(STDERR_FILENO, line, strlen(line)) < 0) return; /* nowhere left to complain */
}
