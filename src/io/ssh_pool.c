/* SSH connections kept per host and shared. */
#include "io/ssh_pool.h"

#include "base/map.h"
#include "io/ssh_host.h"
#include "io/ssh_tunnel.h"

enum { CHANNELS_PER_LINK = 8, LINKS_PER_GROUP = 8, IDLE_MS = 60000 };

struct ssh_link {
        struct ssh_link *next;
        struct ssh_group *group;
        struct ssh_session *session;
        struct ssh_tunnel *tunnel; /* while it is being opened */
        struct ring pending;       /* of clients: places taken before it is ready */
        unsigned users, limit;
        bool ready;
        struct timer *idle;
};

/* The connections to one host with one set of credentials. */
struct ssh_group {
        struct ssh_pool *pool;
        char *digest;
        struct ssh_host *host;
        struct ssh_link *links;
        unsigned count;
        struct ring queue; /* of clients, for a place on any of them */
};

struct ssh_pool {
        struct loop *loop;
        struct map groups; /* by digest */
        struct ring tunnels;
};

static void group_serve(struct ssh_group *group);

/* ---- clients that wait, in order of arrival ---- */

/* The first one, who waits no more; or NULL. */
static struct ssh_client *take_first(struct ring *clients)
{
        struct ring *place = ring_take_first(clients);
        return place != NULL ? ring_owner(place, struct ssh_client, place) : NULL;
}

/* ---- groups ---- */

static void group_free(struct ssh_group *group)
{
        ssh_host_free(group->host);
        free(group->digest);
        free(group);
}

static void group_drop_if_empty(struct ssh_group *group)
{
        if (group->links != NULL || ring_first(&group->queue) != NULL) return;
        map_remove(&group->pool->groups, group->digest);
        group_free(group);
}

static struct ssh_group *group_of(struct ssh_pool *pool, const struct ssh_host *host)
{
        cleanup_free char *digest = ssh_host_digest(host);
        struct ssh_group *group = map_get(&pool->groups, digest);
        if (group != NULL) return group;
        group = mem_alloc(sizeof *group);
        group->pool = pool;
        ring_init(&group->queue);
        group->host = ssh_host_copy(host);
        group->digest = steal(digest);
        map_put(&pool->groups, group->digest, group);
        return group;
}

/* ---- links ---- */

static void link_free(struct ssh_link *link)
{
        timer_cancel(link->idle);
        ssh_tunnel_cancel(link->tunnel);
        ssh_session_free(link->session);
        free(link);
}

static void link_remove(struct ssh_link *link)
{
        struct ssh_group *group = link->group;
        struct ssh_link **at = &group->links;
        while (*at != link) at = &(*at)->next;
        *at = link->next;
        group->count--;
        link_free(link);
}

static void link_ready(void *context)
{
        struct ssh_link *link = context;
        link->ready = true;
        for (struct ssh_client *client; (client = take_first(&link->pending)) != NULL;)
                client->ready(client, link->session);
}

static void link_down(void *context, const struct error *error)
{
        struct ssh_link *link = context;
        struct ssh_group *group = link->group;
        for (struct ssh_client *client; (client = take_first(&link->pending)) != NULL;) {
                client->link = NULL;
                client->group = NULL;
                client->failed(client, error);
        }
        link_remove(link);
        group_serve(group);
        group_drop_if_empty(group);
}

static void link_idled(void *context)
{
        struct ssh_link *link = context;
        struct ssh_group *group = link->group;
        link->idle = NULL;
        link_remove(link);
        group_drop_if_empty(group);
}

static void tunnel_opened(void *context, int fd, const struct error *error)
{
        struct ssh_link *link = context;
        link->tunnel = NULL;
        if (fd < 0)
                ssh_session_fail(link->session, error);
        else
                ssh_session_use(link->session, fd);
}

static struct ssh_link *link_new(struct ssh_group *group, int64_t timeout_ms)
{
        static const struct ssh_session_events events = {.ready = link_ready, .down = link_down};
        struct ssh_pool *pool = group->pool;
        const struct ssh_host *host = group->host;
        struct ssh_link *link = mem_alloc(sizeof *link);
        link->group = group;
        ring_init(&link->pending);
        link->limit = CHANNELS_PER_LINK;
        link->next = group->links;
        group->links = link;
        group->count++;
        link->session = ssh_session_new(pool->loop, host, timeout_ms, &events, link);
        if (host->jump == NULL)
                ssh_session_connect(link->session);
        else
                link->tunnel = ssh_tunnel_start(pool->loop, pool, &pool->tunnels, host->jump, timeout_ms,
                    host->address, host->port, tunnel_opened, link);
        return link;
}

/* One with room, rather one that is ready; or NULL. */
static struct ssh_link *link_with_room(struct ssh_group *group)
{
        struct ssh_link *found = NULL;
        for (struct ssh_link *link = group->links; link != NULL; link = link->next) {
                if (link->users >= link->limit || ssh_session_is_down(link->session) ||
                    ssh_session_is_clogged(link->session))
                        continue;
                if (found == NULL || (link->ready && !found->ready)) found = link;
        }
        return found;
}

/* ---- clients ---- */

/* False when every connection is full. */
static bool client_place(struct ssh_group *group, struct ssh_client *client)
{
        struct ssh_link *link = link_with_room(group);
        if (link == NULL && group->count >= LINKS_PER_GROUP) return false;
        if (link == NULL) link = link_new(group, client->connect_timeout_ms);
        client->link = link;
        client->reused = link->ready;
        link->users++;
        timer_cancel(steal(link->idle));
        if (link->ready)
                client->ready(client, link->session);
        else
                ring_add_last(&link->pending, &client->place);
        return true;
}

static void group_serve(struct ssh_group *group)
{
        for (struct ssh_client *client; (client = take_first(&group->queue)) != NULL;) {
                if (client_place(group, client)) continue;
                ring_add_first(&group->queue, &client->place);
                return;
        }
}

void ssh_pool_attach(struct ssh_pool *pool, const struct ssh_host *host, struct ssh_client *client)
{
        struct ssh_group *group = group_of(pool, host);
        client->group = group;
        client->link = NULL;
        if (ring_first(&group->queue) == NULL && client_place(group, client)) return;
        ring_add_last(&group->queue, &client->place);
}

void ssh_pool_detach(struct ssh_client *client)
{
        struct ssh_group *group = client->group;
        struct ssh_link *link = client->link;
        if (group == NULL) return;
        client->group = NULL;
        client->link = NULL;
        ring_remove(&client->place);
        if (link == NULL) {
                group_drop_if_empty(group);
                return;
        }
        link->users--;
        if (ssh_session_is_down(link->session)) return; /* link_down follows */
        group_serve(group);
        if (link->users == 0) link->idle = timer_start(group->pool->loop, IDLE_MS, link_idled, link);
}

bool ssh_pool_limit(struct ssh_client *client)
{
        if (client->link->users < 2) return false;
        client->link->limit = client->link->users - 1;
        return true;
}

bool ssh_pool_is_alone(const struct ssh_client *client)
{
        return client->link != NULL && client->link->users == 1;
}

/* ---- the pool ---- */

struct ssh_pool *ssh_pool_new(struct loop *loop)
{
        struct ssh_pool *pool = mem_alloc(sizeof *pool);
        pool->loop = loop;
        ring_init(&pool->tunnels);
        return pool;
}

void ssh_pool_free(struct ssh_pool *pool)
{
        if (pool == NULL) return;
        for (map_foreach (&pool->groups, entry)) {
                struct ssh_group *group = entry->value;
                for (struct ssh_link *link = group->links, *next; link != NULL; link = next) {
                        next = link->next;
                        link->tunnel = NULL; /* freed below, with all others */
                        link_free(link);
                }
        }
        ssh_tunnel_free_all(&pool->tunnels);
        for (map_foreach (&pool->groups, entry)) group_free(entry->value);
        map_release(&pool->groups);
        free(pool);
}
