/*
 * JSON as Terraform's jsonencode writes it: that of value_json, with the characters escaped that HTML and
 * JavaScript give a meaning to, and with short escapes where there are such. Outside of strings JSON has none
 * of these characters.
 */
#include "lang/json_text.h"

#include <string.h>

/* The escape at s, which is at a backslash: what stands for it here, and in *len how long it was. */
static const char *escape_for(const char *s, const char *end, size_t *len)
{
        static const struct {
                const char *code, *text;
        } others[] = {{"\\u0008", "\\b"}, {"\\u000c", "\\f"}, {"\\u007f", "\x7f"}};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                *len = strlen(others[i].code);
                if ((size_t)(end - s) >= *len && memcmp(s, others[i].code, *len) == 0) return others[i].text;
        }
        *len = 2;
        return NULL;
}

/* Rewrites what begins at s, which is one of the bytes that need it; the bytes taken. */
static size_t rewrite(const char *s, const char *end, struct text *out)
{
        size_t len = 1;
        if (*s == '\\') {
                const char *other = escape_for(s, end, &len);
                if (other)
                        text_add(out, other);
                else
                        text_addn(out, s, len);
        } else if (*s != '\xe2') {
                text_addf(out, "\\u00%02x", *s);
        } else if (end - s >= 3 && s[1] == '\x80' && ((unsigned char)s[2] & 0xfe) == 0xa8) {
                text_addf(out, "\\u20%02x", 0x28 + (s[2] & 1));
                len = 3;
        } else {
                text_addc(out, *s);
        }
        return len;
}

int json_encode(const struct value *v, struct text *out, struct error **err)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text json = {0};
        if (value_has_infinite(v)) return error_set(err, ERROR_INPUT, NULL, "JSON has no infinite numbers");
        if (value_json(v, SECRETS_REVEAL, NULL, &json, err) < 0) return -1;
        for (const char *s = json.data, *end = s + json.len; s < end;) {
                size_t plain = 0;
                while (s + plain < end && !strchr("<>&\\\xe2", s[plain])) plain++;
                text_addn(out, s, plain);
                s += plain;
                if (s < end) s += rewrite(s, end, out);
        }
        return 0;
}
