/*
 * Any bytes as JSON, as an encoded value and as a type constraint: reading must end without a fault, and what
 * was read must be written so that it reads the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lang/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(const char *text, size_t len)
{
        struct text out = {0};
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = value_from_json(text, len, NULL, NULL, &err);
        if ((v == NULL) != (error_count(err) > 0)) abort();
        if (v == NULL) return;
        if (value_json(v, SECRETS_MASK, NULL, &out, &err) < 0) abort();
        cleanup(value_free) struct value *back = value_from_json(out.data, out.len, NULL, NULL, &err);
        if (back == NULL || !value_equal(v, back) || value_compare(v, back) != 0) abort();
        text_release(&out);
}

static void check_encoded(const char *text, size_t len)
{
        struct text out = {0};
        cleanup(error_free) struct error *err = NULL;
        cleanup(value_free) struct value *v = value_decode(text, len, NULL, &err);
        if ((v == NULL) != (error_count(err) > 0)) abort();
        if (v == NULL) return;
        if (value_encode(v, NULL, &out, &err) < 0) abort();
        cleanup(value_free) struct value *back = value_decode(out.data, out.len, NULL, &err);
        if (back == NULL || !value_equal(v, back) || !type_equal(value_type(v), value_type(back))) abort();
        unsigned char digest[32];
        value_digest(back, digest);
        text_release(&out);
}

/* The first line is a type constraint, the rest JSON to convert to it. */
static void check_conversion(const char *text, size_t len)
{
        size_t line = 0;
        cleanup(error_free) struct error *err = NULL;
        while (line < len && text[line] != '\n') line++;
        cleanup(type_free) const struct type *type = type_parse(text, line, NULL, &err);
        if ((type == NULL) != (error_count(err) > 0)) abort();
        if (type == NULL || line == len) return;
        cleanup(value_free) struct value *v = value_from_json(
            text + line + 1, len - line - 1, type, NULL, &err);
        if (v == NULL) return;
        cleanup(value_free) struct value *again = value_convert(v, type, &err);
        if (again == NULL || !value_equal(v, again)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup_free char *text = mem_alloc(size); /* exact, so that reading past the end shows */
        for (size_t i = 0; i < size; i++) text[i] = (char)data[i];
        check_json(text, size);
        check_encoded(text, size);
        check_conversion(text, size);
        return 0;
}
