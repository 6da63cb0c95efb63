/* The bodies of messages, and the texts made out of them; see message.h. */
#include "run/message.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lang/value.h"
#include "run/hint.h"

/* --- the body -------------------------------------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *key, const char *s)
{
        if (s == NULL) return;
        size_t len = strlen(s);
        if (len > MESSAGE_TEXT_MAX) { /* and never in the middle of a letter */
                len = MESSAGE_TEXT_MAX;
                while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80) len--;
        }
        text_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", key);
        text_add_json(out, s, len);
}

static void add_count(struct text *out, const char *key, size_t count)
{
        if (count > MESSAGE_LIST_MAX) text_addf(out, ",\"%s_count\":%zu", key, count);
}

/* What the store keeps of a gate; NULL where it keeps nothing. */
static struct value *read_details(const char *details)
{
        return details ? value_from_json(details, strlen(details), NULL, NULL, NULL) : NULL;
}

static void add_details(struct text *out, const struct value *v)
{
        const struct value *approvers = v ? value_get(v, "approvers") : NULL,
                           *choices = v ? value_get(v, "choices") : NULL,
                           *behind = v ? value_get(v, "behind") : NULL;
        if (choices != NULL) {
                text_add(out, ",\"choices\":");
                value_json(choices, SECRETS_MASK, NULL, out, NULL);
        }
        if (approvers != NULL) {
                text_add(out, ",\"approvers\":");
                value_json(approvers, SECRETS_MASK, NULL, out, NULL);
        }
        if (behind == NULL || value_is_null(behind)) return;
        text_add(out, ",\"behind\":[");
        for (size_t i = 0; i < value_count(behind) && i < MESSAGE_LIST_MAX; i++) {
                if (i > 0) text_addc(out, ',');
                value_json(value_at(behind, i), SECRETS_MASK, NULL, out, NULL);
        }
        text_addc(out, ']');
        int64_t count = 0; /* what the details left out counts, too */
        const struct value *told = value_get(v, "behind_count");
        if (told == NULL || !value_as_int(told, &count)) count = (int64_t)value_count(behind);
        add_count(out, "behind", (size_t)count);
}

static void add_problems(struct text *out, const struct error *problems)
{
        if (problems == NULL) return;
        text_add(out, ",\"problems\":[");
        for (size_t i = 0; i < error_count(problems) && i < MESSAGE_LIST_MAX; i++) {
                const struct problem *p = error_at(problems, i);
                text_add(out, i > 0 ? ",{" : "{");
                add_member(out, "address", p->place.address);
                add_member(out, "message", p->message);
                text_addc(out, '}');
        }
        text_addc(out, ']');
        add_count(out, "problem", error_count(problems));
}

/* Which properties, not what they hold now: values may be large, and are nobody's business but the plan's. */
static void add_drift(struct text *out, const struct plan *plan)
{
        if (plan == NULL) return;
        size_t count = 0;
        text_add(out, ",\"drift\":[");
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                if (step->action == ACTION_JOIN || count++ >= MESSAGE_LIST_MAX) continue;
                text_add(out, count > 1 ? ",{" : "{");
                add_member(out, "address", step->address);
                add_member(out, "action", action_name(step->action));
                add_member(out, "reason", step->reason);
                text_add(out, ",\"paths\":[");
                for (size_t k = 0; k < step->change_count && k < MESSAGE_LIST_MAX; k++) {
                        if (k > 0) text_addc(out, ',');
                        text_add_json(out, step->changes[k].path, strlen(step->changes[k].path));
                }
                text_add(out, "]}");
        }
        text_addc(out, ']');
        add_count(out, "drift", count);
}

static void add_how_to(struct text *out, const struct message *m, bool choices)
{
        struct text line __attribute__((__cleanup__(text_release_cleanup))) = {0};
        bool drift = m->drift != NULL;
        const char *file = m->file ? m->file : "ENV.yaml";
        if (m->gate != NULL)
                hint_add_named(&line, "approve", file, m->gate, choices ? "--answer WORD" : NULL);
        else if (m->run != NULL && !drift)
                hint_add_named(&line, "show", file, m->run, NULL);
        else
                hint_add(&line, drift ? "apply" : "status", file);
        add_member(out, "how_to", line.data);
}

void message_body(const struct message *m, struct text *out)
{
        char when[CLOCK_TEXT];
        clock_text(m->time_ms, when);
        text_addc(out, '{');
        add_member(out, "event", m->event);
        add_member(out, "environment", m->environment);
        if (m->run != NULL)
                add_member(out, "run", m->run);
        else
                text_add(out, ",\"run\":null");
        add_member(out, "time", when);
        add_member(out, "gate", m->gate);
        add_member(out, "message", m->text);
        cleanup(value_free) struct value *details = read_details(m->details);
        add_details(out, details);
        if (m->summary != NULL) text_addf(out, ",\"summary\":%s", m->summary);
        add_problems(out, m->problems);
        add_drift(out, m->drift);
        add_how_to(out, m, details != NULL && value_get(details, "choices") != NULL);
        text_addc(out, '}');
}

void message_signature(const char *secret, int64_t seconds, const char *body, size_t len, struct text *out)
{
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned int mac_len = 0;
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        struct text signed_ __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addf(&signed_, "%lld.", (long long)seconds);
        text_addn(&signed_, body, len);
        if (HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signed_.data, signed_.len,
                mac, &mac_len) == NULL)
                abort(); /* out of memory */
        text_hex(mac, mac_len, hex);
        text_addf(out, "t=%lld,v1=%s", (long long)seconds, hex);
}

/* --- words for people ------------------------------------------------------------------------------------------------ */

static const char *string_at(const struct value *v, const char *key)
{
        const struct value *s = value_get(v, key);
        return s != NULL && value_is_known(s) && !value_is_null(s) && value_kind(s) == TYPE_STRING
                   ? value_as_string(s)
                   : NULL;
}

static struct value *read_body(const char *body, struct error **err)
{
        cleanup(value_free) struct value *v = value_from_json(body, strlen(body), NULL, NULL, err);
        if (v == NULL) return NULL;
        if (value_kind(v) != TYPE_OBJECT || string_at(v, "event") == NULL ||
            string_at(v, "environment") == NULL) {
                error_set(err, ERROR_INPUT, NULL, "a message in the outbox is not one of ours");
                return NULL;
        }
        return steal(v);
}

/* One line of text, whatever its source. */
static void add_line(struct text *out, const char *s)
{
        for (; *s != '\0'; s++) text_addc(out, (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
}

static void add_headline(const struct value *v, struct text *out)
{
        const char *event = string_at(v, "event"), *gate = string_at(v, "gate"), *run = string_at(v, "run");
        add_line(out, string_at(v, "environment"));
        text_add(out, ": ");
        if (gate != NULL) {
                text_add(out, strcmp(event, "gate-reminder") == 0 ? "still waiting for approval: "
                                                                  : "waiting for approval: ");
                add_line(out, gate);
        } else if (strcmp(event, "run-failed") == 0) {
                text_add(out, "failed");
        } else if (strcmp(event, "run-done") == 0) {
                text_add(out, "done");
        } else if (strcmp(event, "drift-found") == 0) {
                text_add(out, "was changed outside");
        } else {
                add_line(out, event);
        }
        if (run != NULL) {
                text_add(out, " (run ");
                add_line(out, run);
                text_addc(out, ')');
        }
}

static void add_names(const struct value *v, const char *key, const char *before, struct text *out)
{
        const struct value *list = value_get(v, key);
        if (list == NULL || value_is_null(list) || value_count(list) == 0) return;
        text_add(out, before);
        for (size_t i = 0; i < value_count(list); i++) {
                const struct value *name = value_at(list, i);
                text_add(out, i > 0 ? ", " : " ");
                if (value_kind(name) == TYPE_STRING && !value_is_null(name))
                        add_line(out, value_as_string(name));
        }
        text_addc(out, '\n');
}

/* "  address: message" or "  action address: a, b". */
static void add_items(const struct value *v, const char *key, const char *title, struct text *out)
{
        const struct value *list = value_get(v, key);
        if (list == NULL || value_is_null(list) || value_count(list) == 0) return;
        text_add(out, title);
        for (size_t i = 0; i < value_count(list); i++) {
                const struct value *item = value_at(list, i);
                if (value_kind(item) != TYPE_OBJECT) continue;
                const char *address = string_at(item, "address"), *action = string_at(item, "action"),
                           *message = string_at(item, "message");
                text_add(out, "\n  ");
                if (action != NULL) text_addf(out, "%s ", action);
                if (address != NULL) add_line(out, address);
                if (message != NULL) {
                        text_add(out, address ? ": " : "");
                        add_line(out, message);
                }
                const struct value *paths = value_get(item, "paths");
                for (size_t k = 0; paths != NULL && k < value_count(paths); k++) {
                        text_add(out, k > 0 ? ", " : ": ");
                        add_line(out, value_as_string(value_at(paths, k)));
                }
        }
        text_addc(out, '\n');
}

static void add_summary(const struct value *v, struct text *out)
{
        const struct value *summary = value_get(v, "summary");
        if (summary == NULL || value_is_null(summary) || value_kind(summary) != TYPE_OBJECT) return;
        bool first = true;
        for (size_t i = 0; i < value_count(summary); i++) {
                int64_t n = 0;
                if (!value_as_int(value_at(summary, i), &n) || n == 0) continue;
                text_addf(out, "%s%s %lld", first ? "" : ", ", value_key_at(summary, i), (long long)n);
                first = false;
        }
        if (!first) text_addc(out, '\n');
}

static void add_words(const struct value *v, struct text *out)
{
        const char *message = string_at(v, "message"), *how_to = string_at(v, "how_to");
        if (message != NULL && *message != '\0') text_addf(out, "%s\n", message);
        add_names(v, "choices", "WORD is one of:", out);
        add_names(v, "approvers", "Approvers:", out);
        add_items(v, "behind", "Behind it:", out);
        add_summary(v, out);
        add_items(v, "problems", "Problems:", out);
        add_items(v, "drift", "Changed:", out);
        if (how_to != NULL) text_addf(out, "%s\n", how_to);
}

int message_slack(const char *body, struct text *out, struct error **err)
{
        cleanup(value_free) struct value *v = read_body(body, err);
        if (v == NULL) return -1;
        struct text plain __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text escaped __attribute__((__cleanup__(text_release_cleanup))) = {0};
        add_headline(v, &plain);
        text_addc(&plain, '\n');
        add_words(v, &plain);
        /* What Slack reads as its own: https://docs.slack.dev/messaging/formatting-message-text */
        for (const char *p = plain.data; *p != '\0'; p++) {
                if (*p == '&')
                        text_add(&escaped, "&amp;");
                else if (*p == '<')
                        text_add(&escaped, "&lt;");
                else if (*p == '>')
                        text_add(&escaped, "&gt;");
                else
                        text_addc(&escaped, *p);
        }
        text_add(out, "{\"text\":");
        text_add_json(out, escaped.data, escaped.len);
        text_addc(out, '}');
        return 0;
}

/* --- mail ------------------------------------------------------------------------------------------------------------ */

/* RFC 5322, 3.3. */
static void add_date(struct text *out, int64_t ms)
{
        static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
        static const char *const months[] = {
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        char text[CLOCK_TEXT];
        int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
        clock_text(ms, text);
        sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second);
        int64_t since = ms / 86400000;
        text_addf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[((since % 7) + 7) % 7], day,
            months[(month - 1) % 12], year, hour, minute, second);
}

/* As an encoded word or several (RFC 2047, at most 75 characters each) where it is not plain ASCII; never with a line break. */
static void add_unstructured(struct text *out, const char *name, const char *s)
{
        enum { CHUNK = 39 }; /* bytes, 52 characters in base64 */
        bool ascii = strlen(name) + strlen(s) < 76 && strstr(s, "=?") == NULL;
        for (const char *p = s; *p != '\0' && ascii; p++) ascii = *p >= 0x20 && *p < 0x7f;
        text_addf(out, "%s:", name);
        if (ascii) {
                text_addf(out, " %s\r\n", s);
                return;
        }
        for (size_t len = strlen(s); len > 0;) {
                size_t n = len < CHUNK ? len : CHUNK;
                while (n < len && n > 1 && ((unsigned char)s[n] & 0xc0) == 0x80) n--;
                unsigned char coded[4 * ((CHUNK + 2) / 3) + 1];
                EVP_EncodeBlock(coded, (const unsigned char *)s, (int)n);
                text_addf(out, " =?UTF-8?B?%s?=\r\n", (const char *)coded);
                s += n;
                len -= n;
        }
}

static void add_recipients(struct text *out, const struct notify_target *target)
{
        text_add(out, "To:");
        for (size_t i = 0; i < target->to_count; i++)
                text_addf(out, " %s%s\r\n", target->to[i], i + 1 < target->to_count ? "," : "");
}

/* RFC 2045, 6.7: lines of at most 76 characters, also for text with line ends of its own. */
static void add_quoted_printable(struct text *out, const char *s)
{
        size_t column = 0;
        for (; *s != '\0'; s++) {
                if (*s == '\n') {
                        text_add(out, "\r\n");
                        column = 0;
                        continue;
                }
                bool blank = (*s == ' ' || *s == '\t') && s[1] != '\n' && s[1] != '\0';
                bool plain = blank || (*s > 0x20 && *s < 0x7f && *s != '=');
                if (column + (plain ? 1 : 3) > 75) {
                        text_add(out, "=\r\n");
                        column = 0;
                }
                if (plain)
                        text_addc(out, *s);
                else
                        text_addf(out, "=%02X", (unsigned char)*s);
                column += plain ? 1 : 3;
        }
}

int message_mail(const char *body, const struct notify_target *target, const char *id, int64_t now_ms,
    struct text *out, struct error **err)
{
        cleanup(value_free) struct value *v = read_body(body, err);
        if (v == NULL) return -1;
        if (*id == '\0' || id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-")] != '\0')
                return error_set(
                    err, ERROR_INPUT, NULL, "the id of a message in the outbox is not one of ours");
        struct text subject __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text words __attribute__((__cleanup__(text_release_cleanup))) = {0};
        const char *time = string_at(v, "time"), *domain = strchr(target->from, '@');
        text_add(&subject, "[tutti] ");
        add_headline(v, &subject);
        add_words(v, &words);
        if (time != NULL) text_addf(&words, "%s\n", time);
        add_date(out, now_ms);
        text_addf(out, "From: %s\r\n", target->from);
        add_recipients(out, target);
        add_unstructured(out, "Subject", subject.data);
        text_addf(out,
            "Message-ID: <%s.tutti%s>\r\nTutti-Delivery: %s\r\nAuto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            id, domain ? domain : "@localhost", id);
        add_quoted_printable(out, words.data);
        return 0;
}
