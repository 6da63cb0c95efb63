/*
 * The read run: refresh of recorded resources and lookups, in parallel within each provider's limits. Changes nothing, so nothing
 * is journalled.
 */
#include <string.h>

#include "base/log.h"
#include "run/connect.h"
#include "run/limit.h"
#include "run/record.h"
#include "run/session_internal.h"

struct reader;

struct reading {
        struct reader *reader;
        const struct wanted *wanted;
        struct connection *connection; /* whose slot it has, or waits for */
};

struct reader {
        struct session *session;
        struct engine *engine;
        const struct plan_request *request;
        struct reading *readings;
        size_t running, finished, total;
        struct error *problems;
};

static void start_next(struct reader *reader, struct connection *c);

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

static void read_over(void *context, const struct operation_outcome *outcome)
{
        struct reading *r = context;
        struct reader *reader = r->reader;
        const struct wanted *w = r->wanted;
        bool unreachable = outcome->failed && outcome->failure == TUTTI_TRANSIENT && w->recorded &&
                           w->schema->acts_on_host;
        if (unreachable) {
                /* The host may be on its way out of this very plan: what is recorded on it stands until it answers. */
                log_warn("%s: its host does not answer, so the record is taken as it is: %s", w->address,
                    outcome->message);
                world_put(reader->session->world, w->address, value_ref(w->prior), NULL);
        } else if (outcome->failed) {
                struct place place = {.address = w->address};
                error_set(&reader->problems, ERROR_PROVIDER, &place, "read: %s", outcome->message);
        } else if (w->recorded == NULL && outcome->gone) {
                struct place place = {.address = w->address};
                error_set(&reader->problems, ERROR_MISSING, &place, "nothing matches this lookup");
        } else if (w->recorded == NULL) {
                put_lookup(reader, w, outcome);
        } else if (outcome->gone) {
                world_put(reader->session->world, w->address, NULL, NULL);
        } else {
                put_refresh(reader, w, outcome);
        }
        connection_leave(r->connection, &reader->problems);
        reader->running--;
        reader->finished++;
        report(reader, w->address, true);
        start_next(reader, r->connection);
        if (reader->running == 0) loop_stop(reader->engine->loop);
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
        return error_move(err, &reader.problems);
}
