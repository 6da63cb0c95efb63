/*
 * Any bytes as an expression and as a template: parsing and evaluating must end, within the limits, without a
 * fault; what comes out must survive being written and read back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lang/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char context_json[] =
    "{\"local\":{\"nums\":[3,1,2],\"names\":[\"ada\",\"grace\"],\"m\":{\"a\":1,\"b\":2},\"deep\":{\"on\":"
    "true,"
    "\"nothing\":null,\"zones\":[[\"a\"],[]]},\"s\":\"Hello\",\"n\":null},\"u\":{\"$unknown\":\"string\"},"
    "\"ul\":{\"$unknown\":[\"list\",\"number\"]},\"ua\":{\"$unknown\":\"dynamic\"},"
    "\"uo\":{\"$unknown\":[\"object\",{\"a\":[\"set\",\"string\"]}]}}";

/* Sealing by doing nothing: the forms, not the cipher, are what is tried here. Only text without quotes and
 * backslashes would survive, so the bytes go out in hexadecimal. */
static int seal(void *context, const void *plain, size_t len, struct text *out, struct error **err)
{
        (void)context;
        (void)err;
        cleanup_free char *hex = mem_alloc(2 * len + 1);
        text_hex(plain, len, hex);
        text_add(out, hex);
        return 0;
}

static int unseal(void *context, const char *hex, size_t len, struct text *plain, struct error **err)
{
        (void)context;
        (void)err;
        for (size_t i = 0; i + 1 < len; i += 2) {
                char pair[3] = {hex[i], hex[i + 1], 0};
                text_addc(plain, (char)strtol(pair, NULL, 16));
        }
        return 0;
}

static const struct sealer sealer = {.seal = seal, .open = unseal};

static struct value *make_context(void)
{
        struct error *err = NULL;
        cleanup(value_free) struct value *v = value_from_json(
            context_json, sizeof context_json - 1, NULL, &sealer, &err);
        cleanup(value_free) struct value *secret = value_string("hunter2");
        cleanup(value_free) struct value *marked = value_sensitive(secret, true);
        return value_with(v, "secret", marked);
}

static void check_round_trip(const struct value *v)
{
        struct text first = {0}, second = {0};
        cleanup(error_free) struct error *err = NULL;
        if (value_encode(v, &sealer, &first, &err) < 0) abort();
        cleanup(value_free) struct value *back = value_decode(first.data, first.len, &sealer, &err);
        if (back != NULL) {
                if (value_encode(back, &sealer, &second, &err) < 0) abort();
                if (!text_equal(first.data, second.data)) abort();
        } else if (value_depth(v) < 100) {
                abort();
        }
        text_release(&first);
        text_release(&second);
}

static void evaluate(struct arena *arena, struct expr *e, const struct scope *scope)
{
        (void)arena;
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = expr_eval(e, scope, &err);
        if ((v == NULL) != (error_count(err) > 0)) abort();
        if (v != NULL && value_weight(v) < 100000) check_round_trip(v);
}

static void count_reference(void *context, const struct reference *reference)
{
        *(size_t *)context += reference->step_count;
}

static void try_text(const char *text, size_t len, bool template, const struct scope *scope)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        cleanup(error_free) struct error *err = NULL;
        struct expr *e = template ? expr_parse_template(arena, text, len, NULL, &err)
                                  : expr_parse(arena, text, len, NULL, &err);
        if ((e == NULL) != (error_count(err) > 0)) abort();
        if (e == NULL) return;
        size_t steps = 0;
        expr_references(e, count_reference, &steps);
        evaluate(arena, e, scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup(value_free) struct value *context = make_context();
        struct scope scope;
        scope_over_object(&scope, context);
        scope.max_steps = 20000;
        scope.max_bytes = 4 << 20;
        cleanup_free char *text = mem_alloc(size); /* exact, so that reading past the end shows */
        for (size_t i = 0; i < size; i++) text[i] = (char)data[i];
        try_text(text, size, false, &scope);
        try_text(text, size, true, &scope);
        return 0;
}
