/*
 * YAML nodes as expressions: scalars are parsed, maps and lists become object and tuple expressions, so that a whole tree of
 * properties is evaluated as one.
 */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"

static void drop_value(void *value)
{
        value_free(value);
}

static void drop_type(void *type)
{
        type_free(type);
}

static void drop_map(void *map)
{
        map_release(map);
}

const struct value *keep_value(struct arena *arena, struct value *steal)
{
        if (steal != NULL) arena_defer(arena, drop_value, steal);
        return steal;
}

const struct type *keep_type(struct arena *arena, const struct type *steal)
{
        if (steal != NULL) arena_defer(arena, drop_type, (void *)steal);
        return steal;
}

void keep_map(struct arena *arena, struct map *map)
{
        arena_defer(arena, drop_map, map);
}

/* Decimal as value_number takes it; octal and hexadecimal up to 64 bits. */
static struct value *number_of(const struct yaml_node *node)
{
        const char *text = node->text;
        if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
                if (node->count > 2 + (text[1] == 'x' ? 15 : 20)) return NULL;
                return value_int((int64_t)strtoull(text + 2, NULL, text[1] == 'x' ? 16 : 8));
        }
        __attribute__((__cleanup__(text_release_cleanup))) struct text plain = {0};
        if (*text == '-') text_addc(&plain, '-');
        if (*text == '-' || *text == '+') text++;
        if (*text == '.') text_addc(&plain, '0');
        const char *dot = strchr(text, '.');
        if (dot != NULL && (dot[1] < '0' || dot[1] > '9')) { /* "5." and "5.e3" */
                text_addn(&plain, text, (size_t)(dot - text));
                text = dot + 1;
        }
        text_add(&plain, text);
        return value_number(plain.data, plain.len);
}

static struct value *scalar_value(struct reading *in, const struct yaml_node *node)
{
        struct value *number;
        switch (node->core) {
        case YAML_NULL: return value_null(type_dynamic);
        case YAML_BOOL: return value_bool(node->text[0] == 't' || node->text[0] == 'T');
        case YAML_NUMBER:
                number = number_of(node);
                if (number != NULL) return number;
                key_problem(
                    in, node, "the number %.60s is too large; put it in quotes if it is text", node->text);
                return value_int(0);
        case YAML_AMBIGUOUS:
                key_problem(in, node, "%.60s is ambiguous: put it in quotes if it is text%s", node->text,
                    node->text[0] == '.' || node->text[1] == '.'
                        ? ""
                        : ", else write the number without leading zeros (octal: 0o…)");
                return value_int(0);
        default: return value_string_n(node->text, node->count);
        }
}

static struct expr *scalar_expr(struct reading *in, const struct yaml_node *node)
{
        struct arena *arena = in->loader->arena;
        struct place place = yaml_place(in->file, node);
        bool marks = node->core == YAML_STRING && (memmem(node->text, node->count, "${", 2) != NULL ||
                                                      memmem(node->text, node->count, "%{", 2) != NULL);
        if (marks) {
                struct source_map map;
                cleanup(error_free) struct error *problem = NULL;
                yaml_source_map(in->loader->scratch, in->file, node, &map);
                struct expr *e = expr_parse_template(arena, node->text, node->count, &map, &problem);
                if (e != NULL && problem == NULL) return e;
                loader_problems(in->loader, &problem, place, in->address);
                return expr_literal(arena, value_null(type_dynamic), &place);
        }
        return expr_literal(arena, scalar_value(in, node), &place);
}

/* Keys are constant; `$${` stands for `${` as it does in values. */
static const char *key_of(struct reading *in, const struct yaml_entry *entry)
{
        if (strchr(entry->key, '{') == NULL) return entry->key;
        char *key = arena_strdup(in->loader->arena, entry->key), *to = key;
        for (const char *from = key; *from != '\0';) {
                bool mark = (from[0] == '$' || from[0] == '%') && from[1] == '{';
                bool escaped = (from[0] == '$' || from[0] == '%') && from[1] == from[0] && from[2] == '{';
                if (mark) {
                        loader_problem(in->loader, yaml_key_place(in->file, entry), in->address,
                            "a key must be constant; to compute keys, write the whole map as one expression: "
                            "\"${{ for … }}\"");
                        return entry->key;
                }
                if (escaped) from++; /* and copies the mark without looking at it again */
                *to++ = *from++;
                if (escaped) *to++ = *from++;
        }
        *to = '\0';
        return key;
}

static struct expr *map_expr(struct reading *in, const struct yaml_node *node)
{
        struct arena *arena = in->loader->arena;
        struct place place = yaml_place(in->file, node);
        const char **keys = arena_alloc(arena, node->count * sizeof *keys);
        struct place *places = arena_alloc(arena, node->count * sizeof *places);
        struct expr **values = arena_alloc(arena, node->count * sizeof(void *));
        for (uint32_t i = 0; i < node->count; i++) {
                keys[i] = key_of(in, &node->entries[i]);
                places[i] = yaml_key_place(in->file, &node->entries[i]);
                values[i] = document_expr(in, node->entries[i].value);
        }
        return expr_object(arena, keys, places, values, node->count, &place);
}

struct expr *document_expr(struct reading *in, const struct yaml_node *node) /* depth is bounded by yaml.c */
{
        if (node->kind == YAML_SCALAR) return scalar_expr(in, node);
        if (node->kind == YAML_MAP) return map_expr(in, node);
        struct arena *arena = in->loader->arena;
        struct place place = yaml_place(in->file, node);
        struct expr **items = arena_alloc(arena, node->count * sizeof(void *));
        for (uint32_t i = 0; i < node->count; i++) items[i] = document_expr(in, node->items[i]);
        return expr_tuple(arena, items, node->count, &place);
}

struct expr *document_object(struct reading *in, const struct yaml_node *node, const char *what)
{
        if (yaml_absent(node)) return NULL;
        struct expr *e = document_expr(in, node);
        const struct value *constant = expr_constant(e);
        bool is_map = constant == NULL || value_kind(constant) == TYPE_OBJECT ||
                      value_kind(constant) == TYPE_MAP;
        if (node->kind == YAML_SEQUENCE || (node->kind == YAML_SCALAR && !is_map)) {
                key_problem(in, node, "'%s' must be a map, not %s", what, yaml_kind_name(node));
                return NULL;
        }
        return e;
}

struct value *document_value(struct reading *in, const struct yaml_node *node, const char *environment)
{
        size_t before = error_count(in->loader->problems);
        const struct expr *e = document_expr(in, node);
        if (error_count(in->loader->problems) > before) return NULL;
        const char *name_key = "name", *root_key = "environment";
        cleanup(value_free) struct value *name = value_string(environment ? environment : "");
        cleanup(value_free) struct value *root = value_object(&name_key, &name, 1);
        cleanup(value_free) struct value *roots = value_object(&root_key, &root, 1);
        struct scope scope = {0};
        scope_over_object(&scope, roots);
        scope.base_dir = in->folder;
        scope.allow_outside = in->loader->allow_outside;
        cleanup(error_free) struct error *problem = NULL;
        struct value *v = expr_eval(e, &scope, &problem);
        if (v == NULL) loader_problems(in->loader, &problem, yaml_place(in->file, node), in->address);
        return v;
}
