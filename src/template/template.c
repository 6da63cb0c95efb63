/*
 * Template files: their top-level keys, their order of reading, and files that instantiate others.
 *
 * A file is read once, however often it is instantiated; the result is shared, as it is immutable.
 */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"

/* --- files ----------------------------------------------------------------------------------------------------------- */

const char *loader_folder(struct arena *arena, const char *path)
{
        const char *slash = strrchr(path, '/');
        if (slash == NULL) return ".";
        return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* Appends the segments of `path` to `out`, taking back one for each `..` that has one to take. */
static void add_segments(struct text *out, const char *path)
{
        while (*path != '\0') {
                if (out->data == NULL) text_add(out, ""); /* so that there is a string to look at */
                size_t n = strcspn(path, "/");
                bool up = n == 2 && memcmp(path, "..", 2) == 0, stay = n == 0 || (n == 1 && *path == '.');
                char *last = strrchr(out->data, '/');
                const char *name = last ? last + 1 : out->data;
                bool root = out->len == 1 && *out->data == '/';
                if (up && out->len > 0 && !root && strcmp(name, "..") != 0) {
                        out->len = last == out->data ? 1 : last ? (size_t)(last - out->data) : 0;
                        out->data[out->len] = '\0';
                } else if (!stay && !(up && root)) {
                        if (out->len > 0 && !root) text_addc(out, '/');
                        text_addn(out, path, n);
                }
                path += n + (path[n] == '/');
        }
}

const char *loader_path(struct arena *arena, const char *folder, const char *path)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        if (*path == '/' || *folder == '/') text_addc(&out, '/');
        if (*path != '/') add_segments(&out, folder);
        add_segments(&out, path);
        return out.len > 0 ? arena_strndup(arena, out.data, out.len) : ".";
}

const struct yaml_file *loader_file(
    struct loader *loader, const char *path, const struct place *place, const char *address)
{
        struct place none = {.file = path};
        if (loader->source_count >= FILES_MAX) {
                loader_problem(loader, place ? *place : none, address, "more than %d files", FILES_MAX);
                return NULL;
        }
        struct text text = {0};
        cleanup(error_free) struct error *problem = NULL;
        if (loader->reader->read(loader->reader->context, path, &text, &problem) < 0) {
                text_release(&text);
                loader_problems(loader, &problem, place ? *place : none, address);
                return NULL;
        }
        size_t len = text.len;
        struct source source = {arena_strdup(loader->arena, path), text_steal(&text), len};
        vec_push(loader->sources, loader->source_count, loader->source_capacity, source);
        struct yaml_file *file = arena_alloc(loader->scratch, sizeof *file);
        if (yaml_read(loader->scratch, loader->arena, source.path, source.text, len, file, &problem) < 0) {
                loader_problems(loader, &problem, none, NULL);
                return NULL;
        }
        return file;
}

/* --- locals and outputs ---------------------------------------------------------------------------------------------- */

static void read_name(struct reading *in, const struct yaml_entry *entry)
{
        const char *name = key_text(in, entry);
        if (name != NULL) in->template->name = name;
}

static void read_doc(struct reading *in, const struct yaml_entry *entry)
{
        in->template->doc = key_text(in, entry);
}

static void read_locals(struct reading *in, const struct yaml_entry *entry)
{
        struct template *t = in->template;
        const struct yaml_node *map = entry->value;
        if (!keys_is_map(in, map, "locals")) return;
        t->locals = arena_alloc(in->loader->arena, map->count * sizeof *t->locals);
        t->local_count = map->count;
        for (uint32_t i = 0; i < map->count; i++) {
                struct local_block *local = &t->locals[i];
                key_check_name(in, &map->entries[i], "local");
                local->name = map->entries[i].key;
                local->place = yaml_key_place(in->file, &map->entries[i]);
                struct reading part = *in;
                part.address = arena_printf(in->loader->scratch, "local.%s", local->name);
                local->value = document_expr(&part, map->entries[i].value);
                map_put(&t->local_by_name, local->name, local);
        }
}

static void output_value(struct reading *in, const struct yaml_entry *entry)
{
        ((struct output_block *)in->into)->value = document_expr(in, entry->value);
}

static void output_sensitive(struct reading *in, const struct yaml_entry *entry)
{
        ((struct output_block *)in->into)->sensitive = key_bool(in, entry);
}

static void output_doc(struct reading *in, const struct yaml_entry *entry)
{
        ((struct output_block *)in->into)->doc = key_text(in, entry);
}

static const struct key output_keys[] = {
    {"value", output_value}, {"sensitive", output_sensitive}, {"description", output_doc}};

/* A map with `value` is the long form, in which an unknown key is a mistake (a secret would be shown by one letter); any other node is the value itself. */
static bool is_long_output(const struct yaml_node *node)
{
        return node->kind == YAML_MAP && yaml_get(node, "value") != NULL;
}

static void read_outputs(struct reading *in, const struct yaml_entry *entry)
{
        struct template *t = in->template;
        const struct yaml_node *map = entry->value;
        if (!keys_is_map(in, map, "outputs")) return;
        t->outputs = arena_alloc(in->loader->arena, map->count * sizeof *t->outputs);
        t->output_count = map->count;
        for (uint32_t i = 0; i < map->count; i++) {
                struct output_block *output = &t->outputs[i];
                key_check_name(in, &map->entries[i], "output");
                output->name = map->entries[i].key;
                output->place = yaml_key_place(in->file, &map->entries[i]);
                struct reading part = *in;
                part.address = arena_printf(in->loader->scratch, "output.%s", output->name);
                part.into = output;
                const struct yaml_node *node = map->entries[i].value;
                if (is_long_output(node))
                        keys_read(&part, node, "an output", output_keys, 3);
                else
                        output->value = document_expr(&part, node);
                map_put(&t->output_by_name, output->name, output);
        }
}

/* --- templates ------------------------------------------------------------------------------------------------------- */

const struct key template_keys[] = {
    {"template", read_name},
    {"description", read_doc},
    {"parameters", parameters_read},
    {"providers", providers_read},
    {"lookups", lookups_read},
    {"locals", read_locals},
    {"resources", resources_read},
    {"outputs", read_outputs},
};
const size_t template_key_count = sizeof template_keys / sizeof template_keys[0];

static struct template *template_new(struct loader *loader, const char *path)
{
        struct template *t = arena_alloc(loader->arena, sizeof *t);
        t->file = path;
        t->folder = loader_folder(loader->arena, path);
        keep_map(loader->arena, &t->parameter_by_name);
        keep_map(loader->arena, &t->provider_by_name);
        keep_map(loader->arena, &t->lookup_by_name);
        keep_map(loader->arena, &t->local_by_name);
        keep_map(loader->arena, &t->resource_by_name);
        keep_map(loader->arena, &t->output_by_name);
        return t;
}

static const char *name_of_file(struct arena *arena, const char *path)
{
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        const char *dot = strrchr(base, '.');
        return arena_strndup(arena, base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

struct template *template_read(
    struct loader *loader, const struct yaml_file *file, const char *name, bool in_environment)
{
        struct template *t = template_new(loader, file->path);
        t->name = name ? name : name_of_file(loader->arena, file->path);
        struct reading in = {.loader = loader, .file = file, .folder = t->folder, .template = t};
        if (in_environment) { /* whose own keys are read, and unknown ones reported, by its reader */
                for (size_t k = 1; k < template_key_count; k++) {
                        const struct yaml_entry *entry = yaml_get(file->root, template_keys[k].name);
                        if (entry != NULL) template_keys[k].read(&in, entry);
                }
        } else {
                keys_read(&in, file->root, "a template", template_keys, template_key_count);
        }
        struct links links = {0};
        recovery_check(loader, t);
        references_check(loader, t, &links);
        cycles_check(loader, t, &links);
        free(links.items);
        return t;
}

static bool check_nesting(struct loader *loader, const char *path, struct place place, const char *address)
{
        for (size_t i = 0; i < loader->nesting_depth; i++) {
                if (strcmp(loader->nesting[i], path) != 0) continue;
                __attribute__((__cleanup__(text_release_cleanup))) struct text circle = {0};
                for (size_t k = i; k < loader->nesting_depth; k++)
                        text_addf(&circle, "%s → ", loader->nesting[k]);
                loader_problem(
                    loader, place, address, "templates contain each other: %s%s", circle.data, path);
                return false;
        }
        if (loader->nesting_depth < NESTING_MAX) return true;
        loader_problem(loader, place, address, "templates nest deeper than %d levels", NESTING_MAX);
        return false;
}

struct template *template_load(
    struct loader *loader, const char *path, struct place place, const char *address)
{
        if (!check_nesting(loader, path, place, address)) return NULL;
        if (map_has(&loader->templates, path)) return map_get(&loader->templates, path);
        const struct yaml_file *file = loader_file(loader, path, &place, address);
        struct template *t = NULL;
        if (file != NULL && file->root->kind != YAML_MAP) {
                loader_problem(loader, yaml_place(file, file->root), NULL,
                    "a template is a map with keys such as 'resources', not %s", yaml_kind_name(file->root));
        } else if (file != NULL && yaml_get(file->root, "environment") != NULL) {
                loader_problem(loader, place, address,
                    "%s is an environment, not a template: it has the key 'environment'", path);
        } else if (file != NULL) {
                loader->nesting[loader->nesting_depth++] = path;
                t = template_read(loader, file, NULL, false);
                loader->nesting_depth--;
        }
        map_put(&loader->templates, path, t);
        return t;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

const struct parameter *template_parameter(const struct template *t, const char *name)
{
        return map_get(&t->parameter_by_name, name);
}

const struct provider_block *template_provider(const struct template *t, const char *name)
{
        return map_get(&t->provider_by_name, name);
}

const struct resource *template_lookup(const struct template *t, const char *name)
{
        return map_get(&t->lookup_by_name, name);
}

const struct local_block *template_local(const struct template *t, const char *name)
{
        return map_get(&t->local_by_name, name);
}

const struct resource *template_resource(const struct template *t, const char *name)
{
        return map_get(&t->resource_by_name, name);
}
