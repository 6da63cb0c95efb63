/* tutti status: the run that is going on or waiting, or how the last one ended; its steps and gates. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/run_report.h"
#include "cli/work.h"

int cmd_status(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        if (s == NULL) return code;
        struct run_row *runs;
        size_t count;
        if (store_runs(session_store(s), session_name(s), &runs, &count, &err) < 0)
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
