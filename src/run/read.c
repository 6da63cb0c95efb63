/*
 * The read run: refresh of recorded resources and lookups, in parallel within each provider's limits. Changes nothing, so nothing
 * is journalled.
 *
 * An object that cannot be read does not keep the rest from being planned: its record is taken as it is, with a warning. Only where a
 * provider's cloud answers nothing at all, or lets us read nothing, is that an error, as then nothing can be told; not so when destroying,
 * which goes by the record alone. A lookup that fails is an error: its value is needed.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "run/connect.h"
#include "run/hint.h"
#include "run/limit.h"
#include "run/record.h"
#include "run/session_internal.h"

struct reader;

struct reading {
        struct reader *reader;
        const struct wanted *wanted;
        struct connection *connection; /* whose slot it has, or waits for */
        char *problem;                 /* a refresh that failed, and why; else NULL */
        bool in_doubt;                 /* whether it failed for a reason that need not be its own */
};

struct answers {        /* of what stands behind one connection */
        bool any;       /* something was read over it, or it said why not */
        size_t refused; /* reads that failed while nothing answered */
        const struct reading *first;
};

struct reader {
        struct session *session;
        struct engine *engine;
        const struct plan_request *request;
        struct reading *readings;
        struct map answers; /* connection → struct answers * */
        size_t running, finished, total;
        struct error *problems;
};

static void start_next(struct reader *reader, struct connection *c);

static struct answers *answers_of(struct reader *reader, const struct connection *c)
{
        char key[32];
        snprintf(
            key, sizeof key, "%p", (const void *)c); /* a connection is the object: two may have one name */
        struct answers *found = map_get(&reader->answers, key);
        if (found == NULL) map_put_copy(&reader->answers, key, found = mem_alloc(sizeof *found));
        return found;
}

static void report(struct reader *reader, const char *address, bool done)
{
        if (reader->request->reading != NULL)
                reader->request->reading(
                    reader->request->context, address, done, reader->finished, reader->total);
}

static void put_lookup(struct reader *reader, const struct wanted *w, const struct operation_outcome *outcome)
{
        cleanup(value_free) struct value *properties = NULL, *outputs = NULL;
        struct error *err = NULL;
        if (record_split(
                w->schema, w->properties, outcome->observed, outcome->id, &properties, &outputs, &err) < 0) {
                struct place place = {.address = w->address};
                error_place(&err, &place);
                error_move(&reader->problems, &err);
                return;
        }
        world_put(reader->session->world, w->address, value_merge(properties, outputs), NULL);
}

/* What a refresh saw, by the schema: properties the provider does not show keep their recorded value. */
static void put_refresh(
    struct reader *reader, const struct wanted *w, const struct operation_outcome *outcome)
{
        struct value_builder b = {0};
        for (size_t i = 0; outcome->observed != NULL && i < value_count(outcome->observed); i++) {
                const char *key = value_key_at(outcome->observed, i);
                const struct property *p = schema_property(w->schema, key);
                if (p == NULL) p = schema_output(w->schema, key);
                const struct value *seen = value_at(outcome->observed, i);
                if (p == NULL || p->write_only) continue;
                struct value *v = value_convert(seen, p->type, NULL);
                if (v == NULL) continue;
                if (p->sensitive) {
                        struct value *marked = value_sensitive(v, true);
                        value_free(v);
                        v = marked;
                }
                value_builder_add(&b, key, v);
        }
        cleanup(value_free) struct value *seen = value_builder_object(&b);
        world_put(reader->session->world, w->address, value_merge(w->prior, seen), outcome->private_);
}

/* Whether it may be the connection, and no object, that is the reason. A host stands for itself: others may answer. */
static bool may_be_of_all(const struct wanted *w, enum tutti_failure failure)
{
        return !w->schema->acts_on_host &&
               (failure == TUTTI_DENIED || failure == TUTTI_TRANSIENT || failure == TUTTI_THROTTLED);
}

static void lookup_over(
    struct reader *reader, const struct wanted *w, const struct operation_outcome *outcome)
{
        struct place place = {.address = w->address};
        if (outcome->failed)
                error_set(&reader->problems, ERROR_PROVIDER, &place, "read: %s", outcome->message);
        else if (outcome->gone)
                error_set(&reader->problems, ERROR_MISSING, &place, "nothing matches this lookup");
        else
                put_lookup(reader, w, outcome);
}

static void refresh_over(struct reading *r, const struct operation_outcome *outcome)
{
        struct reader *reader = r->reader;
        const struct wanted *w = r->wanted;
        if (outcome->failed) {
                r->problem = mem_strdup(outcome->message ? outcome->message : "failed");
                r->in_doubt = may_be_of_all(w, outcome->failure);
        } else if (outcome->gone) {
                world_put(reader->session->world, w->address, NULL, NULL);
        } else {
                put_refresh(reader, w, outcome);
        }
}

static void read_over(void *context, const struct operation_outcome *outcome)
{
        struct reading *r = context;
        struct reader *reader = r->reader;
        const struct wanted *w = r->wanted;
        if (w->recorded == NULL)
                lookup_over(reader, w, outcome);
        else
                refresh_over(r, outcome);
        if (!outcome->failed || !may_be_of_all(w, outcome->failure))
                answers_of(reader, r->connection)->any = true;
        connection_leave(r->connection, &reader->problems);
        reader->running--;
        reader->finished++;
        report(reader, w->address, true);
        start_next(reader, r->connection);
        if (reader->running == 0) loop_stop(reader->engine->loop);
}

static void warn_unread(struct session *s, const struct reading *r)
{
        struct text forget __attribute__((__cleanup__(text_release_cleanup))) = {0};
        hint_add_named(&forget, "state rm", s->file, r->wanted->address, NULL);
        log_warn(
            "%s: it cannot be read, so its record is taken as it is: %s (`--no-refresh` reads nothing; `%s` "
            "forgets it)",
            r->wanted->address, r->problem, forget.data);
        struct unread *u = session_unread_add(s);
        u->address = mem_strdup(r->wanted->address);
        u->reason = mem_strdup(r->problem);
}

/* Once for each connection, with the object that was asked for first. */
static void refuse_all(struct reader *reader, const struct reading *first, size_t count)
{
        struct place place = {.address = first->wanted->address};
        error_set(&reader->problems, ERROR_PROVIDER, &place,
            "read: %s; nothing could be read over %s (%zu object%s), so there is no plan: `--no-refresh` "
            "plans by the "
            "record alone",
            first->problem, first->connection->name, count, count == 1 ? "" : "s");
}

/* What could not be read, now that it is known what could. */
static void judge_unread(struct reader *reader, struct reading *readings, size_t count)
{
        bool destroys = reader->session->input.mode == PLAN_DESTROY;
        for (size_t i = 0; i < count; i++) {
                struct reading *r = &readings[i];
                if (r->problem == NULL) continue;
                struct answers *q = answers_of(reader, r->connection);
                if (q->any || destroys || !r->in_doubt) {
                        warn_unread(reader->session, r);
                        world_put(
                            reader->session->world, r->wanted->address, value_ref(r->wanted->prior), NULL);
                        continue;
                }
                q->first = q->refused++ == 0 ? r : q->first;
        }
        for (map_foreach (&reader->answers, e)) {
                const struct answers *q = e->value;
                if (q->refused > 0) refuse_all(reader, q->first, q->refused);
        }
}

static void start(struct reading *r)
{
        const struct wanted *w = r->wanted;
        struct operation_request request = {
            .action = w->recorded ? TUTTI_READ : TUTTI_LOOKUP,
            .schema = w->schema,
            .connection = r->connection,
            .address = w->address,
            .id = w->recorded ? w->recorded->id : NULL,
            .private_ = w->recorded ? w->recorded->private_ : NULL,
            .prior = w->prior,
            .planned = w->properties,
            .host = w->recorded ? w->recorded->host : NULL,
            .retry = {.attempts = w->schema->acts_on_host ? 2 : 0},
        };
        struct operation_events events = {.done = read_over, .context = r};
        r->reader->running++;
        report(r->reader, w->address, false);
        operation_start(&r->reader->engine->io, &request, &events);
}

static void start_next(struct reader *reader, struct connection *c)
{
        while (c->waiting.count > 0 && limiter_enter(c->limiter))
                start(&reader->readings[heap_pop(&c->waiting)]);
}

/* Nothing to ask: the record is all there is. */
static bool needs_no_read(struct reader *reader, const struct wanted *w)
{
        if (w->recorded == NULL || !w->schema->no_read) return false;
        world_put(reader->session->world, w->address, value_ref(w->prior), NULL);
        return true;
}

static int enqueue(struct reader *reader, struct reading *r)
{
        struct session *s = reader->session;
        const struct wanted *w = r->wanted;
        struct connector connector = {s->plugins, &s->schemas, s->present.plan};
        struct error *err = NULL;
        r->connection = provider_connect(&connector, &w->use, w->schema, &err);
        if (r->connection == NULL) {
                struct place place = {.address = w->address};
                error_place(&err, &place);
                return error_move(&reader->problems, &err);
        }
        heap_push(&r->connection->waiting, 0, (uint32_t)(r - reader->readings)); /* in their order */
        return 0;
}

int session_read(
    struct session *s, const struct plan *plan, const struct plan_request *request, struct error **err)
{
        struct engine *engine = session_engine(s, err);
        if (engine == NULL) return -1;
        struct reader reader = {
            .session = s, .engine = engine, .request = request, .total = plan->wanted_count};
        cleanup_free struct reading *readings = mem_alloc((plan->wanted_count + 1) * sizeof *readings);
        reader.readings = readings;
        for (size_t i = 0; i < plan->wanted_count; i++) {
                readings[i] = (struct reading){.reader = &reader, .wanted = &plan->wanted[i]};
                if (needs_no_read(&reader, &plan->wanted[i]))
                        reader.finished++;
                else
                        enqueue(&reader, &readings[i]);
        }
        for (size_t i = 0; i < plan->wanted_count; i++)
                if (readings[i].connection != NULL) start_next(&reader, readings[i].connection);
        if (reader.running > 0) loop_run(engine->loop);
        if (reader.problems == NULL && reader.finished < reader.total)
                error_internal(&reader.problems, "%zu of %zu reads were never made",
                    reader.total - reader.finished, reader.total);
        judge_unread(&reader, readings, plan->wanted_count);
        for (size_t i = 0; i < plan->wanted_count; i++) free(readings[i].problem);
        for (map_foreach (&reader.answers, a)) free(a->value);
        map_release(&reader.answers);
        return error_move(err, &reader.problems);
}
