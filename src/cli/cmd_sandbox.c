/* tutti sandbox: the local practice cloud. Flags to options; everything else is in providers/sandbox/. */
#include "cli/cmd_sandbox.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/error.h"
#include "providers/sandbox/server.h"

static const char usage[] =
    "usage: tutti sandbox [--listen ADDRESS:PORT] [--token T] [--latency 50ms|50ms-150ms] [--rate 50/s]\n"
    "                     [--data DIR] [--no-ssh] [--no-name-unique] [--no-idempotency] [--allow-public]\n";

static int parse(int argc, char **argv, struct sandbox_options *options)
{
        enum {
                LISTEN = 256,
                TOKEN,
                LATENCY,
                RATE,
                DATA,
                NO_SSH,
                NAME_UNIQUE,
                NO_NAME_UNIQUE,
                NO_IDEMPOTENCY,
                ALLOW_PUBLIC,
                HELP
        };
        static const struct option flags[] = {{"listen", required_argument, NULL, LISTEN},
            {"token", required_argument, NULL, TOKEN}, {"latency", required_argument, NULL, LATENCY},
            {"rate", required_argument, NULL, RATE}, {"data", required_argument, NULL, DATA},
            {"no-ssh", no_argument, NULL, NO_SSH}, {"name-unique", no_argument, NULL, NAME_UNIQUE},
            {"no-name-unique", no_argument, NULL, NO_NAME_UNIQUE},
            {"no-idempotency", no_argument, NULL, NO_IDEMPOTENCY},
            {"allow-public", no_argument, NULL, ALLOW_PUBLIC}, {"help", no_argument, NULL, HELP}, {0}};
        optind = 1;
        for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
                switch (flag) {
                case LISTEN: options->listen = optarg; break;
                case TOKEN: options->token = optarg; break;
                case LATENCY: options->latency = optarg; break;
                case RATE: options->rate = optarg; break;
                case DATA: options->data = optarg; break;
                case NO_SSH: options->no_ssh = true; break;
                case NAME_UNIQUE: options->duplicate_names = false; break;
                case NO_NAME_UNIQUE: options->duplicate_names = true; break;
                case NO_IDEMPOTENCY: options->ignore_keys = true; break;
                case ALLOW_PUBLIC: options->allow_public = true; break;
                case HELP: fputs(usage, stdout); exit(0);
                default: return -1;
                }
        }
        return optind == argc ? 0 : -1;
}

int cmd_sandbox(int argc, char **argv)
{
        cleanup(error_free) struct error *err = NULL;
        struct sandbox_options options = {.token = getenv("TUTTI_SANDBOX_TOKEN")};
        if (parse(argc, argv, &options) < 0) {
                fputs(usage, stderr);
                return 4;
        }
        if (sandbox_serve(&options, &err) == 0) return 0;
        fprintf(stderr, "tutti sandbox: %s\n", error_message(err));
        if (error_kind(err) == ERROR_INPUT) return 4;
        return error_kind(err) == ERROR_BUSY ? 5 : 1;
}
