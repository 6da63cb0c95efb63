/*
 * ssh.file: a file with content, mode and owner on a host. See file.h.
 *
 * It is written beside its place and renamed over it, so that readers see the old or the new. One command writes, one reads; both
 * print "checksum mode owner group", which is all that is ever observed of the content.
 *
 * What failed before its rename made nothing: there is nothing of it on the host, nothing is recorded, and so nothing is deleted later. Where the
 * host's answer was lost, the file is in doubt: the record keeps (as private bytes) the checksum of what was sent, and only a file of that
 * content counts as ours, when it is read and when it is deleted.
 */
#include "providers/ssh/file.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/exec/command.h"

enum { SOURCE_MAX = 64 << 20 };

static const struct tutti_property properties[] = {
    {"path", "string", TUTTI_REQUIRED | TUTTI_CREATE_ONLY, NULL,
        "Where the file is, absolute or from the user's home."},
    {"content", "string", TUTTI_WRITE_ONLY, NULL, "Its content; or give `source`."},
    {"source", "string", 0, NULL, "A local file to copy, relative to the environment's folder."},
    {"mode", "string", 0, "\"0644\"", "Its permissions, in octal."},
    {"owner", "string", TUTTI_COMPUTED, NULL, "Its owner; changing it needs the right to."},
    {"group", "string", TUTTI_COMPUTED, NULL, "Its group."},
    {"keep_on_delete", "bool", 0, "false", "Leave the file in its place when the resource is deleted."},
    {"checksum", "string", TUTTI_COMPUTED, NULL,
        "SHA-256 of the content, computed: a difference is drift or a change."},
    {"source_checksum", "string", TUTTI_COMPUTED, NULL,
        "SHA-256 of `source` as it was last read: where it changed, the file on the host is written again."},
};
const struct tutti_type file_type = {
    .name = "ssh.file",
    .doc = "A file on a host, compared by checksum. A write that fails leaves what was there as it was.",
    .flags = TUTTI_TYPE_HOST | TUTTI_TYPE_REPEATABLE,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
};

struct file { /* one call's view */
        const struct tutti_host *host;
        struct tutti_op *op;
        command_runner *run;
        const struct value *properties;
};

static const char *text_of(
    const struct tutti_host *host, const struct value *object, const char *key, size_t *len)
{
        const struct value *v = object ? host->value_get(object, key) : NULL;
        return v && strcmp(host->value_kind(v), "string") == 0 ? host->value_as_string(v, len) : NULL;
}

static void checksum(const void *data, size_t len, char hex[65])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
        for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* The whole of a local file; malloc'ed; NULL with *problem. */
static char *read_source(const char *path, size_t *len, char **problem)
{
        FILE *f = fopen(path, "re");
        char *data = f ? malloc(SOURCE_MAX + 1) : NULL;
        if (data != NULL) *len = fread(data, 1, SOURCE_MAX + 1, f);
        int bad = data == NULL || ferror(f) || *len > SOURCE_MAX;
        if (f != NULL) fclose(f);
        if (!bad) return data;
        free(data);
        if (asprintf(problem, "source %s: cannot be read, or is larger than %d MiB", path, SOURCE_MAX >> 20) <
            0)
                *problem = NULL;
        return NULL;
}

static char *source_path(const char *source, const char *folder)
{
        char *path = NULL;
        if (asprintf(&path, "%s%s%s", *source == '/' ? "" : folder, *source == '/' ? "" : "/", source) < 0)
                abort();
        return path;
}

/* Content or source, malloc'ed. */
static char *wanted_content(
    const struct tutti_host *host, const struct value *p, const char *folder, size_t *len, char **problem)
{
        const char *content = text_of(host, p, "content", len);
        if (content != NULL) {
                char *copy = malloc(*len + 1);
                if (copy == NULL) abort();
                return memcpy(copy, content, *len + 1);
        }
        const char *source = text_of(host, p, "source", NULL);
        if (source == NULL) {
                *problem = strdup("give `content` or `source`");
                return NULL;
        }
        char *path = source_path(source, folder);
        char *data = read_source(path, len, problem);
        free(path);
        return data;
}

/* "644" and "00644" mean "0644", which is how a mode is observed. New reference to `proposed`, or to one with the mode so. */
static struct value *with_plain_mode(const struct tutti_host *host, const struct value *proposed)
{
        const char *mode = text_of(host, proposed, "mode", NULL);
        if (mode == NULL || mode[strspn(mode, "01234567")] != '\0') return host->value_ref(proposed);
        char plain[20];
        snprintf(plain, sizeof plain, "%04lo", strtoul(mode, NULL, 8) & 07777);
        struct value *v = host->value_string(plain, strlen(plain));
        struct value *with = host->value_with(proposed, "mode", v);
        host->value_free(v);
        return with;
}

/* The source was read with the file on the host: where they differ, the file is to become what the source is. */
static struct value *from_source(
    const struct tutti_host *host, const struct value *prior, const struct value *proposed)
{
        struct value *plain = with_plain_mode(host, proposed);
        const struct value *seen = prior ? host->value_get(prior, "source_checksum") : NULL;
        const struct value *there = prior ? host->value_get(prior, "checksum") : NULL;
        bool differs = text_of(host, proposed, "source", NULL) != NULL && seen != NULL && there != NULL &&
                       strcmp(host->value_kind(seen), "string") == 0 && !host->value_equal(seen, there);
        if (!differs) return plain;
        struct value *with = host->value_with(plain, "checksum", seen);
        host->value_free(plain);
        return with;
}

int file_plan(const struct tutti_host *host, const struct value *prior, const struct value *proposed,
    struct tutti_planned *planned, char **problem)
{
        (void)problem;
        const struct value *content = host->value_get(proposed, "content");
        if (content != NULL && strcmp(host->value_kind(content), "unknown") == 0) {
                struct value *unknown = host->value_sensitive(content, 0); /* so is its digest */
                planned->planned = host->value_with(proposed, "checksum", unknown);
                host->value_free(unknown);
                return 0;
        }
        if (content == NULL || strcmp(host->value_kind(content), "string") != 0) {
                planned->planned = from_source(host, prior, proposed);
                return 0;
        }
        size_t len;
        char hex[65];
        const char *data = host->value_as_string(content, &len);
        checksum(data, len, hex);
        struct value *sum = host->value_string(hex, 64);
        struct value *plain = with_plain_mode(host, proposed);
        planned->planned = host->value_with(plain, "checksum", sum);
        host->value_free(plain);
        host->value_free(sum);
        return 0;
}

/* Empty where there is no source, or none that can be read. */
static void checksum_of_source(const struct file *f, char hex[65])
{
        const char *source = text_of(f->host, f->properties, "source", NULL);
        if (source == NULL) return;
        size_t len = 0;
        char *problem = NULL, *path = source_path(source, f->host->op_folder(f->op));
        char *data = read_source(path, &len, &problem);
        if (data != NULL) checksum(data, len, hex);
        free(data);
        free(path);
        free(problem);
}

/* "checksum mode owner group" into the observed object; the rest is as planned or recorded. */
static enum tutti_result observe(const struct file *f, const struct tutti_reply *reply)
{
        char sum[65] = "", mode[16] = "", owner[64] = "", group[64] = "";
        char *line = strndup(reply->out.data ? reply->out.data : "", reply->out.len);
        int fields = line ? sscanf(line, "%64s %15s %63s %63s", sum, mode, owner, group) : 0;
        free(line);
        if (fields != 4)
                return f->host->op_fail(
                    f->op, TUTTI_REFUSED, 0, "the host's answer about the file was not understood");
        char octal[20];
        snprintf(octal, sizeof octal, "%04lo", strtoul(mode, NULL, 8) & 07777);
        char source[65] = "";
        checksum_of_source(f, source);
        const char *keys[] = {"checksum", "mode", "owner", "group", "source_checksum"};
        const char *texts[] = {sum, octal, owner, group, source};
        struct value *observed = f->host->value_ref(f->properties);
        for (size_t i = 0; i < 5; i++) {
                struct value *v = *texts[i] ? f->host->value_string(texts[i], strlen(texts[i]))
                                            : f->host->value_null();
                struct value *with = f->host->value_with(observed, keys[i], v);
                f->host->value_free(observed);
                f->host->value_free(v);
                observed = with;
        }
        f->host->op_observed(f->op, observed);
        f->host->value_free(observed);
        return TUTTI_DONE;
}

static enum tutti_result send(const struct file *f, const char *fmt, struct tutti_bytes input)
{
        char *path = command_quote(text_of(f->host, f->properties, "path", NULL));
        char *command = NULL;
        if (asprintf(&command, "p=%s\n%s\n", path, fmt) < 0) abort();
        enum tutti_result result = command_run(f->host, f->op, f->run, command, input);
        free(command);
        free(path);
        return result;
}

#define DESCRIBE "s=$(sha256sum < \"$p\") && echo \"${s%% *} $(stat -c '%a %U %G' -- \"$p\")\""

/* Statuses of our own, which tell more than that a command failed. */
enum { GONE_STATUS = 44, PLACED_STATUS = 45 };

/*
 * Nothing is written where the path is a folder. What did not come whole (the connection was lost, the disk is full) is not renamed. Whatever
 * fails before that takes away what it made, folders too; what fails after it ends with PLACED_STATUS.
 */
static const char write_script[] =
    "set -e; umask 077\n"
    "if [ -d \"$p\" ]; then echo \"$p is a directory\" >&2; exit 1; fi\n"
    "d=$(dirname -- \"$p\"); top=$d; while [ ! -d \"$top\" ]; do top=$(dirname -- \"$top\"); done\n"
    "t=\"$p.tutti-$$\"\n"
    "undo() { rm -f -- \"$t\" || :; while [ \"$d\" != \"$top\" ] && rmdir -- \"$d\" 2>/dev/null; do "
    "d=$(dirname -- \"$d\"); done; }\n"
    "trap undo EXIT; trap 'exit 1' HUP INT PIPE TERM\n"
    "mkdir -p -- \"$d\"; cat > \"$t\"; s=$(sha256sum < \"$t\")\n"
    "if [ \"${s%%%% *}\" != %s ]; then echo \"the content did not arrive whole\" >&2; exit 1; fi\n"
    "chmod %s -- \"$t\"\n%s%s%s"
    "trap - HUP INT PIPE TERM; mv -fT -- \"$t\" \"$p\"; trap - EXIT\n"
    "{ %s; } || exit 45\n";

/* [OWNER][:GROUP] in quotes, malloc'ed; empty if neither is said. */
static char *owner_and_group(const struct file *f)
{
        const char *owner = text_of(f->host, f->properties, "owner", NULL);
        const char *group = text_of(f->host, f->properties, "group", NULL);
        char *quoted_owner = command_quote(owner ? owner : ""),
             *quoted_group = command_quote(group ? group : "");
        char *who = NULL;
        if (asprintf(&who, "%s%s%s", owner ? quoted_owner : "", group ? ":" : "", group ? quoted_group : "") <
            0)
                abort();
        free(quoted_owner);
        free(quoted_group);
        return who;
}

static enum tutti_result write_file(const struct file *f)
{
        const char *mode = text_of(f->host, f->properties, "mode", NULL);
        if (mode == NULL || strlen(mode) > 5 || mode[strspn(mode, "01234567")] != '\0')
                return f->host->op_fail(f->op, TUTTI_INVALID, 0, "mode: write it in octal, such as \"0644\"");
        size_t len;
        char *problem = NULL;
        char *content = wanted_content(f->host, f->properties, f->host->op_folder(f->op), &len, &problem);
        if (content == NULL) {
                f->host->op_fail(f->op, TUTTI_INVALID, 0, "%s", problem ? problem : "no content");
                free(problem);
                return TUTTI_FAILED;
        }
        char sum[65], *who = owner_and_group(f), *script = NULL;
        checksum(content, len, sum);
        if (f->host->op_action(f->op) == TUTTI_CREATE) {
                f->host->op_set_id(f->op, text_of(f->host, f->properties, "path", NULL));
                f->host->op_set_private(f->op, sum);
        }
        /* The owner is set only where it differs, so that an ordinary user may name himself. */
        if (asprintf(&script, write_script, sum, mode, *who ? "chown " : "", who, *who ? " -- \"$t\"\n" : "",
                DESCRIBE) < 0)
                abort();
        enum tutti_result result = send(f, script, (struct tutti_bytes){content, len});
        free(script);
        free(who);
        free(content);
        return result;
}

static enum tutti_result failed(const struct file *f, const struct tutti_reply *reply)
{
        size_t len = reply->err.len < 400 ? reply->err.len : 400;
        const char *err = reply->err.data ? reply->err.data : "";
        while (len > 0 && err[len - 1] == '\n') len--;
        if (reply->exit_status < 0)
                return f->host->op_fail(f->op, TUTTI_REFUSED, 0,
                    "the connection was lost, or the command was ended by a signal, before the host had "
                    "answered");
        return f->host->op_fail(
            f->op, TUTTI_REFUSED, 0, "the host refused (status %d): %.*s", reply->exit_status, (int)len, err);
}

static enum tutti_result written(const struct file *f, const struct tutti_reply *reply)
{
        int status = reply->exit_status;
        bool creates = f->host->op_action(f->op) == TUTTI_CREATE;
        bool killed = status < 0 || status > 128; /* or a command in it was, perhaps the one that renames */
        if (creates && !killed) f->host->op_set_private(f->op, NULL); /* no doubt any more */
        if (creates && status > 0 && status != PLACED_STATUS && !killed) f->host->op_set_id(f->op, NULL);
        return status == 0 ? observe(f, reply) : failed(f, reply);
}

/* Whether a file in doubt is there with another content than was sent: somebody else's. */
static bool is_foreign(const struct file *f, const struct tutti_reply *reply)
{
        const char *sent = f->host->op_private(f->op);
        return sent != NULL && strlen(sent) == 64 &&
               (reply->out.len < 64 || memcmp(reply->out.data, sent, 64) != 0);
}

static enum tutti_result read_file(const struct file *f, const struct tutti_reply *reply)
{
        if (reply == NULL)
                return send(
                    f, "test -e \"$p\" && [ ! -d \"$p\" ] || exit 44\n" DESCRIBE, (struct tutti_bytes){0});
        if (reply->exit_status != GONE_STATUS && reply->exit_status != 0) return failed(f, reply);
        if (reply->exit_status == 0 && !is_foreign(f, reply)) return observe(f, reply);
        f->host->op_gone(f->op);
        return TUTTI_DONE;
}

/* A folder in its place is nobody's to remove; what is in doubt is removed only if it is what was sent. */
static enum tutti_result delete_file(const struct file *f, const struct tutti_reply *reply)
{
        const struct value *keep = f->host->value_get(f->properties, "keep_on_delete");
        if (keep != NULL && strcmp(f->host->value_kind(keep), "bool") == 0 && f->host->value_as_bool(keep))
                return TUTTI_DONE;
        if (reply != NULL) return reply->exit_status == 0 ? TUTTI_DONE : failed(f, reply);
        const char *sent = f->host->op_private(f->op);
        bool doubt = sent != NULL && strlen(sent) == 64 && strspn(sent, "0123456789abcdef") == 64;
        char *script = NULL;
        if (asprintf(&script, "%s[ -d \"$p\" ] || %s%s%s rm -f -- \"$p\"",
                doubt ? "[ -e \"$p\" ] || exit 0; set -e; s=$(sha256sum < \"$p\"); " : "",
                doubt ? "[ \"${s%% *}\" != " : "", doubt ? sent : "", doubt ? " ] ||" : "") < 0)
                abort();
        enum tutti_result result = send(f, script, (struct tutti_bytes){0});
        free(script);
        return result;
}

enum tutti_result file_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run)
{
        struct file f = {host, op, run, host->op_planned(op)};
        const struct tutti_reply *reply = host->op_reply(op);
        enum tutti_action action = host->op_action(op);
        if (action == TUTTI_CREATE || action == TUTTI_UPDATE)
                return reply == NULL ? write_file(&f) : written(&f, reply);
        f.properties = host->op_prior(op);
        return action == TUTTI_READ ? read_file(&f, reply) : delete_file(&f, reply);
}
