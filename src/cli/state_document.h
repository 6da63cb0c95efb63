/* The JSON document of `state export` and `state import`. Internal to cli/. */
#ifndef TUTTI_CLI_STATE_DOCUMENT_H
#define TUTTI_CLI_STATE_DOCUMENT_H

#include "run/session.h"

/* Sensitive values: revealed, or sealed when `sealer` is given, or masked. Appended. */
int state_document(const struct state *state, bool reveal, const struct sealer *sealer, struct text *out,
    struct error **err);
int state_document_resource(
    const struct recorded *r, bool reveal, const struct sealer *sealer, struct text *out, struct error **err);

/* Records everything in the document; refuses one of another environment, and addresses that are recorded already. */
int state_document_import(struct session *s, const char *json, size_t len, size_t *count, struct error **err);

#endif
