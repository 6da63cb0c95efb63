/*
 * Wire forms: how a value becomes the body of a request, and the body of a reply a value.
 */
#ifndef TUTTI_REST_WIRE_H
#define TUTTI_REST_WIRE_H

#include "manifest.h"

struct wire {
        const char *name;
        const char *content_type; /* of a request's body */
        /* Appends the body; 0, or -1 with a malloc'ed *problem. NULL: not for requests. */
        int (*write)(const struct tutti_host *host, const struct service *s, const struct value *v,
            struct buf *out, char **problem);
        /* The value, a new reference, or NULL with a malloc'ed *problem. NULL: not for replies. */
        struct value *(*read)(const struct tutti_host *host, const struct service *s, const char *body,
            size_t len, char **problem);
};

const struct wire *wire_named(const char *name); /* NULL if there is none */
extern const char *const wire_names[];           /* NULL ends them */

/* The parts. */
int wire_form_write(const struct tutti_host *host, const struct service *s, const struct value *v,
    struct buf *out, char **problem);
struct value *wire_xml_read(const struct tutti_host *host, const struct xml_options *options,
    const char *body, size_t len, char **problem);

#endif
