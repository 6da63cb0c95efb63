/* Addresses from outside are read by the grammar that writes them. */
#include "plan/address.h"
#include "tap.h"

static void good(const char *text)
{
        cleanup(error_free) struct error *err = NULL;
        int status = address_check(text, &err);
        ok(status == 0, "%s", text);
        if (status < 0) printf("# %s\n", error_message(err));
}

/* `meant` NULL: nobody can tell. */
static void bad(const char *text, const char *meant)
{
        cleanup(error_free) struct error *err = NULL;
        int status = address_check(text, &err);
        cleanup_free char *want = meant ? mem_printf("`%s` is no address; `%s`?", text, meant)
                                        : mem_printf("`%s` is no address: ", text);
        ok(status < 0 && error_kind(err) == ERROR_INPUT, "%s: refused", text);
        ok(status < 0 && text_starts(error_message(err), want), "%s: %s", text, meant ? meant : "no guess");
        if (status < 0) printf("# %s\n", error_message(err));
}

static char *repeated(const char *part, int times)
{
        struct text t = {0};
        for (int i = 0; i < times; i++) text_add(&t, part);
        text_add(&t, "x");
        return text_steal(&t);
}

int main(void)
{
        good("web");
        good("_web-2");
        good("web[0]");
        good("web[10]");
        good("web[\"a\"]");
        good("web[\"\"]");
        good("web[\"a b/c[0]\"]");
        good("web[\"say \\\"hi\\\"\"]");
        good("web[\"\xc3\xa9\"]");
        good("network/subnet");
        good("network[\"eu/1\"]/subnet[3]/x");

        bad("web[foo]", "web[\"foo\"]");
        bad("web['foo']", "web[\"foo\"]");
        bad("web[a b]", "web[\"a b\"]");
        bad("net[eu]/web[foo]", "net[\"eu\"]/web[\"foo\"]");
        bad("web[01]", "web[1]");
        bad("web[00]", "web[0]");
        bad("web[0", "web[0]");
        bad("web[\"a\"", "web[\"a\"]");
        bad("web[\"\\u0061\"]", "web[\"a\"]");
        bad("web[-1]", "web[\"-1\"]");

        bad("web[\"b", NULL);
        bad("web[\"b]", NULL);
        bad("web[]", NULL);
        bad("web b", NULL);
        bad("2web", NULL);
        bad("../x", NULL);
        bad("/web", NULL);
        bad("gate/", NULL);
        bad("a//b", NULL);
        bad("web[\"a\"][\"b\"]", NULL);
        bad("web[\"a\"]b", NULL);
        bad("web[\"a\nb\"]", NULL);
        bad("web\n", NULL);
        bad("lookup.image", NULL);
        bad("web[\"a\\u0000\"]", NULL);
        bad("web[\xff]", NULL);

        cleanup(error_free) struct error *err = NULL;
        ok(address_check("", &err) < 0, "the empty text");
        is_str(error_message(err), "the empty text is no address", "is said to be empty");
        cleanup_free char *deep = repeated("a/", 20), *deeper = repeated("a/", 200),
                          *name = repeated("a", 200);
        good(deep);
        bad(deeper, NULL);
        bad(name, NULL);

        ok(address_is_indexed("web[0]") && address_is_indexed("a/web[\"x\"]"), "one instance");
        ok(!address_is_indexed("web") && !address_is_indexed("a[0]/web"), "not one instance");
        ok(address_is_within("web", "web") && address_is_within("web[0]", "web") &&
                address_is_within("web/a[1]", "web") && address_is_within("web[\"a\"]/x", "web[\"a\"]"),
            "within");
        ok(!address_is_within("web2", "web") && !address_is_within("web", "web[0]") &&
                !address_is_within("web-x/a", "web"),
            "not within");
        return done();
}
