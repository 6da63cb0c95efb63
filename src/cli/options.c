/* Parsing of flags by getopt_long over one table; see options.h. */
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/print.h"

enum flag {
        FLAG_JSON = 256,
        FLAG_NO_COLOR,
        FLAG_SET,
        FLAG_VALUES,
        FLAG_OUTSIDE,
        FLAG_TARGET,
        FLAG_EXCLUDE,
        FLAG_ACCEPT,
        FLAG_SUPERSEDE,
        FLAG_YES,
        FLAG_APPROVE,
        FLAG_PARALLEL,
        FLAG_ON_FAILURE,
        FLAG_BEFORE,
        FLAG_PLAN,
        FLAG_DESTROY,
        FLAG_NO_REFRESH,
        FLAG_EXITCODE,
        FLAG_FORMAT,
        FLAG_REJECT,
        FLAG_ANSWER,
        FLAG_COMMENT,
        FLAG_KEY,
        FLAG_SIGN,
        FLAG_SIGNATURE,
        FLAG_VALID,
        FLAG_AS,
        FLAG_STATE,
        FLAG_REVEAL,
        FLAG_CONTEXT,
        FLAG_TEST,
        FLAG_ALL,
        FLAG_WAIT,
        FLAG_LOG,
        FLAG_HELP,
};

static const struct {
        const char *name, *argument;
        int flag;
        unsigned group; /* 0: every command */
        const char *help;
} table[] = {
    {"json", NULL, FLAG_JSON, OPTION_JSON, "machine-readable output"},
    {"set", "NAME=VALUE", FLAG_SET, OPTION_VARIABLES, "set a parameter (repeatable)"},
    {"values", "FILE", FLAG_VALUES, OPTION_VARIABLES, "parameters from a YAML file (repeatable)"},
    {"allow-outside", NULL, FLAG_OUTSIDE, OPTION_VARIABLES, "let file functions leave the project's folder"},
    {"target", "ADDRESS", FLAG_TARGET, OPTION_SELECT, "only this and what it depends on (repeatable)"},
    {"exclude", "ADDRESS", FLAG_EXCLUDE, OPTION_SELECT, "without this and what depends on it (repeatable)"},
    {"accept-provider", "BLOCK", FLAG_ACCEPT, OPTION_ACCEPT,
        "this block is right for what was made in another account (repeatable)"},
    {"yes", NULL, FLAG_YES, OPTION_RUN, "do not ask about the whole; gates are still asked"},
    {"supersede", NULL, FLAG_SUPERSEDE, OPTION_SUPERSEDE,
        "with --yes: take the place of a run that somebody else started and that waits"},
    {"approve", "GATE|all", FLAG_APPROVE, OPTION_RUN, "answer a gate beforehand (repeatable)"},
    {"wait", "DURATION", FLAG_WAIT, OPTION_RUN,
        "wait so long for an environment that is held, instead of exit 5"},
    {"parallel", "N", FLAG_PARALLEL, OPTION_RUN | OPTION_REFRESH,
        "at most N steps at once; providers have limits of their own"},
    {"on-failure", "POLICY", FLAG_ON_FAILURE, OPTION_RUN,
        "what any failure means in this run, whatever the template says: stop-dependants, stop-run, rollback "
        "or ask"},
    {"no-refresh", NULL, FLAG_NO_REFRESH, OPTION_REFRESH, "trust the record; do not read what exists"},
    {"detailed-exitcode", NULL, FLAG_EXITCODE, OPTION_EXITCODE, "exit 2 when there is a difference"},
    {"before", NULL, FLAG_BEFORE, OPTION_BACK, "to the state before that run, not after it"},
    {"destroy", NULL, FLAG_DESTROY, OPTION_DESTROY, "plan the removal of everything recorded"},
    {"plan", NULL, FLAG_PLAN, OPTION_BACK, "only show the plan"},
    {"out", "FILE", 'o', OPTION_OUT,
        "where to write it: the saved plan, the key, the signed answer (also -o)"},
    {"format", "FORMAT", FLAG_FORMAT, OPTION_FORMAT, "dot, mermaid, svg or json"},
    {"reject", NULL, FLAG_REJECT, OPTION_ANSWER, "reject instead of approving"},
    {"answer", "WORD", FLAG_ANSWER, OPTION_ANSWER,
        "to a question about a failed step: retry, skip, abort; adopt, forget"},
    {"comment", "TEXT", FLAG_COMMENT, OPTION_ANSWER, "why; recorded with the answer"},
    {"as", "NAME", FLAG_AS, OPTION_ANSWER | OPTION_RUN, "the approver's name; default: your user name"},
    {"key", "FILE", FLAG_KEY, OPTION_SIGN,
        "the approver's private key; default: ~/.config/tutti/approvers/NAME.pem"},
    {"sign", NULL, FLAG_SIGN, OPTION_SIGN,
        "sign the answer and write it out (-o FILE) instead of storing it"},
    {"signature", "FILE", FLAG_SIGNATURE, OPTION_SIGN, "hand in an answer that was signed with --sign"},
    {"valid", "DURATION", FLAG_VALID, OPTION_SIGN, "how long the signature is good for; default: 24h"},
    {"reveal", NULL, FLAG_REVEAL, OPTION_REVEAL, "show sensitive values"},
    {"context", "FILE.json", FLAG_CONTEXT, OPTION_CONTEXT, "the names that expressions see"},
    {"test", NULL, FLAG_TEST, OPTION_TEST, "send each target a message that only tries it"},
    {"all", NULL, FLAG_ALL, OPTION_ALL, "everything, however much it is"},
    {"state", "URL", FLAG_STATE, OPTION_STATE,
        "where the state is; default: sqlite:.tutti/state.db beside ENV.yaml"},
    {"no-color", NULL, FLAG_NO_COLOR, 0, "no colours; the default where output is no terminal"},
    {"log-level", "LEVEL", FLAG_LOG, 0, "error, warn, info or debug, on standard error"},
    {"help", NULL, FLAG_HELP, 0, "this page (also -h)"},
};
enum { TABLE_COUNT = sizeof table / sizeof *table };

static void list_add(struct list *list, const char *item)
{
        vec_push(list->items, list->count, list->capacity, item);
}

void options_wrong(const struct options *o, const char *message)
{
        fprintf(stderr, "tutti %s: ", o->command->name);
        print_safe(stderr, message);
        fprintf(stderr, "; see `tutti help %s`\n", o->command->name);
        if (!o->json) return;
        cleanup(error_free) struct error *err = NULL;
        error_set(&err, ERROR_INPUT, NULL, "%s", message);
        print_problems(err);
}

static int parse_count(const char *text, unsigned *n)
{
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != '\0' || value > 100000) return -1;
        *n = (unsigned)value;
        return 0;
}

/* Flags that cannot be understood are told as every other problem is: in words, and with --json as problems too. */
static int wrong(const struct options *o, const char *fmt, const char *what)
{
        struct text message __attribute__((__cleanup__(text_release_cleanup))) = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text_addf(&message, fmt, what);
#pragma GCC diagnostic pop
        options_wrong(o, message.data);
        return -1;
}

static int take(struct options *o, int flag, const char *argument)
{
        enum log_level level;
        switch (flag) {
        case FLAG_JSON: o->json = true; break;
        case FLAG_NO_COLOR: o->no_color = true; break;
        case FLAG_SET: list_add(&o->sets, argument); break;
        case FLAG_VALUES: list_add(&o->values, argument); break;
        case FLAG_OUTSIDE: o->allow_outside = true; break;
        case FLAG_TARGET: list_add(&o->targets, argument); break;
        case FLAG_EXCLUDE: list_add(&o->excludes, argument); break;
        case FLAG_ACCEPT: list_add(&o->accepted, argument); break;
        case FLAG_YES: o->yes = true; break;
        case FLAG_SUPERSEDE: o->supersede = true; break;
        case FLAG_APPROVE: list_add(&o->approve, argument); break;
        case FLAG_PARALLEL:
                if (parse_count(argument, &o->parallel) < 0 || o->parallel == 0)
                        return wrong(o, "--parallel: '%s' is no number of steps from 1 to 100000", argument);
                break;
        case FLAG_ON_FAILURE:
                o->on_failure_given = failure_policy_find(argument, &o->on_failure);
                if (!o->on_failure_given)
                        return wrong(o,
                            "--on-failure: '%s' is none of stop-dependants, stop-run, rollback, ask",
                            argument);
                break;
        case FLAG_BEFORE: o->before = true; break;
        case FLAG_PLAN: o->plan_only = true; break;
        case FLAG_DESTROY: o->destroy = true; break;
        case FLAG_NO_REFRESH: o->no_refresh = true; break;
        case FLAG_EXITCODE: o->detailed_exitcode = true; break;
        case 'o': o->out = argument; break;
        case FLAG_FORMAT: o->format = argument; break;
        case FLAG_REJECT: o->reject = true; break;
        case FLAG_ANSWER: o->answer = argument; break;
        case FLAG_KEY: o->key = argument; break;
        case FLAG_SIGN: o->sign = true; break;
        case FLAG_SIGNATURE: o->signature = argument; break;
        case FLAG_VALID:
                if (!duration_parse(argument, &o->valid_ms) || o->valid_ms <= 0)
                        return wrong(o, "--valid: '%s' is no duration such as 24h", argument);
                break;
        case FLAG_COMMENT: o->comment = argument; break;
        case FLAG_AS:
                if (!name_is_sane(argument) || strchr(argument, ',') != NULL)
                        return wrong(
                            o, "--as: a name is up to 128 printable characters without a comma%s", "");
                o->as = argument;
                break;
        case FLAG_STATE: o->state_url = argument; break;
        case FLAG_REVEAL: o->reveal = true; break;
        case FLAG_CONTEXT: o->context = argument; break;
        case FLAG_TEST: o->test = true; break;
        case FLAG_ALL: o->all = true; break;
        case FLAG_WAIT:
                if (!duration_parse(argument, &o->wait_ms))
                        return wrong(o, "--wait: '%s' is no duration such as 30s or 5m", argument);
                o->wait_until_ms = clock_monotonic_ms() + o->wait_ms;
                break;
        case FLAG_LOG:
                if (!log_parse_level(argument, &level))
                        return wrong(o, "--log-level: '%s' is none of error, warn, info, debug", argument);
                log_set_level(level);
                break;
        case FLAG_HELP:
        case 'h': o->help = true; break;
        default: return -1;
        }
        return 0;
}

static int unknown_flag(const struct options *o, const char *what)
{
        const char *names[TABLE_COUNT];
        size_t count = 0;
        for (size_t i = 0; i < TABLE_COUNT; i++)
                if (table[i].group == 0 || table[i].group & o->command->flags) names[count++] = table[i].name;
        cleanup_free char *name = mem_strndup(what, strcspn(what, "="));
        const char *near = text_starts(what, "--") ? text_suggest(name + 2, names, count) : NULL;
        cleanup_free char *all = near ? mem_printf("%s'; did you mean '--%s", what, near) : mem_strdup(what);
        return wrong(o, "unknown flag '%s'", all);
}

static int parse_flags(struct options *o, int argc, char **argv)
{
        struct option flags[TABLE_COUNT + 1] = {0};
        for (size_t i = 0; i < TABLE_COUNT; i++)
                flags[i] = (struct option){
                    table[i].name, table[i].argument ? required_argument : no_argument, NULL, table[i].flag};
        optind = 1;
        opterr = 0;
        for (int index = -1, flag; (flag = getopt_long(argc, argv, "ho:", flags, &index)) != -1; index = -1) {
                if (flag == '?') {
                        const char short_flag[] = {'-', (char)optopt, '\0'};
                        bool is_short = optopt > 0 && optopt < 0x80 && optopt != 'o';
                        const char *what = is_short ? short_flag : argv[optind - 1];
                        for (size_t i = 0; i < TABLE_COUNT; i++)
                                if (text_starts(what, "--") && strcmp(what + 2, table[i].name) == 0)
                                        return wrong(o, "%s needs a value", what);
                        if (optopt == 'o') return wrong(o, "%s needs a value", what);
                        return unknown_flag(o, what);
                }
                for (size_t i = 0; i < TABLE_COUNT; i++)
                        if (table[i].flag == flag && table[i].group != 0 &&
                            !(table[i].group & o->command->flags))
                                return wrong(o, "--%s has no meaning here", table[i].name);
                if (take(o, flag, optarg) < 0) return -1;
        }
        return 0;
}

void options_usage(const struct options *o)
{
        fprintf(stderr, "usage: tutti %s %s\n", o->command->name, o->command->arguments);
        if (!o->json) return;
        cleanup(error_free) struct error *err = NULL;
        error_set(&err, ERROR_INPUT, NULL, "usage: tutti %s %s", o->command->name, o->command->arguments);
        print_problems(err);
}

bool options_want_json(int argc, char **argv)
{
        for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
                if (strcmp(argv[i], "--json") == 0) return true;
        return false;
}

int options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
        *o = (struct options){.command = command, .json = options_want_json(argc, argv)};
        if (parse_flags(o, argc, argv) < 0) return -1;
        o->args = (const char **)argv + optind;
        o->arg_count = argc - optind;
        if (o->help) return 0;
        if (o->arg_count < command->positional_min) {
                options_usage(o);
                return -1;
        }
        if (o->arg_count > command->positional_max)
                return wrong(o, "unexpected '%s'", o->args[command->positional_max]);
        return 0;
}

void options_release(struct options *o)
{
        free(o->sets.items);
        free(o->values.items);
        free(o->targets.items);
        free(o->excludes.items);
        free(o->approve.items);
        free(o->accepted.items);
}

void options_help(unsigned flags)
{
        for (size_t i = 0; i < TABLE_COUNT; i++) {
                if (table[i].group != 0 && !(table[i].group & flags)) continue;
                char left[64];
                snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].argument ? " " : "",
                    table[i].argument ? table[i].argument : "");
                printf("  %-24s %s\n", left, table[i].help);
        }
}

struct session_options options_session(const struct options *o, const char *file)
{
        return (struct session_options){
            .file = file,
            .state_url = o->state_url,
            .allow_outside = o->allow_outside,
            .accepted = o->accepted.items,
            .accepted_count = o->accepted.count,
            .parameters =
                {
                    .values_files = o->values.items,
                    .values_file_count = o->values.count,
                    .variables = (const char *const *)environ,
                    .sets = o->sets.items,
                    .set_count = o->sets.count,
                    .allow_outside = o->allow_outside,
                },
        };
}
