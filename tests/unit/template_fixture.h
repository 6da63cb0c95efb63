/*
 * Templates in memory: files by name, a few resource types, and all problems of a load as one text to compare with.
 */
#ifndef TUTTI_TESTS_TEMPLATE_FIXTURE_H
#define TUTTI_TESTS_TEMPLATE_FIXTURE_H

#include <string.h>

#include "base/text.h"
#include "tap.h"
#include "template/template.h"

struct fixture_file {
        const char *path, *text;
        size_t len; /* 0: strlen */
};
struct fixture {
        struct fixture_file files[130];
        size_t count;
        int reads;
};

static inline void fixture_add(struct fixture *f, const char *path, const char *text)
{
        f->files[f->count++] = (struct fixture_file){path, text, strlen(text)};
}

static inline int fixture_read(void *context, const char *path, struct text *out, struct error **err)
{
        struct fixture *f = context;
        f->reads++;
        for (size_t i = 0; i < f->count; i++) {
                if (strcmp(f->files[i].path, path) != 0) continue;
                text_addn(out, f->files[i].text, f->files[i].len);
                return 0;
        }
        return error_set(err, ERROR_MISSING, NULL, "read %s: no such file", path);
}

/* --- types ----------------------------------------------------------------------------------------------------------- */

struct fixture_types {
        struct arena *arena;
        struct schema schemas[8];
        size_t count;
        struct property config[2];
};

static inline void fixture_drop_type(void *type)
{
        type_free(type);
}

static inline struct property fixture_property(
    struct arena *arena, const char *name, const char *type, bool required)
{
        struct place none = {0};
        const struct type *parsed = type_parse(type, strlen(type), &none, NULL);
        arena_defer(arena, fixture_drop_type, (void *)parsed);
        return (struct property){.name = name, .type = parsed, .required = required};
}

/* "name! string; cidr string": sorted by name, `!` for required. */
static inline const struct property *fixture_properties(struct arena *arena, const char *text, size_t *count)
{
        struct property *all = arena_alloc(arena, 16 * sizeof *all);
        char *copy = arena_strdup(arena, text), *save = NULL;
        *count = 0;
        for (char *item = strtok_r(copy, ";", &save); item != NULL; item = strtok_r(NULL, ";", &save)) {
                while (*item == ' ') item++;
                char *space = strchr(item, ' ');
                *space = '\0';
                bool required = space[-1] == '!';
                if (required) space[-1] = '\0';
                all[(*count)++] = fixture_property(arena, item, space + 1, required);
        }
        return all;
}

static inline struct schema *fixture_type(
    struct fixture_types *t, const char *name, const char *properties, const char *outputs)
{
        struct schema *s = &t->schemas[t->count++];
        s->type = name;
        s->properties = fixture_properties(t->arena, properties, &s->property_count);
        s->outputs = fixture_properties(t->arena, outputs, &s->output_count);
        return s;
}

static inline void fixture_types_init(struct fixture_types *t)
{
        *t = (struct fixture_types){.arena = arena_new()};
        fixture_type(t, "sandbox.network", "cidr! string; labels map(string); name! string",
            "id string; status string");
        fixture_type(t, "sandbox.subnet", "cidr string; labels map(string); name! string; network_id! string",
            "id string; status string");
        fixture_type(t, "sandbox.server",
            "name! string; rules list(object({port = number, cidr = optional(string)})); size string; tags "
            "set(string); version string; "
            "volumes number; wait bool",
            "address object({ip = string, port = number}); id string; private_ip string");
        fixture_type(t, "sandbox.image", "most_recent bool; name string", "id string; size number")->lookup =
            true;
        fixture_type(t, "ssh.command", "run! string; unless string", "id string; output string")
            ->acts_on_host = true;
        fixture_type(t, "value", "input any", "id string; output any");
        size_t count;
        memcpy(t->config, fixture_properties(t->arena, "endpoint string; token string", &count),
            sizeof t->config);
}

static inline const struct schema *fixture_find(void *context, const char *type, struct error **err)
{
        struct fixture_types *t = context;
        const char *names[8];
        for (size_t i = 0; i < t->count; i++) {
                if (strcmp(t->schemas[i].type, type) == 0) return &t->schemas[i];
                names[i] = t->schemas[i].type;
        }
        const char *meant = text_suggest(type, names, t->count);
        error_set(err, ERROR_INPUT, NULL, "unknown type '%s'%s%s%s", type, meant ? "; did you mean '" : "",
            meant ? meant : "", meant ? "'?" : "");
        return NULL;
}

static inline const struct property *fixture_config(
    void *context, const char *provider, size_t *count, struct error **err)
{
        struct fixture_types *t = context;
        *count = strcmp(provider, "sandbox") == 0 ? 2 : 0;
        if (*count > 0 || strcmp(provider, "ssh") == 0 || strcmp(provider, "value") == 0) return t->config;
        error_set(err, ERROR_INPUT, NULL, "there is no provider '%s'", provider);
        return NULL;
}

/* --- loading --------------------------------------------------------------------------------------------------------- */

static inline char *fixture_problems(const struct error *err)
{
        struct text all = {0};
        for (size_t i = 0; i < error_count(err); i++) {
                char *line = error_text(error_at(err, i));
                text_addf(&all, "%s%s", i > 0 ? "\n" : "", line);
                free(line);
        }
        return text_steal(&all);
}

/* The environment, or NULL with the problems in *problems (to be freed), one a line. */
static inline struct environment *fixture_load_with(
    struct fixture *f, const char *path, const struct parameter_source *parameters, char **problems)
{
        struct fixture_types types;
        fixture_types_init(&types);
        struct source_reader reader = {fixture_read, f};
        struct schema_source schemas = {.find = fixture_find, .config = fixture_config, .context = &types};
        struct environment *env = NULL;
        cleanup(error_free) struct error *err = NULL;
        int result = environment_load(path, &reader, parameters, &schemas, &env, &err);
        if (problems != NULL) *problems = fixture_problems(err);
        if (result < 0 && env != NULL) printf("# failed, and gave an environment\n");
        if (env == NULL)
                arena_free(types.arena);
        else
                arena_defer(env->arena, (void (*)(void *))arena_free,
                    types.arena); /* schemas outlive the environment */
        return env;
}

/* Loads one file that must be wrong in just these ways. `want` without the file's name before each line. */
static inline void is_wrong(const char *text, const char *want, const char *name)
{
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", text);
        cleanup_free char *got = NULL;
        cleanup(environment_free) struct environment *env = fixture_load_with(&f, "e.yaml", NULL, &got);
        is_str(got, want, name);
        ok(env == NULL, "%s: nothing was loaded", name);
}

static inline struct environment *is_right(const char *text, const char *name)
{
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", text);
        cleanup_free char *got = NULL;
        struct environment *env = fixture_load_with(&f, "e.yaml", NULL, &got);
        is_str(got, "", name);
        return env;
}

#endif
