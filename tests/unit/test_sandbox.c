/* The practice cloud's arithmetic and settings, where HTTP would only be in the way. */
#include "tap.h"

#include "base/clock.h"
#include "providers/sandbox/cidr.h"
#include "providers/sandbox/control.h"
#include "providers/sandbox/hold.h"

static bool contains(const char *outer, const char *inner)
{
        struct sandbox_cidr a, b;
        return sandbox_cidr_parse(outer, &a) && sandbox_cidr_parse(inner, &b) &&
               sandbox_cidr_contains(&a, &b);
}

static bool overlaps(const char *left, const char *right)
{
        struct sandbox_cidr a, b;
        bool parsed = sandbox_cidr_parse(left, &a) && sandbox_cidr_parse(right, &b);
        bool one = parsed && sandbox_cidr_overlaps(&a, &b), other = parsed && sandbox_cidr_overlaps(&b, &a);
        ok(one == other, "%s and %s overlap either way or not at all", left, right);
        return one;
}

static void test_cidr(void)
{
        struct sandbox_cidr cidr;
        char out[SANDBOX_CIDR_TEXT];
        ok(contains("10.0.0.0/8", "10.255.0.0/16"), "a network contains its part");
        ok(contains("10.0.0.0/8", "10.0.0.0/8"), "and itself");
        ok(contains("0.0.0.0/0", "255.255.255.255/32"), "everything contains the last address");
        ok(!contains("10.0.0.0/9", "10.128.0.0/9"), "but not its other half");
        ok(!contains("10.0.0.0/16", "10.0.0.0/8"), "nor what is larger");
        ok(!contains("0.0.0.0/0", "::/0"), "nor the other family");
        ok(contains("fd00::/7", "fdff::/16"), "the same holds across a byte");
        ok(overlaps("10.0.0.0/23", "10.0.1.0/24"), "a part overlaps");
        ok(!overlaps("10.0.0.0/24", "10.0.1.0/24"), "neighbours do not");
        ok(sandbox_cidr_parse("10.1.2.3/20", &cidr) && !sandbox_cidr_is_network(&cidr),
            "bits behind the prefix are seen");
        sandbox_cidr_network_text(&cidr, out);
        is_str(out, "10.1.0.0/20", "and the network is told");
        sandbox_cidr_host(&cidr, 300, out);
        is_str(out, "10.1.1.44", "the 300th address carries into the next byte");
        is_int(sandbox_cidr_size(&cidr), 4096, "a /20 has 4096 addresses");
        ok(sandbox_cidr_parse("fd00::ffff:0/96", &cidr), "an IPv6 network");
        sandbox_cidr_host(&cidr, 0x1ffff, out);
        is_str(out, "fd00::1:ffff", "counts on from its first address");
        is_int(sandbox_cidr_size(&cidr), 1LL << 32, "and is as large as one can count");
}

static void test_parsing(void)
{
        int64_t low = -1, high = -1;
        double rate = -1;
        ok(sandbox_control_parse_latency("50ms-1.5s", &low, &high) && low == 50 && high == 1500, "a range");
        ok(sandbox_control_parse_latency("2s", &low, &high) && low == 2000 && high == 2000, "one duration");
        ok(sandbox_control_parse_latency("0", &low, &high) && low == 0 && high == 0, "none");
        const char *const bad[] = {"", "5", "-", "5ms-", "-5ms", "9ms-5ms", "5ms-9ms-10ms", "5 ms"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                ok(!sandbox_control_parse_latency(bad[i], &low, &high) && high == 0, "not a latency: '%s'",
                    bad[i]);
        ok(sandbox_control_parse_rate("120/m", &rate) && rate == 2, "a rate per minute");
        ok(sandbox_control_parse_rate("off", &rate) && rate == 0, "no rate");
        const char *const rates[] = {
            "", "5", "/s", "5/", "5/d", "-5/s", "0/s", "inf/s", "1e9/s", "0x5/s", "5/ss"};
        for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
                ok(!sandbox_control_parse_rate(rates[i], &rate) && rate == 0, "not a rate: '%s'", rates[i]);
}

static void test_bucket(void)
{
        struct sandbox_control control = {.rate = 10, .tokens = 10, .refilled_at = 1000};
        int64_t wait = 0;
        for (int i = 0; i < 10; i++) wait += sandbox_control_admit(&control, 1000);
        is_int(wait, 0, "a full bucket lets a second's worth pass");
        is_int(sandbox_control_admit(&control, 1000), 100, "then one waits for the next token");
        is_int(sandbox_control_admit(&control, 1050), 50, "ever less");
        is_int(sandbox_control_admit(&control, 1100), 0, "until it is there");
        for (int i = 0; i < 10; i++) wait += sandbox_control_admit(&control, 100000);
        ok(wait == 0 && sandbox_control_admit(&control, 100000) > 0, "a long pause fills the bucket once");
}

static enum sandbox_fault strike(const char *match, const char *method, const char *path)
{
        struct sandbox_control control = {0};
        struct sandbox_refusal refusal;
        json_t *body = json_pack("{s:[{s:s, s:s}]}", "faults", "match", match, "do", "hang");
        int result = sandbox_control_set(&control, body, &refusal);
        enum sandbox_fault fault = result == 0 ? sandbox_control_fault(&control, method, path)
                                               : SANDBOX_FAULT_500;
        json_decref(body);
        sandbox_control_release(&control);
        return fault;
}

static void test_patterns(void)
{
        static const struct {
                const char *match, *method, *path;
                bool hit;
        } cases[] = {
            {"GET /v1/servers", "GET", "/v1/servers", true},
            {"GET /v1/servers", "GET", "/v1/servers/srv-1", true},
            {"GET /v1/servers", "POST", "/v1/servers", false},
            {"GET /v1/servers", "GET", "/v1/server", false},
            {"GE /v1", "GET", "/v1", false},
            {"* /v1/servers", "DELETE", "/v1/servers/srv-1", true},
            {"GET /v1/servers/*", "GET", "/v1/servers", false},
            {"GET /v1/servers/*", "GET", "/v1/servers/srv-1", true},
            {"GET *s", "GET", "/v1/servers", true},
            {"GET *s", "GET", "/v1/servers/srv-1", false},
            {"GET /v1/*/a*c", "GET", "/v1/servers/abcabc", true},
            {"GET /v1/*/a*c", "GET", "/v1/servers/abcab", false},
            {"GET *", "GET", "/", true},
            {"GET /**/x", "GET", "/v1/x", true},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                ok((strike(cases[i].match, cases[i].method, cases[i].path) == SANDBOX_FAULT_HANG) ==
                        cases[i].hit,
                    "'%s' %s %s %s", cases[i].match, cases[i].hit ? "matches" : "does not match",
                    cases[i].method, cases[i].path);
}

static void test_refusal(void)
{
        struct sandbox_refusal refusal;
        char wide[601];
        for (size_t i = 0; i < 600; i += 2) memcpy(wide + i, "\xC3\xA4", 2);
        wide[600] = '\0';
        sandbox_refuse(&refusal, 422, wide, "x%s", wide);
        json_t *detail = json_string(refusal.detail), *field = json_string(refusal.field);
        ok(detail != NULL && field != NULL, "a message that is cut is still UTF-8");
        json_decref(detail);
        json_decref(field);
        sandbox_refuse(&refusal, 422, "\xFF", "a\x80z\xE2\x82");
        is_str(refusal.detail, "a?z??", "what never was UTF-8 becomes question marks");
        is_str(refusal.field, "?", "everywhere");
}

static void test_holds(void)
{
        struct sandbox_holds holds = {0};
        static int64_t moments[500];
        uint32_t seed = 7;
        is_int(sandbox_holds_next(&holds, 0), -1, "nothing is held");
        for (size_t i = 0; i < 500; i++) {
                seed = seed * 1103515245 + 12345;
                moments[i] = seed >> 16 & 1023;
                sandbox_holds_add(&holds, moments[i], &moments[i]);
        }
        int64_t before = 0, now = 0;
        size_t taken = 0, early = 0, late = 0;
        while (holds.count > 0) {
                now += sandbox_holds_next(&holds, now);
                const int64_t *moment = sandbox_holds_take(&holds, now);
                early += moment == NULL || *moment > now;
                late += moment != NULL && *moment < before;
                if (moment != NULL) before = *moment;
                taken++;
        }
        ok(taken == 500 && early == 0 && late == 0, "500 come out in order, none too early");
        ok(sandbox_holds_take(&holds, INT64_MAX) == NULL, "and then none");
        sandbox_holds_release(&holds);
}

int main(void)
{
        test_holds();
        test_cidr();
        test_parsing();
        test_bucket();
        test_patterns();
        test_refusal();
        return done();
}
