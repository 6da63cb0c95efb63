/* Answers by themselves, as JSON documents that travel from whoever signs to whoever may write to the store; see answer.h. */
#include <jansson.h>
#include <string.h>

#include "run/answer.h"

#define FORMAT "tutti approval 1"

struct statement answer_statement(const struct answer_row *a, const char *lineage)
{
        return (struct statement){
            .lineage = lineage,
            .run = a->run,
            .gate = a->gate,
            .digest = a->digest,
            .proposal = a->proposal,
            .opened_ms = a->opened_ms,
            .answer = a->answer,
            .by = a->by,
            .comment = a->comment,
            .signed_ms = a->signed_ms,
            .expires_ms = a->expires_ms,
        };
}

void answer_write(const struct answer_row *a, const char *environment, const char *lineage, struct text *out)
{
        text_add(out, "{\"format\":\"" FORMAT "\"");
        text_add_member(out, "environment", environment);
        text_add_member(out, "lineage", lineage);
        text_add_member(out, "run", a->run);
        text_add_member(out, "gate", a->gate);
        text_add_member(out, "digest", a->digest);
        text_add_member(out, "proposal", a->proposal);
        text_addf(out, ",\"opened_ms\":%lld", (long long)a->opened_ms);
        text_add_member(out, "answer", a->answer);
        text_add_member(out, "by", a->by);
        text_add_member(out, "comment", a->comment ? a->comment : "");
        text_addf(out, ",\"signed_ms\":%lld,\"expires_ms\":%lld", (long long)a->signed_ms,
            (long long)a->expires_ms);
        text_add_member(out, "key", a->key ? a->key : "");
        text_add_member(out, "signature", a->signature ? a->signature : "");
        text_add(out, "}\n");
}

static char *take_string(const json_t *object, const char *key, bool *good)
{
        const char *s = json_string_value(json_object_get(object, key));
        *good &= s != NULL;
        return mem_strdup(s);
}

static int64_t take_int(const json_t *object, const char *key, bool *good)
{
        const json_t *n = json_object_get(object, key);
        *good &= json_is_integer(n);
        return json_integer_value(n);
}

static int refuse(struct answer_row *a, struct error **err)
{
        answer_row_release(a);
        return error_set(err, ERROR_INPUT, NULL,
            "is no approval that `tutti approve --sign` wrote: a JSON object of the format '" FORMAT "'");
}

int answer_read(const char *json, size_t len, const char *lineage, struct answer_row *ret, struct error **err)
{
        bool good = true;
        json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
        const char *format = json_string_value(json_object_get(object, "format"));
        struct answer_row a = {0};
        if (format == NULL || strcmp(format, FORMAT) != 0) {
                json_decref(object);
                return refuse(&a, err);
        }
        cleanup_free char *theirs = take_string(object, "lineage", &good);
        a = (struct answer_row){
            .run = take_string(object, "run", &good),
            .gate = take_string(object, "gate", &good),
            .answer = take_string(object, "answer", &good),
            .by = take_string(object, "by", &good),
            .comment = take_string(object, "comment", &good),
            .user = mem_strdup(""),
            .digest = take_string(object, "digest", &good),
            .proposal = take_string(object, "proposal", &good),
            .opened_ms = take_int(object, "opened_ms", &good),
            .key = take_string(object, "key", &good),
            .signature = take_string(object, "signature", &good),
            .signed_ms = take_int(object, "signed_ms", &good),
            .expires_ms = take_int(object, "expires_ms", &good),
        };
        json_decref(object);
        if (!good || *a.signature == '\0' || strlen(a.comment) > ANSWER_COMMENT_MAX) return refuse(&a, err);
        if (*a.comment == '\0') free(steal(a.comment)); /* none and an empty one sign the same */
        if (strcmp(theirs, lineage) != 0) {
                answer_row_release(&a);
                return error_set(
                    err, ERROR_CONFLICT, NULL, "the approval is for another environment than this one");
        }
        *ret = a;
        return 0;
}
