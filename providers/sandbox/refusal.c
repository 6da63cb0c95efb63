/* Refusals in one expression; see refusal.h. */
#include "providers/sandbox/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut through the middle of a UTF-8 character would make the reply invalid JSON. */
static void cut_at_character(char *s, size_t size)
{
        size_t len = strlen(s);
        if (len + 1 < size) return;
        while (len > 0 && ((unsigned char)s[len - 1] & 0xC0) == 0x80) len--;
        if (len > 0 && (unsigned char)s[len - 1] >= 0xC0) len--;
        s[len] = '\0';
}

int sandbox_refuse(struct sandbox_refusal *refusal, int status, const char *field, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(refusal->detail, sizeof refusal->detail, fmt, ap);
        va_end(ap);
        snprintf(refusal->field, sizeof refusal->field, "%s", field ? field : "");
        cut_at_character(refusal->detail, sizeof refusal->detail);
        cut_at_character(refusal->field, sizeof refusal->field);
        refusal->status = status;
        return -1;
}
