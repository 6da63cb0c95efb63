/*
 * Flags of all commands in one structure; each command says which of them it accepts.
 */
#ifndef TUTTI_CLI_OPTIONS_H
#define TUTTI_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "run/session.h"

struct list {
        const char **items;
        size_t count, capacity;
};

struct options {
        const struct command *command;
        const char **args; /* positional ones, without the command's name */
        int arg_count;
        bool json, no_color, yes, supersede, no_refresh, detailed_exitcode, before, plan_only, destroy,
            reject, reveal, allow_outside, help, test, sign, all;
        const char *out, *format, *comment, *as, *answer, *key, *signature, *state_url, *context;
        int64_t valid_ms; /* --valid; 0: not given */
        struct list sets, values, targets, excludes, approve, accepted;
        unsigned parallel;
        int64_t wait_ms,
            wait_until_ms; /* for an environment that is held, and until when (monotonic); 0: not */
        bool on_failure_given;
        enum failure_policy on_failure;
};

enum { /* which flags a command accepts */
        OPTION_JSON = 1 << 0,
        OPTION_VARIABLES = 1 << 1,  /* --set --values --allow-outside */
        OPTION_SELECT = 1 << 2,     /* --target --exclude */
        OPTION_RUN = 1 << 3,        /* --yes --approve --wait --parallel --on-failure --as */
        OPTION_REFRESH = 1 << 4,    /* --no-refresh --parallel */
        OPTION_EXITCODE = 1 << 5,   /* --detailed-exitcode */
        OPTION_OUT = 1 << 6,        /* -o */
        OPTION_FORMAT = 1 << 7,     /* --format */
        OPTION_ANSWER = 1 << 8,     /* --reject --answer --comment --as */
        OPTION_STATE = 1 << 9,      /* --state */
        OPTION_REVEAL = 1 << 10,    /* --reveal */
        OPTION_CONTEXT = 1 << 11,   /* --context */
        OPTION_TEST = 1 << 12,      /* --test */
        OPTION_BACK = 1 << 13,      /* --before --plan */
        OPTION_SIGN = 1 << 14,      /* --key --sign --signature --valid */
        OPTION_DESTROY = 1 << 15,   /* --destroy */
        OPTION_ALL = 1 << 16,       /* --all */
        OPTION_ACCEPT = 1 << 17,    /* --accept-provider */
        OPTION_SUPERSEDE = 1 << 18, /* --supersede */
};

/* Parses what follows the command's name. -1 with the problem printed. Strings are borrowed from argv. */
int options_parse(struct options *o, const struct command *command, int argc, char **argv);
/* Whether --json is among the arguments, before they are understood. */
bool options_want_json(int argc, char **argv);
/* Print that the arguments cannot be understood, with --json as problems too. */
void options_wrong(const struct options *o, const char *message);
void options_usage(const struct options *o);
void options_release(struct options *o);
/* Appends "  --flag  what it does" lines of the accepted flags to standard output. */
void options_help(unsigned flags);

/* Session options out of flags: parameters, state URL. `environ` lines give TUTTI_PARAM_*. */
struct session_options options_session(const struct options *o, const char *file);

#endif
