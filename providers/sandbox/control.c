/* Settings, the token bucket and fault scripts; see control.h. */
#include "providers/sandbox/control.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/clock.h"
#include "base/mem.h"

enum { RULES_MAX = 100, MATCH_MAX = 512 };
#define TIMES_MAX ((json_int_t)1000000000)

/* In the order of enum sandbox_fault. */
static const char *const fault_names[] = {
    "none", "500", "503", "429", "reset-before", "reset-after", "truncate", "hang", "500-after"};

static void rules_free(struct sandbox_fault_rule *rules, size_t count)
{
        for (size_t i = 0; i < count; i++) free(rules[i].match);
        free(rules);
}

void sandbox_control_release(struct sandbox_control *control)
{
        rules_free(control->rules, control->rule_count);
}

static bool parse_span(const char *text, int64_t *ms)
{
        if (strcmp(text, "0") != 0) return duration_parse(text, ms);
        *ms = 0;
        return true;
}

bool sandbox_control_parse_latency(const char *text, int64_t *low, int64_t *high)
{
        char first[32];
        int64_t from, to;
        const char *dash = strchr(text, '-');
        size_t len = dash ? (size_t)(dash - text) : strlen(text);
        if (len == 0 || len >= sizeof first) return false;
        memcpy(first, text, len);
        first[len] = '\0';
        if (!parse_span(first, &from) || !parse_span(dash ? dash + 1 : first, &to) || to < from) return false;
        *low = from;
        *high = to;
        return true;
}

bool sandbox_control_parse_rate(const char *text, double *per_second)
{
        if (strcmp(text, "0") == 0 || strcmp(text, "off") == 0 || strcmp(text, "none") == 0) {
                *per_second = 0;
                return true;
        }
        char *end;
        size_t digits = strspn(text, "0123456789.");
        double number = strtod(text, &end);
        if (digits == 0 || end != text + digits || !isfinite(number) || number <= 0 || number > 1e6)
                return false;
        double seconds = strcmp(end, "/s") == 0   ? 1
                         : strcmp(end, "/m") == 0 ? 60
                         : strcmp(end, "/h") == 0 ? 3600
                                                  : 0;
        if (seconds == 0) return false;
        *per_second = number / seconds;
        return true;
}

/* An absent or null "times" means once, an absent "skip" none. */
static int read_count(const json_t *rule, const char *name, int64_t fallback, int64_t low, int64_t *ret,
    struct sandbox_refusal *refusal)
{
        const json_t *value = json_object_get(rule, name);
        *ret = fallback;
        if (value == NULL || json_is_null(value)) return 0;
        if (!json_is_integer(value) || json_integer_value(value) < low ||
            json_integer_value(value) > TIMES_MAX)
                return sandbox_refuse(refusal, 422, "faults",
                    "'%s' of a fault must be a whole number from %d on", name, (int)low);
        *ret = json_integer_value(value);
        return 0;
}

static int read_fault(const json_t *value, enum sandbox_fault *fault, struct sandbox_refusal *refusal)
{
        char number[24] = "";
        if (json_is_integer(value)) snprintf(number, sizeof number, "%d", (int)json_integer_value(value));
        const char *text = json_is_string(value) ? json_string_value(value) : number;
        for (size_t i = 1; i < sizeof fault_names / sizeof *fault_names; i++) {
                if (strcmp(fault_names[i], text) != 0) continue;
                *fault = (enum sandbox_fault)i;
                return 0;
        }
        return sandbox_refuse(refusal, 422, "faults",
            "'do' of a fault must be 500, 503, 429, reset-before, reset-after, truncate, hang or 500-after, "
            "not "
            "'%.32s'",
            text);
}

static int read_rule(const json_t *from, struct sandbox_fault_rule *rule, struct sandbox_refusal *refusal)
{
        static const char *const members[] = {"match", "do", "times", "skip"};
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)from, key, value)
        {
                bool known = false;
                for (size_t i = 0; i < sizeof members / sizeof *members; i++)
                        known |= strcmp(key, members[i]) == 0;
                if (!known)
                        return sandbox_refuse(refusal, 422, "faults",
                            "a fault has match, do, times and skip, not '%.64s'", key);
        }
        const char *match = json_string_value(json_object_get(from, "match"));
        const char *space = match ? strchr(match, ' ') : NULL;
        if (space == NULL || space == match || (space[1] != '/' && space[1] != '*') ||
            strlen(match) > MATCH_MAX)
                return sandbox_refuse(refusal, 422, "faults",
                    "'match' of a fault must be a method (or *) and a path such as \"POST /v1/servers\"");
        if (read_fault(json_object_get(from, "do"), &rule->fault, refusal) < 0) return -1;
        if (read_count(from, "times", 1, 1, &rule->times, refusal) < 0) return -1;
        if (read_count(from, "skip", 0, 0, &rule->skip, refusal) < 0) return -1;
        rule->match = mem_strdup(match);
        return 0;
}

static int read_rules(const json_t *list, struct sandbox_control *next, struct sandbox_refusal *refusal)
{
        size_t i;
        json_t *item;
        if (!json_is_array(list) || json_array_size(list) > RULES_MAX)
                return sandbox_refuse(
                    refusal, 422, "faults", "faults must be a list of at most %d", RULES_MAX);
        next->rules = mem_alloc(json_array_size(list) * sizeof *next->rules);
        json_array_foreach((json_t *)list, i, item)
        {
                if (read_rule(item, &next->rules[i], refusal) < 0) return -1;
                next->rule_count = i + 1;
        }
        return 0;
}

static int read_setting(
    struct sandbox_control *next, const char *key, const json_t *value, struct sandbox_refusal *refusal)
{
        const char *text = json_is_null(value) ? "0" : json_string_value(value);
        if (strcmp(key, "faults") == 0) return 0; /* read last, as they own memory */
        bool *off = strcmp(key, "name_unique") == 0   ? &next->duplicate_names
                    : strcmp(key, "idempotency") == 0 ? &next->ignore_keys
                                                      : NULL;
        if (off != NULL && json_is_boolean(value)) {
                *off = json_is_false(value);
                return 0;
        }
        if (off != NULL) return sandbox_refuse(refusal, 422, key, "%s must be true or false", key);
        if (text != NULL && strcmp(key, "latency") == 0 &&
            sandbox_control_parse_latency(text, &next->latency_low, &next->latency_high))
                return 0;
        if (text != NULL && strcmp(key, "rate") == 0 && sandbox_control_parse_rate(text, &next->rate))
                return 0;
        if (text != NULL && strcmp(key, "visible_after") == 0 && parse_span(text, &next->visible_after))
                return 0;
        if (strcmp(key, "latency") == 0)
                return sandbox_refuse(
                    refusal, 422, key, "latency must be a duration or a range such as \"50ms-150ms\"");
        if (strcmp(key, "rate") == 0)
                return sandbox_refuse(refusal, 422, key,
                    "rate must be a number of requests per time such as \"50/s\", or \"off\"");
        if (strcmp(key, "visible_after") == 0)
                return sandbox_refuse(
                    refusal, 422, key, "visible_after must be a duration such as \"200ms\"");
        return sandbox_refuse(refusal, 422, key,
            "unknown setting; there are latency, rate, visible_after, name_unique, "
            "idempotency and faults");
}

int sandbox_control_set(struct sandbox_control *control, const json_t *body, struct sandbox_refusal *refusal)
{
        struct sandbox_control next = *control;
        const char *key;
        json_t *value;
        json_object_foreach(
            (json_t *)body, key, value) if (read_setting(&next, key, value, refusal) < 0) return -1;

        const json_t *faults = json_object_get(body, "faults");
        if (faults != NULL) {
                next.rules = NULL;
                next.rule_count = 0;
                if (read_rules(faults, &next, refusal) < 0) {
                        rules_free(next.rules, next.rule_count);
                        return -1;
                }
                rules_free(control->rules, control->rule_count);
        }
        if (json_object_get(body, "rate") != NULL) {
                next.tokens = fmax(1, next.rate);
                next.refilled_at = clock_monotonic_ms();
        }
        *control = next;
        return 0;
}

static json_t *get_rules(const struct sandbox_control *control)
{
        json_t *list = json_array();
        for (size_t i = 0; i < control->rule_count; i++) {
                const struct sandbox_fault_rule *rule = &control->rules[i];
                json_array_append_new(list,
                    json_pack("{s:s, s:s, s:I, s:I}", "match", rule->match, "do", fault_names[rule->fault],
                        "times", (json_int_t)rule->times, "skip", (json_int_t)rule->skip));
        }
        return list;
}

json_t *sandbox_control_get(const struct sandbox_control *control)
{
        char latency[64], rate[64] = "off", visible[32];
        int len = snprintf(latency, sizeof latency, "%lldms", (long long)control->latency_low);
        if (control->latency_high != control->latency_low)
                snprintf(
                    latency + len, sizeof latency - (size_t)len, "-%lldms", (long long)control->latency_high);
        if (control->rate >= 1)
                snprintf(rate, sizeof rate, "%.10g/s", control->rate);
        else if (control->rate > 0)
                snprintf(rate, sizeof rate, "%.10g/h", control->rate * 3600);
        snprintf(visible, sizeof visible, "%lldms", (long long)control->visible_after);
        return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "latency", latency, "rate", rate, "visible_after",
            visible, "name_unique", !control->duplicate_names, "idempotency", !control->ignore_keys, "faults",
            get_rules(control));
}

int64_t sandbox_control_draw_latency(const struct sandbox_control *control)
{
        uint32_t draw = 0;
        int64_t span = control->latency_high - control->latency_low + 1;
        if (span == 1 || getrandom(&draw, sizeof draw, 0) != sizeof draw) return control->latency_low;
        return control->latency_low + (int64_t)((uint64_t)draw % (uint64_t)span);
}

int64_t sandbox_control_admit(struct sandbox_control *control, int64_t now)
{
        if (control->rate <= 0) return 0;
        double full = fmax(1, control->rate);
        control->tokens = fmin(
            full, control->tokens + control->rate * (double)(now - control->refilled_at) / 1000);
        control->refilled_at = now;
        if (control->tokens < 1) return (int64_t)ceil((1 - control->tokens) / control->rate * 1000);
        control->tokens -= 1;
        return 0;
}

/* `*` stands for any text. Greedy with one point to go back to, so linear in practice and never exponential. */
static bool glob_matches(const char *pattern, const char *text)
{
        const char *star = NULL, *retry = NULL;
        while (*text != '\0') {
                if (*pattern == '*') {
                        star = ++pattern;
                        retry = text;
                } else if (*pattern == *text) {
                        pattern++;
                        text++;
                } else if (star != NULL) {
                        pattern = star;
                        text = ++retry;
                } else {
                        return false;
                }
        }
        while (*pattern == '*') pattern++;
        return *pattern == '\0';
}

/* A pattern without `*` in its path is a prefix; with one, it stands for the whole path. */
static bool rule_matches(const char *match, const char *method, const char *path)
{
        const char *space = strchr(match, ' ');
        size_t len = (size_t)(space - match);
        bool any = len == 1 && *match == '*';
        if (!any && !(strlen(method) == len && memcmp(method, match, len) == 0)) return false;
        const char *pattern = space + 1;
        if (strchr(pattern, '*') != NULL) return glob_matches(pattern, path);
        return strncmp(path, pattern, strlen(pattern)) == 0;
}

enum sandbox_fault sandbox_control_fault(
    struct sandbox_control *control, const char *method, const char *path)
{
        for (size_t i = 0; i < control->rule_count; i++) {
                struct sandbox_fault_rule *rule = &control->rules[i];
                if (rule->times == 0 || !rule_matches(rule->match, method, path)) continue;
                if (rule->skip > 0) {
                        rule->skip--;
                        continue;
                }
                rule->times--;
                return rule->fault;
        }
        return SANDBOX_FAULT_NONE;
}
