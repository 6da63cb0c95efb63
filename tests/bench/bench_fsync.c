/*
 * How often a second the disk can be made to keep something: appends 4 kB to a file of its own and waits for fdatasync(2), again and again,
 * as a write-ahead log does. What commits cannot be faster than this.
 *
 *     bench_fsync [SECONDS]      in the current folder; prints one number
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
        static const char block[4096];
        double seconds = argc > 1 ? strtod(argv[1], NULL) : 2, begin = now();
        int fd = open("bench_fsync.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        long syncs = 0;
        while (fd >= 0 && now() - begin < seconds) {
                if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) < 0) break;
                syncs++;
        }
        bool failed = fd < 0 || now() - begin < seconds;
        if (failed) fprintf(stderr, "bench_fsync: %s\n", strerror(errno));
        unlink("bench_fsync.tmp");
        printf("%.0f\n", (double)syncs / (now() - begin));
        return failed;
}
