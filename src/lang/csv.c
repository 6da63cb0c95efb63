/*
 * Comma-separated values: records of fields, of which the first names the columns. Empty lines do not count.
 */
#include "lang/csv.h"

#include <string.h>

#include "base/map.h"
#include "lang/call.h"

enum { MAX_COLUMNS = 10000 };

struct csv {
        const char *s, *end;
        size_t line; /* of the record being read */
        size_t next_line;
        struct value_vec fields;
        struct error **err;
};

static int refuse(struct csv *c, const char *what)
{
        return error_set(c->err, ERROR_INPUT, NULL, "CSV parse error on line %zu: %s", c->line, what);
}

/* Takes a line break (also the carriage return before the end of the text) if there is one. */
static bool take_break(struct csv *c)
{
        size_t n = c->s < c->end && *c->s == '\r' && (c->s + 1 == c->end || c->s[1] == '\n') ? 1 : 0;
        if (c->s + n < c->end && c->s[n] == '\n') n++;
        if (n == 0) return false;
        c->s += n;
        c->next_line++;
        return true;
}

static int add_field(struct csv *c, struct text *field)
{
        if (c->fields.count >= MAX_COLUMNS) {
                text_release(field);
                return refuse(c, "too many fields");
        }
        value_vec_push(&c->fields, call_text(field));
        return 0;
}

static int quoted_field(struct csv *c)
{
        struct text field = {0};
        for (c->s++; c->s < c->end;) {
                if (*c->s == '"' && c->s + 1 < c->end && c->s[1] == '"') {
                        text_addc(&field, '"');
                        c->s += 2;
                } else if (*c->s == '"') {
                        c->s++;
                        bool ends = c->s >= c->end || *c->s == ',' || *c->s == '\n' ||
                                    (*c->s == '\r' && (c->s + 1 >= c->end || c->s[1] == '\n'));
                        if (ends) return add_field(c, &field);
                        break;
                } else if (take_break(c))
                        text_addc(&field, '\n');
                else
                        text_addc(&field, *c->s++);
        }
        text_release(&field);
        return refuse(c, "extraneous or missing \" in quoted-field");
}

static int plain_field(struct csv *c)
{
        struct text field = {0};
        const char *start = c->s;
        while (c->s < c->end && *c->s != ',' && *c->s != '\n' && *c->s != '"') {
                if (*c->s == '\r' && (c->s + 1 == c->end || c->s[1] == '\n')) break;
                c->s++;
        }
        if (c->s < c->end && *c->s == '"') return refuse(c, "bare \" in non-quoted-field");
        text_addn(&field, start, (size_t)(c->s - start));
        return add_field(c, &field);
}

/* The fields of the next record: 1, 0 at the end of the text, -1 with a problem. */
static int next_record(struct csv *c)
{
        value_vec_release(&c->fields);
        while (take_break(c)) continue;
        if (c->s >= c->end) return 0;
        c->line = c->next_line;
        for (;;) {
                bool quoted = c->s < c->end && *c->s == '"';
                if ((quoted ? quoted_field(c) : plain_field(c)) < 0) return -1;
                if (c->s < c->end && *c->s == ',')
                        c->s++;
                else
                        break;
        }
        take_break(c);
        return 1;
}

/* Names of columns out of the first record, owned by *keys. */
static int take_header(struct csv *c, struct key_vec *keys)
{
        __attribute__((__cleanup__(map_release_cleanup))) struct map seen = {0};
        int record = next_record(c);
        if (record < 0) return -1;
        if (record == 0) return error_set(c->err, ERROR_INPUT, NULL, "missing header line");
        for (size_t i = 0; i < c->fields.count; i++) {
                key_vec_push(keys, value_as_string(c->fields.items[i]));
                if (map_put(&seen, keys->items[i], keys->items[i]))
                        return error_set(
                            c->err, ERROR_INPUT, NULL, "duplicate column name \"%s\"", keys->items[i]);
        }
        return 0;
}

static const struct type *row_type(const struct key_vec *keys)
{
        cleanup_free struct type_attribute *attributes = mem_alloc((keys->count + 1) * sizeof *attributes);
        for (size_t i = 0; i < keys->count; i++)
                attributes[i] = (struct type_attribute){.name = keys->items[i], .type = type_string};
        return type_object(attributes, keys->count);
}

static struct value *csv_rows(struct csv *c, const struct key_vec *keys)
{
        cleanup(type_free) const struct type *type = row_type(keys);
        cleanup(value_vec_release) struct value_vec rows = {0};
        int record;
        while ((record = next_record(c)) > 0) {
                if (c->fields.count != keys->count)
                        record = refuse(c, "wrong number of fields");
                else if (rows.count >= CALL_MAX_ELEMENTS)
                        record = refuse(c, "too many lines");
                if (record < 0) break;
                value_vec_push(
                    &rows, value_object((const char *const *)keys->items, c->fields.items, keys->count));
        }
        return record < 0 ? NULL : value_vec_list(&rows, type);
}

struct value *csv_decode(const char *text, size_t len, struct error **err)
{
        struct csv c = {.s = text, .end = text + len, .line = 1, .next_line = 1, .err = err};
        cleanup(key_vec_release) struct key_vec keys = {0};
        struct value *v = take_header(&c, &keys) < 0 ? NULL : csv_rows(&c, &keys);
        value_vec_release(&c.fields);
        return v;
}
