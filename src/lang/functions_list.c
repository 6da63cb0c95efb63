/*
 * Collection functions on lists and tuples. They keep the marks of elements on the elements where the result
 * still tells them apart.
 */
#include "lang/functions_collection.h"

#include <string.h>

#include "lang/number.h"

bool kind_is_sequence(enum type_kind kind)
{
        return kind == TYPE_LIST || kind == TYPE_TUPLE;
}

bool kind_is_iterable(enum type_kind kind)
{
        return kind_is_sequence(kind) || kind == TYPE_SET;
}

static int compare_elements(const void *a, const void *b)
{
        return value_compare(*(const struct value *const *)a, *(const struct value *const *)b);
}

const struct value **elements_sorted(const struct value *collection)
{
        size_t count = value_count(collection);
        const struct value **sorted = mem_alloc((count ? count : 1) * sizeof *sorted);
        for (size_t i = 0; i < count; i++) sorted[i] = value_at(collection, i);
        qsort(sorted, count, sizeof *sorted, compare_elements);
        return sorted;
}

bool elements_have(const struct value *const *sorted, size_t count, const struct value *v)
{
        return count && bsearch(&v, sorted, count, sizeof *sorted, compare_elements) != NULL;
}

static const struct type *argument_type(const struct call *call, size_t index)
{
        return value_type(call->args[index]);
}

static const struct type *dynamic_type(void)
{
        return type_ref(type_dynamic);
}

/* chunklist(list, size) */

TYPE_OF(chunklist)
{
        (void)err;
        return type_list(argument_type(call, 0));
}

VALUE_OF(chunklist)
{
        const struct value *list = call->args[0];
        int64_t size;
        if (!call_int(call, 1, "size", &size, err)) return NULL;
        if (size < 0) return call_refuse(err, "the size argument must be positive");
        size_t count = value_count(list), step = size ? (size_t)size : count;

        cleanup(value_vec_release) struct value_vec chunks = {0};
        for (size_t at = 0; at < count;) {
                size_t end = step < count - at ? at + step : count;
                cleanup(value_vec_release) struct value_vec chunk = {0};
                for (; at < end; at++) value_vec_push(&chunk, value_ref(value_at(list, at)));
                value_vec_push(&chunks, value_vec_list(&chunk, type_element(value_type(list))));
        }
        return value_mark_steal(value_vec_list(&chunks, value_type(list)), call_sensitive(call));
}

/* coalescelist(lists...) */

TYPE_OF(coalescelist)
{
        if (call->arg_count == 0) return call_refuse(err, "at least one list is required");
        const struct type *first = argument_type(call, 0);
        bool same = true;
        for (size_t i = 0; i < call->arg_count; i++) {
                if (!value_is_known(call->args[i])) return dynamic_type();
                const struct type *type = argument_type(call, i);
                if (!kind_is_sequence(type_kind(type)))
                        return call_refuse(err, "lists or tuples are required, not %s", type_friendly(type));
                same = same && type_equal(type, first);
        }
        return same ? type_ref(first) : dynamic_type();
}

VALUE_OF(coalescelist)
{
        for (size_t i = 0; i < call->arg_count; i++) {
                if (!value_is_known(call->args[i])) return value_unknown(call->result);
                if (!value_is_null(call->args[i]) && value_count(call->args[i]) > 0)
                        return value_ref(call->args[i]);
        }
        return call_refuse(err, "none of the lists has an element");
}

/* compact(list) */

VALUE_OF(compact)
{
        (void)err;
        const struct value *list = call->args[0];
        cleanup(value_vec_release) struct value_vec kept = {0};
        for (size_t i = 0; i < value_count(list); i++) {
                const struct value *v = value_at(list, i);
                if (!value_is_null(v) && value_string_len(v) > 0) value_vec_push(&kept, value_ref(v));
        }
        return value_vec_list(&kept, type_string);
}

/* concat(seqs...): a list if all are lists of types that agree, else a tuple */

static const struct type *concat_list_type(const struct call *call)
{
        cleanup_free const struct type **types = mem_alloc(call->arg_count * sizeof *types);
        for (size_t i = 0; i < call->arg_count; i++) {
                types[i] = argument_type(call, i);
                if (type_kind(types[i]) != TYPE_LIST) return NULL;
        }
        return type_unify(types, call->arg_count);
}

static const struct type *concat_tuple_type(const struct call *call, struct error **err)
{
        const struct type **types = NULL;
        size_t count = 0, capacity = 0;
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct value *v = call->args[i];
                const struct type *type = value_type(v);
                bool dynamic = type_kind(type) == TYPE_DYNAMIC, list = type_kind(type) == TYPE_LIST;
                if (dynamic || (list && !value_is_known(v))) {
                        free(types);
                        return dynamic_type();
                }
                if (!list && type_kind(type) != TYPE_TUPLE) {
                        free(types);
                        return call_refuse(
                            err, "all arguments must be lists or tuples, not %s", type_friendly(type));
                }
                size_t more = list ? value_count(v) : type_count(type);
                for (size_t j = 0; j < more; j++)
                        vec_push(types, count, capacity, list ? type_element(type) : type_at(type, j));
        }
        const struct type *tuple = type_tuple(types, count);
        free(types);
        return tuple;
}

TYPE_OF(concat)
{
        if (call->arg_count == 0) return call_refuse(err, "at least one list is required");
        const struct type *list = concat_list_type(call);
        return list ? list : concat_tuple_type(call, err);
}

/* What the elements of a list are, where an empty list without a type among the arguments leaves it open. Borrowed. */
static const struct type *concat_element(
    const struct call *call, const struct value_vec *all, struct error **err)
{
        const struct type *element = type_element(call->result);
        if (type_kind(element) != TYPE_DYNAMIC || all->count == 0) return element;
        element = value_type(all->items[0]);
        for (size_t i = 1; i < all->count; i++)
                if (!type_equal(element, value_type(all->items[i])))
                        return call_refuse(err, "the elements of the lists must be of one type");
        return element;
}

VALUE_OF(concat)
{
        bool list = type_kind(call->result) == TYPE_LIST;
        cleanup(value_vec_release) struct value_vec all = {0};
        for (size_t i = 0; i < call->arg_count; i++) {
                cleanup(value_free) struct value *part = list
                                                             ? value_convert(call->args[i], call->result, err)
                                                             : value_ref(call->args[i]);
                if (!part) return NULL;
                for (size_t j = 0; j < value_count(part); j++)
                        value_vec_push(&all, value_ref(value_at(part, j)));
                if (all.count > CALL_MAX_ELEMENTS)
                        return call_refuse(err, "the result has too many elements");
        }
        const struct type *element = list ? concat_element(call, &all, err) : NULL;
        if (list && !element) return NULL;
        struct value *v = list ? value_vec_list(&all, element) : value_tuple(all.items, all.count);
        return value_mark_steal(v, call_sensitive(call));
}

/* contains(list, value), index(list, value) */

VALUE_OF(contains)
{
        const struct value *list = call->args[0], *v = call->args[1];
        if (!value_is_known(list) || !value_is_known(v)) return value_unknown(type_bool);
        if (!kind_is_iterable(value_kind(list)))
                return call_refuse(
                    err, "a list, tuple or set is required, not %s", type_friendly(value_type(list)));
        bool maybe = false;
        for (size_t i = 0; i < value_count(list); i++) {
                enum sameness same = value_same(value_at(list, i), v);
                if (same == SAME_YES) return value_bool(true);
                maybe = maybe || same == SAME_UNKNOWN;
        }
        return maybe ? value_unknown(type_bool) : value_bool(false);
}

VALUE_OF(index)
{
        const struct value *list = call->args[0], *v = call->args[1];
        if (!value_is_known(list) || !value_is_known(v)) return value_unknown(type_number);
        if (!kind_is_sequence(value_kind(list)))
                return call_refuse(
                    err, "a list or tuple is required, not %s", type_friendly(value_type(list)));
        if (value_count(list) == 0) return call_refuse(err, "cannot search an empty list");
        for (size_t i = 0; i < value_count(list); i++) {
                enum sameness same = value_same(value_at(list, i), v);
                if (same == SAME_UNKNOWN) return value_unknown(type_number);
                if (same == SAME_YES) return value_machine_int((int64_t)i);
        }
        return call_refuse(err, "item not found");
}

/* distinct(list): the first of equal elements stays */

TYPE_OF(distinct)
{
        (void)err;
        return type_ref(argument_type(call, 0));
}

struct ranked {
        const struct value *value;
        size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;
        int order = value_compare(x->value, y->value);
        return order ? order : (x->index > y->index) - (x->index < y->index);
}

VALUE_OF(distinct)
{
        (void)err;
        const struct value *list = call->args[0];
        size_t count = value_count(list);
        cleanup_free struct ranked *ranked = mem_alloc((count ? count : 1) * sizeof *ranked);
        cleanup_free bool *repeated = mem_alloc(count ? count : 1);
        for (size_t i = 0; i < count; i++) ranked[i] = (struct ranked){value_at(list, i), i};
        qsort(ranked, count, sizeof *ranked, compare_ranked);
        for (size_t i = 1; i < count; i++)
                repeated[ranked[i].index] = value_compare(ranked[i - 1].value, ranked[i].value) == 0;

        cleanup(value_vec_release) struct value_vec kept = {0};
        for (size_t i = 0; i < count; i++)
                if (!repeated[i]) value_vec_push(&kept, value_ref(value_at(list, i)));
        return value_vec_list(&kept, type_element(value_type(list)));
}

/* element(list, index): counting on from the start when past the end, and in a list back from its end when negative */

static bool element_index(const struct call *call, size_t count, size_t *index, struct error **err)
{
        int64_t n;
        if (!call_int(call, 1, "index", &n, err)) return false;
        if (count == 0) return call_refuse(err, "cannot use element function with an empty list");
        n %= (int64_t)count;
        bool tuple = value_kind(call->args[0]) == TYPE_TUPLE;
        if (n < 0 && tuple)
                return call_refuse(
                    err, "invalid value for \"index\": must not be negative, as this is a tuple");
        *index = (size_t)(n < 0 ? n + (int64_t)count : n);
        return true;
}

TYPE_OF(element)
{
        const struct type *type = argument_type(call, 0);
        size_t index = 0;
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_LIST: return type_ref(type_element(type));
        case TYPE_TUPLE:
                if (!value_is_known(call->args[1])) return dynamic_type();
                if (!element_index(call, type_count(type), &index, err)) return NULL;
                return type_ref(type_at(type, index));
        default: return call_refuse(err, "cannot read elements from %s", type_friendly(type));
        }
}

VALUE_OF(element)
{
        const struct value *list = call->args[0];
        size_t index = 0;
        if (!value_is_known(list) || !value_is_known(call->args[1])) return value_unknown(call->result);
        if (!element_index(call, value_count(list), &index, err)) return NULL;
        return value_mark_steal(value_ref(value_at(list, index)), call_sensitive(call));
}

/* flatten(list): one tuple of what lists, sets and tuples hold at any depth */

TYPE_OF(flatten)
{
        enum type_kind kind = type_kind(argument_type(call, 0));
        if (kind != TYPE_DYNAMIC && !kind_is_iterable(kind))
                return call_refuse(err, "can only flatten lists, sets and tuples");
        return dynamic_type();
}

/* False if something unknown makes the number of elements unknown. What was flattened may not tell its mark any more. */
static bool flatten_into(struct value_vec *out, const struct value *v, bool *sensitive)
{
        *sensitive = *sensitive || value_is_sensitive(v);
        if (!value_is_known(v) || (value_kind(v) == TYPE_SET && !value_is_wholly_known(v))) return false;
        bool known = true;
        for (size_t i = 0; i < value_count(v); i++) {
                const struct value *part = value_at(v, i);
                bool null = value_is_known(part) && value_is_null(part);
                if (value_kind(part) == TYPE_DYNAMIC && !value_is_known(part))
                        known = false;
                else if (kind_is_iterable(value_kind(part)) && !null)
                        known = flatten_into(out, part, sensitive) && known;
                else
                        value_vec_push(out, value_ref(part));
        }
        return known;
}

VALUE_OF(flatten)
{
        (void)err;
        bool sensitive = false;
        cleanup(value_vec_release) struct value_vec flat = {0};
        bool known = flatten_into(&flat, call->args[0], &sensitive);
        return value_mark_steal(
            known ? value_tuple(flat.items, flat.count) : value_unknown(type_dynamic), sensitive);
}

/* matchkeys(values, keys, searchset) */

TYPE_OF(matchkeys)
{
        const struct type *types[] = {argument_type(call, 1), argument_type(call, 2)};
        cleanup(type_free) const struct type *common = type_unify(types, 2);
        if (!common) return call_refuse(err, "keys and searchset must be of the same type");
        return type_ref(argument_type(call, 0));
}

VALUE_OF(matchkeys)
{
        const struct value *values = call->args[0];
        if (value_count(values) != value_count(call->args[1]))
                return call_refuse(err, "length of keys and values should be equal");
        const struct type *types[] = {argument_type(call, 1), argument_type(call, 2)};
        cleanup(type_free) const struct type *common = type_unify(types, 2);
        cleanup(value_free) struct value *keys = common ? value_convert(call->args[1], common, err) : NULL;
        cleanup(value_free) struct value *wanted = keys ? value_convert(call->args[2], common, err) : NULL;
        if (!wanted) return NULL;

        cleanup_free const struct value **sorted = elements_sorted(wanted);
        cleanup(value_vec_release) struct value_vec kept = {0};
        for (size_t i = 0; i < value_count(values); i++)
                if (elements_have(sorted, value_count(wanted), value_at(keys, i)))
                        value_vec_push(&kept, value_ref(value_at(values, i)));
        return value_vec_list(&kept, type_element(value_type(values)));
}

/* one(list) */

static void *one_refuse(struct error **err)
{
        return call_refuse(err,
            "invalid value for \"list\": a list, set or tuple with either no or one element is required");
}

TYPE_OF(one)
{
        const struct type *type = argument_type(call, 0);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_LIST:
        case TYPE_SET: return type_ref(type_element(type));
        case TYPE_TUPLE:
                if (type_count(type) == 0) return dynamic_type();
                if (type_count(type) == 1) return type_ref(type_at(type, 0));
                return one_refuse(err);
        default: return one_refuse(err);
        }
}

VALUE_OF(one)
{
        const struct value *list = call->args[0];
        if (value_kind(list) == TYPE_SET && !value_is_wholly_known(list) && value_count(list) > 1)
                return value_unknown(call->result);
        if (value_count(list) > 1) return one_refuse(err);
        return value_count(list) ? value_ref(value_at(list, 0)) : value_null(call->result);
}

/* range(end), range(start, end), range(start, end, step) */

static int range_bounds(const struct call *call, struct value **start, struct value **end,
    struct value **step, struct error **err)
{
        if (call->arg_count < 1 || call->arg_count > 3) {
                call_refuse(err, "one, two or three numbers are required");
                return -1;
        }
        *start = call->arg_count > 1 ? value_ref(call->args[0]) : value_machine_int(0);
        *end = value_ref(call->args[call->arg_count > 1]);
        int direction = number_compare(*end, *start);
        *step = call->arg_count > 2 ? value_ref(call->args[2]) : value_machine_int(direction < 0 ? -1 : 1);
        int sign = number_sign(*step);
        if (sign < 0 && direction > 0)
                call_refuse(err, "end must be less than start when step is negative");
        else if (sign >= 0 && direction < 0)
                call_refuse(err, "end must be greater than start when step is positive");
        else
                return 0;
        return -1;
}

VALUE_OF(range)
{
        enum { MAX_RANGE = 1024 };
        cleanup(value_free) struct value *start = NULL;
        cleanup(value_free) struct value *end = NULL;
        cleanup(value_free) struct value *step = NULL;
        if (range_bounds(call, &start, &end, &step, err) < 0) return NULL;

        int sign = number_sign(step) < 0 ? -1 : 1;
        cleanup(value_vec_release) struct value_vec numbers = {0};
        while (sign * number_compare(start, end) < 0) {
                if (numbers.count == MAX_RANGE)
                        return call_refuse(err,
                            "more than 1024 values were generated; decrease the difference between "
                            "start and end, or use a greater step");
                struct value *next = number_add(start, step);
                if (!next) return call_refuse(err, "infinite numbers give no range");
                value_vec_push(&numbers, steal(start));
                start = next;
        }
        return value_vec_list(&numbers, type_number);
}

/* reverse(list) */

TYPE_OF(reverse)
{
        const struct type *type = argument_type(call, 0);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_LIST: return type_ref(type);
        case TYPE_SET: return type_list(type_element(type));
        case TYPE_TUPLE: break;
        default:
                return call_refuse(err, "can only reverse list or tuple values, not %s", type_friendly(type));
        }
        size_t count = type_count(type);
        cleanup_free const struct type **types = mem_alloc((count ? count : 1) * sizeof *types);
        for (size_t i = 0; i < count; i++) types[i] = type_at(type, count - 1 - i);
        return type_tuple(types, count);
}

VALUE_OF(reverse)
{
        (void)err;
        const struct value *list = call->args[0];
        cleanup(value_vec_release) struct value_vec turned = {0};
        for (size_t i = value_count(list); i-- > 0;) value_vec_push(&turned, value_ref(value_at(list, i)));
        struct value *v = value_kind(list) == TYPE_TUPLE
                              ? value_tuple(turned.items, turned.count)
                              : value_vec_list(&turned, type_element(value_type(list)));
        return value_mark_steal(v, call_sensitive(call));
}

/* slice(list, start, end) */

static bool slice_bounds(
    const struct call *call, size_t count, size_t *start, size_t *end, struct error **err)
{
        int64_t from, to;
        if (!call_int(call, 1, "start_index", &from, err) || !call_int(call, 2, "end_index", &to, err))
                return false;
        if (from < 0)
                return call_refuse(err, "invalid value for \"start_index\": must not be less than zero");
        if ((uint64_t)from > count)
                return call_refuse(
                    err, "invalid value for \"start_index\": must not be greater than the length");
        if ((uint64_t)to > count || to < 0)
                return call_refuse(
                    err, "invalid value for \"end_index\": must not be greater than the length");
        if (from > to)
                return call_refuse(
                    err, "invalid value for \"start_index\": must not be greater than end_index");
        *start = (size_t)from, *end = (size_t)to;
        return true;
}

TYPE_OF(slice)
{
        const struct type *type = argument_type(call, 0);
        size_t start = 0, end = 0;
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_LIST: return type_ref(type);
        case TYPE_TUPLE: break;
        case TYPE_SET:
                return call_refuse(err,
                    "cannot slice a set, because its elements have no order; convert it with tolist "
                    "if the order of the result does not matter");
        default: return call_refuse(err, "a list or tuple is required, not %s", type_friendly(type));
        }
        if (!value_is_known(call->args[1]) || !value_is_known(call->args[2])) return dynamic_type();
        if (!slice_bounds(call, type_count(type), &start, &end, err)) return NULL;
        cleanup_free const struct type **types = mem_alloc((end - start + 1) * sizeof *types);
        for (size_t i = start; i < end; i++) types[i - start] = type_at(type, i);
        return type_tuple(types, end - start);
}

VALUE_OF(slice)
{
        const struct value *list = call->args[0];
        size_t start = 0, end = 0;
        if (!slice_bounds(call, value_count(list), &start, &end, err)) return NULL;
        cleanup(value_vec_release) struct value_vec kept = {0};
        for (size_t i = start; i < end; i++) value_vec_push(&kept, value_ref(value_at(list, i)));
        struct value *v = value_kind(list) == TYPE_TUPLE
                              ? value_tuple(kept.items, kept.count)
                              : value_vec_list(&kept, type_element(value_type(list)));
        return value_mark_steal(v, call_sensitive(call));
}

/* sort(list): by bytes, which for UTF-8 is by code points */

static int compare_strings(const void *a, const void *b)
{
        const struct value *x = *(const struct value *const *)a, *y = *(const struct value *const *)b;
        size_t lx = value_string_len(x), ly = value_string_len(y);
        int order = memcmp(value_as_string(x), value_as_string(y), lx < ly ? lx : ly);
        return order ? order : (lx > ly) - (lx < ly);
}

/* As many unknown strings: while one is not known, nobody knows which comes where, but their number. */
static struct value *unknown_strings(size_t count)
{
        cleanup(value_vec_release) struct value_vec strings = {0};
        for (size_t i = 0; i < count; i++) value_vec_push(&strings, value_unknown(type_string));
        return value_vec_list(&strings, type_string);
}

VALUE_OF(sort)
{
        const struct value *list = call->args[0];
        if (!value_is_wholly_known(list)) return unknown_strings(value_count(list));
        cleanup(value_vec_release) struct value_vec sorted = {0};
        for (size_t i = 0; i < value_count(list); i++) {
                if (value_is_null(value_at(list, i)))
                        return call_refuse(
                            err, "element %zu of the list is null; a null string cannot be sorted", i);
                value_vec_push(&sorted, value_ref(value_at(list, i)));
        }
        if (sorted.count) qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_strings);
        return value_vec_list(&sorted, type_string);
}
