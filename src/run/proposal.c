/* Proposals of gates as JSON, their digests, and when one stands for another; see proposal.h. */
#include "run/proposal.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

struct proposal *proposal_new(void)
{
        struct arena *arena = arena_new();
        struct proposal *q = arena_alloc(arena, sizeof *q);
        q->arena = arena;
        q->message = q->plan = q->requester = q->text = "";
        q->needed = 1;
        return q;
}

void proposal_free(struct proposal *q)
{
        if (q != NULL) arena_free(q->arena);
}

static void digest_text(struct proposal *q)
{
        unsigned char hash[32];
        if (EVP_Digest(q->text, strlen(q->text), hash, NULL, EVP_sha256(), NULL) != 1)
                abort(); /* no memory */
        text_hex(hash, sizeof hash, q->digest);
}

static void add_choices(const struct proposal *q, struct text *json)
{
        text_add(json, ",\"choices\":[");
        for (size_t i = 0; q->choices[i] != NULL; i++) {
                if (i > 0) text_addc(json, ',');
                text_add_json(json, q->choices[i], strlen(q->choices[i]));
        }
        text_addf(json, "],\"needs_id\":%s", q->needs_id ? "true" : "false");
}

void proposal_seal(struct proposal *q)
{
        if (q->behind_total < q->behind_count) q->behind_total = q->behind_count;
        struct text json = {0};
        text_addc(&json, '{');
        text_add_member(&json, "message", q->message);
        text_add_member(&json, "digest", q->plan);
        text_add_member(&json, "requester", q->requester);
        text_add(&json, q->approver_count ? ",\"approvers\":[" : ",\"approvers\":null");
        for (size_t i = 0; i < q->approver_count; i++) {
                if (i > 0) text_addc(&json, ',');
                text_add_json(&json, q->approvers[i], strlen(q->approvers[i]));
        }
        text_addf(&json, "%s,\"needed\":%u,\"not_requester\":%s,\"expires_ms\":%lld,\"remind\":%s",
            q->approver_count ? "]" : "", q->needed, q->not_requester ? "true" : "false",
            (long long)q->expires_ms, q->remind ? "true" : "false");
        if (q->choices != NULL) add_choices(q, &json);
        text_add(&json, ",\"behind\":[");
        for (size_t i = 0; i < q->behind_count; i++) {
                text_add(&json, i ? ",{\"address\":" : "{\"address\":");
                text_add_json(&json, q->behind[i].address, strlen(q->behind[i].address));
                text_add(&json, ",\"action\":");
                text_add_json(&json, q->behind[i].action, strlen(q->behind[i].action));
                text_addc(&json, '}');
        }
        text_addc(&json, ']');
        if (q->behind_total > q->behind_count) text_addf(&json, ",\"behind_count\":%zu", q->behind_total);
        text_addc(&json, '}');
        q->text = arena_strdup(q->arena, json.data);
        text_release(&json);
        digest_text(q);
}

static const char *string_of(struct proposal *q, const json_t *object, const char *key)
{
        const char *s = json_string_value(json_object_get(object, key));
        return s ? arena_strdup(q->arena, s) : "";
}

static void read_choices(struct proposal *q, const json_t *object)
{
        const json_t *choices = json_object_get(object, "choices");
        size_t count = json_array_size(choices), used = 0;
        if (!json_is_array(choices)) return;
        q->choices = arena_alloc(q->arena, (count + 1) * sizeof *q->choices);
        for (size_t i = 0; i < count; i++) {
                const char *word = json_string_value(json_array_get(choices, i));
                if (word != NULL) q->choices[used++] = arena_strdup(q->arena, word);
        }
        q->needs_id = json_is_true(json_object_get(object, "needs_id"));
}

static void read_lists(struct proposal *q, const json_t *object)
{
        const json_t *approvers = json_object_get(object, "approvers"),
                     *behind = json_object_get(object, "behind");
        size_t count = json_array_size(approvers);
        q->approvers = arena_alloc(q->arena, (count + 1) * sizeof *q->approvers);
        for (size_t i = 0; i < count; i++) {
                const char *name = json_string_value(json_array_get(approvers, i));
                if (name != NULL) q->approvers[q->approver_count++] = arena_strdup(q->arena, name);
        }
        count = json_array_size(behind);
        q->behind = arena_alloc(q->arena, (count + 1) * sizeof *q->behind);
        for (size_t i = 0; i < count; i++) {
                const json_t *step = json_array_get(behind, i);
                q->behind[q->behind_count++] = (struct proposal_step){
                    string_of(q, step, "address"), string_of(q, step, "action")};
        }
}

int proposal_read(const char *json, struct proposal **ret, struct error **err)
{
        json_error_t problem;
        json_t *object = json_loads(json ? json : "", JSON_REJECT_DUPLICATES, &problem);
        if (!json_is_object(object)) {
                json_decref(object);
                return error_set(
                    err, ERROR_CONFLICT, NULL, "what the gate asks is not readable in the store");
        }
        struct proposal *q = proposal_new();
        q->text = arena_strdup(q->arena, json);
        digest_text(q);
        q->message = string_of(q, object, "message");
        q->plan = string_of(q, object, "digest");
        q->requester = string_of(q, object, "requester");
        json_int_t needed = json_integer_value(json_object_get(object, "needed"));
        q->needed = needed > 0 && needed < 1000000 ? (unsigned)needed : 1;
        q->not_requester = json_is_true(json_object_get(object, "not_requester"));
        q->remind = json_is_true(json_object_get(object, "remind"));
        q->expires_ms = json_integer_value(json_object_get(object, "expires_ms"));
        if (q->expires_ms < 0) q->expires_ms = 0;
        read_lists(q, object);
        read_choices(q, object);
        json_int_t total = json_integer_value(json_object_get(object, "behind_count"));
        q->behind_total = total > (json_int_t)q->behind_count ? (size_t)total : q->behind_count;
        json_decref(object);
        *ret = q;
        return 0;
}

bool proposal_choices_are(const struct proposal *q, const char *const *words)
{
        if (q->choices == NULL || words == NULL) return q->choices == NULL && words == NULL;
        size_t i = 0;
        while (q->choices[i] != NULL && words[i] != NULL && strcmp(q->choices[i], words[i]) == 0) i++;
        return q->choices[i] == NULL && words[i] == NULL;
}

static bool same_rules(const struct proposal *a, const struct proposal *b)
{
        bool same = strcmp(a->message, b->message) == 0 && strcmp(a->plan, b->plan) == 0 &&
                    strcmp(a->requester, b->requester) == 0 && a->approver_count == b->approver_count &&
                    a->needed == b->needed && a->not_requester == b->not_requester &&
                    a->remind == b->remind && a->expires_ms == b->expires_ms && a->needs_id == b->needs_id &&
                    proposal_choices_are(a, (const char *const *)b->choices);
        for (size_t i = 0; same && i < a->approver_count; i++)
                same = strcmp(a->approvers[i], b->approvers[i]) == 0;
        return same;
}

/* One address may stand behind a gate twice: the halves of a replacement. */
static bool shows_all(const struct proposal *shown, const struct proposal *now)
{
        struct map steps __attribute__((__cleanup__(map_release_cleanup))) = {0};
        struct text key __attribute__((__cleanup__(text_release_cleanup))) = {0};
        for (size_t i = 0; i < shown->behind_count; i++) {
                text_clear(&key);
                text_addf(&key, "%s %s", shown->behind[i].action, shown->behind[i].address);
                map_put_copy(&steps, key.data, (void *)&shown->behind[i]);
        }
        for (size_t i = 0; i < now->behind_count; i++) {
                text_clear(&key);
                text_addf(&key, "%s %s", now->behind[i].action, now->behind[i].address);
                if (!map_has(&steps, key.data)) return false;
        }
        return true;
}

bool proposal_covers(const struct proposal *shown, const struct proposal *now)
{
        return same_rules(shown, now) && shows_all(shown, now);
}
