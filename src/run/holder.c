/* Who holds a lease; see holder.h. */
#include "run/holder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/file.h"
#include "run/session.h"

/* 1: it runs, since *started (to be freed); 0: there is no such process; -1: that cannot be told. */
static int process_start_time(long pid, char **started)
{
        char path[64];
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        struct text stat __attribute__((__cleanup__(text_release_cleanup))) = {0};
        cleanup(error_free) struct error *err = NULL;
        *started = NULL;
        /* A process that ends while it is read about says so with ESRCH, which is no answer yet. */
        if (file_read(path, 1 << 16, &stat, &err) < 0) return error_kind(err) == ERROR_MISSING ? 0 : -1;
        const char *p = stat.data ? strrchr(stat.data, ')') : NULL; /* the name before it may hold anything */
        if (p == NULL || p[1] == '\0') return -1;
        if (p[2] == 'Z') return 0;
        for (int field = 2; field < 22 && p != NULL; field++) p = strchr(p + 1, ' ');
        if (p == NULL) return -1;
        *started = mem_strndup(p + 1, strcspn(p + 1, " "));
        return 1;
}

static char *boot_id(void)
{
        struct text id = {0};
        if (file_read("/proc/sys/kernel/random/boot_id", 256, &id, NULL) < 0) text_clear(&id);
        char *s = text_steal(&id);
        s[strcspn(s, "\n")] = '\0';
        return s;
}

char *holder_text(void)
{
        char host[256] = "localhost";
        gethostname(host, sizeof host - 1);
        cleanup_free char *user = session_user(), *boot = boot_id(), *started = NULL;
        process_start_time(getpid(), &started);
        return mem_printf("%s@%s (pid %ld, started %s, boot %s)", user, host, (long)getpid(),
            started ? started : "?", boot);
}

/* False for one of another machine or boot. `started` has room for 32 bytes. */
static bool is_ours(const char *holder, long *pid, char *started)
{
        const char *at = strstr(holder, " (pid ");
        char boot[64];
        if (at == NULL || sscanf(at, " (pid %ld, started %31[0-9], boot %63[^)])", pid, started, boot) != 3)
                return false;
        cleanup_free char *our_boot = boot_id();
        return *our_boot != '\0' && strcmp(our_boot, boot) == 0;
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
