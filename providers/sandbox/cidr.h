/*
 * Arithmetic on IPv4 and IPv6 networks in CIDR notation (RFC 4632, RFC 4291).
 */
#ifndef TUTTI_SANDBOX_CIDR_H
#define TUTTI_SANDBOX_CIDR_H

#include <stdbool.h>
#include <stdint.h>

struct sandbox_cidr {
        unsigned char address[16]; /* in network order; an IPv4 address takes the first four */
        unsigned width;            /* bits of an address: 32 or 128 */
        unsigned prefix;           /* 0 to width */
};

/* Room for any address or network in text. */
enum { SANDBOX_CIDR_TEXT = 64 };

/* Parses "10.0.0.0/16". False when malformed. Bits behind the prefix are kept: see sandbox_cidr_is_network. */
bool sandbox_cidr_parse(const char *text, struct sandbox_cidr *cidr);
/* Parses one address without a prefix, as a network of that address alone. */
bool sandbox_cidr_parse_address(const char *text, struct sandbox_cidr *cidr);
/* True when no bit behind the prefix is set: "10.0.1.0/24", not "10.0.1.7/24". */
bool sandbox_cidr_is_network(const struct sandbox_cidr *cidr);
/* The network that the address is in; `out` has room for SANDBOX_CIDR_TEXT bytes. */
void sandbox_cidr_network_text(const struct sandbox_cidr *cidr, char *out);

bool sandbox_cidr_contains(const struct sandbox_cidr *outer, const struct sandbox_cidr *inner);
bool sandbox_cidr_overlaps(const struct sandbox_cidr *a, const struct sandbox_cidr *b);

/* How many addresses it has; at most 2^32, which stands for anything larger too. */
uint64_t sandbox_cidr_size(const struct sandbox_cidr *cidr);
/* The n-th address of a network, counting from 0; `out` has room for SANDBOX_CIDR_TEXT bytes. */
void sandbox_cidr_host(const struct sandbox_cidr *cidr, uint64_t n, char *out);

#endif
