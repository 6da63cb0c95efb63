/* Composing and reading addresses, and finding what covers them. */
#include "plan/address.h"

#include <inttypes.h>
#include <string.h>
#include "lang/value.h"
#include "template/template.h"

enum { PARTS_MAX = 32 }; /* more than templates can be nested */

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

/* ── Reading ── */

/* "key" with its quotes, up to `end`, as it is written; false where that is no JSON string. */
static bool read_key(const char *p, const char *end, struct text *out)
{
        cleanup(value_free) struct value *key = value_from_json(
            p, (size_t)(end - p), type_string, NULL, NULL);
        bool good = key != NULL && value_is_known(key) && !value_is_null(key) &&
                    strlen(value_as_string(key)) == value_string_len(key);
        if (good) text_add_json(out, value_as_string(key), value_string_len(key));
        return good;
}

/* An index from its '[' on, as it should be written: a number, a key in quotes, or what lost its quotes to a shell. */
static bool read_index(const char **at, struct text *out)
{
        const char *p = *at + 1, *end;
        text_addc(out, '[');
        if (*p == '"') {
                end = skip_quoted(p);
                if (!read_key(p, end, out)) return false;
        } else {
                end = p + strcspn(p, "[]\"/");
                size_t len = (size_t)(end - p), zeros = strspn(p, "0"), digits = strspn(p, "0123456789");
                if (len == 0 || !text_is_utf8(p, len)) return false;
                bool quoted = len > 1 && p[0] == '\'' && p[len - 1] == '\'';
                if (digits == len)
                        text_addn(out, p + zeros, len - zeros);
                else
                        text_add_json(out, p + quoted, len - 2 * (size_t)quoted);
                if (digits == len && zeros == len) text_addc(out, '0');
        }
        text_addc(out, ']');
        *at = *end == ']' ? end + 1 : end;
        return true;
}

/* The address that `text` is, or should have been; false where nothing says which. */
static bool read_address(const char *text, struct text *out)
{
        const char *p = text;
        for (int parts = 0; parts < PARTS_MAX; parts++) {
                size_t name = strcspn(p, "[/");
                if (!name_is_good(p, name)) return false;
                text_addn(out, p, name);
                p += name;
                if (*p == '[' && !read_index(&p, out)) return false;
                if (*p == '\0') return true;
                if (*p++ != '/') return false;
                text_addc(out, '/');
        }
        return false;
}

int address_check(const char *text, struct error **err)
{
        struct text meant __attribute__((__cleanup__(text_release_cleanup))) = {0};
        bool read = read_address(text, &meant);
        if (read && strcmp(meant.data, text) == 0) return 0;
        if (*text == '\0') return error_set(err, ERROR_INPUT, NULL, "the empty text is no address");
        if (read) return error_set(err, ERROR_INPUT, NULL, "`%s` is no address; `%s`?", text, meant.data);
        return error_set(err, ERROR_INPUT, NULL,
            "`%s` is no address: one is NAME, NAME[0] or NAME[\"key\"], behind OUTER/ inside a nested "
            "template",
            text);
}

bool address_is_indexed(const char *address)
{
        size_t lengths[ADDRESS_COVERS], count = address_covers(address, lengths);
        return count > 1 && address[lengths[count - 2]] == '[';
}

bool address_is_within(const char *address, const char *cover)
{
        size_t len = strlen(cover);
        return strncmp(address, cover, len) == 0 &&
               (address[len] == '\0' || address[len] == '[' || address[len] == '/');
}
