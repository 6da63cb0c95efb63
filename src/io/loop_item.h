/*
 * What is open on a loop (timers, watches, processes, ...) is chained, so that loop_free can close what its owners
 * left open. For the files of io/ only.
 */
#ifndef TUTTI_IO_LOOP_ITEM_H
#define TUTTI_IO_LOOP_ITEM_H

#include <uv.h>
#include "base/ring.h"
#include "io/loop.h"

struct loop_item {
        struct ring place; /* first: the place is the item */
        void (*close)(
            struct loop_item *item); /* ends and frees the thing at once; no callback of its owner follows */
};

void loop_item_add(struct loop *loop, struct loop_item *item, void (*close)(struct loop_item *item));
void loop_item_remove(struct loop_item *item); /* harmless when it is not chained */

/* What guards the commands of this loop; started when it is first asked for. NULL with an error: it could not be. */
struct guard;
struct guard *loop_guard(struct loop *loop, struct error **err);

/* Frees `handle->data` once the handle is closed: for blocks that hold one handle. */
void loop_close_block(uv_handle_t *handle, void *block);

#endif
