/*
 * Functions that convert values, name types, and set or take off marks. `can` and `try` stand here for their
 * documentation only: their arguments are evaluated lazily, which the evaluator does itself.
 */
#include "lang/call.h"

/* to…(v): converts to a constraint, of which `dynamic` stands for whatever the elements have in common. */
static const struct type *conversion_type(const struct call *call, const struct type *to, struct error **err)
{
        cleanup(value_free) struct value *unknown = value_unknown(value_type(call->args[0]));
        cleanup(value_free) struct value *v = value_convert(unknown, to, err);
        return v ? type_ref(value_type(v)) : NULL;
}

#define CONVERSION(name, constraint)                                                       \
        static const struct type *name##_type(const struct call *call, struct error **err) \
        {                                                                                  \
                cleanup(type_free) const struct type *to = constraint;                     \
                return conversion_type(call, to, err);                                     \
        }                                                                                  \
        static struct value *name##_value(const struct call *call, struct error **err)     \
        {                                                                                  \
                cleanup(type_free) const struct type *to = constraint;                     \
                return value_convert(call->args[0], to, err);                              \
        }

CONVERSION(tobool, type_ref(type_bool))
CONVERSION(tonumber, type_ref(type_number))
CONVERSION(tostring, type_ref(type_string))
CONVERSION(tolist, type_list(type_dynamic))
CONVERSION(toset, type_set(type_dynamic))
CONVERSION(tomap, type_map(type_dynamic))

static const struct type *type_of_first(const struct call *call, struct error **err)
{
        (void)err;
        return type_ref(value_type(call->args[0]));
}

static struct value *sensitive_value(const struct call *call, struct error **err)
{
        (void)err;
        return value_sensitive(call->args[0], true);
}

static struct value *nonsensitive_value(const struct call *call, struct error **err)
{
        (void)err;
        return value_sensitive(call->args[0], false);
}

/* An unknown value may turn out sensitive or not, but its mark as known so far is not taken back. */
static struct value *issensitive_value(const struct call *call, struct error **err)
{
        (void)err;
        if (value_is_sensitive(call->args[0])) return value_bool(true);
        return value_is_known(call->args[0]) ? value_bool(false) : value_unknown(type_bool);
}

/* There are no ephemeral values here, so there is nothing to make null. */
static struct value *ephemeralasnull_value(const struct call *call, struct error **err)
{
        (void)err;
        return value_ref(call->args[0]);
}

static struct value *type_value(const struct call *call, struct error **err)
{
        (void)err;
        struct text t = {0};
        type_text(value_type(call->args[0]), &t);
        return call_text(&t);
}

#define ANYTHING (PARAM_NULL | PARAM_UNKNOWN | PARAM_SENSITIVE)

const struct function functions_conversion[] = {
    {.info = {"can", "can(expression)", "Whether the expression evaluates without an error.",
         "can(tonumber(\"x\")) => false"},
        .parameters = {{"expression", "any", ANYTHING}},
        .result = "bool"},
    {.info = {"ephemeralasnull", "ephemeralasnull(value)",
         "The value with its ephemeral parts made null; no value here is ephemeral.",
         "ephemeralasnull(5) => 5"},
        .parameters = {{"value", "any", ANYTHING}},
        .result_type = type_of_first,
        .body = ephemeralasnull_value},
    {.info = {"issensitive", "issensitive(value)", "Whether the value is marked sensitive.",
         "issensitive(sensitive(1)) => true"},
        .parameters = {{"value", "any", ANYTHING}},
        .result = "bool",
        .body = issensitive_value},
    {.info = {"nonsensitive", "nonsensitive(value)", "The value without its sensitive mark.",
         "nonsensitive(sensitive(1)) => 1"},
        .parameters = {{"value", "any", ANYTHING}},
        .result_type = type_of_first,
        .body = nonsensitive_value},
    {.info = {"sensitive", "sensitive(value)",
         "The value with a sensitive mark: it and what is made of it is shown nowhere.",
         "issensitive(sensitive(\"s\")) => true"},
        .parameters = {{"value", "any", ANYTHING}},
        .result_type = type_of_first,
        .body = sensitive_value},
    {.info = {"tobool", "tobool(v)", "Converts to a bool.", "tobool(\"true\") => true"},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = tobool_type,
        .body = tobool_value},
    {.info = {"tolist", "tolist(v)", "Converts to a list, whose elements get one common type.",
         "tolist([\"a\", 1]) => tolist([\"a\", \"1\"])"},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = tolist_type,
        .body = tolist_value},
    {.info = {"tomap", "tomap(v)", "Converts to a map, whose elements get one common type.",
         "tomap({a = \"x\", b = 2}) => tomap({a = \"x\", b = \"2\"})"},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = tomap_type,
        .body = tomap_value},
    {.info = {"tonumber", "tonumber(v)", "Converts to a number.", "tonumber(\"1.50\") => 1.5"},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = tonumber_type,
        .body = tonumber_value},
    {.info = {"toset", "toset(v)", "Converts to a set: without duplicates and without order.",
         "toset([\"b\", \"a\", \"b\"]) => toset([\"a\", \"b\"])"},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = toset_type,
        .body = toset_value},
    {.info = {"tostring", "tostring(v)", "Converts to a string.", "tostring(1.5) => \"1.5\""},
        .parameters = {{"v", "any", ANYTHING}},
        .result_type = tostring_type,
        .body = tostring_value},
    {.info = {"try", "try(expressions...)", "The first of the expressions that evaluates without an error.",
         "try(tonumber(\"x\"), 5) => 5"},
        .rest = {"expressions", "any", ANYTHING},
        .result = "any"},
    {.info = {"type", "type(value)", "The type of a value, as text.", "type([1]) => \"tuple([number])\""},
        .parameters = {{"value", "any", ANYTHING}},
        .result = "string",
        .body = type_value},
    {.info = {0}},
};
