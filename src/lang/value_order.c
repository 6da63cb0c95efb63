/* Equality, a total order and a digest over values; marks do not count in any of them. */
#include "lang/value.h"

#include <openssl/evp.h>
#include <string.h>

#include "lang/value_internal.h"

static bool parts_equal(const struct value *a, const struct value *b)
{
        size_t count = value_count(a);
        if (count != value_count(b)) return false;
        for (size_t i = 0; i < count; i++) {
                if (is_fields(a) && strcmp(value_key_at(a, i), value_key_at(b, i)) != 0) return false;
                if (!value_equal(value_at(a, i), value_at(b, i))) return false;
        }
        return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
        if (a == b) return true;
        if (state_of(a) != state_of(b) || vkind_of(a) != vkind_of(b)) return false;
        if (!is_known(a)) return type_equal(value_type(a), value_type(b));
        switch (vkind_of(a)) {
        case TYPE_DYNAMIC: return true;
        case TYPE_BOOL: return value_as_bool(a) == value_as_bool(b);
        case TYPE_NUMBER: return number_equal(a, b);
        case TYPE_STRING:
                return value_string_len(a) == value_string_len(b) &&
                       memcmp(value_as_string(a), value_as_string(b), value_string_len(a)) == 0;
        case TYPE_TUPLE:
        case TYPE_OBJECT: return parts_equal(a, b);
        default: return type_equal(value_type(a), value_type(b)) && parts_equal(a, b);
        }
}

static int compare_sizes(size_t a, size_t b)
{
        return (a > b) - (a < b);
}

static int compare_strings(const struct value *a, const struct value *b)
{
        size_t na = value_string_len(a), nb = value_string_len(b);
        int order = memcmp(value_as_string(a), value_as_string(b), na < nb ? na : nb);
        return order ? order : compare_sizes(na, nb);
}

static int compare_parts(const struct value *a, const struct value *b)
{
        size_t na = value_count(a), nb = value_count(b), n = na < nb ? na : nb;
        for (size_t i = 0; i < n; i++) {
                int order = is_fields(a) ? strcmp(value_key_at(a, i), value_key_at(b, i)) : 0;
                if (order == 0) order = value_compare(value_at(a, i), value_at(b, i));
                if (order != 0) return order;
        }
        return compare_sizes(na, nb);
}

int value_compare(const struct value *a, const struct value *b)
{
        if (a == b) return 0;
        if (state_of(a) != state_of(b)) return (int)state_of(a) - (int)state_of(b); /* known, null, unknown */
        if (vkind_of(a) != vkind_of(b)) return (int)vkind_of(a) - (int)vkind_of(b);
        if (!is_known(a)) return 0;
        switch (vkind_of(a)) {
        case TYPE_DYNAMIC: return 0;
        case TYPE_BOOL: return (int)value_as_bool(a) - (int)value_as_bool(b);
        case TYPE_NUMBER: return number_equal(a, b) ? 0 : number_compare(a, b);
        case TYPE_STRING: return compare_strings(a, b);
        default: return compare_parts(a, b);
        }
}

static void digest_size(EVP_MD_CTX *context, size_t n)
{
        unsigned char bytes[8];
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)((uint64_t)n >> (8 * i));
        EVP_DigestUpdate(context, bytes, sizeof bytes);
}

static void digest_text(EVP_MD_CTX *context, const char *s, size_t len)
{
        digest_size(context, len);
        EVP_DigestUpdate(context, s, len);
}

/* State and kind, then the content with its length before it: no two values give the same bytes. */
static void digest_value(EVP_MD_CTX *context, const struct value *v)
{
        struct text text = {0};
        unsigned char tag[2] = {(unsigned char)state_of(v), (unsigned char)vkind_of(v)};
        EVP_DigestUpdate(context, tag, sizeof tag);
        if (!is_known(v) || kind_is_collection(vkind_of(v))) {
                type_text(value_type(v), &text);
                digest_text(context, text.data, text.len);
                text_release(&text);
                if (!is_known(v)) return;
        }
        switch (vkind_of(v)) {
        case TYPE_BOOL: digest_size(context, value_as_bool(v)); return;
        case TYPE_STRING: digest_text(context, value_as_string(v), value_string_len(v)); return;
        case TYPE_NUMBER:
                number_text(v, &text);
                digest_text(context, text.data, text.len);
                text_release(&text);
                return;
        default: break;
        }
        digest_size(context, value_count(v));
        for (size_t i = 0; i < value_count(v); i++) {
                if (is_fields(v)) digest_text(context, value_key_at(v, i), strlen(value_key_at(v, i)));
                digest_value(context, value_at(v, i));
        }
}

void value_digest(const struct value *v, unsigned char digest[32])
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_DigestInit_ex(context, EVP_sha256(), NULL);
        digest_value(context, v);
        EVP_DigestFinal_ex(context, digest, NULL);
        EVP_MD_CTX_free(context);
}
