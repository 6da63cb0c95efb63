/* Folders on disk; see folder.h. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int folder_sync(const char *folder)
{
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) return -1;
        int result = fsync(fd), errnum = errno;
        close(fd);
        errno = errnum;
        return result;
}
