/*
 * The guard of local commands; see guard.h. Functions stand in order of time: start, the guard's own life, what it is told, waiting.
 *
 * It is forked, not executed: there may be threads, so from the fork on it calls only what is safe in a signal handler, and its
 * memory is there before. It has no descriptors but the pipe's end and the lock, a session of its own, and keeps all signals
 * blocked: what a terminal or an operator sends to all of us is not meant for it.
 */
#include "io/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { TERM_TO_KILL_MS = 5000, LOOK_AGAIN_MS = 10 };

struct guard {
        pid_t pid;
        int pipe; /* to it: a group that starts, or one that is over as a negative number */
        size_t count;
};

/* The guard's own; in the memory of the process that it is forked from it stays empty. */
struct wards {
        pid_t groups[GUARD_GROUPS_MAX];
        struct pollfd leaders[GUARD_GROUPS_MAX]; /* readable when the leader has ended */
        size_t count;
};

/* ---- start ---- */

static struct flock byte_of(long pid, short type)
{
        return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = pid, .l_len = 1};
}

/* A shared lock: where namespaces share a store, two processes may have one number. */
static int lock_byte(const char *lock_file)
{
        int fd = lock_file ? open(lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        struct flock lock = byte_of(getpid(), F_RDLCK);
        if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) == 0) return fd;
        close(fd);
        return -1;
}

static void guard_live(struct wards *wards, const int fds[2], int lock) __attribute__((__noreturn__));

int guard_start(const char *lock_file, struct guard **ret, struct error **err)
{
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) < 0) return error_system(err, errno, "guard commands");
        struct wards *wards = mem_alloc(sizeof *wards);
        int lock = lock_byte(lock_file);
        /* A signal would run our handlers in it, which write where we read. */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pid_t pid = fork();
        int errnum = errno;
        if (pid == 0) guard_live(wards, fds, lock);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        free(wards);
        close(fds[0]);
        if (lock >= 0) close(lock); /* the guard has it */
        if (pid < 0) {
                close(fds[1]);
                return error_system(err, errnum, "guard commands");
        }
        *ret = mem_alloc(sizeof **ret);
        **ret = (struct guard){.pid = pid, .pipe = fds[1]};
        return 0;
}

/* ---- the guard's own life: only calls that are safe after fork ---- */

/* What is open above `after` and below `before`. */
static void close_between(int after, int before)
{
        enum { MANY = 1 << 16 };
        if (before <= after + 1) return;
        if (syscall(SYS_close_range, (unsigned)after + 1, (unsigned)before - 1, 0) == 0) return;
        for (int fd = after + 1; fd < before && fd < MANY; fd++) close(fd); /* Linux before 5.9 */
}

static void leave_the_rest(int pipe, int lock)
{
        int low = pipe < lock ? pipe : lock, high = pipe < lock ? lock : pipe;
        setsid();
        prctl(PR_SET_NAME, "tutti-guard");
        close_between(-1, low < 0 ? high : low);
        if (low >= 0) close_between(low, high);
        close_between(high, INT_MAX);
        if (chdir("/") < 0) return; /* it would only keep a folder busy */
}

static void hear(struct wards *w, pid_t group)
{
        if (group > 1 && w->count < GUARD_GROUPS_MAX) w->groups[w->count++] = group;
        if (group >= 0) return;
        for (size_t i = 0; i < w->count; i++) {
                if (w->groups[i] != -group) continue;
                w->groups[i] = w->groups[--w->count];
                return;
        }
}

/* Until nobody holds the other end any more. */
static void listen_to(struct wards *w, int pipe)
{
        pid_t told[64]; /* each is written at once, so none is read by halves */
        for (;;) {
                ssize_t n = read(pipe, told, sizeof told);
                if (n == 0 || (n < 0 && errno != EINTR)) return;
                for (size_t i = 0; n > 0 && i < (size_t)n / sizeof *told; i++) hear(w, told[i]);
        }
}

static long now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void kill_group(struct wards *w, size_t i)
{
        kill(-w->groups[i], SIGKILL);
        close(w->leaders[i].fd);
        w->leaders[i] = w->leaders[w->count - 1];
        w->groups[i] = w->groups[--w->count];
}

static void end_groups(struct wards *w)
{
        long deadline = now_ms() + TERM_TO_KILL_MS, left = TERM_TO_KILL_MS;
        for (size_t i = w->count; i-- > 0;) {
                int fd = (int)syscall(SYS_pidfd_open, w->groups[i], 0);
                w->leaders[i] = (struct pollfd){.fd = fd, .events = POLLIN};
                kill(-w->groups[i], SIGTERM);
                kill(-w->groups[i], SIGCONT); /* a stopped one would not hear of it */
        }
        while (w->count > 0 && left > 0) {
                for (size_t i = w->count; i-- > 0;)
                        if (w->leaders[i].fd < 0) kill_group(w, i); /* its end cannot be waited for */
                if (w->count == 0 || (poll(w->leaders, w->count, (int)left) < 0 && errno != EINTR)) break;
                for (size_t i = w->count; i-- > 0;)
                        if (w->leaders[i].revents != 0) kill_group(w, i);
                left = deadline - now_ms();
        }
        while (w->count > 0) kill_group(w, w->count - 1);
}

static void guard_live(struct wards *wards, const int fds[2], int lock)
{
        close(fds[1]); /* or its end would never come */
        leave_the_rest(fds[0], lock);
        listen_to(wards, fds[0]);
        end_groups(wards);
        _exit(0);
}

/* ---- what it is told ---- */

static int tell(struct guard *guard, pid_t what)
{
        ssize_t n;
        do n = write(guard->pipe, &what, sizeof what);
        while (n < 0 && errno == EINTR);
        return n == sizeof what ? 0 : -1;
}

int guard_add(struct guard *guard, pid_t group, struct error **err)
{
        if (guard->count >= GUARD_GROUPS_MAX)
                return error_set(
                    err, ERROR_SYSTEM, NULL, "more than %d commands run at once", GUARD_GROUPS_MAX);
        if (tell(guard, group) < 0)
                return error_system(err, errno, "guard a command (process %ld)", (long)guard->pid);
        guard->count++;
        return 0;
}

void guard_remove(struct guard *guard, pid_t group)
{
        tell(guard, -group); /* a guard that is gone has nothing to forget */
        guard->count--;
}

void guard_free(struct guard *guard)
{
        if (guard == NULL) return;
        close(guard->pipe);
        while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR) continue;
        free(guard);
}

/* ---- waiting ---- */

int guard_await(const char *lock_file, long pid, long ms, struct error **err)
{
        int fd = open(lock_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) return 0; /* nothing was run here */
        int64_t deadline = clock_monotonic_ms() + ms;
        struct flock lock = byte_of(pid, F_WRLCK);
        int result;
        /* The kernel has no wait for a lock that ends by itself, and a guard that somebody stopped would be waited for for ever. */
        while ((result = fcntl(fd, F_OFD_SETLK, &lock)) < 0 && (errno == EAGAIN || errno == EACCES) &&
               clock_monotonic_ms() < deadline)
                nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN_MS * 1000000L}, NULL);
        bool held = result < 0 && (errno == EAGAIN || errno == EACCES);
        close(fd);
        if (!held) return 0;
        return error_set(err, ERROR_BUSY, NULL,
            "commands that process %ld ran are being ended still, although it is gone", pid);
}
