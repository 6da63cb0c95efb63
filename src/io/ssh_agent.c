/*
 * A client of the SSH agent (draft-miller-ssh-agent). Our own, as libssh2's cannot ask for SHA-2 signatures of RSA keys. The agent is on
 * this machine and answers at once; the calls block, within a bound.
 */
#include "io/ssh_key.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "io/ssh_wire.h"

enum {
        REQUEST_IDENTITIES = 11,
        IDENTITIES_ANSWER = 12,
        SIGN_REQUEST = 13,
        SIGN_RESPONSE = 14,
        RSA_SHA2_256 = 2
};
enum { ANSWER_MAX = 256 * 1024, IDENTITIES_MAX = 16, TIMEOUT_S = 2 };

static inline void close_fd_cleanup(int *fd)
{
        if (*fd >= 0) close(*fd);
}

static int agent_connect(void)
{
        const char *path = getenv("SSH_AUTH_SOCK");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (path == NULL || *path == '\0' || strlen(path) >= sizeof address.sun_path) return -1;
        memcpy(address.sun_path, path, strlen(path) + 1);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return -1;
        struct timeval bound = {.tv_sec = TIMEOUT_S};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
        close(fd);
        return -1;
}

static bool read_exactly(int fd, void *data, size_t len)
{
        for (char *at = data; len > 0;) {
                ssize_t n = read(fd, at, len);
                if (n <= 0) return false;
                at += n;
                len -= (size_t)n;
        }
        return true;
}

/* Sends a message and takes the answer of type `want` (without its type byte) into `answer`. */
static int agent_ask(const struct text *message, unsigned char want, struct text *answer)
{
        cleanup(close_fd) int fd = agent_connect();
        cleanup(text_release) struct text framed = {0};
        if (fd < 0) return -1;
        ssh_wire_put(&framed, message->data, message->len);
        if (send(fd, framed.data, framed.len, MSG_NOSIGNAL) != (ssize_t)framed.len) return -1;
        unsigned char head[5];
        if (!read_exactly(fd, head, sizeof head)) return -1;
        struct ssh_wire w = {.at = head, .end = head + 4};
        uint32_t len = ssh_wire_u32(&w);
        if (len < 1 || len > ANSWER_MAX || head[4] != want) return -1;
        cleanup_free char *body = mem_alloc(len);
        if (!read_exactly(fd, body, len - 1)) return -1;
        text_addn(answer, body, len - 1);
        return 0;
}

/* Certificates and hardware keys need signature forms that libssh2 cannot send. */
static bool is_usable(const unsigned char *type, size_t len)
{
        return len > 0 && memmem(type, len, "-cert-", 6) == NULL &&
               (len < 3 || memcmp(type, "sk-", 3) != 0) && !ssh_wire_is(type, len, "ssh-dss");
}

static void add_identity(struct ssh_signer *signers, size_t *count, const unsigned char *blob, size_t len)
{
        struct ssh_wire w = {.at = blob, .end = blob + len};
        size_t type_len;
        const unsigned char *type = ssh_wire_string(&w, &type_len);
        if (w.bad || *count >= IDENTITIES_MAX || !is_usable(type, type_len)) return;
        struct ssh_signer *s = &signers[(*count)++];
        s->agent_blob = mem_dup(blob, len);
        s->agent_blob_len = len;
        ssh_signer_show(s, blob, len);
}

int ssh_agent_list(struct ssh_signer **signers, size_t *count, struct error **err)
{
        cleanup(text_release) struct text ask = {0}, answer = {0};
        text_addc(&ask, REQUEST_IDENTITIES);
        *count = 0;
        *signers = NULL;
        if (agent_ask(&ask, IDENTITIES_ANSWER, &answer) < 0)
                return error_set(err, ERROR_DENIED, NULL, "the SSH agent does not answer (SSH_AUTH_SOCK)");
        const unsigned char *data = (const unsigned char *)answer.data;
        struct ssh_wire w = {.at = data, .end = data + answer.len};
        uint32_t held = ssh_wire_u32(&w);
        *signers = mem_alloc(IDENTITIES_MAX * sizeof **signers);
        for (uint32_t i = 0; i < held && !w.bad; i++) {
                size_t len, comment_len;
                const unsigned char *blob = ssh_wire_string(&w, &len);
                ssh_wire_string(&w, &comment_len);
                if (!w.bad) add_identity(*signers, count, blob, len);
        }
        return 0;
}

int ssh_agent_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len)
{
        cleanup(text_release) struct text ask = {0}, answer = {0};
        text_addc(&ask, SIGN_REQUEST);
        ssh_wire_put(&ask, signer->agent_blob, signer->agent_blob_len);
        ssh_wire_put(&ask, data, len);
        /* Only RSA keys look at the flag. */
        ssh_wire_put_u32(&ask, RSA_SHA2_256);
        if (agent_ask(&ask, SIGN_RESPONSE, &answer) < 0) return -1;
        const unsigned char *bytes = (const unsigned char *)answer.data;
        struct ssh_wire outer = {.at = bytes, .end = bytes + answer.len};
        size_t outer_len, type_len, inner_len;
        const unsigned char *signature = ssh_wire_string(&outer, &outer_len);
        struct ssh_wire inner = {.at = signature, .end = signature + outer_len};
        ssh_wire_string(&inner, &type_len);
        const unsigned char *proper = ssh_wire_string(&inner, &inner_len);
        if (outer.bad || inner.bad) return -1;
        *sig = mem_dup(proper, inner_len);
        *sig_len = inner_len;
        return 0;
}
