/* The keys of a resource that say how its actions run: gates and approvals, retries, deadlines, and what a failure means. */
#include "template/loader.h"

#include <string.h>

#include "base/clock.h"

enum { APPROVALS_MAX = 100, REMIND_MIN_MS = 1000 };

static struct resource *resource_of(const struct reading *in)
{
        return in->into;
}

/* --- approvals ------------------------------------------------------------------------------------------------------- */

static void read_message(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->approve->message = document_expr(in, entry->value);
        if (entry->value->kind != YAML_SCALAR) key_problem(in, entry->value, "'message' must be text");
}

/* Names, or an expression that gives them; one name may stand alone. */
static void read_approvers(struct reading *in, const struct yaml_entry *entry)
{
        const struct yaml_node *node = entry->value;
        if (yaml_absent(node)) return;
        struct expr *e = document_expr(in, node);
        const struct value *constant = expr_constant(e);
        struct place place = yaml_place(in->file, node);
        if (node->kind == YAML_MAP) key_problem(in, node, "'approvers' must be a list of names");
        for (uint32_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++)
                if (node->items[i]->kind != YAML_SCALAR || yaml_absent(node->items[i]))
                        key_problem(in, node->items[i], "'approvers' must be a list of names");
        bool one = node->kind == YAML_SCALAR && constant != NULL;
        resource_of(in)->approve->approvers = e;
        if (one) {
                struct expr **items = arena_alloc(in->loader->arena, sizeof(void *));
                items[0] = e;
                resource_of(in)->approve->approvers = expr_tuple(in->loader->arena, items, 1, &place);
        }
}

static void read_approvals(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->approve->approvals = key_unsigned(in, entry, 1, APPROVALS_MAX);
}

static void read_not_requester(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->approve->not_requester = key_bool(in, entry);
}

static void read_after(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->approve->expires_ms = key_duration(in, entry);
}

static void read_expiry_action(struct reading *in, const struct yaml_entry *entry)
{
        static const char *const names[] = {"reject", "remind"};
        const char *text = key_text(in, entry);
        if (text == NULL) return;
        size_t k = 0;
        while (k < 2 && strcmp(names[k], text) != 0) k++;
        if (k < 2)
                resource_of(in)->approve->expiry = (enum approval_expiry)k;
        else
                key_problem(in, entry->value, "unknown action '%.60s' of 'expires': reject or remind%s", text,
                    loader_suggest(in->loader, text, names, 2));
}

/* A duration, after which the gate is rejected; or a map that says what else shall happen. */
static void read_expires(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"after", read_after}, {"action", read_expiry_action}};
        const struct approval *a = resource_of(in)->approve;
        if (entry->value->kind != YAML_MAP) {
                read_after(in, entry);
                return;
        }
        keys_read(in, entry->value, "'expires'", keys, 2);
        if (yaml_get(entry->value, "after") == NULL)
                key_problem(in, entry->value, "'expires' needs 'after', a duration such as 24h");
        else if (a->expiry == EXPIRY_REMIND && a->expires_ms > 0 && a->expires_ms < REMIND_MIN_MS)
                key_problem(in, entry->value, "a reminder comes after a second at the soonest");
}

static void read_on(struct reading *in, const struct yaml_entry *entry)
{
        static const char *const actions[] = {"create", "update", "replace", "delete"};
        struct place *places = NULL;
        size_t count = 0;
        const char **names = key_names(in, entry, &places, &count);
        resource_of(in)->approve->on = 0;
        for (size_t i = 0; i < count; i++) {
                size_t k = 0;
                while (k < 4 && strcmp(actions[k], names[i]) != 0) k++;
                if (k < 4)
                        resource_of(in)->approve->on |= 1u << k;
                else
                        loader_problem(in->loader, places[i], in->address,
                            "unknown action '%.60s': create, update, replace or delete%s", names[i],
                            loader_suggest(in->loader, names[i], actions, 4));
        }
}

static struct approval *approval_new(struct reading *in)
{
        struct approval *a = arena_alloc(in->loader->arena, sizeof *a);
        a->on = APPROVE_CREATE | APPROVE_UPDATE | APPROVE_REPLACE | APPROVE_DELETE;
        a->approvals = 1;
        return resource_of(in)->approve = a;
}

void resource_approve(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"on", read_on}, {"approvers", read_approvers},
            {"message", read_message}, {"approvals", read_approvals}, {"not_requester", read_not_requester},
            {"expires", read_expires}};
        const struct yaml_node *node = entry->value;
        if (node->kind == YAML_MAP) {
                approval_new(in);
                keys_read(in, node, "'approve'", keys, sizeof keys / sizeof keys[0]);
        } else if (node->kind == YAML_SCALAR && node->core == YAML_BOOL) {
                if (key_bool(in, entry)) approval_new(in);
        } else {
                key_problem(in, node, "'approve' must be true or a map with 'on', 'approvers' and 'message'");
        }
}

void resource_gate(struct reading *in, const struct yaml_node *properties)
{
        static const struct key keys[] = {{"message", read_message}, {"approvers", read_approvers},
            {"approvals", read_approvals}, {"not_requester", read_not_requester}, {"expires", read_expires}};
        approval_new(in)->on = 0;
        if (properties != NULL && keys_is_map(in, properties, "'properties' of a gate"))
                keys_read(in, properties, "a gate's properties", keys, sizeof keys / sizeof keys[0]);
}

/* --- retries and deadlines ------------------------------------------------------------------------------------------- */

static void read_attempts(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->retry.attempts = key_unsigned(in, entry, 1, 1000);
}

static void read_backoff(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->retry.backoff_ms = key_duration(in, entry);
}

static void read_max(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->retry.max_ms = key_duration(in, entry);
}

void resource_retry(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {
            {"attempts", read_attempts}, {"backoff", read_backoff}, {"max", read_max}};
        if (entry->value->kind == YAML_MAP)
                keys_read(in, entry->value, "'retry'", keys, 3);
        else if (entry->value->kind == YAML_SCALAR && entry->value->core == YAML_NUMBER)
                read_attempts(in, entry);
        else
                key_problem(in, entry->value,
                    "'retry' must be a number of attempts or a map with 'attempts', 'backoff' and 'max'");
}

static void read_create(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->timeout_ms[VERB_CREATE] = key_duration(in, entry);
}

static void read_update(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->timeout_ms[VERB_UPDATE] = key_duration(in, entry);
}

static void read_delete(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->timeout_ms[VERB_DELETE] = key_duration(in, entry);
}

static void read_read(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->timeout_ms[VERB_READ] = key_duration(in, entry);
}

void resource_timeout(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {
            {"create", read_create}, {"update", read_update}, {"delete", read_delete}, {"read", read_read}};
        if (entry->value->kind == YAML_MAP) {
                keys_read(in, entry->value, "'timeout'", keys, 4);
        } else {
                int64_t all = key_duration(in, entry);
                for (int verb = 0; verb < VERB_COUNT; verb++) resource_of(in)->timeout_ms[verb] = all;
        }
}

/* --- failures -------------------------------------------------------------------------------------------------------- */

static const char *const policy_names[] = {"stop-dependants", "stop-run", "rollback", "ask"};
enum { POLICIES = sizeof policy_names / sizeof policy_names[0] };

const char *failure_policy_name(enum failure_policy policy)
{
        return policy_names[policy];
}

bool failure_policy_find(const char *name, enum failure_policy *policy)
{
        for (unsigned k = 0; k < POLICIES; k++) {
                if (strcmp(policy_names[k], name) != 0) continue;
                *policy = (enum failure_policy)k;
                return true;
        }
        return false;
}

static void read_policy(struct reading *in, const struct yaml_entry *entry)
{
        const char *text = key_text(in, entry);
        if (text == NULL) return;
        if (!failure_policy_find(text, &resource_of(in)->on_failure))
                key_problem(in, entry->value,
                    "unknown policy '%.60s': stop-dependants, stop-run, rollback or ask%s", text,
                    loader_suggest(in->loader, text, policy_names, POLICIES));
}

static void read_run(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        r->recovery = key_names(in, entry, NULL, &r->recovery_count);
}

void resource_on_failure(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"run", read_run}, {"then", read_policy}};
        if (entry->value->kind == YAML_MAP)
                keys_read(in, entry->value, "'on_failure'", keys, 2);
        else
                read_policy(in, entry);
}
