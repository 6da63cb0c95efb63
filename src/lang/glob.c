/*
 * The files below a folder whose paths match a pattern: a walk down the elements of the pattern.
 */
#include "lang/glob.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/path.h"
#include "lang/unicode.h"

enum { MAX_ENTRIES = 200000, MAX_DEPTH = 64, MAX_ALTERNATIVES = 256, MAX_ELEMENTS = 128 };

/* One character of a class such as [^a-z] at *p, which is behind the bracket: 1, 0 or -1. *p moves behind it. */
static int match_class(const char **p, int32_t point)
{
        const char *c = *p, *end = c + strlen(c);
        bool negated = *c == '^', found = false;
        if (negated) c++;
        for (bool first = true; first || *c != ']'; first = false) {
                int32_t low, high;
                if (*c == ']' || !*c) return -1;
                if (*c == '\\') c++;
                c += unicode_point(c, (size_t)(end - c), &low);
                high = low;
                if (*c == '-' && c[1] && c[1] != ']') {
                        c++;
                        if (*c == '\\') c++;
                        c += unicode_point(c, (size_t)(end - c), &high);
                }
                if (!*c) return -1;
                found = found || (point >= low && point <= high);
        }
        *p = c + 1;
        return found != negated;
}

/* One item other than a star at *p against a character: 1, 0 or -1; *p moves behind the item. */
static int match_item(const char **p, int32_t point)
{
        int32_t literal;
        if (**p == '?') return ++*p, 1;
        if (**p == '[') return ++*p, match_class(p, point);
        if (**p == '\\') ++*p;
        if (!**p) return -1;
        *p += unicode_point(*p, strlen(*p), &literal);
        return literal == point;
}

/* Whether the whole pattern is well-formed, whatever it is matched with. */
static bool is_wellformed(const char *pattern)
{
        while (*pattern) {
                if (*pattern == '*')
                        pattern++;
                else if (match_item(&pattern, 'a') < 0)
                        return false;
        }
        return true;
}

/* On a mismatch it is enough to give the last star one character more. */
int glob_match(const char *pattern, const char *name)
{
        const char *p = pattern, *s = name, *star = NULL, *retry = NULL;
        if (!is_wellformed(pattern)) return -1;
        while (*s) {
                int32_t point;
                if (*p == '*') {
                        star = ++p;
                        retry = s;
                        continue;
                }
                size_t n = unicode_point(s, strlen(s), &point);
                if (*p && match_item(&p, point) == 1) {
                        s += n;
                        continue;
                }
                if (!star) return 0;
                p = star;
                retry += unicode_point(retry, strlen(retry), &point);
                s = retry;
        }
        while (*p == '*') p++;
        return *p == '\0';
}

/* The patterns that an element with braces stands for. False if braces do not pair, or for too many. */
static bool expand_braces(const char *element, struct key_vec *out)
{
        const char *open = strchr(element, '{');
        if (out->count >= MAX_ALTERNATIVES) return false;
        if (!open) {
                key_vec_push(out, element);
                return true;
        }
        const char *close = strchr(open, '}');
        if (!close) return false;
        for (const char *s = open + 1; s <= close;) {
                size_t len = strcspn(s, ",}");
                cleanup_free char *one = mem_printf(
                    "%.*s%.*s%s", (int)(open - element), element, (int)len, s, close + 1);
                if (!expand_braces(one, out)) return false;
                s += len + 1;
        }
        return true;
}

struct element {
        bool any_depth;       /* ** */
        bool up;              /* .. */
        bool literal;         /* no special characters: looked up, not searched for */
        struct key_vec names; /* patterns for one name */
};

struct folder_id { /* of the folders that the walk is in, so that links cannot lead it in circles */
        dev_t device;
        ino_t inode;
};

struct walk {
        const struct scope *scope;
        struct element elements[MAX_ELEMENTS];
        size_t count;
        struct folder_id above[MAX_DEPTH];
        size_t depth;
        size_t entries;
        const char *folder; /* what paths are relative to */
        struct value_vec *paths;
        struct error **err;
};

static int walk_folder(struct walk *w, const char *path, size_t at);

static char *path_below(const char *path, const char *name)
{
        return *path ? mem_printf("%s/%s", path, name) : mem_strdup(name);
}

static enum path_kind kind_below(struct walk *w, const char *path, int *fd)
{
        cleanup_free char *full = mem_printf("%s/%s", w->folder, path);
        cleanup(error_free) struct error *hidden = NULL; /* what may not be read is not listed either */
        return path_open(w->scope, full, fd, &hidden);
}

/* Something that the element `at` matched. */
static int walk_match(struct walk *w, const char *path, size_t at)
{
        if (at + 1 < w->count) return walk_folder(w, path, at + 1);
        if (kind_below(w, path, NULL) == PATH_FILE) value_vec_push(w->paths, value_string(path));
        return 0;
}

static int name_matches(const struct element *e, const char *name)
{
        int any = 0;
        for (size_t i = 0; i < e->names.count && any == 0; i++) any = glob_match(e->names.items[i], name);
        return any;
}

static int walk_entry(struct walk *w, const char *path, const char *name, size_t at)
{
        const struct element *e = &w->elements[at];
        if (++w->entries > MAX_ENTRIES)
                return error_set(
                    w->err, ERROR_INPUT, NULL, "there are more than %d files to look at", MAX_ENTRIES);
        if (!text_is_utf8(name, strlen(name))) return 0;
        cleanup_free char *below = path_below(path, name);
        if (e->any_depth) {
                bool last = at + 1 == w->count;
                if (last && walk_match(w, below, at) < 0) return -1;
                return walk_folder(w, below, at);
        }
        return name_matches(e, name) == 1 ? walk_match(w, below, at) : 0;
}

static int walk_entries(struct walk *w, const char *path, int fd, size_t at)
{
        DIR *folder = fdopendir(fd);
        if (!folder) {
                close(fd);
                return 0;
        }
        int result = 0;
        struct dirent *entry;
        while (result == 0 && (entry = readdir(folder))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
                result = walk_entry(w, path, entry->d_name, at);
        }
        closedir(folder);
        return result;
}

static bool walk_enter(struct walk *w, int fd)
{
        struct stat st;
        if (fstat(fd, &st) < 0 || w->depth == MAX_DEPTH) return false;
        for (size_t i = 0; i < w->depth; i++)
                if (w->above[i].device == st.st_dev && w->above[i].inode == st.st_ino) return false;
        w->above[w->depth++] = (struct folder_id){st.st_dev, st.st_ino};
        return true;
}

/*
 * Matches what is in a folder (if it is one) with the elements from `at` on. Only `**` can go round in circles, by
 * way of links; other elements go down as far as the pattern is long.
 */
static int walk_folder(struct walk *w, const char *path, size_t at)
{
        const struct element *e = &w->elements[at];
        size_t depth = w->depth;
        int fd, result = 0;
        if (e->literal) {
                cleanup_free char *below = path_below(path, e->names.items[0]);
                return walk_match(w, below, at);
        }
        bool folder = kind_below(w, path, &fd) == PATH_FOLDER;
        if (!folder || (e->any_depth && !walk_enter(w, fd))) {
                if (fd >= 0) close(fd);
                return 0;
        }
        if (e->any_depth && at + 1 < w->count) result = walk_folder(w, path, at + 1);
        if (result == 0)
                result = walk_entries(w, path, fd, at);
        else
                close(fd);
        w->depth = depth;
        return result;
}

static int parse_element(struct walk *w, const char *s)
{
        struct element *e = &w->elements[w->count];
        if (strcmp(s, ".") == 0 || !*s) return 0;
        if (strcmp(s, "**") == 0 && w->count && w->elements[w->count - 1].any_depth) return 0;
        if (w->count + 1 >= MAX_ELEMENTS)
                return error_set(w->err, ERROR_INPUT, NULL, "the pattern has too many elements");
        e->up = strcmp(s, "..") == 0;
        if (e->up && w->count && !w->elements[w->count - 1].up)
                return error_set(w->err, ERROR_INPUT, NULL, "a pattern may hold \"..\" only at its start");
        w->count++;
        e->any_depth = strcmp(s, "**") == 0;
        e->literal = !e->any_depth && !strpbrk(s, "*?[{\\");
        bool good = expand_braces(s, &e->names);
        for (size_t i = 0; good && i < e->names.count; i++) good = is_wellformed(e->names.items[i]);
        return good ? 0 : error_set(w->err, ERROR_INPUT, NULL, "syntax error in pattern \"%s\"", s);
}

/* The walk passes over what may not be read; but where it begins must be allowed. */
static int walk_start(const struct walk *w)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text start = {0};
        text_add(&start, w->folder);
        for (size_t i = 0; i < w->count && w->elements[i].up; i++) text_add(&start, "/..");
        return path_open(w->scope, start.data, NULL, w->err) == PATH_FORBIDDEN ? -1 : 0;
}

static void walk_release(struct walk *w)
{
        for (size_t i = 0; i < w->count; i++) key_vec_release(&w->elements[i].names);
}

int glob_files(const struct scope *scope, const char *folder, const char *pattern, struct value_vec *paths,
    struct error **err)
{
        __attribute__((__cleanup__(walk_release))) struct walk w = {
            .scope = scope, .folder = folder, .paths = paths, .err = err};
        while (*pattern) {
                size_t len = strcspn(pattern, "/");
                cleanup_free char *element = mem_strndup(pattern, len);
                if (parse_element(&w, element) < 0) return -1;
                pattern += len + (pattern[len] == '/');
        }
        if (walk_start(&w) < 0) return -1;
        return w.count ? walk_folder(&w, "", 0) : 0;
}
