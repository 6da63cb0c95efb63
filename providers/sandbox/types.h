/*
 * The resource types of the practice cloud as constant tables: which properties each has, what a value
 * must look like, and what may change after creation. What needs other objects to decide is in relations.h.
 */
#ifndef TUTTI_SANDBOX_TYPES_H
#define TUTTI_SANDBOX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_type_index {
        SANDBOX_NETWORK,
        SANDBOX_SUBNET,
        SANDBOX_FIREWALL,
        SANDBOX_SSH_KEY,
        SANDBOX_SERVER,
        SANDBOX_VOLUME,
        SANDBOX_ATTACHMENT,
        SANDBOX_FLOATING_IP,
        SANDBOX_LOAD_BALANCER,
        SANDBOX_DATABASE,
        SANDBOX_RECORD,
        SANDBOX_TYPES
};

enum sandbox_kind {
        SANDBOX_NAME,        /* 1 to 255 bytes without control characters */
        SANDBOX_TEXT,        /* the same, for words that are not the object's name */
        SANDBOX_LONG_TEXT,   /* up to 64 KiB of anything, or null */
        SANDBOX_SECRET,      /* 1 to 1024 bytes; kept as a digest, in no reply */
        SANDBOX_CIDR,        /* a network, no bit set behind its prefix */
        SANDBOX_REFERENCE,   /* the id of an object of type `target` */
        SANDBOX_REFERENCES,  /* a list of such ids without duplicates */
        SANDBOX_LABELS,      /* strings to strings */
        SANDBOX_RULES,       /* a firewall's rules */
        SANDBOX_PUBLIC_KEY,  /* one line as in authorized_keys, without options */
        SANDBOX_GIGABYTES,   /* 1 to 65536 */
        SANDBOX_SIZE,        /* a word ("small") or a positive number */
        SANDBOX_PORT,        /* 1 to 65535 */
        SANDBOX_SECONDS,     /* 0 to 2147483647 */
        SANDBOX_RECORD_TYPE, /* "A", "AAAA", "CNAME", ... */
};

/* How a reference binds the object that it names. */
enum sandbox_hold {
        SANDBOX_HOLDS,   /* the object cannot be deleted meanwhile */
        SANDBOX_FOLLOWS, /* the object can be deleted; the reference to it then vanishes */
};

struct sandbox_property {
        const char *name;
        enum sandbox_kind kind;
        bool required;
        bool fixed;                     /* only at creation; a PATCH that changes it is refused */
        enum sandbox_type_index target; /* of references */
        enum sandbox_hold hold;
        const char *fallback; /* JSON of the value when it is not given; NULL for required ones */
};

struct sandbox_type {
        enum sandbox_type_index index;
        const char *name;   /* "ssh_key" */
        const char *plural; /* "ssh_keys", in paths */
        const char *prefix; /* of its ids: "key" */
        size_t property_count;
        struct sandbox_property properties[8];
        const char *outputs[6]; /* besides id and status; NULL behind the last */
};

const struct sandbox_type *sandbox_type_at(enum sandbox_type_index index);
/* NULL when there is none. */
const struct sandbox_type *sandbox_type_by_plural(const char *plural, size_t len);
const struct sandbox_type *sandbox_type_by_name(const char *name);
const struct sandbox_property *sandbox_type_property(const struct sandbox_type *type, const char *name);
/* The property most like `name`, or NULL. */
const char *sandbox_type_suggest(const struct sandbox_type *type, const char *name);
/* "text", "reference", ...: for the self-description of the API. */
const char *sandbox_kind_name(enum sandbox_kind kind);

#endif
