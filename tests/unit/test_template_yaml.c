/* YAML: what its scalars are, what its anchors and merges give, its bounds, and how its mistakes are told. */
#include "template_fixture.h"

#include "template/yaml.h"

/* --- reading --------------------------------------------------------------------------------------------------------- */

struct tree {
        struct arena *arena;
        struct yaml_file file;
        struct error *err;
        char *problems;
};

static struct tree tree_read(const char *text, size_t len)
{
        struct tree t = {.arena = arena_new()};
        yaml_read(t.arena, t.arena, "t", text, len ? len : strlen(text), &t.file, &t.err);
        t.problems = fixture_problems(t.err);
        return t;
}

static void tree_release(struct tree *t)
{
        arena_free(t->arena);
        error_free(t->err);
        free(t->problems);
}

/* Compact JSON-like text of a tree, with the core type of scalars by their first letter. */
static void show(const struct yaml_node *n, struct text *out)
{
        static const char letters[] = "snbn?";
        if (n->kind == YAML_SCALAR)
                text_addf(out, "%c'%s'", n->core == YAML_NULL ? '0' : letters[n->core], n->text);
        for (uint32_t i = 0; n->kind == YAML_SEQUENCE && i < n->count; i++) {
                text_add(out, i == 0 ? "[" : ",");
                show(n->items[i], out);
        }
        for (uint32_t i = 0; n->kind == YAML_MAP && i < n->count; i++) {
                text_addf(out, "%s%s:", i == 0 ? "{" : ",", n->entries[i].key);
                show(n->entries[i].value, out);
        }
        if (n->kind != YAML_SCALAR && n->count == 0) text_add(out, n->kind == YAML_MAP ? "{" : "[");
        if (n->kind != YAML_SCALAR) text_add(out, n->kind == YAML_MAP ? "}" : "]");
}

static void gives(const char *text, const char *want, const char *name)
{
        struct tree t = tree_read(text, 0);
        struct text got = {0};
        if (t.problems[0] != '\0')
                text_add(&got, t.problems);
        else
                show(t.file.root, &got);
        is_str(got.data, want, name);
        text_release(&got);
        tree_release(&t);
}

static void scalars(void)
{
        gives("[true, True, FALSE, yes, no, on, off, tRue]",
            "[b'true',b'True',b'FALSE',s'yes',s'no',s'on',s'off',s'tRue']", "truth values");
        gives("[null, ~, Null, {a: }, none]", "[0'null',0'~',0'Null',{a:0''},s'none']", "nulls");
        gives("[0, -1, +2, 1.5, .5, 5., 1e3, 1.5E-7, 0x1F, 0o17]",
            "[n'0',n'-1',n'+2',n'1.5',n'.5',n'5.',n'1e3',n'1.5E-7',n'0x1F',n'0o17']", "numbers");
        gives("[1_000, 1.2.3, 10.0.0.0/16, 2026-01-01, 22:22, 1e, 0x, 0xZZ, -, '+', ., 12a, -.]",
            "[s'1_000',s'1.2.3',s'10.0.0.0/"
            "16',s'2026-01-01',s'22:22',s'1e',s'0x',s'0xZZ',s'-',s'+',s'.',s'12a',s'-.']",
            "texts");
        gives("[0123, 00, -01, .inf, -.INF, .nan, 0.5, 00.5]",
            "[?'0123',?'00',?'-01',?'.inf',?'-.INF',?'.nan',n'0.5',n'00.5']", "ambiguous");
        gives("['1', \"true\", !!str 5, ! null, !!str true]", "[s'1',s'true',s'5',s'null',s'true']",
            "quotes and !!str make text");
        gives("a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a:s'x\ny\n',b:s'x y'}", "blocks");
        gives("\xef\xbb\xbf"
              "a: 1",
            "{a:n'1'}", "a byte order mark is passed over");
        gives("{}", "{}", "an empty map");
        gives("--- \na: 1\n...\n", "{a:n'1'}", "document marks");
}

static void anchors(void)
{
        gives(
            "a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", "{a:{k:n'1'},b:{k:n'1'},c:[{k:n'1'},{k:n'1'}]}", "aliases");
        gives("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3, m: 4}\n", "{a:{k:n'1',l:n'2'},b:{l:n'3',m:n'4',k:n'1'}}",
            "a merge: its own keys win");
        gives("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n",
            "{a:{k:n'1'},b:{k:n'2',l:n'2'},c:{k:n'1',l:n'2'}}", "merges: the first wins");
        gives("a: {\"<<\": 1}\n", "{a:{<<:n'1'}}", "a quoted << is a key");
        gives("a: &x b\nc: {*x : 1}\n", "{a:s'b',c:{b:n'1'}}", "an alias as a key");
        gives("a: &x 1\nb: &x 2\nc: *x\n", "{a:n'1',b:n'2',c:n'2'}", "an anchor set again");
}

static void mistakes(void)
{
        gives("", "t: the file is empty", "empty");
        gives("# only\n", "t: the file is empty", "a comment only");
        gives("a: 1\n---\nb: 2\n", "t:2:1: a second document begins here; a file holds one", "two documents");
        gives("a: 1\nb: 2\na: 3\nb: 4\n",
            "t:3:1: duplicate key 'a', first on line 1\nt:4:1: duplicate key 'b', first on line 2",
            "duplicate keys");
        gives("x:\n\ta: 1\n", "t:2:1: a tab is not allowed here: indent with spaces", "a tab as indentation");
        gives("x:\n  a: 1\n\tb: 1\n", "t:3:1: a tab is not allowed here: indent with spaces",
            "a tab further down");
        gives(
            "x:\n  a: @b\n", "t:2:6: text must not begin with '@': put it in quotes", "a reserved character");
        gives("x: %{ if true }a%{ endif }\n", "t:1:4: text must not begin with '%': put it in quotes",
            "a directive without quotes");
        gives("x: {a: ${b}}\n",
            "t:1:9: this is not valid YAML: an expression that stands inside { } or [ ], or that holds ': ' "
            "or ' #', must be in quotes, as in "
            "\"${…}\"",
            "an expression in a flow map");
        gives("x: ${a ? b : c}\n",
            "t:1:12: this is not valid YAML: an expression that stands inside { } or [ ], or that holds ': ' "
            "or ' #', must be in quotes, as in "
            "\"${…}\"",
            "an expression with a colon");
        gives("x: a: b\n",
            "t:1:5: a ':' is not allowed here: check the indentation, or put text that holds ': ' in quotes",
            "a colon");
        gives(
            "x:\n  a: 1\n b: 2\n", "t:3:2: a key is expected here: check the indentation", "bad indentation");
        gives("x:\n  a: 1\n b: ${c}\n", "t:3:2: a key is expected here: check the indentation",
            "bad indentation of an expression");
        gives("x: 1\ny\n", "t:2:1: a ':' is missing behind the key", "no colon");
        gives("x: \"abc\n", "t:1:4: the closing quote is missing", "an open quote");
        gives("x: *y\n", "t:1:4: the alias *y has no anchor &y before it", "an unknown alias");
        gives("x: &y [*y]\n", "t:1:8: the alias *y stands inside what it repeats", "an alias in itself");
        gives("x: !foo 1\n", "t:1:4: the YAML tag '!foo' is not supported; only !!str is", "a tag");
        gives("? [a]\n: 1\n", "t:1:3: a key must be text, not a map or a list", "a list as a key");
        gives("?\n: 1\n", "t:1:2: a key is missing before ':'", "no key");
        gives("a: {<<: 1}\n", "t:1:5: '<<' merges a map or a list of maps", "a merge of a scalar");
        gives("\"a\\0b\": 1\n", "t:1:1: a key must not hold a NUL character", "a NUL in a key");
}

static void bytes(void)
{
        struct tree t = tree_read("a: 1\nü\xff: 1\n", 0);
        is_str(t.problems, "t:2:2: the file is not UTF-8 text", "not UTF-8");
        tree_release(&t);
        t = tree_read("a: \xc3", 0);
        is_str(t.problems, "t:1:4: the file is not UTF-8 text", "cut short");
        tree_release(&t);
        t = tree_read("a: 1\n  \x01\n", 0);
        is_str(t.problems, "t:2:3: the file holds a control character (byte 0x01): it is not a text file",
            "a control character");
        tree_release(&t);
        t = tree_read("a\0b", 3);
        is_str(t.problems, "t:1:2: the file holds a control character (byte 0x00): it is not a text file",
            "a NUL byte");
        tree_release(&t);
        t = tree_read("\xff\xfe"
                      "a\0",
            4);
        is_str(t.problems, "t:1:1: the file is UTF-16; save it as UTF-8", "UTF-16");
        tree_release(&t);
        char *large = mem_alloc(100u << 20);
        t = tree_read(large, 100u << 20);
        is_str(t.problems, "t: the file is larger than 16 MiB", "100 MiB");
        tree_release(&t);
        free(large);
}

/* --- bounds ---------------------------------------------------------------------------------------------------------- */

static void bounds(void)
{
        struct text text = {0};
        for (int i = 0; i < 100; i++) text_addc(&text, '[');
        for (int i = 0; i < 100; i++) text_addc(&text, ']');
        struct tree t = tree_read(text.data, 0);
        is_str(t.problems, "", "a depth of 100");
        tree_release(&t);
        text_clear(&text);
        for (int i = 0; i < 200000; i++) text_addc(&text, '[');
        t = tree_read(text.data, 0);
        is_str(t.problems, "t:1:101: nested deeper than 100 levels", "a depth of 200,000");
        tree_release(&t);

        text_clear(&text);
        text_add(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) {
                text_addf(&text, "a%d: &a%d [", i, i);
                for (int k = 0; k < 10; k++) text_addf(&text, "%s*a%d", k ? ", " : "", i - 1);
                text_add(&text, "]\n");
        }
        t = tree_read(text.data, 0);
        is_str(t.problems, "t:6:45: aliases expand to more than 1000000 values", "a bomb of aliases");
        tree_release(&t);

        text_clear(&text);
        text_add(&text, "m0: &m0 {a: 1}\n");
        for (int i = 1; i < 2000; i++) text_addf(&text, "m%d: &m%d {<<: *m%d, k%d: 1}\n", i, i, i - 1, i);
        t = tree_read(text.data, 0);
        ok(strstr(t.problems, "aliases expand to more than 1000000 values") != NULL, "a bomb of merges");
        tree_release(&t);

        text_clear(&text);
        text_add(&text, "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
        for (int i = 1; i < 12; i++) text_addf(&text, "a%d: &a%d [[[[[[[[[*a%d]]]]]]]]]\n", i, i, i - 1);
        t = tree_read(text.data, 0);
        is_str(t.problems, "t:11:20: the alias *a9 makes a nesting deeper than 100 levels",
            "depth by way of aliases");
        tree_release(&t);
        text_release(&text);
}

/* --- places ---------------------------------------------------------------------------------------------------------- */

/* Where a byte of a scalar's text stands, as the lexer counts: from the last line of the map on. */
static void place_of(
    const struct source_map *map, const char *text, size_t offset, unsigned *line, unsigned *column)
{
        size_t i = 0;
        while (i + 1 < map->line_count && map->lines[i + 1].offset <= offset) i++;
        *line = map->lines[i].line;
        *column = map->lines[i].column;
        for (size_t k = map->lines[i].offset; k < offset; k++)
                *column += ((unsigned char)text[k] & 0xc0) != 0x80;
}

/* `@` in the scalar behind key `k` of the text must stand at that place. Letters only, so that it may be any scalar. */
static void stands(const char *text, unsigned line, unsigned column, const char *name)
{
        struct tree t = tree_read(text, 0);
        const struct yaml_entry *e = t.problems[0] == '\0' ? yaml_get(t.file.root, "k") : NULL;
        const char *at = e && e->value->kind == YAML_SCALAR ? strchr(e->value->text, '@') : NULL;
        unsigned got_line = 0, got_column = 0;
        if (at != NULL) {
                struct source_map map;
                yaml_source_map(t.arena, &t.file, e->value, &map);
                place_of(&map, e->value->text, (size_t)(at - e->value->text), &got_line, &got_column);
        } else {
                printf("# %s\n", t.problems);
        }
        ok(got_line == line && got_column == column, "%s: %u:%u, wanted %u:%u", name, got_line, got_column,
            line, column);
        tree_release(&t);
}

static void places(void)
{
        stands("k: ab@\n", 1, 6, "plain");
        stands("k: äö@\n", 1, 6, "columns are code points");
        stands("# ä\nk: ab@\n", 2, 6, "behind others");
        stands("k: ab\n  cd\n\n  e@\n", 4, 4, "plain, folded");
        stands("k: ab \t\n  cd   @\n", 2, 8, "plain, blanks at the fold");
        stands("k: 'it''s @'\n", 1, 11, "single quotes, escaped");
        stands("k: 'a\n  ''b\n\n   @'\n", 4, 4, "single quotes, folded");
        stands("k: \"a\\tb@\"\n", 1, 9, "double quotes, escaped");
        stands("k: \"\\x41\\u00e9\\U0001F600\\N\\L@\"\n", 1, 29, "long escapes");
        stands("k: \"a\\\n   b\n   c@\"\n", 3, 5, "double quotes, an escaped break");
        stands("k: \"a  b   \n\n   c@\"\n", 3, 5, "double quotes, folded");
        stands("k: \"\n  a@\"\n", 2, 4, "double quotes, begun with a break");
        stands("k: |\n  ab\n  c@\n", 3, 4, "literal");
        stands("k: |\n\n\n  ab\n\n    c@\n", 6, 6, "literal, deeper");
        stands("k: |2-\n    ab\n  @\n", 3, 3, "literal, with an indicator");
        stands("k: | # comment\n   ab@\n", 2, 6, "literal, with a comment");
        stands("k: >\n  ab\n  cd\n\n  e@\n", 5, 4, "folded");
        stands("k: >\n  ab\n    deep@\n  cd\n", 3, 9, "folded, more indented");
        stands("k: >\n  ab\n    deep\n  cd @\n", 4, 6, "folded, after more indented");
        stands("k: >-\n\n  ab\n\n\n  c@", 6, 4, "folded, empty lines");
        stands("k: &x\n  a@\n", 2, 4, "behind an anchor");
        stands("k: &x !!str # c\n  \"a@\"\n", 2, 5, "behind anchor, tag and comment");
        stands("k: |\r\n  ab\r\n  c@\r\n", 3, 4, "literal with CRLF");
        stands("k: ab\r\n  c@\r\n", 2, 4, "plain with CRLF");
        stands("k: |\n  ää\n  ü@\n", 3, 4, "literal, code points");
}

int main(void)
{
        scalars();
        anchors();
        mistakes();
        bytes();
        bounds();
        places();
        return done();
}
