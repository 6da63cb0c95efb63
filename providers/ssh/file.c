/*
 * ssh.file: a file with content, mode and owner on a host. See file.h.
 *
 * It is written beside its place and renamed over it, so that readers see the old or the new. One command writes, one reads; both
 * print "checksum mode owner group", which is all that is ever observed of the content.
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
    .doc = "A file on a host, compared by checksum.",
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

static enum tutti_result write_file(const struct file *f)
{
        const char *mode = text_of(f->host, f->properties, "mode", NULL);
        const char *owner = text_of(f->host, f->properties, "owner", NULL);
        const char *group = text_of(f->host, f->properties, "group", NULL);
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
        char *who = NULL, *quoted_owner = command_quote(owner ? owner : ""),
             *quoted_group = command_quote(group ? group : "");
        if (asprintf(&who, "%s%s%s", owner ? quoted_owner : "", group ? ":" : "", group ? quoted_group : "") <
            0)
                abort();
        char *script = NULL;
        /* The owner is set only where it differs, so that an ordinary user may name himself. */
        if (asprintf(&script,
                "set -e; umask 077; t=\"$p.tutti-$$\"; trap 'rm -f -- \"$t\"' EXIT\n"
                "mkdir -p -- \"$(dirname -- \"$p\")\"; cat > \"$t\"; chmod %s -- \"$t\"\n%s%s%s"
                "mv -f -- \"$t\" \"$p\"; trap - EXIT\n%s",
                mode, *who ? "chown " : "", who, *who ? " -- \"$t\"\n" : "", DESCRIBE) < 0)
                abort();
        enum tutti_result result = send(f, script, (struct tutti_bytes){content, len});
        free(script);
        free(who);
        free(quoted_owner);
        free(quoted_group);
        free(content);
        return result;
}

static enum tutti_result failed(const struct file *f, const struct tutti_reply *reply)
{
        size_t len = reply->err.len < 400 ? reply->err.len : 400;
        const char *err = reply->err.data ? reply->err.data : "";
        while (len > 0 && err[len - 1] == '\n') len--;
        return f->host->op_fail(
            f->op, TUTTI_REFUSED, 0, "the host refused (status %d): %.*s", reply->exit_status, (int)len, err);
}

enum { GONE_STATUS = 44 }; /* distinguishes "no such file" from other failures of the reading command */

enum tutti_result file_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run)
{
        struct file f = {host, op, run, host->op_planned(op)};
        const struct tutti_reply *reply = host->op_reply(op);
        enum tutti_action action = host->op_action(op);
        if (action == TUTTI_CREATE || action == TUTTI_UPDATE) {
                if (action == TUTTI_CREATE && host->op_id(op) == NULL)
                        host->op_set_id(op, text_of(host, f.properties, "path", NULL));
                if (reply == NULL) return write_file(&f);
                return reply->exit_status == 0 ? observe(&f, reply) : failed(&f, reply);
        }
        f.properties = host->op_prior(op);
        if (action == TUTTI_READ) {
                if (reply == NULL)
                        return send(&f, "test -e \"$p\" || exit 44\n" DESCRIBE, (struct tutti_bytes){0});
                if (reply->exit_status != GONE_STATUS)
                        return reply->exit_status == 0 ? observe(&f, reply) : failed(&f, reply);
                host->op_gone(op);
                return TUTTI_DONE;
        }
        const struct value *keep = host->value_get(f.properties, "keep_on_delete");
        if (keep != NULL && strcmp(host->value_kind(keep), "bool") == 0 && host->value_as_bool(keep))
                return TUTTI_DONE;
        if (reply == NULL) return send(&f, "rm -f -- \"$p\"", (struct tutti_bytes){0});
        return reply->exit_status == 0 ? TUTTI_DONE : failed(&f, reply);
}
