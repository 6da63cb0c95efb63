/* Networks as bit strings: one loop serves both families; see cidr.h. */
#include "providers/sandbox/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_address(const char *text, struct sandbox_cidr *cidr)
{
        *cidr = (struct sandbox_cidr){0};
        if (inet_pton(AF_INET, text, cidr->address) == 1)
                cidr->width = 32;
        else if (inet_pton(AF_INET6, text, cidr->address) == 1)
                cidr->width = 128;
        cidr->prefix = cidr->width;
        return cidr->width != 0;
}

bool sandbox_cidr_parse_address(const char *text, struct sandbox_cidr *cidr)
{
        return parse_address(text, cidr);
}

bool sandbox_cidr_parse(const char *text, struct sandbox_cidr *cidr)
{
        char address[INET6_ADDRSTRLEN];
        const char *slash = strchr(text, '/');
        if (slash == NULL || (size_t)(slash - text) >= sizeof address) return false;
        memcpy(address, text, (size_t)(slash - text));
        address[slash - text] = '\0';
        if (!parse_address(address, cidr)) return false;

        size_t digits = strspn(slash + 1, "0123456789");
        if (digits == 0 || digits > 3 || slash[1 + digits] != '\0') return false;
        if (digits > 1 && slash[1] == '0') return false;
        cidr->prefix = (unsigned)strtoul(slash + 1, NULL, 10);
        return cidr->prefix <= cidr->width;
}

/* The address with every bit from `prefix` on cleared. */
static void mask_bits(const unsigned char *address, unsigned prefix, unsigned char *out)
{
        for (unsigned i = 0; i < 16; i++) {
                unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
                unsigned char mask = kept >= 8 ? 0xFF : (unsigned char)(0xFF00u >> kept);
                out[i] = address[i] & mask;
        }
}

bool sandbox_cidr_is_network(const struct sandbox_cidr *cidr)
{
        unsigned char masked[16];
        mask_bits(cidr->address, cidr->prefix, masked);
        return memcmp(masked, cidr->address, sizeof masked) == 0;
}

static void address_text(const unsigned char *address, unsigned width, char *out)
{
        inet_ntop(width == 32 ? AF_INET : AF_INET6, address, out, SANDBOX_CIDR_TEXT);
}

void sandbox_cidr_network_text(const struct sandbox_cidr *cidr, char *out)
{
        unsigned char masked[16];
        mask_bits(cidr->address, cidr->prefix, masked);
        address_text(masked, cidr->width, out);
        size_t len = strlen(out);
        snprintf(out + len, SANDBOX_CIDR_TEXT - len, "/%u", cidr->prefix);
}

static bool share_prefix(const struct sandbox_cidr *a, const struct sandbox_cidr *b, unsigned prefix)
{
        unsigned char left[16], right[16];
        mask_bits(a->address, prefix, left);
        mask_bits(b->address, prefix, right);
        return a->width == b->width && memcmp(left, right, sizeof left) == 0;
}

bool sandbox_cidr_contains(const struct sandbox_cidr *outer, const struct sandbox_cidr *inner)
{
        return outer->prefix <= inner->prefix && share_prefix(outer, inner, outer->prefix);
}

bool sandbox_cidr_overlaps(const struct sandbox_cidr *a, const struct sandbox_cidr *b)
{
        return share_prefix(a, b, a->prefix < b->prefix ? a->prefix : b->prefix);
}

uint64_t sandbox_cidr_size(const struct sandbox_cidr *cidr)
{
        unsigned host_bits = cidr->width - cidr->prefix;
        return (uint64_t)1 << (host_bits < 32 ? host_bits : 32);
}

void sandbox_cidr_host(const struct sandbox_cidr *cidr, uint64_t n, char *out)
{
        unsigned char address[16];
        mask_bits(cidr->address, cidr->prefix, address);
        for (unsigned i = cidr->width / 8; i-- > 0 && n > 0;) {
                n += address[i];
                address[i] = (unsigned char)(n & 0xFF);
                n >>= 8;
        }
        address_text(address, cidr->width, out);
}
