/*
 * What expressions learnt of files, kept: whoever evaluates them again, in another process or after the files have changed, learns the
 * same. So a plan that is applied, gone on with or gone back to stands on the files that it was made from, as it does on its templates.
 *
 * A fact is kept whole up to FILES_WHOLE bytes, and FILES_ALL of them together. Of more than that its SHA-256 is kept: then the disk is
 * asked again, and the answer is refused when it is another one.
 */
#ifndef TUTTI_LANG_FILES_H
#define TUTTI_LANG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

enum { FILES_WHOLE = 256 << 10, FILES_ALL = 8 << 20, FILES_DIGEST = 32 };

struct files;
struct files *files_new(void);
struct files *files_ref(struct files *files);
void files_free(struct files *files); /* gives one reference back; NULL-safe */

/*
 * Appends to `out` what is known under `key`; else what `look` finds, which is known from then on. `key` says what is asked of which path,
 * as the template names it. `look` appends to an empty text, or fails: a failure of kind ERROR_INPUT (there is no such file) is a
 * fact like any other, and is told again in the same words. ERROR_CONFLICT when only the digest is known and another thing was found.
 * `files` NULL: nothing is kept.
 */
int files_learn(struct files *files, const char *key,
    int (*look)(void *context, struct text *out, struct error **err), void *context, struct text *out,
    struct error **err);

/* All that is known, in the order in which it was learnt; and putting it back. Bytes are copied. */
struct fact {
        const char *key;
        enum fact_kind { FACT_WHOLE, FACT_DIGEST, FACT_REFUSED } kind;
        const char *bytes; /* what was found; its SHA-256; or why nothing was found */
        size_t len;
};
size_t files_count(const struct files *files);
const struct fact *files_at(const struct files *files, size_t index);
void files_put(struct files *files, const struct fact *fact);

#endif
