/*
 * Any bytes as a saved plan: reading must end without a fault, with a whole plan or with a problem.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is sealed stands there as it is: the fuzzer need not guess a key. */
static int open_plain(void *context, const char *sealed, size_t len, struct text *out, struct error **err)
{
        (void)context;
        if (len > 0 && sealed[0] == '!')
                return error_set(err, ERROR_INPUT, NULL, "a sealed value was damaged");
        text_addn(out, sealed, len);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct sealer sealer = {NULL, open_plain, NULL};
        cleanup_free char *text = mem_alloc(size); /* exact, so that reading past the end shows */
        for (size_t i = 0; i < size; i++) text[i] = (char)data[i];
        cleanup(error_free) struct error *err = NULL;
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        int status = saved_plan_read(text, size, SAVED_FILE, &sealer, &saved, &err);
        if ((status < 0) != (saved == NULL) || (status < 0) != (error_count(err) > 0)) abort();
        if (saved == NULL) return 0;
        if (strlen(saved->environment) > size || saved->parameters == NULL || saved->world == NULL) abort();
        for (size_t i = 0; i < saved->source_count; i++)
                if (saved->sources[i].text[saved->sources[i].len] != '\0') abort();
        return 0;
}
