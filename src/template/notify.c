/*
 * `notify:` of an environment: a list of targets, each one checked as far as can be without talking to it.
 *
 * Its texts may be expressions over `param` and `environment`. What signs or logs in must come from a sensitive parameter: the
 * text of the file goes into saved plans as it stands.
 */
#include "template/notify.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "template/loader.h"

static const char *const kind_names[] = {
    [NOTIFY_WEBHOOK] = "webhook", [NOTIFY_SLACK] = "slack", [NOTIFY_EMAIL] = "email"};
static const char *const event_names[NOTIFY_EVENTS] = {
    "gate-waiting", "gate-reminder", "run-failed", "run-done", "drift-found"};

const char *notify_kind_name(enum notify_kind kind)
{
        return kind_names[kind];
}

const char *notify_event_name(size_t index)
{
        return event_names[index];
}

unsigned notify_event_bit(const char *event)
{
        for (unsigned i = 0; i < NOTIFY_EVENTS; i++)
                if (strcmp(event, event_names[i]) == 0) return 1u << i;
        return 0;
}

struct draft { /* a target that is being read */
        struct notify_target *target;
        const struct scope
            *scope; /* NULL where the parameters are wrong: expressions are not evaluated then */
        const struct yaml_node *url_node, *server_node;
        bool over_network; /* `tls: none-over-network` */
};

static struct draft *draft_of(const struct reading *in)
{
        return in->into;
}

/* --- texts ----------------------------------------------------------------------------------------------------------- */

/* What stands in headers, commands and URLs: no control characters, so that nothing can be smuggled in. */
static bool is_one_line(const char *text)
{
        for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
                if (*p < 0x20 || *p == 0x7f) return false;
        return strlen(text) <= NOTIFY_TEXT_MAX;
}

static const char *text_of_value(
    struct reading *in, const char *key, const struct yaml_node *node, const struct value *v, bool secret)
{
        if (!value_is_known(v) || value_is_null(v) || value_kind(v) != TYPE_STRING) {
                key_problem(in, node, "'%s' must give text", key);
                return NULL;
        }
        const char *text = value_as_string(v);
        if (secret && !value_is_sensitive(v)) {
                key_problem(in, node,
                    "'%s' must come from a sensitive parameter, as in \"${param.NAME}\" with 'sensitive: "
                    "true': "
                    "a file is no place for a secret",
                    key);
                return NULL;
        }
        if (*text == '\0' || strlen(text) != value_string_len(v) || !is_one_line(text)) {
                key_problem(in, node,
                    "'%s' must be one line of text without control characters, at most %d bytes", key,
                    NOTIFY_TEXT_MAX);
                return NULL;
        }
        return arena_strdup(in->loader->arena, text);
}

/* The text behind a key, evaluated; NULL after noting a problem, or where nothing can be evaluated. */
static const char *text_at(struct reading *in, const char *key, const struct yaml_node *node, bool secret)
{
        if (node->kind != YAML_SCALAR || yaml_absent(node)) {
                key_problem(in, node, "'%s' must be text, not %s", key, yaml_kind_name(node));
                return NULL;
        }
        size_t before = error_count(in->loader->problems);
        const struct expr *e = document_expr(in, node);
        if (error_count(in->loader->problems) > before || draft_of(in)->scope == NULL) return NULL;
        cleanup(error_free) struct error *problem = NULL;
        cleanup(value_free) struct value *v = expr_eval(e, draft_of(in)->scope, &problem);
        if (v != NULL) return text_of_value(in, key, node, v, secret);
        loader_problems(in->loader, &problem, yaml_place(in->file, node), in->address);
        return NULL;
}

static const char *text_behind(struct reading *in, const struct yaml_entry *entry)
{
        return text_at(in, entry->key, entry->value, false);
}

/* --- URLs ------------------------------------------------------------------------------------------------------------ */

struct url_parts {
        const char *host; /* with its port */
        size_t host_len;
        const char *rest; /* "" or what begins with /, ? or # */
};

static bool url_split(const char *url, struct url_parts *parts)
{
        const char *host = strstr(url, "://");
        if (host == NULL) return false;
        host += 3;
        size_t len = strcspn(host, "/?#");
        *parts = (struct url_parts){host, len, host + len};
        return len > 0 && memchr(host, '@', len) == NULL && memchr(host, ' ', len) == NULL &&
               memchr(host, '\\', len) == NULL && strchr(url, ' ') == NULL;
}

static bool is_loopback(const struct url_parts *parts)
{
        static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                size_t len = strlen(names[i]);
                if (parts->host_len >= len && strncasecmp(parts->host, names[i], len) == 0 &&
                    (parts->host_len == len || parts->host[len] == ':'))
                        return true;
        }
        return false;
}

/* Clear text stays on this machine unless the user insists. */
static void check_plain(
    struct reading *in, const struct yaml_node *node, const struct url_parts *parts, bool plain)
{
        if (plain && !is_loopback(parts) && !draft_of(in)->over_network)
                key_problem(in, node,
                    "without TLS only a server on this machine is talked to; 'tls: none-over-network' "
                    "insists "
                    "on sending in clear");
}

static void check_url(struct reading *in)
{
        struct draft *d = draft_of(in);
        struct url_parts parts;
        const char *url = d->target->url;
        if (url == NULL) return;
        bool http = text_starts(url, "http://");
        if ((!http && !text_starts(url, "https://")) || !url_split(url, &parts)) {
                key_problem(in, d->url_node,
                    "'%s' must be a URL that begins with https:// (or http://), with a host and without user "
                    "or "
                    "spaces",
                    notify_kind_name(d->target->kind));
                d->target->url = NULL;
                return;
        }
        check_plain(in, d->url_node, &parts, http);
        d->target->plain = http;
}

static void check_server(struct reading *in)
{
        struct draft *d = draft_of(in);
        struct url_parts parts;
        const char *url = d->target->url;
        if (url == NULL) return;
        bool smtps = text_starts(url, "smtps://");
        if ((!smtps && !text_starts(url, "smtp://")) || !url_split(url, &parts) ||
            (*parts.rest != '\0' && strcmp(parts.rest, "/") != 0)) {
                key_problem(in, d->server_node,
                    "'server' must be smtps://HOST[:PORT], or smtp://HOST[:PORT] for STARTTLS, with nothing "
                    "behind");
                d->target->url = NULL;
                return;
        }
        if (smtps && d->target->plain)
                key_problem(in, d->server_node, "smtps:// and 'tls: none' exclude each other");
        check_plain(in, d->server_node, &parts, d->target->plain);
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

/* The plain form of RFC 5321, in ASCII: local@domain, without quotes, comments or routes. */
static bool is_address(const char *text)
{
        static const char atoms[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.";
        const char *at = strchr(text, '@');
        if (at == NULL || at == text || at[1] == '\0' || at[1] == '-' || strlen(text) > 254) return false;
        if (strspn(text, atoms) != (size_t)(at - text)) return false;
        return at[1 + strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")] ==
               '\0';
}

static const char *address_at(struct reading *in, const char *key, const struct yaml_node *node)
{
        const char *text = text_at(in, key, node, false);
        if (text == NULL || is_address(text)) return text;
        key_problem(in, node, "'%.100s' is no e-mail address such as ops@example.org", text);
        return NULL;
}

static void read_from(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->target->from = address_at(in, entry->key, entry->value);
}

static void read_to(struct reading *in, const struct yaml_entry *entry)
{
        struct notify_target *t = draft_of(in)->target;
        const struct yaml_node *node = entry->value;
        size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
        if (node->kind == YAML_SEQUENCE && (count == 0 || count > NOTIFY_RECIPIENTS_MAX)) {
                key_problem(in, node, "'to' must hold from 1 to %d addresses", NOTIFY_RECIPIENTS_MAX);
                return;
        }
        t->to = arena_alloc(in->loader->arena, count * sizeof *t->to);
        for (size_t i = 0; i < count; i++) {
                const char *address = address_at(
                    in, entry->key, node->kind == YAML_SEQUENCE ? node->items[i] : node);
                if (address != NULL) t->to[t->to_count++] = address;
        }
}

/* --- the keys of a target -------------------------------------------------------------------------------------------- */

static void read_name(struct reading *in, const struct yaml_entry *entry)
{
        const char *name = key_text(in, entry);
        bool good = name != NULL && *name != '\0' && strlen(name) <= NAME_MAX_LEN && is_one_line(name);
        if (name != NULL && !good)
                key_problem(
                    in, entry->value, "'name' must be one line of text, at most %d bytes", NAME_MAX_LEN);
        draft_of(in)->target->name = good ? name : NULL;
}

static void read_on(struct reading *in, const struct yaml_entry *entry)
{
        struct place *places = NULL;
        size_t count = 0;
        const char **names = key_names(in, entry, &places, &count);
        draft_of(in)->target->events = 0;
        for (size_t i = 0; i < count; i++) {
                unsigned bit = notify_event_bit(names[i]);
                draft_of(in)->target->events |= bit;
                if (bit == 0)
                        loader_problem(in->loader, places[i], in->address,
                            "unknown event '%.60s': gate-waiting, gate-reminder, run-failed, run-done or "
                            "drift-found%s",
                            names[i], loader_suggest(in->loader, names[i], event_names, NOTIFY_EVENTS));
        }
}

static void read_tls(struct reading *in, const struct yaml_entry *entry)
{
        static const char *const words[] = {"verify", "none", "none-over-network"};
        struct draft *d = draft_of(in);
        const char *word = key_text(in, entry);
        if (word == NULL) return;
        d->over_network = strcmp(word, "none-over-network") == 0;
        d->target->plain = d->over_network || strcmp(word, "none") == 0;
        if (!d->target->plain && strcmp(word, "verify") != 0)
                key_problem(in, entry->value, "'tls' must be verify, none or none-over-network%s",
                    loader_suggest(in->loader, word, words, 3));
}

static void read_ca(struct reading *in, const struct yaml_entry *entry)
{
        const char *path = key_text(in, entry);
        if (path != NULL) draft_of(in)->target->ca = loader_path(in->loader->arena, in->folder, path);
}

static void read_url(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->url_node = entry->value;
        draft_of(in)->target->url = text_behind(in, entry);
}

static void read_secret(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->target->secret = text_at(in, entry->key, entry->value, true);
}

static void read_server(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->server_node = entry->value;
        draft_of(in)->target->url = text_behind(in, entry);
}

static void read_user(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->target->user = text_behind(in, entry);
}

static void read_password(struct reading *in, const struct yaml_entry *entry)
{
        draft_of(in)->target->password = text_at(in, entry->key, entry->value, true);
}

static void require(
    struct reading *in, const struct yaml_node *map, const char *const *keys, size_t count, const char *what)
{
        for (size_t i = 0; i < count; i++) {
                const struct yaml_entry *entry = yaml_get(map, keys[i]);
                if (entry == NULL || yaml_absent(entry->value))
                        key_problem(in, map, "'%s' is missing in %s", keys[i], what);
        }
}

static void read_email(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"to", read_to}, {"from", read_from}, {"server", read_server},
            {"user", read_user}, {"password", read_password}, {"tls", read_tls}, {"ca", read_ca}};
        static const char *const required[] = {"to", "from", "server"};
        if (!keys_is_map(in, entry->value, "'email'")) {
                if (yaml_absent(entry->value)) key_problem(in, entry->value, "'email' must be a map");
                return;
        }
        keys_read(in, entry->value, "'email'", keys, sizeof keys / sizeof keys[0]);
        require(in, entry->value, required, 3, "'email'");
        bool user = yaml_get(entry->value, "user") != NULL,
             password = yaml_get(entry->value, "password") != NULL;
        if (user != password) key_problem(in, entry->value, "'user' and 'password' come together in 'email'");
        check_server(in);
}

static const struct key webhook_keys[] = {{"webhook", read_url}, {"secret", read_secret}, {"name", read_name},
    {"on", read_on}, {"tls", read_tls}, {"ca", read_ca}};
static const struct key slack_keys[] = {
    {"slack", read_url}, {"name", read_name}, {"on", read_on}, {"tls", read_tls}, {"ca", read_ca}};
static const struct key email_keys[] = {{"email", read_email}, {"name", read_name}, {"on", read_on}};

static bool find_kind(struct reading *in, const struct yaml_node *node, enum notify_kind *kind)
{
        size_t found = 0;
        for (size_t k = 0; k < sizeof kind_names / sizeof kind_names[0]; k++) {
                if (yaml_get(node, kind_names[k]) == NULL) continue;
                *kind = (enum notify_kind)k;
                found++;
        }
        if (found == 1) return true;
        const char *meant = node->count > 0 ? loader_suggest(in->loader, node->entries[0].key, kind_names,
                                                  sizeof kind_names / sizeof kind_names[0])
                                            : "";
        key_problem(in, node, "a target of 'notify' has one of the keys 'webhook', 'slack' and 'email'%s",
            found > 0 ? ", not several" : meant);
        return false;
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static bool is_taken(const struct notify_target *targets, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (targets[i].name != NULL && strcmp(targets[i].name, name) == 0) return true;
        return false;
}

/* Kind and host, which are no secret; a second one at the same host is told apart by a number. */
static void name_target(struct reading *in, struct notify_target *targets, size_t count)
{
        struct notify_target *t = &targets[count];
        struct url_parts parts;
        if (t->name != NULL) {
                if (is_taken(targets, count, t->name))
                        loader_problem(in->loader, t->place, in->address,
                            "another target of 'notify' is called '%.100s' too", t->name);
                return;
        }
        if (t->url == NULL || !url_split(t->url, &parts)) return;
        struct arena *arena = in->loader->arena;
        int len = parts.host_len > 200 ? 200 : (int)parts.host_len;
        t->name = arena_printf(arena, "%s %.*s", notify_kind_name(t->kind), len, parts.host);
        for (unsigned n = 2; is_taken(targets, count, t->name); n++)
                t->name = arena_printf(arena, "%s %.*s #%u", notify_kind_name(t->kind), len, parts.host, n);
}

/* --- the list -------------------------------------------------------------------------------------------------------- */

static void read_target(struct reading *in, const struct yaml_node *node, const struct scope *scope,
    struct notify_target *targets, size_t count)
{
        struct notify_target *t = &targets[count];
        *draft_of(in) = (struct draft){.target = t, .scope = scope};
        t->events = NOTIFY_DEFAULT;
        t->place = yaml_place(in->file, node);
        if (!keys_is_map(in, node, "a target of 'notify'")) {
                if (yaml_absent(node)) key_problem(in, node, "a target of 'notify' must be a map");
                return;
        }
        if (!find_kind(in, node, &t->kind)) return;
        switch (t->kind) {
        case NOTIFY_WEBHOOK:
                keys_read(in, node, "a webhook", webhook_keys, sizeof webhook_keys / sizeof webhook_keys[0]);
                check_url(in);
                break;
        case NOTIFY_SLACK:
                keys_read(in, node, "a Slack target", slack_keys, sizeof slack_keys / sizeof slack_keys[0]);
                check_url(in);
                break;
        case NOTIFY_EMAIL:
                keys_read(in, node, "an e-mail target", email_keys, sizeof email_keys / sizeof email_keys[0]);
                break;
        }
        name_target(in, targets, count);
}

void notify_read(struct loader *loader, const struct yaml_file *file, const struct yaml_node *node,
    struct environment *env)
{
        struct draft draft;
        struct reading in = {
            .loader = loader, .file = file, .folder = env->folder, .address = "notify", .into = &draft};
        if (yaml_absent(node)) return;
        bool list = node->kind == YAML_SEQUENCE;
        if (!list && node->kind != YAML_MAP) {
                key_problem(&in, node, "'notify' must be a list of targets, not %s", yaml_kind_name(node));
                return;
        }
        size_t count = list ? node->count : 1;
        if (count > NOTIFY_TARGETS_MAX) {
                key_problem(&in, node, "'notify' has more than %d targets", NOTIFY_TARGETS_MAX);
                return;
        }
        const char *root_keys[] = {"environment", "param"}, *name_key = "name";
        cleanup(value_free) struct value *name = value_string(env->name ? env->name : "");
        cleanup(value_free) struct value *environment = value_object(&name_key, &name, 1);
        struct value *parts[] = {environment, (struct value *)env->parameters};
        cleanup(value_free) struct value *roots = env->parameters ? value_object(root_keys, parts, 2) : NULL;
        struct scope scope = {0};
        scope_over_object(&scope, roots);
        scope.base_dir = in.folder;
        scope.allow_outside = loader->allow_outside;
        struct notify_target *targets = arena_alloc(loader->arena, (count + 1) * sizeof *targets);
        for (size_t i = 0; i < count; i++)
                read_target(&in, list ? node->items[i] : node, roots ? &scope : NULL, targets, i);
        env->notify = targets;
        env->notify_count = count;
}
