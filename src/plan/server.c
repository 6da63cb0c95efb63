/* Finding the configuration that serves something; see server.h. */
#include "plan/server.h"

#include <string.h>

#include "plan/account.h"
#include "plan/address.h"

/* "aws" of aws.ec2.vpc, to be freed. */
static char *kind_of(const char *type)
{
        return mem_strndup(type, strcspn(type, "."));
}

static const struct server *server_new(
    struct evaluation *at, struct evaluation *ev, struct cell *cell, const char *name, const char *kind)
{
        /* Most things are served as the one before. */
        const struct server *last = at->last_server;
        bool same = last != NULL && last->cell == cell && last->ev == ev && strcmp(last->name, name) == 0;
        if (same && strcmp(last->kind, kind) == 0) return last;
        cleanup_free char *key = mem_printf("%p %s %s", (void *)cell, kind, name);
        struct server *s = map_get(&at->servers, key);
        if (s != NULL) return at->last_server = s;
        s = arena_alloc(at->arena, sizeof *s);
        *s = (struct server){.ev = ev,
            .cell = cell,
            .name = arena_strdup(at->arena, name),
            .kind = arena_strdup(at->arena, kind)};
        const struct value *config = cell ? cell_value(ev, cell, NULL) : NULL;
        s->account = evaluation_own(at, account_of(at->input->schemas, kind, config));
        if (s->account != NULL) {
                cleanup_free char *text = account_text(s->account);
                s->account_text = arena_strdup(at->arena, text);
        }
        map_put(&at->servers, arena_strdup(at->arena, key), s);
        return at->last_server = s;
}

const struct server *server_of_instance(struct evaluation *ev, const struct instance *i)
{
        const struct expansion *x = i->expansion;
        cleanup_free char *kind = kind_of(x->resource->type);
        return server_new(ev, ev, x->provider, x->resource->provider ? x->resource->provider : kind, kind);
}

/* The block of that name where `address` stands or around that, if it is of that provider. */
static struct cell *block_at(
    struct evaluation *ev, struct module *m, const char *address, const char *name, const char *kind)
{
        struct cell *cell = module_provider(m ? m : module_of_address(ev, address), name);
        return cell != NULL && strcmp(cell->provider->type, kind) == 0 ? cell : NULL;
}

struct candidates {
        const struct server *items[8];
        size_t count;
};

static void add(struct candidates *c, const struct server *s)
{
        if (c->count < sizeof c->items / sizeof *c->items) c->items[c->count++] = s;
}

static bool is_accepted(const struct evaluation *ev, const char *name)
{
        for (size_t i = 0; i < ev->input->accepted_count; i++)
                if (strcmp(ev->input->accepted[i], name) == 0) return true;
        return false;
}

/* What could serve the record, the nearest first. */
static struct candidates candidates_of(struct evaluation *ev, const struct recorded *r,
    const struct instance *i, const char *name, const char *kind)
{
        struct candidates c = {0};
        struct module *m = i ? i->expansion->module : NULL;
        struct cell *own = block_at(ev, m, r->address, name, kind);
        bool bare = strcmp(name, kind) == 0;
        const struct server *renamed = NULL;
        const char *type_now = i ? i->expansion->resource->type : "";
        size_t len = strlen(kind);
        if (i != NULL && strncmp(type_now, kind, len) == 0 && (type_now[len] == '.' || type_now[len] == '\0'))
                renamed = server_of_instance(ev, i);
        /* Of an older record only the name is known: another one is none. */
        if (renamed != NULL && (strcmp(renamed->name, name) == 0 || r->account == NULL)) renamed = NULL;
        if (own != NULL) add(&c, server_new(ev, ev, own, name, kind));
        if (renamed != NULL) add(&c, renamed);
        if (own == NULL && bare) add(&c, server_new(ev, ev, NULL, name, kind));
        for (size_t a = 0; a < ev->input->accepted_count; a++) {
                const char *block = ev->input->accepted[a];
                struct cell *cell = block_at(ev, m, r->address, block, kind);
                if (cell != NULL) add(&c, server_new(ev, ev, cell, block, kind));
        }
        if (ev->input->present == NULL) return c;
        struct evaluation *now = ev->input->present->evaluation;
        struct cell *present = block_at(now, NULL, r->address, name, kind);
        if (present != NULL) add(&c, server_new(ev, now, present, name, kind));
        return c;
}

/* Whether it is the account of the record, or nothing speaks against it as far as is known. */
static bool fits(struct evaluation *ev, const struct recorded *r, const char *kind, const struct server *s)
{
        if (r->account == NULL || s->account == NULL || value_equal(r->account, s->account)) return true;
        enum account_match match = account_compare(
            ev->input->schemas, kind, r->account, s->account, NULL, NULL);
        /* A plan that reads nothing can be shown where the variables are not set; connecting asks for them. */
        bool unset = match == ACCOUNT_ABSENT && s->cell == NULL && !ev->input->refresh;
        return match == ACCOUNT_SAME || unset;
}

static const struct server *accepted(struct evaluation *ev, const struct server *s)
{
        struct server *copy = arena_alloc(ev->arena, sizeof *copy);
        *copy = *s;
        copy->accepted = true;
        return copy;
}

/* `tutti state rm FILE ADDRESS` to forget it */
static void add_rm(struct evaluation *ev, const struct recorded *r, struct text *out)
{
        text_add(out, "`tutti state rm ");
        text_add_shell(out, ev->input->env->file);
        text_addc(out, ' ');
        text_add_shell(out, r->address);
        text_add(out, r->open ? "` to give it up" : "` to forget it");
}

/* Beginning of what is said of it. */
static char *made_by(const struct recorded *r, const char *provider)
{
        return r->open ? mem_printf("the creation of %s in run %s was begun with provider '%s'", r->address,
                             r->open->row->run, provider)
                       : mem_printf("%s was made with provider '%s'", r->address, provider);
}

/* Where a block is to stand again: of a nested template that is gone, no place of its own is left. */
static const char *where(struct evaluation *ev, const char *address)
{
        size_t lengths[ADDRESS_COVERS], count = address_covers(address, lengths), inside = 0;
        for (size_t c = 0; c < count; c++)
                if (address[lengths[c]] == '/') inside = lengths[c] + 1;
        bool stands = strlen(module_of_address(ev, address)->prefix) >= inside;
        return stands ? "" : " (its nested template is gone: at the root, under that name)";
}

static int refuse_missing(
    struct evaluation *ev, const struct recorded *r, const char *name, struct error **err)
{
        struct place place = {.address = r->address};
        struct text account __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text rm __attribute__((__cleanup__(text_release_cleanup))) = {0};
        cleanup_free char *made = made_by(r, name);
        if (r->account != NULL && value_count(r->account) > 0)
                value_json(r->account, SECRETS_MASK, NULL, &account, NULL);
        add_rm(ev, r, &rm);
        return error_set(err, ERROR_INPUT, &place,
            "%s%s%s, which the template does not configure any more: put the block back%s, or %s", made,
            account.len > 0 ? " of " : "", account.len > 0 ? account.data : "", where(ev, r->address),
            rm.data);
}

static int refuse_other(struct evaluation *ev, const struct recorded *r, const char *name, const char *kind,
    const struct server *s, struct error **err)
{
        struct place place = {.address = r->address};
        struct text then __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text now __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text rm __attribute__((__cleanup__(text_release_cleanup))) = {0};
        cleanup_free char *made = made_by(r, name);
        account_compare(ev->input->schemas, kind, r->account, s->account, &then, &now);
        add_rm(ev, r, &rm);
        cleanup_free char *who =
            s->cell != NULL
                ? mem_printf("block '%s' has", s->name)
                : mem_printf("the template has no block '%s' and the environment variables have", s->name);
        return error_set(err, ERROR_INPUT, &place,
            "%s at %s, but %s %s: put back what it was%s, say --accept-provider %s "
            "if that is the right one for it, or %s",
            made, then.data, who, now.data, where(ev, r->address), s->name, rm.data);
}

const struct server *server_of_record(
    struct evaluation *ev, const struct recorded *r, const struct instance *i, struct error **err)
{
        cleanup_free char *kind = kind_of(r->type);
        const char *name = r->provider != NULL && *r->provider != '\0' ? r->provider : kind;
        struct candidates c = candidates_of(ev, r, i, name, kind);
        for (size_t k = 0; k < c.count; k++)
                if (fits(ev, r, kind, c.items[k])) return c.items[k];
        for (size_t k = 0; k < c.count; k++)
                if (is_accepted(ev, c.items[k]->name)) return accepted(ev, c.items[k]);
        if (c.count == 0)
                refuse_missing(ev, r, name, err);
        else
                refuse_other(ev, r, name, kind, c.items[0], err);
        return NULL;
}

/* The instance at an address where something is recorded or open. */
static void find_instances(struct evaluation *ev, struct map *instances)
{
        const struct state *state = ev->input->state;
        for (size_t n = 0; n < ev->node_count; n++) {
                struct instance *i = (struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE) continue;
                if (map_has(&state->by_address, i->address) || map_has(&state->open_by_address, i->address))
                        map_put(instances, i->address, i);
        }
}

/* Whether nobody need serve it in this plan. */
static bool is_idle(
    struct evaluation *ev, const struct recorded *r, const struct instance *i, struct text *scratch)
{
        const struct schema_source *schemas = ev->input->schemas;
        bool only_forgotten = r->keep && r->deposed[0] == '\0' && i == NULL && r->open == NULL;
        bool later = address_find_cover(&ev->deferred_bare, r->address, scratch) != NULL;
        bool unserved = schemas->find(schemas->context, r->type, NULL) == NULL; /* its deletion says so */
        return ev->input->unchecked || only_forgotten || later || unserved;
}

int servers_find(struct evaluation *ev, struct error **err)
{
        const struct state *state = ev->input->state;
        size_t before = error_count(*err);
        struct text scratch = {0};
        struct map instances = {0};
        find_instances(ev, &instances);
        ev->record_servers = arena_alloc(ev->arena, (state->count + 1) * sizeof(const struct server *));
        ev->open_servers = arena_alloc(ev->arena, (state->open_count + 1) * sizeof(const struct server *));
        for (size_t n = 0; n < state->count + state->open_count; n++) {
                size_t o = n - state->count;
                bool is_record = n < state->count;
                const struct recorded *r = is_record ? &state->resources[n] : &state->open[o].object;
                if (!is_record && !state->open[o].creates) continue;
                const struct instance *i = map_get(&instances, r->address);
                const struct server *s = server_of_record(ev, r, i, is_idle(ev, r, i, &scratch) ? NULL : err);
                *(is_record ? &ev->record_servers[n] : &ev->open_servers[o]) = s;
        }
        map_release(&instances);
        text_release(&scratch);
        return error_count(*err) > before ? -1 : 0;
}

const struct server *server_found(struct evaluation *ev, const struct recorded *r)
{
        const struct state *state = ev->input->state;
        if (ev->record_servers == NULL) return server_of_record(ev, r, NULL, NULL);
        return r->open != NULL ? ev->open_servers[r->open - state->open]
                               : ev->record_servers[r - state->resources];
}

int server_use(const struct server *s, const char *address, const struct recorded *recorded,
    struct provider_use *use, struct error **err)
{
        *use = provider_use_of(s->cell, address, s->name);
        use->recorded = recorded;
        use->accepted = s->accepted;
        if (s->cell == NULL) return 0;
        cleanup(error_free) struct error *problems = NULL;
        use->config = cell_value(s->ev, s->cell, &problems);
        return error_move(err, &problems);
}
