/*
 * The table of function tables, and what all calls have in common: counting and converting arguments, nulls,
 * unknowns and marks.
 */
#include "lang/function.h"

#include <string.h>

enum { FUNCTIONS_MAX = 256 };

struct directory {
        const struct function *sorted[FUNCTIONS_MAX];
        size_t count;
};

static int compare_functions(const void *a, const void *b)
{
        const struct function *x = *(const struct function *const *)a,
                              *y = *(const struct function *const *)b;
        return strcmp(x->info.name, y->info.name);
}

/* All functions by name: a constant, worked out when first asked for. */
static const struct directory *directory(void)
{
        static struct directory directory;
        static const struct function *const tables[] = {functions_numeric, functions_string,
            functions_collection, functions_encoding, functions_hash, functions_date, functions_net,
            functions_conversion, functions_file};
        if (directory.count > 0) return &directory;
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
                for (const struct function *f = tables[t];
                     f->info.name != NULL && directory.count < FUNCTIONS_MAX; f++)
                        directory.sorted[directory.count++] = f;
        qsort(directory.sorted, directory.count, sizeof *directory.sorted, compare_functions);
        return &directory;
}

const struct function *function_find(const char *name)
{
        const struct function wanted = {.info = {.name = name}}, *key = &wanted;
        const struct directory *d = directory();
        const struct function *const *found = bsearch(
            &key, d->sorted, d->count, sizeof *d->sorted, compare_functions);
        return found ? *found : NULL;
}

const char *function_suggest(const char *name)
{
        const struct directory *d = directory();
        const char *names[FUNCTIONS_MAX];
        for (size_t i = 0; i < d->count; i++) names[i] = d->sorted[i]->info.name;
        return text_suggest(name, names, d->count);
}

const struct function_info *function_info_at(size_t index)
{
        const struct directory *d = directory();
        return index < d->count ? &d->sorted[index]->info : NULL;
}

/* A type written in a table. A new reference. */
static const struct type *table_type(const char *text)
{
        if (text_equal(text, "any")) return type_dynamic;
        if (text_equal(text, "string")) return type_string;
        if (text_equal(text, "number")) return type_number;
        if (text_equal(text, "bool")) return type_bool;
        return type_parse(text, strlen(text), NULL, NULL);
}

static size_t fixed_parameters(const struct function *f)
{
        size_t count = 0, max = sizeof f->parameters / sizeof *f->parameters;
        while (count < max && f->parameters[count].name != NULL) count++;
        return count;
}

static int check_count(const struct function *f, size_t count, struct error **err)
{
        size_t fixed = fixed_parameters(f);
        bool rest = f->rest.name != NULL;
        if (count == fixed || (count > fixed && rest)) return 0;
        const char *plural = fixed == 1 ? "" : "s";
        if (count < fixed)
                return error_set(err, ERROR_INPUT, NULL,
                    "takes %s%zu argument%s, not %zu: \"%s\" is missing; %s", rest ? "at least " : "", fixed,
                    plural, count, f->parameters[count].name, f->info.signature);
        return error_set(err, ERROR_INPUT, NULL, "takes %zu argument%s, not %zu; %s", fixed, plural, count,
            f->info.signature);
}

/* What is known of the arguments together. */
struct summary {
        bool unknown, untyped, sensitive;
};

/* What went wrong with a sensitive argument could give it away: only that it did is told. Takes *problem. */
static void report(struct error **problem, bool secret, const char *what, struct error **err)
{
        if (*problem != NULL && secret) {
                error_set(err, error_kind(*problem), NULL,
                    "%s; why is not shown, as an argument is sensitive", what);
                error_free(steal(*problem));
        }
        error_move(err, problem);
}

/* One argument as the body wants it. A new reference. */
static struct value *prepare(
    const struct function_parameter *p, const struct value *v, struct summary *summary, struct error **err)
{
        if (value_is_null(v) && !(p->flags & PARAM_NULL)) {
                error_set(err, ERROR_INPUT, NULL, "argument \"%s\" must not be null", p->name);
                return NULL;
        }
        bool keeps_mark = (p->flags & PARAM_SENSITIVE) != 0;
        summary->sensitive |= !keeps_mark && value_has_sensitive(v);
        cleanup(value_free) struct value *plain = keeps_mark ? value_ref(v) : value_unmarked(v);
        struct value *converted = NULL;
        if (text_equal(p->type, "any")) {
                converted = steal(plain);
        } else {
                cleanup(type_free) const struct type *type = table_type(p->type);
                struct error *problem = NULL;
                converted = value_convert(plain, type, &problem);
                cleanup_free char *what = NULL;
                if (problem != NULL) what = mem_printf("argument \"%s\" is not a %s", p->name, p->type);
                error_context(&problem, "argument \"%s\"", p->name);
                report(&problem, value_has_sensitive(v), what, err);
                if (converted == NULL) return NULL;
        }
        if (!(p->flags & PARAM_UNKNOWN)) {
                bool shallow = (p->flags & PARAM_SHALLOW) != 0;
                summary->unknown |= shallow ? !value_is_known(converted) : !value_is_wholly_known(converted);
                summary->untyped |= !value_is_known(converted) && value_kind(converted) == TYPE_DYNAMIC;
        }
        return converted;
}

static struct value *invoke(
    const struct function *f, struct call *call, const struct summary *summary, struct error **err)
{
        if (summary->untyped && f->result == NULL) return value_unknown(type_dynamic);
        cleanup(type_free) const struct type *result = f->result        ? table_type(f->result)
                                                       : f->result_type ? f->result_type(call, err)
                                                                        : type_dynamic;
        if (result == NULL) return NULL;
        if (summary->unknown) return f->result ? value_unknown_present(result) : value_unknown(result);
        call->result = result;
        return f->body(call, err);
}

struct value *function_call(const struct function *f, const struct scope *scope, struct value *const *args,
    size_t arg_count, struct error **err)
{
        struct summary summary = {0};
        struct value *few[8];
        if (check_count(f, arg_count, err) < 0) return NULL;
        cleanup_free struct value **many = arg_count > 8 ? mem_alloc(arg_count * sizeof *many) : NULL;
        struct value **prepared = many ? many : few;
        size_t fixed = fixed_parameters(f), made = 0;
        while (made < arg_count) {
                const struct function_parameter *p = made < fixed ? &f->parameters[made] : &f->rest;
                prepared[made] = prepare(p, args[made], &summary, err);
                if (prepared[made] == NULL) break;
                made++;
        }
        struct value *v = NULL;
        if (made == arg_count) {
                struct call call = {.scope = scope, .args = prepared, .arg_count = arg_count};
                struct error *problem = NULL;
                v = invoke(f, &call, &summary, &problem);
                bool secret = false;
                for (size_t i = 0; problem && i < arg_count; i++) secret |= value_has_sensitive(args[i]);
                report(&problem, secret, "failed", err);
        }
        for (size_t i = 0; i < made; i++) value_free(prepared[i]);
        if (v == NULL || !summary.sensitive) return v;
        struct value *marked = value_sensitive(v, true);
        value_free(v);
        return marked;
}
