/*
 * Whole files. Reading is bounded before memory is taken; writing goes to a sibling that is renamed over, with the
 * folder synced as well, so that a crash cannot leave a part or lose the name.
 */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/folder.h"

static inline void close_fd_cleanup(int *fd)
{
        if (*fd >= 0) close(*fd);
}

static int file_error(struct error **err, int errnum, const char *verb, const char *path)
{
        enum error_kind kind = errnum == ENOENT || errnum == ENOTDIR                           ? ERROR_MISSING
                               : errnum == EACCES || errnum == EPERM                           ? ERROR_DENIED
                               : errnum == EISDIR || errnum == ELOOP || errnum == ENAMETOOLONG ? ERROR_INPUT
                                                                                               : ERROR_SYSTEM;
        return error_set(err, kind, NULL, "%s %s: %s", verb, path, strerror(errnum));
}

/* Opened without blocking, so that a FIFO without a writer is seen as what it is; reads then wait as usual. */
static int open_source(const char *path, struct error **err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) return file_error(err, errno, "read", path);
        struct stat st;
        if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
                int errnum = S_ISDIR(st.st_mode) ? EISDIR : errno;
                close(fd);
                return file_error(err, errnum, "read", path);
        }
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        return fd;
}

int file_read(const char *path, size_t max, struct text *out, struct error **err)
{
        cleanup(close_fd) int fd = open_source(path, err);
        if (fd < 0) return -1;
        if (fault_here("file.read")) return file_error(err, EIO, "read", path);
        size_t total = 0;
        text_addn(out, "", 0);
        for (;;) {
                char chunk[64 * 1024];
                ssize_t n = read(fd, chunk, sizeof chunk);
                if (n < 0 && errno == EINTR) continue;
                if (n < 0) return file_error(err, errno, "read", path);
                if (n == 0) return 0;
                total += (size_t)n;
                if (total > max)
                        return error_set(err, ERROR_INPUT, NULL, "read %s: larger than %zu bytes", path, max);
                text_addn(out, chunk, (size_t)n);
        }
}

static int write_all(int fd, const char *data, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, data, len);
                if (n < 0 && errno == EINTR) continue;
                if (n < 0) return -1;
                data += n;
                len -= (size_t)n;
        }
        return 0;
}

int file_write(const char *path, const void *data, size_t len, unsigned mode, struct error **err)
{
        if (fault_here("file.write")) return file_error(err, EIO, "write", path);
        struct stat st;
        if (lstat(path, &st) == 0 &&
            !S_ISREG(st.st_mode)) /* a device or a link would be replaced, not written to */
                return error_set(err, ERROR_INPUT, NULL, "write %s: it exists and is no regular file", path);
        cleanup_free char *beside = mem_printf("%s.XXXXXX", path);
        cleanup(close_fd) int fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0) return file_error(err, errno, "write", path);
        if (write_all(fd, data, len) < 0 || fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0 ||
            rename(beside, path) < 0) {
                int errnum = errno;
                unlink(beside);
                return file_error(err, errnum, "write", path);
        }
        cleanup_free char *folder = path_folder(path);
        if (folder_sync(folder) < 0) return file_error(err, errno, "write", path);
        return 0;
}

char *path_folder(const char *path)
{
        const char *slash = strrchr(path, '/');
        if (slash == NULL) return mem_strdup(".");
        if (slash == path) return mem_strdup("/");
        return mem_strndup(path, (size_t)(slash - path));
}

char *path_join(const char *folder, const char *path)
{
        if (path[0] == '/' || folder[0] == '\0' || strcmp(folder, ".") == 0) return mem_strdup(path);
        return mem_printf("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", path);
}

char *path_absolute(const char *path, struct error **err)
{
        char *real = realpath(path, NULL);
        if (real == NULL) file_error(err, errno, "find", path);
        return real;
}
