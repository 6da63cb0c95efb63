/* Names of events, as the command line's JSON and the event log write them. */
#include "run/session.h"

const char *event_name(enum event_kind kind)
{
        static const char *const names[] = {
            [EVENT_RUN_STARTED] = "run-started",
            [EVENT_STEP_STARTED] = "step-started",
            [EVENT_STEP_PROGRESS] = "step-progress",
            [EVENT_STEP_RETRY] = "step-retry",
            [EVENT_STEP_DONE] = "step-done",
            [EVENT_STEP_FAILED] = "step-failed",
            [EVENT_STEP_SKIPPED] = "step-skipped",
            [EVENT_GATE_WAITING] = "gate-waiting",
            [EVENT_GATE_APPROVED] = "gate-approved",
            [EVENT_GATE_REJECTED] = "gate-rejected",
            [EVENT_GATE_PARTIAL] = "gate-partial",
            [EVENT_GATE_REMINDER] = "gate-reminder",
            [EVENT_GATE_IGNORED] = "gate-ignored",
            [EVENT_RUN_STOPPING] = "run-stopping",
            [EVENT_RUN_WAITING] = "run-waiting",
            [EVENT_RUN_DONE] = "run-done",
        };
        return names[kind];
}
