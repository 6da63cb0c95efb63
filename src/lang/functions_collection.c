/*
 * The table of the collection functions, and the bodies of those that take any kind of collection.
 */
#include "lang/functions_collection.h"

#include "lang/unicode.h"

/* A list of bools folded: `wins` decides at once, an unknown one leaves it open, null counts as false. */
static struct value *fold_bools(const struct value *list, bool wins)
{
        bool unknown = false;
        if (!value_is_known(list)) return value_unknown(type_bool);
        for (size_t i = 0; i < value_count(list); i++) {
                const struct value *v = value_at(list, i);
                if (!value_is_known(v))
                        unknown = true;
                else if ((!value_is_null(v) && value_as_bool(v)) == wins)
                        return value_bool(wins);
        }
        return unknown ? value_unknown(type_bool) : value_bool(!wins);
}

static VALUE_OF(alltrue)
{
        (void)err;
        return fold_bools(call->args[0], false);
}

static VALUE_OF(anytrue)
{
        (void)err;
        return fold_bools(call->args[0], true);
}

static TYPE_OF(coalesce)
{
        cleanup_free const struct type **types = mem_alloc((call->arg_count + 1) * sizeof *types);
        for (size_t i = 0; i < call->arg_count; i++) types[i] = value_type(call->args[i]);
        const struct type *common = call->arg_count ? type_unify(types, call->arg_count) : NULL;
        return common ? common : call_refuse(err, "all arguments must have the same type");
}

static VALUE_OF(coalesce)
{
        for (size_t i = 0; i < call->arg_count; i++) {
                if (!value_is_known(call->args[i])) return value_unknown(call->result);
                if (value_is_null(call->args[i])) continue;
                cleanup(value_free) struct value *v = value_convert(call->args[i], call->result, err);
                if (!v) return NULL;
                bool empty = value_is_known(v) && value_kind(v) == TYPE_STRING && value_string_len(v) == 0;
                if (!empty) return steal(v);
        }
        return call_refuse(err, "no non-null, non-empty-string arguments");
}

/* The length of a tuple or object follows from its type; that of a list with unknown elements is known too. */
static VALUE_OF(length)
{
        const struct value *v = call->args[0];
        const struct type *type = value_type(v);
        struct value *length = NULL;
        switch (type_kind(type)) {
        case TYPE_TUPLE:
        case TYPE_OBJECT: length = value_machine_int((int64_t)type_count(type)); break;
        case TYPE_DYNAMIC: length = value_unknown_present(type_number); break;
        case TYPE_STRING:
                length = value_is_known(v) ? value_machine_int((int64_t)unicode_cluster_count(
                                                 value_as_string(v), value_string_len(v)))
                                           : value_unknown_present(type_number);
                break;
        case TYPE_SET: /* unknown elements may turn out equal to others */
                length = value_is_known(v) && (value_is_wholly_known(v) || value_count(v) == 1)
                             ? value_machine_int((int64_t)value_count(v))
                             : value_unknown_present(type_number);
                break;
        case TYPE_LIST:
        case TYPE_MAP:
                length = value_is_known(v) ? value_machine_int((int64_t)value_count(v))
                                           : value_unknown_present(type_number);
                break;
        default:
                return call_refuse(
                    err, "a string, a collection or a structure is required, not %s", type_friendly(type));
        }
        return value_mark_steal(length, value_is_sensitive(v));
}

static VALUE_OF(list)
{
        (void)call;
        return call_refuse(
            err, "there is no function \"list\" any more; write tolist([ ... ]) for a literal list");
}

static VALUE_OF(map)
{
        (void)call;
        return call_refuse(
            err, "there is no function \"map\" any more; write tomap({ ... }) for a literal map");
}

static TYPE_OF(nothing)
{
        (void)call, (void)err;
        return type_ref(type_dynamic);
}

#define OPEN (PARAM_UNKNOWN | PARAM_SENSITIVE)

const struct function functions_collection[] = {
    {.info = {"alltrue", "alltrue(list)", "Whether all elements are true; also of an empty list.",
         "alltrue([true, \"true\"]) => true"},
        .parameters = {{"list", "list(bool)", PARAM_UNKNOWN}},
        .result = "bool",
        .body = alltrue_value},
    {.info = {"anytrue", "anytrue(list)", "Whether any element is true.", "anytrue([false, true]) => true"},
        .parameters = {{"list", "list(bool)", PARAM_UNKNOWN}},
        .result = "bool",
        .body = anytrue_value},
    {.info = {"chunklist", "chunklist(list, size)", "A list cut into lists of at most `size` elements.",
         "chunklist([1, 2, 3], 2) => tolist([tolist([1, 2]), tolist([3])])"},
        .parameters = {{"list", "list(any)", PARAM_SHALLOW | PARAM_SENSITIVE},
            {"size", "number", PARAM_SENSITIVE}},
        .result_type = chunklist_type,
        .body = chunklist_value},
    {.info = {"coalesce", "coalesce(vals...)", "The first argument that is neither null nor an empty string.",
         "coalesce(null, \"\", \"b\") => \"b\""},
        .rest = {"vals", "any", PARAM_NULL | PARAM_UNKNOWN},
        .result_type = coalesce_type,
        .body = coalesce_value},
    {.info = {"coalescelist", "coalescelist(lists...)", "The first list that is not empty.",
         "coalescelist([], [\"c\", \"d\"]) => [\"c\", \"d\"]"},
        .rest = {"lists", "any", PARAM_NULL | PARAM_UNKNOWN},
        .result_type = coalescelist_type,
        .body = coalescelist_value},
    {.info = {"compact", "compact(list)", "A list of strings without the null and empty ones.",
         "compact([\"a\", \"\", null, \"b\"]) => tolist([\"a\", \"b\"])"},
        .parameters = {{"list", "list(string)", 0}},
        .result = "list(string)",
        .body = compact_value},
    {.info = {"concat", "concat(seqs...)", "The elements of several lists or tuples in one.",
         "concat([\"a\"], [\"b\", \"c\"]) => [\"a\", \"b\", \"c\"]"},
        .rest = {"seqs", "any", PARAM_SHALLOW | PARAM_SENSITIVE},
        .result_type = concat_type,
        .body = concat_value},
    {.info = {"contains", "contains(list, value)",
         "Whether a list, tuple or set has an element of that value and type.",
         "contains([\"a\", \"b\"], \"b\") => true"},
        .parameters = {{"list", "any", PARAM_UNKNOWN}, {"value", "any", PARAM_UNKNOWN}},
        .result = "bool",
        .body = contains_value},
    {.info = {"distinct", "distinct(list)", "A list without repetitions; the first of equal elements stays.",
         "distinct([\"a\", \"b\", \"a\"]) => tolist([\"a\", \"b\"])"},
        .parameters = {{"list", "list(any)", 0}},
        .result_type = distinct_type,
        .body = distinct_value},
    {.info = {"element", "element(list, index)", "The element at an index, counting round when past the end.",
         "element([\"a\", \"b\", \"c\"], 3) => \"a\""},
        .parameters = {{"list", "any", OPEN}, {"index", "number", OPEN}},
        .result_type = element_type,
        .body = element_value},
    {.info = {"flatten", "flatten(list)", "What lists hold at any depth, in one tuple.",
         "flatten([[\"a\", [\"b\"]], [], \"c\"]) => [\"a\", \"b\", \"c\"]"},
        .parameters = {{"list", "any", OPEN}},
        .result_type = flatten_type,
        .body = flatten_value},
    {.info = {"index", "index(list, value)", "The index of the first element that equals a value.",
         "index([\"a\", \"b\"], \"b\") => 1"},
        .parameters = {{"list", "any", PARAM_UNKNOWN}, {"value", "any", PARAM_UNKNOWN}},
        .result = "number",
        .body = index_value},
    {.info = {"keys", "keys(map)", "The keys of a map or object, sorted.",
         "keys({b = 1, a = 2}) => [\"a\", \"b\"]"},
        .parameters = {{"map", "any", OPEN}},
        .result_type = keys_type,
        .body = keys_value},
    {.info = {"length", "length(value)",
         "The number of elements of a collection, or of characters of a string.",
         "length([\"a\", \"b\"]) => 2"},
        .parameters = {{"value", "any", OPEN}},
        .result = "number",
        .body = length_value},
    {.info = {"list", "list(values...)", "Gone; write tolist([...]).", "can(list(\"a\")) => false"},
        .rest = {"values", "any", PARAM_NULL | OPEN},
        .result_type = nothing_type,
        .body = list_value},
    {.info = {"lookup", "lookup(map, key, default)",
         "The element of a key, or the default (which may be left out) if the map does not have it.",
         "lookup({a = \"ay\"}, \"c\", \"what?\") => \"what?\""},
        .parameters = {{"map", "any", PARAM_SHALLOW | PARAM_SENSITIVE}, {"key", "string", PARAM_SENSITIVE}},
        .rest = {"default", "any", PARAM_NULL | OPEN},
        .result_type = lookup_type,
        .body = lookup_value},
    {.info = {"map", "map(pairs...)", "Gone; write tomap({...}).", "can(map(\"a\", 1)) => false"},
        .rest = {"pairs", "any", PARAM_NULL | OPEN},
        .result_type = nothing_type,
        .body = map_value},
    {.info = {"matchkeys", "matchkeys(values, keys, searchset)",
         "The values whose keys, at the same index, are among those searched for.",
         "matchkeys([\"i-1\", \"i-2\"], [\"west\", \"east\"], [\"east\"]) => tolist([\"i-2\"])"},
        .parameters = {{"values", "list(any)", 0}, {"keys", "list(any)", 0}, {"searchset", "list(any)", 0}},
        .result_type = matchkeys_type,
        .body = matchkeys_value},
    {.info = {"merge", "merge(maps...)",
         "The elements of several maps or objects; the last of equal keys counts.",
         "merge({a = 1, b = 1}, {b = 2}) => {a = 1, b = 2}"},
        .rest = {"maps", "any", PARAM_NULL | PARAM_SHALLOW | PARAM_SENSITIVE},
        .result_type = merge_type,
        .body = merge_value},
    {.info = {"one", "one(list)", "The only element of a list, set or tuple; null if it is empty.",
         "one([\"a\"]) => \"a\""},
        .parameters = {{"list", "any", PARAM_SHALLOW}},
        .result_type = one_type,
        .body = one_value},
    {.info = {"range", "range(start, limit, step)",
         "Numbers from start (0 if left out) up to, but without, limit.",
         "range(1, 8, 2) => tolist([1, 3, 5, 7])"},
        .rest = {"params", "number", 0},
        .result = "list(number)",
        .body = range_value},
    {.info = {"reverse", "reverse(list)", "The elements in reverse order.",
         "reverse([1, 2, 3]) => [3, 2, 1]"},
        .parameters = {{"list", "any", PARAM_SHALLOW | PARAM_SENSITIVE}},
        .result_type = reverse_type,
        .body = reverse_value},
    {.info = {"setintersection", "setintersection(first_set, other_sets...)",
         "The elements that all sets have.",
         "setintersection([\"a\", \"b\"], [\"b\", \"c\"]) => toset([\"b\"])"},
        .parameters = {{"first_set", "set(any)", 0}},
        .rest = {"other_sets", "set(any)", 0},
        .result_type = setintersection_type,
        .body = setintersection_value},
    {.info = {"setproduct", "setproduct(sets...)", "All combinations of an element of each set.",
         "length(setproduct([\"a\", \"b\"], [1, 2, 3])) => 6"},
        .rest = {"sets", "any", PARAM_SHALLOW | PARAM_SENSITIVE},
        .result_type = setproduct_type,
        .body = setproduct_value},
    {.info = {"setsubtract", "setsubtract(a, b)",
         "The elements of the first set that the second does not have.",
         "setsubtract([\"a\", \"b\"], [\"a\"]) => toset([\"b\"])"},
        .parameters = {{"a", "set(any)", 0}, {"b", "set(any)", 0}},
        .result_type = setsubtract_type,
        .body = setsubtract_value},
    {.info = {"setunion", "setunion(first_set, other_sets...)", "The elements that any of the sets has.",
         "setunion([\"b\"], [\"a\", \"b\"]) => toset([\"a\", \"b\"])"},
        .parameters = {{"first_set", "set(any)", PARAM_SHALLOW}},
        .rest = {"other_sets", "set(any)", PARAM_SHALLOW},
        .result_type = setunion_type,
        .body = setunion_value},
    {.info = {"slice", "slice(list, start_index, end_index)",
         "The elements from one index up to, but without, another.",
         "slice([\"a\", \"b\", \"c\"], 1, 3) => [\"b\", \"c\"]"},
        .parameters = {{"list", "any", PARAM_SHALLOW | PARAM_SENSITIVE},
            {"start_index", "number", PARAM_SENSITIVE}, {"end_index", "number", PARAM_SENSITIVE}},
        .result_type = slice_type,
        .body = slice_value},
    {.info = {"sort", "sort(list)", "Strings in the order of their code points.",
         "sort([\"c\", \"a\", \"b\"]) => tolist([\"a\", \"b\", \"c\"])"},
        .parameters = {{"list", "list(string)", PARAM_SHALLOW}},
        .result = "list(string)",
        .body = sort_value},
    {.info = {"transpose", "transpose(map)",
         "From each string in a map of lists to the keys whose lists have it.",
         "transpose({a = [\"1\", \"2\"], b = [\"2\"]})[\"2\"] => tolist([\"a\", \"b\"])"},
        .parameters = {{"map", "map(list(string))", 0}},
        .result = "map(list(string))",
        .body = transpose_value},
    {.info = {"values", "values(map)", "The elements of a map or object, in the order of their keys.",
         "values({b = 1, a = 2}) => [2, 1]"},
        .parameters = {{"map", "any", OPEN}},
        .result_type = values_type,
        .body = values_value},
    {.info = {"zipmap", "zipmap(keys, values)", "A map of keys and values at the same index.",
         "zipmap([\"a\", \"b\"], [1, 2]) => {a = 1, b = 2}"},
        .parameters = {{"keys", "list(string)", OPEN}, {"values", "any", OPEN}},
        .result_type = zipmap_type,
        .body = zipmap_value},
    {.info = {0}},
};
