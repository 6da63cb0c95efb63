/*
 * The state machine of a command: ask whether it is needed, run it, record what it said. See command.h.
 *
 * `unless` and `creates` make a command idempotent and its effect checkable: a read asks them, and a command whose effect has gone
 * is one to run again. Without them the command runs once, and again when its properties change.
 */
#include "providers/exec/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tutti_property command_properties[] = {
    {"run", "string", TUTTI_REQUIRED, NULL,
        "The command, for a POSIX shell. Runs on creation and when a property changes."},
    {"unless", "string", 0, NULL,
        "A command that succeeds when nothing needs to be done; also asked when drift is looked for."},
    {"creates", "string", 0, NULL,
        "A path that the command makes: where it exists nothing needs to be done."},
    {"on_delete", "string", 0, NULL, "A command that undoes it, run when the resource is deleted."},
    {"environment", "map(string)", 0, NULL, "Environment variables for the commands."},
    {"input", "string", 0, NULL, "Standard input of `run`."},
    {"folder", "string", 0, NULL, "The folder to run in."},
    {"triggers", "any", 0, NULL, "Any value: when it changes the command runs again."},
};
const struct tutti_property command_outputs[] = {
    {"stdout", "string", 0, NULL,
        "What the command printed, without the last newline; empty when it was not needed."},
    {"stderr", "string", 0, NULL, "What it printed on standard error."},
    {"exit_status", "number", 0, NULL, "Its exit status: 0, as others are failures."},
    {"ran", "bool", 0, NULL, "Whether it had to run."},
};

enum { ASK_CREATES, ASK_UNLESS, RUN };

struct command { /* one step's view of the operation */
        const struct tutti_host *host;
        struct tutti_op *op;
        command_runner *run;
        const struct value *properties;
};

static const char *text(const struct command *c, const char *key)
{
        const struct value *v = c->properties ? c->host->value_get(c->properties, key) : NULL;
        return v && strcmp(c->host->value_kind(v), "string") == 0 ? c->host->value_as_string(v, NULL) : NULL;
}

char *command_quote(const char *s)
{
        size_t quotes = 0;
        for (const char *p = s; *p != '\0'; p++) quotes += *p == '\'';
        char *out = malloc(strlen(s) + 3 * quotes + 3), *o = out;
        if (out == NULL) abort();
        *o++ = '\'';
        for (const char *p = s; *p != '\0'; p++) {
                if (*p == '\'') {
                        memcpy(o, "'\\''", 4);
                        o += 4;
                } else {
                        *o++ = *p;
                }
        }
        *o++ = '\'';
        *o = '\0';
        return out;
}

static void append(char **s, const char *fmt, const char *a, const char *b)
{
        char *longer = NULL;
        int n = asprintf(&longer, fmt, *s ? *s : "", a, b);
        if (n < 0) abort();
        free(*s);
        *s = longer;
}

/* export NAME='value'; … cd 'folder'; then the command itself. */
static char *script(const struct command *c, const char *command)
{
        char *s = NULL;
        const struct value *env = c->host->value_get(c->properties, "environment");
        for (size_t i = 0; env != NULL && i < c->host->value_count(env); i++) {
                const struct value *v = c->host->value_at(env, i);
                if (strcmp(c->host->value_kind(v), "string") != 0) continue;
                char *quoted = command_quote(c->host->value_as_string(v, NULL));
                append(&s, "%sexport %s=%s\n", c->host->value_key_at(env, i), quoted);
                free(quoted);
        }
        const char *folder = text(c, "folder");
        if (folder != NULL) {
                char *quoted = command_quote(folder);
                append(&s, "%scd %s || exit 1\n%s", quoted, "");
                free(quoted);
        }
        append(&s, "%s%s\n%s", command, "");
        return s;
}

/* A name that a shell could take for something else would turn a value into a command. */
static const char *bad_variable(const struct command *c)
{
        const struct value *env = c->host->value_get(c->properties, "environment");
        for (size_t i = 0; env != NULL && i < c->host->value_count(env); i++) {
                const char *name = c->host->value_key_at(env, i);
                size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
                if (len == 0 || name[len] != '\0' || (name[0] >= '0' && name[0] <= '9')) return name;
        }
        return NULL;
}

enum { SCRIPT_MAX = 256 * 1024 };
#define SCRIPT_END "#end of script"

/*
 * Whatever stands in a command line is shown to everyone on the machine. So the command line is this, always, and the script is the
 * first so many bytes of standard input: dd in blocks of one byte leaves the rest to the script. One that did not come whole is not run.
 */
static const char by_input[] = "read -r _tutti && _tutti=$(dd bs=1 count=\"$_tutti\" 2>/dev/null)\n"
                               "case $_tutti in *\"" SCRIPT_END "\") eval \"$_tutti\";; *) exit 125;; esac";

enum tutti_result command_run(const struct tutti_host *host, struct tutti_op *op, command_runner *run,
    const char *script, struct tutti_bytes input)
{
        /* Without input there is nothing to read, as ever: not even the end of a pipe. */
        const char *nothing = input.data == NULL ? "exec </dev/null\n" : "";
        char *head = NULL;
        int len = asprintf(&head, "%zu\n%s%s\n%s", strlen(nothing) + strlen(script) + 1 + strlen(SCRIPT_END),
            nothing, script, SCRIPT_END);
        if (len < 0) abort();
        if (len > SCRIPT_MAX) {
                free(head);
                return host->op_fail(op, TUTTI_INVALID, 0,
                    "the command and its environment are larger than %d KiB", SCRIPT_MAX / 1024);
        }
        head = realloc(head, (size_t)len + input.len + 1);
        if (head == NULL) abort();
        if (input.len > 0) memcpy(head + len, input.data, input.len);
        enum tutti_result result = run(op, by_input, (struct tutti_bytes){head, (size_t)len + input.len});
        free(head);
        return result;
}

static enum tutti_result run_script(const struct command *c, const char *command, const char *input)
{
        char *s = script(c, command);
        enum tutti_result result = command_run(
            c->host, c->op, c->run, s, (struct tutti_bytes){input, input ? strlen(input) : 0});
        free(s);
        return result;
}

static enum tutti_result finish(const struct command *c, const struct tutti_reply *reply)
{
        static const struct tutti_bytes none;
        struct tutti_bytes out = reply ? reply->out : none, err = reply ? reply->err : none;
        while (out.len > 0 && ((const char *)out.data)[out.len - 1] == '\n') out.len--;
        while (err.len > 0 && ((const char *)err.data)[err.len - 1] == '\n') err.len--;
        const char *keys[] = {"stdout", "stderr", "exit_status", "ran"};
        struct value *parts[] = {
            c->host->value_string(out.data ? out.data : "", out.len),
            c->host->value_string(err.data ? err.data : "", err.len),
            c->host->value_int(0),
            c->host->value_bool(reply != NULL),
        };
        /* A command may print what it was given. */
        for (size_t i = 0; i < 2 && c->host->value_is_sensitive(c->properties); i++) {
                struct value *marked = c->host->value_sensitive(parts[i], 1);
                c->host->value_free(parts[i]);
                parts[i] = marked;
        }
        struct value *observed = c->host->value_object(keys, parts, 4);
        for (size_t i = 0; i < 4; i++) c->host->value_free(parts[i]);
        c->host->op_observed(c->op, observed);
        c->host->value_free(observed);
        return TUTTI_DONE;
}

static enum tutti_result failed(const struct command *c, const char *what, const struct tutti_reply *reply)
{
        /* What the command printed may hold what it was given: sensitive properties silence it. */
        int quiet = c->host->value_is_sensitive(c->properties);
        size_t len = reply->err.len;
        const char *err = reply->err.data ? reply->err.data : "";
        while (len > 0 && err[len - 1] == '\n') len--;
        size_t from = len > 400 ? len - 400 : 0;
        if (reply->exit_status < 0)
                return c->host->op_fail(c->op, TUTTI_UNSUCCESSFUL, 0, "%s was ended by a signal", what);
        if (quiet || len == 0)
                return c->host->op_fail(
                    c->op, TUTTI_UNSUCCESSFUL, 0, "%s exited with status %d", what, reply->exit_status);
        return c->host->op_fail(c->op, TUTTI_UNSUCCESSFUL, 0, "%s exited with status %d: %.*s", what,
            reply->exit_status, (int)(len - from), err + from);
}

static enum tutti_result ask_creates(const struct command *c)
{
        char *quoted = command_quote(text(c, "creates")), *s = NULL;
        append(&s, "%stest -e %s%s", quoted, "");
        enum tutti_result result = run_script(c, s, NULL);
        free(quoted);
        free(s);
        return result;
}

/* Enters the first state from `state` on that has something to do. */
static enum tutti_result enter(const struct command *c, int state)
{
        if (state == ASK_CREATES && text(c, "creates") == NULL) state = ASK_UNLESS;
        if (state == ASK_UNLESS && text(c, "unless") == NULL) state = RUN;
        c->host->op_to(c->op, state, NULL);
        if (state == ASK_CREATES) return ask_creates(c);
        if (state == ASK_UNLESS) return run_script(c, text(c, "unless"), NULL);
        c->host->op_progress(c->op, "running");
        return run_script(c, text(c, "run"), text(c, "input"));
}

static enum tutti_result apply(const struct command *c)
{
        const char *bad = bad_variable(c);
        if (bad != NULL)
                return c->host->op_fail(
                    c->op, TUTTI_INVALID, 0, "environment: '%s' is no name for a variable", bad);
        if (c->host->op_action(c->op) == TUTTI_CREATE && c->host->op_id(c->op) == NULL)
                c->host->op_set_id(c->op, c->host->op_token(c->op));
        const struct tutti_reply *reply = c->host->op_reply(c->op);
        int state = c->host->op_state(c->op);
        if (reply == NULL) return enter(c, state);
        switch (state) {
        case ASK_CREATES: return reply->exit_status == 0 ? finish(c, NULL) : enter(c, ASK_UNLESS);
        case ASK_UNLESS: return reply->exit_status == 0 ? finish(c, NULL) : enter(c, RUN);
        default: return reply->exit_status == 0 ? finish(c, reply) : failed(c, "the command", reply);
        }
}

static enum tutti_result undo(const struct command *c)
{
        const struct tutti_reply *reply = c->host->op_reply(c->op);
        if (text(c, "on_delete") == NULL) return TUTTI_DONE;
        if (reply == NULL) return run_script(c, text(c, "on_delete"), NULL);
        return reply->exit_status == 0 ? TUTTI_DONE : failed(c, "on_delete", reply);
}

static enum tutti_result check(const struct command *c)
{
        const struct tutti_reply *reply = c->host->op_reply(c->op);
        int state = c->host->op_state(c->op);
        if (reply != NULL && reply->exit_status != 0) {
                c->host->op_gone(c->op);
                return TUTTI_DONE;
        }
        if (reply != NULL) state++;
        if (state == ASK_CREATES && text(c, "creates") == NULL) state = ASK_UNLESS;
        if (state == ASK_UNLESS && text(c, "unless") == NULL) state = RUN;
        if (state == RUN) {
                c->host->op_observed(c->op, c->host->op_prior(c->op));
                return TUTTI_DONE;
        }
        c->host->op_to(c->op, state, NULL);
        return state == ASK_CREATES ? ask_creates(c) : run_script(c, text(c, "unless"), NULL);
}

enum tutti_result command_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run)
{
        struct command c = {host, op, run, host->op_planned(op)};
        switch (host->op_action(op)) {
        case TUTTI_CREATE:
        case TUTTI_UPDATE: return apply(&c);
        case TUTTI_DELETE: c.properties = host->op_prior(op); return undo(&c);
        case TUTTI_READ: c.properties = host->op_prior(op); return check(&c);
        default: return host->op_fail(op, TUTTI_INVALID, 0, "commands cannot do this");
        }
}
