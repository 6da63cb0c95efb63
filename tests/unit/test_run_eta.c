/* What is left of a run: along the longest path, or over what a provider does at once. */
#include "tap.h"

#include "run/eta.h"

/* a (2 s) before b (3 s) before a join before d (1 s); c (4 s) alone. */
static void fill(struct eta_step *s)
{
        static const struct eta_step steps[] = {
            {"a", "cloud.x", 2, 0, 6, 1, -1, false},
            {"b", "cloud.x", 3, 0, 4, 3, -1, false},
            {"c", "cloud.x", 4, 0, 4, -1, -1, false},
            {NULL, NULL, 0, 0, 1, 4, -1, false},
            {"d", "cloud.x", 1, 0, 1, -1, -1, false},
        };
        memcpy(s, steps, sizeof steps);
}

static void check(const struct eta_step *s, size_t count, double seconds, const char *path, const char *name)
{
        struct eta eta;
        char got[64] = "";
        eta_tell(s, count, &eta);
        for (size_t i = 0; i < eta.path_count; i++) strcat(strcat(got, *got ? " " : ""), eta.path[i]);
        ok(eta.seconds > seconds - 0.001 && eta.seconds < seconds + 0.001, "%s: %.3f s", name, eta.seconds);
        is_str(got, path, "and the path");
        eta_release(&eta);
}

int main(void)
{
        struct eta_step s[5];
        fill(s);
        check(s, 0, 0, "", "nothing to do");
        check(s, 5, 6, "a b d", "before it begins");
        s[0].running_ms = 1500;
        check(s, 5, 4.5, "a b d", "a is under way");
        s[0].running_ms = 60000;
        check(s, 5, 4, "a b d", "a is late: it is about to end");
        s[0].over = true;
        s[1].running_ms = 2900;
        check(s, 5, 4, "c", "another path is the longest now");
        s[2].over = true;
        check(s, 5, 1.1, "b d", "and again the first");
        s[1].over = s[3].over = s[4].over = true;
        check(s, 5, 0, "", "all is over");

        fill(s);
        for (size_t i = 0; i < 5; i++) s[i].share = s[i].seconds; /* one at a time */
        check(s, 5, 10, "a b d", "a provider that does one thing at a time");
        s[2].type = "other.x";
        check(s, 5, 6, "a b d", "two of them work side by side");
        s[0].running_ms = 1000;
        s[0].seconds = 2;
        s[2].type = "cloud.y";
        check(s, 5, 9, "a b d", "what is half done counts half");
        return done();
}
