/*
 * Evaluations of small expressions such as templates hold: how many per second, and how many bytes of memory
 * each takes from the allocator.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lang/expr.h"

enum { ROUNDS = 1000000 };

static const char *const sources[] = {
    "1 + index * 2",
    "index > 3 && param.enabled",
    "param.region",
    "\"web-${index}.${param.domain}\"",
    "param.zones[index % 3]",
    "index == 0 ? \"first\" : \"other\"",
    "{name = param.region, size = index}",
    "[for z in param.zones : \"${z}-${index}\"]",
};

static const char context_json[] = "{\"index\":4,\"param\":{\"region\":\"eu-west-1\",\"domain\":\"example."
                                   "org\",\"enabled\":true,\"zones\":[\"a\",\"b\",\"c\"]}}";

static void fail(struct error *err)
{
        fprintf(stderr, "%s\n", error_message(err));
        exit(1);
}

/* What the allocator has handed out in all is not to be had; what one result holds while it lives is. */
static size_t result_bytes(const struct expr *e, const struct scope *scope)
{
        enum { KEPT = 1000 };
        struct value *kept[KEPT];
        struct error *err = NULL;
        size_t before = mallinfo2().uordblks;
        for (int i = 0; i < KEPT; i++) kept[i] = expr_eval(e, scope, &err);
        size_t after = mallinfo2().uordblks;
        for (int i = 0; i < KEPT; i++) value_free(kept[i]);
        return (after - before) / KEPT;
}

static void measure(const char *source, const struct scope *scope)
{
        struct error *err = NULL;
        struct arena *arena = arena_new();
        struct expr *e = expr_parse(arena, source, strlen(source), NULL, &err);
        if (e == NULL) fail(err);
        int64_t begin = clock_monotonic_ms();
        for (int i = 0; i < ROUNDS; i++) {
                struct value *v = expr_eval(e, scope, &err);
                if (v == NULL) fail(err);
                value_free(v);
        }
        int64_t took = clock_monotonic_ms() - begin;
        printf("%-42s %10.0f per second  %5zu bytes each\n", source,
            ROUNDS * 1000.0 / (double)(took ? took : 1), result_bytes(e, scope));
        arena_free(arena);
}

static void measure_parsing(void)
{
        struct error *err = NULL;
        size_t count = sizeof sources / sizeof *sources, rounds = ROUNDS / 10, bytes = 0;
        int64_t begin = clock_monotonic_ms();
        struct arena *arena = arena_new();
        for (size_t i = 0; i < rounds; i++) {
                const char *source = sources[i % count];
                if (expr_parse(arena, source, strlen(source), NULL, &err) == NULL) fail(err);
        }
        bytes = arena_used(arena);
        int64_t took = clock_monotonic_ms() - begin;
        arena_free(arena);
        printf("%-42s %10.0f per second  %5zu bytes each\n", "parsing them",
            (double)rounds * 1000.0 / (double)(took ? took : 1), bytes / rounds);
}

int main(void)
{
        struct error *err = NULL;
        struct scope scope;
        struct value *context = value_from_json(context_json, sizeof context_json - 1, NULL, NULL, &err);
        if (context == NULL) fail(err);
        scope_over_object(&scope, context);
        for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) measure(sources[i], &scope);
        measure_parsing();
        value_free(context);
        return 0;
}
