/*
 * Collection functions on sets. The arguments come as sets of their own element types, which are brought to
 * a common one first.
 */
#include "lang/functions_collection.h"

/* The common type of the sets; an empty set of no particular type has no say. */
static const struct type *common_set_type(const struct call *call, struct error **err)
{
        cleanup_free const struct type **types = mem_alloc(call->arg_count * sizeof *types);
        size_t count = 0;
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct value *set = call->args[i];
                if (value_kind(set) != TYPE_SET) return type_ref(type_dynamic);
                const struct type *element = type_element(value_type(set));
                bool empty = value_is_known(set) && value_count(set) == 0;
                if (!(empty && type_kind(element) == TYPE_DYNAMIC)) types[count++] = element;
        }
        if (count == 0) return type_set(type_dynamic);
        cleanup(type_free) const struct type *element = type_unify(types, count);
        bool compatible = element != NULL, open = element && type_kind(element) == TYPE_DYNAMIC;
        for (size_t i = 0; open && i < call->arg_count; i++) open = value_is_known(call->args[i]);
        for (size_t i = 1; open && i < count; i++) compatible = compatible && type_equal(types[0], types[i]);
        if (!compatible) return call_refuse(err, "the sets must have compatible element types");
        return type_set(element);
}

TYPE_OF(setunion)
{
        return common_set_type(call, err);
}

TYPE_OF(setintersection)
{
        return common_set_type(call, err);
}

TYPE_OF(setsubtract)
{
        return common_set_type(call, err);
}

static struct value *set_argument(const struct call *call, size_t index, struct error **err)
{
        return value_convert(call->args[index], call->result, err);
}

VALUE_OF(setunion)
{
        cleanup(value_vec_release) struct value_vec all = {0};
        for (size_t i = 0; i < call->arg_count; i++) {
                cleanup(value_free) struct value *set = set_argument(call, i, err);
                if (!set) return NULL;
                for (size_t j = 0; j < value_count(set); j++)
                        value_vec_push(&all, value_ref(value_at(set, j)));
        }
        return value_vec_set(&all, type_element(call->result));
}

/* The elements of `set` that are, or are not, in `other`. */
static struct value *set_filter(
    const struct value *set, const struct value *other, bool in, const struct type *element)
{
        cleanup_free const struct value **sorted = elements_sorted(other);
        cleanup(value_vec_release) struct value_vec kept = {0};
        for (size_t i = 0; i < value_count(set); i++)
                if (elements_have(sorted, value_count(other), value_at(set, i)) == in)
                        value_vec_push(&kept, value_ref(value_at(set, i)));
        return value_vec_set(&kept, element);
}

VALUE_OF(setintersection)
{
        cleanup(value_free) struct value *common = set_argument(call, 0, err);
        for (size_t i = 1; common && i < call->arg_count; i++) {
                cleanup(value_free) struct value *other = set_argument(call, i, err);
                if (!other) return NULL;
                struct value *next = set_filter(common, other, true, type_element(call->result));
                value_free(common);
                common = next;
        }
        return steal(common);
}

VALUE_OF(setsubtract)
{
        cleanup(value_free) struct value *set = set_argument(call, 0, err);
        cleanup(value_free) struct value *other = set ? set_argument(call, 1, err) : NULL;
        return other ? set_filter(set, other, false, type_element(call->result)) : NULL;
}

/* setproduct(sets...): a set of tuples if a set is among the arguments, else a list of tuples */

static const struct type *product_element(const struct type *type, struct error **err)
{
        switch (type_kind(type)) {
        case TYPE_LIST:
        case TYPE_SET: return type_ref(type_element(type));
        case TYPE_TUPLE: break;
        default: return call_refuse(err, "a set or a list is required, not %s", type_friendly(type));
        }
        size_t count = type_count(type);
        if (count == 0) return type_ref(type_dynamic);
        cleanup_free const struct type **types = mem_alloc(count * sizeof *types);
        for (size_t i = 0; i < count; i++) types[i] = type_at(type, i);
        const struct type *element = type_unify(types, count);
        return element ? element : call_refuse(err, "all elements must be of the same type");
}

static const struct type *product_type(const struct call *call, const struct type **parts, struct error **err)
{
        bool set = false;
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct type *type = value_type(call->args[i]);
                if (type_kind(type) == TYPE_DYNAMIC) return type_ref(type_dynamic);
                parts[i] = product_element(type, err);
                if (!parts[i]) return NULL;
                set = set || type_kind(type) == TYPE_SET;
        }
        cleanup(type_free) const struct type *tuple = type_tuple(parts, call->arg_count);
        return set ? type_set(tuple) : type_list(tuple);
}

TYPE_OF(setproduct)
{
        if (call->arg_count < 2) return call_refuse(err, "at least two arguments are required");
        cleanup_free const struct type **parts = mem_alloc(call->arg_count * sizeof *parts);
        const struct type *type = product_type(call, parts, err);
        for (size_t i = 0; i < call->arg_count; i++) type_free(parts[i]);
        return type;
}

/* Counts up `at` like the digits of a number, the last one fastest; false when it has come round. */
static bool product_next(size_t *at, struct value *const *lists, size_t count)
{
        for (size_t i = count; i-- > 0;) {
                if (++at[i] < value_count(lists[i])) return true;
                at[i] = 0;
        }
        return false;
}

static struct value *product_of(struct value *const *lists, size_t count, const struct type *result)
{
        const struct type *tuple = type_element(result);
        cleanup_free size_t *at = mem_alloc(count * sizeof *at);
        cleanup_free struct value **picked = mem_alloc(count * sizeof *picked);
        cleanup(value_vec_release) struct value_vec all = {0};
        bool more = true;
        for (size_t i = 0; i < count; i++) more = more && value_count(lists[i]) > 0;
        for (; more; more = product_next(at, lists, count)) {
                for (size_t i = 0; i < count; i++) picked[i] = value_ref(value_at(lists[i], at[i]));
                value_vec_push(&all, value_tuple(picked, count));
                for (size_t i = 0; i < count; i++) value_free(picked[i]);
        }
        return type_kind(result) == TYPE_SET ? value_vec_set(&all, tuple) : value_vec_list(&all, tuple);
}

VALUE_OF(setproduct)
{
        cleanup(value_vec_release) struct value_vec lists = {0};
        size_t total = 1;
        if (type_kind(call->result) == TYPE_DYNAMIC) return value_unknown(call->result);
        const struct type *tuple = type_element(call->result);
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct value *v = call->args[i];
                cleanup(type_free) const struct type *to = type_list(type_at(tuple, i));
                if (value_kind(v) == TYPE_SET && !value_is_wholly_known(v))
                        return value_unknown(call->result);
                struct value *list = value_convert(v, to, err);
                if (!list) return NULL;
                value_vec_push(&lists, list);
                if (value_count(list) && total > CALL_MAX_ELEMENTS / value_count(list))
                        return call_refuse(err, "the product has more than %d elements", CALL_MAX_ELEMENTS);
                total *= value_count(list);
        }
        return value_mark_steal(product_of(lists.items, lists.count, call->result), call_sensitive(call));
}
