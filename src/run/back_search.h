/*
 * What the way back to an earlier state is planned from: which addresses runs touched since, which of them existed then, and the run whose plan
 * describes all of these. Used for planning it (session_back.c) and for telling beforehand whether there would be one
 * (session_outlook.c). Internal to run/.
 *
 *     search_begin or search_begin_ahead → search_way_back → search_way → search_release
 */
#ifndef TUTTI_RUN_BACK_SEARCH_H
#define TUTTI_RUN_BACK_SEARCH_H

#include "run/session_internal.h"

struct touched { /* an address that a run after the wanted state acted on */
        const char *address;
        bool existed; /* then */
        bool makes;   /* one of these runs made something here, or tried to */
        bool
            found; /* by a step that took over an object which was there already: it leaves the record only */
        bool forgotten; /* dropped from the record, the object left alone: nothing to return */
        bool described; /* the run that made it as it was then is known */
        size_t made;    /* ...as an index into the runs */
        size_t
            maker; /* the run whose sources that one was planned from: itself, or what a rollback went back to */
};

struct search {
        struct session *session;
        struct arena *arena;
        struct run_row *runs; /* newest first */
        size_t run_count;
        size_t later;        /* so many of them came after the wanted state */
        struct map is_later; /* their ids */
        struct map *steps;   /* per run: address → struct own *; filled on demand */
        bool *loaded;
        struct map seen; /* address → struct touched * */
        struct touched **touched;
        size_t count, capacity;
};

/* To the state after a recorded run, or before it, or before all rounds of its apply. ERROR_MISSING: there is none. Release the search also when it fails. */
int search_begin(struct search *q, struct session *s, const char *run, enum back back, struct error **err);
/* To the state that is recorded now (there is one), from after a run of `plan` that tried everything in it and failed; where the plan is of a later
 * round, to the state before the first one. */
int search_begin_ahead(struct search *q, struct session *s, const struct plan *plan, struct error **err);
/*
 * What has to return, and the newest run whose plan describes all of it: *saved (the caller's) and *base, its index. *saved stays NULL where
 * nothing has to be described. ERROR_CONFLICT with every address that no such run describes; ERROR_DENIED where a record is not proved.
 */
int search_way_back(struct search *q, struct saved_plan **saved, size_t *base, struct error **err);
/* After search_way_back: the addresses and the run of the way back, in `arena`; the rest is for the caller to fill in. */
struct way_back *search_way(const struct search *q, struct arena *arena);
/* The newest run's plan: providers as they were last configured; NULL with *err. */
struct saved_plan *search_newest(struct search *q, struct error **err);
/* Lookups are those that the base saw, and so is what files held where `files` is its own, else NULL: they are looked at. What is recorded is
 * read anew. The caller frees it. */
struct world *search_world(const struct saved_plan *saved, struct files *files);
/* The order of the addresses in a way back; over pointers to texts. */
int search_compare(const void *a, const void *b);
void search_release(struct search *q);

#endif
