/* argv to the command table; all else is in cli/. */
#include <string.h>
#include "cli/cmd_sandbox.h"

int main(int argc, char **argv)
{
        if (argc > 1 && strcmp(argv[1], "sandbox") == 0) return cmd_sandbox(argc - 1, argv + 1);
        return 0;
}
