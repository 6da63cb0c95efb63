/* Forms, XML, URLs and texts: what leaves and what comes in. */
#include "providers/rest/url.h"
#include "providers/rest/wire.h"
#include "rest_driver.h"

static struct tutti_host host;

static void form_is(enum form_lists lists, const char *json, const char *want)
{
        struct service s = {.form_lists = lists};
        char *problem = NULL;
        struct value *v = host.value_from_json(json, strlen(json), &problem);
        struct buf b = {0};
        buf_text(&b, "");
        int r = wire_form_write(&host, &s, v, &b, &problem);
        is_str(r < 0 ? problem : b.data, want, want);
        host.value_free(v);
        buf_release(&b);
        free(problem);
}

static void test_form(void)
{
        form_is(FORM_INDEX,
            "{\"Action\": \"Run\", \"A\": [{\"B\": 1, \"C\": [true, false]}, {\"B\": \"x y&=\\u00e9~\"}], "
            "\"N\": null, \"E\": []}",
            "A.1.B=1&A.1.C.1=true&A.1.C.2=false&A.2.B=x+y%26%3D%C3%A9~&Action=Run");
        form_is(FORM_MEMBER, "{\"A\": [{\"B\": 1}]}", "A.member.1.B=1");
        form_is(FORM_REPEAT, "{\"A\": [1, 2]}", "A=1&A=2");
        form_is(FORM_INDEX, "{}", "");
        form_is(FORM_INDEX, "[1]", "a form must be a map");
}

static const char *const items[] = {"item", "member"}, *const lists[] = {"*Set"},
                         *const repeated[] = {"Contents"};
static const struct xml_options options = {
    {(const char **)items, 2}, {(const char **)lists, 1}, {(const char **)repeated, 1}};

static void xml_is(const char *xml, const char *want)
{
        char *problem = NULL;
        struct value *v = wire_xml_read(&host, &options, xml, strlen(xml), &problem);
        char *json = v ? host.value_to_json(v, NULL) : NULL;
        ok(want[0] == '!' ? problem && strstr(problem, want + 1) : json && strcmp(json, want) == 0, "%s",
            want);
        if (problem && want[0] != '!') printf("# %s\n", problem);
        if (json && strcmp(json, want) != 0) printf("# %s\n", json);
        host.value_free(v);
        free(json);
        free(problem);
}

static void test_xml(void)
{
        xml_is("<R xmlns=\"x\"><vpcSet><item><id>a</id></item></vpcSet><next/></R>",
            "{\"next\":\"\",\"vpcSet\":[{\"id\":\"a\"}]}");
        xml_is("<R><tagSet/></R>", "{\"tagSet\":[]}");
        xml_is("<R><Contents><Key>k</Key></Contents></R>", "{\"Contents\":[{\"Key\":\"k\"}]}");
        xml_is("<R><a>1</a><b>x</b><a>2</a></R>", "{\"a\":[\"1\",\"2\"],\"b\":\"x\"}");
        xml_is("<n:R xmlns:n=\"x\"><n:a>&lt;&#233;&gt;</n:a></n:R>", "{\"a\":\"<\xc3\xa9>\"}");
        xml_is("<R>text</R>", "\"text\"");
        xml_is("<R>\n  <list><member>1</member><member>2</member></list>\n</R>", "{\"list\":[\"1\",\"2\"]}");
        xml_is("<R><a>", "!not XML as expected");
        xml_is("", "!not XML as expected");
        xml_is("<!DOCTYPE R [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><R>&b;</R>",
            "!a document type is not allowed");
        struct buf deep = {0};
        for (int i = 0; i < 5000; i++) buf_text(&deep, "<a>");
        xml_is(deep.data, "!nested too deeply");
        buf_release(&deep);
}

static void url_is(const char *text, const char *want)
{
        struct url u;
        char *problem = NULL;
        int r = url_parse(&u, text, &problem);
        AUTO_CHAR got = r < 0 ? util_format("%s", problem) : url_text(&u);
        is_str(got, want, text);
        if (r == 0) url_release(&u);
        free(problem);
}

static void test_url(void)
{
        url_is("HTTPS://Example.com:8443/a/b%2Fc?x=1&y", "https://example.com:8443/a/b%2Fc?x=1&y");
        url_is("http://h", "http://h/");
        url_is("unix:///var/run/docker.sock", "http://localhost/");
        url_is("http://user@evil/", "this is not an http or https URL: http://user@evil/");
        url_is("ftp://h/", "this is not an http or https URL: ftp://h/");
        url_is("http://h/a b", "this is not a URL that can be used: http://h/a b");
        ok(url_path_climbs("/a/../b") && url_path_climbs("/a/%2e%2E") && url_path_climbs("/./a") &&
                url_path_climbs("/.%2e/"),
            "paths that climb");
        ok(!url_path_climbs("/a/.b/..c/...") && !url_path_climbs("/"), "and paths that do not");
        struct buf b = {0};
        url_escape_path(&b, "/a b/%41%zz/\xc3\xa9?#");
        is_str(b.data, "/a%20b/%41%25zz/%C3%A9%3F%23", "a path keeps its escapes and gets those it needs");
        buf_release(&b);
}

static void test_text(void)
{
        ok(util_match("*", "") && util_match("a*c", "abc") && util_match("a*b*c", "axxbyybc") &&
                !util_match("a*b", "abc"),
            "patterns");
        ok(util_duration("250ms", NULL) == 250 && util_duration("5m", NULL) == 300000 &&
                util_duration("5", NULL) == -1 && util_duration("5x", NULL) == -1 &&
                util_duration("", NULL) == -1,
            "durations");
}

int main(void)
{
        host = driver_host();
        test_form();
        test_xml();
        test_url();
        test_text();
        return done();
}
