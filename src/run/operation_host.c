/* What an operation shows its plug-in; see operation_host.h and providers/provider.h for the contracts. */
#include "run/operation_host.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "run/operation_internal.h"

enum tutti_action op_action(const struct tutti_op *op)
{
        return op->request.action;
}

const struct tutti_type *op_type(const struct tutti_op *op)
{
        return op->request.schema->own;
}

const char *op_address(const struct tutti_op *op)
{
        return op->request.address;
}

const char *op_token(const struct tutti_op *op)
{
        return op->request.token;
}

const char *op_id(const struct tutti_op *op)
{
        return op->id;
}

const char *op_environment(const struct tutti_op *op)
{
        return op->io->environment;
}

const struct value *op_prior(const struct tutti_op *op)
{
        return op->request.prior;
}

const struct value *op_planned(const struct tutti_op *op)
{
        return op->request.planned;
}

const struct value *op_host(const struct tutti_op *op)
{
        return op->request.host;
}

const char *op_private(const struct tutti_op *op)
{
        return op->private_;
}

const char *op_folder(const struct tutti_op *op)
{
        return op->io->folder;
}

int op_cancelled(const struct tutti_op *op)
{
        (void)op; /* what has sent nothing is dropped, and what has is to finish */
        return 0;
}

int op_state(const struct tutti_op *op)
{
        return op->state;
}

const struct value *op_saved(const struct tutti_op *op)
{
        return op->saved;
}

const struct tutti_reply *op_reply(const struct tutti_op *op)
{
        return op->reply;
}

int64_t op_elapsed_ms(const struct tutti_op *op)
{
        return clock_boot_ms() - op->begun_ms; /* no jump of the wall clock makes it longer */
}

void op_to(struct tutti_op *op, int state, const struct value *saved)
{
        op->reply = NULL;
        if (state == op->state && (saved == NULL || (op->saved != NULL && value_equal(saved, op->saved))))
                return;
        op->state = state;
        op->dirty = true;
        if (saved == NULL) return;
        struct value *before = op->saved;
        op->saved = value_ref(saved);
        value_free(before);
}

/* What a provider hands on is some cloud's text: it is kept, shown and logged up to here. */
enum { PROGRESS_MAX = 400, MESSAGE_MAX = 8192, ID_MAX = 4096 };

/* At most `max` bytes of a text, whole characters, with a sign that there was more. To be freed; NULL of NULL. */
static char *shortened(const char *text, size_t max)
{
        if (text == NULL || strlen(text) <= max) return mem_strdup(text);
        size_t len = max;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) len--;
        return mem_printf("%.*s…", (int)len, text);
}

void op_set_id(struct tutti_op *op, const char *id)
{
        if (text_equal(op->id, id)) return;
        op->id_too_long = id != NULL && strlen(id) > ID_MAX;
        if (op->id_too_long) return;
        free(op->id);
        op->id = mem_strdup(id);
        op->dirty = true;
        op->unanswered = false;
}

void op_accepted(struct tutti_op *op)
{
        if (op->accepted || op->request.action != TUTTI_CREATE) return;
        op->accepted = op->dirty = true;
        op->unanswered = false;
}

void op_set_private(struct tutti_op *op, const char *text)
{
        free(op->private_);
        op->private_ = mem_strdup(text);
}

void op_observed(struct tutti_op *op, const struct value *observed)
{
        struct value *before = op->observed;
        op->observed = value_ref(observed);
        value_free(before);
        op->gone = false;
}

void op_gone(struct tutti_op *op)
{
        value_free(op->observed);
        op->observed = NULL;
        op->gone = true;
}

void op_progress(struct tutti_op *op, const char *text)
{
        cleanup_free char *shown = shortened(text, PROGRESS_MAX);
        if (text_equal(op->last_progress, shown)) return;
        free(op->last_progress);
        op->last_progress = mem_strdup(shown);
        if (op->events.progress != NULL) op->events.progress(op->events.context, shown);
}

enum tutti_result op_fail(
    struct tutti_op *op, enum tutti_failure kind, int64_t retry_after_ms, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        free(op->message);
        cleanup_free char *whole = mem_vprintf(fmt, ap);
        va_end(ap);
        op->message = shortened(whole, MESSAGE_MAX);
        op->failed = true;
        op->failure = kind;
        op->retry_after_ms = retry_after_ms;
        return TUTTI_FAILED;
}

static void wait_begin(struct tutti_op *op, enum wait_kind kind)
{
        if (op->wait_arena == NULL)
                op->wait_arena = arena_new();
        else
                arena_clear(op->wait_arena);
        op->wait = kind;
}

static const void *keep(struct tutti_op *op, struct tutti_bytes bytes)
{
        return bytes.data ? arena_strndup(op->wait_arena, bytes.data, bytes.len) : NULL;
}

enum tutti_result wait_http(struct tutti_op *op, const struct tutti_http *r)
{
        wait_begin(op, WAIT_HTTP);
        op->patient = r->patient;
        struct arena *a = op->wait_arena;
        struct http_header *headers = arena_alloc(a, (r->header_count + 1) * sizeof *headers);
        for (size_t i = 0; i < r->header_count; i++)
                headers[i] = (struct http_header){
                    arena_strdup(a, r->headers[i].name), arena_strdup(a, r->headers[i].value)};
        op->http = (struct http_request){
            .method = arena_strdup(a, r->method),
            .url = arena_strdup(a, r->url),
            .headers = headers,
            .header_count = r->header_count,
            .body = keep(op, r->body),
            .body_len = r->body.len,
            .timeout_ms = r->timeout_ms,
            .reply_max = r->reply_max,
            .unix_socket = arena_strdup(a, r->unix_socket),
            .ca_file = arena_strdup(a, r->ca_file),
            .cert_file = arena_strdup(a, r->cert_file),
            .key_file = arena_strdup(a, r->key_file),
            .insecure = r->insecure,
            .close = r->close,
        };
        return TUTTI_WAIT;
}

/* ssh_host out of the `host` value: its keys are those of the template's `host:`. */
static const char *host_text(struct tutti_op *op, const struct value *host, const char *key)
{
        const struct value *v = value_get(host, key);
        if (v == NULL || !value_is_known(v) || value_is_null(v)) return NULL;
        cleanup(value_free) struct value *s = value_convert(v, type_string, NULL);
        return s ? arena_strndup(op->wait_arena, value_as_string(s), value_string_len(s)) : NULL;
}

static bool host_flag(const struct value *host, const char *key, bool fallback)
{
        const struct value *v = value_get(host, key);
        if (v == NULL || !value_is_known(v) || value_is_null(v) || value_kind(v) != TYPE_BOOL)
                return fallback;
        return value_as_bool(v);
}

/* As the template writes it: relative to the environment's folder, or with ~ for the user's home. */
static const char *key_file_path(struct tutti_op *op, const char *path)
{
        const char *home = getenv("HOME");
        if (path == NULL || *path == '/') return path;
        if (text_starts(path, "~/") && home != NULL)
                return arena_printf(op->wait_arena, "%s%s", home, path + 1);
        return arena_printf(op->wait_arena, "%s/%s", op->io->folder, path);
}

static void host_fill(struct tutti_op *op, const struct value *host, struct ssh_host *h)
{
        const char *port = host_text(op, host, "port");
        const char *known = host_text(op, host, "known_hosts");
        *h = (struct ssh_host){
            .address = host_text(op, host, "address"),
            .port = port ? (unsigned)strtoul(port, NULL, 10) : 0,
            .user = host_text(op, host, "user"),
            .key = host_text(op, host, "key"),
            .key_file = key_file_path(op, host_text(op, host, "key_file")),
            .passphrase = host_text(op, host, "passphrase"),
            .password = host_text(op, host, "password"),
            .host_key = host_text(op, host, "host_key"),
            .known_hosts = known ? key_file_path(op, known) : op->io->known_hosts,
        };
        h->agent = host_flag(host, "agent", h->key == NULL && h->key_file == NULL && h->password == NULL);
        h->pin = host_flag(host, "pin", known == NULL);
}

enum tutti_result wait_ssh(struct tutti_op *op, const struct tutti_ssh *r)
{
        wait_begin(op, WAIT_SSH);
        op->ssh = (struct ssh_request){
            .command = arena_strdup(op->wait_arena, r->command),
            .input = keep(op, r->input),
            .input_len = r->input.len,
            .timeout_ms = r->timeout_ms,
        };
        if (op->request.host == NULL)
                return op_fail(op, TUTTI_INVALID, 0, "%s acts on a host, and no `host:` is given",
                    op->request.schema->type);
        host_fill(op, op->request.host, &op->ssh.host);
        if (op->ssh.host.address == NULL) return op_fail(op, TUTTI_INVALID, 0, "host: `address` is missing");
        const struct value *jump = value_get(op->request.host, "jump");
        if (jump != NULL && value_is_known(jump) && !value_is_null(jump)) {
                host_fill(op, jump, &op->jump);
                if (op->jump.address == NULL)
                        return op_fail(op, TUTTI_INVALID, 0, "host: jump: `address` is missing");
                op->ssh.host.jump = &op->jump;
        }
        return TUTTI_WAIT;
}

static const char *const *keep_list(struct tutti_op *op, const char *const *list)
{
        if (list == NULL) return NULL;
        size_t count = 0;
        while (list[count] != NULL) count++;
        const char **copy = arena_alloc(op->wait_arena, (count + 1) * sizeof *copy);
        for (size_t i = 0; i < count; i++) copy[i] = arena_strdup(op->wait_arena, list[i]);
        return copy;
}

enum tutti_result wait_process(struct tutti_op *op, const struct tutti_process *r)
{
        wait_begin(op, WAIT_PROCESS);
        op->process = (struct process_request){
            .argv = keep_list(op, r->argv),
            .env = keep_list(op, r->env),
            .folder = arena_strdup(op->wait_arena, r->folder ? r->folder : op->io->folder),
            .input = keep(op, r->input),
            .input_len = r->input.len,
            .timeout_ms = r->timeout_ms,
        };
        return TUTTI_WAIT;
}

enum tutti_result wait_sleep(struct tutti_op *op, int64_t ms)
{
        wait_begin(op, WAIT_SLEEP);
        op->sleep_ms = ms;
        return TUTTI_WAIT;
}
