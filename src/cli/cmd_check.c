/* tutti check: everything that can be found wrong without touching a cloud. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

/* What is no mistake for sure, but looks like one: of a template and those nested in it, each once. */
static void look_over(const struct template *t, struct map *seen, struct error **warnings)
{
        cleanup_free char *key = mem_printf("%p", (const void *)t);
        if (map_has(seen, key)) return;
        map_put_copy(seen, key, (void *)t);
        for (size_t i = 0; i < t->parameter_count; i++) {
                const struct parameter *p = &t->parameters[i];
                cleanup_free char *address = mem_printf("param.%s", p->name);
                struct place place = p->place;
                place.address = address;
                if (!p->used)
                        error_set(
                            warnings, ERROR_INPUT, &place, "nothing in the template uses this parameter");
        }
        for (size_t i = 0; i < t->resource_count; i++)
                if (t->resources[i].nested != NULL) look_over(t->resources[i].nested, seen, warnings);
}

int cmd_check(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        /* Building the plan without reading anything finds what only evaluation can: counts, keys, conversions. */
        cleanup(error_free) struct error *err = NULL;
        if (session_check(s, &err) < 0) return print_error(o, err);
        const struct template *t = session_environment(s)->template;
        cleanup(error_free) struct error *warnings = NULL;
        struct map seen = {0};
        look_over(t, &seen, &warnings);
        map_release(&seen);
        print_warnings(warnings);
        struct text json = {0};
        json_problems(&json, warnings);
        if (o->json)
                printf(
                    "{\"environment\":\"%s\",\"problems\":[],\"warnings\":%s}\n", session_name(s), json.data);
        text_release(&json);
        if (!o->json)
                printf("%s: environment '%s' is sound: %zu resource%s, %zu lookup%s, %zu output%s.\n",
                    o->args[0], session_name(s), t->resource_count, plural(t->resource_count),
                    t->lookup_count, plural(t->lookup_count), t->output_count, plural(t->output_count));
        return EXIT_DONE;
}
