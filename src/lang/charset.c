/*
 * Character encodings, by way of the C library's iconv. Only names on our list reach it: it takes options such
 * as //TRANSLIT in names, and knows encodings that are none of IANA's.
 */
#include "lang/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct charset {
        const char *iana, *iconv; /* iconv NULL: the same */
} charsets[] = {
    {"UTF-8", NULL},
    {"UTF-16", NULL},
    {"UTF-16BE", NULL},
    {"UTF-16LE", NULL},
    {"US-ASCII", NULL},
    {"ASCII", NULL},
    {"ISO-8859-1", NULL},
    {"latin1", NULL},
    {"l1", "ISO-8859-1"},
    {"ISO_8859-1", "ISO-8859-1"},
    {"ISO-8859-2", NULL},
    {"latin2", "ISO-8859-2"},
    {"ISO-8859-3", NULL},
    {"ISO-8859-4", NULL},
    {"ISO-8859-5", NULL},
    {"ISO-8859-6", NULL},
    {"ISO-8859-7", NULL},
    {"ISO-8859-8", NULL},
    {"ISO-8859-9", NULL},
    {"ISO-8859-10", NULL},
    {"ISO-8859-13", NULL},
    {"ISO-8859-14", NULL},
    {"ISO-8859-15", NULL},
    {"ISO-8859-16", NULL},
    {"windows-874", "CP874"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1252", "CP1252"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"KOI8-R", NULL},
    {"KOI8-U", NULL},
    {"macintosh", "MACINTOSH"},
    {"IBM037", NULL},
    {"IBM437", NULL},
    {"IBM850", NULL},
    {"IBM852", NULL},
    {"IBM855", NULL},
    {"IBM860", NULL},
    {"IBM862", NULL},
    {"IBM863", NULL},
    {"IBM865", NULL},
    {"IBM866", NULL},
    {"EUC-JP", NULL},
    {"ISO-2022-JP", NULL},
    {"Shift_JIS", "SHIFT_JIS"},
    {"EUC-KR", NULL},
    {"GBK", NULL},
    {"GB18030", NULL},
    {"Big5", "BIG5"},
};

static const struct charset *charset_find(const char *name)
{
        for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
                if (strcasecmp(charsets[i].iana, name) == 0) return &charsets[i];
        return NULL;
}

bool charset_known(const char *name)
{
        return charset_find(name) != NULL;
}

static bool convert(const char *to, const char *from, const char *s, size_t len, struct text *out)
{
        iconv_t handle = iconv_open(to, from);
        if (handle == (iconv_t)-1) return false;
        char *in = (char *)(uintptr_t)s, buffer[4096];
        bool good = true;
        for (bool flushing = false;;) {
                char *at = buffer;
                size_t room = sizeof buffer;
                size_t result = flushing ? iconv(handle, NULL, NULL, &at, &room)
                                         : iconv(handle, &in, &len, &at, &room);
                text_addn(out, buffer, sizeof buffer - room);
                if (result == (size_t)-1 && errno == E2BIG) continue;
                good = result == 0; /* a positive result counts characters that were replaced */
                if (!good || flushing) break;
                flushing = true;
        }
        iconv_close(handle);
        return good;
}

/* UTF-16 without a byte order in its name is written big-endian behind a mark, and read so without one. */
static bool is_utf16(const struct charset *c)
{
        return strcmp(c->iana, "UTF-16") == 0;
}

bool charset_encode(const char *name, const char *s, size_t len, struct text *out)
{
        const struct charset *c = charset_find(name);
        if (!c) return false;
        if (is_utf16(c)) text_addn(out, "\xfe\xff", 2);
        return convert(is_utf16(c) ? "UTF-16BE" : c->iconv ? c->iconv : c->iana, "UTF-8", s, len, out);
}

bool charset_decode(const char *name, const char *s, size_t len, struct text *out)
{
        const struct charset *c = charset_find(name);
        if (!c) return false;
        const char *from = c->iconv ? c->iconv : c->iana;
        if (is_utf16(c)) {
                bool little = len >= 2 && memcmp(s, "\xff\xfe", 2) == 0,
                     big = len >= 2 && memcmp(s, "\xfe\xff", 2) == 0;
                from = little ? "UTF-16LE" : "UTF-16BE";
                if (little || big) s += 2, len -= 2;
        }
        return convert("UTF-8", from, s, len, out);
}
