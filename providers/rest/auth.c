/*
 * The authentication schemes: see auth.h.
 */
#include "auth.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shape.h"

void headers_set(struct header_list *h, const char *name, const char *value)
{
        for (size_t i = 0; i < h->count; i++) {
                if (strcasecmp(h->items[i].name, name) != 0) continue;
                free(h->items[i].value);
                h->items[i].value = util_format("%s", value);
                return;
        }
        h->items = util_grow(h->items, h->count + 1, sizeof *h->items);
        h->items[h->count++] = (struct header_item){util_format("%s", name), util_format("%s", value)};
}

const char *headers_get(const struct header_list *h, const char *name)
{
        for (size_t i = 0; i < h->count; i++)
                if (strcasecmp(h->items[i].name, name) == 0) return h->items[i].value;
        return NULL;
}

void headers_release(struct header_list *h)
{
        for (size_t i = 0; i < h->count; i++) {
                free(h->items[i].name);
                explicit_bzero(h->items[i].value, strlen(h->items[i].value));
                free(h->items[i].value);
        }
        free(h->items);
        *h = (struct header_list){0};
}

void outgoing_release(struct outgoing *o)
{
        url_release(&o->url);
        headers_release(&o->headers);
        buf_release(&o->body);
}

const char *auth_text(
    const struct tutti_host *host, const struct value *auth, const char *key, bool optional, char **problem)
{
        const struct value *v = auth ? host->value_get(auth, key) : NULL;
        const char *text = kind_is(host, v, "string") ? host->value_as_string(v, NULL) : NULL;
        if (text && *text && !strpbrk(text, "\r\n")) return text;
        if (!optional || (text && *text)) *problem = util_format("no usable %s to authenticate with", key);
        return NULL;
}

static int auth_none(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem)
{
        (void)host, (void)auth, (void)now_ms, (void)o, (void)problem;
        return 0;
}

static int auth_bearer(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem)
{
        (void)now_ms;
        const char *token = auth_text(host, auth, "token", false, problem);
        if (!token) return -1;
        AUTO_BUF value = {0};
        buf_format(&value, "Bearer %s", token);
        headers_set(&o->headers, "Authorization", value.data);
        return 0;
}

static int auth_basic(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem)
{
        (void)now_ms;
        const char *user = auth_text(host, auth, "user", false, problem);
        const char *password = user ? auth_text(host, auth, "password", false, problem) : NULL;
        if (!password) return -1;
        AUTO_BUF plain = {0};
        AUTO_BUF value = {0};
        buf_format(&plain, "%s:%s", user, password);
        buf_text(&value, "Basic ");
        unsigned char *base64 = util_alloc(plain.len * 4 / 3 + 8);
        EVP_EncodeBlock(base64, (const unsigned char *)plain.data, (int)plain.len);
        buf_text(&value, (const char *)base64);
        explicit_bzero(base64, strlen((const char *)base64));
        free(base64);
        headers_set(&o->headers, "Authorization", value.data);
        return 0;
}

static int auth_header(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem)
{
        (void)now_ms;
        const char *name = auth_text(host, auth, "name", false, problem);
        const char *value = name ? auth_text(host, auth, "value", false, problem) : NULL;
        if (!value) return -1;
        headers_set(&o->headers, name, value);
        return 0;
}

static const char *const none_keys[] = {"scheme", NULL};
static const char *const bearer_keys[] = {"scheme", "token", NULL};
static const char *const basic_keys[] = {"scheme", "user", "password", NULL};
static const char *const header_keys[] = {"scheme", "name", "value", NULL};
static const char *const sigv4_keys[] = {
    "scheme", "access_key", "secret_key", "session_token", "region", "service", NULL};

static const struct auth_scheme auth_schemes[] = {
    {.name = "none", .keys = none_keys, .sign = auth_none},
    {.name = "bearer", .keys = bearer_keys, .sign = auth_bearer},
    {.name = "basic", .keys = basic_keys, .sign = auth_basic},
    {.name = "header", .keys = header_keys, .sign = auth_header},
    {.name = "aws-sigv4", .keys = sigv4_keys, .sign = auth_sigv4_sign},
};
const char *const auth_scheme_names[] = {"none", "bearer", "basic", "header", "aws-sigv4", NULL};

const struct auth_scheme *auth_scheme_named(const char *name)
{
        for (size_t i = 0; i < sizeof auth_schemes / sizeof *auth_schemes; i++)
                if (strcmp(auth_schemes[i].name, name) == 0) return &auth_schemes[i];
        return NULL;
}
