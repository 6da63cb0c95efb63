/* Paths into a value; see property_path.h. */
#include "lang/property_path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *property_path_step(const char *path, char **name, size_t *index)
{
        *name = NULL;
        if (*path == '.') path++;
        if (*path == '[' && isdigit((unsigned char)path[1])) {
                char *end = NULL;
                *index = strtoul(path + 1, &end, 10);
                return *end == ']' ? end + 1 : NULL;
        }
        if (*path == '[' && path[1] == '"') {
                const char *end = strchr(path + 2, '"');
                if (end == NULL || end[1] != ']') return NULL;
                *name = mem_strndup(path + 2, (size_t)(end - path - 2));
                return end + 2;
        }
        size_t len = strcspn(path, ".[");
        if (len == 0) return NULL;
        *name = mem_strndup(path, len);
        return path + len;
}

static char *no_entry(const struct type *type, const char *name)
{
        struct text t = {0};
        text_addf(&t, "there is no attribute '%s' in ", name);
        type_text(type, &t);
        return text_steal(&t);
}

/* The type of what a step leads to; NULL with why. */
static const struct type *stepped(const struct type *type, const char *name, size_t index, char **why)
{
        enum type_kind kind = type_kind(type);
        bool keyed = kind == TYPE_MAP || kind == TYPE_OBJECT, row = kind == TYPE_LIST || kind == TYPE_TUPLE;
        const struct type_attribute *a = name && kind == TYPE_OBJECT ? type_attribute(type, name) : NULL;
        if (kind == TYPE_DYNAMIC) return type;
        if (name == NULL && kind == TYPE_LIST) return type_element(type);
        if (name == NULL && kind == TYPE_TUPLE && index < type_count(type)) return type_at(type, index);
        if (name != NULL && kind == TYPE_MAP) return type_element(type);
        if (a != NULL) return a->type;
        if (name != NULL && kind == TYPE_OBJECT)
                *why = no_entry(type, name);
        else if (name == NULL && row)
                *why = mem_printf("there is no element %zu", index);
        else if (keyed)
                *why = mem_printf("[%zu] is no key; keys are written [\"key\"]", index);
        else if (row)
                *why = mem_printf("'%s' is no index; elements are written [0], [1], …", name);
        else if (kind == TYPE_SET)
                *why = mem_strdup("the elements of a set have no place");
        else
                *why = mem_printf(
                    "nothing is inside it; a key that holds dots is written [\"a.%s\"]", name ? name : "b");
        return NULL;
}

bool property_path_leads(const struct type *type, const char *path, char **why)
{
        *why = NULL;
        while (*path != '\0') {
                char *name;
                size_t index = 0;
                const char *rest = property_path_step(path, &name, &index);
                if (rest == NULL)
                        *why = mem_strdup("it is no path; one is written labels[\"key\"], rules[0].port");
                else
                        type = stepped(type, name, index, why);
                free(name);
                if (rest == NULL || type == NULL) return false;
                path = rest;
        }
        return true;
}
