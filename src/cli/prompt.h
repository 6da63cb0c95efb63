/*
 * The prompt at gates and questions: which of those that wait is asked about, what is shown of it, and what a typed line means.
 *
 * An answer is for the gate whose prompt stood there when its line was begun, and for no other. So one gate at a time is at the prompt,
 * the first of a list. When another comes there, it is shown whole, all that was typed until then is dropped, and only then its
 * prompt is drawn. Where the one before went by no doing of whoever sits there, answers do not count for a moment more, unless the new
 * one is inspected first: a hand that was already moving meant the other one.
 *
 * Nothing reads or waits here: the display hands in what happens, with the time.
 */
#ifndef TUTTI_CLI_PROMPT_H
#define TUTTI_CLI_PROMPT_H

#include <stdio.h>
#include "run/session.h"

enum { PROMPT_SETTLE_MS = 300 }; /* a hand needs so long to stop */

/* What the prompt asks for in return. Called from within the functions below. */
struct prompt_host {
        /* As session_answer: "approved", "rejected", or a choice; `comment` or NULL. */
        int (*answer)(
            void *context, const char *gate, const char *answer, const char *comment, struct error **err);
        void (*leave)(void *context);   /* nobody will answer any more */
        void (*discard)(void *context); /* drops what was typed and did not come as a line yet */
        void *context;
};

struct prompt;
struct prompt *prompt_new(FILE *out, const struct prompt_host *host);
void prompt_free(struct prompt *p); /* NULL-safe */

/* A run begins, or goes on with another plan (borrowed, until the next call): nothing waits yet. */
void prompt_reset(struct prompt *p, const struct plan *plan);
/* A gate or question opened, changed (it keeps its place), or closed. What is shown of it begins at the start of a line. Times are
 * monotonic, in milliseconds. */
void prompt_gate(struct prompt *p, const struct gate_view *view, bool open, int64_t now_ms);
/* An answer to the gate did not count: when it closes after all, that is somebody else's doing. */
void prompt_ignored(struct prompt *p, const char *gate);
/* A line was typed; NULL: no more come. True when what stands below the lines is to be drawn again at once; an answer that was taken
 * shows soon enough. */
bool prompt_line(struct prompt *p, const char *line, int64_t now_ms);

/* Something is asked: the prompt is to stand there. */
bool prompt_asks(const struct prompt *p);
/* Draws it, without a line end. Gives its width in columns. */
size_t prompt_draw(const struct prompt *p);

#endif
