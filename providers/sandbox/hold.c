/* A binary heap of moments; see hold.h. */
#include "providers/sandbox/hold.h"

#include <stdlib.h>

#include "base/mem.h"

void sandbox_holds_release(struct sandbox_holds *holds)
{
        free(holds->items);
        *holds = (struct sandbox_holds){0};
}

void sandbox_holds_add(struct sandbox_holds *h, int64_t until, void *what)
{
        struct sandbox_held hold = {until, what};
        vec_push(h->items, h->count, h->capacity, hold);
        size_t i = h->count - 1;
        for (size_t parent; i > 0 && h->items[parent = (i - 1) / 2].until > until; i = parent)
                h->items[i] = h->items[parent];
        h->items[i] = hold;
}

void *sandbox_holds_take(struct sandbox_holds *h, int64_t now)
{
        if (h->count == 0 || h->items[0].until > now) return NULL;
        void *what = h->items[0].what;
        struct sandbox_held last = h->items[--h->count];
        size_t i = 0;
        for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
                if (child + 1 < h->count && h->items[child + 1].until < h->items[child].until) child++;
                if (last.until <= h->items[child].until) break;
                h->items[i] = h->items[child];
        }
        h->items[i] = last;
        return what;
}

int64_t sandbox_holds_next(const struct sandbox_holds *h, int64_t now)
{
        if (h->count == 0) return -1;
        return h->items[0].until > now ? h->items[0].until - now : 0;
}
