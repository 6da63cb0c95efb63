/* Copies of what a user said about an SSH host. */
#include "io/ssh_host.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

enum { SSH_PORT = 22, NAME_MAX_BYTES = 255 };

static void free_secret(const char *secret)
{
        if (secret != NULL) mem_wipe((char *)secret, strlen(secret));
        free((char *)secret);
}

struct ssh_host *ssh_host_copy(const struct ssh_host *host)
{
        if (host == NULL) return NULL;
        struct ssh_host *copy = mem_alloc(sizeof *copy);
        *copy = (struct ssh_host){.address = mem_strdup(host->address),
            .port = host->port ? host->port : SSH_PORT,
            .user = mem_strdup(host->user),
            .key = mem_strdup(host->key),
            .key_file = mem_strdup(host->key_file),
            .passphrase = mem_strdup(host->passphrase),
            .agent = host->agent,
            .password = mem_strdup(host->password),
            .host_key = mem_strdup(host->host_key),
            .known_hosts = mem_strdup(host->known_hosts),
            .pin = host->pin,
            .jump = ssh_host_copy(host->jump)};
        return copy;
}

void ssh_host_free(struct ssh_host *host)
{
        if (host == NULL) return;
        free((char *)host->address);
        free((char *)host->user);
        free_secret(host->key);
        free((char *)host->key_file);
        free_secret(host->passphrase);
        free_secret(host->password);
        free((char *)host->host_key);
        free((char *)host->known_hosts);
        ssh_host_free((struct ssh_host *)host->jump);
        free(host);
}

/* An empty name, or one with spaces or control characters, is a mistake in the template. */
static bool is_name(const char *s)
{
        if (s == NULL || *s == '\0' || strlen(s) > NAME_MAX_BYTES) return false;
        for (; *s; s++)
                if ((unsigned char)*s <= ' ' || *s == 0x7f) return false;
        return true;
}

int ssh_host_check(const struct ssh_host *host, struct error **err)
{
        if (!is_name(host->address))
                return error_set(err, ERROR_INPUT, NULL, "ssh: the host's address is empty or malformed");
        if (!is_name(host->user))
                return error_set(
                    err, ERROR_INPUT, NULL, "ssh %s: the user is empty or malformed", host->address);
        if (host->port > 65535)
                return error_set(
                    err, ERROR_INPUT, NULL, "ssh %s: there is no port %u", host->address, host->port);
        if (host->jump == NULL) return 0;
        if (host->jump->jump != NULL)
                return error_set(
                    err, ERROR_INPUT, NULL, "ssh %s: its jump host cannot have a jump host", host->address);
        return ssh_host_check(host->jump, err);
}

static void digest_text(EVP_MD_CTX *md, const char *s)
{
        uint64_t len = s != NULL ? strlen(s) : UINT64_MAX;
        EVP_DigestUpdate(md, &len, sizeof len);
        if (s != NULL) EVP_DigestUpdate(md, s, len);
}

static void digest_host(EVP_MD_CTX *md, const struct ssh_host *host)
{
        unsigned numbers[] = {host->port ? host->port : SSH_PORT, host->agent, host->pin, host->jump != NULL};
        EVP_DigestUpdate(md, numbers, sizeof numbers);
        const char *const texts[] = {host->address, host->user, host->key, host->key_file, host->passphrase,
            host->password, host->host_key, host->known_hosts};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) digest_text(md, texts[i]);
        if (host->jump != NULL) digest_host(md, host->jump);
}

char *ssh_host_digest(const struct ssh_host *host)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
                abort(); /* out of memory, as in mem_alloc */
        digest_host(md, host);
        EVP_DigestFinal_ex(md, digest, &len);
        EVP_MD_CTX_free(md);
        char *hex = mem_alloc(2 * (size_t)len + 1);
        text_hex(digest, len, hex);
        return hex;
}
