/* Problems of all files: noted as they are found, in whatever pass, and reported in the order of the files. */
#include "template/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* So many candidates are compared in all; after that, mistakes are reported without a suggestion. */
enum { SUGGESTIONS_MAX = 1000000 };

void loader_problem(struct loader *loader, struct place place, const char *address, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        if (address != NULL) place.address = address;
        error_set(&loader->problems, ERROR_INPUT, &place, "%s", message);
}

void loader_problems(struct loader *loader, struct error **from, struct place place, const char *address)
{
        place.address = address;
        error_place(from, &place);
        error_move(&loader->problems, from);
}

const char *loader_suggest(
    struct loader *loader, const char *name, const char *const *candidates, size_t count)
{
        if (loader->suggestions + count > SUGGESTIONS_MAX) return "";
        loader->suggestions += count;
        const char *meant = text_suggest(name, candidates, count);
        return meant ? arena_printf(loader->scratch, "; did you mean '%s'?", meant) : "";
}

const char *loader_suggest_map(struct loader *loader, const char *name, const struct map *candidates)
{
        if (loader->suggestions + candidates->count > SUGGESTIONS_MAX) return "";
        cleanup_free const char **names = mem_alloc(candidates->count * sizeof *names);
        size_t count = 0;
        for (map_foreach (candidates, entry)) names[count++] = entry->key;
        return loader_suggest(loader, name, names, count);
}

void loader_break(struct loader *loader, const struct parameter *p)
{
        map_put(&loader->broken, arena_printf(loader->scratch, "%p", (const void *)p), loader);
}

bool loader_is_broken(const struct loader *loader, const struct parameter *p)
{
        char key[32];
        snprintf(key, sizeof key, "%p", (const void *)p);
        return map_has(&loader->broken, key);
}

struct ranked {
        const struct problem *problem;
        size_t file, index;
};

static int compare(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;
        const struct place *p = &x->problem->place, *q = &y->problem->place;
        if (x->file != y->file) return x->file < y->file ? -1 : 1;
        if (p->line != q->line) return p->line < q->line ? -1 : 1;
        if (p->column != q->column) return p->column < q->column ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

static size_t file_rank(const struct loader *loader, const char *file)
{
        for (size_t i = 0; file != NULL && i < loader->source_count; i++)
                if (strcmp(loader->sources[i].path, file) == 0) return i + 1;
        return file == NULL ? 0 : loader->source_count + 1;
}

int loader_report(struct loader *loader, struct error **err)
{
        size_t count = error_count(loader->problems);
        if (count == 0) return 0;
        cleanup_free struct ranked *all = mem_alloc(count * sizeof *all);
        for (size_t i = 0; i < count; i++) {
                const struct problem *p = error_at(loader->problems, i);
                all[i] = (struct ranked){p, file_rank(loader, p->place.file), i};
        }
        qsort(all, count, sizeof *all, compare);
        for (size_t i = 0; i < count; i++) {
                const struct problem *p = all[i].problem, *before = i > 0 ? all[i - 1].problem : NULL;
                bool same = before != NULL &&
                            compare(&(struct ranked){p, all[i].file, 0},
                                &(struct ranked){before, all[i - 1].file, 0}) == 0 &&
                            strcmp(p->message, before->message) == 0 && p->place.line > 0;
                if (!same)
                        error_set(err, p->kind, &p->place, "%s", p->message); /* aliases repeat a mistake */
        }
        error_free(steal(loader->problems));
        return -1;
}
