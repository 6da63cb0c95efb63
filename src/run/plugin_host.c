/*
 * The host's side of the plug-in ABI: values and expressions, as thin steps over lang/. The operations' part is in
 * operation_host.c. Messages for plug-ins come from malloc, as the ABI says.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lang/expr.h"
#include "run/operation_host.h"
#include "run/plugin.h"

static void problem_text(struct error *err, char **problem)
{
        if (problem == NULL) return;
        *problem = err ? error_text(error_at(err, 0)) : mem_strdup("unknown problem");
}

static struct value *host_null(void)
{
        return value_null(type_dynamic);
}

static struct value *host_bool(int b)
{
        return value_bool(b != 0);
}

static struct value *host_number(const char *decimal)
{
        return value_number(decimal, strlen(decimal));
}

/* A provider's reply may hold any bytes; values hold UTF-8 only. */
static struct value *host_string(const char *s, size_t len)
{
        if (text_is_utf8(s, len)) return value_string_n(s, len);
        struct text json = {0};
        text_add_json(&json, s, len);
        struct value *v = value_from_json(json.data, json.len, type_string, NULL, NULL);
        text_release(&json);
        return v;
}

static struct value *host_with(const struct value *object, const char *key, const struct value *v)
{
        return value_with(object, key, v);
}

static struct value *host_sensitive(const struct value *v, int sensitive)
{
        return value_sensitive(v, sensitive != 0);
}

static const char *host_kind(const struct value *v)
{
        static const char *const names[] = {
            [TYPE_DYNAMIC] = "null",
            [TYPE_STRING] = "string",
            [TYPE_NUMBER] = "number",
            [TYPE_BOOL] = "bool",
            [TYPE_LIST] = "list",
            [TYPE_SET] = "set",
            [TYPE_MAP] = "map",
            [TYPE_TUPLE] = "tuple",
            [TYPE_OBJECT] = "object",
        };
        if (!value_is_known(v)) return "unknown";
        if (value_is_null(v)) return "null";
        return names[value_kind(v)];
}

static int host_known(const struct value *v)
{
        return value_is_wholly_known(v);
}

static int host_is_sensitive(const struct value *v)
{
        return value_has_sensitive(v);
}

static int host_as_bool(const struct value *v)
{
        return value_as_bool(v);
}

static int host_as_int(const struct value *v, int64_t *n)
{
        return value_as_int(v, n);
}

static const char *host_as_string(const struct value *v, size_t *len)
{
        if (len != NULL) *len = value_string_len(v);
        return value_as_string(v);
}

static int host_equal(const struct value *a, const struct value *b)
{
        return value_equal(a, b);
}

static struct value *host_convert(const struct value *v, const char *type, char **problem)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup(type_free) const struct type *to = type_parse(type, strlen(type), NULL, &err);
        struct value *result = to ? value_convert(v, to, &err) : NULL;
        if (result == NULL) problem_text(err, problem);
        return result;
}

static char *host_to_json(const struct value *v, size_t *len)
{
        struct text text = {0};
        value_json(v, SECRETS_REVEAL, NULL, &text, NULL);
        if (len != NULL) *len = text.len;
        return text_steal(&text);
}

static struct value *host_from_json(const char *json, size_t len, char **problem)
{
        cleanup(error_free) struct error *err = NULL;
        struct value *v = value_from_json(json, len, NULL, NULL, &err);
        if (v == NULL) problem_text(err, problem);
        return v;
}

static char *host_to_text(const struct value *v)
{
        cleanup(value_free) struct value *s = value_convert(v, type_string, NULL);
        if (s == NULL || !value_is_known(s) || value_is_null(s)) return NULL;
        return mem_dup(value_as_string(s), value_string_len(s));
}

struct tutti_program {
        struct arena *arena;
};

static struct tutti_program *host_program_new(void)
{
        struct tutti_program *program = mem_alloc(sizeof *program);
        program->arena = arena_new();
        return program;
}

static void host_program_free(struct tutti_program *program)
{
        if (program == NULL) return;
        arena_free(program->arena);
        free(program);
}

static struct tutti_expr *host_compile(struct tutti_program *program, const char *text, size_t len,
    int is_template, const char *file, unsigned line, unsigned column, char **problem)
{
        cleanup(error_free) struct error *err = NULL;
        struct source_map map = {
            .start = {.file = arena_strdup(program->arena, file), .line = line, .column = column}};
        const char *kept = arena_strndup(program->arena, text, len);
        struct expr *e = is_template ? expr_parse_template(program->arena, kept, len, &map, &err)
                                     : expr_parse(program->arena, kept, len, &map, &err);
        if (e == NULL) problem_text(err, problem);
        return (struct tutti_expr *)e;
}

static struct value *host_eval(const struct tutti_expr *expr, const struct value *roots, char **problem)
{
        cleanup(error_free) struct error *err = NULL;
        struct scope scope = {0};
        scope_over_object(&scope, roots);
        struct value *v = expr_eval((const struct expr *)expr, &scope, &err);
        if (v == NULL) problem_text(err, problem);
        return v;
}

static const struct value *host_constant(const struct tutti_expr *expr)
{
        return expr_constant((const struct expr *)expr);
}

static void host_log_debug(const char *text)
{
        log_debug("%s", text);
}

const struct tutti_host tutti_host_table = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_host),
    .value_null = host_null,
    .value_bool = host_bool,
    .value_int = value_int,
    .value_number = host_number,
    .value_string = host_string,
    .value_list = value_tuple,
    .value_object = value_object,
    .value_with = host_with,
    .value_sensitive = host_sensitive,
    .value_ref = value_ref,
    .value_free = value_free,
    .value_kind = host_kind,
    .value_known = host_known,
    .value_is_sensitive = host_is_sensitive,
    .value_as_bool = host_as_bool,
    .value_as_int = host_as_int,
    .value_as_string = host_as_string,
    .value_count = value_count,
    .value_at = value_at,
    .value_key_at = value_key_at,
    .value_get = value_get,
    .value_path = value_path,
    .value_equal = host_equal,
    .value_convert = host_convert,
    .value_to_json = host_to_json,
    .value_from_json = host_from_json,
    .value_to_text = host_to_text,
    .program_new = host_program_new,
    .program_free = host_program_free,
    .expr_compile = host_compile,
    .expr_eval = host_eval,
    .expr_constant = host_constant,
    OPERATION_HOST_FUNCTIONS,
    .wall_ms = clock_wall_ms,
    .log_debug = host_log_debug,
};
