/*
 * Who is told of what happens in an environment: the targets of `notify:`, read and checked, with their values.
 *
 * A target is known by its name, which holds no secret; messages that wait for delivery name it, and its URL, secret and
 * password are looked up in the environment only when one is sent.
 */
#ifndef TUTTI_TEMPLATE_NOTIFY_H
#define TUTTI_TEMPLATE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

enum notify_kind { NOTIFY_WEBHOOK, NOTIFY_SLACK, NOTIFY_EMAIL };
const char *notify_kind_name(enum notify_kind kind); /* "webhook", "slack", "email" */

enum { /* what a target is told of; bits of `on` */
        NOTIFY_GATE_WAITING = 1 << 0,
        NOTIFY_GATE_REMINDER = 1 << 1,
        NOTIFY_RUN_FAILED = 1 << 2,
        NOTIFY_RUN_DONE = 1 << 3,
        NOTIFY_DRIFT_FOUND = 1 << 4,
        NOTIFY_EVENTS = 5,
        NOTIFY_DEFAULT = NOTIFY_GATE_WAITING | NOTIFY_GATE_REMINDER | NOTIFY_RUN_FAILED | NOTIFY_DRIFT_FOUND,
};
const char *notify_event_name(size_t index);  /* of bit 1 << index: "gate-waiting", … */
unsigned notify_event_bit(const char *event); /* 0 for what no target can be told of */

enum { NOTIFY_TARGETS_MAX = 32, NOTIFY_RECIPIENTS_MAX = 50, NOTIFY_TEXT_MAX = 4096 };

struct notify_target {
        enum notify_kind kind;
        const char *name;   /* unique in the environment; given, or made of the kind and the host */
        const char *url;    /* http:// or https://; e-mail: smtp:// or smtps://, without user and path */
        const char *secret; /* webhook: what signs its messages, or NULL */
        const char *user, *password, *from; /* e-mail; user and password may be NULL */
        const char **to;
        size_t to_count;
        const char *ca;  /* path of a PEM file with the authorities that vouch for the server; or NULL */
        bool plain;      /* without TLS: a server on this machine, or the user insists */
        unsigned events; /* bits of NOTIFY_* */
        struct place place;
};

#endif
