/* tutti state: what is recorded: list, show, mv, rm, export, import, history. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/print.h"
#include "cli/state_document.h"
#include "cli/work.h"
#include "io/file.h"
#include "plan/address.h"

/* What is recorded can be named as it is recorded, so that what is no address can be given one. */
static const struct recorded *find(struct session *s, const char *address, struct error **err)
{
        const struct recorded *r = map_get(&session_state(s)->by_address, address);
        if (r == NULL && address_check(address, err) == 0)
                error_set(err, ERROR_MISSING, NULL,
                    "nothing is recorded at '%s'; `tutti state list` shows what is", address);
        return r;
}

/* What an earlier run began there, newest first; NULL. */
static const struct open_operation *find_open(struct session *s, const char *address)
{
        return map_get(&session_state(s)->open_by_address, address);
}

/* What may exist as well, though it is not recorded: a creation that an earlier run began. */
static void print_open(const struct open_operation *open)
{
        const struct operation_row *row = open->row;
        if (!open->creates) return;
        print_cell(row->address, 41);
        print_cell(row->type, 29);
        print_safe(stdout, open->object.id);
        printf("%s(its creation in run %s %s)\n", *open->object.id ? "  " : "", row->run,
            *open->object.id ? "was not finished" : "was never answered");
}

static int state_list(const struct options *o, struct session *s)
{
        const struct state *state = session_state(s);
        struct text json = {0};
        text_addc(&json, '[');
        for (size_t i = 0; i < state->count; i++) {
                const struct recorded *r = &state->resources[i];
                if (!o->json) {
                        print_cell(r->address, 41);
                        print_cell(r->type, 29);
                        print_safe(stdout, r->id);
                        printf("%s%s\n", *r->deposed ? "  (replaced, to be deleted)" : "",
                            r->tainted ? "  (broken)" : "");
                        continue;
                }
                text_add(&json, i ? ",{\"address\":" : "{\"address\":");
                text_json(&json, r->address);
                text_add(&json, ",\"type\":");
                text_json(&json, r->type);
                text_add(&json, ",\"id\":");
                text_json(&json, r->id);
                text_addc(&json, '}');
        }
        for (size_t i = 0; i < state->open_count && !o->json; i++) print_open(&state->open[i]);
        text_addc(&json, ']');
        if (o->json) puts(json.data);
        text_release(&json);
        return EXIT_DONE;
}

static void print_attributes(const char *title, const struct value *v, bool reveal)
{
        printf("%s:\n", title);
        for (size_t i = 0; i < value_count(v); i++) {
                struct text line = {0};
                const struct value *part = value_at(v, i);
                if (value_is_known(part) && value_is_null(part)) continue;
                if (reveal)
                        value_json(part, SECRETS_REVEAL, NULL, &line, NULL);
                else
                        value_short(part, value_is_sensitive(v), 2000, &line);
                printf("  ");
                print_safe(stdout, value_key_at(v, i));
                printf(" = ");
                print_safe(stdout, line.data);
                putchar('\n');
                text_release(&line);
        }
}

static int state_show(const struct options *o, struct session *s)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        const struct recorded *r = find(s, o->args[2], &err);
        if (r == NULL) return print_error(o, err);
        if (o->json) {
                struct text json = {0};
                if (state_document_resource(r, o->reveal, NULL, &json, &err) < 0)
                        code = print_error(o, err);
                else
                        puts(json.data);
                text_release(&json);
                return code;
        }
        char created[CLOCK_TEXT], updated[CLOCK_TEXT];
        clock_text(r->created_ms, created);
        clock_text(r->updated_ms, updated);
        printf("%s", style_on(STYLE_BOLD));
        print_safe(stdout, r->address);
        printf("%s  ", style_off());
        print_safe(stdout, r->type);
        printf("\nid: ");
        print_safe(stdout, r->id);
        printf("\ncreated: %s\nupdated: %s\n", created, updated);
        if (r->after_count > 0) printf("after:");
        for (size_t i = 0; i < r->after_count; i++) {
                putchar(' ');
                print_safe(stdout, r->after[i]);
        }
        if (r->after_count > 0) putchar('\n');
        print_attributes("properties", r->properties, o->reveal);
        print_attributes("outputs", r->outputs, o->reveal);
        return EXIT_DONE;
}

/* {"moved":{"from":"a","to":"b"}} */
static void print_change(const char *what, const char *key, const char *a, const char *other, const char *b)
{
        struct text json = {0};
        text_addf(&json, "{\"%s\":{\"%s\":", what, key);
        text_json(&json, a);
        text_addf(&json, ",\"%s\":", other);
        text_json(&json, b);
        text_add(&json, "}}");
        puts(json.data);
        text_release(&json);
}

static int move(const struct options *o, struct session *s, struct error **err)
{
        const char *from = o->args[2], *to = o->args[3];
        if (find(s, from, err) == NULL || address_check(to, err) < 0) return -1;
        if (find_open(s, from) != NULL)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "run %s began something at '%s', and it is not known what became of it; `tutti apply` "
                    "finds out first",
                    find_open(s, from)->row->run, from);
        if (map_has(&session_state(s)->by_address, to))
                return error_set(err, ERROR_CONFLICT, NULL, "something is recorded at '%s' already", to);
        struct store_write writes[2] = {{0}, {.kind = WRITE_RESOURCE_MOVE, .action = "mv"}};
        writes[1].move.from = from;
        writes[1].move.to = to;
        writes[1].move.from_deposed = writes[1].move.to_deposed = "";
        if (session_commit(s, "state", writes, 2, err) < 0) return -1;
        if (o->json)
                print_change("moved", "from", from, "to", to);
        else
                printf("%s is recorded as %s now.\n", from, to);
        return 0;
}

/* What may exist and is in no record from now on. */
static void print_given_up(const struct options *o, const struct open_operation *open)
{
        const char *id = open->object.id;
        if (o->json) {
                print_change("given_up", "address", open->row->address, "id", id);
                return;
        }
        printf("Gave up what run %s began at ", open->row->run);
        print_safe(stdout, open->row->address);
        if (!open->creates) {
                printf(" (%s).\n", open->row->action);
                return;
        }
        printf(": a %s ", open->row->type);
        if (*id != '\0') printf("is left in the cloud, with the id ");
        print_safe(stdout, id);
        if (*id == '\0') printf("may be left in the cloud");
        const struct value *name = open->planned ? value_get(open->planned, "name") : NULL;
        struct text shown = {0};
        if (name != NULL) value_short(name, value_is_sensitive(name), 100, &shown);
        if (shown.len > 0) printf(", with the name ");
        if (shown.len > 0) print_safe(stdout, shown.data);
        printf("; nothing of it is recorded any more.\n");
        text_release(&shown);
}

static int forget(const struct options *o, struct session *s, struct error **err)
{
        const struct recorded *r = map_get(&session_state(s)->by_address, o->args[2]);
        const struct open_operation *open = find_open(s, o->args[2]);
        if (r == NULL && open == NULL) return find(s, o->args[2], err) ? 0 : -1;
        struct resource_row row = {.address = (char *)o->args[2], .deposed = (char *)""};
        struct store_write *writes = mem_alloc((2 + session_state(s)->open_count) * sizeof *writes);
        size_t count = 1;
        if (r != NULL) {
                writes[count] = (struct store_write){.kind = WRITE_RESOURCE_GONE, .action = "rm"};
                writes[count++].resource = &row;
        }
        for (const struct open_operation *at = open; at != NULL; at = at->next) {
                writes[count] = (struct store_write){.kind = WRITE_OPERATION_OVER, .action = "rm"};
                writes[count++].operation = at->row;
        }
        int result = session_commit(s, "state", writes, count, err);
        free(writes);
        if (result < 0) return -1;
        if (r != NULL && o->json)
                print_change("forgotten", "address", r->address, "id", r->id);
        else if (r != NULL)
                printf("Forgot %s; the object itself was left alone.\n", o->args[2]);
        for (; open != NULL; open = open->next) print_given_up(o, open);
        return 0;
}

/* What is recorded is looked at, and changed, while nobody else can. */
static int changed(const struct options *o, struct session *s,
    int (*change)(const struct options *o, struct session *s, struct error **err))
{
        cleanup(error_free) struct error *err = NULL;
        bool open = change == forget && find_open(s, o->args[2]) != NULL;
        if (!open && find(s, o->args[2], &err) == NULL) return print_error(o, err);
        if (session_hold_record(s, open, &err) < 0) return print_error(o, err);
        int result = change(o, s, &err);
        session_let_go(s);
        return result < 0 ? print_error(o, err) : EXIT_DONE;
}

static int state_mv(const struct options *o, struct session *s)
{
        return changed(o, s, move);
}

static int state_rm(const struct options *o, struct session *s)
{
        return changed(o, s, forget);
}

static int state_export(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct text json = {0};
        int code = EXIT_DONE;
        if (state_document(session_state(s), o->reveal, session_sealer(s), &json, &err) < 0)
                code = print_error(o, err);
        else
                puts(json.data);
        text_release(&json);
        return code;
}

enum { DOCUMENT_MAX = 1 << 30 };

static int state_import(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct text text = {0};
        size_t count = 0;
        int code = EXIT_DONE;
        if (file_read(o->args[2], DOCUMENT_MAX, &text, &err) < 0 ||
            state_document_import(s, text.data ? text.data : "", text.len, &count, &err) < 0)
                code = print_error(o, err);
        else if (o->json)
                printf("{\"recorded\":%zu}\n", count);
        else
                printf("Recorded %zu resource%s.\n", count, plural(count));
        text_release(&text);
        return code;
}

/* Properties and outputs of a version in one object, or null where there was none; NULL with *err. */
static struct value *version_of(struct session *s, const struct history_row *row, struct error **err)
{
        const struct sealer *sealer = session_sealer(s);
        if (*row->properties == '\0') return value_null(type_dynamic);
        cleanup(value_free) struct value *properties = value_decode(
            row->properties, strlen(row->properties), sealer, err);
        cleanup(value_free) struct value *outputs =
            properties ? value_decode(row->outputs, strlen(row->outputs), sealer, err) : NULL;
        return outputs ? value_merge(properties, outputs) : NULL;
}

/* A row holds what a change replaced; what it was replaced by is in the row before, or recorded now, or nothing. */
static bool leaves_nothing(const char *action)
{
        return action != NULL && (strcmp(action, "delete") == 0 || strcmp(action, "rm") == 0 ||
                                     strcmp(action, "replace-delete") == 0);
}

static void add_version(const struct options *o, const struct history_row *row, const struct value *before,
    const struct value *after, struct text *out)
{
        char when[CLOCK_TEXT];
        const char *run = row->run ? row->run : "", *action = row->action ? row->action : "";
        clock_text(row->time_ms, when);
        if (!o->json) {
                text_addf(out, "%8lld  %s  %-6s %s\n", (long long)row->serial, when, run, action);
                history_text(before, after, out);
                return;
        }
        text_addf(out, "%s{\"serial\":%lld", out->len > 1 ? "," : "", (long long)row->serial);
        text_add_member(out, "time", when);
        text_add_member(out, "run", run);
        text_add_member(out, "action", action);
        text_add(out, ",\"changes\":");
        history_json(before, after, out);
        text_addc(out, '}');
}

static int add_versions(const struct options *o, struct session *s, const struct history_row *rows,
    size_t count, struct text *out, struct error **err)
{
        const struct recorded *now = map_get(&session_state(s)->by_address, o->args[2]);
        cleanup(value_free) struct value *after = now ? value_merge(now->properties, now->outputs) : NULL;
        for (size_t i = 0; i < count; i++) {
                struct value *before = version_of(s, &rows[i], err);
                if (before == NULL) return error_context(err, "an earlier version of %s", o->args[2]);
                bool made = value_is_null(before);
                add_version(
                    o, &rows[i], made ? NULL : before, leaves_nothing(rows[i].action) ? NULL : after, out);
                value_free(after);
                after = before;
        }
        return 0;
}

static int state_history(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct history_row *rows;
        size_t count;
        bool recorded = map_has(&session_state(s)->by_address, o->args[2]);
        if (!recorded && address_check(o->args[2], &err) < 0) return print_error(o, err);
        if (store_history(session_store(s), session_name(s), o->args[2], &rows, &count, &err) < 0)
                return print_error(o, err);
        if (count == 0) {
                history_rows_free(rows, count);
                if (find(s, o->args[2], &err) == NULL) return print_error(o, err);
                printf(o->json ? "[]\n" : "No change of '%s' is recorded.\n", o->args[2]);
                return EXIT_DONE;
        }
        struct text out = {0};
        int code = EXIT_DONE;
        if (o->json) text_addc(&out, '[');
        if (add_versions(o, s, rows, count, &out, &err) < 0)
                code = print_error(o, err);
        else if (o->json)
                printf("%s]\n", out.data);
        else
                print_lines(stdout, out.data, 0);
        text_release(&out);
        history_rows_free(rows, count);
        return code;
}

static const struct {
        const char *name;
        int arguments; /* behind ENV.yaml */
        bool writes;
        int (*run)(const struct options *o, struct session *s);
} verbs[] = {
    {"list", 0, false, state_list},
    {"show", 1, false, state_show},
    {"mv", 2, true, state_mv},
    {"rm", 1, true, state_rm},
    {"export", 0, false, state_export},
    {"import", 1, true, state_import},
    {"history", 1, false, state_history},
};

/* The verb stands before or after the environment: `state list ENV.yaml`, `state ENV.yaml list`. */
int cmd_state(const struct options *o)
{
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
                if (strcmp(o->args[0], verbs[i].name) != 0) continue;
                if (o->arg_count != 2 + verbs[i].arguments) break;
                struct options shifted = *o;
                const char *args[4] = {o->args[1], o->args[0], o->arg_count > 2 ? o->args[2] : NULL,
                    o->arg_count > 3 ? o->args[3] : NULL};
                shifted.args = args;
                int code = EXIT_DONE;
                cleanup(session_close) struct session *s = work_open_record(&shifted, verbs[i].writes, &code);
                return s ? verbs[i].run(&shifted, s) : code;
        }
        options_usage(o);
        return EXIT_INPUT;
}
