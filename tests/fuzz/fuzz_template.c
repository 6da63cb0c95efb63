/*
 * Any bytes as an environment, its template and a values file: loading must end, within its bounds, without a fault.
 *
 * The input is up to three files, separated by a NUL byte; without one, it is an environment in one file. What fails must say why, with
 * a place inside the file; what loads must do so again with the same digest.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/template_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_part(void *context, const char *path, struct text *out, struct error **err)
{
        const struct fixture *f = context;
        size_t which = strcmp(path, "e.yaml") == 0        ? 0
                       : strcmp(path, "values.yaml") == 0 ? 2
                                                          : 1; /* all others are the template */
        if (which >= f->count) return error_set(err, ERROR_MISSING, NULL, "no such file");
        text_addn(out, f->files[which].text, f->files[which].len);
        return 0;
}

static unsigned lines_of(const struct fixture *f)
{
        unsigned most = 1;
        for (size_t i = 0; i < f->count; i++) {
                unsigned lines = 2;
                for (size_t k = 0; k < f->files[i].len; k++) {
                        unsigned char c = (unsigned char)f->files[i].text[k];
                        lines += c == '\n' || c == '\r' || c == 0x85 || c == 0xa8 ||
                                 c == 0xa9; /* also NEL, LS and PS, as YAML has them */
                }
                if (lines > most) most = lines;
        }
        return most;
}

static struct environment *load(struct fixture *f, const struct fixture_types *types, unsigned lines)
{
        static const char *const values[] = {"values.yaml"}, *const sets[] = {"count=3", "name=x"};
        struct parameter_source parameters = {values, f->count > 2 ? 1 : 0, NULL, sets, 2, NULL};
        struct source_reader reader = {read_part, f};
        struct schema_source schemas = {
            .find = fixture_find, .config = fixture_config, .context = (void *)types};
        struct environment *env = NULL;
        cleanup(error_free) struct error *err = NULL;
        int result = environment_load("e.yaml", &reader, &parameters, &schemas, &env, &err);
        if ((result < 0) != (env == NULL) || (result < 0) != (error_count(err) > 0)) abort();
        for (size_t i = 0; i < error_count(err); i++) {
                const struct problem *p = error_at(err, i);
                if (*p->message == '\0' || p->place.line > lines) abort();
        }
        return env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fixture f = {0};
        cleanup_free char *text = mem_dup(data, size);
        for (size_t at = 0; at <= size && f.count < 3;) {
                size_t len = f.count == 2 ? size - at : strnlen(text + at, size - at);
                f.files[f.count++] = (struct fixture_file){"", text + at, len};
                at += len + 1;
        }
        struct fixture_types types;
        fixture_types_init(&types);
        unsigned lines = lines_of(&f);
        struct environment *env = load(&f, &types, lines), *again = env ? load(&f, &types, lines) : NULL;
        if (env != NULL && (again == NULL || memcmp(env->digest, again->digest, 32) != 0)) abort();
        environment_free(again);
        environment_free(env);
        arena_free(types.arena);
        return 0;
}
