/*
 * The file that keeps a practice cloud over restarts: one line of JSON per effect, in order, append only.
 *
 * Appended lines are collected and written with one fsync by sandbox_disk_commit, before any reply that
 * tells of them leaves. A line that a crash cut short was never told to anybody, and is dropped at the next start.
 */
#ifndef TUTTI_SANDBOX_DISK_H
#define TUTTI_SANDBOX_DISK_H

#include <jansson.h>
#include <stdbool.h>
#include "base/error.h"
#include "base/text.h"

struct sandbox_disk {
        int file, lock; /* -1 without --data */
        char *directory;
        struct text pending;
};

/* Called for each line of the file, in order. The record is borrowed. */
typedef int sandbox_disk_replay(void *context, const json_t *record, struct error **err);

/* Creates the directory (mode 0700) if need be, locks it against a second sandbox, and replays the journal. On failure
 * the disk still wants sandbox_disk_close. `directory` NULL keeps nothing. Errors: INPUT for a damaged
 * journal (with its line), BUSY when another sandbox has the directory, SYSTEM. */
int sandbox_disk_open(struct sandbox_disk *disk, const char *directory, sandbox_disk_replay *replay,
    void *context, struct error **err);
void sandbox_disk_close(struct sandbox_disk *disk);

void sandbox_disk_append(struct sandbox_disk *disk, const char *line, size_t len);
static inline bool sandbox_disk_is_dirty(const struct sandbox_disk *disk)
{
        return disk->pending.len > 0;
}
/* Makes what was appended durable. A failure is final: the file may end in half a line. */
int sandbox_disk_commit(struct sandbox_disk *disk, struct error **err);

#endif
