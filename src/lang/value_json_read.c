/*
 * Reading JSON into values: one pass, no tree in between, bounded depth. The reader is strict (RFC 8259):
 * no comments, no trailing commas, no lone surrogates, nothing behind the value.
 */
#include <string.h>

#include "lang/type_internal.h"
#include "lang/number.h"
#include "lang/value_json.h"

struct reader {
        const char *start, *at, *end;
        const struct sealer *sealer; /* NULL: {"$sealed"} and {"$unknown"} are ordinary objects */
        bool special;                /* those two have their meaning */
        unsigned depth;
        struct error **err;
};

static struct value *read_value(struct reader *r);

/* Always NULL. */
static void *fail(struct reader *r, const char *message)
{
        unsigned line = 1;
        const char *begin = r->start;
        for (const char *p = r->start; p < r->at && p < r->end; p++)
                if (*p == '\n') {
                        line++;
                        begin = p + 1;
                }
        error_set(r->err, ERROR_INPUT, NULL, "cannot read JSON: line %u, column %zu: %s", line,
            (size_t)(r->at - begin) + 1, message);
        return NULL;
}

static void skip_space(struct reader *r)
{
        while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
                r->at++;
}

/* The next character behind white space, or 0 at the end. */
static char peek(struct reader *r)
{
        skip_space(r);
        return r->at < r->end ? *r->at : '\0';
}

static bool accept(struct reader *r, char c)
{
        if (peek(r) != c || r->at >= r->end) return false;
        r->at++;
        return true;
}

static int hex4(struct reader *r, unsigned *code)
{
        *code = 0;
        if (r->end - r->at < 4) return -1;
        for (int i = 0; i < 4; i++) {
                char c = *r->at++;
                unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                        : 16;
                if (digit == 16) return -1;
                *code = *code << 4 | digit;
        }
        return 0;
}

static void add_utf8(struct text *t, unsigned c)
{
        if (c < 0x80) {
                text_addc(t, (char)c);
                return;
        }
        if (c >= 0x10000) {
                text_addc(t, (char)(0xf0 | c >> 18));
                text_addc(t, (char)(0x80 | (c >> 12 & 0x3f)));
        } else if (c >= 0x800) {
                text_addc(t, (char)(0xe0 | c >> 12));
        }
        if (c >= 0x800) text_addc(t, (char)(0x80 | (c >> 6 & 0x3f)));
        if (c < 0x800) text_addc(t, (char)(0xc0 | c >> 6));
        text_addc(t, (char)(0x80 | (c & 0x3f)));
}

/* Behind `\u`. A surrogate without its other half becomes U+FFFD, as most readers have it. */
static int read_unicode(struct reader *r, struct text *out)
{
        unsigned code, low;
        if (hex4(r, &code) < 0) return -1;
        if (code >= 0xd800 && code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
                const char *back = r->at;
                r->at += 2;
                if (hex4(r, &low) < 0) return -1;
                if (low >= 0xdc00 && low < 0xe000)
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                else
                        r->at = back;
        }
        add_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
        return 0;
}

static int read_escape(struct reader *r, struct text *out)
{
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        char c = r->at < r->end ? *r->at++ : '\0';
        if (c == 'u') return read_unicode(r, out);
        const char *found = c ? strchr(from, c) : NULL;
        if (found == NULL) return -1;
        text_addc(out, to[found - from]);
        return 0;
}

/* The string behind an opening quote, into `out`. */
static int read_string(struct reader *r, struct text *out)
{
        text_addn(out, "", 0);
        for (;;) {
                const char *run = r->at;
                while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20)
                        r->at++;
                text_addn(out, run, (size_t)(r->at - run));
                if (r->at >= r->end) return fail(r, "this string has no end"), -1;
                char c = *r->at++;
                if (c == '"') break;
                if (c != '\\') return fail(r, "a control character must be escaped in a string"), -1;
                if (read_escape(r, out) < 0) return fail(r, "this escape sequence is not valid"), -1;
        }
        if (!text_is_utf8(out->data, out->len)) return fail(r, "this string is not UTF-8"), -1;
        return 0;
}

static struct value *read_number(struct reader *r)
{
        const char *from = r->at, *digits = *from == '-' ? from + 1 : from;
        while (r->at < r->end && strchr("0123456789+-.eE", *r->at) != NULL && *r->at != '\0') r->at++;
        size_t len = (size_t)(r->at - from);
        bool strict = digits < r->at && *digits >= '0' && *digits <= '9' && r->at[-1] != '.' &&
                      (digits[0] != '0' || digits + 1 == r->at || digits[1] < '0' || digits[1] > '9');
        for (const char *p = digits; p + 1 < r->at; p++)
                if (*p == '.' && (p[1] < '0' || p[1] > '9')) strict = false;
        struct value *v = !strict ? NULL : r->special ? number_exact(from, len) : value_number(from, len);
        return v ? v : fail(r, "this is not a number, or one too large");
}

static struct value *read_word(struct reader *r)
{
        static const char *const words[] = {"null", "true", "false"};
        for (size_t i = 0; i < 3; i++) {
                size_t len = strlen(words[i]);
                if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[i], len) != 0) continue;
                r->at += len;
                return i == 0 ? value_null(type_dynamic) : value_bool(i == 1);
        }
        return fail(r, r->at < r->end ? "expected a value" : "the text ends where a value is expected");
}

struct parts {
        struct value **values;
        char **keys;
        size_t count, capacity, key_capacity;
};

static void parts_release(struct parts *p)
{
        for (size_t i = 0; i < p->count; i++) {
                value_free(p->values[i]);
                if (p->keys) free(p->keys[i]);
        }
        free(p->values);
        free(p->keys);
}
static void parts_release_cleanup(struct parts *p)
{
        parts_release(p);
}

static struct value *read_array(struct reader *r)
{
        cleanup(parts_release) struct parts parts = {0};
        if (accept(r, ']')) return value_tuple(NULL, 0);
        do {
                struct value *v = read_value(r);
                if (v == NULL) return NULL;
                vec_push(parts.values, parts.count, parts.capacity, v);
        } while (accept(r, ','));
        if (!accept(r, ']')) return fail(r, "expected , or ] after this element");
        return value_tuple(parts.values, parts.count);
}

static int read_member(struct reader *r, struct parts *parts)
{
        struct text key = {0};
        if (!accept(r, '"')) return fail(r, "expected the name of a member in double quotes"), -1;
        if (read_string(r, &key) < 0) return text_release(&key), -1;
        struct value *v = NULL;
        if (memchr(key.data, '\0', key.len) != NULL)
                fail(r, "the name of a member must not hold a NUL character");
        else if (!accept(r, ':'))
                fail(r, "expected : after the name of a member");
        else
                v = read_value(r);
        if (v == NULL) return text_release(&key), -1;
        cleanup(value_free) struct value *normal = value_string_n(key.data, key.len);
        text_release(&key);
        vec_grow(parts->values, parts->count, parts->capacity);
        parts->values[parts->count] = v;
        vec_push(parts->keys, parts->count, parts->key_capacity, mem_strdup(value_as_string(normal)));
        return 0;
}

static struct value *open_sealed(struct reader *r, const struct value *v)
{
        struct text plain = {0};
        if (value_kind(v) != TYPE_STRING || value_is_null(v)) return fail(r, "$sealed must be a string");
        if (r->sealer == NULL)
                return fail(r, "a sealed value cannot be read: there is no key to open it with");
        cleanup(value_free) struct value *inner = NULL;
        if (r->sealer->open(r->sealer->context, value_as_string(v), value_string_len(v), &plain, r->err) == 0)
                inner = value_decode(plain.data ? plain.data : "", plain.len, r->sealer, r->err);
        mem_wipe(plain.data, plain.len);
        text_release(&plain);
        return inner ? value_sensitive(inner, true) : NULL;
}

/* An object of one attribute may be one of the special forms. */
static struct value *finish_object(struct reader *r, struct parts *parts)
{
        const char *key = parts->count == 1 && r->special ? parts->keys[0] : "";
        if (text_equal(key, "$sealed")) return open_sealed(r, parts->values[0]);
        if (text_equal(key, "$unknown")) {
                cleanup(type_free) const struct type *type = type_from_json(parts->values[0]);
                return type ? value_unknown(type) : fail(r, "$unknown must hold a type");
        }
        if (text_starts(key, "$$")) memmove(parts->keys[0], key + 1, strlen(key));
        return value_object((const char *const *)parts->keys, parts->values, parts->count);
}

static struct value *read_object(struct reader *r)
{
        cleanup(parts_release) struct parts parts = {0};
        if (accept(r, '}')) return value_object(NULL, NULL, 0);
        do {
                if (read_member(r, &parts) < 0) return NULL;
        } while (accept(r, ','));
        if (!accept(r, '}')) return fail(r, "expected , or } after this member");
        return finish_object(r, &parts);
}

static struct value *read_value(struct reader *r)
{
        char c = peek(r);
        if (c == '"') {
                struct text text = {0};
                r->at++;
                struct value *v = read_string(r, &text) < 0 ? NULL : value_string_n(text.data, text.len);
                text_release(&text);
                return v;
        }
        if (c == '-' || (c >= '0' && c <= '9')) return read_number(r);
        if (c != '[' && c != '{') return read_word(r);
        if (r->depth >= JSON_DEPTH_MAX) return fail(r, "this is nested too deeply");
        r->at++;
        r->depth++;
        struct value *v = c == '[' ? read_array(r) : read_object(r);
        r->depth--;
        return v;
}

static struct value *read_all(
    const char *json, size_t len, const struct sealer *sealer, bool special, struct error **err)
{
        struct reader r = {
            .start = json, .at = json, .end = json + len, .sealer = sealer, .special = special, .err = err};
        cleanup(value_free) struct value *v = read_value(&r);
        if (v == NULL) return NULL;
        skip_space(&r);
        return r.at < r.end ? fail(&r, "expected the end behind the value") : steal(v);
}

struct value *value_from_json(
    const char *json, size_t len, const struct type *type, const struct sealer *sealer, struct error **err)
{
        cleanup(value_free) struct value *v = read_all(json, len, sealer, sealer != NULL, err);
        if (v == NULL || type == NULL || kind_of(type) == TYPE_DYNAMIC) return steal(v);
        return value_convert(v, type, err);
}

struct value *value_decode(const char *text, size_t len, const struct sealer *sealer, struct error **err)
{
        cleanup(value_free) struct value *pair = read_all(text, len, sealer, true, err);
        if (pair == NULL) return NULL;
        const struct value *t = value_get(pair, "t"), *v = value_get(pair, "v");
        cleanup(type_free) const struct type *type = t && v ? type_from_json(t) : NULL;
        if (type == NULL) {
                error_set(err, ERROR_INPUT, NULL, "cannot read an encoded value: it has no valid type");
                return NULL;
        }
        return value_convert(v, type, err);
}

static const struct type *structure_from_json(const struct value *parts, bool tuple)
{
        size_t count = value_count(parts), made = 0;
        if (value_kind(parts) != (tuple ? TYPE_TUPLE : TYPE_OBJECT)) return NULL;
        cleanup_free const struct type **types = mem_alloc(count * sizeof *types);
        cleanup_free struct type_attribute *attributes = mem_alloc(count * sizeof *attributes);
        for (; made < count; made++) {
                types[made] = type_from_json(value_at(parts, made));
                if (types[made] == NULL) break;
                if (!tuple)
                        attributes[made] = (struct type_attribute){
                            value_key_at(parts, made), types[made], false, NULL};
        }
        const struct type *type = NULL;
        if (made == count) type = tuple ? type_tuple(types, count) : type_object(attributes, count);
        for (size_t i = 0; i < made; i++) type_free(types[i]);
        return type;
}

static const char *word(const struct value *v)
{
        return value_kind(v) == TYPE_STRING && !value_is_null(v) && value_is_known(v) ? value_as_string(v)
                                                                                      : "";
}

const struct type *type_from_json(const struct value *json)
{
        const char *name = word(json);
        if (text_equal(name, "dynamic")) return type_dynamic;
        if (text_equal(name, "string")) return type_string;
        if (text_equal(name, "number")) return type_number;
        if (text_equal(name, "bool")) return type_bool;
        if (value_kind(json) != TYPE_TUPLE || value_count(json) != 2) return NULL;
        name = word(value_at(json, 0));
        const struct value *inner = value_at(json, 1);
        if (text_equal(name, "tuple") || text_equal(name, "object"))
                return structure_from_json(inner, text_equal(name, "tuple"));
        cleanup(type_free) const struct type *element = type_from_json(inner);
        if (element == NULL) return NULL;
        if (text_equal(name, "list")) return type_list(element);
        if (text_equal(name, "set")) return type_set(element);
        return text_equal(name, "map") ? type_map(element) : NULL;
}
