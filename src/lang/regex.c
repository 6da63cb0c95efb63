/*
 * Regular expressions: compiling what regex_syntax.c wrote, and searching within bounds. PCRE2 backtracks,
 * so a search is bounded twice: in steps from one starting point, and in time over all of them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lang/regex.h"

#include <pcre2.h>

#include "base/clock.h"

enum { MAX_STEPS = 1000000, MAX_HEAP_KIB = 64 << 10, MAX_MS = 1000, STARTS_PER_CLOCK = 64 };

struct regex {
        pcre2_code *code;
        pcre2_match_data *data;
        pcre2_match_context *context;
        struct regex_groups groups;
        const char *checked; /* the text that is known to be UTF-8 */
        int64_t started_ms;
        unsigned starts;
};

/* Called by PCRE2 at each starting point, through the callout that stands first in the pattern. */
static int regex_watch(pcre2_callout_block *block, void *data)
{
        (void)block;
        struct regex *r = data;
        if (++r->starts % STARTS_PER_CLOCK) return 0;
        return clock_monotonic_ms() - r->started_ms > MAX_MS ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static int regex_compile(struct regex *r, const struct text *translated, struct error **err)
{
        int code;
        PCRE2_SIZE offset;
        pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        r->code = pcre2_compile((PCRE2_SPTR)translated->data, translated->len,
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX, &code, &offset, context);
        pcre2_compile_context_free(context);
        if (r->code) return 0;
        PCRE2_UCHAR message[200];
        pcre2_get_error_message(code, message, sizeof message);
        return error_set(err, ERROR_INPUT, NULL, "invalid regular expression: %s", (const char *)message);
}

struct regex *regex_new(const char *pattern, size_t len, struct error **err)
{
        cleanup(regex_free) struct regex *r = mem_alloc(sizeof *r);
        __attribute__((__cleanup__(text_release_cleanup))) struct text translated = {0};
        text_add(&translated, "(?C1)(?:");
        if (regex_translate(pattern, len, &translated, &r->groups, err) < 0) return NULL;
        text_addc(&translated, ')');
        if (regex_compile(r, &translated, err) < 0) return NULL;
        r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
        r->context = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(r->context, MAX_STEPS);
        pcre2_set_heap_limit(r->context, MAX_HEAP_KIB);
        pcre2_set_callout(r->context, regex_watch, r);
        r->started_ms = clock_monotonic_ms();
        return steal(r);
}

void regex_free(struct regex *r)
{
        if (!r) return;
        pcre2_code_free(r->code);
        pcre2_match_data_free(r->data);
        pcre2_match_context_free(r->context);
        for (size_t i = 0; i < r->groups.count; i++) free(r->groups.names[i]);
        free(r->groups.names);
        free(r);
}

size_t regex_group_count(const struct regex *r)
{
        return r->groups.count;
}

const char *regex_group_name(const struct regex *r, size_t group)
{
        return r->groups.names[group - 1];
}

int regex_search(
    struct regex *r, const char *text, size_t len, size_t from, const size_t **offsets, struct error **err)
{
        uint32_t options = r->checked == text ? PCRE2_NO_UTF_CHECK : 0;
        int result = pcre2_match(r->code, (PCRE2_SPTR)text, len, from, options, r->data, r->context);
        r->checked = text;
        if (result == PCRE2_ERROR_NOMATCH) return 0;
        if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_HEAPLIMIT ||
            result == PCRE2_ERROR_DEPTHLIMIT)
                return error_set(err, ERROR_INPUT, NULL,
                    "the regular expression takes too long on this string; simplify it");
        if (result < 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "cannot search with the regular expression: error %d", result);
        *offsets = pcre2_get_ovector_pointer(r->data);
        return 1;
}
