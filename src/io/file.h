/*
 * Whole files, bounded; and files that are replaced in one step.
 */
#ifndef TUTTI_IO_FILE_H
#define TUTTI_IO_FILE_H

#include <stddef.h>
#include "base/error.h"
#include "base/text.h"

/* Reads all of a regular file (or a pipe) of at most `max` bytes. ERROR_MISSING, ERROR_DENIED, ERROR_INPUT (too large, a
 * folder), ERROR_SYSTEM; the message names the path. */
int file_read(const char *path, size_t max, struct text *out, struct error **err);
/* Writes beside it, fsyncs, renames over: a crash leaves the old or the new, never a part. */
int file_write(const char *path, const void *data, size_t len, unsigned mode, struct error **err);

/* Path arithmetic; the caller frees. `path_join` keeps an absolute `path`. */
char *path_folder(const char *path);
char *path_join(const char *folder, const char *path);
char *path_absolute(const char *path, struct error **err); /* of something that exists; symlinks resolved */

#endif
