/* Opening and planning, as several commands do it; see work.h. */
#include "cli/work.h"

#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"

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
