/*
 * The digest of a type's description: of its node, with patterns and defaults laid under it, but for its documentation. A resume point is a
 * number of a request and what was saved until then, so it means something only under the description that it was recorded with.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "manifest.h"

static void definition_number(struct buf *out, size_t n)
{
        unsigned char bytes[8];
        for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(n >> (8 * i));
        buf_bytes(out, bytes, sizeof bytes);
}

static void definition_text(struct buf *out, const char *text, size_t len)
{
        definition_number(out, len);
        if (len) buf_bytes(out, text, len);
}

/* Nodes are at most YAML_DEPTH_MAX deep, and patterns a few more. */
static void definition_node(struct buf *out, const struct node *n)
{
        if (!n) return;
        buf_char(out, (char)('0' + n->kind));
        if (n->kind == NODE_SCALAR) {
                definition_text(out, n->text, n->len);
                return;
        }
        definition_number(out, n->count);
        for (size_t i = 0; i < n->count; i++) {
                const struct node *key = n->keys ? n->keys[i] : NULL;
                if (key && strcmp(key->text, "doc") == 0) continue;
                if (key) definition_text(out, key->text, key->len);
                definition_node(out, n->items[i]);
        }
}

const char *manifest_definition(struct pool *pool, const struct node *type)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        AUTO_BUF bytes = {0};
        definition_node(&bytes, type);
        if (!EVP_Digest(bytes.data ? bytes.data : "", bytes.len, digest, &len, EVP_sha256(), NULL)) abort();
        char hex[33];
        for (unsigned i = 0; i < 16; i++) {
                hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
                hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
        }
        return pool_text(pool, hex, 32);
}
