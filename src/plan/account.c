/* Identifying values out of configurations, and their comparison; see account.h. */
#include "plan/account.h"

#include <string.h>

/* Credentials are not recorded, and whatever else an expression made a secret is none that could be. */
static bool identifies(const struct property *p, const struct value *v)
{
        return !p->credential && !p->sensitive && !p->incidental && v != NULL && !value_has_sensitive(v);
}

struct value *account_of(const struct schema_source *schemas, const char *kind, const struct value *config)
{
        size_t count = 0;
        const struct property *properties = schemas->config(schemas->context, kind, &count, NULL);
        cleanup(value_free) struct value *resolved = schemas->resolve
                                                         ? schemas->resolve(schemas->context, kind, config)
                                                         : NULL;
        const struct value *from = resolved ? resolved : config;
        if (from != NULL && !value_is_known(from)) return NULL;
        struct value_builder b = {0};
        bool known = true;
        for (size_t i = 0; properties != NULL && i < count && from != NULL; i++) {
                const struct value *v = value_get(from, properties[i].name);
                if (!identifies(&properties[i], v) || (value_is_known(v) && value_is_null(v))) continue;
                known = known && value_is_wholly_known(v);
                value_builder_add(&b, properties[i].name, value_ref(v));
        }
        cleanup(value_free) struct value *account = value_builder_object(&b);
        value_builder_release(&b);
        return known ? steal(account) : NULL;
}

char *account_text(const struct value *account)
{
        struct text text = {0};
        value_json(account, SECRETS_MASK, NULL, &text, NULL); /* it holds no secret */
        return text_steal(&text);
}

struct value *account_read(const char *text, struct error **err)
{
        size_t len = strlen(text);
        cleanup(error_free) struct error *problem = NULL;
        cleanup(value_free) struct value *v = len <= ACCOUNT_MAX
                                                  ? value_from_json(text, len, NULL, NULL, &problem)
                                                  : NULL;
        if (v != NULL && value_kind(v) == TYPE_OBJECT && !value_is_null(v)) return steal(v);
        error_set(err, ERROR_SYSTEM, NULL, "the account is no JSON object of at most %d bytes", ACCOUNT_MAX);
        return NULL;
}

/* A value of the property, converted to its type, or its default; NULL for none. New reference. */
static struct value *part_of(const struct property *p, const struct value *account)
{
        const struct value *v = value_get(account, p->name);
        if (v == NULL || value_is_null(v)) return p->fallback ? value_ref(p->fallback) : NULL;
        struct value *converted = value_convert(v, p->type, NULL);
        return converted ? converted : value_ref(v);
}

static void add_words(struct text *out, const char *name, const struct value *v)
{
        if (out == NULL) return;
        if (out->len > 0) text_add(out, ", ");
        if (v == NULL) {
                text_addf(out, "no %s", name);
                return;
        }
        text_addf(out, "%s ", name);
        value_json(v, SECRETS_MASK, NULL, out, NULL);
}

enum account_match account_compare(const struct schema_source *schemas, const char *kind,
    const struct value *then, const struct value *now, struct text *of_then, struct text *of_now)
{
        size_t count = 0;
        const struct property *properties = schemas->config(schemas->context, kind, &count, NULL);
        bool differs = false, absent = true;
        for (size_t i = 0; properties != NULL && i < count; i++) {
                const struct property *p = &properties[i];
                if (p->credential || p->sensitive || p->incidental) continue;
                cleanup(value_free) struct value *before = part_of(p, then), *after = part_of(p, now);
                if (before == NULL ? after == NULL : after != NULL && value_equal(before, after)) continue;
                differs = true;
                absent = absent && after == NULL;
                add_words(of_then, p->name, before);
                add_words(of_now, p->name, after);
        }
        return !differs ? ACCOUNT_SAME : absent ? ACCOUNT_ABSENT : ACCOUNT_OTHER;
}

int account_check(const struct schema_source *schemas, const char *kind, const struct provider_use *use,
    const struct value *now, struct error **err)
{
        const struct recorded *r = use->recorded;
        if (r == NULL || r->account == NULL || use->accepted || now == NULL) return 0;
        struct text before __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text after __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (account_compare(schemas, kind, r->account, now, &before, &after) == ACCOUNT_SAME) return 0;
        return error_set(err, ERROR_INPUT, NULL,
            "%s was made with provider '%s' at %s, and provider '%s' has %s here: nothing was sent; say "
            "--accept-provider %s if that is the same account",
            r->address, r->provider, before.data, use->name, after.data, use->name);
}
