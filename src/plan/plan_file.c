/*
 * The saved form of a plan: what it was built from, and the digest that building it again must give. The table is in it for people
 * and tools; it is never read back. The reader takes nothing on trust: every part is typed and bounded, and the digest is proved
 * by the store's key, so that nobody else can make a plan, or another one out of this.
 */
#include <string.h>
#include "base/clock.h"
#include "lang/base64.h"
#include "plan/plan_json.h"

enum { FORMAT = 1, SAVED_MAX = 1 << 28, ADDRESSES_MAX = 100000, SOURCES_MAX = 1000 };

static const char *const mode_names[] = {
    [PLAN_APPLY] = "apply", [PLAN_DESTROY] = "destroy", [PLAN_DRIFT] = "drift"};

static const char *const output_names[] = {
    [OUTPUTS_STAY] = "stay", [OUTPUTS_DESCRIBED] = "described", [OUTPUTS_NONE] = "none"};

static void add_key(struct text *out, const char *name)
{
        text_addf(out, ",\"%s\":", name);
}

static void add_string(struct text *out, const char *s)
{
        if (s == NULL)
                text_add(out, "null");
        else
                text_add_json(out, s, strlen(s));
}

static void add_strings(struct text *out, const char *name, const char *const *items, size_t count)
{
        add_key(out, name);
        text_addc(out, '[');
        for (size_t i = 0; i < count; i++) {
                if (i > 0) text_addc(out, ',');
                add_string(out, items[i]);
        }
        text_addc(out, ']');
}

/* A value in its exact form, as a string. */
static int add_encoded(
    struct text *out, const struct value *v, const struct sealer *sealer, struct error **err)
{
        if (v == NULL) {
                text_add(out, "null");
                return 0;
        }
        struct text encoded = {0};
        int status = value_encode(v, sealer, &encoded, err);
        if (status == 0) text_add_json(out, encoded.data, encoded.len);
        text_release(&encoded);
        return status;
}

/* A provider's own bytes may hold anything: they are sealed whole. */
static int add_private(struct text *out, const char *bytes, const struct sealer *sealer, struct error **err)
{
        if (bytes == NULL) {
                text_add(out, "null");
                return 0;
        }
        cleanup(value_free) struct value *plain = value_string(bytes);
        cleanup(value_free) struct value *marked = value_sensitive(plain, true);
        return value_json(marked, SECRETS_SEAL, sealer, out, err);
}

static const char *const fact_names[] = {
    [FACT_WHOLE] = "whole", [FACT_DIGEST] = "digest", [FACT_REFUSED] = "refused"};

/* Files hold any bytes, and secrets; so may their names. */
static int add_bytes(struct text *out, const char *name, const char *bytes, size_t len,
    const struct sealer *sealer, struct error **err)
{
        struct text encoded __attribute__((__cleanup__(text_release_cleanup))) = {0};
        base64_encode(bytes, len, &encoded);
        add_key(out, name);
        return add_private(out, encoded.data ? encoded.data : "", sealer, err);
}

static int add_files(
    struct text *out, const struct files *files, const struct sealer *sealer, struct error **err)
{
        text_add(out, ",\"files\":[");
        for (size_t i = 0; i < files_count(files); i++) {
                const struct fact *f = files_at(files, i);
                text_addf(out, "%s{\"kind\":\"%s\"", i ? "," : "", fact_names[f->kind]);
                if (add_bytes(out, "key", f->key, strlen(f->key), sealer, err) < 0 ||
                    add_bytes(out, "bytes", f->bytes, f->len, sealer, err) < 0)
                        return -1;
                text_addc(out, '}');
        }
        text_addc(out, ']');
        return 0;
}

/* Whether anything that a cloud was given, or gave, is a secret: it may show that in what its type knows as none, and of another object. */
static bool has_secrets(const struct state *state)
{
        for (size_t i = 0; i < state->count; i++) {
                const struct recorded *r = &state->resources[i];
                if (value_has_sensitive(r->properties) || value_has_sensitive(r->outputs)) return true;
                if (r->host != NULL && value_has_sensitive(r->host)) return true;
        }
        return false;
}

static int add_each_observation(
    struct text *out, const struct world *world, const struct sealer *sealer, struct error **err)
{
        bool first = true;
        text_addc(out, '[');
        for (map_foreach (&((struct world *)world)->observations, entry)) {
                const struct observation *o = entry->value;
                text_add(out, first ? "{\"address\":" : ",{\"address\":");
                first = false;
                add_string(out, entry->key);
                add_key(out, "observed");
                if (add_encoded(out, o->observed, sealer, err) < 0) return -1;
                add_key(out, "private");
                if (add_private(out, o->private_, sealer, err) < 0) return -1;
                text_addc(out, '}');
        }
        text_addc(out, ']');
        return 0;
}

/* Where there are secrets, all of it is sealed as one text: sealing costs by the piece. */
static int add_observations(
    struct text *out, const struct plan_input *in, const struct sealer *sealer, struct error **err)
{
        struct text all __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (!has_secrets(in->state)) return add_each_observation(out, in->world, sealer, err);
        if (add_each_observation(&all, in->world, sealer, err) < 0) return -1;
        return add_private(out, all.data, sealer, err);
}

static int add_world(
    struct text *out, const struct plan_input *in, const struct sealer *sealer, struct error **err)
{
        text_addf(out, ",\"world\":{\"time\":%lld,\"observations\":", (long long)in->world->time_ms);
        if (add_observations(out, in, sealer, err) < 0) return -1;
        if (add_files(out, in->world->files, sealer, err) < 0) return -1;
        text_addc(out, '}');
        return 0;
}

/* Only who has the key can seal this; that it can be opened is the proof. */
static char *proof_text(const char *digest)
{
        return mem_printf("tutti plan %s", digest);
}

static int add_proof(struct text *out, const char *digest, const struct sealer *sealer, struct error **err)
{
        cleanup_free char *text = proof_text(digest);
        add_key(out, "proof");
        return add_private(out, text, sealer, err);
}

static void add_back(struct text *out, const struct way_back *back)
{
        text_add(out, ",\"back\":{\"run\":");
        add_string(out, back->run);
        add_key(out, "undoes");
        add_string(out, back->undoes);
        add_key(out, "base");
        add_string(out, back->base);
        add_key(out, "outputs");
        add_string(out, output_names[back->outputs]);
        add_strings(out, "returning", back->returning, back->returning_count);
        add_strings(out, "absent", back->absent, back->absent_count);
        add_strings(out, "released", back->released, back->released_count);
        add_strings(out, "made", back->made, back->made_count);
        text_addf(out, ",\"since\":%lld", (long long)back->since_ms);
        text_addc(out, '}');
}

int plan_write(const struct plan *plan, const struct sealer *sealer, struct text *out, struct error **err)
{
        const struct plan_input *in = plan->input;
        char created[CLOCK_TEXT], digest[65];
        clock_text(in->world->time_ms, created);
        text_hex(plan->digest, sizeof plan->digest, digest);
        text_addf(out, "{\"format\":%d,\"environment\":", FORMAT);
        add_string(out, in->env->name);
        add_key(out, "file");
        add_string(out, in->env->file);
        add_key(out, "lineage");
        add_string(out, in->state->lineage);
        text_addf(out, ",\"serial\":%lld,\"digest\":\"%s\",\"created\":\"%s\",\"mode\":\"%s\",\"refresh\":%s",
            (long long)in->state->serial, digest, created, mode_names[in->mode],
            in->refresh ? "true" : "false");
        if (add_proof(out, digest, sealer, err) < 0) return -1;
        text_add(out, ",\"sources\":[");
        for (size_t i = 0; i < in->env->source_count; i++) {
                const struct source *s = &in->env->sources[i];
                text_add(out, i ? ",{\"path\":" : "{\"path\":");
                add_string(out, s->path);
                /* Somebody may have written a secret into it. */
                add_key(out, "text");
                if (add_private(out, s->text, sealer, err) < 0) return -1;
                text_addc(out, '}');
        }
        text_add(out, "],\"parameters\":");
        if (add_encoded(out, in->env->parameters, sealer, err) < 0) return -1;
        if (add_world(out, in, sealer, err) < 0) return -1;
        add_strings(out, "targets", in->targets, in->target_count);
        add_strings(out, "excludes", in->excludes, in->exclude_count);
        if (in->accepted_count > 0) add_strings(out, "accepted", in->accepted, in->accepted_count);
        if (in->back != NULL) add_back(out, in->back);
        add_key(out, "plan");
        if (plan_json_sealed(plan, sealer, out, err) < 0) return -1;
        text_add(out, "}\n");
        return 0;
}

/* ── Reading ── */

struct reader {
        const struct value *root;
        enum saved_from from;
        const struct sealer *sealer;
        struct error **err;
};

static int malformed(struct reader *r, const char *what)
{
        return error_set(r->err, ERROR_INPUT, NULL, "this is no saved plan, or it was damaged: %s", what);
}

static const struct value *part(
    struct reader *r, const struct value *object, const char *name, enum type_kind kind)
{
        const struct value *v = value_get(object, name);
        if (v != NULL && value_is_known(v) && !value_is_null(v) && value_kind(v) == kind) return v;
        cleanup_free char *what = mem_printf("'%s' is missing or not what it should be", name);
        malformed(r, what);
        return NULL;
}

static const char *string_part(struct reader *r, const struct value *object, const char *name)
{
        const struct value *v = part(r, object, name, TYPE_STRING);
        if (v == NULL) return NULL;
        if (strlen(value_as_string(v)) == value_string_len(v)) return value_as_string(v);
        malformed(r, "a text holds a NUL byte");
        return NULL;
}

static int int_part(struct reader *r, const struct value *object, const char *name, int64_t *n)
{
        const struct value *v = part(r, object, name, TYPE_NUMBER);
        if (v == NULL) return -1;
        if (value_as_int(v, n)) return 0;
        return malformed(r, "a number is not a whole one");
}

static struct value *decoded(struct reader *r, const struct value *v, const char *name)
{
        if (v == NULL || value_kind(v) != TYPE_STRING || value_is_null(v) || !value_is_known(v)) {
                malformed(r, name);
                return NULL;
        }
        return value_decode(value_as_string(v), value_string_len(v), r->sealer, r->err);
}

static int check_proof(struct reader *r, const char *digest)
{
        const struct value *v = value_get(r->root, "proof");
        if (v == NULL && r->from == SAVED_RECORD) return 0;
        cleanup_free char *want = proof_text(digest);
        bool proved = v != NULL && value_is_sensitive(v) && value_is_known(v) && !value_is_null(v) &&
                      value_kind(v) == TYPE_STRING && strcmp(value_as_string(v), want) == 0;
        if (proved) return 0;
        return error_set(r->err, ERROR_INPUT, NULL,
            "the saved plan was not written with this store's key, or was changed since; plan again");
}

static int read_head(struct reader *r, struct saved_plan *saved)
{
        int64_t format = 0;
        if (int_part(r, r->root, "format", &format) < 0) return -1;
        if (format != FORMAT)
                return error_set(r->err, ERROR_INPUT, NULL,
                    "the saved plan has format %lld; this program reads format %d", (long long)format,
                    FORMAT);
        const char *environment = string_part(r, r->root, "environment"),
                   *file = string_part(r, r->root, "file");
        const char *lineage = string_part(r, r->root, "lineage"), *mode = string_part(r, r->root, "mode");
        const char *digest = string_part(r, r->root, "digest");
        const struct value *refresh = part(r, r->root, "refresh", TYPE_BOOL);
        if (!environment || !file || !lineage || !mode || !digest || !refresh) return -1;
        if (int_part(r, r->root, "serial", &saved->serial) < 0) return -1;
        saved->environment = arena_strdup(saved->arena, environment);
        saved->file = arena_strdup(saved->arena, file);
        saved->lineage = arena_strdup(saved->arena, lineage);
        saved->refresh = value_as_bool(refresh);
        bool known = false;
        for (unsigned m = 0; m < sizeof mode_names / sizeof mode_names[0]; m++) {
                if (strcmp(mode, mode_names[m]) != 0) continue;
                saved->mode = (enum plan_mode)m;
                known = true;
        }
        if (!known) return malformed(r, "its mode is not known");
        if (strlen(digest) != 64 || strspn(digest, "0123456789abcdef") != 64)
                return malformed(r, "its digest is not one");
        if (check_proof(r, digest) < 0) return -1;
        for (unsigned i = 0; i < 32; i++) {
                char pair[3] = {digest[2 * i], digest[2 * i + 1]};
                saved->digest[i] = (unsigned char)strtoul(pair, NULL, 16);
        }
        return 0;
}

static int read_sources(struct reader *r, struct saved_plan *saved)
{
        const struct value *all = part(r, r->root, "sources", TYPE_TUPLE);
        if (all == NULL) return -1;
        if (value_count(all) > SOURCES_MAX) return malformed(r, "it has too many sources");
        saved->sources = arena_alloc(saved->arena, value_count(all) * sizeof *saved->sources);
        for (size_t i = 0; i < value_count(all); i++) {
                const char *path = string_part(r, value_at(all, i), "path");
                const struct value *text = part(r, value_at(all, i), "text", TYPE_STRING);
                if (path == NULL || text == NULL) return -1;
                size_t len = value_string_len(text);
                saved->sources[saved->source_count++] = (struct source){
                    .path = arena_strdup(saved->arena, path),
                    .text = arena_strndup(saved->arena, value_as_string(text), len),
                    .len = len};
        }
        return 0;
}

static int read_fact(struct reader *r, const struct value *from, struct files *files)
{
        struct text key __attribute__((__cleanup__(text_release_cleanup))) = {0},
                        bytes __attribute__((__cleanup__(text_release_cleanup))) = {0};
        const char *kind = string_part(r, from, "kind"), *k = string_part(r, from, "key");
        const char *b = string_part(r, from, "bytes");
        if (kind == NULL || k == NULL || b == NULL) return -1;
        if (!base64_decode(k, strlen(k), &key) || !base64_decode(b, strlen(b), &bytes) || key.len == 0 ||
            strlen(key.data) != key.len)
                return malformed(r, "what it knows of a file cannot be read");
        for (unsigned i = 0; i < sizeof fact_names / sizeof *fact_names; i++) {
                if (strcmp(kind, fact_names[i]) != 0) continue;
                struct fact fact = {key.data, (enum fact_kind)i, bytes.data ? bytes.data : "", bytes.len};
                files_put(files, &fact);
                return 0;
        }
        return malformed(r, "what it knows of a file is of no kind that is known");
}

/* Plans from before files were kept have none: theirs are looked at. */
static int read_files(struct reader *r, const struct value *world, struct files *files)
{
        if (value_get(world, "files") == NULL) return 0;
        const struct value *all = part(r, world, "files", TYPE_TUPLE);
        if (all == NULL) return -1;
        for (size_t i = 0; i < value_count(all); i++)
                if (read_fact(r, value_at(all, i), files) < 0) return -1;
        return 0;
}

static int read_observation(struct reader *r, const struct value *o, struct world *world)
{
        const char *address = string_part(r, o, "address"), *private_ = NULL;
        if (address == NULL) return -1;
        const struct value *observed = value_get(o, "observed"), *bytes = value_get(o, "private");
        cleanup(value_free) struct value *v = NULL;
        if (observed == NULL || bytes == NULL) return malformed(r, "an observation is incomplete");
        if (!value_is_null(observed)) {
                v = decoded(r, observed, "an observation cannot be read");
                if (v == NULL) return -1;
                if (value_kind(v) != TYPE_OBJECT || value_is_null(v) || !value_is_known(v))
                        return malformed(r, "an observation is no object");
        }
        if (!value_is_null(bytes)) private_ = string_part(r, o, "private");
        if (!value_is_null(bytes) && private_ == NULL) return -1;
        world_put(world, address, steal(v), private_);
        return 0;
}

/* A new reference: sealed as one, or as they are. */
static struct value *open_observations(struct reader *r, const struct value *world)
{
        const struct value *v = value_get(world, "observations");
        bool sealed = v != NULL && value_is_sensitive(v) && value_kind(v) == TYPE_STRING;
        const struct value *plain = sealed ? NULL : part(r, world, "observations", TYPE_TUPLE);
        if (!sealed) return plain ? value_ref(plain) : NULL;
        const char *text = string_part(r, world, "observations");
        struct value *all = text ? value_from_json(text, strlen(text), NULL, r->sealer, r->err) : NULL;
        if (all == NULL || value_kind(all) == TYPE_TUPLE) return all;
        value_free(all);
        malformed(r, "the observations are no list");
        return NULL;
}

static int read_world(struct reader *r, struct saved_plan *saved)
{
        int64_t time = 0;
        const struct value *world = part(r, r->root, "world", TYPE_OBJECT);
        if (world == NULL || int_part(r, world, "time", &time) < 0) return -1;
        saved->world = world_new(time, NULL);
        if (read_files(r, world, saved->world->files) < 0) return -1;
        cleanup(value_free) struct value *all = open_observations(r, world);
        if (all == NULL) return -1;
        for (size_t i = 0; i < value_count(all); i++)
                if (read_observation(r, value_at(all, i), saved->world) < 0) return -1;
        return 0;
}

static int read_addresses(struct reader *r, struct saved_plan *saved, const struct value *from,
    const char *name, char ***items, size_t *count)
{
        const struct value *all = part(r, from, name, TYPE_TUPLE);
        if (all == NULL) return -1;
        if (value_count(all) > ADDRESSES_MAX) return malformed(r, "it names too many addresses");
        *items = arena_alloc(saved->arena, value_count(all) * sizeof **items);
        for (size_t i = 0; i < value_count(all); i++) {
                const struct value *v = value_at(all, i);
                if (value_kind(v) != TYPE_STRING || value_is_null(v) || !value_is_known(v))
                        return malformed(r, "an address is not a text");
                (*items)[(*count)++] = arena_strndup(saved->arena, value_as_string(v), value_string_len(v));
        }
        return 0;
}

/* A text or null. */
static int read_optional(
    struct reader *r, struct saved_plan *saved, const struct value *from, const char *name, const char **ret)
{
        const struct value *v = value_get(from, name);
        if (v == NULL) return malformed(r, "its way back is incomplete");
        if (value_is_known(v) && value_is_null(v)) return 0;
        const char *text = string_part(r, from, name);
        *ret = text ? arena_strdup(saved->arena, text) : NULL;
        return text ? 0 : -1;
}

static int read_back(struct reader *r, struct saved_plan *saved)
{
        if (value_get(r->root, "back") == NULL) return 0;
        const struct value *from = part(r, r->root, "back", TYPE_OBJECT);
        if (from == NULL) return -1;
        struct way_back *back = arena_alloc(saved->arena, sizeof *back);
        const char *outputs = string_part(r, from, "outputs");
        char **returning = NULL, **absent = NULL, **released = NULL, **made = NULL;
        if (outputs == NULL || read_optional(r, saved, from, "run", &back->run) < 0 ||
            read_optional(r, saved, from, "undoes", &back->undoes) < 0 ||
            read_optional(r, saved, from, "base", &back->base) < 0 ||
            read_addresses(r, saved, from, "returning", &returning, &back->returning_count) < 0 ||
            read_addresses(r, saved, from, "absent", &absent, &back->absent_count) < 0 ||
            read_addresses(r, saved, from, "released", &released, &back->released_count) < 0)
                return -1;
        back->returning = (const char *const *)returning;
        back->absent = (const char *const *)absent;
        back->released = (const char *const *)released;
        /* Those from before there was a limit have none. */
        if (value_get(from, "since") != NULL &&
            (read_addresses(r, saved, from, "made", &made, &back->made_count) < 0 ||
                int_part(r, from, "since", &back->since_ms) < 0))
                return -1;
        back->made = (const char *const *)made;
        saved->back = back;
        for (unsigned o = 0; o < sizeof output_names / sizeof output_names[0]; o++) {
                if (strcmp(outputs, output_names[o]) != 0) continue;
                back->outputs = (enum back_outputs)o;
                return 0;
        }
        return malformed(r, "what becomes of its outputs is not known");
}

int saved_plan_read(const char *json, size_t len, enum saved_from from, const struct sealer *sealer,
    struct saved_plan **ret, struct error **err)
{
        *ret = NULL;
        if (len > SAVED_MAX)
                return error_set(err, ERROR_INPUT, NULL, "the saved plan is over %d MiB", SAVED_MAX >> 20);
        cleanup(error_free) struct error *problems = NULL;
        cleanup(value_free) struct value *root = value_from_json(json, len, NULL, sealer, &problems);
        if (root == NULL) {
                error_context(&problems, "cannot read the saved plan");
                return error_move(err, &problems);
        }
        struct reader r = {.root = root, .from = from, .sealer = sealer, .err = err};
        if (value_kind(root) != TYPE_OBJECT || value_is_null(root)) return malformed(&r, "it is no object");
        cleanup(saved_plan_free) struct saved_plan *saved = mem_alloc(sizeof *saved);
        saved->arena = arena_new();
        if (read_head(&r, saved) < 0 || read_sources(&r, saved) < 0 || read_world(&r, saved) < 0) return -1;
        if ((value_get(root, "accepted") != NULL &&
                read_addresses(&r, saved, root, "accepted", &saved->accepted, &saved->accepted_count) < 0) ||
            read_addresses(&r, saved, root, "targets", &saved->targets, &saved->target_count) < 0 ||
            read_addresses(&r, saved, root, "excludes", &saved->excludes, &saved->exclude_count) < 0 ||
            read_back(&r, saved) < 0)
                return -1;
        saved->parameters = decoded(&r, value_get(root, "parameters"), "its parameters are missing");
        if (saved->parameters == NULL) return -1;
        if (value_kind(saved->parameters) != TYPE_OBJECT || value_is_null(saved->parameters))
                return malformed(&r, "its parameters are no object");
        *ret = steal(saved);
        return 0;
}

void saved_plan_free(struct saved_plan *saved)
{
        if (saved == NULL) return;
        value_free(saved->parameters);
        world_free(saved->world);
        arena_free(saved->arena);
        free(saved);
}
