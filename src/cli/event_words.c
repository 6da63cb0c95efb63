/* Events in words; see event_words.h. */
#include "cli/event_words.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "cli/print.h"

bool event_is_technical(const struct event_row *e)
{
        return strcmp(e->kind, "gate-recorded") == 0 || strcmp(e->kind, "rows") == 0;
}

static const char *string_of(const json_t *data, const char *key)
{
        return json_string_value(json_object_get(data, key));
}

static void add(struct text *out, const char *before, const char *s, const char *after)
{
        if (s == NULL || *s == '\0') return;
        if (out->len > 0) text_addc(out, ' ');
        text_add(out, before);
        text_add_shown(out, s);
        text_add(out, after);
}

/* Members that are counts, without those that are 0: "create 2, failed 1". */
static void add_counts(struct text *out, json_t *data)
{
        const char *key;
        json_t *value;
        bool first = true;
        json_object_foreach(data, key, value)
        {
                bool shown = strstr(key, "_ms") == NULL && strcmp(key, "fence") != 0;
                if (!json_is_integer(value) || json_integer_value(value) == 0 || !shown) continue;
                text_addf(out, "%s%s %lld", first ? (out->len > 0 ? " " : "") : ", ", key,
                    (long long)json_integer_value(value));
                first = false;
        }
}

static void add_elapsed(struct text *out, const json_t *data)
{
        char took[CLOCK_TEXT];
        const json_t *elapsed = json_object_get(data, "elapsed_ms");
        if (!json_is_integer(elapsed)) return;
        duration_text(json_integer_value(elapsed), took);
        add(out, "in ", took, "");
}

void event_words(const struct event_row *e, struct text *out)
{
        struct text words __attribute__((__cleanup__(text_release_cleanup))) = {0};
        json_t *data = json_loads(e->data ? e->data : "{}", 0, NULL);
        const char *gate = string_of(data, "gate"), *digest = string_of(data, "digest");
        add(&words, "", string_of(data, "kind"), "");
        add(&words, "", string_of(data, "action"), "");
        add(&words, "", string_of(data, "address"), "");
        if (!text_equal(gate, string_of(data, "address"))) add(&words, "", gate, "");
        add(&words, "", string_of(data, "answer"), "");
        add(&words, "", string_of(data, "event"), "");
        add(&words, "to ", string_of(data, "target"), "");
        add(&words, "to ", string_of(data, "to"), "");
        add(&words, "", string_of(data, "id"), "");
        add(&words, "undoes ", string_of(data, "undoes"), "");
        add(&words, "goes on from ", string_of(data, "follows"), "");
        add(&words, "by ", string_of(data, "by"), "");
        if (digest != NULL && strlen(digest) >= 12) {
                char head[13] = "";
                memcpy(head, digest, 12);
                add(&words, "(plan ", head, ")");
        }
        if (json_is_true(json_object_get(data, "resumed"))) add(&words, "", "resumed", "");
        add_elapsed(&words, data);
        add_counts(&words, data);
        add(&words, "- ", string_of(data, "message"), "");
        add(&words, "- ", string_of(data, "comment"), "");
        add(&words, "- ", string_of(data, "error"), "");
        json_decref(data);
        if (words.data != NULL) text_add(out, words.data);
}
