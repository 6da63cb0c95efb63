/* Gates for people and for scripts; see gate_report.h. */
#include "cli/gate_report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/print.h"

static bool waits(const struct gate_row *row)
{
        return strcmp(row->status, "waiting") == 0;
}

static void json_time(struct text *out, const char *key, int64_t ms)
{
        char when[CLOCK_TEXT];
        clock_text(ms, when);
        text_addf(out, ms > 0 ? ",\"%s\":\"%s\"" : ",\"%s\":null", key, when);
}

static void json_member(struct text *out, const char *key, const char *s)
{
        text_addf(out, ",\"%s\":", key);
        text_json(out, s);
}

/* When a gate lapses, or reminds next; 0: never. */
static int64_t due_ms(const struct counted_gate *c)
{
        int64_t each = c->proposal->expires_ms, over = clock_wall_ms() - c->ballot.opened_ms;
        if (each == 0) return 0;
        return c->ballot.opened_ms + (c->proposal->remind && over > 0 ? (over / each + 1) * each : each);
}

static bool has_lapsed(const struct counted_gate *c)
{
        return due_ms(c) > 0 && !c->proposal->remind && due_ms(c) < clock_wall_ms();
}

static unsigned missing(const struct counted_gate *c)
{
        return c->tally.count < c->proposal->needed ? c->proposal->needed - (unsigned)c->tally.count : 0;
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

static void json_people(const struct counted_gate *c, struct text *out)
{
        size_t count;
        bool anyone;
        const char **people = ballot_people(&c->ballot, &count, &anyone);
        text_add(out, anyone ? ",\"people\":null" : ",\"people\":[");
        for (size_t i = 0; i < count && !anyone; i++) {
                if (i > 0) text_addc(out, ',');
                text_json(out, people[i]);
        }
        if (!anyone) text_addc(out, ']');
        free(people);
}

/* Whether an answer counts is told of a gate that waits; of one that is over, what the run made of it stands in its outcome. */
static void json_answers(const struct gate_row *row, const struct counted_gate *c, struct text *out)
{
        text_add(out, ",\"answers\":[");
        for (size_t i = 0; i < c->answers.count; i++) {
                const struct answer_row *a = &c->answers.rows[i];
                cleanup(error_free) struct error *why = NULL;
                text_add(out, i ? ",{\"by\":" : "{\"by\":");
                text_json(out, a->by);
                json_member(out, "answer", a->answer);
                json_member(out, "comment", a->comment);
                json_time(out, "answered", a->answered_ms);
                text_addf(out, ",\"signed\":%s", a->signature ? "true" : "false");
                if (waits(row)) {
                        bool counts = answer_check(&c->ballot, a, clock_wall_ms(), &why) == 0;
                        text_addf(out, ",\"counts\":%s", counts ? "true" : "false");
                        if (!counts) json_member(out, "reason", error_message(why));
                }
                text_addc(out, '}');
        }
        text_addc(out, ']');
}

static void json_ballot(const struct gate_row *row, const struct counted_gate *c, struct text *out)
{
        json_member(out, "message", c->proposal->message);
        json_people(c, out);
        text_addf(out, ",\"needed\":%u,\"missing\":%u,\"must_sign\":%s", c->proposal->needed,
            waits(row) ? missing(c) : 0, ballot_signed(&c->ballot) ? "true" : "false");
        json_answers(row, c, out);
        json_time(out, "lapses", c->proposal->remind ? 0 : due_ms(c));
        json_time(out, "reminds", c->proposal->remind && waits(row) ? due_ms(c) : 0);
        json_member(out, "proposal", c->proposal->digest);
        text_addf(out, ",\"opened_ms\":%lld", (long long)row->opened_ms);
}

void gate_json(const struct gates *g, const struct gate_row *row, struct text *out)
{
        struct counted_gate c = {0};
        text_add(out, "{\"name\":");
        text_json(out, row->name);
        json_member(out, "status", row->status);
        json_member(out, "by", row->answered_by);
        json_member(out, "comment", row->comment);
        json_time(out, "opened", row->opened_ms);
        json_time(out, "answered", row->answered_ms);
        if (gates_count(g, row, &c, NULL) == 0) json_ballot(row, &c, out);
        counted_gate_release(&c);
        text_add(out, ",\"details\":");
        text_json_recorded(out, row->details);
        text_addc(out, '}');
}

/* --- lines ----------------------------------------------------------------------------------------------------------- */

static void print_people(const struct counted_gate *c)
{
        size_t count;
        bool anyone;
        const char **people = ballot_people(&c->ballot, &count, &anyone);
        printf("    may answer%s: ", ballot_signed(&c->ballot) ? ", signed" : "");
        for (size_t i = 0; i < count && !anyone; i++) {
                if (i > 0) printf(", ");
                print_safe(stdout, people[i]);
        }
        if (anyone) printf("anyone here");
        if (!anyone && count == 0) printf("nobody whom the environment names");
        putchar('\n');
        free(people);
}

static void print_answers(const struct counted_gate *c)
{
        if (c->tally.count > 0 || c->proposal->needed > 1) {
                cleanup_free char *names = tally_names(&c->tally);
                printf("    approved: ");
                print_safe(stdout, *names ? names : "nobody yet");
                printf("; %zu of %u, %u missing\n", c->tally.count, c->proposal->needed, missing(c));
        }
        for (size_t i = 0; i < c->answers.count; i++) {
                cleanup(error_free) struct error *why = NULL;
                if (answer_check(&c->ballot, &c->answers.rows[i], clock_wall_ms(), &why) == 0) continue;
                printf("    does not count: ");
                print_safe(stdout, error_message(why));
                putchar('\n');
        }
}

static void print_behind(const struct proposal *p)
{
        enum { SHOWN = 5 };
        printf("    behind it:");
        for (size_t i = 0; i < p->behind_count && i < SHOWN; i++) {
                printf("%s ", i ? "," : "");
                print_safe(stdout, p->behind[i].action);
                putchar(' ');
                print_safe(stdout, p->behind[i].address);
        }
        if (p->behind_total > SHOWN) printf(" and %zu more", p->behind_total - SHOWN);
        printf(p->behind_count ? "\n" : " nothing\n");
}

static void print_choices(const struct counted_gate *c)
{
        printf(" --answer ");
        for (const char **word = c->proposal->choices; *word != NULL; word++) {
                if (word != c->proposal->choices) putchar('|');
                print_safe(stdout, *word);
        }
}

static void print_ballot(const struct counted_gate *c)
{
        char when[CLOCK_TEXT];
        if (*c->proposal->message != '\0') {
                printf("    ");
                print_lines(stdout, c->proposal->message, 6);
                putchar('\n');
        }
        print_people(c);
        print_answers(c);
        clock_text(due_ms(c), when);
        if (due_ms(c) > 0) printf("    %s at %s\n", c->proposal->remind ? "reminds" : "lapses", when);
        print_behind(c->proposal);
}

void gate_print(const struct gates *g, const struct gate_row *row, const struct options *o)
{
        struct counted_gate c = {0};
        char when[CLOCK_TEXT];
        clock_text(row->answered_ms ? row->answered_ms : row->opened_ms, when);
        if (strcmp(row->status, "cancelled") == 0) {
                printf("  gate ");
                print_safe(stdout, row->name);
                printf(" gave up: the run is over, and nobody is asked any more\n");
                return;
        }
        if (!waits(row)) {
                printf("  gate ");
                print_safe(stdout, row->name);
                putchar(' ');
                print_safe(stdout, row->status);
                printf(" by ");
                print_safe(stdout, row->answered_by ? row->answered_by : "?");
                printf(" at %s%s", when, row->comment && *row->comment ? ": " : "");
                print_safe(stdout, row->comment ? row->comment : "");
                putchar('\n');
                return;
        }
        bool counted = gates_count(g, row, &c, NULL) == 0;
        bool lapsed = counted && has_lapsed(&c);
        if (lapsed) clock_text(due_ms(&c), when);
        printf("  gate ");
        print_safe(stdout, row->name);
        if (lapsed) {
                printf(" lapsed at %s: nobody answered in time; `", when);
                print_hint("resume", o->args[0]);
                printf("` takes it for rejected\n");
        } else {
                printf(" waits since %s: ", when);
                print_named_hint("approve", o->args[0], row->name, NULL);
                if (counted && c.proposal->choices != NULL) print_choices(&c);
                putchar('\n');
                if (counted) print_ballot(&c);
        }
        counted_gate_release(&c);
}
