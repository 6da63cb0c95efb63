/*
 * Shared libraries that are loaded when they are first needed.
 *
 * Most commands talk to no server, and libraries that do bring thirty others along, which cost more time to load than the rest of
 * the program takes to run. The room that owns such a library declares a table of its functions and fills it with library_load.
 */
#ifndef TUTTI_BASE_LIBRARY_H
#define TUTTI_BASE_LIBRARY_H

#include <stddef.h>
#include "base/error.h"

/*
 * Loads the library `soname` and puts the addresses of its functions `names[0 .. count)` into table[0 .. count), in that order. It stays
 * loaded to the end of the process. ERROR_SYSTEM, with what the loader said; the table is then of no use.
 */
int library_load(
    const char *soname, const char *const *names, void **table, size_t count, struct error **err);

#endif
