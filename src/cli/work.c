/* Opening and planning, as several commands do it; see work.h. */
#include "cli/work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/render.h"
#include "io/file.h"

static struct session *open_with(const struct options *o, const struct session_options *so, int *code)
{
        struct session *s = NULL;
        cleanup(error_free) struct error *err = NULL;
        if (session_open(so, &s, &err) == 0) return s;
        *code = print_error(o, err);
        /* What cannot be read at all is wrong input as well: a missing file, one without permission. */
        if (*code == EXIT_FAILED && error_kind(err) == ERROR_DENIED) *code = EXIT_INPUT;
        return NULL;
}

struct session *work_open(const struct options *o, int *code)
{
        struct session_options so = options_session(o, o->args[0]);
        return open_with(o, &so, code);
}

struct session *work_open_record(const struct options *o, bool write, int *code)
{
        struct session_options so = options_session(o, o->args[0]);
        so.no_template = true;
        so.read_only = !write;
        return open_with(o, &so, code);
}

static void reading(void *context, const char *address, bool done, size_t finished, size_t total)
{
        (void)context, (void)done;
        fprintf(stderr, "\r\033[Kreading %zu/%zu %s", finished, total, address);
        fflush(stderr);
}

int work_plan(struct session *s, const struct options *o, enum plan_mode mode, struct plan **plan, int *code)
{
        cleanup(error_free) struct error *err = NULL;
        bool live = !o->json && isatty(STDERR_FILENO);
        struct plan_request request = {
            .mode = mode,
            .no_refresh = o->no_refresh,
            .targets = o->targets.items,
            .target_count = o->targets.count,
            .excludes = o->excludes.items,
            .exclude_count = o->excludes.count,
            .parallel = o->parallel,
            .reading = live ? reading : NULL,
        };
        int result = session_plan(s, &request, plan, &err);
        if (live) fputs("\r\033[K", stderr);
        if (result < 0) *code = print_error(o, err);
        return result;
}

void work_outlook_json(const struct rollback_outlook *outlook, struct text *json)
{
        if (!outlook->asked) return;
        text_addf(json, ",\"rollback\":{\"possible\":%s,\"problems\":", outlook->problems ? "false" : "true");
        json_problems(json, outlook->problems);
        text_addc(json, '}');
}

static void unread_json(const struct session *s, struct text *json)
{
        const struct unread *unread;
        size_t count = session_unread(s, &unread);
        if (count == 0) return;
        text_add(json, ",\"unread\":[");
        for (size_t i = 0; i < count; i++) {
                text_add(json, i > 0 ? ",{\"address\":" : "{\"address\":");
                text_add_json(json, unread[i].address, strlen(unread[i].address));
                text_add(json, ",\"reason\":");
                text_add_json(json, unread[i].reason, strlen(unread[i].reason));
                text_addc(json, '}');
        }
        text_addc(json, ']');
}

static int print_json(const struct options *o, const struct session *s, const struct plan *plan)
{
        cleanup(error_free) struct error *err = NULL;
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (plan_json(plan, &json, &err) < 0) return print_error(o, err);
        json.len--; /* the object goes on with what is no part of the plan */
        work_outlook_json(session_outlook(s), &json);
        unread_json(s, &json);
        text_addc(&json, '}');
        puts(json.data);
        return EXIT_DONE;
}

/* The reasons were printed as they came up. */
void work_show_unread(const struct session *s)
{
        enum { NAMED = 10 };
        const struct unread *unread;
        size_t count = session_unread(s, &unread);
        if (count == 0) return;
        printf("\n%sWarning%s: %zu resource%s could not be read, so that what is recorded of %s is taken as "
               "it is: ",
            style_on(STYLE_YELLOW), style_off(), count, plural(count), count == 1 ? "it" : "them");
        for (size_t i = 0; i < count && i < NAMED; i++) {
                if (i > 0) printf(", ");
                print_safe(stdout, unread[i].address);
        }
        if (count > NAMED) printf(" and %zu more", count - NAMED);
        printf(".\n");
}

/* What a failure would ask for, and could not have. */
static void print_outlook(const struct rollback_outlook *outlook)
{
        enum { SHOWN = 10 };
        size_t count = error_count(outlook->problems);
        if (count == 0) return;
        printf(
            "\n%sWarning%s: a failure would ask for a rollback, and that could not bring everything back:\n",
            style_on(STYLE_YELLOW), style_off());
        for (size_t i = 0; i < count && i < SHOWN; i++) {
                cleanup_free char *text = error_text(error_at(outlook->problems, i));
                printf("  ");
                print_lines(stdout, text, 4);
                putchar('\n');
        }
        if (count > SHOWN) printf("  and %zu more\n", count - SHOWN);
}

int work_foresee(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        return session_foresee(s, o->on_failure_given, o->on_failure, &err) < 0 ? print_error(o, err)
                                                                                : EXIT_DONE;
}

int work_may_write(const char *path, const char *head, const char *what, struct error **err)
{
        struct stat st;
        if (path == NULL) return 0;
        if (stat(path, &st) < 0) return errno == ENOENT ? 0 : error_system(err, errno, "look for %s", path);
        char bytes[64] = "";
        FILE *f = S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
        size_t n = f != NULL ? fread(bytes, 1, sizeof bytes - 1, f) : 0;
        bool good = f != NULL && !ferror(f) && (n == 0 || text_starts(bytes, head));
        if (f != NULL) fclose(f);
        return good ? 0
                    : error_set(err, ERROR_CONFLICT, NULL,
                          "%s exists and is no %s: it is not written over; name another file, or remove it",
                          path, what);
}

/* --- gates that are answered beforehand ------------------------------------------------------------------------------ */

/* "net[0].go" is the gate "go" of the template that "net" instantiates. */
static bool template_has_gate(const struct template *t, const char *address)
{
        size_t len = strcspn(address, ".[:");
        cleanup_free char *name = mem_strndup(address, len);
        const struct resource *r = template_resource(t, name);
        address += len;
        if (r == NULL) return false;
        for (const char *end; *address == '[' && (end = strchr(address, ']')) != NULL;) address = end + 1;
        if (*address != '.') return r->approve != NULL;
        return r->nested != NULL && template_has_gate(r->nested, address + 1);
}

static const char *step_gate(const struct step *step)
{
        return step->action != ACTION_GATE ? NULL : step->gate ? step->gate : step->address;
}

static bool plan_has_gate(const struct plan *plan, const char *name)
{
        for (size_t i = 0; i < plan->count; i++)
                if (text_equal(step_gate(&plan->steps[i]), name)) return true;
        return false;
}

static void name_gates(const struct plan *plan, struct text *out)
{
        enum { SHOWN = 8 };
        size_t count = 0;
        for (size_t i = 0; i < plan->count; i++) {
                const char *gate = step_gate(&plan->steps[i]);
                if (gate != NULL && count++ < SHOWN) text_addf(out, "%s%s", count > 1 ? ", " : "", gate);
        }
        if (count > SHOWN) text_addf(out, " and %zu more", count - SHOWN);
        if (count == 0) text_add(out, "none");
}

int work_check_approve(const struct session *s, const struct options *o, const struct plan *plan)
{
        const struct environment *env = session_environment(s);
        for (size_t i = 0; i < o->approve.count; i++) {
                const char *name = o->approve.items[i];
                if (strcmp(name, "all") == 0 || plan_has_gate(plan, name)) continue;
                /* What needs no answer this time may have needed one the last. */
                if (env != NULL && template_has_gate(env->template, name)) continue;
                cleanup(error_free) struct error *err = NULL;
                struct text gates __attribute__((__cleanup__(text_release_cleanup))) = {0};
                name_gates(plan, &gates);
                error_set(&err, ERROR_INPUT, NULL,
                    "--approve: there is no gate '%s' in this plan; its gates: %s", name, gates.data);
                if (plan->summary.deferred == 0) return print_error(o, err);
                fprintf(stderr, "note: ");
                print_lines(stderr, error_message(err), 6);
                fprintf(stderr, "; what is deferred may bring it\n");
        }
        return EXIT_DONE;
}

int work_save_plan(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct text document = {0};
        int code = EXIT_DONE;
        /* A plan may hold secrets, sealed, and all of the template: it is its owner's to read. */
        if (session_plan_write(s, &document, &err) < 0 ||
            file_write(o->out, document.data, document.len, 0600, &err) < 0)
                code = print_error(o, err);
        else if (!o->json) {
                printf("\nSaved to ");
                print_safe(stdout, o->out);
                printf(". `");
                print_hint("apply", o->out);
                printf("` runs exactly this, once.\n");
        }
        text_release(&document);
        return code;
}

/* An environment that was renamed looks like a new one: what is recorded under other names is told. */
static void tell_others(struct session *s)
{
        enum { NAMED = 5 };
        struct environment_row *rows = NULL;
        size_t count = 0;
        if (session_store(s) == NULL || *session_state(s)->lineage != '\0') return;
        if (store_environments(session_store(s), &rows, &count, NULL) < 0) return;
        if (count > 0) {
                printf("Nothing is recorded of environment ");
                print_safe(stdout, session_name(s));
                printf(" here; its store has");
        }
        for (size_t i = 0; i < count && i < NAMED; i++) {
                printf(i > 0 ? ", " : " ");
                print_safe(stdout, rows[i].name);
        }
        if (count > NAMED) printf(" and %zu more", count - NAMED);
        if (count > 0) printf(".\n\n");
        environment_rows_free(rows, count);
}

int work_show_plan(const struct options *o, struct session *s, const struct plan *plan, int round)
{
        if (o->json) return print_json(o, s, plan);
        if (round == 0) tell_others(s);
        if (round > 0) printf("\nWhat was deferred:\n\n");
        render_plan(plan);
        work_show_unread(s);
        print_outlook(session_outlook(s));
        return EXIT_DONE;
}
