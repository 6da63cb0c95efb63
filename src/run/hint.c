/* Commands to be copied into a shell; see hint.h. */
#include "run/hint.h"

void hint_add(struct text *out, const char *verb, const char *file)
{
        text_addf(out, "tutti %s ", verb);
        text_add_path(out, file);
}

void hint_add_named(
    struct text *out, const char *verb, const char *file, const char *name, const char *options)
{
        bool dash = *name == '-';
        hint_add(out, verb, file);
        if (dash && options != NULL) text_addf(out, " %s", options);
        text_add(out, dash ? " -- " : " ");
        text_add_shell(out, name);
        if (!dash && options != NULL) text_addf(out, " %s", options);
}
