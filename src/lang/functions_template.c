/*
 * templatefile and templatestring: a text evaluated as a template that sees the given variables and nothing
 * else. A template cannot render another one, so that it cannot render itself.
 */
#include "lang/functions_file.h"

#include <string.h>

static struct value *variable_resolve(void *context, const char *root, const struct value *key,
    const char *next, int *consumed, struct error **err)
{
        (void)key, (void)next, (void)err;
        const struct value *vars = context, *found = value_get(vars, root);
        *consumed = 0;
        return found ? value_part(vars, found) : NULL;
}

static void variable_names(void *context, void (*each)(void *sink, const char *name), void *sink)
{
        const struct value *vars = context;
        for (size_t i = 0; i < value_count(vars); i++) each(sink, value_key_at(vars, i));
}

static bool is_identifier(const char *s)
{
        if (!*s || (*s >= '0' && *s <= '9') || *s == '-') return false;
        for (; *s; s++) {
                bool word = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                            (*s >= 'A' && *s <= 'Z') || *s == '_' || *s == '-' || (unsigned char)*s >= 0x80;
                if (!word) return false;
        }
        return true;
}

static bool variables_check(const struct value *vars, struct error **err)
{
        if (value_kind(vars) != TYPE_MAP && value_kind(vars) != TYPE_OBJECT)
                return call_refuse(err, "invalid value for \"vars\": a map or object is required, not %s",
                    type_friendly(value_type(vars)));
        for (size_t i = 0; i < value_count(vars); i++)
                if (!is_identifier(value_key_at(vars, i)))
                        return call_refuse(err,
                            "invalid value for \"vars\": invalid template variable name \"%s\"",
                            value_key_at(vars, i));
        return true;
}

static struct value *render(
    const struct call *call, const char *text, size_t len, const char *file, struct error **err)
{
        if (call->scope->resolve == variable_resolve)
                return call_refuse(err, "a template cannot render another template");
        if (!variables_check(call->args[1], err)) return NULL;
        cleanup(arena_free) struct arena *arena = arena_new();
        struct source_map map = {.start = {.file = file, .line = 1, .column = 1}};
        struct expr *e = expr_parse_template(arena, text, len, &map, err);
        if (!e) return NULL;
        struct scope scope = *call->scope;
        scope.resolve = variable_resolve;
        scope.names = variable_names;
        scope.context = call->args[1];
        return expr_eval(e, &scope, err);
}

TYPE_OF(templatefile)
{
        (void)call, (void)err;
        return type_ref(type_dynamic);
}

TYPE_OF(templatestring)
{
        (void)call, (void)err;
        return type_ref(type_dynamic);
}

VALUE_OF(templatefile)
{
        const char *path = call_string(call, 0);
        __attribute__((__cleanup__(text_release_cleanup))) struct text text = {0};
        if (strlen(path) != call_string_len(call, 0))
                return call_refuse(err, "invalid value for \"path\": holds a NUL byte");
        if (file_text(call->scope, path, &text, err) < 0) return NULL;
        if (!text_is_utf8(text.data ? text.data : "", text.len))
                return call_refuse(err, "contents of \"%s\" are not valid UTF-8", path);
        return render(call, text.data ? text.data : "", text.len, path, err);
}

VALUE_OF(templatestring)
{
        if (value_kind(call->args[0]) != TYPE_STRING)
                return call_refuse(err, "invalid value for \"template\": a string is required, not %s",
                    type_friendly(value_type(call->args[0])));
        return render(call, call_string(call, 0), call_string_len(call, 0), NULL, err);
}
