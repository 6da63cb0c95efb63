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
        const char *aliases;      /* that IANA has registered, with blanks between them */
} charsets[] = {
    {"UTF-8", NULL, "csUTF8"},
    {"UTF-16", NULL, "csUTF16"},
    {"UTF-16BE", NULL, "csUTF16BE"},
    {"UTF-16LE", NULL, "csUTF16LE"},
    {"US-ASCII", NULL,
        "iso-ir-6 ANSI_X3.4-1968 ANSI_X3.4-1986 ISO_646.irv:1991 "
        "ISO646-US us IBM367 cp367 csASCII"},
    {"ISO-8859-1", NULL, "iso-ir-100 ISO_8859-1:1987 ISO_8859-1 latin1 l1 IBM819 CP819 csISOLatin1"},
    {"ISO-8859-2", NULL, "iso-ir-101 ISO_8859-2:1987 ISO_8859-2 latin2 l2 csISOLatin2"},
    {"ISO-8859-3", NULL, "iso-ir-109 ISO_8859-3:1988 ISO_8859-3 latin3 l3 csISOLatin3"},
    {"ISO-8859-4", NULL, "iso-ir-110 ISO_8859-4:1988 ISO_8859-4 latin4 l4 csISOLatin4"},
    {"ISO-8859-5", NULL, "iso-ir-144 ISO_8859-5:1988 ISO_8859-5 cyrillic csISOLatinCyrillic"},
    {"ISO-8859-6", NULL, "iso-ir-127 ISO_8859-6:1987 ISO_8859-6 ECMA-114 ASMO-708 arabic csISOLatinArabic"},
    {"ISO-8859-6-E", "ISO-8859-6", "ISO_8859-6-E csISO88596E"},
    {"ISO-8859-6-I", "ISO-8859-6", "ISO_8859-6-I csISO88596I"},
    {"ISO-8859-7", NULL,
        "iso-ir-126 ISO_8859-7:1987 ISO_8859-7 ELOT_928 "
        "ECMA-118 greek greek8 csISOLatinGreek"},
    {"ISO-8859-8", NULL, "iso-ir-138 ISO_8859-8:1988 ISO_8859-8 hebrew csISOLatinHebrew"},
    {"ISO-8859-8-E", "ISO-8859-8", "ISO_8859-8-E csISO88598E"},
    {"ISO-8859-8-I", "ISO-8859-8", "ISO_8859-8-I csISO88598I"},
    {"ISO-8859-9", NULL, "iso-ir-148 ISO_8859-9:1989 ISO_8859-9 latin5 l5 csISOLatin5"},
    {"ISO-8859-10", NULL, "iso-ir-157 l6 ISO_8859-10:1992 csISOLatin6 latin6"},
    {"ISO-8859-13", NULL, "csISO885913"},
    {"ISO-8859-14", NULL, "iso-ir-199 ISO_8859-14:1998 ISO_8859-14 latin8 iso-celtic l8 csISO885914"},
    {"ISO-8859-15", NULL, "ISO_8859-15 Latin-9 csISO885915"},
    {"ISO-8859-16", NULL, "iso-ir-226 ISO_8859-16:2001 ISO_8859-16 latin10 l10 csISO885916"},
    {"windows-874", "CP874", "cswindows874"},
    {"windows-1250", "CP1250", "cswindows1250"},
    {"windows-1251", "CP1251", "cswindows1251"},
    {"windows-1252", "CP1252", "cswindows1252"},
    {"windows-1253", "CP1253", "cswindows1253"},
    {"windows-1254", "CP1254", "cswindows1254"},
    {"windows-1255", "CP1255", "cswindows1255"},
    {"windows-1256", "CP1256", "cswindows1256"},
    {"windows-1257", "CP1257", "cswindows1257"},
    {"windows-1258", "CP1258", "cswindows1258"},
    {"KOI8-R", NULL, "csKOI8R"},
    {"KOI8-U", NULL, "csKOI8U"},
    {"macintosh", "MACINTOSH", "mac csMacintosh"},
    {"IBM037", NULL, "cp037 ebcdic-cp-us ebcdic-cp-ca ebcdic-cp-wt ebcdic-cp-nl csIBM037"},
    {"IBM437", NULL, "cp437 437 csPC8CodePage437"},
    {"IBM850", NULL, "cp850 850 csPC850Multilingual"},
    {"IBM852", NULL, "cp852 852 csPCp852"},
    {"IBM855", NULL, "cp855 855 csIBM855"},
    {"IBM00858", "CP858", "CCSID00858 CP00858 PC-Multilingual-850+euro csIBM00858"},
    {"IBM860", NULL, "cp860 860 csIBM860"},
    {"IBM862", NULL, "cp862 862 csPC862LatinHebrew"},
    {"IBM863", NULL, "cp863 863 csIBM863"},
    {"IBM865", NULL, "cp865 865 csIBM865"},
    {"IBM866", NULL, "cp866 866 csIBM866"},
    {"IBM1047", NULL, "IBM-1047 csIBM1047"},
    {"IBM01140", "IBM1140", "CCSID01140 CP01140 ebcdic-us-37+euro csIBM01140"},
    {"EUC-JP", NULL, "Extended_UNIX_Code_Packed_Format_for_Japanese csEUCPkdFmtJapanese"},
    {"ISO-2022-JP", NULL, "csISO2022JP"},
    {"Shift_JIS", "SHIFT_JIS", "MS_Kanji csShiftJIS"},
    {"EUC-KR", NULL, "csEUCKR"},
    {"GBK", NULL, "CP936 MS936 windows-936 csGBK"},
    {"GB18030", NULL, "csGB18030"},
    {"Big5", "BIG5", "csBig5"},
};

static bool names(const char *name, size_t len, const char *one, size_t one_len)
{
        return len == one_len && strncasecmp(name, one, len) == 0;
}

static bool is_alias(const char *aliases, const char *name, size_t len)
{
        for (const char *at = aliases; *at != '\0'; at += strspn(at, " ")) {
                size_t one = strcspn(at, " ");
                if (names(name, len, at, one)) return true;
                at += one;
        }
        return false;
}

/* White space around a name does not count. */
static const struct charset *charset_find(const char *name)
{
        name += strspn(name, " \t\r\n");
        size_t len = strlen(name);
        while (len > 0 && strchr(" \t\r\n", name[len - 1])) len--;
        for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
                const struct charset *c = &charsets[i];
                if (names(name, len, c->iana, strlen(c->iana)) || is_alias(c->aliases, name, len)) return c;
        }
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

/* In these the controls above ASCII have no place; the C library gives them one. */
static bool is_without_controls(const struct charset *c)
{
        static const char *const names[] = {"ISO-8859-10", "ISO-8859-14", "ISO-8859-16"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                if (strcmp(c->iana, names[i]) == 0) return true;
        return false;
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
        for (size_t i = 0; is_without_controls(c) && i < len; i++)
                if (((unsigned char)s[i] & 0xe0) == 0x80) return false;
        if (is_utf16(c)) {
                bool little = len >= 2 && memcmp(s, "\xff\xfe", 2) == 0,
                     big = len >= 2 && memcmp(s, "\xfe\xff", 2) == 0;
                from = little ? "UTF-16LE" : "UTF-16BE";
                if (little || big) s += 2, len -= 2;
        }
        return convert("UTF-8", from, s, len, out);
}
