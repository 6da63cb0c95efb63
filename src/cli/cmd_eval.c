/* tutti eval: one expression, or one per line of standard input, as JSON with its type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "io/file.h"
#include "lang/expr.h"

enum { CONTEXT_MAX = 64 << 20 };

static int load_context(const char *path, struct value **roots, struct error **err)
{
        struct text text = {0};
        int result = file_read(path, CONTEXT_MAX, &text, err);
        if (result == 0) *roots = value_from_json(text.data ? text.data : "", text.len, NULL, NULL, err);
        if (result == 0 && *roots == NULL) result = error_context(err, "context %s", path);
        text_release(&text);
        return result;
}

/* As a template's expressions are, it is checked for names that are not there before it is evaluated. */
static struct value *evaluate(const char *source, size_t len, const struct scope *scope, struct error **err)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        struct source_map map = {.start = {.line = 1, .column = 1}};
        const struct expr *e = expr_parse(arena, source, len, &map, err);
        if (e == NULL || scope_check(e, scope->context, err) < 0) return NULL;
        return expr_eval(e, scope, err);
}

/* A sensitive value is shown masked, an unknown one as null with its type. */
static void result_json(const struct value *v, const struct error *err, struct text *out)
{
        if (v == NULL) {
                struct text all = {0};
                for (size_t i = 0; i < error_count(err); i++) {
                        cleanup_free char *text = error_text(error_at(err, i));
                        text_addf(&all, "%s%s", i ? "; " : "", text);
                }
                text_add(out, "{\"error\":");
                text_json(out, all.data ? all.data : "unknown problem");
                text_release(&all);
        } else {
                struct text type = {0};
                text_add(out, "{\"value\":");
                if (value_is_known(v))
                        value_json(v, SECRETS_MASK, NULL, out, NULL);
                else
                        text_add(out, "null,\"unknown\":true");
                type_text(value_type(v), &type);
                text_add(out, ",\"type\":");
                text_json(out, type.data);
                text_release(&type);
        }
        text_addc(out, '}');
}

static void evaluate_lines(const struct scope *scope)
{
        char *line = NULL;
        size_t capacity = 0;
        struct text out = {0};
        for (ssize_t n; (n = getline(&line, &capacity, stdin)) >= 0;) {
                while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
                cleanup(error_free) struct error *err = NULL;
                cleanup(value_free) struct value *v = evaluate(line, (size_t)n, scope, &err);
                text_clear(&out);
                result_json(v, err, &out);
                puts(out.data);
                fflush(stdout); /* whoever feeds lines may wait for each answer */
        }
        text_release(&out);
        free(line);
}

int cmd_eval(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *roots = NULL;
        if (o->context != NULL && load_context(o->context, &roots, &err) < 0) return print_error(o, err);
        struct scope scope = {0};
        scope_over_object(&scope, roots);
        cleanup_free char *cwd = getcwd(NULL, 0);
        scope.base_dir = scope.root_dir = cwd;
        scope.plan_time_ms = clock_wall_ms();
        if (o->arg_count == 0) {
                evaluate_lines(&scope);
                return EXIT_DONE;
        }
        cleanup(value_free) struct value *v = evaluate(o->args[0], strlen(o->args[0]), &scope, &err);
        struct text out = {0};
        int code = v ? EXIT_DONE : EXIT_INPUT;
        if (o->json) {
                result_json(v, err, &out);
                puts(out.data);
        } else if (v == NULL) {
                print_error(o, err);
        } else {
                value_short(v, false, 1 << 20, &out);
                puts(out.data);
        }
        text_release(&out);
        return code;
}
