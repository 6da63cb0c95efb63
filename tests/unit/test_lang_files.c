/* What is learnt of files stays so; beyond a size only its digest. */
#include <string.h>

#include "lang/files.h"
#include "tests/tap.h"

struct disk {
        const char *holds; /* NULL: there is no such file */
        size_t len, looks;
        enum error_kind kind;
};

static int look(void *context, struct text *out, struct error **err)
{
        struct disk *d = context;
        d->looks++;
        if (d->holds == NULL) return error_set(err, d->kind, NULL, "no file is there");
        text_addn(out, d->holds, d->len);
        return 0;
}

static int learn(struct files *f, const char *key, struct disk *d, struct text *out, struct error **err)
{
        text_clear(out);
        return files_learn(f, key, look, d, out, err);
}

static void small(void)
{
        struct files *f = files_new();
        struct text out = {0};
        struct disk d = {.holds = "a\0b", .len = 3};
        ok(learn(f, "text x", &d, &out, NULL) == 0 && out.len == 3 && memcmp(out.data, "a\0b", 3) == 0,
            "learnt");
        d.holds = "changed", d.len = 7;
        ok(learn(f, "text x", &d, &out, NULL) == 0 && out.len == 3, "and known from then on");
        ok(d.looks == 1, "without another look");
        ok(learn(f, "text y", &d, &out, NULL) == 0 && out.len == 7, "another question is another fact");
        d.holds = "", d.len = 0;
        ok(learn(f, "text empty", &d, &out, NULL) == 0 && out.len == 0, "so is an empty file");
        ok(files_count(f) == 3 && strcmp(files_at(f, 2)->key, "text empty") == 0, "all in order");
        ok(learn(NULL, "text x", &d, &out, NULL) == 0 && out.len == 0,
            "with nothing to keep it in it is looked up");
        text_release(&out);
        files_free(f);
}

static void refusals(void)
{
        struct files *f = files_new();
        struct text out = {0};
        struct disk d = {.kind = ERROR_INPUT};
        ok(learn(f, "text x", &d, &out, NULL) < 0 && files_count(f) == 1, "that there is no file is a fact");
        d.holds = "now there is", d.len = 12;
        cleanup(error_free) struct error *err = NULL;
        ok(learn(f, "text x", &d, &out, &err) < 0 && d.looks == 1, "which stays");
        is_str(error_message(err), "no file is there", "in the same words");
        struct disk broken = {.kind = ERROR_SYSTEM};
        ok(learn(f, "text z", &broken, &out, NULL) < 0 && files_count(f) == 1, "a disk that fails is none");
        broken.holds = "well", broken.len = 4;
        ok(learn(f, "text z", &broken, &out, NULL) == 0, "and is asked again");
        text_release(&out);
        files_free(f);
}

static void large(void)
{
        struct files *f = files_new(), *again = files_new();
        struct text out = {0};
        char *bytes = mem_alloc(FILES_WHOLE + 1);
        memset(bytes, 'x', FILES_WHOLE + 1);
        struct disk d = {.holds = bytes, .len = FILES_WHOLE + 1};
        ok(learn(f, "text big", &d, &out, NULL) == 0 && out.len == d.len, "a large file is read");
        ok(files_at(f, 0)->kind == FACT_DIGEST && files_at(f, 0)->len == FILES_DIGEST, "and its digest kept");
        ok(learn(f, "text big", &d, &out, NULL) == 0 && d.looks == 2, "it is read again");
        files_put(again, files_at(f, 0));
        ok(learn(again, "text big", &d, &out, NULL) == 0, "also by another process");
        bytes[7] = 'y';
        cleanup(error_free) struct error *err = NULL;
        ok(learn(again, "text big", &d, &out, &err) < 0 && error_kind(err) == ERROR_CONFLICT && out.len == 0,
            "as another it is refused");
        d.len = FILES_WHOLE;
        for (unsigned i = 0; i <= FILES_ALL / FILES_WHOLE; i++) {
                cleanup_free char *key = mem_printf("text %u", i);
                learn(f, key, &d, &out, NULL);
        }
        size_t whole = 0;
        for (size_t i = 0; i < files_count(f); i++)
                if (files_at(f, i)->kind == FACT_WHOLE) whole += files_at(f, i)->len;
        ok(whole == FILES_ALL, "all together are bounded");
        struct files *shared = files_ref(f);
        files_free(f);
        ok(files_count(shared) > 1, "and outlive one of their owners");
        text_release(&out);
        free(bytes);
        files_free(shared);
        files_free(again);
        files_free(NULL);
}

int main(void)
{
        small();
        refusals();
        large();
        return done();
}
