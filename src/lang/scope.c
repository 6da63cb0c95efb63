/* A scope whose roots are the attributes of one object value, and whether an expression names what is there. */
#include "base/text.h"
#include "lang/expr.h"

static struct value *resolve(void *context, const char *root, const struct value *key, const char *next,
    int *consumed, struct error **err)
{
        (void)key;
        (void)next;
        (void)err;
        const struct value *v = context ? value_get(context, root) : NULL;
        *consumed = 0;
        if (v == NULL) return NULL;
        return value_is_sensitive(context) ? value_sensitive(v, true) : value_ref(v);
}

static void names(void *context, void (*each)(void *sink, const char *name), void *sink)
{
        for (size_t i = 0; context != NULL && i < value_count(context); i++)
                each(sink, value_key_at(context, i));
}

void scope_over_object(struct scope *scope, const struct value *roots)
{
        *scope = (struct scope){.resolve = resolve, .names = names, .context = (void *)roots};
}

/* --- checking --- */

struct check {
        const struct value *roots;
        struct error **err;
};

/* The nearest of the keys, as "; did you mean …?", or nothing. Caller frees. */
static char *hint(const struct value *object, const char *name, const char *prefix)
{
        size_t count = object ? value_count(object) : 0;
        cleanup_free const char **keys = mem_alloc(count * sizeof *keys);
        for (size_t i = 0; i < count; i++) keys[i] = value_key_at(object, i);
        const char *near = text_suggest(name, keys, count);
        return near ? mem_printf("; did you mean '%s%s'?", prefix, near) : mem_strdup("");
}

/* Roots that only gather what has names of its own. */
static bool is_namespace(const char *root)
{
        return text_equal(root, "local") || text_equal(root, "param") || text_equal(root, "lookup");
}

static void check_reference(void *context, const struct reference *r)
{
        const struct check *c = context;
        const struct value *root = c->roots ? value_get(c->roots, r->root) : NULL;
        if (root == NULL) {
                cleanup_free char *near = hint(c->roots, r->root, "");
                error_set(c->err, ERROR_INPUT, &r->place, "there is no '%s' here%s", r->root, near);
        } else if (is_namespace(r->root) && (r->step_count == 0 || !r->steps[0].is_attribute)) {
                error_set(c->err, ERROR_INPUT, &r->place, "'%s' is no value by itself; write %s.NAME",
                    r->root, r->root);
        } else if (is_namespace(r->root) && value_get(root, r->steps[0].name) == NULL) {
                cleanup_free char *prefix = mem_printf("%s.", r->root);
                cleanup_free char *near = hint(root, r->steps[0].name, prefix);
                error_set(c->err, ERROR_INPUT, &r->place, "there is no '%s.%s' here%s", r->root,
                    r->steps[0].name, near);
        }
}

int scope_check(const struct expr *e, const struct value *roots, struct error **err)
{
        struct check check = {roots, err};
        size_t before = error_count(*err);
        expr_references(e, check_reference, &check);
        return error_count(*err) > before ? -1 : 0;
}
