/*
 * What the bodies of functions share: reading arguments, refusing a call, collecting results.
 */
#include "lang/call.h"

#include <string.h>

#include "lang/number.h"

void *call_refuse(struct error **err, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        error_set(err, ERROR_INPUT, NULL, "%s", message);
        return NULL;
}

const char *call_string(const struct call *call, size_t index)
{
        return value_as_string(call->args[index]);
}

size_t call_string_len(const struct call *call, size_t index)
{
        return value_string_len(call->args[index]);
}

bool call_int(const struct call *call, size_t index, const char *name, int64_t *n, struct error **err)
{
        if (value_as_int(call->args[index], n)) return true;
        call_refuse(err, "invalid value for \"%s\": a whole number is required", name);
        return false;
}

bool number_whole(const struct value *number, mpz_ptr n)
{
        enum { MAX_BITS = 34000 };
        mpfr_t f;
        mpfr_init2(f, number_bits(number));
        number_get(number, f);
        bool whole = mpfr_zero_p(f) || (mpfr_integer_p(f) && mpfr_get_exp(f) <= MAX_BITS);
        if (whole) mpfr_get_z(n, f, MPFR_RNDN);
        mpfr_clear(f);
        return whole;
}

struct value *call_text(struct text *steal)
{
        struct value *v = value_string_n(steal->data ? steal->data : "", steal->len);
        text_release(steal);
        return v;
}

bool call_sensitive(const struct call *call)
{
        for (size_t i = 0; i < call->arg_count; i++)
                if (value_is_sensitive(call->args[i])) return true;
        return false;
}

void value_vec_push(struct value_vec *v, struct value *steal)
{
        vec_push(v->items, v->count, v->capacity, steal);
}

void value_vec_push_part(struct value_vec *v, const struct value *whole, const struct value *part)
{
        value_vec_push(v, value_part(whole, part));
}

void value_vec_release(struct value_vec *v)
{
        for (size_t i = 0; i < v->count; i++) value_free(v->items[i]);
        free(v->items);
        *v = (struct value_vec){0};
}

struct value *value_vec_list(const struct value_vec *v, const struct type *element)
{
        return value_list(element, v->items, v->count);
}

struct value *value_vec_set(const struct value_vec *v, const struct type *element)
{
        return value_set(element, v->items, v->count);
}

void key_vec_push(struct key_vec *v, const char *key)
{
        vec_push(v->items, v->count, v->capacity, mem_strdup(key));
}

void key_vec_release(struct key_vec *v)
{
        for (size_t i = 0; i < v->count; i++) free(v->items[i]);
        free(v->items);
        *v = (struct key_vec){0};
}

struct value *value_part(const struct value *whole, const struct value *part)
{
        if (value_is_sensitive(whole) && !value_is_sensitive(part)) return value_sensitive(part, true);
        return value_ref(part);
}

struct value *value_mark_steal(struct value *steal, bool sensitive)
{
        if (!steal || !sensitive || value_is_sensitive(steal)) return steal;
        struct value *marked = value_sensitive(steal, true);
        value_free(steal);
        return marked;
}

enum sameness value_same(const struct value *a, const struct value *b)
{
        bool a_null = value_is_known(a) && value_is_null(a), b_null = value_is_known(b) && value_is_null(b);
        if (a_null && b_null) return SAME_YES;
        if (!value_is_known(a) || !value_is_known(b)) {
                const struct type *x = value_type(a), *y = value_type(b);
                bool open = a_null || b_null || type_has_dynamic(x) || type_has_dynamic(y);
                return open || type_equal(x, y) ? SAME_UNKNOWN : SAME_NO;
        }
        if (a_null || b_null) return SAME_NO;
        if (value_is_wholly_known(a) && value_is_wholly_known(b))
                return value_equal(a, b) ? SAME_YES : SAME_NO;

        if (value_kind(a) != value_kind(b) || value_count(a) != value_count(b)) return SAME_NO;
        if (value_kind(a) == TYPE_SET) return SAME_UNKNOWN;
        enum sameness all = SAME_YES;
        for (size_t i = 0, count = value_count(a); i < count; i++) {
                const char *key = value_key_at(a, i), *other = value_key_at(b, i);
                if (key && strcmp(key, other) != 0) return SAME_NO;
                enum sameness one = value_same(value_at(a, i), value_at(b, i));
                if (one == SAME_NO) return SAME_NO;
                if (one == SAME_UNKNOWN) all = SAME_UNKNOWN;
        }
        return all;
}

const char *type_friendly(const struct type *type)
{
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return "a value of any type";
        case TYPE_STRING: return "a string";
        case TYPE_NUMBER: return "a number";
        case TYPE_BOOL: return "a bool";
        case TYPE_LIST: return "a list";
        case TYPE_SET: return "a set";
        case TYPE_MAP: return "a map";
        case TYPE_TUPLE: return "a tuple";
        case TYPE_OBJECT: return "an object";
        }
        return "a value";
}
