/* One gate of a run, with who may answer it, who did, and whether that counts: for status and show. Internal to cli/. */
#ifndef TUTTI_CLI_GATE_REPORT_H
#define TUTTI_CLI_GATE_REPORT_H

#include "cli/gates.h"
#include "cli/options.h"

/* Appends an object. */
void gate_json(const struct gates *g, const struct gate_row *row, struct text *out);
/* Lines for people. */
void gate_print(const struct gates *g, const struct gate_row *row, const struct options *o);

#endif
