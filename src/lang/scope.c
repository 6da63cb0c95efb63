/* A scope whose roots are the attributes of one object value. */
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
