/*
 * known_hosts files as sshd(8) describes them, read by ourselves: libssh2's reader gives up at the first line of a kind
 * that it does not know. Certificate authorities are not supported; their lines are passed over.
 */
#include "io/ssh_known.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "io/file.h"

enum { FILE_MAX = 16 * 1024 * 1024, KEYS_MAX = 64 };

static const char GLOBAL_FILE[] = "/etc/ssh/ssh_known_hosts";

static bool is_key_type(const char *s)
{
        return text_starts(s, "ssh-") || text_starts(s, "ecdsa-sha2-") || text_starts(s, "sk-");
}

static void add_key(struct ssh_known *known, const char *type, const char *base64, bool revoked)
{
        if (known->count >= KEYS_MAX) return;
        struct ssh_known_key key = {
            .type = mem_strdup(type), .base64 = mem_strdup(base64), .revoked = revoked};
        vec_push(known->keys, known->count, known->capacity, key);
}

/* "|1|salt|hash": HMAC-SHA1 of the name under the salt, both in base64. */
static bool match_hash(const char *field, const char *name)
{
        unsigned char salt[64], want[64], got[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        const char *bar = strchr(field + 3, '|');
        size_t salt_len = bar != NULL ? (size_t)(bar - field) - 3 : 0;
        /* A SHA-1 value is 20 bytes: 28 characters of base64. */
        if (salt_len != 28 || strlen(bar + 1) != 28) return false;
        if (EVP_DecodeBlock(salt, (const unsigned char *)field + 3, 28) != 21) return false;
        if (EVP_DecodeBlock(want, (const unsigned char *)bar + 1, 28) != 21) return false;
        if (HMAC(EVP_sha1(), salt, 20, (const unsigned char *)name, strlen(name), got, &len) == NULL)
                return false;
        return len == 20 && memcmp(got, want, 20) == 0;
}

/* Only * and ? are special; brackets belong to "[host]:port". */
static bool match_pattern(const char *pattern, const char *name)
{
        struct text escaped = {0};
        for (; *pattern; pattern++) {
                if (*pattern == '[' || *pattern == '\\') text_addc(&escaped, '\\');
                text_addc(&escaped, *pattern);
        }
        bool match = escaped.len > 0 && fnmatch(escaped.data, name, FNM_CASEFOLD) == 0;
        text_release(&escaped);
        return match;
}

bool ssh_known_match(const char *hosts, const char *name)
{
        if (text_starts(hosts, "|1|")) return match_hash(hosts, name);
        cleanup_free char *list = mem_strdup(hosts);
        bool match = false;
        char *rest = list;
        for (char *pattern; (pattern = strsep(&rest, ",")) != NULL;) {
                if (*pattern == '!' && match_pattern(pattern + 1, name)) return false;
                if (*pattern != '!' && match_pattern(pattern, name)) match = true;
        }
        return match;
}

static char *next_field(char **line)
{
        *line += strspn(*line, " \t");
        if (**line == '\0') return NULL;
        char *field = *line;
        *line += strcspn(*line, " \t");
        if (**line != '\0') *(*line)++ = '\0';
        return field;
}

/* Hashes are of lower-case names. */
static void read_line(struct ssh_known *known, char *line, const char *name)
{
        char *hosts = next_field(&line);
        bool revoked = false;
        if (hosts == NULL || *hosts == '#') return;
        if (*hosts == '@') {
                revoked = strcmp(hosts, "@revoked") == 0;
                if (!revoked) return;
                hosts = next_field(&line);
        }
        char *type = next_field(&line), *base64 = next_field(&line);
        if (base64 == NULL || !is_key_type(type) || !ssh_known_match(hosts, name)) return;
        add_key(known, type, base64, revoked);
}

/* A file that does not exist knows nothing. */
static int read_known_hosts(struct ssh_known *known, const char *path, const char *name, struct error **err)
{
        if (access(path, F_OK) < 0) return 0;
        cleanup(text_release) struct text text = {0};
        if (file_read(path, FILE_MAX, &text, err) < 0) return -1;
        char *rest = text.data;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
                line[strcspn(line, "\r")] = '\0';
                read_line(known, line, name);
        }
        return 0;
}

/* Lines as in a .pub file or in known_hosts: the type, wherever it stands, and what follows it. */
static int read_given(struct ssh_known *known, const struct ssh_host *host, struct error **err)
{
        cleanup_free char *copy = mem_strdup(host->host_key);
        known->source = mem_strdup("the template");
        char *rest = copy;
        for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
                char *type = next_field(&line);
                if (type == NULL || *type == '#') continue;
                while (type != NULL && !is_key_type(type)) type = next_field(&line);
                char *base64 = type != NULL ? next_field(&line) : NULL;
                if (base64 == NULL)
                        return error_set(
                            err, ERROR_INPUT, NULL, "the host key must look like \"ssh-ed25519 AAAA...\"");
                add_key(known, type, base64, false);
        }
        if (known->count == 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "the host key must look like \"ssh-ed25519 AAAA...\"");
        return 0;
}

static char *home_known_hosts(void)
{
        const char *home = getenv("HOME");
        struct passwd *user = home == NULL ? getpwuid(getuid()) : NULL;
        if (user != NULL) home = user->pw_dir;
        return mem_printf("%s/.ssh/known_hosts", home != NULL ? home : "");
}

int ssh_known_load(struct ssh_known *known, const struct ssh_host *host, struct error **err)
{
        if (host->host_key != NULL) return read_given(known, host, err);
        cleanup_free char *name = host->port == 22 ? mem_strdup(host->address)
                                                   : mem_printf("[%s]:%u", host->address, host->port);
        for (char *c = name; *c; c++)
                if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
        if (host->known_hosts != NULL) {
                known->source = mem_strdup(host->known_hosts);
                return read_known_hosts(known, host->known_hosts, name, err);
        }
        known->source = home_known_hosts();
        if (read_known_hosts(known, known->source, name, err) < 0) return -1;
        return read_known_hosts(known, GLOBAL_FILE, name, err);
}

enum ssh_trust ssh_known_check(const struct ssh_known *known, const char *key)
{
        const char *space = strchr(key, ' ');
        enum ssh_trust trust = SSH_KEY_UNKNOWN;
        for (size_t i = 0; i < known->count; i++) {
                const struct ssh_known_key *k = &known->keys[i];
                bool same = space != NULL && strlen(k->type) == (size_t)(space - key) &&
                            strncmp(k->type, key, (size_t)(space - key)) == 0 &&
                            strcmp(k->base64, space + 1) == 0;
                if (same && k->revoked) return SSH_KEY_REVOKED;
                if (same) trust = SSH_KEY_KNOWN;
                if (!same && !k->revoked && trust == SSH_KEY_UNKNOWN) trust = SSH_KEY_DIFFERS;
        }
        return trust;
}

void ssh_known_release(struct ssh_known *known)
{
        for (size_t i = 0; i < known->count; i++) {
                free(known->keys[i].type);
                free(known->keys[i].base64);
        }
        free(known->keys);
        free(known->source);
        *known = (struct ssh_known){0};
}
