/* Text from outside on a terminal, and words for a shell to copy. */
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void shown(const char *s, const char *want)
{
        struct text out = {0};
        text_add_shown(&out, s);
        is_str(out.data ? out.data : "", want, "text from outside is shown so");
        text_release(&out);
}

static void lines(const char *s, const char *want)
{
        char *out = NULL;
        size_t len = 0;
        FILE *f = open_memstream(&out, &len);
        print_lines(f, s, 2);
        fclose(f);
        is_str(out, want, "lines stay lines, and all but the first are indented");
        free(out);
}

static void word(const char *s, const char *want)
{
        struct text out = {0};
        text_add_shell(&out, s);
        is_str(out.data, want, "a word for a shell");
        text_release(&out);
}

int main(void)
{
        shown("a\tb größer 漢字 😀", "a\tb größer 漢字 😀");
        shown("\033[2J\a\r\n", "\\x1b[2J\\x07\\x0d\\n");
        shown("\x7f\xc2\x9b"
              "31m",
            "\\x7f\\u009b31m");
        shown("a\u202eb\u2066c\u200fd\u2028e\u061c", "a\\u202eb\\u2066c\\u200fd\\u2028e\\u061c");
        shown("\x9b\xff\xe2\x80", "\\x9b\\xff\\xe2\\x80");
        lines("one\ntwo\033\r\nthree\n", "one\n  two\\x1b\n  three\n");
        lines("", "");
        ok(name_is_sane("Zoë de Vries") && name_is_sane("web-1@example.org"), "names");
        ok(!name_is_sane("") && !name_is_sane("a\nb") && !name_is_sane("a\tb") && !name_is_sane("\u202e") &&
                !name_is_sane("\xff"),
            "no names");
        char longest[130];
        memset(longest, 'x', sizeof longest);
        longest[129] = '\0';
        ok(!name_is_sane(longest), "nor is one of 129 bytes");
        longest[128] = '\0';
        ok(name_is_sane(longest), "but one of 128 is");
        word("web.yaml", "web.yaml");
        word("my env.yaml", "'my env.yaml'");
        word("it's", "'it'\\''s'");
        word("", "''");
        word("$(x)", "'$(x)'");
        return done();
}
