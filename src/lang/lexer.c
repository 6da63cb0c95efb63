/* Scanning. Strings and templates are not tokens: at a quote the parser takes over, byte by byte. */
#include "lang/lexer.h"

#include <string.h>
#include <utf8proc.h>

void lexer_init(struct lexer *lexer, const char *text, size_t len, const struct source_map *map)
{
        *lexer = (struct lexer){.text = text, .len = len, .map = map, .open_comment = len};
        lexer->mapped_place = (struct place){.line = 1, .column = 1};
        if (map != NULL) lexer->mapped_place = map->start;
}

void lexer_release(struct lexer *lexer)
{
        free(lexer->checkpoints);
}

/* The last line of the source map that begins at or before the offset, or NULL. */
static const struct source_line *find_line(const struct source_map *map, size_t offset)
{
        if (map == NULL || map->lines == NULL) return NULL;
        size_t low = 0, high = map->line_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (map->lines[middle].offset <= offset)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low > 0 ? &map->lines[low - 1] : NULL;
}

enum { CHECKPOINT_BYTES = 256 };

static void add_checkpoint(struct lexer *lexer)
{
        size_t count = lexer->checkpoint_count;
        size_t last = count > 0 ? lexer->checkpoints[count - 1].offset : 0;
        if (lexer->mapped < last + CHECKPOINT_BYTES) return;
        struct checkpoint now = {lexer->mapped, lexer->mapped_place.line, lexer->mapped_place.column};
        vec_push(lexer->checkpoints, lexer->checkpoint_count, lexer->checkpoint_capacity, now);
}

/* Makes the last checkpoint at or before the offset, or the beginning, what is counted on from. */
static void go_back(struct lexer *lexer, size_t offset)
{
        size_t low = 0, high = lexer->checkpoint_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (lexer->checkpoints[middle].offset <= offset)
                        low = middle + 1;
                else
                        high = middle;
        }
        lexer->mapped = 0;
        lexer->mapped_place = lexer->map ? lexer->map->start : (struct place){.line = 1, .column = 1};
        if (low == 0) return;
        lexer->mapped = lexer->checkpoints[low - 1].offset;
        lexer->mapped_place.line = lexer->checkpoints[low - 1].line;
        lexer->mapped_place.column = lexer->checkpoints[low - 1].column;
}

struct place lexer_place(struct lexer *lexer, size_t offset)
{
        if (offset > lexer->len) offset = lexer->len;
        if (offset < lexer->mapped) go_back(lexer, offset);
        const struct source_line *line = find_line(lexer->map, offset);
        if (line != NULL && line->offset >= lexer->mapped) {
                lexer->mapped = line->offset;
                lexer->mapped_place.line = line->line;
                lexer->mapped_place.column = line->column;
        }
        for (; lexer->mapped < offset; lexer->mapped++) {
                unsigned char c = (unsigned char)lexer->text[lexer->mapped];
                if (c == '\n' && line == NULL) {
                        lexer->mapped_place.line++;
                        lexer->mapped_place.column = 1;
                } else if ((c & 0xc0) != 0x80) {
                        lexer->mapped_place.column++;
                }
        }
        add_checkpoint(lexer);
        return lexer->mapped_place;
}

static bool is_letter(const char *s, size_t len, size_t *width, bool first)
{
        unsigned char c = (unsigned char)*s;
        *width = 1;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') return true;
        if (c < 0x80) return !first && ((c >= '0' && c <= '9') || c == '-');
        utf8proc_int32_t code;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, &code);
        if (n <= 0) return false;
        *width = (size_t)n;
        utf8proc_category_t category = utf8proc_category(code);
        if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return true;
        return category == UTF8PROC_CATEGORY_NL ||
               (!first && category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ND);
}

size_t lexer_ident(const char *s, size_t len)
{
        size_t at = 0, width;
        while (at < len && is_letter(s + at, len - at, &width, at == 0)) at += width;
        return at;
}

static size_t digits(const struct lexer *lexer, size_t at)
{
        while (at < lexer->len && lexer->text[at] >= '0' && lexer->text[at] <= '9') at++;
        return at;
}

/* The end of an exponent at `at`, or `at` if there is none. */
static size_t exponent_end(const struct lexer *lexer, size_t at)
{
        if (at >= lexer->len || (lexer->text[at] != 'e' && lexer->text[at] != 'E')) return at;
        size_t first = at + 1;
        if (first < lexer->len && (lexer->text[first] == '+' || lexer->text[first] == '-')) first++;
        size_t end = digits(lexer, first);
        return end > first ? end : at;
}

static size_t number_end(const struct lexer *lexer, size_t at)
{
        at = digits(lexer, at);
        if (at < lexer->len && lexer->text[at] == '.') {
                size_t end = digits(lexer, at + 1);
                /* the point belongs to the number with digits behind it, or an exponent, as in 1.e3 */
                if (end > at + 1 || exponent_end(lexer, end) > end) at = end;
        }
        return exponent_end(lexer, at);
}

static bool looking_at(const struct lexer *lexer, const char *s)
{
        size_t len = strlen(s);
        return lexer->len - lexer->at >= len && memcmp(lexer->text + lexer->at, s, len) == 0;
}

/* A comment to the end of its line leaves the newline in place. */
static bool skip_comment(struct lexer *lexer)
{
        if (looking_at(lexer, "/*")) {
                const char *end = memmem(lexer->text + lexer->at + 2, lexer->len - lexer->at - 2, "*/", 2);
                if (end == NULL) return false; /* the slash is then reported as out of place */
                lexer->at = (size_t)(end - lexer->text) + 2;
                return true;
        }
        if (!looking_at(lexer, "#") && !looking_at(lexer, "//")) return false;
        const char *end = memchr(lexer->text + lexer->at, '\n', lexer->len - lexer->at);
        if (end == NULL) lexer->open_comment = lexer->at;
        lexer->at = end ? (size_t)(end - lexer->text) : lexer->len;
        return true;
}

static void skip_trivia(struct lexer *lexer, bool newlines)
{
        while (lexer->at < lexer->len) {
                char c = lexer->text[lexer->at];
                if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !newlines))
                        lexer->at++;
                else if (!skip_comment(lexer))
                        break;
        }
}

static const struct symbol {
        const char *text;
        enum token_kind kind;
} symbols[] = {
    {"...", TOKEN_ELLIPSIS},
    {"=>", TOKEN_ARROW},
    {"==", TOKEN_EQUAL},
    {"!=", TOKEN_NOT_EQUAL},
    {"<=", TOKEN_LESS_EQUAL},
    {">=", TOKEN_GREATER_EQUAL},
    {"&&", TOKEN_AND},
    {"||", TOKEN_OR},
    {"::", TOKEN_DOUBLE_COLON},
    {"<<", TOKEN_HEREDOC},
    {"\n", TOKEN_NEWLINE},
    {"\"", TOKEN_QUOTE},
    {"(", TOKEN_OPEN_PAREN},
    {")", TOKEN_CLOSE_PAREN},
    {"[", TOKEN_OPEN_BRACKET},
    {"]", TOKEN_CLOSE_BRACKET},
    {"{", TOKEN_OPEN_BRACE},
    {"}", TOKEN_CLOSE_BRACE},
    {",", TOKEN_COMMA},
    {".", TOKEN_DOT},
    {":", TOKEN_COLON},
    {"?", TOKEN_QUESTION},
    {"=", TOKEN_ASSIGN},
    {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},
    {"+", TOKEN_PLUS},
    {"-", TOKEN_MINUS},
    {"*", TOKEN_STAR},
    {"/", TOKEN_SLASH},
    {"%", TOKEN_PERCENT},
    {"!", TOKEN_NOT},
    {"~", TOKEN_TILDE},
};

struct token lexer_next(struct lexer *lexer, bool newlines)
{
        skip_trivia(lexer, newlines);
        struct token token = {.kind = TOKEN_END, .start = lexer->at, .end = lexer->at};
        if (lexer->at >= lexer->len) return token;
        const char *s = lexer->text + lexer->at;
        size_t ident = lexer_ident(s, lexer->len - lexer->at);
        if (ident > 0) {
                token.kind = TOKEN_IDENT;
                token.end = lexer->at + ident;
        } else if (*s >= '0' && *s <= '9') {
                token.kind = TOKEN_NUMBER;
                token.end = number_end(lexer, lexer->at);
        } else {
                token.kind = TOKEN_INVALID;
                token.end = lexer->at + 1;
                for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
                        if (!looking_at(lexer, symbols[i].text)) continue;
                        token.kind = symbols[i].kind;
                        token.end = lexer->at + strlen(symbols[i].text);
                        break;
                }
        }
        while (
            token.kind == TOKEN_INVALID && token.end < lexer->len && (lexer->text[token.end] & 0xc0) == 0x80)
                token.end++;
        lexer->at = token.end;
        return token;
}

char *lexer_describe(const struct lexer *lexer, struct token token)
{
        size_t len = token.end - token.start;
        if (token.kind == TOKEN_END) return mem_strdup("the end");
        if (token.kind == TOKEN_NEWLINE) return mem_strdup("the end of the line");
        if (token.kind == TOKEN_INVALID && (unsigned char)lexer->text[token.start] < 0x20)
                return mem_strdup("a control character");
        if (!text_is_utf8(lexer->text + token.start, len)) return mem_strdup("a byte that is not UTF-8");
        if (len > 40) return mem_printf("'%.30s…'", lexer->text + token.start);
        return mem_printf("'%.*s'", (int)len, lexer->text + token.start);
}
