/* Clocks and the texts of instants and durations; see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_ms(clockid_t id)
{
        struct timespec ts;
        clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
        return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
        return read_ms(CLOCK_BOOTTIME);
}

/* ---- what is read once ---- */

static struct {
        char boot_id[64];
        const char *offset_file;
        int64_t offset_ms;
} fixed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t read_line(const char *path, char *out, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);
        if (fd >= 0) close(fd);
        out[len > 0 ? len : 0] = '\0';
        out[strcspn(out, "\n")] = '\0';
        return strlen(out);
}

static int64_t offset_parse(const char *text)
{
        int64_t ms = 0;
        bool back = *text == '-';
        if (*text == '-' || *text == '+') text++;
        return !duration_parse(text, &ms) ? 0 : back ? -ms : ms;
}

static void read_fixed(void)
{
        read_line("/proc/sys/kernel/random/boot_id", fixed.boot_id, sizeof fixed.boot_id);
        const char *offset = getenv("TUTTI_CLOCK_OFFSET");
        if (offset == NULL) return;
        if (*offset == '@')
                fixed.offset_file = offset + 1;
        else
                fixed.offset_ms = offset_parse(offset);
}

const char *clock_boot_id(void)
{
        pthread_once(&once, read_fixed);
        return fixed.boot_id;
}

int64_t clock_wall_ms(void)
{
        pthread_once(&once, read_fixed);
        char text[32];
        int64_t offset = fixed.offset_ms;
        if (fixed.offset_file != NULL && read_line(fixed.offset_file, text, sizeof text) > 0)
                offset = offset_parse(text);
        return read_ms(CLOCK_REALTIME) + offset;
}

void clock_text(int64_t wall_ms, char *out)
{
        int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
        if (ms < 0) {
                seconds--;
                ms += 1000;
        }
        time_t t = (time_t)seconds;
        struct tm tm;
        if (gmtime_r(&t, &tm) == NULL) memset(&tm, 0, sizeof tm);
        char date[24];
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(out, CLOCK_TEXT, "%s.%03dZ", date, (int)ms);
}

bool clock_parse(const char *text, int64_t *wall_ms)
{
        struct tm tm = {0};
        const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (p == NULL) return false;
        int64_t ms = 0;
        if (*p == '.') {
                int64_t unit = 100;
                for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10) ms += (*p - '0') * unit;
        }
        int64_t offset = 0;
        if (*p == '+' || *p == '-') {
                int hours, minutes, used = 0;
                if (sscanf(p + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || p[1 + used] != '\0')
                        return false;
                offset = (hours * 60 + minutes) * 60 * (*p == '-' ? -1 : 1);
        } else if (strcmp(p, "Z") != 0) {
                return false;
        }
        *wall_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
        return true;
}

static double unit_ms(const char *unit, size_t len)
{
        static const struct {
                const char *name;
                double ms;
        } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (strlen(units[i].name) == len && memcmp(units[i].name, unit, len) == 0) return units[i].ms;
        return 0;
}

bool duration_parse(const char *text, int64_t *ms)
{
        double total = 0;
        if (*text == '\0') return false;
        while (*text != '\0') {
                if (*text < '0' || *text > '9') return false;
                char *end;
                double number = strtod(text, &end);
                size_t len = strcspn(end, "0123456789");
                double unit = unit_ms(end, len);
                if (unit == 0) return false;
                total += number * unit;
                if (total > 3652.0 * 8.64e7) return false;
                text = end + len;
        }
        *ms = (int64_t)(total + 0.5);
        return true;
}

void duration_text(int64_t ms, char *out)
{
        int64_t s = ms / 1000;
        if (ms < 1000)
                snprintf(out, CLOCK_TEXT, "%" PRId64 "ms", ms);
        else if (s < 60)
                snprintf(out, CLOCK_TEXT, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
        else if (s < 3600)
                snprintf(out, CLOCK_TEXT, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
        else
                snprintf(out, CLOCK_TEXT, "%" PRId64 "h %02" PRId64 "m", s / 3600, s / 60 % 60);
}
