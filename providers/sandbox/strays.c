/* A walk through /proc; see strays.h. */
#include "providers/sandbox/strays.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/text.h"

enum { ENVIRONMENT_MAX = 256 * 1024, ROUNDS = 20 };

/* The environment that a process was started with: texts that each end in NUL. Empty when it is not ours to read. */
static void read_environment(const char *pid, struct text *out)
{
        char path[64], buffer[16 * 1024];
        snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        for (ssize_t n; out->len < ENVIRONMENT_MAX && (n = read(fd, buffer, sizeof buffer)) > 0;)
                text_addn(out, buffer, (size_t)n);
        close(fd);
}

static bool lives_in(const char *pid, const char *root)
{
        bool found = false;
        struct text environment = {0};
        size_t len = strlen(root);
        read_environment(pid, &environment);
        for (size_t at = 0; at < environment.len && !found; at += strlen(environment.data + at) + 1) {
                const char *value = environment.data + at;
                if (strncmp(value, "HOST_ROOT=", 10) != 0 || strncmp(value + 10, root, len) != 0) continue;
                found = value[10 + len] == '\0' || value[10 + len] == '/';
        }
        text_release(&environment);
        return found;
}

/* One round; the number of processes that were hit. */
static int kill_round(const char *root)
{
        int hit = 0;
        DIR *proc = opendir("/proc");
        if (proc == NULL) return 0;
        for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
                if (!isdigit((unsigned char)entry->d_name[0])) continue;
                pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
                if (pid == getpid() || !lives_in(entry->d_name, root)) continue;
                if (kill(pid, SIGKILL) == 0) hit++;
        }
        closedir(proc);
        return hit;
}

/* A process may start another one during the walk, so rounds go on until one hits nothing. A zombie has no environment. */
void sandbox_strays_kill(const char *root)
{
        for (int i = 0; i < ROUNDS && kill_round(root) > 0; i++) usleep(1000);
}
