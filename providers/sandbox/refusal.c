/* Refusals in one expression; see refusal.h. */
#include "providers/sandbox/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"

/* A reply is JSON, so it must be UTF-8; what a client sent may not be, and a cut may go through a character. */
static void scrub(char *s)
{
        for (char *end = s + strlen(s); s < end;) {
                unsigned char lead = (unsigned char)*s;
                size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
                if (len > (size_t)(end - s) || !text_is_utf8(s, len)) {
                        *s = '?';
                        len = 1;
                }
                s += len;
        }
}

int sandbox_refuse(struct sandbox_refusal *refusal, int status, const char *field, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(refusal->detail, sizeof refusal->detail, fmt, ap);
        va_end(ap);
        snprintf(refusal->field, sizeof refusal->field, "%s", field ? field : "");
        scrub(refusal->detail);
        scrub(refusal->field);
        refusal->status = status;
        return -1;
}
