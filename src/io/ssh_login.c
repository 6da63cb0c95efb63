/*
 * Logging in: the server says which methods it takes, then each credential is offered in the order key, key file, agent,
 * password. A refusal goes on to the next; only a lost connection ends it early.
 */
#include "io/ssh_login.h"

#include <string.h>

#include "base/text.h"
#include "io/file.h"
#include "io/ssh_key.h"

enum { KEY_FILE_MAX = 64 * 1024 };

enum method { METHOD_KEY = 1, METHOD_PASSWORD = 2, METHOD_KEYBOARD = 4 };

struct credential {
        enum method method;
        char *key; /* text for libssh2, or NULL: the signer signs */
        struct ssh_signer signer;
};

struct ssh_login {
        const struct ssh_host *host;
        LIBSSH2_SESSION *raw;
        struct credential *credentials;
        size_t count, capacity, next;
        unsigned offered; /* methods that the server takes; 0 while unknown */
        unsigned refused; /* how many credentials it refused */
        char *offered_text;
};

/* ---- what we have ---- */

static void add_credential(struct ssh_login *login, struct credential credential)
{
        vec_push(login->credentials, login->count, login->capacity, credential);
}

static int add_key(struct ssh_login *login, const char *text, struct error **err)
{
        struct credential credential = {.method = METHOD_KEY};
        int rc = ssh_key_load(text, login->host->passphrase, &credential.signer, err);
        if (rc < 0) return -1;
        if (rc == 0) credential.key = mem_strdup(text);
        add_credential(login, credential);
        return 0;
}

static int add_key_file(struct ssh_login *login, struct error **err)
{
        const char *path = login->host->key_file;
        struct text text = {0};
        struct error *problem = NULL;
        int rc = file_read(path, KEY_FILE_MAX, &text, &problem);
        if (rc < 0) {
                error_set(
                    err, ERROR_INPUT, NULL, "the private key cannot be used: %s", error_message(problem));
        } else {
                rc = add_key(login, text.data, err);
                if (rc < 0) error_context(err, "%s", path);
        }
        error_free(problem);
        if (text.data != NULL) mem_wipe(text.data, text.len);
        text_release(&text);
        return rc;
}

/* Without an agent the other credentials may do. */
static int add_agent(struct ssh_login *login, struct error **err)
{
        struct ssh_signer *signers;
        size_t count;
        struct error *problem = NULL;
        if (ssh_agent_list(&signers, &count, &problem) < 0) {
                if (login->count > 0 || login->host->password != NULL) {
                        error_free(problem);
                        return 0;
                }
                return error_move(err, &problem);
        }
        for (size_t i = 0; i < count; i++)
                add_credential(login, (struct credential){.method = METHOD_KEY, .signer = signers[i]});
        free(signers);
        return 0;
}

int ssh_login_new(
    const struct ssh_host *host, LIBSSH2_SESSION *raw, struct ssh_login **ret, struct error **err)
{
        struct ssh_login *login = mem_alloc(sizeof *login);
        login->host = host;
        login->raw = raw;
        int rc = 0;
        if (host->key != NULL) rc = add_key(login, host->key, err);
        if (rc == 0 && host->key_file != NULL) rc = add_key_file(login, err);
        if (rc == 0 && host->agent) rc = add_agent(login, err);
        if (rc == 0 && host->password != NULL) {
                add_credential(login, (struct credential){.method = METHOD_PASSWORD});
                add_credential(login, (struct credential){.method = METHOD_KEYBOARD});
        }
        if (rc == 0 && login->count == 0)
                rc = error_set(err, ERROR_DENIED, NULL,
                    "there is nothing to log in with: give a key, key_file, agent or password");
        if (rc < 0) {
                ssh_login_free(login);
                return -1;
        }
        *ret = login;
        return 0;
}

void ssh_login_free(struct ssh_login *login)
{
        if (login == NULL) return;
        for (size_t i = 0; i < login->count; i++) {
                struct credential *c = &login->credentials[i];
                if (c->key != NULL) mem_wipe(c->key, strlen(c->key));
                free(c->key);
                ssh_signer_release(&c->signer);
        }
        free(login->credentials);
        free(login->offered_text);
        free(login);
}

/* ---- offering it ---- */

static int sign(LIBSSH2_SESSION *raw, unsigned char **sig, size_t *sig_len, const unsigned char *data,
    size_t len, void **abstract)
{
        const struct ssh_signer *signer = *abstract;
        (void)raw;
        return ssh_signer_sign(signer, data, len, sig, sig_len);
}

/* Hidden prompts are for the password; others get an empty answer. */
static void answer_prompts(const char *name, int name_len, const char *instruction, int instruction_len,
    int count, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses,
    void **abstract)
{
        const struct ssh_abstract *a = *abstract;
        (void)name, (void)name_len, (void)instruction, (void)instruction_len;
        for (int i = 0; i < count; i++) {
                responses[i].text = mem_strdup(prompts[i].echo || a->password == NULL ? "" : a->password);
                responses[i].length = (unsigned)strlen(responses[i].text);
        }
}

static int offer(struct ssh_login *login, struct credential *c)
{
        const char *user = login->host->user, *passphrase = login->host->passphrase;
        unsigned user_len = (unsigned)strlen(user);
        void *signer = &c->signer;
        switch (c->method) {
        case METHOD_KEY:
                if (c->key != NULL)
                        return libssh2_userauth_publickey_frommemory(
                            login->raw, user, user_len, NULL, 0, c->key, strlen(c->key), passphrase);
                return libssh2_userauth_publickey(
                    login->raw, user, c->signer.blob, c->signer.blob_len, sign, &signer);
        case METHOD_PASSWORD:
                return libssh2_userauth_password_ex(login->raw, user, user_len, login->host->password,
                    (unsigned)strlen(login->host->password), NULL);
        case METHOD_KEYBOARD:
                return libssh2_userauth_keyboard_interactive_ex(login->raw, user, user_len, answer_prompts);
        }
        return LIBSSH2_ERROR_METHOD_NOT_SUPPORTED;
}

static bool is_lost(int rc)
{
        return rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV ||
               rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_TIMEOUT ||
               rc == LIBSSH2_ERROR_SOCKET_TIMEOUT;
}

static int lost(struct ssh_login *login, struct error **err)
{
        if (login->refused > 0)
                return error_set(err, ERROR_DENIED, NULL,
                    "the host refused the login of %s and closed the connection", login->host->user);
        return error_set(err, ERROR_RETRY, NULL, "the host closed the connection before the login was done");
}

/* 1 logged in, 0 wait, -1 error, 2 when the list is known. */
static int ask_methods(struct ssh_login *login, struct error **err)
{
        const char *user = login->host->user;
        const char *list = libssh2_userauth_list(login->raw, user, (unsigned)strlen(user));
        if (list == NULL) {
                if (libssh2_userauth_authenticated(login->raw)) return 1;
                return libssh2_session_last_errno(login->raw) == LIBSSH2_ERROR_EAGAIN ? 0 : lost(login, err);
        }
        login->offered_text = mem_strdup(list);
        if (strstr(list, "publickey") != NULL) login->offered |= METHOD_KEY;
        if (strstr(list, "password") != NULL) login->offered |= METHOD_PASSWORD;
        if (strstr(list, "keyboard-interactive") != NULL) login->offered |= METHOD_KEYBOARD;
        return 2;
}

static int denied(struct ssh_login *login, struct error **err)
{
        return error_set(err, ERROR_DENIED, NULL, "the host refused the login of %s (it takes: %s)",
            login->host->user, login->offered_text);
}

int ssh_login_step(struct ssh_login *login, struct error **err)
{
        if (login->offered_text == NULL) {
                int rc = ask_methods(login, err);
                if (rc < 2) return rc;
        }
        for (; login->next < login->count; login->next++) {
                struct credential *c = &login->credentials[login->next];
                if (!(login->offered & c->method)) continue;
                int rc = offer(login, c);
                if (rc == 0) return 1;
                if (rc == LIBSSH2_ERROR_EAGAIN) return 0;
                if (is_lost(rc)) return lost(login, err);
                if (c->key != NULL && (rc == LIBSSH2_ERROR_FILE || rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED))
                        return error_set(err, ERROR_INPUT, NULL,
                            "the private key cannot be used: the passphrase is wrong or the key is damaged");
                login->refused++;
        }
        return denied(login, err);
}
