/*
 * The digest of a type's description: of its node, with patterns and defaults laid under it, but for its documentation. A resume point is a
 * number of a request and what was saved until then, so it means something only under the description that it was recorded with.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "manifest.h"

static void definition_number(EVP_MD_CTX *md, size_t n)
{
        unsigned char bytes[8];
        for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(n >> (8 * i));
        if (!EVP_DigestUpdate(md, bytes, sizeof bytes)) abort();
}

static void definition_text(EVP_MD_CTX *md, const char *text, size_t len)
{
        definition_number(md, len);
        if (!EVP_DigestUpdate(md, text ? text : "", len)) abort();
}

/* Nodes are at most YAML_DEPTH_MAX deep, and patterns a few more. */
static void definition_node(EVP_MD_CTX *md, const struct node *n)
{
        if (!n) return;
        definition_number(md, (size_t)n->kind);
        if (n->kind == NODE_SCALAR) definition_text(md, n->text, n->len);
        definition_number(md, n->count);
        for (size_t i = 0; i < n->count; i++) {
                const struct node *key = n->keys ? n->keys[i] : NULL;
                if (key && strcmp(key->text, "doc") == 0) continue;
                if (key) definition_text(md, key->text, key->len);
                definition_node(md, n->items[i]);
        }
}

const char *manifest_definition(struct pool *pool, const struct node *type)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL)) abort();
        definition_node(md, type);
        if (!EVP_DigestFinal_ex(md, digest, &len)) abort();
        EVP_MD_CTX_free(md);
        char hex[33];
        for (unsigned i = 0; i < 16; i++) {
                hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
                hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
        }
        return pool_text(pool, hex, 32);
}
