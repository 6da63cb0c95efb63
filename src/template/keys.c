/* Maps whose keys are fixed, and the constants behind them. */
#include "template/loader.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void key_problem(struct reading *in, const struct yaml_node *node, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        loader_problem(in->loader, yaml_place(in->file, node), in->address, "%s", message);
}

bool keys_is_map(struct reading *in, const struct yaml_node *node, const char *what)
{
        if (node->kind == YAML_MAP) return true;
        if (!yaml_absent(node)) key_problem(in, node, "%s must be a map, not %s", what, yaml_kind_name(node));
        return false;
}

void keys_read(
    struct reading *in, const struct yaml_node *map, const char *what, const struct key *keys, size_t count)
{
        for (uint32_t i = 0; i < map->count; i++) {
                const struct yaml_entry *entry = &map->entries[i];
                size_t k = 0;
                while (k < count && strcmp(keys[k].name, entry->key) != 0) k++;
                if (k < count) {
                        if (keys[k].read != NULL) keys[k].read(in, entry);
                        continue;
                }
                const char *names[40];
                for (k = 0; k < count && k < sizeof names / sizeof names[0]; k++) names[k] = keys[k].name;
                loader_problem(in->loader, yaml_key_place(in->file, entry), in->address,
                    "unknown key '%.100s' in %s%s", entry->key, what,
                    loader_suggest(in->loader, entry->key, names, k));
        }
}

static bool holds_expression(const struct yaml_node *node)
{
        return memmem(node->text, node->count, "${", 2) != NULL ||
               memmem(node->text, node->count, "%{", 2) != NULL;
}

static const char *text_of(struct reading *in, const char *key, const struct yaml_node *node)
{
        if (node->kind != YAML_SCALAR || node->core == YAML_NULL) {
                key_problem(in, node, "'%s' must be text, not %s", key, yaml_kind_name(node));
                return NULL;
        }
        if (holds_expression(node)) {
                key_problem(in, node, "'%s' must be constant, without an expression", key);
                return NULL;
        }
        if (memchr(node->text, '\0', node->count) != NULL) {
                key_problem(in, node, "'%s' must not hold a NUL character", key);
                return NULL;
        }
        return arena_strndup(in->loader->arena, node->text, node->count);
}

const char *key_text(struct reading *in, const struct yaml_entry *entry)
{
        return text_of(in, entry->key, entry->value);
}

bool key_bool(struct reading *in, const struct yaml_entry *entry)
{
        const struct yaml_node *node = entry->value;
        if (node->kind == YAML_SCALAR && node->core == YAML_BOOL)
                return node->text[0] == 't' || node->text[0] == 'T';
        key_problem(in, node, "'%s' must be true or false", entry->key);
        return false;
}

unsigned key_unsigned(struct reading *in, const struct yaml_entry *entry, unsigned min, unsigned max)
{
        const struct yaml_node *node = entry->value;
        if (node->kind == YAML_SCALAR && node->core == YAML_NUMBER &&
            strspn(node->text, "0123456789") == node->count && node->count < 10) {
                unsigned long n = strtoul(node->text, NULL, 10);
                if (n >= min && n <= max) return (unsigned)n;
        }
        key_problem(in, node, "'%s' must be a whole number from %u to %u", entry->key, min, max);
        return min;
}

int64_t key_duration(struct reading *in, const struct yaml_entry *entry)
{
        const struct yaml_node *node = entry->value;
        int64_t ms = 0;
        if (node->kind != YAML_SCALAR || node->core == YAML_NULL || !duration_parse(node->text, &ms) ||
            ms <= 0)
                key_problem(in, node, "'%s' must be a duration such as 30s, 10m or 2h30m", entry->key);
        return ms > 0 ? ms : 0;
}

const char **key_names(
    struct reading *in, const struct yaml_entry *entry, struct place **places, size_t *count)
{
        struct arena *arena = in->loader->arena;
        const struct yaml_node *node = entry->value;
        bool list = node->kind == YAML_SEQUENCE;
        size_t total = list ? node->count : yaml_absent(node) ? 0 : 1;
        const char **names = arena_alloc(arena, total * sizeof *names);
        if (places != NULL) *places = arena_alloc(arena, total * sizeof **places);
        *count = 0;
        for (size_t i = 0; i < total; i++) {
                const struct yaml_node *item = list ? node->items[i] : node;
                const char *name = text_of(in, entry->key, item);
                if (name == NULL) continue;
                if (places != NULL) (*places)[*count] = yaml_place(in->file, item);
                names[(*count)++] = name;
        }
        return names;
}

bool name_is_good(const char *name, size_t len)
{
        if (len == 0 || len > NAME_MAX_LEN) return false;
        if (*name != '_' && !(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z')) return false;
        for (size_t i = 0; i < len; i++) {
                char c = name[i];
                if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
                    c != '_' && c != '-')
                        return false;
        }
        return true;
}

void key_check_name(struct reading *in, const struct yaml_entry *entry, const char *what)
{
        static const char *const words[] = {"true", "false", "null"};
        static const char *const roots[] = {
            "param", "local", "lookup", "each", "count", "self", "failure", "environment", "path"};
        struct place place = yaml_key_place(in->file, entry);
        if (!name_is_good(entry->key, strlen(entry->key))) {
                loader_problem(in->loader, place, NULL,
                    "'%.130s' cannot be the name of a %s: a name begins with a letter and holds letters, "
                    "digits, '_' and '-', at most %d",
                    entry->key, what, NAME_MAX_LEN);
                return;
        }
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (strcmp(entry->key, words[i]) == 0)
                        loader_problem(
                            in->loader, place, NULL, "a %s cannot be called '%s'", what, entry->key);
        if (strcmp(what, "resource") != 0) return;
        for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
                if (strcmp(entry->key, roots[i]) == 0)
                        loader_problem(in->loader, place, NULL,
                            "a resource cannot be called '%s': expressions use that name", entry->key);
}
