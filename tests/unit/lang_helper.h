/* Evaluating one expression in a test, and writing down what came of it in one line of text. */
#ifndef TUTTI_TESTS_LANG_HELPER_H
#define TUTTI_TESTS_LANG_HELPER_H

#include <string.h>

#include "lang/expr.h"
#include "tap.h"

/* Marks stand as "(sensitive)" and unknowns as {"$unknown":type}; an error is "error: file:line:column: message"
 * for each problem, joined by " | ". The caller frees. */
static inline char *outcome(struct value *stolen, const struct error *err)
{
        cleanup(value_free) struct value *v = stolen;
        struct text out = {0};
        if (v != NULL) {
                value_json(v, SECRETS_MASK, NULL, &out, NULL);
                return text_steal(&out);
        }
        text_add(&out, "error: ");
        for (size_t i = 0; i < error_count(err); i++) {
                cleanup_free char *line = error_text(error_at(err, i));
                text_addf(&out, "%s%s", i ? " | " : "", line);
        }
        return text_steal(&out);
}

static inline char *eval_in(const char *source, const struct scope *scope, bool template)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        struct source_map map = {.start = {.file = "t", .line = 1, .column = 1}};
        struct expr *e = template ? expr_parse_template(arena, source, strlen(source), &map, &err)
                                  : expr_parse(arena, source, strlen(source), &map, &err);
        struct value *v = e ? expr_eval(e, scope, &err) : NULL;
        return outcome(v, err);
}

static inline void is_eval_(const char *source, const char *want, const struct scope *scope, bool template,
    const char *file, int line)
{
        cleanup_free char *got = eval_in(source, scope, template);
        tap_str_(got, want, file, line, source);
}

#define is_eval(source, want, scope) is_eval_((source), (want), (scope), false, __FILE__, __LINE__)
#define is_template(source, want, scope) is_eval_((source), (want), (scope), true, __FILE__, __LINE__)

#endif
