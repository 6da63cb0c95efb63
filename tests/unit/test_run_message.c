/* Messages: bodies that are bounded JSON, signatures as published, texts that nothing breaks out of. */
#include "run/message.h"

#include <string.h>

#include "lang/value.h"
#include "tap.h"

#define SIGNATURE "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"

static const struct notify_target mailbox = {.kind = NOTIFY_EMAIL,
    .from = "tutti@example.org",
    .to = (const char *[]){"ops@example.org", "dev@example.org"},
    .to_count = 2};

static char *body_of(const struct message *m)
{
        struct text body = {0};
        message_body(m, &body);
        return text_steal(&body);
}

static struct value *json(const char *text)
{
        struct value *v = value_from_json(text, strlen(text), NULL, NULL, NULL);
        ok(v != NULL, "it is JSON");
        return v;
}

static void signatures(void)
{
        /* HMAC-SHA-256 as openssl computes it: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret */
        struct text s = {0};
        message_signature("secret", 1700000000, "{\"a\":1}", 7, &s);
        is_str(s.data, "t=1700000000,v1=" SIGNATURE, "a signature");
        text_clear(&s);
        message_signature("secret", 1700000001, "{\"a\":1}", 7, &s);
        ok(strstr(s.data, SIGNATURE) == NULL, "the time is signed too");
        text_release(&s);
}

static void bodies(void)
{
        struct message m = {.event = "gate-waiting",
            .environment = "shop",
            .file = "my env's.yaml",
            .run = "r1",
            .time_ms = 1700000000000,
            .gate = "web[\"a\"]",
            .text = "Go \"on\"?",
            .details = "{\"approvers\":[\"ann\"],\"behind\":[{\"address\":\"dns\",\"action\":\"create\"}],"
                       "\"digest\":\"x\"}"};
        cleanup_free char *body = body_of(&m);
        is_str(body,
            "{\"event\":\"gate-waiting\",\"environment\":\"shop\",\"run\":\"r1\",\"time\":\"2023-11-14T22:13:"
            "20.000Z\","
            "\"gate\":\"web[\\\"a\\\"]\",\"message\":\"Go \\\"on\\\"?\",\"approvers\":[\"ann\"],"
            "\"behind\":[{\"action\":\"create\",\"address\":\"dns\"}],"
            "\"how_to\":\"tutti approve 'my env'\\\\''s.yaml' 'web[\\\"a\\\"]'\"}",
            "a gate, and how to answer it in a shell");

        struct text many = {0};
        text_add(&many, "{\"behind\":[");
        for (int i = 0; i < 100; i++)
                text_addf(&many, "%s{\"address\":\"s%d\",\"action\":\"create\"}", i ? "," : "", i);
        text_add(&many, "],\"behind_count\":1234}");
        m.details = many.data;
        cleanup_free char *cut = body_of(&m);
        ok(strstr(cut, "\"s49\"") && !strstr(cut, "\"s50\"") && strstr(cut, "\"behind_count\":1234"),
            "a list that was cut before is told in its full length");
        text_release(&many);

        struct message failed = {.event = "run-failed", .environment = "shop", .file = "e.yaml", .run = "r2"};
        struct error *problems = NULL;
        struct place place = {.address = "web"};
        char *long_text = mem_alloc(10001);
        for (int i = 0; i < 5000; i++) memcpy(long_text + 2 * i, "\xc3\xa4", 2);
        for (int i = 0; i < 1000; i++) error_set(&problems, ERROR_PROVIDER, &place, "%s", long_text);
        failed.problems = problems;
        failed.summary = "{\"create\":1}";
        cleanup_free char *large = body_of(&failed);
        cleanup(value_free) struct value *v = json(large);
        int64_t count = 0;
        is_int(value_count(value_get(v, "problems")), MESSAGE_LIST_MAX, "a long list is cut");
        ok(value_as_int(value_get(v, "problem_count"), &count) && count == 1000, "and counted");
        const struct value *one = value_path(v, "problems[0].message");
        ok(one != NULL && value_string_len(one) <= MESSAGE_TEXT_MAX &&
                text_is_utf8(value_as_string(one), value_string_len(one)),
            "a long text is cut between letters");
        ok(strlen(large) < 200000, "so that it stays small");
        error_free(problems);
        free(long_text);
}

static void slack(void)
{
        struct text out = {0};
        cleanup(error_free) struct error *err = NULL;
        struct message m = {.event = "gate-waiting",
            .environment = "shop",
            .run = "r1",
            .gate = "go",
            .text = "<!channel> & <http://x|y>"};
        cleanup_free char *body = body_of(&m);
        ok(message_slack(body, &out, &err) == 0, "a text for Slack");
        cleanup(value_free) struct value *v = json(out.data);
        const char *text = value_as_string(value_get(v, "text"));
        ok(strstr(text, "&lt;!channel&gt; &amp; &lt;http://x|y&gt;") != NULL, "without marks of others");
        ok(strchr(text, '<') == NULL, "at all");
        ok(message_slack("[1]", &out, &err) < 0, "what is no message is refused");
        text_release(&out);
}

static void is_mail(const char *mail)
{
        size_t line = 0, longest = 0;
        bool crlf = true;
        for (const char *p = mail; *p != '\0'; p++) {
                if (*p == '\n') {
                        crlf &= p > mail && p[-1] == '\r';
                        line = 0;
                        continue;
                }
                crlf &= *p != '\r' || p[1] == '\n';
                if (++line > longest && *p != '\r') longest = line;
        }
        ok(crlf, "lines end in CRLF, and nothing else does");
        ok(longest <= 78, "and are short: %zu", longest);
}

static void mails(void)
{
        struct text out = {0};
        cleanup(error_free) struct error *err = NULL;
        struct message m = {.event = "gate-waiting",
            .environment = "shop",
            .run = "r1",
            .time_ms = 1700000000000,
            .gate = "go\r\nBcc: all@example.org\r\n\r\nhello",
            .text = ".\r\nfrom \xc3\xa4 = long "
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
        cleanup_free char *body = body_of(&m);
        ok(message_mail(body, &mailbox, "0123abcd", 1700000000000, &out, &err) == 0, "a mail");
        ok(strstr(out.data, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n") != NULL, "its date");
        ok(strstr(out.data, "To: ops@example.org,\r\n dev@example.org\r\n") != NULL, "its recipients");
        ok(strstr(out.data, "Message-ID: <0123abcd.tutti@example.org>\r\n") != NULL, "its id");
        char *head_end = strstr(out.data, "\r\n\r\n"), *bcc = strstr(out.data, "\r\nBcc:");
        ok(head_end != NULL && (bcc == NULL || bcc > head_end), "nothing gets into its head");
        ok(strstr(out.data, "=C3=A4 =3D long") != NULL, "its text is quoted-printable");
        is_mail(out.data);
        text_clear(&out);
        m.gate = "\xc3\xa4\xc3\xb6\xc3\xbc "
                 "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
                 "\x82\xac";
        cleanup_free char *other = body_of(&m);
        ok(message_mail(other, &mailbox, "0123abcd", 1700000000000, &out, &err) == 0, "a subject in UTF-8");
        ok(strstr(out.data, "Subject: =?UTF-8?B?W3R1dHRpXSBzaG9wOiB3YWl0aW5n") != NULL, "is encoded");
        is_mail(out.data);
        ok(message_mail(other, &mailbox, "x\r\nBcc: y", 0, &out, &err) < 0,
            "an id that breaks out is refused");
        text_release(&out);
}

int main(void)
{
        signatures();
        bodies();
        slack();
        mails();
        return done();
}
