/*
 * Rings: what is chained in an order, its place embedded in it. Adding and removing take the same time however many there are.
 *
 * The head belongs to none of them: it is initialised, and stays where it is in memory. A zeroed place is in no ring.
 */
#ifndef TUTTI_BASE_RING_H
#define TUTTI_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
        struct ring *prev, *next;
};

/* What a place is embedded in: `ring_owner(place, struct turn, place)`. */
#define ring_owner(place, type, member) ((type *)((char *)(place)-offsetof(type, member)))

static inline void ring_init(struct ring *head)
{
        head->prev = head->next = head;
}

/* The first place, or NULL when there is none. */
static inline struct ring *ring_first(const struct ring *head)
{
        return head->next != head ? head->next : NULL;
}

/* The place must be in no ring. */
static inline void ring_add_behind(struct ring *before, struct ring *place)
{
        place->prev = before;
        place->next = before->next;
        place->next->prev = place;
        before->next = place;
}

static inline void ring_add_first(struct ring *head, struct ring *place)
{
        ring_add_behind(head, place);
}

static inline void ring_add_last(struct ring *head, struct ring *place)
{
        ring_add_behind(head->prev, place);
}

/* Harmless when it is in none. */
static inline void ring_remove(struct ring *place)
{
        if (place->next == NULL) return;
        place->prev->next = place->next;
        place->next->prev = place->prev;
        place->prev = place->next = NULL;
}

/* The first place, which is in no ring any more; or NULL. */
static inline struct ring *ring_take_first(struct ring *head)
{
        struct ring *place = ring_first(head);
        if (place == NULL) return NULL;
        head->next = place->next;
        head->next->prev = head;
        place->prev = place->next = NULL;
        return place;
}

#endif
