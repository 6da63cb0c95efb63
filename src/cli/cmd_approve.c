/* tutti approve: answers a gate of a waiting or running run, from any terminal. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/work.h"
#include "run/session.h"

static const struct gate_row *find_waiting(const struct gate_row *gates, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(gates[i].name, name) == 0) return &gates[i];
        return NULL;
}

static int check_approver(const struct gate_row *gate, const char *by, struct error **err)
{
        json_t *details = json_loads(gate->details ? gate->details : "{}", 0, NULL);
        const json_t *approvers = json_object_get(details, "approvers");
        bool may = json_array_size(approvers) == 0;
        struct text names = {0};
        for (size_t i = 0; i < json_array_size(approvers); i++) {
                const char *name = json_string_value(json_array_get(approvers, i));
                if (name == NULL) continue;
                may |= strcmp(name, by) == 0;
                text_addf(&names, "%s%s", names.len ? ", " : "", name);
        }
        int result = may ? 0
                         : error_set(err, ERROR_DENIED, NULL,
                               "%s may not answer gate '%s'; its approvers are: %s", by, gate->name,
                               names.data);
        text_release(&names);
        json_decref(details);
        return result;
}

/* The word that answers this gate: a question takes one of its choices, any other approval or rejection. NULL with an error. */
static const char *word_for(const struct gate_row *gate, const struct options *o, struct error **err)
{
        json_t *details = json_loads(gate->details ? gate->details : "{}", 0, NULL);
        const json_t *choices = json_object_get(details, "choices");
        struct text names = {0};
        bool may = false;
        for (size_t i = 0; i < json_array_size(choices); i++) {
                const char *name = json_string_value(json_array_get(choices, i));
                if (name == NULL) continue;
                size_t len = strlen(name);
                may |= o->answer != NULL && strncmp(o->answer, name, len) == 0 &&
                       (o->answer[len] == '\0' || (strcmp(name, "adopt") == 0 && o->answer[len] == ' '));
                text_addf(&names, "%s%s", names.len ? ", " : "", name);
        }
        const char *word = o->answer;
        if (choices == NULL && o->answer != NULL) {
                error_set(err, ERROR_INPUT, NULL, "gate '%s' is approved or rejected: it takes no --answer",
                    gate->name);
                word = NULL;
        } else if (choices == NULL) {
                word = o->reject ? "rejected" : "approved";
        } else if (!may) {
                error_set(err, ERROR_INPUT, NULL,
                    "'%s' asks what is to become of a step: give --answer with one of: %s", gate->name,
                    names.data);
                word = NULL;
        }
        text_release(&names);
        json_decref(details);
        return word;
}

static int answer(
    struct session *s, const struct options *o, const char *run, const char **word, struct error **err)
{
        struct gate_row *gates;
        size_t count;
        if (store_gates(session_store(s), session_name(s), run, &gates, &count, err) < 0) return -1;
        const struct gate_row *gate = find_waiting(gates, count, o->args[1]);
        cleanup_free char *user = session_user();
        const char *by = o->as ? o->as : user;
        int result;
        if (gate == NULL)
                result = error_set(err, ERROR_MISSING, NULL,
                    "no gate '%s' waits in run %s; `tutti status %s` shows those that do", o->args[1], run,
                    o->args[0]);
        else if ((*word = word_for(gate, o, err)) == NULL || check_approver(gate, by, err) < 0)
                result = -1;
        else
                result = store_answer(
                    session_store(s), session_name(s), run, gate->name, *word, by, o->comment, err);
        gate_rows_free(gates, count);
        return result;
}

static void print_json(const char *run, const char *word, const struct options *o)
{
        struct text json = {0};
        text_addf(&json, "{\"run\":\"%s\",\"gate\":", run);
        text_json(&json, o->args[1]);
        text_add(&json, ",\"answer\":");
        text_json(&json, word);
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

int cmd_approve(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open_record(o, true, &code);
        if (s == NULL) return code;
        cleanup_free char *run = NULL;
        if (!session_unfinished(s, &run, NULL)) {
                error_set(&err, ERROR_MISSING, NULL, "no run of environment '%s' waits", session_name(s));
                return print_error(o, err);
        }
        const char *word = NULL;
        if (answer(s, o, run, &word, &err) < 0) return print_error(o, err);
        if (o->json)
                print_json(run, word, o);
        else
                printf(
                    "%s: %s, in run %s. A run that is under way goes on by itself; otherwise: tutti resume "
                    "%s\n",
                    o->args[1], word, run, o->args[0]);
        return EXIT_DONE;
}
