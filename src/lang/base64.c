/*
 * Base64 in the standard alphabet with padding.
 */
#include "lang/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t len, struct text *out)
{
        const unsigned char *b = data;
        for (size_t i = 0; i < len; i += 3) {
                unsigned group = (unsigned)b[i] << 16;
                if (i + 1 < len) group |= (unsigned)b[i + 1] << 8;
                if (i + 2 < len) group |= b[i + 2];
                char four[] = {alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63],
                    alphabet[group & 63]};
                if (i + 1 >= len) four[2] = '=';
                if (i + 2 >= len) four[3] = '=';
                text_addn(out, four, sizeof four);
        }
}

bool base64_decode(const char *s, size_t len, struct text *out)
{
        unsigned group = 0;
        int letters = 0, padding = 0;
        for (size_t i = 0; i < len; i++) {
                if (s[i] == '\n' || s[i] == '\r') continue;
                const char *letter = s[i] ? strchr(alphabet, s[i]) : NULL;
                if (s[i] == '=' && letters >= 2 && letters + padding < 4)
                        padding++;
                else if (letter && !padding)
                        group = group << 6 | (unsigned)(letter - alphabet), letters++;
                else
                        return false;
                if (letters < 4 || padding) continue;
                char three[] = {(char)(group >> 16), (char)(group >> 8), (char)group};
                text_addn(out, three, sizeof three);
                group = 0, letters = 0;
        }
        if (letters == 0) return true;
        if (letters + padding != 4) return false;
        text_addc(out, (char)(letters == 2 ? group >> 4 : group >> 10));
        if (letters == 3) text_addc(out, (char)(group >> 2));
        return true;
}
