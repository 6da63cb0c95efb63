/*
 * The wire form of SSH (RFC 4251, section 5): numbers, and strings behind their length. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_WIRE_H
#define TUTTI_IO_SSH_WIRE_H

#include <openssl/bn.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

/* Bytes that are being read. `struct ssh_wire w = {.at = data, .end = data + len};` */
struct ssh_wire {
        const unsigned char *at, *end;
        bool bad; /* something was read beyond the end; all reads since gave nothing */
};

uint32_t ssh_wire_u32(struct ssh_wire *wire);
const unsigned char *ssh_wire_string(struct ssh_wire *wire, size_t *len); /* borrowed; never NULL */
bool ssh_wire_is(const unsigned char *s, size_t len, const char *text);

void ssh_wire_put(struct text *out, const void *data, size_t len);
void ssh_wire_put_u32(struct text *out, uint32_t value);
void ssh_wire_put_number(struct text *out, const BIGNUM *number); /* of at most 2048 bytes, not negative */

#endif
