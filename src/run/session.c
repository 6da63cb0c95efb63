/* Opening and closing a session: the environment, its store, its key, the plug-ins and the engine. See session.h. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/file.h"
#include "run/session_internal.h"

static int read_file(void *context, const char *path, struct text *out, struct error **err)
{
        (void)context;
        return file_read(path, ENVIRONMENT_FILE_MAX, out, err);
}

/* Name and state URL of a file whose template may be broken. */
static int read_header(struct session *s, char **state_url, struct error **err)
{
        struct source_reader reader = {read_file, NULL};
        return environment_header(s->file, &reader, &s->name, state_url, err);
}

/* sqlite:PATH with PATH made absolute: from --state against the current folder, from the file against the file's. */
static int resolve_state(struct session *s, const char *option, const char *from_file, struct error **err)
{
        const char *url = option ? option : from_file ? from_file : "sqlite:.tutti/state.db";
        if (!text_starts(url, "sqlite:"))
                return error_set(err, ERROR_INPUT, NULL, "state '%s': only sqlite:PATH is known", url);
        const char *path = url + strlen("sqlite:");
        if (*path == '\0') return error_set(err, ERROR_INPUT, NULL, "state '%s': the path is missing", url);
        cleanup_free char *cwd = getcwd(NULL, 0);
        cleanup_free char *full = path_join(option && cwd ? cwd : s->folder, path);
        s->state_url = mem_printf("sqlite:%s", full);
        s->store_folder = path_folder(full);
        return 0;
}

static int open_store(struct session *s, struct error **err)
{
        cleanup(error_free) struct error *problem = NULL;
        const char *path = s->state_url + strlen("sqlite:");
        if (access(path, F_OK) < 0 && errno != ENOENT)
                return error_set(err, errno == EACCES ? ERROR_DENIED : ERROR_SYSTEM, NULL,
                    "look for the store %s: %s", path, strerror(errno));
        if (access(path, F_OK) < 0) {
                if (!s->read_only) return 0; /* made when something has to be recorded */
                return error_set(err, ERROR_MISSING, NULL, "environment '%s' has no recorded state (%s)",
                    s->name, s->state_url);
        }
        if (store_open(s->state_url, s->read_only ? STORE_READ : STORE_CREATE, &s->store, &problem) == 0)
                return session_seal_open(s, false, err);
        /* Who only plans need not be able to write. */
        s->only_read = !s->read_only && error_kind(problem) == ERROR_DENIED;
        if (!s->only_read || store_open(s->state_url, STORE_READ, &s->store, NULL) < 0)
                return error_move(err, &problem);
        return session_seal_open(s, false, err);
}

static int open_seal(struct session *s, bool create, struct error **err)
{
        if (s->seal != NULL) return 0;
        cleanup(error_free) struct error *problem = NULL;
        if (seal_open(s->store_folder, create, &s->seal, &problem) < 0) {
                /* Without a key nothing sealed can be read; a store that holds nothing sealed needs none. */
                if (error_kind(problem) == ERROR_MISSING && !create) return 0;
                return error_move(err, &problem);
        }
        s->sealer = (struct sealer){seal_seal, seal_unseal, s->seal};
        return 0;
}

int session_seal_open(struct session *s, bool create, struct error **err)
{
        if (open_seal(s, create, err) < 0) return -1;
        return s->read_only || s->only_read ? 0 : session_prove_old(s, err);
}

int session_store_create(struct session *s, struct error **err)
{
        if (s->only_read) {
                struct store *writable = NULL;
                if (store_open(s->state_url, STORE_CREATE, &writable, err) < 0) return -1;
                store_close(s->store);
                s->store = writable;
                s->only_read = false;
        }
        if (s->store == NULL && store_open(s->state_url, STORE_CREATE, &s->store, err) < 0) return -1;
        return session_seal_open(s, true, err);
}

static int load_environment(struct session *s, const struct session_options *o, struct error **err)
{
        struct source_reader reader = {read_file, NULL};
        return environment_load(s->file, &reader, &o->parameters, &s->schemas, &s->env, err);
}

static int open_file(struct session *s, const struct session_options *o, struct error **err)
{
        s->file = mem_strdup(o->file);
        cleanup_free char *absolute = path_absolute(o->file, err);
        if (absolute == NULL) return -1;
        s->folder = path_folder(absolute);
        s->plugins = plugins_new(s->folder);
        plugins_schemas(s->plugins, &s->schemas);
        cleanup_free char *state_url = NULL;
        if (o->no_template) {
                if (read_header(s, &state_url, err) < 0) return -1;
        } else {
                if (load_environment(s, o, err) < 0) return -1;
                s->name = mem_strdup(s->env->name);
                state_url = mem_strdup(s->env->state);
        }
        if (resolve_state(s, o->state_url, state_url, err) < 0) return -1;
        return open_store(s, err);
}

/* The two names that tell where the key is; the rest is read once it is at hand. */
static int read_plan_header(struct session *s, const struct text *text, struct error **err)
{
        cleanup(value_free) struct value *v = value_from_json(
            text->data ? text->data : "", text->len, NULL, NULL, err);
        if (v == NULL) return -1;
        const struct value *file = value_get(v, "file"), *name = value_get(v, "environment");
        bool good = file != NULL && name != NULL && value_kind(file) == TYPE_STRING &&
                    value_kind(name) == TYPE_STRING && !value_is_null(file) && !value_is_null(name);
        if (!good) return error_set(err, ERROR_INPUT, NULL, "is no plan that `tutti plan -o` saved");
        s->file = mem_strdup(value_as_string(file));
        s->name = mem_strdup(value_as_string(name));
        return 0;
}

/* Where the environment file is: as it was named when the plan was made, or else beside the plan. */
static void find_environment_file(struct session *s, const char *plan_file)
{
        if (*s->file == '/' || access(s->file, F_OK) == 0) return;
        cleanup_free char *folder = path_folder(plan_file);
        cleanup_free char *beside = path_join(folder, s->file);
        if (access(beside, F_OK) != 0) return;
        free(s->file);
        s->file = steal(beside);
}

/* The key that the plan was sealed with: of the store, or one that is given from outside before there is a store. */
static int need_key(struct session *s, const char *plan_file, struct error **err)
{
        if (s->seal == NULL && getenv("TUTTI_KEY_FILE") != NULL && session_store_create(s, err) < 0)
                return -1;
        if (s->seal != NULL) return 0;
        return error_set(err, ERROR_INPUT, NULL,
            "plan file %s: there is no key of the store that it was made with at %s; apply it where it was "
            "made, name the store with --state, or share a key with TUTTI_KEY_FILE",
            plan_file, s->store_folder);
}

/* A saved plan names its environment file, whose folder holds the store and the key that its secrets are sealed with. */
static int open_plan_file(struct session *s, const struct session_options *o, struct error **err)
{
        struct text text __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (file_read(o->plan_file, SAVED_PLAN_MAX, &text, err) < 0) return -1;
        if (read_plan_header(s, &text, err) < 0) return error_context(err, "plan file %s", o->plan_file);
        find_environment_file(s, o->plan_file);
        cleanup_free char *absolute = path_absolute(s->file, err);
        if (absolute == NULL) return error_context(err, "plan file %s", o->plan_file);
        s->folder = path_folder(absolute);
        s->plugins = plugins_new(s->folder);
        plugins_schemas(s->plugins, &s->schemas);
        cleanup_free char *state_url = NULL;
        char *name = NULL;
        cleanup(error_free) struct error *ignored = NULL;
        struct session probe = {.file = s->file};
        if (read_header(&probe, &state_url, &ignored) == 0) name = probe.name;
        free(name);
        if (resolve_state(s, o->state_url, state_url, err) < 0 || open_store(s, err) < 0 ||
            need_key(s, o->plan_file, err) < 0)
                return -1;
        if (saved_plan_read(text.data, text.len, SAVED_FILE, &s->sealer, &s->saved, err) < 0)
                return error_context(err, "plan file %s", o->plan_file);
        return session_load_saved(s, s->saved, &s->env, err);
}

int session_open(const struct session_options *options, struct session **ret, struct error **err)
{
        cleanup(session_close) struct session *s = mem_alloc(sizeof *s);
        s->read_only = options->read_only;
        s->allow_outside = options->allow_outside;
        s->accepted = options->accepted;
        s->accepted_count = options->accepted_count;
        s->parameters = options->parameters;
        int opened = options->plan_file ? open_plan_file(s, options, err) : open_file(s, options, err);
        if (opened < 0 || session_reload(s, err) < 0) return -1;
        *ret = steal(s);
        return 0;
}

static int load_durations(struct session *s, struct error **err)
{
        struct duration_row *rows;
        size_t count;
        if (store_durations(s->store, &rows, &count, err) < 0) return -1;
        for (size_t i = 0; i < count; i++) {
                cleanup_free char *key = mem_printf("%s %s", rows[i].type, rows[i].action);
                double *seconds = map_get(&s->durations, key);
                if (seconds == NULL) {
                        seconds = mem_alloc(sizeof *seconds);
                        map_put_copy(&s->durations, key, seconds);
                }
                *seconds = rows[i].seconds;
        }
        duration_rows_free(rows, count);
        return 0;
}

static int load_open(struct session *s, struct error **err)
{
        struct operation_row *rows = NULL;
        size_t count = 0;
        if (store_operations(s->store, s->name, &rows, &count, err) < 0) return -1;
        return state_add_operations(s->state, rows, count, s->seal ? &s->sealer : NULL, err);
}

/* What is recorded of an environment, or of one that was never written: nothing. */
static int load_state(struct session *s, struct error **err)
{
        struct environment_row row = {0};
        struct resource_row *rows = NULL;
        size_t count = 0;
        cleanup_free char *outputs = NULL;
        cleanup(error_free) struct error *problem = NULL;
        bool recorded = s->store != NULL && store_environment(s->store, s->name, false, &row, &problem) == 0;
        if (s->store != NULL && !recorded) {
                if (error_kind(problem) != ERROR_MISSING) return error_move(err, &problem);
                if (s->read_only)
                        return error_set(err, ERROR_MISSING, NULL,
                            "environment '%s' has no recorded state (%s)", s->name, s->state_url);
        }
        if (!recorded) row = (struct environment_row){.name = mem_strdup(s->name), .lineage = mem_strdup("")};
        int result = 0;
        if (recorded)
                result = store_resources(s->store, s->name, &rows, &count, err) < 0 ||
                                 store_outputs(s->store, s->name, &outputs, err) < 0 ||
                                 load_durations(s, err) < 0
                             ? -1
                             : 0;
        if (result == 0)
                result = state_decode(
                    &row, rows, count, outputs, s->seal ? &s->sealer : NULL, &s->state, err);
        if (result == 0 && recorded) result = load_open(s, err);
        environment_row_release(&row);
        return result;
}

int session_reload(struct session *s, struct error **err)
{
        session_drop_plan(s);
        state_free(s->state);
        s->state = NULL;
        return load_state(s, err);
}

int session_approvers(struct session *s, const struct approvers **ret, struct error **err)
{
        struct source_reader reader = {read_file, NULL};
        if (s->approvers_arena == NULL) {
                cleanup(arena_free) struct arena *arena = arena_new();
                cleanup(error_free) struct error *problem = NULL;
                int result = approvers_load(s->file, &reader, arena, &s->approvers, &problem);
                /* A saved plan may outlive its file; what it says is what was reviewed. */
                bool gone = result < 0 && s->saved != NULL && access(s->file, F_OK) < 0;
                if (gone) s->approvers = s->env->approvers;
                if (result < 0 && !gone) return error_move(err, &problem);
                s->approvers_arena = steal(arena);
        }
        if (ret != NULL) *ret = s->approvers;
        return 0;
}

char *session_commands_file(const struct session *s)
{
        return path_join(s->store_folder, "commands.lock");
}

struct engine *session_engine(struct session *s, struct error **err)
{
        if (s->engine != NULL) return s->engine;
        struct engine *e = mem_alloc(sizeof *e);
        s->engine = e;
        if (loop_new(&e->loop, err) < 0 || transfers_new(e->loop, &e->transfers, err) < 0 ||
            ssh_new(e->loop, &e->ssh, err) < 0) {
                s->engine = NULL;
                transfers_free(e->transfers);
                loop_free(e->loop);
                free(e);
                return NULL;
        }
        if (access(s->store_folder, W_OK) == 0)
                e->known_hosts = mem_printf("%s/known_hosts", s->store_folder);
        cleanup_free char *commands = session_commands_file(s);
        loop_guard_lock(e->loop, commands);
        e->io = (struct operation_io){
            .loop = e->loop,
            .transfers = e->transfers,
            .ssh = e->ssh,
            .sealer = &s->sealer,
            .environment = s->name,
            .folder = s->folder,
            .known_hosts = e->known_hosts,
        };
        return e;
}

static void engine_free(struct engine *e)
{
        if (e == NULL) return;
        ssh_free(e->ssh);
        transfers_free(e->transfers);
        loop_free(e->loop);
        free(e->known_hosts);
        free(e);
}

void session_close(struct session *s)
{
        if (s == NULL) return;
        session_drop_plan(s);
        engine_free(s->engine);
        state_free(s->state);
        environment_free(s->env);
        environment_free(s->back_env);
        saved_plan_free(s->saved);
        plugins_free(s->plugins);
        store_close(s->store);
        seal_close(s->seal);
        for (map_foreach (&s->durations, d)) free(d->value);
        map_release(&s->durations);
        arena_free(s->request_arena);
        arena_free(s->approvers_arena);
        free(s->name);
        free(s->file);
        free(s->folder);
        free(s->state_url);
        free(s->round);
        free(s->store_folder);
        free(s);
}

const struct environment *session_environment(const struct session *s)
{
        return s->env;
}

const char *session_name(const struct session *s)
{
        return s->name;
}

const char *session_file(const struct session *s)
{
        return s->file;
}

struct store *session_store(struct session *s)
{
        return s->store;
}

struct plugins *session_plugins(struct session *s)
{
        return s->plugins;
}

const struct sealer *session_sealer(struct session *s)
{
        return s->seal ? &s->sealer : NULL;
}

const struct state *session_state(struct session *s)
{
        return s->state;
}

char *session_user(void)
{
        const struct passwd *pw = getpwuid(getuid());
        return pw ? mem_strdup(pw->pw_name) : mem_printf("uid %u", (unsigned)getuid());
}
