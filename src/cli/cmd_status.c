/* tutti status: the run that is going on or waiting, or how the last one ended; its steps and gates. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/run_report.h"
#include "cli/work.h"

/* Before anything was recorded there is no store to be read; that nothing has run is an answer none the less. */
static struct session *open_record(const struct options *o, int *code)
{
        struct session_options so = options_session(o, o->args[0]);
        struct session *s = NULL;
        cleanup(error_free) struct error *err = NULL;
        so.no_template = so.read_only = true;
        if (session_open(&so, &s, &err) < 0 && error_kind(err) == ERROR_MISSING)
                return work_open_record(o, true, code); /* which makes no store until something is recorded */
        if (s != NULL) return s;
        return work_open_record(o, false, code); /* which tells what is wrong */
}

int cmd_status(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = open_record(o, &code);
        if (s == NULL) return code;
        struct run_row *runs = NULL;
        size_t count = 0;
        if (session_store(s) != NULL &&
            store_runs(session_store(s), session_name(s), &runs, &count, &err) < 0)
                return print_error(o, err);
        if (count == 0) {
                if (o->json)
                        printf("{\"environment\":\"%s\",\"resources\":%zu,\"run\":null}\n", session_name(s),
                            session_state(s)->count);
                else
                        printf("Environment '%s': nothing has run yet.\n", session_name(s));
        } else {
                code = run_report(s, o, runs[0].id, false);
        }
        run_rows_free(runs, count);
        return code;
}
