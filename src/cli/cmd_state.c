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
#include "plan/record_order.h"

/* What is recorded can be named as it is recorded, so that what is no address can be given one. */
static const struct recorded *find(struct session *s, const char *address, struct error **err)
{
        const struct recorded *r = map_get(&session_state(s)->by_address, address);
        if (r == NULL && address_check(address, err) == 0)
                state_refuse_missing(session_state(s), address, err);
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

static void print_order(const char *title, const char *const *addresses, size_t count)
{
        if (count > 0) printf("%s:", title);
        for (size_t i = 0; i < count; i++) {
                putchar(' ');
                print_safe(stdout, addresses[i]);
        }
        if (count > 0) putchar('\n');
}

static void print_account(const struct recorded *r)
{
        struct text account = {0};
        printf("\nprovider: ");
        print_safe(stdout, r->provider ? r->provider : "");
        if (r->account != NULL && value_count(r->account) > 0) {
                value_json(r->account, SECRETS_MASK, NULL, &account, NULL);
                printf(" of ");
                print_safe(stdout, account.data);
        }
        text_release(&account);
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
        print_account(r);
        printf("\ncreated: %s\nupdated: %s\n", created, updated);
        size_t own = r->after_count - r->inherited_count;
        print_order("after", r->after, own);
        print_order("after, by what is gone", r->after + own, r->inherited_count);
        print_attributes("properties", r->properties, o->reveal);
        print_attributes("outputs", r->outputs, o->reveal);
        return EXIT_DONE;
}

static void print_forgotten(const struct recorded *r)
{
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addc(&json, '{');
        text_add_member(&json, "address", r->address);
        text_add_member(&json, "id", r->id);
        printf("{\"forgotten\":%s}}\n", json.data);
}

static void tell_moves(const struct options *o, const struct record_move *m)
{
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addc(&json, '{');
        text_add_member(&json, "from", o->args[2]);
        text_add_member(&json, "to", o->args[3]);
        text_add(&json, ",\"resources\":[");
        for (size_t i = 0; i < m->moved_count; i++) {
                const struct moved *moved = &m->moved[i];
                if (*moved->recorded->deposed != '\0') continue;
                if (!o->json) {
                        print_safe(stdout, moved->recorded->address);
                        printf(" is recorded as ");
                        print_safe(stdout, moved->to);
                        printf(" now.\n");
                        continue;
                }
                text_add(&json, text_ends(json.data, "[") ? "{" : ",{");
                text_add(&json, "\"from\":");
                text_json(&json, moved->recorded->address);
                text_add(&json, ",\"to\":");
                text_json(&json, moved->to);
                text_addc(&json, '}');
        }
        if (o->json) printf("{\"moved\":%s]}}\n", json.data);
}

/* All of it in one commit. Orders first: they are written under the addresses that are left. */
static int commit(struct session *s, const struct record_move *m, const struct recorded *gone,
    const struct open_operation *given_up, struct arena *arena, struct error **err)
{
        struct store_write *writes = arena_alloc(
            arena, (m->order_count + m->moved_count + session_state(s)->open_count + 2) * sizeof *writes);
        size_t used = 1; /* the first is the run's */
        for (size_t i = 0; i < m->order_count; i++) {
                const struct record_order *order = &m->orders[i];
                struct resource_row *row = arena_alloc(arena, sizeof *row);
                *row = (struct resource_row){.address = (char *)order->recorded->address,
                    .deposed = (char *)order->recorded->deposed,
                    .after = (char **)order->after,
                    .after_count = order->count,
                    .inherited_count = order->inherited_count};
                writes[used] = (struct store_write){.kind = WRITE_RESOURCE_AFTER};
                writes[used++].resource = row;
        }
        for (size_t i = 0; i < m->moved_count; i++) {
                const struct moved *moved = &m->moved[i];
                writes[used] = (struct store_write){.kind = WRITE_RESOURCE_MOVE, .action = "mv"};
                writes[used].move.from = moved->recorded->address;
                writes[used].move.to = moved->to;
                writes[used].move.from_deposed = writes[used].move.to_deposed = moved->recorded->deposed;
                used++;
        }
        struct resource_row row = {.address = (char *)(gone ? gone->address : ""), .deposed = (char *)""};
        if (gone != NULL) {
                writes[used] = (struct store_write){.kind = WRITE_RESOURCE_GONE, .action = "rm"};
                writes[used++].resource = &row;
        }
        for (; given_up != NULL; given_up = given_up->next) {
                writes[used] = (struct store_write){.kind = WRITE_OPERATION_OVER, .action = "rm"};
                writes[used++].operation = given_up->row;
        }
        return session_commit(s, "state", writes, used, err);
}

/* What is open goes by its address: it cannot be moved before it is known what became of it. */
static int refuse_open(struct session *s, const char *from, struct error **err)
{
        const struct state *state = session_state(s);
        for (size_t i = 0; i < state->open_count; i++) {
                const struct operation_row *row = state->open[i].row;
                if (!address_is_within(row->address, from)) continue;
                return error_set(err, ERROR_CONFLICT, NULL,
                    "run %s began something at '%s', and it is not known what became of it; `tutti apply` "
                    "finds out first",
                    row->run, row->address);
        }
        return 0;
}

static int move(const struct options *o, struct session *s, struct error **err)
{
        cleanup(arena_free) struct arena *arena = arena_new();
        struct record_move m;
        if (refuse_open(s, o->args[2], err) < 0 ||
            record_move(session_state(s), o->args[2], o->args[3], arena, &m, err) < 0 ||
            commit(s, &m, NULL, NULL, arena, err) < 0)
                return -1;
        tell_moves(o, &m);
        return 0;
}

/* What may exist and is in no record from now on. */
static void print_given_up(const struct options *o, const struct open_operation *open)
{
        const char *id = open->object.id;
        if (o->json) {
                struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
                text_addc(&json, '{');
                text_add_member(&json, "address", open->row->address);
                text_add_member(&json, "id", id);
                printf("{\"given_up\":%s}}\n", json.data);
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
        cleanup(arena_free) struct arena *arena = arena_new();
        struct record_move m = {0};
        const struct open_operation *open = find_open(s, o->args[2]);
        const struct recorded *r = open ? map_get(&session_state(s)->by_address, o->args[2])
                                        : find(s, o->args[2], err);
        if (r == NULL && open == NULL) return -1;
        if (r != NULL) record_forget(session_state(s), r, arena, &m);
        if (commit(s, &m, r, open, arena, err) < 0) return -1;
        if (r != NULL && o->json)
                print_forgotten(r);
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
        if (session_hold_record(s, open, &err) < 0) return print_error(o, err);
        int result = change(o, s, &err);
        session_let_go(s);
        return result < 0 ? print_error(o, err) : EXIT_DONE;
}

static int state_mv(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        bool recorded = map_has(&session_state(s)->by_address, o->args[2]);
        if ((!recorded && address_check(o->args[2], &err) < 0) || address_check(o->args[3], &err) < 0)
                return print_error(o, err);
        cleanup(arena_free) struct arena *arena = arena_new();
        struct record_move m;
        if (record_move(session_state(s), o->args[2], o->args[3], arena, &m, &err) < 0)
                return print_error(o, err);
        return changed(o, s, move);
}

static int state_rm(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        if (find_open(s, o->args[2]) == NULL && find(s, o->args[2], &err) == NULL) return print_error(o, err);
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
