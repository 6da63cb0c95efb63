/*
 * A priority queue of indices: the most urgent first, of equally urgent ones the lowest index. Zeroed memory is an empty one.
 */
#ifndef TUTTI_RUN_HEAP_H
#define TUTTI_RUN_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap {
        struct heap_item {
                double urgency;
                uint32_t index;
        } * items;
        size_t count, capacity;
};

void heap_push(struct heap *h, double urgency, uint32_t index);
/* Not of an empty one. */
uint32_t heap_pop(struct heap *h);
void heap_release(struct heap *h);

#endif
