/* The prompt: an answer is for the gate whose prompt stood there, those that wait keep their places, and words mean what they say. */
#include "cli/prompt.h"

#include <string.h>

#include "tap.h"

static struct text said; /* what the prompt asked of its host, in order */
static bool refuses;

static int answer(void *context, const char *gate, const char *word, const char *comment, struct error **err)
{
        (void)context;
        if (refuses) return error_set(err, ERROR_DENIED, NULL, "nobody may");
        text_addf(&said, "%s=%s(%s) ", gate, word, comment ? comment : "");
        return 0;
}

static void leave(void *context)
{
        (void)context;
        text_add(&said, "leave ");
}

static void discard(void *context)
{
        (void)context;
        text_add(&said, "discard ");
}

static const struct prompt_host host = {answer, leave, discard, NULL};
static struct step steps[] = {{.address = "g1", .action = ACTION_GATE, .gate = "g1"},
    {.address = "db", .action = ACTION_GATE, .gate = "db-gate"}, {.address = "v1", .action = ACTION_CREATE}};
static const struct plan plan = {.steps = steps, .count = 3};

struct screen {
        char *data;
        size_t len, seen;
        FILE *f;
        struct prompt *p;
};

static void screen_begin(struct screen *s)
{
        *s = (struct screen){0};
        s->f = open_memstream(&s->data, &s->len);
        s->p = prompt_new(s->f, &host);
        prompt_reset(s->p, &plan);
        text_release(&said);
}

static void screen_end(struct screen *s)
{
        prompt_free(s->p);
        fclose(s->f);
        free(s->data);
}

/* What was shown since the last look. */
static const char *shown(struct screen *s)
{
        static char copy[4096];
        fflush(s->f);
        snprintf(copy, sizeof copy, "%s", s->data + s->seen);
        s->seen = s->len;
        return copy;
}

static const char *asked(void)
{
        static char copy[256];
        snprintf(copy, sizeof copy, "%s", said.data ? said.data : "");
        text_release(&said);
        return copy;
}

static bool has(const char *text, const char *part)
{
        return strstr(text, part) != NULL;
}

static void gate(struct screen *s, const char *name, const char *message, bool yours, int64_t now_ms)
{
        static const char *const bob[] = {"bob"};
        struct gate_view view = {
            .name = name, .message = message, .anyone = yours, .yours = yours, .needed = 1};
        view.people = bob;
        view.people_count = 1;
        prompt_gate(s->p, &view, true, now_ms);
}

static void gate_closes(struct screen *s, const char *name, int64_t now_ms)
{
        struct gate_view view = {.name = name};
        prompt_gate(s->p, &view, false, now_ms);
}

static const char *drawn(struct screen *s)
{
        shown(s);
        prompt_draw(s->p);
        return shown(s);
}

static void elsewhere(void)
{
        struct screen s;
        screen_begin(&s);
        gate(&s, "g1", "harmless?", true, 1000);
        ok(has(shown(&s), "g1: harmless?"), "the first is shown");
        is_str(asked(), "discard ", "and what was typed before is dropped");
        gate(&s, "g2", "DROP PROD?", true, 1001);
        is_str(shown(&s), "", "one that opens later is not, while the other is at the prompt");
        is_str(asked(), "", "nor does it cost a line");
        is_str(drawn(&s), "g1: [a]pprove  [r]eject  [i]nspect  [l]eave waiting  [n]ext (2 gates wait) > ",
            "the prompt is the first one's");
        gate_closes(&s, "g1", 5000);
        ok(has(shown(&s), "g2: DROP PROD?"), "when somebody else closes the first, the next is shown");
        is_str(asked(), "discard ", "and what was typed is dropped before its prompt is drawn");
        ok(prompt_line(s.p, "a", 5000 + PROMPT_SETTLE_MS - 1), "a line that comes at once is told about");
        ok(has(shown(&s), "nothing was answered: g2"), "in words");
        is_str(asked(), "", "and answers nothing");
        ok(!prompt_line(s.p, "a", 5000 + PROMPT_SETTLE_MS), "one that comes later is taken");
        is_str(asked(), "g2=approved() ", "for the gate whose prompt stands there");
        gate_closes(&s, "g2", 6000);
        ok(!prompt_asks(s.p), "then nothing is asked");
        gate(&s, "g3", "?", true, 6000);
        asked();
        ok(!prompt_line(s.p, "r", 6000), "one that follows an answer of one's own takes answers at once");
        is_str(asked(), "g3=rejected() ", "as it was expected");
        gate(&s, "g4", "?", true, 7000);
        prompt_ignored(s.p, "g3");
        gate_closes(&s, "g3", 7000);
        asked();
        prompt_line(s.p, "a", 7000);
        is_str(asked(), "", "but not when that answer did not count, and somebody else closed it");
        prompt_line(s.p, "i", 7000);
        prompt_line(s.p, "a", 7000);
        is_str(asked(), "g4=approved() ", "unless it was inspected");
        prompt_ignored(s.p, "g4");
        gate_closes(&s, "g4", 8000);
        prompt_line(s.p, "a", 8000);
        ok(has(shown(&s), "no gate waits now"), "with no gate at all, that is said");
        gate(&s, "g5", "?", true, 9000);
        asked();
        prompt_line(s.p, "a", 9000);
        is_str(asked(), "", "one that stood behind the closed one is another as well");
        screen_end(&s);
}

static void places(void)
{
        struct screen s;
        screen_begin(&s);
        gate(&s, "theirs", "?", false, 0);
        ok(has(shown(&s), "may approve: bob (not you)"), "who may answer is told");
        gate(&s, "mine", "?", true, 10);
        ok(has(shown(&s), "mine: ?"), "one that one may answer comes first");
        gate(&s, "theirs-2", "?", false, 20);
        gate(&s, "mine-2", "?", true, 30);
        gate(&s, "mine", "changed", true, 40);
        ok(has(drawn(&s), "mine: [a]"), "one that changes keeps its place");
        asked();
        prompt_line(s.p, "n", 1000);
        ok(has(shown(&s), "mine-2: ?"), "others that one may answer come next");
        is_str(asked(), "discard ", "and what was typed ahead is dropped");
        prompt_line(s.p, "next", 1000);
        ok(has(drawn(&s), "theirs: ["), "then the rest");
        gate(&s, "mine-3", "?", true, 1000);
        ok(has(drawn(&s), "theirs: ["), "where somebody typed, nothing takes its place");
        prompt_line(s.p, "n mine", 1000);
        ok(has(drawn(&s), "mine: ["), "a name leads to one");
        prompt_line(s.p, "n nosuch", 1000);
        ok(has(shown(&s), "no gate of that name waits"), "an unknown name nowhere");
        asked();
        prompt_line(s.p, "l", 1000);
        is_str(asked(), "leave ", "all can be left");
        ok(!prompt_asks(s.p), "and then nothing is asked");
        gate_closes(&s, "mine", 2000);
        prompt_line(s.p, "a", 3000);
        is_str(asked(), "", "nor answered");
        screen_end(&s);
}

static void words(void)
{
        struct screen s;
        screen_begin(&s);
        gate(&s, "g1", "?", true, 0);
        asked();
        static const struct {
                const char *line, *want;
        } cases[] = {{"a", "g1=approved() "}, {"  approve \r", "g1=approved() "}, {"y", "g1=approved() "},
            {"yes", "g1=approved() "}, {"a  fine with me ", "g1=approved(fine with me) "},
            {"no", "g1=rejected() "}, {"reject not yet", "g1=rejected(not yet) "}, {"", ""}, {" \t", ""},
            {"A", ""}, {"n", ""}, {"no idea", ""}, {"yes but", ""}, {"ab", ""}, {"?", ""}, {"a db-gate", ""},
            {"r g1", ""}, {"i", ""}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                prompt_line(s.p, cases[i].line, 10);
                is_str(asked(), cases[i].want, cases[i].line);
        }
        shown(&s);
        ok(prompt_line(s.p, "\xff\x1b[2J", 10), "what says nothing");
        const char *text = shown(&s);
        ok(has(text, "'\\xff\\x1b[2J' says nothing here") && has(text, "r, reject [REASON]"), "gets help");
        refuses = true;
        ok(prompt_line(s.p, "a", 10) && has(shown(&s), "nobody may"), "a refusal is told");
        refuses = false;
        ok(prompt_line(s.p, NULL, 10), "the end of what is typed");
        is_str(asked(), "leave ", "leaves");
        screen_end(&s);
}

static void questions(void)
{
        struct screen s;
        screen_begin(&s);
        const char *const choices[] = {"adopt", "retry", "forget", NULL};
        struct gate_view view = {
            .name = "db:failed", .message = "lost", .choices = choices, .yours = true, .anyone = true};
        prompt_gate(s.p, &view, true, 0);
        is_str(drawn(&s), "db:failed: adopt ID  retry  forget  [i]nspect  [l]eave waiting > ",
            "a question offers its words");
        asked();
        prompt_line(s.p, "adopt vol-1", 10);
        is_str(asked(), "db:failed=adopt vol-1() ", "behind adopt stands an id");
        prompt_line(s.p, " retry it is mended ", 10);
        is_str(asked(), "db:failed=retry(it is mended) ", "behind others a comment");
        prompt_line(s.p, "what ever", 10);
        is_str(asked(), "db:failed=what ever() ", "what is none of them is refused by whoever counts");
        screen_end(&s);
}

int main(void)
{
        elsewhere();
        places();
        words();
        questions();
        text_release(&said);
        return done();
}
