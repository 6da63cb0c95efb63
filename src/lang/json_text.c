/*
 * JSON as Terraform's jsonencode writes it: that of value_json, with the characters escaped that HTML and
 * JavaScript give a meaning to. Outside of strings JSON has none of them.
 */
#include "lang/json_text.h"

#include <string.h>

int json_encode(const struct value *v, struct text *out, struct error **err)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text json = {0};
        if (value_json(v, SECRETS_REVEAL, NULL, &json, err) < 0) return -1;
        for (const char *s = json.data, *end = s + json.len; s < end;) {
                size_t plain = 0;
                while (s + plain < end && !strchr("<>&\xe2", s[plain])) plain++;
                text_addn(out, s, plain);
                s += plain;
                if (s >= end) break;
                bool separator = end - s >= 3 && memcmp(s, "\xe2\x80", 2) == 0 &&
                                 ((unsigned char)s[2] & 0xfe) == 0xa8;
                if (separator)
                        text_addf(out, "\\u20%02x", 0x28 + (s[2] & 1));
                else if (*s == '\xe2')
                        text_addc(out, *s);
                else
                        text_addf(out, "\\u00%02x", *s);
                s += separator ? 3 : 1;
        }
        return 0;
}
