/*
 * Values as JSON. One writer serves three ends: plain JSON for people and requests, sealed JSON for the
 * store, and the exact form with the type beside the value.
 *
 * In the two forms that are read back, {"$sealed": …} and {"$unknown": …} have a meaning; an object of the user's
 * own that looks like one of them (a single attribute whose name begins with $) gets another $ in front.
 */
#include "lang/value_json.h"

#include <string.h>

#include "lang/value_internal.h"

struct writer {
        enum value_secrets secrets;
        const struct sealer *sealer;
        bool exact; /* will be read back: single attributes with $ are escaped */
        struct text *out;
        struct error **err;
};

static int write_value(struct writer *w, const struct value *v);

/* A key of an object that is read back: were it alone and began with $, it could be taken for a special form. */
static void write_key(struct text *out, const char *key, bool alone)
{
        cleanup_free char *escaped = alone && key[0] == '$' ? mem_printf("$%s", key) : NULL;
        const char *written = escaped ? escaped : key;
        text_add_json(out, written, strlen(written));
        text_addc(out, ':');
}

static void attributes_json(const struct type *type, struct text *out)
{
        text_add(out, "[\"object\",{");
        for (size_t i = 0; i < type->count; i++) {
                if (i > 0) text_addc(out, ',');
                write_key(out, type->attributes[i].name, type->count == 1);
                type_json(type->attributes[i].type, out);
        }
        text_add(out, "}]");
}

void type_json(const struct type *type, struct text *out)
{
        static const char *const names[] = {
            [TYPE_DYNAMIC] = "dynamic",
            [TYPE_STRING] = "string",
            [TYPE_NUMBER] = "number",
            [TYPE_BOOL] = "bool",
            [TYPE_LIST] = "list",
            [TYPE_SET] = "set",
            [TYPE_MAP] = "map",
        };
        if (type->kind == TYPE_OBJECT) {
                attributes_json(type, out);
        } else if (type->kind == TYPE_TUPLE) {
                text_add(out, "[\"tuple\",[");
                for (size_t i = 0; i < type->count; i++) {
                        if (i > 0) text_addc(out, ',');
                        type_json(type->elements[i], out);
                }
                text_add(out, "]]");
        } else if (type->element != NULL) {
                text_addf(out, "[\"%s\",", names[type->kind]);
                type_json(type->element, out);
                text_addc(out, ']');
        } else {
                text_addf(out, "\"%s\"", names[type->kind]);
        }
}

static int write_sealed(struct writer *w, const struct value *v)
{
        if (w->sealer == NULL)
                return error_set(w->err, ERROR_INPUT, NULL,
                    "cannot write a sensitive value: there is no key to seal it with");
        cleanup(value_free) struct value *plain = value_unmarked(v);
        struct text text = {0}, sealed = {0};
        int r = value_encode(plain, w->sealer, &text, w->err);
        if (r == 0) r = w->sealer->seal(w->sealer->context, text.data, text.len, &sealed, w->err);
        if (r == 0) { /* in pieces: it may be as long as a plan */
                text_add(w->out, "{\"$sealed\":\"");
                text_addn(w->out, sealed.data ? sealed.data : "", sealed.len);
                text_add(w->out, "\"}");
        }
        mem_wipe(text.data, text.len);
        text_release(&text);
        text_release(&sealed);
        return r;
}

static int write_object(struct writer *w, const struct value *v)
{
        size_t count = value_count(v);
        text_addc(w->out, '{');
        for (size_t i = 0; i < count; i++) {
                const char *key = value_key_at(v, i);
                if (i > 0) text_addc(w->out, ',');
                write_key(w->out, key, w->exact && count == 1);
                if (write_value(w, value_at(v, i)) < 0) return -1;
        }
        text_addc(w->out, '}');
        return 0;
}

static int write_array(struct writer *w, const struct value *v)
{
        text_addc(w->out, '[');
        for (size_t i = 0; i < value_count(v); i++) {
                if (i > 0) text_addc(w->out, ',');
                if (write_value(w, value_at(v, i)) < 0) return -1;
        }
        text_addc(w->out, ']');
        return 0;
}

static int write_value(struct writer *w, const struct value *v)
{
        if (value_is_sensitive(v) && w->secrets != SECRETS_REVEAL) {
                if (w->secrets == SECRETS_SEAL) return write_sealed(w, v);
                text_add(w->out, "\"(sensitive)\"");
                return 0;
        }
        if (!value_is_known(v)) {
                text_add(w->out, "{\"$unknown\":");
                type_json(value_type(v), w->out);
                text_addc(w->out, '}');
                return 0;
        }
        if (value_is_null(v)) {
                text_add(w->out, "null");
                return 0;
        }
        switch (vkind_of(v)) {
        case TYPE_BOOL: text_add(w->out, value_as_bool(v) ? "true" : "false"); return 0;
        case TYPE_NUMBER: number_text(v, w->out); return 0;
        case TYPE_STRING: text_add_json(w->out, value_as_string(v), value_string_len(v)); return 0;
        case TYPE_MAP:
        case TYPE_OBJECT: return write_object(w, v);
        default: return write_array(w, v);
        }
}

int value_json(const struct value *v, enum value_secrets secrets, const struct sealer *sealer,
    struct text *out, struct error **err)
{
        struct writer w = {secrets, sealer, secrets == SECRETS_SEAL, out, err};
        return write_value(&w, v);
}

int value_encode(const struct value *v, const struct sealer *sealer, struct text *out, struct error **err)
{
        struct writer w = {SECRETS_SEAL, sealer, true, out, err};
        text_add(out, "{\"t\":");
        type_json(value_type(v), out);
        text_add(out, ",\"v\":");
        if (write_value(&w, v) < 0) return -1;
        text_addc(out, '}');
        return 0;
}
