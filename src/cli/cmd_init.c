/* tutti init: a small working environment to start from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "io/file.h"

static const char environment_text[] =
    "# An environment: a template with the values of one place. `tutti plan environment.yaml` previews it.\n"
    "environment: hello\n"
    "template: template.yaml\n"
    "parameters:\n"
    "  name: world\n"
    "  copies: 2\n";

static const char template_text[] =
    "# A template says what should exist; names in ${…} refer to parameters and to other resources.\n"
    "template: hello\n"
    "\n"
    "parameters:\n"
    "  name: string\n"
    "  copies:\n"
    "    type: number\n"
    "    default: 1\n"
    "    check: {that: \"${param.copies >= 1}\", message: at least one copy}\n"
    "\n"
    "resources:\n"
    "  greeting:\n"
    "    type: value\n"
    "    properties: {input: \"Hello, ${param.name}!\"}\n"
    "\n"
    "  file:\n"
    "    type: exec.command\n"
    "    count: ${param.copies}\n"
    "    properties:\n"
    "      run: printf '%s\\n' \"$TEXT\" > \"hello-${count.index}.txt\"\n"
    "      creates: hello-${count.index}.txt\n"
    "      on_delete: rm -f \"hello-${count.index}.txt\"\n"
    "      environment: {TEXT: \"${greeting.output}\"}\n"
    "\n"
    "outputs:\n"
    "  greeting: ${greeting.output}\n"
    "  files: '${[for i in range(param.copies) : \"hello-${i}.txt\"]}'\n";

static int write_new(const char *folder, const char *name, const char *text, struct error **err)
{
        cleanup_free char *path = path_join(folder, name);
        if (access(path, F_OK) == 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "%s exists already; init does not overwrite anything", path);
        return file_write(path, text, strlen(text), 0644, err);
}

int cmd_init(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        const char *folder = o->arg_count > 0 ? o->args[0] : ".";
        if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
                error_system(&err, errno, "make the folder %s", folder);
                return print_error(o, err);
        }
        if (write_new(folder, "template.yaml", template_text, &err) < 0 ||
            write_new(folder, "environment.yaml", environment_text, &err) < 0)
                return print_error(o, err);
        printf("Made environment.yaml and template.yaml in ");
        print_safe(stdout, folder);
        printf(". Next:\n\n  cd ");
        print_path(folder);
        printf("\n  tutti plan environment.yaml\n  tutti apply environment.yaml\n");
        return EXIT_DONE;
}
