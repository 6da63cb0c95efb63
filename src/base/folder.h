/*
 * Folders on disk.
 */
#ifndef TUTTI_BASE_FOLDER_H
#define TUTTI_BASE_FOLDER_H

/* Makes the names in it durable: what was made, renamed or linked there stays so after a power loss. -1 with errno. */
int folder_sync(const char *folder);

#endif
