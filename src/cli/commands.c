/* The command table, help and version; see command.h. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd_sandbox.h"
#include "cli/command.h"
#include "cli/print.h"

enum {
        FLAGS_ENV = OPTION_JSON | OPTION_VARIABLES | OPTION_STATE,
        FLAGS_PLAN = FLAGS_ENV | OPTION_SELECT | OPTION_REFRESH | OPTION_ACCEPT,
        FLAGS_RECORD = OPTION_JSON | OPTION_STATE,
};

const struct command commands[] = {
    {"init", "[DIR]", "a small working environment to start from",
        "Writes environment.yaml and template.yaml into DIR (default: here). Overwrites nothing.", 0, 0, 1,
        cmd_init},
    {"check", "ENV.yaml", "everything that can be found wrong without touching a cloud",
        "Reports every problem of the environment, its template and nested templates with file:line:column.",
        FLAGS_ENV, 1, 1, cmd_check},
    {"plan", "ENV.yaml [--destroy] [-o FILE]", "read the world, show what would change",
        "Refreshes what is recorded, reads lookups, and shows the steps that `apply` would run. With -o the "
        "plan is saved;\n"
        "`tutti apply FILE` runs exactly that, once, and refuses when the state has moved on.",
        FLAGS_PLAN | OPTION_EXITCODE | OPTION_OUT | OPTION_DESTROY, 1, 1, cmd_plan},
    {"apply", "ENV.yaml | PLANFILE", "plan, show, ask, run; or run exactly a saved plan",
        "Gates are asked at the terminal while independent branches go on. Without a terminal the run "
        "finishes what it can,\n"
        "records the open gates and exits 3: `tutti approve`, then `tutti resume`. Ctrl-C once stops "
        "gracefully, twice at once.",
        FLAGS_PLAN | OPTION_RUN | OPTION_SUPERSEDE, 1, 1, cmd_apply},
    {"destroy", "ENV.yaml", "plan and run the removal of everything recorded",
        "Deletes in reverse order of dependency. What is protected stops it; what is to be kept is only "
        "forgotten.",
        FLAGS_PLAN | OPTION_RUN | OPTION_SUPERSEDE, 1, 1, cmd_destroy},
    {"resume", "ENV.yaml", "go on with an interrupted or waiting run",
        "Settles what was under way (nothing is made twice, nothing is lost), then runs what remains of the "
        "run's own plan.",
        FLAGS_RECORD | OPTION_RUN | OPTION_ACCEPT, 1, 1, cmd_resume},
    {"rollback", "ENV.yaml RUN [--before] [--plan | -o FILE]", "go back to the state after a run",
        "Plans the way back from what is recorded now to the state after RUN, shows it, asks, and runs it: "
        "what was made since is "
        "deleted,\n"
        "what was changed or deleted since is brought back as the plan of that time described it. What was "
        "not touched since "
        "stays\n"
        "as it is. `tutti runs ENV.yaml` lists the runs.",
        FLAGS_RECORD | OPTION_RUN | OPTION_REFRESH | OPTION_OUT | OPTION_BACK | OPTION_ACCEPT |
            OPTION_SUPERSEDE,
        2, 2, cmd_rollback},
    {"approve", "ENV.yaml GATE [--reject | --answer WORD] [--comment TEXT] [--as NAME]", "answer a gate",
        "Answers a gate of a run that is under way or waiting, from any terminal. Where the environment "
        "names "
        "approvers with\n"
        "keys, the answer is signed with the key of NAME. --sign -o FILE only signs, for somebody who may "
        "read "
        "the store and\n"
        "not write it; --signature FILE hands that in.",
        FLAGS_RECORD | OPTION_ANSWER | OPTION_SIGN | OPTION_OUT, 2, 2, cmd_approve},
    {"approver", "keygen NAME [-o FILE]", "a key to sign answers to gates with",
        "Draws an Ed25519 key, writes the private half to FILE (default: "
        "~/.config/tutti/approvers/NAME.pem, mode 0600,\n"
        "never over another), and prints the line with the public half for 'approvers: people:' of an "
        "environment file.",
        OPTION_JSON | OPTION_OUT, 2, 2, cmd_approver},
    {"status", "ENV.yaml", "the run that is going on or waiting: steps, gates", "", FLAGS_RECORD, 1, 1,
        cmd_status},
    {"runs", "ENV.yaml", "the history of runs", "", FLAGS_RECORD, 1, 1, cmd_runs},
    {"show", "ENV.yaml RUN [--all]", "one run with its timeline",
        "A line for each step: when it began after the run did, a bar, how long it took. Waiting for an "
        "answer looks\n"
        "different from work. Of a long run what failed, goes on or took longest is shown, unless --all is "
        "given.",
        FLAGS_RECORD | OPTION_ALL, 2, 2, cmd_show},
    {"output", "ENV.yaml [NAME]", "outputs",
        "Without NAME all of them, sensitive ones masked unless --reveal; with NAME the bare value, for "
        "scripts.",
        FLAGS_RECORD | OPTION_REVEAL, 1, 2, cmd_output},
    {"graph", "ENV.yaml [--format dot|mermaid|svg|json]", "what depends on what", "",
        FLAGS_ENV | OPTION_FORMAT, 1, 1, cmd_graph},
    {"drift", "ENV.yaml", "what differs between record and world; changes nothing", "",
        FLAGS_PLAN | OPTION_EXITCODE, 1, 1, cmd_drift},
    {"import", "ENV.yaml ADDRESS ID", "take over an existing object",
        "The template must describe ADDRESS; the object is read by its ID and recorded under it.", FLAGS_ENV,
        3, 3, cmd_import},
    {"state", "list|show|mv|rm|export|import|history ENV.yaml …", "look at the record, and mend it",
        "  list ENV.yaml                 what is recorded\n"
        "  show ENV.yaml ADDRESS         one resource\n"
        "  mv ENV.yaml FROM TO           a new address for the same object\n"
        "  rm ENV.yaml ADDRESS           forget; the object stays\n"
        "  export ENV.yaml               everything as one JSON document; sensitive values sealed unless "
        "--reveal\n"
        "  import ENV.yaml FILE          record what such a document holds\n"
        "  history ENV.yaml ADDRESS      earlier versions",
        FLAGS_RECORD | OPTION_REVEAL, 2, 4, cmd_state},
    {"audit", "ENV.yaml", "verify the event log and every row; who did what, on whose approval", "",
        FLAGS_RECORD, 1, 1, cmd_audit},
    {"notify", "ENV.yaml [--test]", "deliver what the environment's targets were not told yet, or try them",
        "Sends at once what waits for delivery to the targets of 'notify:', also what was to be tried again "
        "later.\n"
        "With --test each target gets a message that says so, and nothing is kept. Exit 1 when something was "
        "not taken.",
        FLAGS_ENV | OPTION_TEST, 1, 1, cmd_notify},
    {"provider", "list | show TYPE", "the types and their properties, as a manual page in the terminal", "",
        OPTION_JSON, 1, 2, cmd_provider},
    {"schema", "", "JSON Schema of templates, for editors", "", 0, 0, 0, cmd_schema},
    {"eval", "[--context FILE.json] [EXPR]", "one expression; without EXPR, one per line on stdin", "",
        OPTION_JSON | OPTION_CONTEXT, 0, 1, cmd_eval},
    {"version", "", "the version of this program", "", OPTION_JSON, 0, 0, cmd_version},
    {"help", "[COMMAND]", "this page, or one command's", "", 0, 0, 1, cmd_help},
    {0},
};

const struct command *command_find(const char *name)
{
        for (const struct command *c = commands; c->name != NULL; c++)
                if (strcmp(c->name, name) == 0) return c;
        return NULL;
}

int cmd_version(const struct options *o)
{
        if (o->json)
                printf("{\"version\":\"%s\"}\n", TUTTI_VERSION);
        else
                printf("tutti %s\n", TUTTI_VERSION);
        return EXIT_DONE;
}

static void print_overview(void)
{
        printf("Tutti provisions environments: a template becomes a plan, a plan a run, a run recorded "
               "state.\n\nusage: tutti COMMAND …\n\n");
        for (const struct command *c = commands; c->name != NULL; c++)
                printf("  %-10s %s\n", c->name, c->summary);
        printf("  %-10s %s\n", "sandbox", "the local practice cloud");
        printf("\nExit codes: 0 done, 1 something failed, 2 there are differences (--detailed-exitcode), 3 "
               "waiting for an approval,\n"
               "4 the input is wrong, 5 another run holds the environment, 130 interrupted.\n"
               "`tutti help COMMAND` tells more.\n");
}

int cmd_help(const struct options *o)
{
        if (o->arg_count == 0) {
                print_overview();
                return EXIT_DONE;
        }
        if (strcmp(o->args[0], "sandbox") == 0) { /* it parses its own flags */
                char *argv[] = {(char *)"sandbox", (char *)"--help", NULL};
                return cmd_sandbox(2, argv);
        }
        const struct command *c = command_find(o->args[0]);
        if (c == NULL) {
                fprintf(stderr, "tutti: there is no command '");
                print_safe(stderr, o->args[0]);
                fprintf(stderr, "'; `tutti help` lists them\n");
                return EXIT_INPUT;
        }
        printf("usage: tutti %s %s\n\n%s\n", c->name, c->arguments, c->summary);
        if (*c->details != '\0') printf("\n%s\n", c->details);
        printf("\n");
        options_help(c->flags);
        return EXIT_DONE;
}
