/*
 * A page names the creation number of the last object before it, so that objects created or deleted between
 * two pages neither repeat nor hide others. See listing.h.
 */
#include "providers/sandbox/listing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum { LIMIT_MAX = 10000 };

struct filter {
        const char *name;
        const char *key;                       /* the Idempotency-Key that an object was created with */
        const char *labels[SANDBOX_QUERY_MAX]; /* "key:value" */
        size_t label_count;
        int64_t limit, after; /* creation numbers from after + 1 on */
};

bool sandbox_listing_number(const char *text, int64_t max, int64_t *ret)
{
        if (text == NULL || *text == '\0' || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
                return false;
        *ret = strtoll(text, NULL, 10);
        return *ret <= max;
}

static int read_filter(
    const struct sandbox_request *request, struct filter *filter, struct sandbox_refusal *refusal)
{
        *filter = (struct filter){.limit = LIMIT_MAX};
        for (size_t i = 0; i < request->query_count; i++) {
                const char *name = request->query[i].name, *value = request->query[i].value;
                if (value == NULL) value = "";
                if (strcmp(name, "name") == 0) {
                        filter->name = value;
                } else if (strcmp(name, "key") == 0) {
                        filter->key = value;
                } else if (strcmp(name, "label") == 0) {
                        if (strchr(value, ':') == NULL)
                                return sandbox_refuse(refusal, 422, "label", "label must be KEY:VALUE");
                        filter->labels[filter->label_count++] = value;
                } else if (strcmp(name, "limit") == 0) {
                        if (!sandbox_listing_number(value, LIMIT_MAX, &filter->limit) || filter->limit == 0)
                                return sandbox_refuse(
                                    refusal, 422, "limit", "limit must be from 1 to %d", LIMIT_MAX);
                } else if (strcmp(name, "page") == 0) {
                        if (!sandbox_listing_number(value, INT64_MAX, &filter->after))
                                return sandbox_refuse(refusal, 422, "page",
                                    "page must be what the Link of the page before says");
                } else {
                        return sandbox_refuse(refusal, 422, name,
                            "a list takes name, key, label, limit and page, not '%.64s'", name);
                }
        }
        return 0;
}

/* Keys may hold colons, so the pair is compared as a whole. */
static bool has_label(const json_t *labels, const char *pair)
{
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)labels, key, value)
        {
                size_t len = strlen(key);
                if (strncmp(pair, key, len) == 0 && pair[len] == ':' &&
                    strcmp(pair + len + 1, json_string_value(value)) == 0)
                        return true;
        }
        return false;
}

static bool passes(const struct filter *filter, const struct sandbox_object *object, int64_t now)
{
        /* A key finds what it made from the first moment on, as it does in a repeated creation. */
        if (object->seq <= filter->after || (filter->key == NULL && now < object->visible_at)) return false;
        if (filter->key != NULL && (object->key == NULL || strcmp(object->key, filter->key) != 0))
                return false;
        if (filter->name != NULL) {
                const char *name = sandbox_object_text(object, "name");
                if (name == NULL || strcmp(name, filter->name) != 0) return false;
        }
        const json_t *labels = json_object_get(object->properties, "labels");
        for (size_t i = 0; i < filter->label_count; i++)
                if (!has_label(labels, filter->labels[i])) return false;
        return true;
}

static int compare_items(const void *a, const void *b)
{
        const struct sandbox_slot *left = a, *right = b;
        return (left->seq > right->seq) - (left->seq < right->seq);
}

/* Everything that may pass, in order: by name or key through the index (owned), otherwise the shelf itself from the page on. */
struct candidates {
        const struct sandbox_slot *slots;
        size_t count;
        struct sandbox_slot *owned;
};

static struct candidates find_candidates(
    const struct sandbox_cloud *cloud, const struct sandbox_type *type, const struct filter *filter)
{
        const struct sandbox_shelf *shelf = &cloud->objects.shelves[type->index];
        struct candidates found = {0};
        if (filter->key != NULL) {
                struct sandbox_object *made = map_get(&cloud->objects.by_key, filter->key);
                if (made == NULL || made->type != type) return found;
                size_t room = 0;
                vec_push(found.owned, found.count, room, ((struct sandbox_slot){made->seq, made}));
                found.slots = found.owned;
                return found;
        }
        if (filter->name == NULL) {
                size_t start = sandbox_shelf_after(shelf, filter->after);
                if (start == shelf->slot_count) return found;
                found.slots = &shelf->slots[start];
                found.count = shelf->slot_count - start;
                return found;
        }
        size_t capacity = 0;
        struct sandbox_object *namesake = sandbox_objects_named(&cloud->objects, type, filter->name);
        for (; namesake != NULL; namesake = namesake->next) {
                struct sandbox_slot slot = {namesake->seq, namesake};
                vec_push(found.owned, found.count, capacity, slot);
        }
        if (found.count > 1) qsort(found.owned, found.count, sizeof *found.owned, compare_items);
        found.slots = found.owned;
        return found;
}

static void add_encoded(struct text *out, const char *s)
{
        for (; *s != '\0'; s++) {
                if (isalnum((unsigned char)*s) || strchr("-._~:", *s) != NULL)
                        text_addc(out, *s);
                else
                        text_addf(out, "%%%02X", (unsigned)(unsigned char)*s);
        }
}

/* The Link (RFC 8288) to the same list behind `last`: all of the query but its page. The caller frees. */
static char *next_link(const struct sandbox_type *type, const struct sandbox_request *request, int64_t last)
{
        struct text out = {0};
        text_addf(&out, "</v1/%s?", type->plural);
        for (size_t i = 0; i < request->query_count; i++) {
                if (strcmp(request->query[i].name, "page") == 0) continue;
                text_addf(&out, "%s=", request->query[i].name); /* one that a list takes, so plain letters */
                add_encoded(&out, request->query[i].value ? request->query[i].value : "");
                text_addc(&out, '&');
        }
        text_addf(&out, "page=%lld>; rel=\"next\"", (long long)last);
        return text_steal(&out);
}

json_t *sandbox_listing(const struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const struct sandbox_request *request, char **link, struct sandbox_refusal *refusal)
{
        struct filter filter;
        int64_t now = clock_monotonic_ms(), last = 0;
        if (read_filter(request, &filter, refusal) < 0) return NULL;
        struct candidates found = find_candidates(cloud, type, &filter);
        json_t *items = json_array();
        for (size_t i = 0; i < found.count; i++) {
                const struct sandbox_object *object = found.slots[i].object;
                if (object == NULL || !passes(&filter, object, now)) continue;
                if ((int64_t)json_array_size(items) == filter.limit) {
                        *link = next_link(type, request, last);
                        break;
                }
                last = object->seq;
                json_array_append_new(items, sandbox_cloud_render(object, now));
        }
        free(found.owned);
        return items;
}
