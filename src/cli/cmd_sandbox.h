/* tutti sandbox */
#ifndef TUTTI_CLI_CMD_SANDBOX_H
#define TUTTI_CLI_CMD_SANDBOX_H

/* Runs the practice cloud until it is interrupted; returns the exit code. argv[0] is "sandbox". */
int cmd_sandbox(int argc, char **argv);

#endif
