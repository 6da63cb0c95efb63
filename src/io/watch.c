/*
 * Watching a file: another process that writes to the store wakes us, so that nobody polls.
 *
 * The file's folder is watched and its name filtered: inotify on the file itself would lose it when it is replaced by
 * a rename. Bursts (a transaction is several writes) are coalesced over a few milliseconds.
 */
#include "io/loop_item.h"

#include <string.h>

#include "io/file.h"

enum { COALESCE_MS = 10 };

struct watch {
        struct loop_item item; /* first: the item is the watch */
        struct loop *loop;
        uv_fs_event_t uv;
        char *name; /* in its folder */
        struct timer *timer;
        void (*changed)(void *context);
        void *context;
};

static void watch_close(struct loop_item *item)
{
        struct watch *watch = (struct watch *)item;
        free(watch->name);
        loop_close_block((uv_handle_t *)&watch->uv, watch);
}

static void watch_settled(void *context)
{
        struct watch *watch = context;
        watch->timer = NULL;
        watch->changed(watch->context);
}

static void watch_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
        struct watch *watch = handle->data;
        (void)events;
        if (status < 0 || name == NULL || strcmp(name, watch->name) != 0 || watch->timer != NULL) return;
        watch->timer = timer_start(watch->loop, COALESCE_MS, watch_settled, watch);
}

int watch_start(struct loop *loop, const char *path, void (*changed)(void *context), void *context,
    struct watch **ret, struct error **err)
{
        cleanup_free char *real = path_absolute(path, err);
        if (real == NULL) return error_context(err, "watch %s", path);
        cleanup_free char *folder = path_folder(real);
        struct watch *watch = mem_alloc(sizeof *watch);
        watch->loop = loop;
        watch->changed = changed;
        watch->context = context;
        watch->name = mem_strdup(strrchr(real, '/') + 1);
        uv_fs_event_init(loop_uv(loop), &watch->uv);
        watch->uv.data = watch;
        int rc = uv_fs_event_start(&watch->uv, watch_event, folder, 0);
        if (rc < 0) {
                watch_close(&watch->item);
                return error_set(err, ERROR_SYSTEM, NULL, "watch %s: %s", path, uv_strerror(rc));
        }
        loop_item_add(loop, &watch->item, watch_close);
        *ret = watch;
        return 0;
}

void watch_stop(struct watch *watch)
{
        if (watch == NULL) return;
        timer_cancel(watch->timer);
        loop_item_remove(&watch->item);
        watch_close(&watch->item);
}
