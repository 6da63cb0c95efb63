/*
 * AWS Signature Version 4, as published in "Create a signed AWS API request" (IAM user guide).
 */
#ifndef TUTTI_REST_SIGV4_H
#define TUTTI_REST_SIGV4_H

#include "auth.h"

struct sigv4 {
        const char *access_key, *secret_key;
        const char *session_token; /* or NULL */
        const char *region, *service;
        const char *time; /* "20150830T123600Z" */
        /* S3 signs paths as they are sent and wants the body's digest in a header; all others escape the path a second time. */
        bool s3;
};

/* The canonical request of a request that has its Host and X-Amz-Date headers. malloc'ed. */
char *sigv4_canonical(const struct sigv4 *s, const struct outgoing *o);
/* What is signed. malloc'ed. */
char *sigv4_to_sign(const struct sigv4 *s, const char *canonical);
/* The value of the Authorization header. malloc'ed. */
char *sigv4_authorization(const struct sigv4 *s, const struct outgoing *o);
/* Adds Host, X-Amz-Date, X-Amz-Security-Token, x-amz-content-sha256 (S3) and Authorization to the request. */
void sigv4_sign(const struct sigv4 *s, struct outgoing *o);

#endif
