/*
 * Addresses of instances: web, web[0], subnet["a"], network["eu"]/subnet["a"].
 *
 * An address is covered by itself, by the same without its last index (all instances of the resource), and by everything that
 * covers the nested templates it stands in. Keys are written as JSON strings, so that one address reads one way only.
 */
#ifndef TUTTI_PLAN_ADDRESS_H
#define TUTTI_PLAN_ADDRESS_H

#include "base/error.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

/* `prefix` ends with "/" or is empty. */
const char *address_bare(struct arena *arena, const char *prefix, const char *name);
const char *address_counted(struct arena *arena, const char *bare, uint64_t index);
const char *address_keyed(struct arena *arena, const char *bare, const char *key, size_t len);

/*
 * Whether a text from outside is an address as the above write it. ERROR_INPUT where it is none, with the address that was most likely
 * meant: "`web[foo]` is no address; `web["foo"]`?".
 */
int address_check(const char *text, struct error **err);
/* Whether the last part of an address has an index: it names one instance. */
bool address_is_indexed(const char *address);
/* Whether `cover` is `address`, or covers it. */
bool address_is_within(const char *address, const char *cover);

enum { ADDRESS_COVERS = 64 };
/* The lengths of the prefixes of `address` that cover it, shortest first; at most ADDRESS_COVERS, the whole always last. */
size_t address_covers(const char *address, size_t lengths[ADDRESS_COVERS]);
/* Looks each cover up in `set`; the entry's value of the longest that is there, or NULL. `scratch` is reused memory. */
void *address_find_cover(const struct map *set, const char *address, struct text *scratch);

#endif
