/* Opening and planning, as several commands do it; see work.h. */
#include "cli/work.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
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

static int print_json(const struct options *o, const struct plan *plan)
{
        cleanup(error_free) struct error *err = NULL;
        struct text json = {0};
        int code = EXIT_DONE;
        if (plan_json(plan, &json, &err) < 0)
                code = print_error(o, err);
        else
                puts(json.data);
        text_release(&json);
        return code;
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
                printf("\nSaved to %s. `tutti apply ", o->out);
                print_shell(o->out);
                printf("` runs exactly this, once.\n");
        }
        text_release(&document);
        return code;
}

int work_show_plan(const struct options *o, const struct plan *plan, int round)
{
        if (o->json) return print_json(o, plan);
        if (round > 0) printf("\nWhat was deferred:\n\n");
        render_plan(plan);
        return EXIT_DONE;
}
