/* Attributes that a value has and its type has not: converting would drop them, so that a slip of the pen says nothing; see value.h. */
#include <string.h>

#include "lang/value.h"

struct looker {
        struct text path;
        struct error **err;
        bool failed;
};

static void look(struct looker *l, const struct value *v, const struct type *to);

static void look_at(
    struct looker *l, const struct value *v, const struct type *to, const char *key, size_t index)
{
        size_t len = l->path.len;
        if (key == NULL)
                text_addf(&l->path, "[%zu]", index);
        else
                text_addf(&l->path, "%s%s", len > 0 ? "." : "", key);
        look(l, v, to);
        l->path.len = len;
        l->path.data[len] = '\0';
}

static void unknown_attribute(struct looker *l, const struct type *to, const char *name)
{
        size_t count = type_count(to);
        cleanup_free const char **names = mem_alloc((count + 1) * sizeof *names);
        for (size_t i = 0; i < count; i++) names[i] = type_attribute_at(to, i)->name;
        const char *near = text_suggest(name, names, count);
        bool at_top = l->path.len == 0;
        l->failed = true;
        error_set(l->err, ERROR_INPUT, NULL, "there is no attribute '%.100s'%s%s%s%s%s", name,
            at_top ? "" : " in ", at_top ? "" : l->path.data, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : "");
}

static void look(struct looker *l, const struct value *v, const struct type *to)
{
        if (!value_is_known(v) || value_is_null(v)) return;
        enum type_kind from = value_kind(v);
        bool keyed = from == TYPE_OBJECT || from == TYPE_MAP;
        switch (type_kind(to)) {
        case TYPE_OBJECT:
                for (size_t i = 0; keyed && i < value_count(v); i++) {
                        const char *key = value_key_at(v, i);
                        const struct type_attribute *a = type_attribute(to, key);
                        if (a == NULL)
                                unknown_attribute(l, to, key);
                        else
                                look_at(l, value_at(v, i), a->type, key, 0);
                }
                break;
        case TYPE_MAP:
                for (size_t i = 0; keyed && i < value_count(v); i++)
                        look_at(l, value_at(v, i), type_element(to), value_key_at(v, i), 0);
                break;
        case TYPE_LIST:
        case TYPE_SET:
                for (size_t i = 0; !keyed && i < value_count(v); i++)
                        look_at(l, value_at(v, i), type_element(to), NULL, i);
                break;
        case TYPE_TUPLE:
                for (size_t i = 0; !keyed && i < value_count(v) && i < type_count(to); i++)
                        look_at(l, value_at(v, i), type_at(to, i), NULL, i);
                break;
        default: break;
        }
}

static bool has_object(const struct type *type)
{
        switch (type_kind(type)) {
        case TYPE_OBJECT: return true;
        case TYPE_MAP:
        case TYPE_LIST:
        case TYPE_SET: return has_object(type_element(type));
        case TYPE_TUPLE:
                for (size_t i = 0; i < type_count(type); i++)
                        if (has_object(type_at(type, i))) return true;
                return false;
        default: return false;
        }
}

int value_check_attributes(const struct value *v, const struct type *to, struct error **err)
{
        if (!has_object(to)) return 0;
        struct looker l = {.err = err};
        look(&l, v, to);
        text_release(&l.path);
        return l.failed ? -1 : 0;
}
