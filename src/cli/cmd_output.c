/* tutti output: what the last run gave. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/render.h"
#include "cli/work.h"

/* One output: a string as it is, so that scripts can use it; anything else as JSON. Asking by name reveals. */
static int print_one(const struct options *o, const struct value *outputs, const char *name)
{
        const struct value *v = outputs ? value_get(outputs, name) : NULL;
        if (v == NULL) {
                cleanup(error_free) struct error *err = NULL;
                error_set(&err, ERROR_MISSING, NULL, "there is no output '%s'", name);
                return print_error(o, err);
        }
        struct text text = {0};
        if (!o->json && value_is_known(v) && !value_is_null(v) && value_kind(v) == TYPE_STRING)
                text_addn(&text, value_as_string(v), value_string_len(v));
        else
                value_json(v, SECRETS_REVEAL, NULL, &text, NULL);
        puts(text.data ? text.data : "");
        text_release(&text);
        return EXIT_DONE;
}

int cmd_output(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        if (s == NULL) return code;
        const struct value *outputs = session_state(s)->outputs;
        if (o->arg_count > 1) return print_one(o, outputs, o->args[1]);
        struct text text = {0};
        if (o->json) {
                output_json(outputs, o->reveal, &text);
                puts(text.data);
        } else {
                for (size_t i = 0; outputs != NULL && i < value_count(outputs); i++) {
                        text_clear(&text);
                        if (o->reveal)
                                value_json(value_at(outputs, i), SECRETS_REVEAL, NULL, &text, NULL);
                        else
                                value_short(value_at(outputs, i), false, 1000, &text);
                        printf("%s = ", value_key_at(outputs, i));
                        print_safe(stdout, text.data);
                        putchar('\n');
                }
        }
        text_release(&text);
        return EXIT_DONE;
}
