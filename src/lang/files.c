/* Facts about files by what was asked; see files.h. */
#include "lang/files.h"

#include <string.h>

#include "base/map.h"
#include "lang/digest.h"

struct files {
        unsigned references;
        struct arena *arena;
        struct map by_key; /* key → struct fact * */
        struct fact **facts;
        size_t count, capacity;
        size_t bytes; /* kept whole */
};

struct files *files_new(void)
{
        struct files *f = mem_alloc(sizeof *f);
        f->references = 1;
        f->arena = arena_new();
        return f;
}

struct files *files_ref(struct files *f)
{
        f->references++;
        return f;
}

void files_free(struct files *f)
{
        if (f == NULL || --f->references > 0) return;
        map_release(&f->by_key);
        free(f->facts);
        arena_free(f->arena);
        free(f);
}

size_t files_count(const struct files *f)
{
        return f->count;
}

const struct fact *files_at(const struct files *f, size_t index)
{
        return f->facts[index];
}

void files_put(struct files *f, const struct fact *fact)
{
        if (map_has(&f->by_key, fact->key)) return;
        struct fact *own = arena_alloc(f->arena, sizeof *own);
        *own = (struct fact){.key = arena_strdup(f->arena, fact->key),
            .kind = fact->kind,
            .bytes = arena_strndup(f->arena, fact->bytes, fact->len),
            .len = fact->len};
        map_put(&f->by_key, own->key, own);
        vec_push(f->facts, f->count, f->capacity, own);
        if (own->kind == FACT_WHOLE) f->bytes += own->len;
}

static void put_found(struct files *f, const char *key, const struct text *found)
{
        unsigned char digest[DIGEST_MAX];
        struct fact fact = {.key = key, .kind = FACT_WHOLE, .bytes = found->data ? found->data : ""};
        fact.len = found->len;
        if (found->len > FILES_WHOLE || f->bytes + found->len > FILES_ALL) {
                fact.kind = FACT_DIGEST;
                fact.len = digest_bytes("SHA256", fact.bytes, found->len, digest);
                fact.bytes = (const char *)digest;
        }
        files_put(f, &fact);
}

static int check_digest(const struct fact *fact, const struct text *found, struct error **err)
{
        unsigned char digest[DIGEST_MAX];
        size_t len = digest_bytes("SHA256", found->data ? found->data : "", found->len, digest);
        if (len == fact->len && memcmp(digest, fact->bytes, len) == 0) return 0;
        return error_set(err, ERROR_CONFLICT, NULL,
            "what is asked of a file (%s) is not what it was when this was planned", fact->key);
}

int files_learn(struct files *f, const char *key,
    int (*look)(void *context, struct text *out, struct error **err), void *context, struct text *out,
    struct error **err)
{
        if (f == NULL) return look(context, out, err);
        const struct fact *fact = map_get(&f->by_key, key);
        if (fact != NULL && fact->kind == FACT_REFUSED)
                return error_set(err, ERROR_INPUT, NULL, "%s", fact->bytes);
        if (fact != NULL && fact->kind == FACT_WHOLE) {
                text_addn(out, fact->bytes, fact->len);
                return 0;
        }
        struct text found __attribute__((__cleanup__(text_release_cleanup))) = {0};
        cleanup(error_free) struct error *problem = NULL;
        int result = look(context, &found, &problem);
        if (result < 0 && fact == NULL && error_kind(problem) == ERROR_INPUT) {
                const char *why = error_message(problem);
                files_put(f, &(struct fact){key, FACT_REFUSED, why, strlen(why)});
        }
        if (result < 0) return error_move(err, &problem);
        if (fact != NULL && check_digest(fact, &found, err) < 0) return -1;
        if (fact == NULL) put_found(f, key, &found);
        text_addn(out, found.data ? found.data : "", found.len);
        return 0;
}
