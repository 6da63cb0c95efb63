/* A binary heap; see heap.h. */
#include "run/heap.h"

#include <stdbool.h>

#include "base/mem.h"

static bool before(const struct heap *h, size_t a, size_t b)
{
        const struct heap_item *left = &h->items[a], *right = &h->items[b];
        return left->urgency > right->urgency ||
               (left->urgency == right->urgency && left->index < right->index);
}

static void swap(struct heap *h, size_t a, size_t b)
{
        struct heap_item item = h->items[a];
        h->items[a] = h->items[b];
        h->items[b] = item;
}

void heap_push(struct heap *h, double urgency, uint32_t index)
{
        struct heap_item item = {urgency, index};
        vec_push(h->items, h->count, h->capacity, item);
        for (size_t i = h->count - 1; i > 0 && before(h, i, (i - 1) / 2); i = (i - 1) / 2)
                swap(h, i, (i - 1) / 2);
}

uint32_t heap_pop(struct heap *h)
{
        uint32_t top = h->items[0].index;
        h->items[0] = h->items[--h->count];
        for (size_t i = 0;;) {
                size_t best = i, left = 2 * i + 1, right = left + 1;
                if (left < h->count && before(h, left, best)) best = left;
                if (right < h->count && before(h, right, best)) best = right;
                if (best == i) return top;
                swap(h, i, best);
                i = best;
        }
}

void heap_release(struct heap *h)
{
        free(h->items);
        *h = (struct heap){0};
}
