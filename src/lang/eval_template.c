/* Templates: parts joined to one string. */
#include "lang/eval.h"

#include <string.h>

struct joined {
        struct text text;
        bool sensitive, unknown, failed;
        size_t known; /* bytes in front of the first unknown part */
};

static void join(struct eval *ev, const struct expr *e, struct joined *j)
{
        cleanup(value_free) struct value *v = eval_expr(ev, e);
        struct error *problem = NULL;
        if (v == NULL) {
                j->failed = true;
                return;
        }
        if (value_is_null(v)) {
                j->failed = true;
                eval_fail(ev, &e->place, "this value is null and cannot become part of a string");
                return;
        }
        j->sensitive |= value_has_sensitive(v);
        cleanup(value_free) struct value *s = value_convert(v, type_string, &problem);
        if (s == NULL) {
                static const char *const nouns[] = {
                    "value", "string", "number", "bool", "list", "set", "map", "tuple", "object"};
                j->failed = true;
                error_free(problem);
                eval_fail(ev, &e->place,
                    "a %s cannot become part of a string; convert it, for example with jsonencode() or "
                    "join()",
                    nouns[value_kind(v)]);
        } else if (!value_is_known(s)) {
                if (!j->unknown) j->known = j->text.len;
                j->unknown = true;
        } else if (eval_charge(ev, 0, value_string_len(s), &e->place) < 0) {
                j->failed = true;
        } else {
                text_addn(&j->text, value_as_string(s), value_string_len(s));
        }
}

/* How the text begins, whatever the unknown part turns out to be: a letter could still get an accent. */
static struct value *begun_value(const struct joined *j)
{
        size_t len = j->known;
        while (len > 0 && !strchr(" -_/:.,;=@#", j->text.data[len - 1])) len--;
        return len > 0 ? value_unknown_prefixed(j->text.data, len) : value_unknown_present(type_string);
}

static struct value *joined_value(struct joined *j)
{
        struct value *v = NULL;
        if (!j->failed)
                v = j->unknown ? begun_value(j)
                               : value_string_n(j->text.data ? j->text.data : "", j->text.len);
        if (j->sensitive && j->text.data != NULL) mem_wipe(j->text.data, j->text.len);
        text_release(&j->text);
        return eval_mark(v, j->sensitive);
}

struct value *eval_template(struct eval *ev, const struct expr *e)
{
        struct joined j = {0};
        for (size_t i = 0; i < e->count && !ev->fatal; i++) join(ev, e->items[i], &j);
        j.failed |= ev->fatal;
        return joined_value(&j);
}

struct value *eval_template_for(struct eval *ev, const struct expr *e)
{
        struct joined j = {0};
        struct iteration it;
        if (eval_iterate(ev, e->loop, &it) < 0) return NULL;
        j.sensitive = it.sensitive;
        j.unknown = it.unknown;
        while (!j.failed && eval_next(ev, e->loop, &it)) {
                if (eval_charge(ev, 1, 16, &e->place) < 0) j.failed = true;
                if (!j.failed) join(ev, e->loop->value, &j);
        }
        eval_iterated(ev, e->loop, &it);
        return joined_value(&j);
}
