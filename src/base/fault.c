/* Deterministic fault injection, switched on by the environment; see fault.h. */
#include "base/fault.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum mode { OFF, COUNT, FAIL, KILL, STOP };

static struct {
        enum mode mode;
        unsigned long target;
        unsigned long passed;
        int fd;
} fault;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void configure(void)
{
        const char *setting = getenv("TUTTI_FAULT");
        if (setting == NULL) return;
        if (strncmp(setting, "count:", 6) == 0) {
                fault.fd = open(setting + 6, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                if (fault.fd >= 0) fault.mode = COUNT;
        } else if (strncmp(setting, "fail:", 5) == 0) {
                fault.mode = FAIL;
                fault.target = strtoul(setting + 5, NULL, 10);
        } else if (strncmp(setting, "kill:", 5) == 0) {
                fault.mode = KILL;
                fault.target = strtoul(setting + 5, NULL, 10);
        } else if (strncmp(setting, "stop:", 5) == 0) {
                fault.mode = STOP;
                fault.target = strtoul(setting + 5, NULL, 10);
        }
}

bool fault_here(const char *point)
{
        pthread_once(&once, configure);
        if (fault.mode == OFF) return false;
        unsigned long number = __atomic_add_fetch(&fault.passed, 1, __ATOMIC_SEQ_CST);
        if (fault.mode == COUNT) {
                char line[128];
                size_t len = strnlen(point, sizeof line - 2);
                memcpy(line, point, len);
                line[len++] = '\n';
                return write(fault.fd, line, len) < 0;
        }
        if (number != fault.target) return false;
        if (fault.mode == FAIL) return true;
        kill(getpid(), fault.mode == KILL ? SIGKILL : SIGSTOP);
        return false;
}
