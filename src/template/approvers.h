/*
 * Who may answer gates, as an environment's `approvers:` names them: persons with their Ed25519 public keys, groups of them, and
 * whether an answer counts on the operating-system user's word alone.
 *
 *     approvers:
 *       people: {alice: {key: "ed25519:BASE64"}, bob: {key: …}}
 *       groups: {ops: [alice, bob]}
 *       unsigned: true
 *
 * Persons and groups share one set of names, as gates name both. Two persons never share a key: a quorum counts persons.
 */
#ifndef TUTTI_TEMPLATE_APPROVERS_H
#define TUTTI_TEMPLATE_APPROVERS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/map.h"

enum {
        APPROVER_KEY = 32,      /* bytes of an Ed25519 public key */
        APPROVER_NAME_MAX = 64, /* bytes of a name */
        APPROVER_PEOPLE_MAX = 10000,
        APPROVER_GROUPS_MAX = 1000,
        APPROVER_MEMBERS_MAX = 100000, /* of all groups together */
};
/* How a public key is written: this, then base64 of its 32 bytes. */
#define APPROVER_KEY_PREFIX "ed25519:"

struct approver {
        const char *name;
        unsigned char key[APPROVER_KEY];
        bool has_key; /* only where unsigned answers count may somebody have none */
};
struct approver_group {
        const char *name;
        const struct approver **members;
        size_t member_count;
};
struct approvers {
        struct approver *people; /* in the order of the file */
        size_t people_count;
        struct approver_group *groups;
        size_t group_count;
        struct map person_by_name, group_by_name;
        bool unsigned_; /* an answer without a signature counts */
};

/* Letters, digits, '.', '_', '-' and '@', not beginning with '.' or '-', at most APPROVER_NAME_MAX: also the name of a file. */
bool approver_name_is_good(const char *name);
/* "ed25519:BASE64" to its bytes; false when it is anything else. */
bool approver_key_parse(const char *text, unsigned char key[APPROVER_KEY]);
char *approver_key_text(const unsigned char key[APPROVER_KEY]); /* the caller frees */

struct arena;
struct source_reader;
/*
 * The block of the environment file at `path` and nothing else of it: a template with mistakes is no obstacle. *ret is NULL when
 * the file has none; otherwise it lives in the arena. ERROR_INPUT with every problem of the block, or with what is wrong with the
 * YAML; the reader's errors.
 */
int approvers_load(const char *path, const struct source_reader *reader, struct arena *arena,
    const struct approvers **ret, struct error **err);

#endif
