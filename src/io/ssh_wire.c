/* The wire form of SSH. */
#include "io/ssh_wire.h"

#include <string.h>

enum { NUMBER_MAX_BYTES = 2048 };

uint32_t ssh_wire_u32(struct ssh_wire *w)
{
        if (w->bad || w->end - w->at < 4) {
                w->bad = true;
                return 0;
        }
        uint32_t value = (uint32_t)w->at[0] << 24 | (uint32_t)w->at[1] << 16 | (uint32_t)w->at[2] << 8 |
                         w->at[3];
        w->at += 4;
        return value;
}

const unsigned char *ssh_wire_string(struct ssh_wire *w, size_t *len)
{
        uint32_t n = ssh_wire_u32(w);
        if (w->bad || (size_t)(w->end - w->at) < n) {
                w->bad = true;
                *len = 0;
                return (const unsigned char *)"";
        }
        const unsigned char *s = w->at;
        w->at += n;
        *len = n;
        return s;
}

bool ssh_wire_is(const unsigned char *s, size_t len, const char *text)
{
        return len == strlen(text) && memcmp(s, text, len) == 0;
}

void ssh_wire_put_u32(struct text *out, uint32_t v)
{
        unsigned char bytes[4] = {
            (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        text_addn(out, bytes, 4);
}

void ssh_wire_put(struct text *out, const void *data, size_t len)
{
        ssh_wire_put_u32(out, (uint32_t)len);
        text_addn(out, data, len);
}

void ssh_wire_put_number(struct text *out, const BIGNUM *n)
{
        unsigned char bytes[NUMBER_MAX_BYTES + 1] = {0}; /* one zero in front: the sign bit must be clear */
        int len = BN_num_bytes(n);
        if (len > NUMBER_MAX_BYTES) return;
        BN_bn2bin(n, bytes + 1);
        bool pad = (bytes[1] & 0x80) != 0;
        ssh_wire_put(out, pad ? bytes : bytes + 1, (size_t)len + pad);
}
