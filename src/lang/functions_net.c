/*
 * Functions on IP networks in CIDR notation. An address is 128 bits, most significant byte first; an IPv4
 * address occupies the last 32 of them and shares all the arithmetic.
 */
#include "lang/call.h"

#include <arpa/inet.h>
#include <gmp.h>
#include <string.h>

#include "lang/number.h"

struct network {
        unsigned char bytes[16]; /* the first width / 8 count */
        int width;               /* 32 or 128 */
        int prefix;
};

/* Dotted decimal, with leading zeros allowed and read as decimal. */
static bool ipv4_parse(const char *s, unsigned char out[4])
{
        for (int i = 0; i < 4; i++) {
                unsigned n = 0;
                const char *start = s;
                while (*s >= '0' && *s <= '9' && s - start < 8) n = n * 10 + (unsigned)(*s++ - '0');
                if (s == start || n > 255) return false;
                out[i] = (unsigned char)n;
                if (*s != (i < 3 ? '.' : '\0')) return false;
                s++;
        }
        return true;
}

static bool prefix_parse(const char *s, int width, int *prefix)
{
        int n = 0;
        if (!*s || strlen(s) > 3) return false;
        for (; *s; s++) {
                if (*s < '0' || *s > '9') return false;
                n = n * 10 + (*s - '0');
        }
        *prefix = n;
        return n <= width;
}

static void network_mask(struct network *net)
{
        for (int bit = net->prefix; bit < net->width; bit++)
                net->bytes[bit / 8] &= (unsigned char)~(0x80u >> (bit % 8));
}

/* The network that the argument "prefix" writes; host bits are cleared. */
static bool network_parse(const struct call *call, size_t index, struct network *net, struct error **err)
{
        const char *s = call_string(call, index), *slash = strchr(s, '/');
        *net = (struct network){0};
        char address[64];
        if (!slash || (size_t)(slash - s) >= sizeof address || strlen(s) != call_string_len(call, index))
                return call_refuse(
                    err, "invalid CIDR expression: \"%s\" is not of the form address/prefix-length", s);
        memcpy(address, s, (size_t)(slash - s));
        address[slash - s] = '\0';
        if (ipv4_parse(address, net->bytes))
                net->width = 32;
        else if (inet_pton(AF_INET6, address, net->bytes) == 1)
                net->width = 128;
        else
                return call_refuse(err, "invalid CIDR address: %s", s);
        if (!prefix_parse(slash + 1, net->width, &net->prefix))
                return call_refuse(err, "invalid CIDR address: %s", s);
        network_mask(net);
        return true;
}

/* Whether an IPv6 address maps an IPv4 one. Terraform's library takes these for both kinds now and then. */
static bool is_mapped(const unsigned char *bytes, int width)
{
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
        return width == 128 && memcmp(bytes, mapped, sizeof mapped) == 0;
}

/* An IPv6 address that maps an IPv4 one is written as that. */
static void address_text(const unsigned char *bytes, int width, struct text *out)
{
        char buffer[INET6_ADDRSTRLEN];
        if (is_mapped(bytes, width)) bytes += 12, width = 32;
        if (width == 32) {
                text_addf(out, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
                return;
        }
        /* The C library writes ::a.b.c.d for the deprecated compatible addresses; here they are hexadecimal. */
        static const unsigned char zero[12];
        if (memcmp(bytes, zero, sizeof zero) == 0 && (bytes[12] || bytes[13])) {
                text_addf(out, "::%x:%x", bytes[12] << 8 | bytes[13], bytes[14] << 8 | bytes[15]);
                return;
        }
        inet_ntop(AF_INET6, bytes, buffer, sizeof buffer);
        text_add(out, buffer);
}

static struct value *network_value(const struct network *net)
{
        struct text t = {0};
        address_text(net->bytes, net->width, &t);
        text_addf(&t, "/%d",
            is_mapped(net->bytes, net->width) && net->prefix >= 96 ? net->prefix - 96 : net->prefix);
        return call_text(&t);
}

/* A whole number argument of any size. */
static bool big_argument(
    const struct call *call, size_t index, const char *name, mpz_ptr n, struct error **err)
{
        if (!number_is_integer(call->args[index]))
                return call_refuse(err, "invalid value for \"%s\": a whole number is required", name);
        if (!number_whole(call->args[index], n))
                return call_refuse(err, "invalid value for \"%s\": the number is too large", name);
        return true;
}

/* Adds n << shift to the address; n is not negative and fits. */
static void network_add(struct network *net, mpz_srcptr n, int shift)
{
        size_t count = (size_t)net->width / 8;
        mpz_t sum, part;
        mpz_inits(sum, part, NULL);
        mpz_import(sum, count, 1, 1, 1, 0, net->bytes);
        mpz_mul_2exp(part, n, (mp_bitcnt_t)shift);
        mpz_add(sum, sum, part);
        unsigned char bytes[32] = {0};
        size_t written = 0;
        mpz_fdiv_r_2exp(sum, sum, (mp_bitcnt_t)net->width);
        mpz_export(bytes, &written, 1, 1, 1, 0, sum);
        memset(net->bytes, 0, sizeof net->bytes);
        memcpy(net->bytes + count - written, bytes, written);
        mpz_clears(sum, part, NULL);
}

static struct value *host_in(struct network *net, mpz_ptr number, struct error **err)
{
        int bits = net->width - net->prefix;
        mpz_t count;
        mpz_init(count);
        mpz_setbit(count, (mp_bitcnt_t)bits);
        if (mpz_sgn(number) < 0) mpz_add(number, number, count);
        bool fits = mpz_sgn(number) >= 0 && mpz_cmp(number, count) < 0;
        mpz_clear(count);
        if (!fits) return call_refuse(err, "prefix of %d does not accommodate that host number", net->prefix);
        network_add(net, number, is_mapped(net->bytes, net->width) ? 96 : 0);
        struct text t = {0};
        address_text(net->bytes, net->width, &t);
        return call_text(&t);
}

static struct value *net_cidrhost(const struct call *call, struct error **err)
{
        struct network net;
        if (!network_parse(call, 0, &net, err)) return NULL;
        mpz_t number;
        mpz_init(number);
        struct value *v = NULL;
        if (big_argument(call, 1, "hostnum", number, err)) v = host_in(&net, number, err);
        mpz_clear(number);
        return v;
}

static struct value *net_cidrnetmask(const struct call *call, struct error **err)
{
        struct network net;
        if (!network_parse(call, 0, &net, err)) return NULL;
        if (net.width != 32 && !is_mapped(net.bytes, net.width))
                return call_refuse(err, "IPv6 addresses cannot have a netmask: %s", call_string(call, 0));
        memset(net.bytes, 0xff, sizeof net.bytes);
        network_mask(&net);
        struct text t = {0};
        address_text(net.bytes, net.width, &t);
        return call_text(&t);
}

/* Lays the bits of number << shift over the address. A negative number is laid over as its two's complement, and
 * the magnitude of what comes out is taken: that makes no sense as a network, but it is what Terraform gives. */
static void network_insert(struct network *net, mpz_srcptr number, int shift)
{
        size_t count = (size_t)net->width / 8;
        mpz_t address, part;
        mpz_inits(address, part, NULL);
        mpz_import(address, count, 1, 1, 1, 0, net->bytes);
        mpz_mul_2exp(part, number, (mp_bitcnt_t)shift);
        mpz_ior(address, address, part);
        mpz_abs(address, address);
        memset(net->bytes, 0, sizeof net->bytes);
        network_add(net, address, 0);
        mpz_clears(address, part, NULL);
}

static struct value *subnet_in(struct network *net, int64_t bits, mpz_srcptr number, struct error **err)
{
        if (bits < -net->prefix || bits > net->width - net->prefix)
                return call_refuse(err,
                    "invalid value for \"newbits\": not enough remaining address space for a subnet with a "
                    "prefix of "
                    "%d + %lld bits",
                    net->prefix, (long long)bits);
        bool fits = bits < 0 || mpz_sgn(number) == 0 || mpz_sizeinbase(number, 2) <= (size_t)bits;
        if (!fits)
                return call_refuse(err,
                    "invalid value for \"netnum\": a prefix extension of %lld bits does not accommodate that "
                    "subnet "
                    "number",
                    (long long)bits);
        net->prefix += (int)bits;
        network_insert(net, number, net->width - net->prefix);
        return network_value(net);
}

static struct value *net_cidrsubnet(const struct call *call, struct error **err)
{
        struct network net;
        int64_t bits;
        if (!network_parse(call, 0, &net, err) || !call_int(call, 1, "newbits", &bits, err)) return NULL;
        mpz_t number;
        mpz_init(number);
        struct value *v = NULL;
        if (big_argument(call, 2, "netnum", number, err)) v = subnet_in(&net, bits, number, err);
        mpz_clear(number);
        return v;
}

/* `next` is the first address that is not taken yet, `end` the first behind the base network. */
static struct value *subnet_after(
    struct network net, int64_t bits, mpz_ptr next, mpz_srcptr end, struct error **err)
{
        int prefix = net.prefix + (int)bits;
        mp_bitcnt_t host_bits = (mp_bitcnt_t)(net.width - prefix);
        mpz_t size;
        mpz_init(size);
        mpz_cdiv_q_2exp(next, next, host_bits); /* to the next boundary of that size */
        mpz_mul_2exp(next, next, host_bits);
        mpz_setbit(size, host_bits);
        struct value *v = NULL;
        memset(net.bytes, 0, sizeof net.bytes);
        network_add(&net, next, 0);
        mpz_add(next, next, size);
        if (mpz_cmp(next, end) > 0)
                call_refuse(
                    err, "not enough remaining address space for a subnet with a prefix of %d bits", prefix);
        else
                net.prefix = prefix, v = network_value(&net);
        mpz_clear(size);
        return v;
}

static struct value *net_cidrsubnets(const struct call *call, struct error **err)
{
        struct network net;
        static const unsigned char zero[16];
        if (!network_parse(call, 0, &net, err)) return NULL;
        if (call->arg_count > 1 &&
            (is_mapped(net.bytes, net.width) || memcmp(net.bytes, zero, (size_t)net.width / 8) == 0))
                return call_refuse(err,
                    "not enough address space in front of %s, which the numbering of subnets "
                    "begins with; use cidrsubnet",
                    call_string(call, 0));
        cleanup(value_vec_release) struct value_vec subnets = {0};
        mpz_t next, end, size;
        mpz_inits(next, end, size, NULL);
        mpz_import(next, (size_t)net.width / 8, 1, 1, 1, 0, net.bytes);
        mpz_setbit(size, (mp_bitcnt_t)(net.width - net.prefix));
        mpz_add(end, next, size);
        bool good = true;
        for (size_t i = 1; good && i < call->arg_count; i++) {
                int64_t bits = 0;
                good = call_int(call, i, "newbits", &bits, err);
                if (good && bits < 1)
                        good = call_refuse(
                            err, "invalid value for \"newbits\": must extend prefix by at least one bit");
                if (good && bits > 32)
                        good = call_refuse(
                            err, "invalid value for \"newbits\": may not extend prefix by more than 32 bits");
                if (good && bits > net.width - net.prefix)
                        good = call_refuse(err,
                            "invalid value for \"newbits\": would extend prefix to %lld bits, which is too "
                            "long",
                            (long long)bits + net.prefix);
                struct value *subnet = good ? subnet_after(net, bits, next, end, err) : NULL;
                if (subnet)
                        value_vec_push(&subnets, subnet);
                else
                        good = false;
        }
        mpz_clears(next, end, size, NULL);
        return good ? value_vec_list(&subnets, type_string) : NULL;
}

const struct function functions_net[] = {
    {.info = {"cidrhost", "cidrhost(prefix, hostnum)",
         "The address of a host in a network; a negative number counts from the end.",
         "cidrhost(\"10.12.112.0/20\", 16) => \"10.12.112.16\""},
        .parameters = {{"prefix", "string", 0}, {"hostnum", "number", 0}},
        .result = "string",
        .body = net_cidrhost},
    {.info = {"cidrnetmask", "cidrnetmask(prefix)", "The netmask of an IPv4 network, in dotted decimal.",
         "cidrnetmask(\"172.16.0.0/12\") => \"255.240.0.0\""},
        .parameters = {{"prefix", "string", 0}},
        .result = "string",
        .body = net_cidrnetmask},
    {.info = {"cidrsubnet", "cidrsubnet(prefix, newbits, netnum)",
         "The subnet of a number, in a network divided by extending its prefix.",
         "cidrsubnet(\"10.1.2.0/24\", 4, 15) => \"10.1.2.240/28\""},
        .parameters = {{"prefix", "string", 0}, {"newbits", "number", 0}, {"netnum", "number", 0}},
        .result = "string",
        .body = net_cidrsubnet},
    {.info = {"cidrsubnets", "cidrsubnets(prefix, newbits...)",
         "Consecutive subnets of a network, each with its own extension of the prefix.",
         "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8) => tolist([\"10.1.0.0/20\", \"10.1.16.0/20\", "
         "\"10.1.32.0/24\"])"},
        .parameters = {{"prefix", "string", 0}},
        .rest = {"newbits", "number", 0},
        .result = "list(string)",
        .body = net_cidrsubnets},
    {.info = {0}},
};
