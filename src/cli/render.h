/*
 * Plans and runs for people and for scripts.
 */
#ifndef TUTTI_CLI_RENDER_H
#define TUTTI_CLI_RENDER_H

#include "cli/print.h"
#include "run/session.h"

/* A plan as a reviewer likes to read it, on standard output. */
void render_plan(const struct plan *plan);
/* One step with its changes; `indent` spaces before each line. */
void render_step(FILE *f, const struct step *step, int indent);
/* "2 to create, 1 to update" */
void render_summary(const struct plan_summary *s, bool done, struct text *out);
void render_outputs(const struct value *outputs);
void output_json(const struct value *outputs, bool reveal, struct text *out);

/* The display of one run: plain lines, a live line on a terminal, or JSON events. */
struct display;
struct display *display_new(struct session *session, const struct options *o);
void display_free(struct display *d);
/* Fills in the callbacks and whether somebody can answer. */
void display_attach(struct display *d, struct run_options *options);

#endif
