/* The text that a lease is held under, and what it tells of its holder; see holder.h. */
#include "run/holder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/file.h"
#include "run/session.h"

enum { TTL_MS = 30000, TTL_MIN_MS = 1000, TTL_MAX_MS = 3600000 };

/* 1: it runs, since *started (to be freed); 0: there is no such process; -1: that cannot be told. */
static int process_start_time(long pid, char **started)
{
        char path[64];
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        struct text stat __attribute__((__cleanup__(text_release_cleanup))) = {0};
        *started = NULL;
        if (file_read(path, 1 << 16, &stat, NULL) < 0)
                /* /proc may hide the processes of others; the kernel does not. */
                return kill((pid_t)pid, 0) < 0 && errno == ESRCH ? 0 : -1;
        const char *p = stat.data ? strrchr(stat.data, ')') : NULL; /* the name before it may hold anything */
        if (p == NULL || p[1] == '\0') return -1;
        if (p[2] == 'Z') return 0;
        for (int field = 2; field < 22 && p != NULL; field++) p = strchr(p + 1, ' ');
        if (p == NULL) return -1;
        *started = mem_strndup(p + 1, strcspn(p + 1, " "));
        return 1;
}

/* "pid:[4026531836]" */
static void pid_namespace(char *out, size_t size)
{
        ssize_t len = readlink("/proc/self/ns/pid", out, size - 1);
        out[len > 0 ? len : 0] = '\0';
}

char *holder_text(void)
{
        char host[256] = "localhost", space[64];
        gethostname(host, sizeof host - 1);
        pid_namespace(space, sizeof space);
        cleanup_free char *user = session_user(), *started = NULL;
        process_start_time(getpid(), &started);
        return mem_printf("%s@%s (pid %ld, started %s, boot %s, in %s)", user, host, (long)getpid(),
            started ? started : "?", clock_boot_id(), *space ? space : "?");
}

/* False for one of another machine, boot or pid namespace. `started` has room for 32 bytes. */
static bool is_ours(const char *holder, long *pid, char *started)
{
        const char *at = strstr(holder, " (pid ");
        char boot[64], space[64], ours[64];
        if (at == NULL || sscanf(at, " (pid %ld, started %31[0-9], boot %63[^,)], in %63[^)])", pid, started,
                              boot, space) != 4)
                return false;
        pid_namespace(ours, sizeof ours);
        return *pid > 0 && *clock_boot_id() != '\0' && strcmp(clock_boot_id(), boot) == 0 &&
               strcmp(space, ours) == 0;
}

bool holder_is_dead(const char *holder)
{
        long pid;
        char started[32];
        if (!is_ours(holder, &pid, started)) return false;
        cleanup_free char *now = NULL;
        int runs = process_start_time(pid, &now);
        return runs == 0 || (runs == 1 && strcmp(now, started) != 0);
}

long holder_pid(const char *holder)
{
        long pid;
        char started[32];
        return is_ours(holder, &pid, started) ? pid : 0;
}

char *holder_short(const char *holder)
{
        const char *detail = strstr(holder, ", started ");
        bool ours = detail != NULL && strstr(holder, " (pid ") != NULL;
        return ours ? mem_printf("%.*s)", (int)(detail - holder), holder) : mem_strdup(holder);
}

int holder_lease_ttl(int64_t *ms, struct error **err)
{
        const char *text = getenv("TUTTI_LEASE_TTL");
        *ms = TTL_MS;
        if (text == NULL || *text == '\0') return 0;
        if (duration_parse(text, ms) && *ms >= TTL_MIN_MS && *ms <= TTL_MAX_MS) return 0;
        return error_set(err, ERROR_INPUT, NULL,
            "TUTTI_LEASE_TTL is a duration from 1s to 1h, such as 30s, not '%.32s'", text);
}
