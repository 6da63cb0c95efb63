/* tutti import: takes over an object that exists already. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

static void print_json(const char *address, const char *id)
{
        struct text json = {0};
        text_addc(&json, '{');
        text_add_member(&json, "address", address);
        text_add_member(&json, "id", id);
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

static void print_text(const char *address, const char *id)
{
        printf("Imported ");
        print_safe(stdout, id);
        printf(" as ");
        print_safe(stdout, address);
        printf(". `tutti plan` shows whether the template describes it.\n");
}

int cmd_import(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        if (session_import(s, o->args[1], o->args[2], &err) < 0) return print_error(o, err);
        if (o->json)
                print_json(o->args[1], o->args[2]);
        else
                print_text(o->args[1], o->args[2]);
        return EXIT_DONE;
}
