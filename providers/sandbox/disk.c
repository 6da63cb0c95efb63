/* The journal file; see disk.h. */
#include "providers/sandbox/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

static int lock_directory(struct sandbox_disk *disk, struct error **err)
{
        cleanup_free char *path = mem_printf("%s/lock", disk->directory);
        disk->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (disk->lock < 0) return error_system(err, errno, "open %s", path);
        if (flock(disk->lock, LOCK_EX | LOCK_NB) == 0) return 0;
        if (errno != EWOULDBLOCK) return error_system(err, errno, "lock %s", path);
        return error_set(err, ERROR_BUSY, NULL, "another sandbox keeps its objects in %s", disk->directory);
}

/* The name of a new file is durable only once its directory is. */
static int sync_directory(const char *path, struct error **err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int failed = fd < 0 || fsync(fd) < 0 ? errno : 0;
        if (fd >= 0) close(fd);
        return failed ? error_system(err, failed, "sync %s", path) : 0;
}

static int replay_line(const char *line, size_t len, unsigned number, const char *path,
    sandbox_disk_replay *replay, void *context, struct error **err)
{
        struct place place = {.file = path, .line = number};
        json_error_t problem;
        json_t *record = json_loadb(line, len, JSON_REJECT_DUPLICATES, &problem);
        if (record == NULL)
                return error_set(err, ERROR_INPUT, &place,
                    "damaged journal: %s; restore the file, or start with an empty --data directory",
                    problem.text);
        int result = replay(context, record, err);
        json_decref(record);
        return result < 0 ? error_place(err, &place) : 0;
}

/* Reads the whole file line by line, and cuts off a last line without its end. */
static int replay_file(struct sandbox_disk *disk, const char *path, sandbox_disk_replay *replay,
    void *context, struct error **err)
{
        FILE *in = fopen(path, "re");
        if (in == NULL) return error_system(err, errno, "open %s", path);
        cleanup_free char *line = NULL;
        size_t capacity = 0;
        off_t whole = 0;
        int result = 0;
        for (unsigned number = 1; result == 0; number++) {
                ssize_t len = getline(&line, &capacity, in);
                if (len < 0 || line[len - 1] != '\n') break;
                result = replay_line(line, (size_t)len, number, path, replay, context, err);
                whole += len;
        }
        if (result == 0 && ferror(in)) result = error_system(err, EIO, "read %s", path);
        fclose(in);
        if (result == 0 && ftruncate(disk->file, whole) < 0)
                return error_system(err, errno, "truncate %s", path);
        return result;
}

int sandbox_disk_open(struct sandbox_disk *disk, const char *directory, sandbox_disk_replay *replay,
    void *context, struct error **err)
{
        *disk = (struct sandbox_disk){.file = -1, .lock = -1};
        if (directory == NULL) return 0;
        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return error_system(err, errno, "create directory %s", directory);
        disk->directory = realpath(directory, NULL);
        if (disk->directory == NULL) return error_system(err, errno, "open directory %s", directory);
        if (lock_directory(disk, err) < 0) return -1;
        cleanup_free char *path = mem_printf("%s/journal.jsonl", disk->directory);
        disk->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (disk->file < 0) return error_system(err, errno, "open %s", path);
        if (sync_directory(disk->directory, err) < 0) return -1;
        return replay_file(disk, path, replay, context, err);
}

void sandbox_disk_close(struct sandbox_disk *disk)
{
        if (disk->file >= 0) close(disk->file);
        if (disk->lock >= 0) close(disk->lock);
        free(disk->directory);
        text_release(&disk->pending);
        *disk = (struct sandbox_disk){.file = -1, .lock = -1};
}

void sandbox_disk_append(struct sandbox_disk *disk, const char *line, size_t len)
{
        if (disk->file < 0) return;
        text_addn(&disk->pending, line, len);
        text_addc(&disk->pending, '\n');
}

int sandbox_disk_commit(struct sandbox_disk *disk, struct error **err)
{
        size_t done = 0;
        while (done < disk->pending.len) {
                ssize_t n = write(disk->file, disk->pending.data + done, disk->pending.len - done);
                if (n < 0 && errno == EINTR) continue;
                if (n < 0) return error_system(err, errno, "write %s/journal.jsonl", disk->directory);
                done += (size_t)n;
        }
        text_clear(&disk->pending);
        if (fdatasync(disk->file) < 0)
                return error_system(err, errno, "sync %s/journal.jsonl", disk->directory);
        return 0;
}
