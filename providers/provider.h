/*
 * The provider plug-in ABI: the only header of ours that a plug-in includes.
 *
 * A plug-in is a shared object that exports one symbol, `tutti_provider`, checked for ABI number and struct size
 * before anything in it is used. It offers resource types and lookups, each with a schema, and one function, `step`, that moves
 * an operation on. All waiting, retrying, rate limiting, durability and cancellation are the engine's: a plug-in only says what to
 * send next and what an answer means. It never blocks, never opens a socket, and sees no library of the engine's.
 *
 * ## An action is a resumable state machine
 *
 * The engine calls step(op) until it returns TUTTI_DONE or TUTTI_FAILED. Between two calls an operation has at most one outstanding
 * wait: an HTTP exchange, an SSH exchange, a process or a sleep. A state begins without a reply (the engine just entered it, or
 * came back after a crash) and issues its request; it is then called again with the reply:
 *
 *     static enum tutti_result step(void *context, struct tutti_op *op)
 *     {
 *             switch (host->op_state(op)) {
 *             case SUBMIT:  return submit_server(op);       // op_reply NULL: send POST.  reply: take the id, to(BOOTING), sleep
 *             case BOOTING: return wait_until_active(op);   // op_reply NULL: send GET.   reply: active → done, else sleep
 *             }
 *     }
 *
 * `op_to(op, state, saved)` and `op_set_id` are durable before the next wait begins that can change anything (for create, update, delete;
 * reads are not journalled): the engine commits them first, then issues the I/O. A GET, a HEAD or a sleep does not wait for them. After a crash the operation is called in the saved state, with
 * the saved value and no reply: it issues that state's request again. The engine decides whether that is safe: before it re-enters a
 * creation that has no id yet and had sent a request, it runs a FIND operation (or relies on TUTTI_TYPE_REPEATABLE), and only asks a
 * person where neither exists. When FIND yields the object, the engine sets the id and enters the creation again in its saved
 * state: a submitting state that begins with op_id set goes on to waiting instead of submitting. State 0 is the first state of
 * each action. FIND itself looks again for as long as a fresh object may stay invisible in its API before it says "none".
 *
 * Transient faults (no connection, reset, time-out) and throttling are retried by the engine: a lost reply, and a
 * op_fail with TUTTI_TRANSIENT or TUTTI_THROTTLED, bring the operation back in its current state without a reply after a backoff.
 *
 * ## Memory
 *
 * `struct value *` results are new references for the plug-in to drop, `const struct value *` are borrowed; strings that the host
 * gives for keeping come from malloc. Everything handed to the host in a request is copied before the call returns.
 */
#ifndef TUTTI_PROVIDER_H
#define TUTTI_PROVIDER_H

#include <stddef.h>
#include <stdint.h>

#define TUTTI_PROVIDER_ABI 1u

struct value;         /* immutable, reference counted; parts may be null, unknown or sensitive */
struct tutti_op;      /* one operation under way */
struct tutti_program; /* compiled expressions, dropped together */
struct tutti_expr;    /* one expression in a program */

enum tutti_action {
        TUTTI_CREATE = 1, /* op_planned, op_token → op_set_id, op_observed */
        TUTTI_UPDATE,     /* op_prior, op_planned, op_id → op_observed */
        TUTTI_DELETE,     /* op_prior, op_id; done when gone; an object that is gone already is success */
        TUTTI_READ,       /* op_prior, op_id → op_observed, or op_gone */
        TUTTI_FIND, /* op_planned, op_token (NULL: by name only, for `adopt`; else what was made just now, by its name where the type does not find
                       by token) → op_set_id and op_observed, or op_gone: none */
        TUTTI_IMPORT, /* op_id → op_observed, or op_gone */
        TUTTI_LOOKUP, /* op_planned: the lookup's properties → op_observed */
};

enum tutti_result {
        TUTTI_WAIT, /* a wait_* was called */
        TUTTI_DONE,
        TUTTI_FAILED, /* op_fail was called */
};

enum tutti_failure {
        TUTTI_REFUSED = 1, /* for good: the cloud's own message says why */
        TUTTI_INVALID,     /* the configuration is wrong */
        TUTTI_DENIED,      /* credentials or permissions */
        TUTTI_NOT_FOUND,   /* something referred to is missing */
        TUTTI_EXISTS, /* the object exists already (a name is taken): the engine may look for it with FIND */
        TUTTI_TRANSIENT, /* may succeed later as it is */
        TUTTI_THROTTLED, /* too many requests; give retry_after_ms where known */
        TUTTI_BUSY,      /* in use or in transition (409): worth a retry for a while */
        TUTTI_BROKEN,    /* the object was made but ended in an error state */
        TUTTI_UNCLEAR, /* the answer was good and cannot be understood: what it was asked for may have happened */
        TUTTI_UNAVAILABLE,  /* the answer says that nothing was done, and that it may be done later */
        TUTTI_UNSUCCESSFUL, /* it was done, and did not succeed (a command's status): done again only where the template's `retry` says so */
};

/* Schemas */
enum tutti_property_flags {
        TUTTI_REQUIRED = 1,
        TUTTI_COMPUTED = 2, /* the provider fills it in when the template does not say */
        TUTTI_SENSITIVE = 4,
        TUTTI_CREATE_ONLY = 8,  /* a change forces a replacement */
        TUTTI_WRITE_ONLY = 16,  /* never read back; the recorded value counts */
        TUTTI_UNORDERED = 32,   /* a list whose order means nothing: compared as a multiset */
        TUTTI_GROWS = 64,       /* a number that grows in place; a smaller one forces a replacement */
        TUTTI_CREDENTIAL = 128, /* configuration: says who asks, not where; sensitive ones do in any case */
        TUTTI_INCIDENTAL =
            256, /* configuration: neither; another value of it is no other account (a time-out, a CA file) */
};
struct tutti_property {
        const char *name;
        const char
            *type; /* a type constraint: "string", "list(object({port = number, cidr = optional(string)}))" */
        unsigned flags;
        const char *fallback; /* default as JSON, or NULL */
        const char *doc;      /* one sentence or more */
};

enum tutti_type_flags {
        TUTTI_TYPE_LOOKUP = 1,      /* a lookup; else a resource */
        TUTTI_TYPE_HOST = 2,        /* acts on the resource's `host` */
        TUTTI_TYPE_FIND = 4,        /* implements TUTTI_FIND by token, tag or deterministic name */
        TUTTI_TYPE_IMPORT = 8,      /* implements TUTTI_IMPORT */
        TUTTI_TYPE_REPEATABLE = 16, /* repeating a create with the same token does no harm */
        TUTTI_TYPE_LOCAL = 32,      /* no effect outside: no intent needs to be on disk before it */
        TUTTI_TYPE_NO_READ = 64,    /* nothing to refresh */
        TUTTI_TYPE_FIND_TOKEN =
            128, /* with FIND: by the token it yields what this very operation made, and never anything else */
        TUTTI_TYPE_OVERWRITES =
            256, /* with FIND: a creation replaces what has its name already, without a word */
        TUTTI_TYPE_BY_METHOD =
            512, /* REPEATABLE where the property `method` is GET, HEAD, OPTIONS, PUT or DELETE */
};
struct tutti_type {
        const char *name; /* "aws.ec2.vpc" */
        const char *doc;
        unsigned flags;
        const struct tutti_property *properties;
        size_t property_count;
        const struct tutti_property
            *outputs; /* besides `id`; flags: TUTTI_SENSITIVE only; a computed value that never changes
                                                 after creation has TUTTI_CREATE_ONLY: it stays known through an update */
        size_t output_count;
        /* Defaults in seconds, 0 for the engine's: how long each action may take in all. An operation that only finds out
         * what became of a creation has at least read_timeout. */
        unsigned create_timeout, update_timeout, delete_timeout, read_timeout;
        double
            create_seconds; /* what a creation typically takes, for estimates before there is a record; 0: unknown */
        const void *own; /* the plug-in's */
        /* Digest of what the type's states and saved values depend on (a manifest's text), or NULL: that of this version of the
         * plug-in. A resume point of another one is not entered. */
        const char *definition;
};

struct tutti_limits {      /* defaults; the template may set others in the provider's configuration */
        unsigned parallel; /* operations under way at once; 0: no limit */
        double rate;       /* requests per second; 0: no limit */
};

struct tutti_bytes {
        const void *data;
        size_t len;
};

struct tutti_header {
        const char *name, *value;
};

struct tutti_http {
        const char *method, *url;
        const struct tutti_header *headers;
        size_t header_count;
        struct tutti_bytes body;
        int64_t timeout_ms;      /* 0: default */
        const char *unix_socket; /* or NULL */
        const char *ca_file, *cert_file, *key_file;
        int insecure, close;
        int patient; /* faults of the connection use up no attempt: only the deadline ends waiting for the server */
        size_t reply_max; /* 0: default */
};

struct tutti_ssh { /* to the operation's host */
        const char *command;
        struct tutti_bytes input;
        int64_t timeout_ms;
};

struct tutti_process {
        const char *const *argv;
        const char *const *env; /* added to the program's own, of which TUTTI_… are left out */
        const char *folder;     /* NULL: the template's folder */
        struct tutti_bytes input;
        int64_t timeout_ms;
};

enum tutti_reply_kind { TUTTI_REPLY_HTTP = 1, TUTTI_REPLY_SSH, TUTTI_REPLY_PROCESS, TUTTI_REPLY_SLEPT };

struct tutti_reply {
        enum tutti_reply_kind kind;
        /* http */
        unsigned status;
        const struct tutti_header *headers; /* names in lower case */
        size_t header_count;
        struct tutti_bytes body; /* NUL behind it */
        /* ssh, process */
        int exit_status; /* -1: ended by a signal */
        struct tutti_bytes out, err;
        const char *host_key; /* ssh: what the host showed */
};

/* What the engine offers. Pointers are valid for the life of the process. */
struct tutti_host {
        uint32_t abi, size;

        /* Values: making. New references. */
        struct value *(*value_null)(void);
        struct value *(*value_bool)(int b);
        struct value *(*value_int)(int64_t n);
        struct value *(*value_number)(const char *decimal);       /* NULL if it is none */
        struct value *(*value_string)(const char *s, size_t len); /* bytes that are not UTF-8 become U+FFFD */
        struct value *(*value_list)(
            struct value *const *elements, size_t count); /* a tuple; conversion makes it a list */
        struct value *(*value_object)(const char *const *keys, struct value *const *values, size_t count);
        struct value *(*value_with)(
            const struct value *object, const char *key, const struct value *v); /* v NULL: without */
        struct value *(*value_sensitive)(const struct value *v, int sensitive);
        struct value *(*value_ref)(const struct value *v);
        void (*value_free)(struct value *v);
        /* Values: asking. kind: one of "null" "unknown" "bool" "number" "string" "list" "set" "tuple" "map" "object". */
        const char *(*value_kind)(const struct value *v);
        int (*value_known)(const struct value *v); /* wholly */
        int (*value_is_sensitive)(const struct value *v);
        int (*value_as_bool)(const struct value *v);
        int (*value_as_int)(const struct value *v, int64_t *n); /* 0 unless it is an integer that fits */
        const char *(*value_as_string)(
            const struct value *v, size_t *len); /* of a string; borrowed; len may be NULL */
        size_t (*value_count)(const struct value *v);
        const struct value *(*value_at)(const struct value *v, size_t index);
        const char *(*value_key_at)(const struct value *v, size_t index);
        const struct value *(*value_get)(const struct value *v, const char *key);   /* NULL if none */
        const struct value *(*value_path)(const struct value *v, const char *path); /* "a.b[0].c" */
        int (*value_equal)(const struct value *a, const struct value *b);
        /* Converts to a type constraint in text; NULL with a malloc'ed *problem. */
        struct value *(*value_convert)(const struct value *v, const char *type, char **problem);
        /* JSON with secrets revealed, for request bodies; malloc'ed, with its length. */
        char *(*value_to_json)(const struct value *v, size_t *len);
        struct value *(*value_from_json)(const char *json, size_t len, char **problem);
        char *(*value_to_text)(
            const struct value *v); /* a primitive as a string; malloc'ed; NULL for others */

        /* Expressions of the template language. */
        struct tutti_program *(*program_new)(void);
        void (*program_free)(struct tutti_program *program);
        /* is_template: text with ${…} as in a YAML scalar; else a bare expression. NULL with a malloc'ed *problem with place. */
        struct tutti_expr *(*expr_compile)(struct tutti_program *program, const char *text, size_t len,
            int is_template, const char *file, unsigned line, unsigned column, char **problem);
        /* `roots` is an object whose attributes are the names that the expression sees. */
        struct value *(*expr_eval)(const struct tutti_expr *expr, const struct value *roots, char **problem);
        const struct value *(*expr_constant)(const struct tutti_expr *expr); /* borrowed, or NULL */

        /* The operation: what it is about. Borrowed. */
        enum tutti_action (*op_action)(const struct tutti_op *op);
        const struct tutti_type *(*op_type)(const struct tutti_op *op);
        const char *(*op_address)(const struct tutti_op *op);
        const char *(*op_token)(const struct tutti_op *op); /* 32 lower-case hex digits, or NULL */
        const char *(*op_id)(const struct tutti_op *op);    /* remote id, or NULL while there is none */
        const char *(*op_environment)(const struct tutti_op *op);
        const struct value *(*op_prior)(
            const struct tutti_op *op); /* object of properties and outputs, or NULL */
        const struct value *(*op_planned)(
            const struct tutti_op *op); /* object of properties, all known, or NULL */
        const struct value *(*op_host)(
            const struct tutti_op *op);                       /* object: address, port, user, …; or NULL */
        const char *(*op_private)(const struct tutti_op *op); /* or NULL */
        const char *(*op_folder)(const struct tutti_op *op);  /* the template's folder, for relative paths */
        int (*op_cancelled)(const struct tutti_op
                *op); /* 0: a run that is to end drops what has sent nothing, and lets finish what has */
        /* …and where it is. */
        int (*op_state)(const struct tutti_op *op);
        const struct value *(*op_saved)(const struct tutti_op *op); /* object, or NULL */
        const struct tutti_reply *(*op_reply)(
            const struct tutti_op *op); /* NULL: the state begins, or begins again */
        int64_t (*op_elapsed_ms)(
            const struct tutti_op *op); /* since this process began it, however the wall clock jumps */
        int64_t (*wall_ms)(void);

        /* Moving on. saved NULL keeps what was saved. op_to forgets the reply. */
        void (*op_to)(struct tutti_op *op, int state, const struct value *saved);
        /* NULL takes it back: a creation that was to have this id has made nothing, for sure. */
        void (*op_set_id)(struct tutti_op *op, const char *id);
        void (*op_set_private)(struct tutti_op *op, const char *text);
        /* Results. `observed` is an object of properties and outputs as the provider sees them; engine converts to the schema. */
        void (*op_observed)(struct tutti_op *op, const struct value *observed);
        void (*op_gone)(struct tutti_op *op);
        void (*op_progress)(struct tutti_op *op, const char *text); /* for people, e.g. the remote status */
        enum tutti_result (*op_fail)(struct tutti_op *op, enum tutti_failure kind, int64_t retry_after_ms,
            const char *fmt, ...) __attribute__((format(printf, 4, 5))); /* returns TUTTI_FAILED */
        /* Waits; each returns TUTTI_WAIT. */
        enum tutti_result (*wait_http)(struct tutti_op *op, const struct tutti_http *request);
        enum tutti_result (*wait_ssh)(struct tutti_op *op, const struct tutti_ssh *request);
        enum tutti_result (*wait_process)(struct tutti_op *op, const struct tutti_process *request);
        enum tutti_result (*wait_sleep)(struct tutti_op *op, int64_t ms);

        void (*log_debug)(const char *text);

        /* A creation was answered, though there is no id yet: it is under way in the cloud, and is never sent again. */
        void (*op_accepted)(struct tutti_op *op);
};

struct tutti_planned {         /* filled by `plan` */
        struct value *planned; /* new reference */
        const char *const
            *replace; /* paths of properties that force a replacement; borrowed until the next call */
        size_t replace_count;
        char *private_; /* malloc'ed, or NULL */
};

struct tutti_provider {
        uint32_t abi, size; /* TUTTI_PROVIDER_ABI, sizeof(struct tutti_provider) */
        const char *name;

        /* Loads the plug-in for the provider `name`. `folder` holds its manifests (NULL for a plug-in without). Returns 0,
         * or -1 with a malloc'ed *problem. *plugin is handed to the calls below. May read files of `folder` lazily, by type. */
        int (*load)(const struct tutti_host *host, const char *name, const char *folder, void **plugin,
            char **problem);
        void (*unload)(void *plugin);

        const char *(*doc)(void *plugin);
        /* A type by name: NULL with *problem NULL when there is none, with *problem when its manifest is wrong. */
        const struct tutti_type *(*type)(void *plugin, const char *name, char **problem);
        const struct tutti_type *(*type_at)(
            void *plugin, size_t index, char **problem); /* all of them, in order; NULL past the end */
        const struct tutti_property *(*config)(
            void *plugin, size_t *count); /* of the provider's own configuration */
        struct tutti_limits (*limits)(void *plugin, const struct value *config);

        /* A configured provider. Environment variables may fill in what `config` leaves out. 0, or -1 with *problem. */
        int (*open)(void *plugin, const struct value *config, void **context, char **problem);
        void (*close)(void *context);
        /* Optional: what `config` (an object, or NULL; parts may be unknown) comes to with defaults and environment variables, as `open` would take
         * it. What is missing is null or left out. New reference. Whatever of it is no credential and not incidental is recorded with each object, and
         * no other is ever used for that object. */
        struct value *(*resolve)(void *plugin, const struct value *config);

        /* Optional. Checks a configuration that may hold unknowns; reports each problem with the property's path. */
        void (*validate)(void *plugin, const struct tutti_type *type, const struct value *properties,
            void (*problem)(void *sink, const char *path, const char *message), void *sink);
        /* Optional; the engine supplies a schema-driven default. prior NULL: creation. 0, or -1 with *problem. */
        int (*plan)(void *context, const struct tutti_type *type, const struct value *prior,
            const struct value *proposed, struct tutti_planned *planned, char **problem);

        enum tutti_result (*step)(void *context, struct tutti_op *op);
};

/* The exported symbol. */
extern const struct tutti_provider tutti_provider;

#endif
