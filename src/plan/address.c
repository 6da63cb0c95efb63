/* Composing addresses and finding what covers them. */
#include "plan/address.h"

#include <inttypes.h>
#include <string.h>

const char *address_bare(struct arena *arena, const char *prefix, const char *name)
{
        return prefix[0] ? arena_printf(arena, "%s%s", prefix, name) : name;
}

const char *address_counted(struct arena *arena, const char *bare, uint64_t index)
{
        return arena_printf(arena, "%s[%" PRIu64 "]", bare, index);
}

const char *address_keyed(struct arena *arena, const char *bare, const char *key, size_t len)
{
        struct text text = {0};
        text_add(&text, bare);
        text_addc(&text, '[');
        text_add_json(&text, key, len);
        text_addc(&text, ']');
        const char *address = arena_strndup(arena, text.data, text.len);
        text_release(&text);
        return address;
}

/* Past a quoted key, escapes included; at the end of the string if the quote is not closed. */
static const char *skip_quoted(const char *p)
{
        for (p++; *p != '\0' && *p != '"'; p++)
                if (*p == '\\' && p[1] != '\0') p++;
        return *p ? p + 1 : p;
}

size_t address_covers(const char *address, size_t lengths[ADDRESS_COVERS])
{
        size_t count = 0;
        const char *p = address;
        while (*p != '\0' && count < ADDRESS_COVERS - 1) {
                if (*p == '"') {
                        p = skip_quoted(p);
                        continue;
                }
                if (p > address && (*p == '[' || *p == '/')) lengths[count++] = (size_t)(p - address);
                p++;
        }
        lengths[count++] = strlen(address);
        return count;
}

void *address_find_cover(const struct map *set, const char *address, struct text *scratch)
{
        size_t lengths[ADDRESS_COVERS], count = address_covers(address, lengths);
        while (count-- > 0) {
                text_clear(scratch);
                text_addn(scratch, address, lengths[count]);
                void *found = map_get(set, scratch->data ? scratch->data : "");
                if (found != NULL) return found;
        }
        return NULL;
}
