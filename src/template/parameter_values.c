/*
 * Values of the root parameters: from several sources, the later winning, then converted to their types, marked, and checked.
 */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"

struct given { /* the value that wins so far */
        struct value *value;
        struct place place;
        const char *source; /* for messages: "--set", "TUTTI_PARAM_region", or NULL where the place says it */
};

struct values {
        struct loader *loader;
        const struct template *template;
        const char *environment;
        struct given *given; /* one for each parameter */
};

static const char *address_of(struct values *v, const char *name)
{
        return arena_printf(v->loader->scratch, "param.%.130s", name);
}

static void give(
    struct values *v, const struct parameter *p, struct value *steal, struct place place, const char *source)
{
        struct given *g = &v->given[p - v->template->parameters];
        value_free(g->value);
        *g = (struct given){steal, place, source};
}

static const struct parameter *find(
    struct values *v, const char *name, struct place place, const char *source)
{
        const struct parameter *p = template_parameter(v->template, name);
        if (p == NULL)
                loader_problem(v->loader, place, NULL, "%s%sthe template '%s' has no parameter '%.100s'%s",
                    source ? source : "", source ? ": " : "", v->template->name, name,
                    loader_suggest_map(v->loader, name, &v->template->parameter_by_name));
        return p;
}

static void take_map(
    struct values *v, const struct yaml_file *file, const struct yaml_node *map, const char *source)
{
        struct reading in = {
            .loader = v->loader, .file = file, .folder = loader_folder(v->loader->scratch, file->path)};
        if (!keys_is_map(&in, map, "parameters")) return;
        for (uint32_t i = 0; i < map->count; i++) {
                const struct yaml_entry *entry = &map->entries[i];
                const struct parameter *p = find(v, entry->key, yaml_key_place(file, entry), source);
                if (p == NULL) continue;
                in.address = address_of(v, p->name);
                struct value *value = document_value(&in, entry->value, v->environment);
                if (value != NULL)
                        give(v, p, value, yaml_place(file, entry->value), NULL);
                else
                        loader_break(v->loader, p); /* and is not missing as well */
        }
}

static void take_file(struct values *v, const char *path)
{
        const struct yaml_file *file = loader_file(v->loader, path, NULL, NULL);
        if (file != NULL) take_map(v, file, file->root, NULL);
}

/* --- text from variables and --set ----------------------------------------------------------------------------------- */

static struct value *parse_expression(
    struct values *v, const char *text, const struct type *type, struct error **err)
{
        const struct expr *e = expr_parse(v->loader->arena, text, strlen(text), NULL, err);
        if (e == NULL) return NULL;
        struct scope scope;
        scope_over_object(&scope, NULL);
        cleanup(value_free) struct value *raw = expr_eval(e, &scope, err);
        return raw && value_check_attributes(raw, type, err) == 0 ? value_convert(raw, type, err) : NULL;
}

static struct value *parse_yaml(struct values *v, const char *text, const struct type *type)
{
        struct yaml_file file;
        cleanup(error_free) struct error *problem = NULL;
        cleanup(error_free) struct error *all = steal(
            v->loader->problems); /* what fails here is not reported */
        cleanup(value_free) struct value *raw = NULL;
        struct reading in = {.loader = v->loader, .file = &file, .folder = "."};
        if (yaml_read(v->loader->scratch, v->loader->arena, "", text, strlen(text), &file, &problem) == 0)
                raw = document_value(&in, file.root, v->environment);
        error_free(v->loader->problems);
        v->loader->problems = steal(all);
        return raw && value_check_attributes(raw, type, &problem) == 0 ? value_convert(raw, type, &problem)
                                                                       : NULL;
}

/*
 * Text is taken as it stands where the parameter is text; else it is an expression, as in [1, 2] or {a = 1}, or, failing that, YAML, so
 * that [a, b] is a list of texts. Without a declared type, what is neither is text.
 */
static struct value *parse_text(
    struct values *v, const struct parameter *p, const char *text, struct error **err)
{
        if (type_kind(p->type) == TYPE_STRING) return value_string(text);
        cleanup(error_free) struct error *problem = NULL;
        struct value *value = parse_expression(v, text, p->type, &problem);
        if (value == NULL) value = parse_yaml(v, text, p->type);
        if (value == NULL && type_kind(p->type) == TYPE_DYNAMIC) value = value_string(text);
        if (value == NULL) error_move(err, &problem);
        return value;
}

static void take_text(struct values *v, const struct parameter *p, const char *text, const char *source)
{
        cleanup(error_free) struct error *problem = NULL;
        struct place none = {0};
        if (!text_is_utf8(text, strlen(text))) {
                loader_problem(v->loader, none, address_of(v, p->name), "%s is not UTF-8 text", source);
                return;
        }
        struct value *value = parse_text(v, p, text, &problem);
        if (value != NULL) {
                give(v, p, value, none, source);
                return;
        }
        loader_break(v->loader, p);
        /* without the position in the text, and never the text itself: it may be a secret */
        __attribute__((__cleanup__(text_release_cleanup))) struct text type = {0};
        type_text(p->type, &type);
        loader_problem(v->loader, none, address_of(v, p->name), "%s does not give a value of type %s%s%s",
            source, type.data, p->sensitive ? "" : ": ", p->sensitive ? "" : error_message(problem));
}

static void take_variables(struct values *v, const char *const *variables)
{
        static const char prefix[] = "TUTTI_PARAM_";
        for (; variables != NULL && *variables != NULL; variables++) {
                const char *equals = strchr(*variables, '=');
                if (!text_starts(*variables, prefix) || equals == NULL) continue;
                const char *source = arena_strndup(
                    v->loader->scratch, *variables, (size_t)(equals - *variables));
                const struct parameter *p = template_parameter(v->template, source + strlen(prefix));
                if (p != NULL)
                        take_text(v, p, equals + 1, source); /* others may be meant for another environment */
        }
}

static void take_sets(struct values *v, const char *const *sets, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const char *equals = strchr(sets[i], '=');
                struct place none = {0};
                if (equals == NULL || equals == sets[i]) {
                        loader_problem(v->loader, none, NULL, "--set takes name=value");
                        continue;
                }
                const char *name = arena_strndup(v->loader->scratch, sets[i], (size_t)(equals - sets[i]));
                const struct parameter *p = find(v, name, none, "--set");
                if (p != NULL) take_text(v, p, equals + 1, "--set");
        }
}

static void take_fixed(struct values *v, const struct value *fixed)
{
        for (size_t i = 0; i < value_count(fixed); i++) {
                struct place none = {0};
                const struct parameter *p = find(v, value_key_at(fixed, i), none, "the saved plan");
                if (p != NULL) give(v, p, value_ref(value_at(fixed, i)), none, "the saved plan");
        }
}

static void take_recorded(struct values *v, const struct value *recorded)
{
        for (size_t i = 0; recorded != NULL && i < value_count(recorded); i++) {
                const struct parameter *p = template_parameter(v->template, value_key_at(recorded, i));
                struct place none = {0};
                if (p != NULL) give(v, p, value_ref(value_at(recorded, i)), none, "the recorded run");
        }
}

/* --- converting and checking ----------------------------------------------------------------------------------------- */

/* A new reference, or NULL after noting a problem. */
static struct value *settle(struct values *v, const struct parameter *p, const struct given *g)
{
        const char *address = address_of(v, p->name);
        if (loader_is_broken(v->loader, p)) return value_unknown(p->type);
        if (g->value == NULL && p->fallback == NULL) {
                loader_problem(v->loader, p->place, address,
                    "a value is missing: set it in the environment's 'parameters', with --set %s=… "
                    "or TUTTI_PARAM_%s",
                    p->name, p->name);
                return NULL;
        }
        cleanup(error_free) struct error *problem = NULL;
        bool given = g->value != NULL,
             fits = !given || value_check_attributes(g->value, p->type, &problem) == 0;
        cleanup(value_free) struct value *converted = !fits   ? NULL
                                                      : given ? value_convert(g->value, p->type, &problem)
                                                              : value_ref(p->fallback);
        if (converted == NULL) {
                error_context(&problem, "%s%sthe value does not fit the parameter",
                    g->source ? g->source : "", g->source ? ": " : "");
                loader_problems(v->loader, &problem, g->place, address);
                return NULL;
        }
        return p->sensitive ? value_sensitive(converted, true) : steal(converted);
}

static void check_failed(struct values *v, const struct parameter *p, const struct check *check,
    const struct scope *scope, const struct given *g)
{
        cleanup(error_free) struct error *problem = NULL;
        cleanup(value_free) struct value *raw = expr_eval(check->message, scope, &problem);
        cleanup(value_free) struct value *text = raw ? value_convert(raw, type_string, &problem) : NULL;
        bool show = text != NULL && value_is_known(text) && !value_is_null(text) &&
                    !value_has_sensitive(text);
        struct place place = g->place.line > 0 || g->place.file != NULL ? g->place
                             : g->source != NULL                        ? g->place
                                                                        : p->place;
        loader_problem(v->loader, place, address_of(v, p->name), "%s%s%s", g->source ? g->source : "",
            g->source ? ": " : "", show ? value_as_string(text) : "the value does not pass its check");
}

static void run_checks(
    struct values *v, const struct parameter *p, const struct scope *scope, const struct given *g)
{
        for (size_t i = 0; i < p->check_count && !loader_is_broken(v->loader, p); i++) {
                const struct check *check = &p->checks[i];
                cleanup(error_free) struct error *problem = NULL;
                cleanup(value_free) struct value *raw = expr_eval(check->that, scope, &problem);
                cleanup(value_free) struct value *passed = raw ? value_convert(raw, type_bool, &problem)
                                                               : NULL;
                if (passed == NULL) {
                        error_context(&problem, "the check cannot be evaluated");
                        loader_problems(v->loader, &problem, p->place, address_of(v, p->name));
                } else if (!value_is_known(passed) && v->loader->broken.count > 0) {
                        continue; /* it looks at a parameter that is broken */
                } else if (!value_is_known(passed) || value_is_null(passed)) {
                        loader_problem(v->loader, *expr_place(check->that), address_of(v, p->name),
                            "the check gives neither true nor false");
                } else if (!value_as_bool(passed)) {
                        check_failed(v, p, check, scope, g);
                }
        }
}

static const struct value *finish(struct values *v)
{
        const struct template *t = v->template;
        size_t before = error_count(v->loader->problems);
        struct value_builder builder = {0};
        for (size_t i = 0; i < t->parameter_count; i++) {
                struct value *value = settle(v, &t->parameters[i], &v->given[i]);
                if (value != NULL) value_builder_add(&builder, t->parameters[i].name, value);
        }
        const struct value *all = keep_value(v->loader->arena, value_builder_object(&builder));
        value_builder_release(&builder);
        if (error_count(v->loader->problems) > before) return NULL;
        const char *root = "param";
        struct value *param = (struct value *)all;
        cleanup(value_free) struct value *roots = value_object(&root, &param, 1);
        struct scope scope;
        scope_over_object(&scope, roots);
        for (size_t i = 0; i < t->parameter_count; i++)
                run_checks(v, &t->parameters[i], &scope, &v->given[i]);
        return error_count(v->loader->problems) > before ? NULL : all;
}

const struct value *parameter_values(struct loader *loader, const struct template *t,
    const struct yaml_file *file, const struct yaml_node *given, const char *environment,
    const struct parameter_source *source)
{
        static const struct parameter_source nothing;
        if (source == NULL) source = &nothing;
        struct values v = {loader, t, environment, mem_alloc((t->parameter_count + 1) * sizeof *v.given)};
        if (source->fixed != NULL) {
                take_fixed(&v, source->fixed);
        } else {
                take_recorded(&v, source->recorded);
                if (given != NULL) take_map(&v, file, given, NULL);
                for (size_t i = 0; i < source->values_file_count; i++) take_file(&v, source->values_files[i]);
                take_variables(&v, source->variables);
                take_sets(&v, source->sets, source->set_count);
        }
        const struct value *all = finish(&v);
        for (size_t i = 0; i < t->parameter_count; i++) value_free(v.given[i].value);
        free(v.given);
        return all;
}
