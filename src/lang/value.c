/*
 * Making and dropping values. Constructors keep three summaries up to date in the flags of a value with parts
 * (something sensitive inside, something unknown inside, weight), so that asking for them costs nothing.
 */
#include "lang/value.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "lang/set_order.h"
#include "lang/value_internal.h"

static void *make(size_t size, enum type_kind kind, enum value_state state, unsigned flags)
{
        struct value *v = mem_realloc(NULL, size);
        *v = (struct value){
            .refs = 1, .kind = (uint8_t)kind, .state = (uint8_t)state, .flags = (uint8_t)flags};
        return v;
}

struct value *value_ref(const struct value *v)
{
        struct value *shared = (struct value *)v;
        if (!is_immediate(v)) shared->refs++;
        return shared;
}

static void drop_parts(struct value *v)
{
        struct value_whole *whole = (struct value_whole *)v;
        if (v->kind == TYPE_MAP || v->kind == TYPE_OBJECT) {
                struct value_fields *f = (struct value_fields *)v;
                for (size_t i = 0; i < whole->count; i++) value_free(f->fields[i].value);
        } else {
                struct value_sequence *s = (struct value_sequence *)v;
                for (size_t i = 0; i < whole->count; i++) value_free(s->items[i]);
        }
        type_free(whole->type);
}

void value_free(struct value *v)
{
        if (v == NULL || is_immediate(v) || --v->refs > 0) return;
        if (v->state != STATE_KNOWN)
                type_free(((struct value_typed *)v)->type);
        else if (v->kind >= TYPE_LIST)
                drop_parts(v);
        else if (v->kind == TYPE_STRING && (v->flags & VALUE_SENSITIVE))
                mem_wipe(((struct value_text *)v)->data, ((struct value_text *)v)->len);
        free(v);
}

static struct value *absent(enum value_state state, const struct type *type, unsigned flags)
{
        if (kind_of(type) <= TYPE_BOOL)
                return make_small(state, kind_of(type), false, flags & VALUE_SENSITIVE);
        if (state == STATE_UNKNOWN) flags |= VALUE_HAS_UNKNOWN;
        struct value_typed *v = make(sizeof *v, kind_of(type), state, flags);
        v->type = type_ref(type);
        return &v->head;
}

struct value *value_null(const struct type *type)
{
        return absent(STATE_NULL, type, 0);
}

struct value *value_unknown(const struct type *type)
{
        return absent(STATE_UNKNOWN, type, 0);
}

struct value *value_unknown_present(const struct type *type)
{
        if (kind_of(type) == TYPE_DYNAMIC) return value_unknown(type);
        if (kind_of(type) <= TYPE_BOOL) return make_small(STATE_UNKNOWN, kind_of(type), true, false);
        struct value *v = absent(STATE_UNKNOWN, type, 0);
        v->known_of = KNOWN_PRESENT;
        return v;
}

struct value *value_unknown_prefixed(const char *prefix, size_t len)
{
        struct value_prefixed *v = make(sizeof *v + len + 1, TYPE_STRING, STATE_UNKNOWN, VALUE_HAS_UNKNOWN);
        v->typed.type = type_string;
        v->typed.head.known_of = KNOWN_PRESENT | KNOWN_PREFIX;
        v->len = len;
        memcpy(v->data, prefix, len);
        v->data[len] = '\0';
        return &v->typed.head;
}

struct value *value_bool(bool b)
{
        return make_small(STATE_KNOWN, TYPE_BOOL, b, false);
}

static struct value *boxed_integer(int64_t n, unsigned flags)
{
        struct value_integer *v = make(sizeof *v, TYPE_NUMBER, STATE_KNOWN, flags);
        v->n = n;
        return &v->head;
}

struct value *value_int(int64_t n)
{
        bool fits = n >= SMALL_INTEGER_MIN && n <= SMALL_INTEGER_MAX;
        return fits ? make_integer(n) : boxed_integer(n, 0);
}

struct value *value_machine_int(int64_t n)
{
        if (n >= MACHINE_INTEGER_MIN && n <= MACHINE_INTEGER_MAX) return make_machine_integer(n);
        mpfr_t precise;
        mpfr_init2(precise, NUMBER_BITS_MACHINE);
        mpfr_set_sj(precise, n, MPFR_RNDN);
        struct value *v = value_big_new(precise);
        mpfr_clear(precise);
        return v;
}

struct value *value_big_new(mpfr_srcptr n)
{
        mpfr_prec_t bits = mpfr_get_prec(n);
        unsigned infinite = mpfr_inf_p(n) ? VALUE_HAS_INFINITE : 0;
        struct value_big *v = make(
            sizeof *v + mpfr_custom_get_size(bits), TYPE_NUMBER, STATE_KNOWN, VALUE_BIG | infinite);
        mpfr_custom_init(v->limbs, bits);
        mpfr_custom_init_set(v->n, MPFR_ZERO_KIND, 0, bits, v->limbs);
        mpfr_set(v->n, n, MPFR_RNDN);
        return &v->head;
}

static bool is_ascii(const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)s[i] >= 0x80) return false;
        return true;
}

static struct value *text_copy(const char *s, size_t len, unsigned flags)
{
        struct value_text *v = make(sizeof *v + len + 1, TYPE_STRING, STATE_KNOWN, flags);
        v->len = len;
        if (len > 0) memcpy(v->data, s, len);
        v->data[len] = '\0';
        return &v->head;
}

struct value *value_string_n(const char *s, size_t len)
{
        if (is_ascii(s, len)) return text_copy(s, len, 0);
        cleanup_free utf8proc_uint8_t *composed = NULL;
        utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, &composed,
            UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        return n < 0 ? text_copy(s, len, 0) : text_copy((const char *)composed, (size_t)n, 0);
}

struct value *value_string(const char *s)
{
        return value_string_n(s, strlen(s));
}

uint64_t value_weight(const struct value *v)
{
        if (is_whole(v)) return whole_of(v)->weight;
        if (!is_immediate(v) && v->state == STATE_KNOWN && v->kind == TYPE_STRING)
                return sizeof(struct value_text) + ((const struct value_text *)v)->len;
        return sizeof(struct value);
}

unsigned value_depth(const struct value *v)
{
        return is_whole(v) ? whole_of(v)->depth : 0;
}

static void *make_whole(size_t size, enum type_kind kind, const struct type *type, size_t count)
{
        struct value_whole *whole = make(size, kind, STATE_KNOWN, 0);
        whole->type = type ? type_ref(type) : NULL;
        whole->count = count;
        whole->weight = size;
        whole->depth = 1;
        return whole;
}

/* Takes a part's summaries into the whole's. */
static void whole_take(struct value_whole *whole, const struct value *part)
{
        unsigned depth = value_depth(part) + 1;
        uint64_t weight = value_weight(part);
        whole->head.flags |= flags_of(part) & (VALUE_HAS_SENSITIVE | VALUE_HAS_UNKNOWN | VALUE_HAS_INFINITE);
        whole->weight = whole->weight + weight < weight ? UINT64_MAX : whole->weight + weight;
        if (depth > whole->depth) whole->depth = depth;
}

struct value *value_sequence_steal(
    enum type_kind kind, const struct type *type, struct value **items, size_t count)
{
        struct value_sequence *v = make_whole(sizeof *v + count * sizeof *items, kind, type, count);
        for (size_t i = 0; i < count; i++) {
                v->items[i] = items[i];
                whole_take(&v->whole, items[i]);
        }
        return &v->whole.head;
}

static struct value *sequence(
    enum type_kind kind, const struct type *type, struct value *const *items, size_t count)
{
        struct value *v = value_sequence_steal(kind, type, (struct value **)items, count);
        for (size_t i = 0; i < count; i++) value_ref(items[i]);
        return v;
}

struct value *value_tuple(struct value *const *elements, size_t count)
{
        return sequence(TYPE_TUPLE, NULL, elements, count);
}

struct value *value_list(const struct type *element, struct value *const *elements, size_t count)
{
        cleanup(type_free) const struct type *type = type_list(element);
        return sequence(TYPE_LIST, type, elements, count);
}

/* A set tells -0 from 0, though they are equal. */
static bool is_minus_zero(const struct value *v)
{
        return vkind_of(v) == TYPE_NUMBER && is_known(v) && number_is_minus_zero(v);
}

/* A set cannot tell which element is sensitive without telling something of it: the mark goes to the whole. */
struct value *value_set(const struct type *element, struct value *const *elements, size_t count)
{
        cleanup(type_free) const struct type *type = type_set(element);
        cleanup_free struct value **items = mem_alloc(count * sizeof *items);
        bool sensitive = false;
        for (size_t i = 0; i < count; i++) {
                sensitive |= value_has_sensitive(elements[i]);
                items[i] = value_unmarked(elements[i]);
        }
        set_order(items, count, element);
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
                bool same = kept > 0 && value_is_wholly_known(items[i]) &&
                            value_equal(items[kept - 1], items[i]) &&
                            is_minus_zero(items[kept - 1]) == is_minus_zero(items[i]);
                if (same)
                        value_free(items[i]);
                else
                        items[kept++] = items[i];
        }
        struct value *set = value_sequence_steal(TYPE_SET, type, items, kept);
        if (sensitive) set->flags |= VALUE_SENSITIVE | VALUE_HAS_SENSITIVE;
        return set;
}

struct sorting {
        const char *key;
        struct value *value;
        size_t index;
};

static int compare_sorting(const void *a, const void *b)
{
        const struct sorting *x = a, *y = b;
        int order = strcmp(x->key, y->key);
        return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool keys_ascend(const char *const *keys, size_t count)
{
        for (size_t i = 1; i < count; i++)
                if (strcmp(keys[i - 1], keys[i]) >= 0) return false;
        return true;
}

/* The keys must ascend. */
static struct value *fields_make(
    enum type_kind kind, const struct type *type, const struct sorting *parts, size_t count)
{
        size_t names = 0;
        for (size_t i = 0; i < count; i++) names += strlen(parts[i].key) + 1;
        struct value_fields *v = make_whole(sizeof *v + count * sizeof *v->fields + names, kind, type, count);
        char *pool = (char *)(v->fields + count);
        for (size_t i = 0; i < count; i++) {
                size_t len = strlen(parts[i].key) + 1;
                v->fields[i].key = memcpy(pool, parts[i].key, len);
                v->fields[i].value = parts[i].value;
                pool += len;
                whole_take(&v->whole, parts[i].value);
        }
        return &v->whole.head;
}

struct value *value_fields_steal(enum type_kind kind, const struct type *type, const char *const *keys,
    struct value **values, size_t count)
{
        struct sorting few[16];
        cleanup_free struct sorting *many = count > 16 ? mem_realloc(NULL, count * sizeof *many) : NULL;
        struct sorting *parts = many ? many : few;
        for (size_t i = 0; i < count; i++) parts[i] = (struct sorting){keys[i], values[i], i};
        if (!keys_ascend(keys, count)) {
                qsort(parts, count, sizeof *parts, compare_sorting);
                size_t kept = 0;
                for (size_t i = 0; i < count; i++) {
                        if (kept > 0 && strcmp(parts[kept - 1].key, parts[i].key) == 0)
                                value_free(parts[--kept].value);
                        parts[kept++] = parts[i];
                }
                count = kept;
        }
        return fields_make(kind, type, parts, count);
}

static struct value *fields(enum type_kind kind, const struct type *type, const char *const *keys,
    struct value *const *values, size_t count)
{
        for (size_t i = 0; i < count; i++) value_ref(values[i]);
        return value_fields_steal(kind, type, keys, (struct value **)values, count);
}

struct value *value_map(
    const struct type *element, const char *const *keys, struct value *const *values, size_t count)
{
        cleanup(type_free) const struct type *type = type_map(element);
        return fields(TYPE_MAP, type, keys, values, count);
}

struct value *value_object(const char *const *keys, struct value *const *values, size_t count)
{
        return fields(TYPE_OBJECT, NULL, keys, values, count);
}

/* A copy of the outermost layer, without the mark; not of what is small. */
static struct value *copy_top(const struct value *v)
{
        if (is_integer(v)) return boxed_integer(integer_of(v), 0);
        if (v->state != STATE_KNOWN) {
                const struct value_prefixed *p = (const struct value_prefixed *)v;
                if (v->known_of & KNOWN_PREFIX) return value_unknown_prefixed(p->data, p->len);
                if (v->known_of) return value_unknown_present(p->typed.type);
                return absent((enum value_state)v->state, p->typed.type, 0);
        }
        if (v->kind == TYPE_STRING)
                return text_copy(
                    ((const struct value_text *)v)->data, ((const struct value_text *)v)->len, 0);
        if (v->kind == TYPE_NUMBER && !(v->flags & VALUE_BIG))
                return value_int(((const struct value_integer *)v)->n);
        if (v->kind == TYPE_NUMBER) return value_big_new(((const struct value_big *)v)->n);
        const struct value_whole *whole = whole_of(v);
        if (is_sequence(v))
                return sequence((enum type_kind)v->kind, whole->type, sequence_of(v)->items, whole->count);
        cleanup_free struct sorting *parts = mem_alloc(whole->count * sizeof *parts);
        for (size_t i = 0; i < whole->count; i++)
                parts[i] = (struct sorting){
                    fields_of(v)->fields[i].key, value_ref(fields_of(v)->fields[i].value), i};
        return fields_make((enum type_kind)v->kind, whole->type, parts, whole->count);
}

struct value *value_sensitive(const struct value *v, bool sensitive)
{
        if (value_is_sensitive(v) == sensitive) return value_ref(v);
        if (is_small(v)) return small_marked(v, sensitive);
        struct value *copy = copy_top(v);
        if (sensitive) copy->flags |= VALUE_SENSITIVE | VALUE_HAS_SENSITIVE;
        return copy;
}

struct value *value_unmarked(const struct value *v)
{
        if (!value_has_sensitive(v)) return value_ref(v);
        cleanup(value_free) struct value *top = value_sensitive(v, false);
        if (!value_has_sensitive(top)) return steal(top);
        const struct value_whole *whole = whole_of(top);
        cleanup_free struct value **parts = mem_alloc(whole->count * sizeof *parts);
        for (size_t i = 0; i < whole->count; i++) parts[i] = value_unmarked(value_at(top, i));
        if (is_sequence(top)) return value_sequence_steal(vkind_of(top), whole->type, parts, whole->count);
        cleanup_free const char **keys = mem_alloc(whole->count * sizeof *keys);
        for (size_t i = 0; i < whole->count; i++) keys[i] = value_key_at(top, i);
        return value_fields_steal(vkind_of(top), whole->type, keys, parts, whole->count);
}

void value_builder_add(struct value_builder *b, const char *key, struct value *stolen)
{
        vec_grow(b->values, b->count, b->capacity_values);
        b->values[b->count] = stolen;
        vec_push(b->keys, b->count, b->capacity, mem_strdup(key));
}

struct value *value_builder_object(struct value_builder *b)
{
        struct value *v = value_object(b->keys, b->values, b->count);
        value_builder_release(b);
        return v;
}

void value_builder_release(struct value_builder *b)
{
        for (size_t i = 0; i < b->count; i++) {
                free((char *)b->keys[i]);
                value_free(b->values[i]);
        }
        free(b->keys);
        free(b->values);
        *b = (struct value_builder){0};
}
