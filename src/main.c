/* argv to the command table; all else is in cli/. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cli/cmd_sandbox.h"
#include "cli/command.h"
#include "cli/print.h"

static int unknown(const char *name, bool json)
{
        const char *names[64];
        size_t count = 0;
        for (const struct command *c = commands; c->name != NULL && count < 63; c++) names[count++] = c->name;
        names[count++] = "sandbox";
        const char *nearest = text_suggest(name, names, count);
        cleanup(error_free) struct error *err = NULL;
        if (nearest != NULL)
                error_set(
                    &err, ERROR_INPUT, NULL, "there is no command '%s'; did you mean '%s'?", name, nearest);
        else
                error_set(&err, ERROR_INPUT, NULL, "there is no command '%s'; `tutti help` lists them", name);
        fprintf(stderr, "tutti: ");
        print_safe(stderr, error_message(err));
        fputc('\n', stderr);
        if (json) print_problems(err);
        return EXIT_INPUT;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options o;
        int code = EXIT_INPUT;
        if (options_parse(&o, command, argc, argv) == 0) {
                print_setup(&o);
                if (o.help) {
                        o.args = (const char *[]){command->name};
                        o.arg_count = 1;
                        code = cmd_help(&o);
                } else {
                        code = command->run(&o);
                }
        }
        options_release(&o);
        if (fflush(stdout) == 0 && !ferror(stdout)) return code;
        fprintf(stderr, "tutti: cannot write standard output\n"); /* e.g. a full disk behind `> file` */
        return code == EXIT_DONE ? EXIT_FAILED : code;
}

/* A dump of the memory would hold opened secrets and keys. Sanitizers look at the process in a way that this forbids. */
static void keep_out_of_cores(void)
{
#if !defined(__SANITIZE_ADDRESS__)
        prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
        keep_out_of_cores();
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error to report, not a reason to die */
        const char *name = argc > 1 ? argv[1] : "help";
        if (strcmp(name, "--version") == 0) name = "version";
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
        if (strcmp(name, "sandbox") == 0) return cmd_sandbox(argc - 1, argv + 1);
        const struct command *command = command_find(name);
        if (command == NULL) return unknown(name, options_want_json(argc - 1, argv + 1));
        return argc > 1 ? run(command, argc - 1, argv + 1) : run(command, argc, argv);
}
