/*
 * Runs a command and says what it cost as a whole process: wall seconds, CPU seconds (user and system) and peak resident memory in
 * kB, each the mean over the runs except the memory, which is the largest. time(1) is not on every machine, and rounds to 10 ms.
 *
 *     bench_measure [-n RUNS] [-t SECONDS] COMMAND [ARGUMENT...]
 *
 * The command's standard output is discarded; the figures are one line on ours. Exit code: the command's first one that is not 0;
 * 124 when a run took longer than -t allows and was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct cost {
        double wall, cpu;
        long peak;
        int code;
};

static double seconds(struct timeval t)
{
        return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void child(char **command, const sigset_t *mask)
{
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0) _exit(126);
        sigprocmask(SIG_SETMASK, mask, NULL);
        execvp(command[0], command);
        fprintf(stderr, "run %s: %s\n", command[0], strerror(errno));
        _exit(127);
}

/* Waits for the child with SIGCHLD blocked. An alarm of the child's own would not do: some programs ignore it. */
static bool overdue(const sigset_t *chld, long limit)
{
        struct timespec rest = {.tv_sec = limit};
        if (limit == 0) return false;
        double end = now() + (double)limit;
        while (sigtimedwait(chld, NULL, &rest) < 0) {
                if (errno == EAGAIN) return true;
                double left = end - now();
                if (left < 0) return true;
                rest.tv_sec = (time_t)left;
                rest.tv_nsec = (long)((left - (double)rest.tv_sec) * 1e9);
        }
        return false;
}

static struct cost measure(char **command, long limit)
{
        struct cost cost = {.code = 126};
        struct rusage usage;
        sigset_t chld, before;
        int status;
        sigemptyset(&chld);
        sigaddset(&chld, SIGCHLD);
        sigprocmask(SIG_BLOCK, &chld, &before);
        double begin = now();
        pid_t pid = fork();
        if (pid == 0) child(command, &before);
        if (pid < 0) return cost;
        bool killed = overdue(&chld, limit);
        if (killed) kill(pid, SIGKILL);
        if (wait4(pid, &status, 0, &usage) < 0) return cost;
        cost.wall = now() - begin;
        sigprocmask(SIG_SETMASK, &before, NULL);
        cost.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
        cost.peak = usage.ru_maxrss;
        if (WIFEXITED(status)) cost.code = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) cost.code = killed ? 124 : 128 + WTERMSIG(status);
        return cost;
}

int main(int argc, char **argv)
{
        long runs = 1, limit = 0;
        int option;
        while ((option = getopt(argc, argv, "+n:t:")) != -1) {
                if (option == 'n') runs = strtol(optarg, NULL, 10);
                if (option == 't') limit = strtol(optarg, NULL, 10);
        }
        if (optind >= argc || runs < 1 || limit < 0) {
                fprintf(stderr, "usage: bench_measure [-n RUNS] [-t SECONDS] COMMAND [ARGUMENT...]\n");
                return 126;
        }
        struct cost sum = {0};
        for (long i = 0; i < runs && sum.code == 0; i++) {
                struct cost one = measure(argv + optind, limit);
                sum.wall += one.wall;
                sum.cpu += one.cpu;
                sum.code = one.code;
                if (one.peak > sum.peak) sum.peak = one.peak;
        }
        printf("%.6f %.6f %ld\n", sum.wall / (double)runs, sum.cpu / (double)runs, sum.peak);
        return sum.code;
}
