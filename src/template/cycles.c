/*
 * Parts of a template that need each other in a circle: reported as the path that closes, with the place of each link.
 *
 * Depth-first search with a stack of its own, as a chain may be as long as a template has resources. Each part is entered
 * once and each link followed once. Circles that share a part with one already reported are left out: they usually are the same mistake.
 */
#include "template/loader.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

enum { SHOWN = 12 }; /* parts of a long circle that are named */

enum colour { NEW, OPEN, DONE };

struct search {
        struct loader *loader;
        const struct template *template;
        uint32_t count;
        uint32_t *first; /* links of part i are by_part[first[i]] to by_part[first[i + 1]] */
        const struct link **by_part;
        uint8_t *colour;
        bool *reported;
        uint32_t *next; /* the link of an open part to follow next */
        uint32_t *stack, depth;
};

static const char *part_name(const struct search *s, uint32_t part)
{
        const struct template *t = s->template;
        struct arena *arena = s->loader->scratch;
        if (part < t->local_count) return arena_printf(arena, "local.%s", t->locals[part].name);
        part -= (uint32_t)t->local_count;
        if (part < t->lookup_count) return arena_printf(arena, "lookup.%s", t->lookups[part].name);
        part -= (uint32_t)t->lookup_count;
        if (part < t->resource_count) return t->resources[part].name;
        return arena_printf(arena, "provider.%s", t->providers[part - t->resource_count].name);
}

/* The link that the open part at `depth` of the stack is being left by. */
static const struct link *link_out(const struct search *s, uint32_t depth)
{
        return s->by_part[s->next[s->stack[depth]] - 1];
}

static void report(struct search *s, uint32_t start)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text path = {0}, places = {0};
        uint32_t length = s->depth - start;
        const char *file = link_out(s, start)->place.file;
        for (uint32_t i = start; i < s->depth; i++) {
                uint32_t at = i - start;
                s->reported[s->stack[i]] = true;
                if (length > SHOWN && at == SHOWN - 2) text_addf(&path, "… %u more … → ", length - SHOWN + 1);
                if (length > SHOWN && at >= SHOWN - 2 && i + 1 < s->depth) continue;
                const struct link *link = link_out(s, i);
                text_addf(&path, "%s → ", part_name(s, s->stack[i]));
                text_addf(&places, "%s%s:%u:%u", at > 0 ? ", " : "",
                    link->place.file ? link->place.file : file, link->place.line, link->place.column);
        }
        const char *name = part_name(s, s->stack[start]);
        if (length == 1)
                loader_problem(
                    s->loader, link_out(s, start)->place, name, "needs itself: %s%s", path.data, name);
        else
                loader_problem(s->loader, link_out(s, start)->place, name, "these need each other: %s%s (%s)",
                    path.data, name, places.data);
}

/* The part at the top of the stack has a link to an open part: that closes a circle. */
static void close_circle(struct search *s, uint32_t to)
{
        uint32_t start = s->depth - 1;
        if (s->reported[to] || s->reported[s->stack[start]]) return;
        while (s->stack[start] != to) start--;
        report(s, start);
}

static void enter(struct search *s, uint32_t part)
{
        s->colour[part] = OPEN;
        s->next[part] = s->first[part];
        s->stack[s->depth++] = part;
}

static void search_from(struct search *s, uint32_t part)
{
        enter(s, part);
        while (s->depth > 0) {
                uint32_t top = s->stack[s->depth - 1];
                if (s->next[top] == s->first[top + 1]) {
                        s->colour[top] = DONE;
                        s->depth--;
                        continue;
                }
                uint32_t to = s->by_part[s->next[top]++]->to;
                if (s->colour[to] == NEW)
                        enter(s, to);
                else if (s->colour[to] == OPEN)
                        close_circle(s, to);
        }
}

void cycles_check(struct loader *loader, const struct template *t, const struct links *links)
{
        uint32_t count = (uint32_t)(t->local_count + t->lookup_count + t->resource_count + t->provider_count);
        struct arena *arena = arena_new();
        cleanup(arena_free) struct arena *own = arena;
        struct search s = {.loader = loader, .template = t, .count = count};
        s.first = arena_alloc(arena, ((size_t)count + 2) * sizeof *s.first);
        s.by_part = arena_alloc(arena, (links->count + 1) * sizeof(void *));
        s.colour = arena_alloc(arena, count);
        s.reported = arena_alloc(arena, count);
        s.next = arena_alloc(arena, (size_t)count * sizeof *s.next);
        s.stack = arena_alloc(arena, (size_t)count * sizeof *s.stack);
        /* counting sort by the part they leave: first[i + 2] counts, then first[i + 1] runs from the start of i to its end */
        for (size_t i = 0; i < links->count; i++) s.first[links->items[i].from + 2]++;
        for (uint32_t i = 0; i < count; i++) s.first[i + 2] += s.first[i + 1];
        for (size_t i = 0; i < links->count; i++)
                s.by_part[s.first[links->items[i].from + 1]++] = &links->items[i];
        for (uint32_t part = 0; part < count; part++)
                if (s.colour[part] == NEW) search_from(&s, part);
}
