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

/* The child's own alarm ends it: it survives exec, and no timer of ours can hit another process. */
static void child(char **command, unsigned limit)
{
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0) _exit(126);
        alarm(limit);
        execvp(command[0], command);
        fprintf(stderr, "run %s: %s\n", command[0], strerror(errno));
        _exit(127);
}

static struct cost measure(char **command, unsigned limit)
{
        struct cost cost = {.code = 126};
        struct rusage usage;
        int status;
        double begin = now();
        pid_t pid = fork();
        if (pid == 0) child(command, limit);
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) return cost;
        cost.wall = now() - begin;
        cost.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
        cost.peak = usage.ru_maxrss;
        if (WIFEXITED(status)) cost.code = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) cost.code = WTERMSIG(status) == SIGALRM ? 124 : 128 + WTERMSIG(status);
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
                struct cost one = measure(argv + optind, (unsigned)limit);
                sum.wall += one.wall;
                sum.cpu += one.cpu;
                sum.code = one.code;
                if (one.peak > sum.peak) sum.peak = one.peak;
        }
        printf("%.6f %.6f %ld\n", sum.wall / (double)runs, sum.cpu / (double)runs, sum.peak);
        return sum.code;
}
