/* Type constraints as text: string, list(T), object({name = T, other = optional(T, default)}), … */
#include <string.h>

#include "lang/parser.h"
#include "lang/type_internal.h"

static const struct type *parse_type(struct parser *p);

static int expect(struct parser *p, enum token_kind kind, const char *what)
{
        if (p->token.kind != kind) return parser_expected(p, what), -1;
        parser_advance(p);
        return 0;
}

/* `optional(T)` or `optional(T, default)`, or plain T. */
static int parse_attribute_type(struct parser *p, struct type_attribute *a)
{
        if (!parser_is_word(p, "optional")) {
                a->type = parse_type(p);
                return a->type ? 0 : -1;
        }
        a->optional = true;
        parser_advance(p);
        if (expect(p, TOKEN_OPEN_PAREN, "'(' behind optional") < 0) return -1;
        a->type = parse_type(p);
        if (a->type == NULL) return -1;
        if (p->token.kind == TOKEN_COMMA) {
                parser_advance(p);
                size_t start = p->token.start;
                struct expr *e = parser_expression(p);
                if (e == NULL) return -1;
                if (e->constant == NULL) return parser_fail(p, start, "a default must be a constant"), -1;
                struct error *problem = NULL;
                a->fallback = value_convert(e->constant, a->type, &problem);
                if (a->fallback == NULL) {
                        parser_fail(
                            p, start, "this default does not fit its type: %s", error_message(problem));
                        error_free(problem);
                        return -1;
                }
        }
        return expect(p, TOKEN_CLOSE_PAREN, "')' behind an optional type");
}

static const char *attribute_name(struct parser *p)
{
        if (p->token.kind == TOKEN_IDENT) {
                const char *name = parser_text(p, p->token);
                parser_advance(p);
                return name;
        }
        if (p->token.kind != TOKEN_QUOTE) return parser_expected(p, "an attribute name or '}'");
        size_t start = p->token.start;
        struct expr *e = parser_quoted(p);
        if (e == NULL) return NULL;
        if (e->constant == NULL || value_kind(e->constant) != TYPE_STRING)
                return parser_fail(p, start, "an attribute name must be a constant");
        return value_as_string(e->constant);
}

struct attributes {
        struct type_attribute *items;
        size_t count, capacity;
};

static void attributes_release_cleanup(struct attributes *a)
{
        for (size_t i = 0; i < a->count; i++) {
                type_free(a->items[i].type);
                value_free((struct value *)a->items[i].fallback);
        }
        free(a->items);
}

/* `({ name = T, … })`; commas or new lines may be between. */
static const struct type *parse_object_type(struct parser *p)
{
        cleanup(attributes_release) struct attributes list = {0};
        if (expect(p, TOKEN_OPEN_PAREN, "'(' behind object") < 0) return NULL;
        if (expect(p, TOKEN_OPEN_BRACE, "'{' behind object(") < 0) return NULL;
        while (p->token.kind != TOKEN_CLOSE_BRACE) {
                struct type_attribute a = {0};
                size_t start = p->token.start;
                a.name = attribute_name(p);
                if (a.name == NULL) return NULL;
                for (size_t i = 0; i < list.count; i++)
                        if (text_equal(list.items[i].name, a.name))
                                return parser_fail(p, start, "attribute \"%s\" is there twice", a.name);
                if (p->token.kind == TOKEN_COLON) p->token.kind = TOKEN_ASSIGN;
                if (expect(p, TOKEN_ASSIGN, "'=' behind an attribute name") < 0) return NULL;
                int r = parse_attribute_type(p, &a);
                vec_push(list.items, list.count, list.capacity, a);
                if (r < 0) return NULL;
                if (p->token.kind == TOKEN_COMMA) parser_advance(p);
        }
        parser_advance(p);
        if (expect(p, TOKEN_CLOSE_PAREN, "')' behind object({…}") < 0) return NULL;
        return type_object(list.items, list.count);
}

static const struct type *parse_tuple_type(struct parser *p)
{
        const struct type **parts = NULL;
        size_t count = 0, capacity = 0;
        const struct type *result = NULL;
        if (expect(p, TOKEN_OPEN_PAREN, "'(' behind tuple") < 0) return NULL;
        int r = expect(p, TOKEN_OPEN_BRACKET, "'[' behind tuple(");
        while (r == 0 && p->token.kind != TOKEN_CLOSE_BRACKET) {
                const struct type *part = parse_type(p);
                if (part == NULL) r = -1;
                if (part != NULL) vec_push(parts, count, capacity, part);
                if (r == 0 && p->token.kind != TOKEN_CLOSE_BRACKET)
                        r = expect(p, TOKEN_COMMA, "',' or ']' behind an element type");
        }
        if (r == 0) parser_advance(p);
        if (r == 0) r = expect(p, TOKEN_CLOSE_PAREN, "')' behind tuple([…]");
        if (r == 0) result = type_tuple(parts, count);
        for (size_t i = 0; i < count; i++) type_free(parts[i]);
        free(parts);
        return result;
}

static const struct type *parse_collection_type(struct parser *p, char first)
{
        parser_advance(p);
        if (p->token.kind != TOKEN_OPEN_PAREN) /* a bare list, set or map: of anything */
                return first == 'l'   ? type_list(type_dynamic)
                       : first == 's' ? type_set(type_dynamic)
                                      : type_map(type_dynamic);
        parser_advance(p);
        cleanup(type_free) const struct type *element = parse_type(p);
        if (element == NULL || expect(p, TOKEN_CLOSE_PAREN, "')' behind an element type") < 0) return NULL;
        return first == 'l' ? type_list(element) : first == 's' ? type_set(element) : type_map(element);
}

static const struct type *parse_word(struct parser *p)
{
        static const char *const words[] = {
            "string", "number", "bool", "any", "dynamic", "list", "set", "map", "object", "tuple"};
        const struct type *simple[] = {type_string, type_number, type_bool, type_dynamic, type_dynamic};
        size_t count = sizeof words / sizeof *words;
        for (size_t i = 0; i < count; i++) {
                if (!parser_is_word(p, words[i])) continue;
                if (i >= 5 && i < 8) return parse_collection_type(p, *words[i]);
                parser_advance(p);
                return i < 5 ? simple[i] : i == 8 ? parse_object_type(p) : parse_tuple_type(p);
        }
        if (p->token.kind != TOKEN_IDENT) return parser_expected(p, "a type");
        const char *name = parser_text(p, p->token), *near = text_suggest(name, words, count);
        if (near == NULL)
                return parser_fail(p, p->token.start,
                    "there is no type '%s'; there are string, number, bool, any, list, set, map, object and "
                    "tuple",
                    name);
        return parser_fail(p, p->token.start, "there is no type '%s'; did you mean '%s'?", name, near);
}

static const struct type *parse_type(struct parser *p)
{
        const struct type *t = parser_enter(p) < 0 ? NULL : parse_word(p);
        p->depth--;
        return t;
}

const struct type *type_parse(const char *source, size_t len, const struct place *place, struct error **err)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(parser_release) struct parser p;
        struct source_map map = {0};
        if (place != NULL) map.start = *place;
        parser_init(&p, arena, source, len, place ? &map : NULL, err);
        if (parser_begin(&p) < 0) return NULL;
        parser_advance(&p);
        cleanup(type_free) const struct type *type = parse_type(&p);
        if (type != NULL && p.token.kind != TOKEN_END) return parser_expected(&p, "the end of the type");
        return steal(type);
}
