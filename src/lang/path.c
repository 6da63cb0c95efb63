/*
 * Paths as file functions take them. Where a path leads is checked on the open file itself, so that nothing can
 * be exchanged between check and use.
 */
#include "lang/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"

/* Drops the last element of a cleaned path in the making; false if there is none that can be dropped. */
static bool drop_last(struct text *t, size_t root)
{
        size_t start = t->len;
        while (start > root && t->data[start - 1] != '/') start--;
        if (start == t->len || strcmp(t->data + start, "..") == 0) return false;
        t->len = start > root ? start - 1 : start;
        t->data[t->len] = '\0';
        return true;
}

char *path_clean(const char *path)
{
        struct text t = {0};
        bool rooted = *path == '/';
        text_add(&t, rooted ? "/" : "");
        for (const char *s = path; *s;) {
                size_t len = strcspn(s, "/");
                bool up = len == 2 && memcmp(s, "..", 2) == 0, here = len == 0 || (len == 1 && *s == '.');
                bool dropped = up && (drop_last(&t, rooted) || rooted);
                if (!here && !dropped) {
                        if (t.len > rooted) text_addc(&t, '/');
                        text_addn(&t, s, len);
                }
                s += len + (s[len] == '/');
        }
        if (t.len == 0) text_addc(&t, '.');
        return text_steal(&t);
}

char *path_dirname(const char *path)
{
        const char *slash = strrchr(path, '/');
        cleanup_free char *folder = mem_strndup(path, slash ? (size_t)(slash + 1 - path) : 0);
        return path_clean(folder);
}

char *path_basename(const char *path)
{
        size_t end = strlen(path);
        if (end == 0) return mem_strdup(".");
        while (end > 0 && path[end - 1] == '/') end--;
        if (end == 0) return mem_strdup("/");
        size_t start = end;
        while (start > 0 && path[start - 1] != '/') start--;
        return mem_strndup(path + start, end - start);
}

char *path_expand(const char *path, struct error **err)
{
        if (*path != '~') return mem_strdup(path);
        if (path[1] && path[1] != '/') {
                error_set(err, ERROR_INPUT, NULL, "cannot expand user-specific home folder in \"%s\"", path);
                return NULL;
        }
        const char *home = getenv("HOME");
        if (home && *home) return mem_printf("%s%s", home, path + 1);
        char buffer[4096];
        struct passwd entry, *found = NULL;
        if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found)
                return mem_printf("%s%s", entry.pw_dir, path + 1);
        error_set(err, ERROR_SYSTEM, NULL, "cannot tell the home folder: HOME is not set");
        return NULL;
}

char *path_over_base(const char *base, const char *path)
{
        cleanup_free char *joined = *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", base, path);
        return path_clean(joined);
}

static bool path_inside(const char *path, const char *root)
{
        size_t len = strlen(root);
        if (strcmp(root, "/") == 0) return true;
        return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Whether the open file stands where the scope allows. */
static bool path_allowed(const struct scope *scope, const char *real)
{
        if (scope->allow_outside) return true;
        cleanup_free char *root = realpath(scope->root_dir ? scope->root_dir : scope->base_dir, NULL);
        return root != NULL && path_inside(real, root);
}

/* What is not there is nobody's business either, where nothing may be read. */
static bool path_may_be_missed(const struct scope *scope, const char *expanded)
{
        const char *root = scope->root_dir ? scope->root_dir : scope->base_dir;
        cleanup_free char *real_root = realpath(root, NULL), *real_base = realpath(scope->base_dir, NULL);
        cleanup_free char *clean = real_base ? path_over_base(real_base, expanded) : NULL,
                          *named = path_clean(root);
        if (scope->allow_outside || clean == NULL || real_root == NULL) return true;
        return path_inside(clean, real_root) || (*named == '/' && path_inside(clean, named));
}

/* The folder of the state, with the key that opens its secrets: whatever else may be read, that may not. */
static bool path_is_state(const char *real)
{
        for (const char *at = real; (at = strstr(at, "/.tutti")) != NULL;) {
                at += strlen("/.tutti");
                if (*at == '/' || *at == '\0') return true;
        }
        return false;
}

static enum path_kind path_kind_of(mode_t mode)
{
        return S_ISREG(mode) ? PATH_FILE : S_ISDIR(mode) ? PATH_FOLDER : PATH_OTHER;
}

/* Opens for reading what is already open as a mere place. */
static int path_reopen(int place)
{
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", place);
        return open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int path_outside(const char *path, struct error **err)
{
        return error_set(err, ERROR_DENIED, NULL,
            "the path \"%s\" leads outside of the project; files there may not be read", path);
}

/* Where the open file stands, without links. */
static bool path_of_open(int fd, char *real, size_t size)
{
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, real, size - 1);
        if (len > 0) real[len] = '\0';
        return len > 0;
}

enum path_kind path_open(const struct scope *scope, const char *path, int *fd, struct error **err)
{
        if (fd) *fd = -1;
        if (!scope->base_dir)
                return (enum path_kind)error_set(err, ERROR_INPUT, NULL, "files cannot be read here");
        cleanup_free char *expanded = path_expand(path, err);
        if (!expanded) return PATH_FORBIDDEN;
        cleanup_free char *absolute = *expanded == '/' ? mem_strdup(expanded)
                                                       : mem_printf("%s/%s", scope->base_dir, expanded);

        int place = fault_here("file-open") ? -1 : open(absolute, O_PATH | O_CLOEXEC);
        if (place < 0 && (errno == ENOENT || errno == ENOTDIR) && path_may_be_missed(scope, expanded))
                return PATH_NONE;
        if (place < 0 && !path_may_be_missed(scope, expanded)) return (enum path_kind)path_outside(path, err);
        if (place < 0) return (enum path_kind)error_system(err, errno, "cannot open \"%s\"", path);
        struct stat st;
        char real[4096];
        enum path_kind kind = PATH_FORBIDDEN;
        bool placed = path_of_open(place, real, sizeof real);
        if (!placed || !path_allowed(scope, real))
                path_outside(path, err);
        else if (path_is_state(real))
                error_set(err, ERROR_DENIED, NULL,
                    "the path \"%s\" leads into the folder of the state; files there may not be read", path);
        else if (fstat(place, &st) < 0)
                error_system(err, errno, "cannot look up \"%s\"", path);
        else
                kind = path_kind_of(st.st_mode);
        if (fd && (kind == PATH_FILE || kind == PATH_FOLDER)) {
                *fd = path_reopen(place);
                if (*fd < 0) kind = (enum path_kind)error_system(err, errno, "cannot open \"%s\"", path);
        }
        close(place);
        return kind;
}
