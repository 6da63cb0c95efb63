/* tutti import: takes over an object that exists already. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

int cmd_import(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        if (session_import(s, o->args[1], o->args[2], &err) < 0) return print_error(o, err);
        if (o->json)
                printf("{\"address\":\"%s\",\"id\":\"%s\"}\n", o->args[1], o->args[2]);
        else
                printf("Imported %s as %s. `tutti plan` shows whether the template describes it.\n",
                    o->args[2], o->args[1]);
        return EXIT_DONE;
}
