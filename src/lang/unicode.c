/*
 * What Unicode asks of string functions, by way of utf8proc.
 */
#include "lang/unicode.h"

#include <utf8proc.h>

size_t unicode_point(const char *s, size_t len, int32_t *point)
{
        if (len == 0) return 0;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, point);
        if (n > 0) return (size_t)n;
        *point = 0xfffd;
        return 1;
}

size_t unicode_cluster(const char *s, size_t len)
{
        int32_t before = 0, after = 0, state = 0;
        size_t at = unicode_point(s, len, &before);
        while (at < len) {
                size_t n = unicode_point(s + at, len - at, &after);
                if (utf8proc_grapheme_break_stateful(before, after, &state)) break;
                before = after;
                at += n;
        }
        return at;
}

size_t unicode_cluster_count(const char *s, size_t len)
{
        size_t count = 0;
        for (size_t at = 0; at < len; count++) at += unicode_cluster(s + at, len - at);
        return count;
}

void unicode_add(struct text *out, int32_t point)
{
        utf8proc_uint8_t bytes[4];
        text_addn(out, bytes, (size_t)utf8proc_encode_char(point, bytes));
}

int32_t unicode_map(int32_t point, enum unicode_case to)
{
        switch (to) {
        case CASE_UPPER:
                return point == 0xdf ? 0xdf
                                     : utf8proc_toupper(point); /* ß stays, as its pair is not simple */
        case CASE_LOWER: return utf8proc_tolower(point);
        case CASE_TITLE: return point == 0xdf ? 0xdf : utf8proc_totitle(point);
        }
        return point;
}

bool unicode_is_space(int32_t point)
{
        if (point < 0x80) return (point >= '\t' && point <= '\r') || point == ' ';
        if (point == 0x85) return true;
        utf8proc_category_t category = utf8proc_category(point);
        return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
               category == UTF8PROC_CATEGORY_ZP;
}

bool unicode_is_letter(int32_t point)
{
        utf8proc_category_t category = utf8proc_category(point);
        return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool unicode_is_digit(int32_t point)
{
        return utf8proc_category(point) == UTF8PROC_CATEGORY_ND;
}

bool unicode_is_print(int32_t point)
{
        utf8proc_category_t category = utf8proc_category(point);
        return point == ' ' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_SO);
}
