/* tutti check: everything that can be found wrong without touching a cloud. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

int cmd_check(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        /* Building the plan without reading anything finds what only evaluation can: counts, keys, conversions. */
        cleanup(error_free) struct error *err = NULL;
        if (session_check(s, &err) < 0) return print_error(o, err);
        const struct template *t = session_environment(s)->template;
        if (o->json)
                printf("{\"environment\":\"%s\",\"problems\":[]}\n", session_name(s));
        else
                printf("%s: environment '%s' is sound: %zu resource%s, %zu lookup%s, %zu output%s.\n",
                    o->args[0], session_name(s), t->resource_count, plural(t->resource_count),
                    t->lookup_count, plural(t->lookup_count), t->output_count, plural(t->output_count));
        return EXIT_DONE;
}
