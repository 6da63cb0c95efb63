/* tutti import: takes over an object that exists already. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"

/* The run that began to create something at the address, which nobody knows: a person says that it is this. "" for none. */
static char *ended_run(struct session *s, const char *address)
{
        const struct open_operation *open = map_get(&session_state(s)->open_by_address, address);
        for (; open != NULL; open = open->next)
                if (open->creates && (open->object.id == NULL || *open->object.id == '\0'))
                        return mem_strdup(open->row->run);
        return mem_strdup("");
}

static void print_json(const char *address, const char *id, const char *ended)
{
        struct text json = {0};
        text_addc(&json, '{');
        text_add_member(&json, "address", address);
        text_add_member(&json, "id", id);
        if (*ended != '\0') text_add_member(&json, "ended", ended);
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

static void print_text(const char *address, const char *id, const char *ended)
{
        printf("Imported ");
        print_safe(stdout, id);
        printf(" as ");
        print_safe(stdout, address);
        printf(". `tutti plan` shows whether the template describes it.\n");
        if (*ended == '\0') return;
        printf("It is taken for what run %s began to create there. If that made another object, it is left "
               "in the cloud.\n",
            ended);
}

int cmd_import(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        cleanup_free char *ended = ended_run(s, o->args[1]);
        if (session_import(s, o->args[1], o->args[2], &err) < 0) return print_error(o, err);
        if (o->json)
                print_json(o->args[1], o->args[2], ended);
        else
                print_text(o->args[1], o->args[2], ended);
        return EXIT_DONE;
}
