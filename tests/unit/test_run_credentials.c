/* Which parts of a provider's configuration are of today, and when none are. */
#include "plan_fixture.h"
#include "run/credentials.h"

static struct property config[] = {{.name = "endpoint"}, {.name = "key", .credential = true},
    {.name = "secret", .credential = true}, {.name = "session", .credential = true}};

static const struct property *find_own(void *context, const char *provider, size_t *count, struct error **err)
{
        (void)context, (void)provider, (void)err;
        *count = sizeof config / sizeof *config;
        return config;
}

/* The configuration of then and of today, as JSON of what comes out; today as flow YAML, NULL: there is no such provider. */
static void renews(struct cloud *c, const char *then, const char *today, const char *want, const char *name)
{
        cleanup_free char *text = mem_printf("environment: e\nproviders:\n  %s\nresources:\n"
                                             "  net: {type: cloud.network, properties: {name: n}}\n"
                                             "  t: {type: cloud.disk, properties: {size: 1}}\n",
            today);
        cleanup_free char *problems = NULL;
        c->input.mode = PLAN_DRIFT;
        if (!cloud_load(c, text) || cloud_plan(c, &problems) == NULL)
                printf("# %s\n", problems ? problems : "not loaded");
        struct value *v = value_from_json(then, strlen(then), NULL, NULL, NULL);
        credentials_renew(c->plan, &c->schemas, "t", "cluster", "cluster.thing", &v);
        struct text json = {0};
        value_json(v, SECRETS_REVEAL, NULL, &json, NULL);
        is_str(json.data, want, name);
        text_release(&json);
        value_free(v);
}

int main(void)
{
        struct cloud c;
        cloud_init(&c);
        for (size_t i = 0; i < sizeof config / sizeof *config; i++) config[i].type = type_string;
        c.schemas.config = find_own;
        const char *then = "{\"endpoint\":\"here\",\"key\":\"k1\",\"secret\":\"s1\",\"session\":\"x1\"}";
        renews(&c, then, "cluster: {endpoint: here, key: k2, secret: s2, session: x2}",
            "{\"endpoint\":\"here\",\"key\":\"k2\",\"secret\":\"s2\",\"session\":\"x2\"}",
            "credentials are of today");
        renews(&c, then, "cluster: {endpoint: there, key: k2, secret: s2, session: x2}",
            "{\"endpoint\":\"here\",\"key\":\"k2\",\"secret\":\"s2\",\"session\":\"x2\"}",
            "where the cloud is stays");
        renews(&c, then, "cluster: {key: k2, secret: s2}",
            "{\"endpoint\":\"here\",\"key\":\"k2\",\"secret\":\"s2\"}",
            "a key does not meet another's session");
        renews(&c, then, "cluster: {endpoint: here}", "{\"endpoint\":\"here\"}",
            "what is not configured any more is for the variables");
        renews(&c, "{}", "cluster: {key: k2, secret: s2}", "{\"key\":\"k2\",\"secret\":\"s2\"}",
            "what was in variables may be configured now");
        renews(&c, then, "other: {type: cluster, key: k2, secret: s2}", then,
            "another name is another provider");
        renews(&c, then, "cluster: {type: cloud, key: k2, secret: s2}", then, "so is another type");
        renews(&c, then, "cluster: {endpoint: here, key: \"${net.arn}\", secret: s2}", then,
            "what cannot be told yet leaves all of them");
        struct value *none = NULL;
        credentials_renew(c.plan, &c.schemas, "t", "cluster", "cluster.thing", &none);
        ok(none == NULL, "nothing is nothing");
        struct value *v = value_from_json("{}", 2, NULL, NULL, NULL);
        credentials_renew(NULL, &c.schemas, "t", "cluster", "cluster.thing", &v);
        credentials_renew(c.plan, &c.schemas, "t", NULL, "cluster.thing", &v);
        is_int(value_count(v), 0, "without an environment of today, or a provider, it stays");
        value_free(v);
        cloud_release(&c);
        return done();
}
