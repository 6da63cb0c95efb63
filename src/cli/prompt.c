/* What is asked at the terminal while gates wait; see prompt.h. */
#include "cli/prompt.h"

#include <string.h>

#include "base/clock.h"
#include "cli/render.h"
#include "run/answer.h"

struct waiting_gate {
        char *name, *message;
        char *approvers, *approved; /* who may, who did */
        unsigned needed;
        char **choices; /* of a question; of a gate there are none */
        size_t choice_count;
        uint32_t *behind;
        size_t behind_count;
        int64_t run_started_ms;
        bool yours;    /* whoever sits here may answer it */
        bool answered; /* and did just now */
};

struct prompt {
        FILE *out;
        struct prompt_host host;
        const struct plan *plan;
        struct waiting_gate *gates; /* the first is at the prompt */
        size_t count, capacity;
        int64_t settled_ms; /* no answer counts before */
        bool abrupt;        /* the last one at the prompt was closed by somebody else */
        bool touched;       /* a line was typed at the first */
        bool left;
};

static char *names_text(const char *const *names, size_t count)
{
        struct text text = {0};
        for (size_t i = 0; i < count; i++) text_addf(&text, "%s%s", i ? ", " : "", names[i]);
        return text_steal(&text);
}

static struct waiting_gate gate_of(const struct gate_view *view)
{
        struct waiting_gate g = {
            .name = mem_strdup(view->name),
            .message = mem_strdup(view->message),
            .approvers = view->anyone ? mem_strdup("anyone here")
                                      : names_text(view->people, view->people_count),
            .approved = names_text(view->approved, view->approved_count),
            .needed = view->needed,
            .behind = mem_dup(view->behind, view->behind_count * sizeof *view->behind),
            .behind_count = view->behind_count,
            .run_started_ms = view->run_started_ms,
            .yours = view->yours,
        };
        size_t capacity = 0;
        for (const char *const *c = view->choices; c != NULL && *c != NULL; c++)
                vec_push(g.choices, g.choice_count, capacity, mem_strdup(*c));
        return g;
}

static void gate_release(struct waiting_gate *g)
{
        free(g->name);
        free(g->message);
        free(g->approvers);
        free(g->approved);
        for (size_t i = 0; i < g->choice_count; i++) free(g->choices[i]);
        free(g->choices);
        free(g->behind);
}

struct prompt *prompt_new(FILE *out, const struct prompt_host *host)
{
        struct prompt *p = mem_alloc(sizeof *p);
        p->out = out;
        p->host = *host;
        return p;
}

void prompt_reset(struct prompt *p, const struct plan *plan)
{
        for (size_t i = 0; i < p->count; i++) gate_release(&p->gates[i]);
        p->count = 0;
        p->plan = plan;
        p->left = false;
}

void prompt_free(struct prompt *p)
{
        if (p == NULL) return;
        prompt_reset(p, NULL);
        free(p->gates);
        free(p);
}

/* --- what is shown ------------------------------------------------------------------------------------------------------ */

static void show_behind(const struct prompt *p, const struct waiting_gate *g, bool whole)
{
        size_t shown = whole ? g->behind_count : g->behind_count < 5 ? g->behind_count : 5;
        for (size_t i = 0; i < shown; i++) {
                const struct step *step = &p->plan->steps[g->behind[i]];
                if (whole) {
                        render_step(p->out, step, 4);
                        continue;
                }
                fprintf(p->out, "    %s ", action_name(step->action));
                print_safe(p->out, step->address);
                fputc('\n', p->out);
        }
        if (shown < g->behind_count)
                fprintf(p->out, "    … and %zu more; [i] shows all\n", g->behind_count - shown);
}

/* The one at the prompt. `whole`: with all that waits behind it, and the changes. */
static void show(const struct prompt *p, bool whole)
{
        char since[CLOCK_TEXT];
        const struct waiting_gate *g = &p->gates[0];
        duration_text(clock_wall_ms() - g->run_started_ms, since);
        fprintf(p->out, "  %s", style_on(STYLE_BOLD));
        print_safe(p->out, g->name);
        if (g->message != NULL && *g->message != '\0') fprintf(p->out, ": ");
        print_lines(p->out, g->message, 4);
        fprintf(p->out, "%s\n  may %s: ", style_off(), g->choice_count == 0 ? "approve" : "answer");
        print_safe(p->out, g->approvers);
        fprintf(p->out, "%s;", g->yours ? "" : " (not you)");
        if (g->needed > 1) {
                fprintf(p->out, " %u are needed, and so far approved: ", g->needed);
                print_safe(p->out, *g->approved ? g->approved : "nobody");
                fprintf(p->out, ";");
        }
        fprintf(p->out, "  the run has been going for %s; %zu step%s behind it\n", since, g->behind_count,
            g->behind_count == 1 ? " waits" : "s wait");
        show_behind(p, g, whole);
}

/* What can be said, for whoever said something else. */
static void help(const struct prompt *p)
{
        const struct waiting_gate *g = &p->gates[0];
        fprintf(p->out, "  what can be said to ");
        print_safe(p->out, g->name);
        fprintf(p->out, ":\n");
        if (g->choice_count == 0) fprintf(p->out, "    a, approve [COMMENT]\n    r, reject [REASON]\n");
        for (size_t i = 0; i < g->choice_count; i++)
                fprintf(p->out, "    %s %s\n", g->choices[i],
                    strcmp(g->choices[i], ANSWER_ADOPT) == 0 ? "ID" : "[COMMENT]");
        fprintf(p->out, "    i, inspect: what waits behind it, with the changes\n"
                        "    l, leave: the run ends once all else is done, and waits\n");
        if (p->count > 1) fprintf(p->out, "    n, next [NAME]: to another of the %zu that wait\n", p->count);
}

bool prompt_asks(const struct prompt *p)
{
        return p->count > 0 && !p->left;
}

size_t prompt_draw(const struct prompt *p)
{
        const struct waiting_gate *g = &p->gates[0];
        struct text name = {0}, rest = {0};
        text_add_shown(&name, g->name);
        if (g->choice_count == 0) text_add(&rest, "[a]pprove  [r]eject  ");
        for (size_t i = 0; i < g->choice_count; i++)
                text_addf(
                    &rest, "%s%s  ", g->choices[i], strcmp(g->choices[i], ANSWER_ADOPT) == 0 ? " ID" : "");
        text_add(&rest, "[i]nspect  [l]eave waiting");
        if (p->count > 1) text_addf(&rest, "  [n]ext (%zu gates wait)", p->count);
        text_add(&rest, " > ");
        const char *shown = name.data ? name.data : "";
        fprintf(p->out, "%s%s:%s %s", style_on(STYLE_BOLD), shown, style_off(), rest.data);
        size_t columns = text_columns(shown) + 2 + text_columns(rest.data);
        text_release(&name);
        text_release(&rest);
        return columns;
}

/* --- what waits --------------------------------------------------------------------------------------------------------- */

static size_t find(const struct prompt *p, const char *name)
{
        size_t i = 0;
        while (i < p->count && strcmp(p->gates[i].name, name) != 0) i++;
        return i;
}

/* Another is at the prompt now. What was typed until here was not for it. */
static void turn_to_first(struct prompt *p, bool abrupt, int64_t now_ms)
{
        p->touched = p->abrupt = false;
        p->settled_ms = abrupt ? now_ms + PROMPT_SETTLE_MS : now_ms;
        if (p->left) return;
        show(p, false);
        p->host.discard(p->host.context);
}

static void closed(struct prompt *p, size_t at, int64_t now_ms)
{
        if (at == p->count) return;
        bool answered = p->gates[at].answered;
        gate_release(&p->gates[at]);
        p->count--;
        memmove(&p->gates[at], &p->gates[at + 1], (p->count - at) * sizeof *p->gates);
        if (at > 0) return;
        p->abrupt = !answered;
        if (p->count > 0) turn_to_first(p, p->abrupt, now_ms);
}

/* Those that whoever sits here may answer come first. The one at the prompt gives way only when it is none of these, and nobody has
 * typed a line there. */
static size_t place_of(const struct prompt *p, bool yours)
{
        size_t at = p->touched && p->count > 0 ? 1 : 0;
        if (!yours) return p->count;
        while (at < p->count && p->gates[at].yours) at++;
        return at;
}

static void opened(struct prompt *p, const struct gate_view *view, int64_t now_ms)
{
        struct waiting_gate g = gate_of(view);
        size_t at = place_of(p, g.yours);
        bool abrupt = p->count > 0 || p->abrupt;
        vec_push(p->gates, p->count, p->capacity, g);
        memmove(&p->gates[at + 1], &p->gates[at], (p->count - 1 - at) * sizeof *p->gates);
        p->gates[at] = g;
        if (at == 0) turn_to_first(p, abrupt, now_ms);
}

void prompt_gate(struct prompt *p, const struct gate_view *view, bool open, int64_t now_ms)
{
        size_t at = find(p, view->name);
        if (!open) {
                closed(p, at, now_ms);
        } else if (at == p->count) {
                opened(p, view, now_ms);
        } else {
                gate_release(&p->gates[at]);
                p->gates[at] = gate_of(view);
                if (at == 0 && !p->left) show(p, false);
        }
}

void prompt_ignored(struct prompt *p, const char *gate)
{
        size_t at = gate != NULL ? find(p, gate) : p->count;
        if (at < p->count) p->gates[at].answered = false;
}

/* --- what is typed ------------------------------------------------------------------------------------------------------ */

/* A line: its first word, and what follows, without the blanks around it. */
struct said {
        char *word, *rest;
};

static char *stripped(const char *s, size_t len)
{
        while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL) len--;
        return mem_strndup(s, len);
}

static struct said said_of(const char *line)
{
        line += strspn(line, " \t\r");
        size_t len = strcspn(line, " \t\r");
        const char *rest = line + len + strspn(line + len, " \t\r");
        return (struct said){stripped(line, len), stripped(rest, strlen(rest))};
}

static void said_release(struct said *s)
{
        free(s->word);
        free(s->rest);
}

static bool is(const struct said *s, const char *letter, const char *word)
{
        return strcmp(s->word, letter) == 0 || strcmp(s->word, word) == 0;
}

/* Also of a gate that waits no more, or not yet. */
static bool names_gate(const struct prompt *p, const char *text)
{
        if (find(p, text) < p->count) return true;
        for (size_t i = 0; i < p->plan->count; i++) {
                const struct step *step = &p->plan->steps[i];
                if (step->action == ACTION_GATE && strcmp(step->gate ? step->gate : step->address, text) == 0)
                        return true;
        }
        return false;
}

static void say_nothing_answered(const struct prompt *p)
{
        fprintf(p->out, "  nothing was answered: ");
        print_safe(p->out, p->gates[0].name);
}

/* An answer to the one at the prompt; false once it was taken. */
static bool answer(struct prompt *p, const char *word, const char *comment, int64_t now_ms)
{
        if (now_ms < p->settled_ms) {
                say_nothing_answered(p);
                fprintf(p->out, " had only just come up; if it is meant, say it again\n");
                return true;
        }
        if (names_gate(p, comment)) {
                say_nothing_answered(p);
                fprintf(
                    p->out, " is asked about, and a gate's name alone is no comment; n NAME goes there\n");
                return true;
        }
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *name = mem_strdup(p->gates[0].name);
        p->gates[0].answered = true;
        if (p->host.answer(p->host.context, name, word, *comment ? comment : NULL, &err) == 0) return false;
        prompt_ignored(p, name);
        fprintf(p->out, "  ");
        print_safe(p->out, error_message(err));
        fputc('\n', p->out);
        return true;
}

/* Words of its own, behind which a comment may stand; behind adopt, the id. Anything else is refused by whoever counts, who knows them. */
static bool answer_question(struct prompt *p, const struct said *s, int64_t now_ms)
{
        const struct waiting_gate *g = &p->gates[0];
        for (size_t i = 0; i < g->choice_count; i++)
                if (strcmp(g->choices[i], s->word) == 0 && strcmp(s->word, ANSWER_ADOPT) != 0)
                        return answer(p, s->word, s->rest, now_ms);
        cleanup_free char *whole = mem_printf("%s%s%s", s->word, *s->rest ? " " : "", s->rest);
        return answer(p, whole, "", now_ms);
}

static bool answer_gate(struct prompt *p, const struct said *s, int64_t now_ms)
{
        bool alone = *s->rest == '\0'; /* "no idea" is none */
        if (is(s, "a", "approve") || (alone && is(s, "y", "yes")))
                return answer(p, ANSWER_APPROVED, s->rest, now_ms);
        if (is(s, "r", "reject") || (alone && strcmp(s->word, "no") == 0))
                return answer(p, ANSWER_REJECTED, s->rest, now_ms);
        cleanup_free char *start = mem_strndup(s->word, 40);
        fprintf(p->out, "  '");
        print_safe(p->out, start);
        fprintf(p->out, "' says nothing here;\n");
        help(p);
        return true;
}

/* Those passed over go to the end; one that is named comes to the front. */
static void next(struct prompt *p, const char *name, int64_t now_ms)
{
        size_t at = *name ? find(p, name) : p->count > 1;
        if (at == p->count || p->count == 1) {
                fprintf(p->out, *name ? "  no gate of that name waits\n" : "  no other gate waits\n");
                return;
        }
        struct waiting_gate g = p->gates[*name ? at : 0];
        if (*name) {
                memmove(&p->gates[1], &p->gates[0], at * sizeof g);
                p->gates[0] = g;
        } else {
                memmove(&p->gates[0], &p->gates[1], (p->count - 1) * sizeof g);
                p->gates[p->count - 1] = g;
        }
        turn_to_first(p, false, now_ms);
        p->touched = true;
}

static bool leave(struct prompt *p)
{
        p->left = true;
        p->host.leave(p->host.context);
        return true;
}

static bool heard(struct prompt *p, const struct said *s, int64_t now_ms)
{
        if (*s->word == '\0' || p->left) return true;
        if (p->count == 0) {
                fprintf(p->out, "  nothing was answered: no gate waits now\n");
                return true;
        }
        p->touched = true;
        if (is(s, "l", "leave")) return leave(p);
        if (is(s, "i", "inspect") || is(s, "?", "help")) p->settled_ms = now_ms; /* it is looked at */
        if (is(s, "i", "inspect")) {
                show(p, true);
                return true;
        }
        if (is(s, "n", "next")) {
                next(p, s->rest, now_ms);
                return true;
        }
        if (is(s, "?", "help")) {
                help(p);
                return true;
        }
        return p->gates[0].choice_count == 0 ? answer_gate(p, s, now_ms) : answer_question(p, s, now_ms);
}

bool prompt_line(struct prompt *p, const char *line, int64_t now_ms)
{
        if (line == NULL) return leave(p);
        struct said s = said_of(line);
        bool again = heard(p, &s, now_ms);
        said_release(&s);
        return again;
}
