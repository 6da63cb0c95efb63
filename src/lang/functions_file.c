/*
 * Functions on files and their names. What a file holds is bounded: text by what a string may hold, digests by
 * a size that no artifact reaches.
 */
#include "lang/functions_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "lang/base64.h"
#include "lang/digest.h"
#include "lang/files.h"
#include "lang/glob.h"
#include "lang/path.h"

enum { MAX_FILE = 32 << 20 };
static const int64_t MAX_DIGESTED = 4LL << 30;

/* The path argument without NUL bytes in it, which would cut it short. */
static const char *path_argument(const struct call *call, size_t index, struct error **err)
{
        const char *path = call_string(call, index);
        if (strlen(path) == call_string_len(call, index)) return path;
        return call_refuse(err, "invalid value for \"path\": holds a NUL byte");
}

/* The plain file at a path, open for reading; -1 with a problem. */
static int open_file(const struct scope *scope, const char *path, struct error **err)
{
        int fd;
        switch (path_open(scope, path, &fd, err)) {
        case PATH_FILE: return fd;
        case PATH_NONE: return error_set(err, ERROR_INPUT, NULL, "no file exists at \"%s\"", path);
        case PATH_FOLDER:
                close(fd);
                return error_set(err, ERROR_INPUT, NULL, "\"%s\" is a folder, not a file", path);
        case PATH_OTHER: return error_set(err, ERROR_INPUT, NULL, "\"%s\" is not a plain file", path);
        default: return -1;
        }
}

static int read_some(int fd, const char *path, void *buffer, size_t len, size_t *got, struct error **err)
{
        ssize_t n;
        do n = fault_here("file-read") ? (errno = EIO, -1) : read(fd, buffer, len);
        while (n < 0 && errno == EINTR);
        if (n < 0) return error_system(err, errno, "cannot read \"%s\"", path);
        *got = (size_t)n;
        return 0;
}

/* --- what is asked once ------------------------------------------------------------------------------------------------ */

struct question {
        const struct scope *scope;
        const char *path, *detail; /* the digest's name, the pattern; or NULL */
};

/* What is asked of which path, as the template names it: from wherever it is gone on with, it is the same. */
static int learn(const struct question *q, const char *what,
    int (*look)(void *context, struct text *out, struct error **err), struct text *out, struct error **err)
{
        if (q->scope->files == NULL || q->scope->base_dir == NULL) return look((void *)q, out, err);
        bool own = *q->path == '/' || *q->path == '~';
        cleanup_free char *path = own ? mem_strdup(q->path) : path_over_base(q->scope->base_dir, q->path);
        cleanup_free char *key = q->detail
                                     ? mem_printf("%s %zu %s %s", what, strlen(q->detail), q->detail, path)
                                     : mem_printf("%s %s", what, path);
        return files_learn(q->scope->files, key, look, (void *)q, out, err);
}

static int read_bytes(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        char buffer[16384];
        size_t got = 0;
        int fd = open_file(q->scope, q->path, err), result = fd < 0 ? -1 : 0;
        while (result == 0 && (result = read_some(fd, q->path, buffer, sizeof buffer, &got, err)) == 0 &&
               got > 0) {
                text_addn(out, buffer, got);
                if (out->len > MAX_FILE)
                        result = error_set(
                            err, ERROR_INPUT, NULL, "\"%s\" is larger than %d MiB", q->path, MAX_FILE >> 20);
        }
        if (fd >= 0) close(fd);
        return result;
}

int file_text(const struct scope *scope, const char *path, struct text *out, struct error **err)
{
        return learn(&(struct question){scope, path, NULL}, "text", read_bytes, out, err);
}

static VALUE_OF(file)
{
        const char *path = path_argument(call, 0, err);
        __attribute__((__cleanup__(text_release_cleanup))) struct text text = {0};
        if (!path || file_text(call->scope, path, &text, err) < 0) return NULL;
        if (!text_is_utf8(text.data ? text.data : "", text.len))
                return call_refuse(err,
                    "contents of \"%s\" are not valid UTF-8; use filebase64 or a digest of the file", path);
        return call_text(&text);
}

static VALUE_OF(filebase64)
{
        const char *path = path_argument(call, 0, err);
        __attribute__((__cleanup__(text_release_cleanup))) struct text bytes = {0};
        if (!path || file_text(call->scope, path, &bytes, err) < 0) return NULL;
        struct text out = {0};
        base64_encode(bytes.data, bytes.len, &out);
        return call_text(&out);
}

static int look_up(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        switch (path_open(q->scope, q->path, NULL, err)) {
        case PATH_FILE: text_addc(out, 'y'); return 0;
        case PATH_NONE: text_addc(out, 'n'); return 0;
        case PATH_FOLDER: return error_set(err, ERROR_INPUT, NULL, "\"%s\" is a folder, not a file", q->path);
        case PATH_OTHER: return error_set(err, ERROR_INPUT, NULL, "\"%s\" is not a plain file", q->path);
        default: return -1;
        }
}

static VALUE_OF(fileexists)
{
        const char *path = path_argument(call, 0, err);
        __attribute__((__cleanup__(text_release_cleanup))) struct text there = {0};
        if (!path || learn(&(struct question){call->scope, path, NULL}, "exists", look_up, &there, err) < 0)
                return NULL;
        return value_bool(there.data != NULL && there.data[0] == 'y');
}

static int digest_bytes_of(const struct question *q, struct digest *digest, struct error **err)
{
        char buffer[65536];
        size_t got = 0;
        int64_t total = 0;
        int fd = open_file(q->scope, q->path, err), result = fd < 0 ? -1 : 0;
        while (result == 0 && (result = read_some(fd, q->path, buffer, sizeof buffer, &got, err)) == 0 &&
               got > 0) {
                digest_add(digest, buffer, got);
                total += (int64_t)got;
                if (total > MAX_DIGESTED)
                        result = error_set(err, ERROR_INPUT, NULL, "\"%s\" is too large", q->path);
        }
        if (fd >= 0) close(fd);
        return result;
}

static int digest_file(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        struct digest *digest = digest_new(q->detail);
        int result = digest_bytes_of(q, digest, err);
        unsigned char bytes[DIGEST_MAX];
        size_t len = digest_free(digest, bytes);
        text_addn(out, (const char *)bytes, len);
        return result;
}

static struct value *digest_of_file(
    const struct call *call, const char *name, bool base64, struct error **err)
{
        const char *path = path_argument(call, 0, err);
        __attribute__((__cleanup__(text_release_cleanup))) struct text bytes = {0};
        if (!path ||
            learn(&(struct question){call->scope, path, name}, "digest", digest_file, &bytes, err) < 0)
                return NULL;
        struct text out = {0};
        digest_text((const unsigned char *)bytes.data, bytes.len, base64, &out);
        return call_text(&out);
}

#define FILE_DIGEST(function, name, base64)                     \
        static VALUE_OF(function)                               \
        {                                                       \
                return digest_of_file(call, name, base64, err); \
        }

FILE_DIGEST(filemd5, "MD5", false)
FILE_DIGEST(filesha1, "SHA1", false)
FILE_DIGEST(filesha256, "SHA256", false)
FILE_DIGEST(filesha512, "SHA512", false)
FILE_DIGEST(filebase64sha256, "SHA256", true)
FILE_DIGEST(filebase64sha512, "SHA512", true)

/* Each path with a NUL after it. */
static int match_files(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        cleanup(value_vec_release) struct value_vec paths = {0};
        if (glob_files(q->scope, *q->path ? q->path : ".", q->detail, &paths, err) < 0) return -1;
        for (size_t i = 0; i < paths.count; i++) {
                text_add(out, value_as_string(paths.items[i]));
                text_addc(out, '\0');
        }
        return 0;
}

static VALUE_OF(fileset)
{
        const char *folder = path_argument(call, 0, err),
                   *pattern = folder ? path_argument(call, 1, err) : NULL;
        __attribute__((__cleanup__(text_release_cleanup))) struct text found = {0};
        cleanup(value_vec_release) struct value_vec paths = {0};
        if (!pattern ||
            learn(&(struct question){call->scope, folder, pattern}, "files", match_files, &found, err) < 0)
                return NULL;
        for (size_t i = 0; i < found.len; i += strlen(found.data + i) + 1)
                value_vec_push(&paths, value_string(found.data + i));
        return value_vec_set(&paths, type_string);
}

static int make_absolute(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        cleanup_free char *base = realpath(q->scope->base_dir ? q->scope->base_dir : ".", NULL);
        if (!base)
                return error_set(
                    err, ERROR_SYSTEM, NULL, "cannot tell the folder that \"%s\" is relative to", q->path);
        cleanup_free char *absolute = path_over_base(base, q->path);
        text_add(out, absolute);
        return 0;
}

static VALUE_OF(abspath)
{
        const char *path = path_argument(call, 0, err);
        struct text out = {0};
        if (path &&
            learn(&(struct question){call->scope, path, NULL}, "absolute", make_absolute, &out, err) == 0)
                return call_text(&out);
        text_release(&out);
        return NULL;
}

static VALUE_OF(basename)
{
        const char *path = path_argument(call, 0, err);
        cleanup_free char *name = path ? path_basename(path) : NULL;
        return name ? value_string(name) : NULL;
}

static VALUE_OF(dirname)
{
        const char *path = path_argument(call, 0, err);
        cleanup_free char *name = path ? path_dirname(path) : NULL;
        return name ? value_string(name) : NULL;
}

static int expand(void *context, struct text *out, struct error **err)
{
        const struct question *q = context;
        cleanup_free char *expanded = path_expand(q->path, err);
        if (expanded) text_add(out, expanded);
        return expanded ? 0 : -1;
}

static VALUE_OF(pathexpand)
{
        const char *path = path_argument(call, 0, err);
        struct text out = {0};
        if (path && learn(&(struct question){call->scope, path, NULL}, "expanded", expand, &out, err) == 0)
                return call_text(&out);
        text_release(&out);
        return NULL;
}

#define OF_PATH(function, summary, example)                                                         \
        {                                                                                           \
                .info = {#function, #function "(path)", summary, example},                          \
                .parameters = {{"path", "string", 0}}, .result = "string", .body = function##_value \
        }

const struct function functions_file[] = {
    OF_PATH(abspath, "The absolute form of a path.", "abspath(\"/a/../b//c\") => \"/b/c\""),
    OF_PATH(basename, "The last element of a path.", "basename(\"foo/bar.txt\") => \"bar.txt\""),
    OF_PATH(dirname, "A path without its last element.", "dirname(\"foo/bar.txt\") => \"foo\""),
    OF_PATH(file, "The text in a file of the project, relative to the template's folder.",
        "file(\"greeting.txt\") => \"Hello, $${name}!\""),
    OF_PATH(filebase64, "The bytes of a file, in base64.",
        "filebase64(\"greeting.txt\") => \"SGVsbG8sICR7bmFtZX0h\""),
    OF_PATH(filebase64sha256, "The SHA-256 of a file, in base64.",
        "filebase64sha256(\"greeting.txt\") => \"4OP+/CyIuV4iHTevsOPE2h4QBz8EbTQW9LZOkcExzpo=\""),
    OF_PATH(filebase64sha512, "The SHA-512 of a file, in base64.",
        "length(filebase64sha512(\"greeting.txt\")) => 88"),
    {.info = {"fileexists", "fileexists(path)", "Whether there is a file at a path.",
         "fileexists(\"greeting.txt\") => true"},
        .parameters = {{"path", "string", 0}},
        .result = "bool",
        .body = fileexists_value},
    OF_PATH(filemd5, "The MD5 of a file, in hexadecimal.",
        "filemd5(\"greeting.txt\") => \"8e147b8c19f76e99063c99dc2a144f5d\""),
    {.info = {"fileset", "fileset(path, pattern)",
         "The files below a folder that match a pattern of *, ?, [], {} and **.",
         "fileset(\".\", \"*.{txt,md}\") => toset([\"greeting.txt\"])"},
        .parameters = {{"path", "string", 0}, {"pattern", "string", 0}},
        .result = "set(string)",
        .body = fileset_value},
    OF_PATH(filesha1, "The SHA-1 of a file, in hexadecimal.", "length(filesha1(\"greeting.txt\")) => 40"),
    OF_PATH(filesha256, "The SHA-256 of a file, in hexadecimal.",
        "filesha256(\"greeting.txt\") => "
        "\"e0e3fefc2c88b95e221d37afb0e3c4da1e10073f046d3416f4b64e91c131ce9a\""),
    OF_PATH(
        filesha512, "The SHA-512 of a file, in hexadecimal.", "length(filesha512(\"greeting.txt\")) => 128"),
    OF_PATH(pathexpand, "A path with a leading ~ replaced by the home folder.",
        "pathexpand(\"/x/~\") => \"/x/~\""),
    {.info = {"templatefile", "templatefile(path, vars)", "A file taken as a template over the variables.",
         "templatefile(\"greeting.txt\", {name = \"Ada\"}) => \"Hello, Ada!\""},
        .parameters = {{"path", "string", 0}, {"vars", "any", PARAM_SHALLOW | PARAM_SENSITIVE}},
        .result_type = templatefile_type,
        .body = templatefile_value},
    {.info = {0}},
};
