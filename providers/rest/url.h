/*
 * URLs: built from escaped parts, so that what is signed and what is sent are the same.
 */
#ifndef TUTTI_REST_URL_H
#define TUTTI_REST_URL_H

#include "util.h"

/* Appends `s` percent-encoded: everything but letters, digits and -._~ (RFC 3986 unreserved). */
void url_escape(struct buf *out, const char *s, size_t len);
/* Appends a path that is written as a whole: slashes and existing escapes stay, what may not stand in a path is escaped. */
void url_escape_path(struct buf *out, const char *s);
/* Whether a path has a segment `.` or `..`, plain or escaped. */
bool url_path_climbs(const char *path);

struct url {                        /* parts of "https://host:port/path?query"; malloc'ed */
        char *origin;               /* "https://host:port", as written, lower case; "" for a Unix socket */
        char *unix_socket;          /* or NULL */
        char *path;                 /* escaped, with its slash; of an endpoint without the one at its end */
        struct url_query {          /* escaped */
                char *name, *value; /* value NULL: none, not even `=` */
        } * query;
        size_t query_count;
};

/* 0, or -1 with a malloc'ed *problem. http, https and unix:/path (an endpoint only). */
int url_parse(struct url *u, const char *text, char **problem);
void url_release(struct url *u);
void url_add_query(struct url *u, const char *name, const char *value); /* escapes both */
/* "https://host:port/path?a=b"; for a Unix socket with the host "localhost". malloc'ed. */
char *url_text(const struct url *u);
/* The host as the Host header shows it: with its port unless that is the scheme's own. malloc'ed. */
char *url_host(const struct url *u);

#endif
