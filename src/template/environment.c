/*
 * Environment files, and the whole of loading: the file, its template with what is nested in it, the parameters, and the digest that
 * a saved plan is bound to.
 */
#include "template/loader.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

struct environment_reading {
        struct environment *env;
        struct value_builder settings;
        const struct yaml_entry *template, *parameters; /* or NULL */
        bool separate;                                  /* the template is a file of its own */
};

static struct environment_reading *environment_of(const struct reading *in)
{
        return in->into;
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

static void read_name(struct reading *in, const struct yaml_entry *entry)
{
        const char *name = key_text(in, entry);
        if (name == NULL) return;
        environment_of(in)->env->name = name;
        bool good = *name != '\0' && strlen(name) <= NAME_MAX_LEN && strchr("._-/", *name) == NULL;
        for (const char *s = name; *s != '\0' && good; s++)
                good = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
                       strchr("._-/", *s) != NULL;
        if (!good)
                key_problem(in, entry->value,
                    "'%.130s' cannot be the name of an environment: letters, digits, '.', '_', '-' and '/', "
                    "at most %d, beginning with a "
                    "letter or digit",
                    name, NAME_MAX_LEN);
}

static void read_state(struct reading *in, const struct yaml_entry *entry)
{
        environment_of(in)->env->state = key_text(in, entry);
}

static void read_setting(struct reading *in, const struct yaml_entry *entry)
{
        struct value *v = document_value(in, entry->value, environment_of(in)->env->name);
        if (v != NULL) value_builder_add(&environment_of(in)->settings, entry->key, v);
}

static void read_named_approvers(struct reading *in, const struct yaml_entry *entry)
{
        environment_of(in)->env->approvers = approvers_read(in, entry);
}

/* A key of the template: read with it if it stands in this file; else it must not be here. */
static void read_template_key(struct reading *in, const struct yaml_entry *entry)
{
        if (!environment_of(in)->separate) return;
        loader_problem(in->loader, yaml_key_place(in->file, entry), NULL,
            "'%s' belongs in the template %s: beside 'template: FILE', an environment gives 'parameters' and "
            "no parts of its own",
            entry->key, environment_of(in)->template->value->text);
}

static const struct key environment_keys[] = {
    {"environment", read_name},
    {"template", NULL},
    {"parameters", NULL},
    {"state", read_state},
    {"notify", NULL}, /* after the parameters, which it may refer to */
    {"approvers", read_named_approvers},
    {"schedule", read_setting},
    {"triggers", read_setting},
    {"description", read_template_key},
    {"providers", read_template_key},
    {"lookups", read_template_key},
    {"locals", read_template_key},
    {"resources", read_template_key},
    {"outputs", read_template_key},
};

static bool is_environment(struct reading *in)
{
        const struct yaml_node *root = in->file->root;
        struct place place = yaml_place(in->file, root);
        if (root->kind != YAML_MAP) {
                loader_problem(in->loader, place, NULL,
                    "an environment is a map with the key 'environment', not %s", yaml_kind_name(root));
                return false;
        }
        if (yaml_get(root, "environment") != NULL) return true;
        if (yaml_get(root, "resources") != NULL || yaml_get(root, "template") != NULL)
                loader_problem(in->loader, place, NULL,
                    "this is a template, not an environment; write a file with 'environment: NAME' and "
                    "'template: %s', or put "
                    "'environment: NAME' in place of 'template' here",
                    in->file->path);
        else {
                const char *names[16];
                for (uint32_t i = 0; i < root->count && i < 16; i++) names[i] = root->entries[i].key;
                const char *meant = text_suggest("environment", names, root->count < 16 ? root->count : 16);
                loader_problem(in->loader, place, NULL,
                    "the key 'environment' with the environment's name is missing%s%s%s",
                    meant ? "; is '" : "", meant ? meant : "", meant ? "' meant to be it?" : "");
        }
        return false;
}

/* --- the template and the values ------------------------------------------------------------------------------------- */

static const struct template *read_template(struct reading *in)
{
        const struct environment_reading *e = environment_of(in);
        if (!e->separate) {
                in->loader->nesting[in->loader->nesting_depth++] = in->file->path;
                struct template *t = template_read(in->loader, in->file, e->env->name, true);
                in->loader->nesting_depth--;
                return t;
        }
        const char *path = key_text(in, e->template);
        if (path == NULL) return NULL;
        struct template *t = template_load(in->loader, loader_path(in->loader->arena, in->folder, path),
            yaml_place(in->file, e->template->value), NULL);
        return t;
}

/* The gates of all templates that were read, each template once. */
static void check_approvers(struct loader *loader, const struct environment *env)
{
        if (env->template == NULL) return;
        bool root = false;
        for (map_foreach (&loader->templates, e)) {
                root |= e->value == env->template;
                if (e->value != NULL) approvers_check(loader, e->value, env->approvers);
        }
        if (!root) approvers_check(loader, env->template, env->approvers);
}

static void read_environment(struct loader *loader, const struct yaml_file *file,
    const struct parameter_source *source, struct environment *env)
{
        struct environment_reading e = {.env = env};
        struct reading in = {
            .loader = loader, .file = file, .folder = loader_folder(loader->arena, file->path), .into = &e};
        if (!is_environment(&in)) return;
        e.template = yaml_get(file->root, "template");
        e.parameters = yaml_get(file->root, "parameters");
        e.separate = e.template != NULL;
        env->file = file->path;
        env->folder = in.folder;
        keys_read(&in, file->root, "an environment", environment_keys,
            sizeof environment_keys / sizeof environment_keys[0]);
        env->template = read_template(&in);
        check_approvers(loader, env);
        loader->lasting = loader->source_count;
        const struct yaml_node *given = e.separate && e.parameters ? e.parameters->value : NULL;
        if (env->template != NULL)
                env->parameters = parameter_values(loader, env->template, file, given, env->name, source);
        const struct yaml_entry *notify = yaml_get(file->root, "notify");
        if (notify != NULL) notify_read(loader, file, notify->value, env);
        if (e.settings.count > 0) env->settings = keep_value(env->arena, value_builder_object(&e.settings));
        value_builder_release(&e.settings);
}

/* --- the digest ------------------------------------------------------------------------------------------------------ */

static void digest_size(EVP_MD_CTX *md, size_t n)
{
        unsigned char bytes[8];
        for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
        EVP_DigestUpdate(md, bytes, sizeof bytes);
}

/* SHA-256 over each source's length and text in the order of reading, then the digest of the parameters. Paths do not count. */
static void digest(struct environment *env)
{
        unsigned char parameters[32];
        value_digest(env->parameters, parameters);
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) abort(); /* out of memory */
        for (size_t i = 0; i < env->source_count; i++) {
                digest_size(md, env->sources[i].len);
                EVP_DigestUpdate(md, env->sources[i].text, env->sources[i].len);
        }
        EVP_DigestUpdate(md, parameters, sizeof parameters);
        EVP_DigestFinal_ex(md, env->digest, NULL);
        EVP_MD_CTX_free(md);
}

static void drop_source(struct source *source)
{
        mem_wipe((char *)source->text, source->len); /* values of parameters may be secrets */
        free((char *)source->text);
}

int approvers_load(const char *path, const struct source_reader *reader, struct arena *arena,
    const struct approvers **ret, struct error **err)
{
        *ret = NULL;
        cleanup(arena_free) struct arena *scratch = arena_new();
        struct loader loader = {.arena = arena, .scratch = scratch, .reader = reader};
        const struct yaml_file *file = loader_file(&loader, path, NULL, NULL);
        struct reading in = {.loader = &loader, .file = file};
        const struct yaml_entry *entry = file ? yaml_get(file->root, "approvers") : NULL;
        if (entry != NULL && !yaml_absent(entry->value)) *ret = approvers_read(&in, entry);
        int result = loader_report(&loader, err);
        for (size_t i = 0; i < loader.source_count; i++) drop_source(&loader.sources[i]);
        free(loader.sources);
        if (result < 0) *ret = NULL;
        return result;
}

/* A scalar that is written as a text, of a key at the root. */
static char *header_text(const struct yaml_file *file, const char *key)
{
        const struct yaml_entry *entry = yaml_get(file->root, key);
        bool text = entry != NULL && entry->value->kind == YAML_SCALAR && entry->value->core == YAML_STRING;
        return text ? mem_strdup(entry->value->text) : NULL;
}

int environment_header(
    const char *path, const struct source_reader *reader, char **name, char **state, struct error **err)
{
        struct place place = {.file = path};
        cleanup(error_free) struct error *ignored = NULL;
        cleanup(arena_free) struct arena *arena = arena_new();
        struct text text = {0};
        struct yaml_file file = {0};
        *name = *state = NULL;
        int result = reader->read(reader->context, path, &text, err);
        const char *data = text.data ? text.data : "";
        size_t mark = yaml_mark_len(data, text.len);
        if (result == 0) result = yaml_check_bytes(path, data + mark, text.len - mark, err);
        if (result == 0) yaml_read(arena, arena, path, data, text.len, &file, &ignored);
        if (result == 0 && file.root != NULL) *name = header_text(&file, "environment");
        if (result == 0 && *name != NULL) *state = header_text(&file, "state");
        if (result == 0 && *name == NULL && ignored != NULL) result = error_move(err, &ignored);
        if (result == 0 && *name == NULL)
                result = error_set(err, ERROR_INPUT, &place,
                    "is not an environment: it has no readable `environment: NAME`");
        if (text.data != NULL) mem_wipe(text.data, text.len);
        text_release(&text);
        return result;
}

/* --- loading --------------------------------------------------------------------------------------------------------- */

int environment_load(const char *path, const struct source_reader *reader,
    const struct parameter_source *parameters, const struct schema_source *schemas, struct environment **ret,
    struct error **err)
{
        *ret = NULL;
        struct arena *arena = arena_new();
        cleanup(arena_free) struct arena *scratch = arena_new();
        cleanup(environment_free) struct environment *env = arena_alloc(arena, sizeof *env);
        env->arena = arena;
        struct loader loader = {.arena = arena, .scratch = scratch, .reader = reader, .schemas = schemas};
        loader.allow_outside = parameters != NULL && parameters->allow_outside;
        const struct yaml_file *file = loader_file(&loader, path, NULL, NULL);
        if (file != NULL) read_environment(&loader, file, parameters, env);
        env->sources = loader.sources;
        env->source_count = loader.source_count;
        map_release(&loader.templates);
        map_release(&loader.types);
        map_release(&loader.broken);
        if (loader_report(&loader, err) < 0) return -1;
        while (env->source_count > loader.lasting) drop_source(&env->sources[--env->source_count]);
        digest(env);
        *ret = steal(env);
        return 0;
}

void environment_free(struct environment *env)
{
        if (env == NULL) return;
        for (size_t i = 0; i < env->source_count; i++) drop_source(&env->sources[i]);
        free(env->sources);
        arena_free(env->arena);
}
