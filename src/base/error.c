/* Lists of problems: appended in order, never reordered, bounded so that a hostile input cannot flood. */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { PROBLEMS_MAX = 1000 };

struct error {
        struct problem *problems;
        size_t count, capacity;
};

static int append(struct error **err, enum error_kind kind, const struct place *place, char *message)
{
        if (err == NULL || (*err != NULL && (*err)->count >= PROBLEMS_MAX)) {
                free(message);
                return -1;
        }
        if (*err == NULL) *err = mem_alloc(sizeof **err);
        struct problem p = {.kind = kind, .message = message};
        if (place != NULL) {
                p.place = *place;
                p.place.file = mem_strdup(place->file);
                p.place.address = mem_strdup(place->address);
        }
        vec_push((*err)->problems, (*err)->count, (*err)->capacity, p);
        return -1;
}

int error_set(struct error **err, enum error_kind kind, const struct place *place, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        return append(err, kind, place, message);
}

int error_system(struct error **err, int errnum, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        return append(err, ERROR_SYSTEM, NULL, mem_printf("%s: %s", message, strerror(errnum)));
}

int error_internal(struct error **err, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        const char *strict = getenv("TUTTI_STRICT");
        if (strict != NULL && strcmp(strict, "1") == 0) {
                fprintf(stderr, "internal error: %s\n", message);
                abort();
        }
        return append(err, ERROR_SYSTEM, NULL, mem_printf("internal error: %s; please report it", message));
}

int error_context(struct error **err, const char *fmt, ...)
{
        if (err == NULL || *err == NULL) return -1;
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *context = mem_vprintf(fmt, ap);
        va_end(ap);
        for (size_t i = 0; i < (*err)->count; i++) {
                struct problem *p = &(*err)->problems[i];
                char *message = mem_printf("%s: %s", context, p->message);
                free(p->message);
                p->message = message;
        }
        return -1;
}

int error_place(struct error **err, const struct place *place)
{
        if (err == NULL || *err == NULL) return -1;
        for (size_t i = 0; i < (*err)->count; i++) {
                struct place *at = &(*err)->problems[i].place;
                if (at->file == NULL && at->line == 0) {
                        at->file = mem_strdup(place->file);
                        at->line = place->line;
                        at->column = place->column;
                }
                if (at->address == NULL) at->address = mem_strdup(place->address);
        }
        return -1;
}

int error_move(struct error **to, struct error **from)
{
        if (*from == NULL) return 0;
        struct error *source = steal(*from);
        for (size_t i = 0; i < source->count; i++) {
                struct problem *p = &source->problems[i];
                append(to, p->kind, &p->place, steal(p->message));
        }
        error_free(source);
        return -1;
}

void error_free(struct error *err)
{
        if (err == NULL) return;
        for (size_t i = 0; i < err->count; i++) {
                free(err->problems[i].message);
                free((char *)err->problems[i].place.file);
                free((char *)err->problems[i].place.address);
        }
        free(err->problems);
        free(err);
}

size_t error_count(const struct error *err)
{
        return err ? err->count : 0;
}

const struct problem *error_at(const struct error *err, size_t index)
{
        return &err->problems[index];
}

enum error_kind error_kind(const struct error *err)
{
        return err->problems[0].kind;
}

const char *error_message(const struct error *err)
{
        return err ? err->problems[0].message : "";
}

const char *error_kind_name(enum error_kind kind)
{
        static const char *const names[] = {
            [ERROR_INPUT] = "input",
            [ERROR_DENIED] = "denied",
            [ERROR_MISSING] = "missing",
            [ERROR_CONFLICT] = "conflict",
            [ERROR_RETRY] = "retry",
            [ERROR_TIMEOUT] = "timeout",
            [ERROR_CANCELLED] = "cancelled",
            [ERROR_SYSTEM] = "system",
            [ERROR_PROVIDER] = "provider",
            [ERROR_BUSY] = "busy",
        };
        return names[kind];
}

char *error_text(const struct problem *problem)
{
        struct text text = {0};
        const struct place *at = &problem->place;
        if (at->file != NULL) text_addf(&text, "%s:", at->file);
        if (at->line > 0) text_addf(&text, "%u:%u:", at->line, at->column);
        if (text.len > 0) text_add(&text, " ");
        if (at->address != NULL) text_addf(&text, "%s: ", at->address);
        text_add(&text, problem->message);
        return text_steal(&text);
}
