/*
 * The order of elements in a set. Strings, numbers and bools have an order of their own; collections and
 * structures stand in the order of a text that is made of them, as Terraform has it, so that what is made by
 * walking over a set comes out the same.
 */
#include "lang/set_order.h"

#include <string.h>

#include "lang/number.h"
#include "lang/unicode.h"

static void add_character(struct text *out, const char *s, size_t len, int32_t point)
{
        static const char plain[] = "\a\b\f\n\r\t\v\"\\", escaped[] = "abfnrtv\"\\";
        const char *special = point > 0 && point < 0x80 ? strchr(plain, (int)point) : NULL;
        if (special)
                text_addf(out, "\\%c", escaped[special - plain]);
        else if (unicode_is_print(point))
                text_addn(out, s, len);
        else if (point < ' ' || point == 0x7f)
                text_addf(out, "\\x%02x", (unsigned)point);
        else
                text_addf(out, point > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)point);
}

static void add_quoted(struct text *out, const char *s, size_t len)
{
        int32_t point;
        text_addc(out, '"');
        for (size_t at = 0; at < len;) {
                size_t n = unicode_point(s + at, len - at, &point);
                add_character(out, s + at, n, point);
                at += n;
        }
        text_addc(out, '"');
}

/* Ten significant digits. */
static void add_number(struct text *out, const struct value *v)
{
        char *digits = NULL;
        mpfr_t n;
        mpfr_init2(n, number_bits(v));
        number_get(v, n);
        mpfr_asprintf(&digits, "%.10Rg", n);
        text_add(out, digits);
        mpfr_free_str(digits);
        mpfr_clear(n);
}

static void add_key(struct text *out, const struct value *v);

static void add_parts(struct text *out, const struct value *v, const char *brackets)
{
        text_addc(out, brackets[0]);
        for (size_t i = 0; i < value_count(v); i++) {
                if (value_kind(v) == TYPE_MAP) {
                        add_quoted(out, value_key_at(v, i), strlen(value_key_at(v, i)));
                        text_addc(out, ':');
                }
                add_key(out, value_at(v, i));
                text_addc(out, ';');
        }
        text_addc(out, brackets[1]);
}

static void add_key(struct text *out, const struct value *v)
{
        if (!value_is_known(v)) {
                text_addc(out, '?');
                return;
        }
        if (value_is_null(v)) {
                text_addc(out, '~');
                return;
        }
        switch (value_kind(v)) {
        case TYPE_STRING: add_quoted(out, value_as_string(v), value_string_len(v)); return;
        case TYPE_NUMBER: add_number(out, v); return;
        case TYPE_BOOL: text_addc(out, value_as_bool(v) ? 'T' : 'F'); return;
        case TYPE_MAP: add_parts(out, v, "{}"); return;
        case TYPE_LIST:
        case TYPE_SET: add_parts(out, v, "[]"); return;
        default: add_parts(out, v, "<>"); return;
        }
}

struct keyed {
        struct value *value;
        struct text key;
};

static int compare_keyed(const void *a, const void *b)
{
        const struct keyed *x = a, *y = b;
        size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
        int order = memcmp(x->key.data, y->key.data, len);
        if (order == 0) order = (x->key.len > y->key.len) - (x->key.len < y->key.len);
        return order ? order : value_compare(x->value, y->value);
}

static int compare_plain(const void *a, const void *b)
{
        const struct value *x = *(struct value *const *)a, *y = *(struct value *const *)b;
        int order = value_compare(x, y);
        if (order || value_kind(x) != TYPE_NUMBER || !value_is_known(x) || value_is_null(x)) return order;
        return (int)number_is_minus_zero(y) - (int)number_is_minus_zero(x);
}

void set_order(struct value **elements, size_t count, const struct type *element)
{
        enum type_kind kind = type_kind(element);
        if (count < 2) return;
        if (kind == TYPE_STRING || kind == TYPE_NUMBER || kind == TYPE_BOOL) {
                qsort(elements, count, sizeof *elements, compare_plain);
                return;
        }
        cleanup_free struct keyed *keyed = mem_alloc(count * sizeof *keyed);
        for (size_t i = 0; i < count; i++) {
                keyed[i].value = elements[i];
                add_key(&keyed[i].key, elements[i]);
        }
        qsort(keyed, count, sizeof *keyed, compare_keyed);
        for (size_t i = 0; i < count; i++) {
                elements[i] = keyed[i].value;
                text_release(&keyed[i].key);
        }
}
