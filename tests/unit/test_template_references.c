/* References and circles: what does not exist, what may not be used where, and which path closes. */
#include "template_fixture.h"

#define HEAD "environment: e\nresources:\n"
#define E "e.yaml:"

static void roots(void)
{
        is_wrong("environment: e\nparameters: {size: {default: 1}}\nlocals: {a: \"${param.siz}\", b: "
                 "\"${local.c}\", c: \"${lookup.x.id}\"}\n",
            E "3:16: local.a: there is no parameter 'siz'; did you mean 'size'?\n" E
              "3:52: local.c: there is no lookup 'x'",
            "param, local, lookup");
        is_wrong("environment: e\nlocals: {a: \"${var.x}\", b: \"${data.y}\", c: \"${each.key}\", d: "
                 "\"${count.index}\", e: \"${self.id}\", f: \"${netwrk.id}\"}\n"
                 "resources: {network: {type: value}}\n",
            E "2:16: local.a: unknown name 'var'; did you mean 'param'?\n" E
              "2:31: local.b: unknown name 'data'; did you mean 'lookup'?\n" E
              "2:47: local.c: 'each' has a value only in a resource with 'for_each'\n" E
              "2:65: local.d: 'count' has a value only in a resource with 'count'\n" E
              "2:86: local.e: 'self' has a value only in the keys of a resource\n" E
              "2:103: local.f: unknown name 'netwrk'; did you mean 'network'?",
            "what locals do not see");
        is_wrong("environment: e\nlocals: {a: \"${environment.nam}\", b: \"${path.modul}\", c: "
                 "\"${environment.name}\", d: \"${path.root}${path.template}\"}\n",
            E "2:16: local.a: 'environment' has no attribute 'nam'; did you mean 'name'?\n" E
              "2:41: local.b: 'path' has no attribute 'modul'",
            "environment and path");
        is_wrong("environment: e\noutputs: {o: \"${[for x in nope: x.y]}\", p: \"${[for web in [1]: "
                 "web]}\"}\nproviders: {sandbox: {token: \"${nope2}\"}}\n"
                 "lookups: {i: {type: sandbox.image, properties: {name: \"${nope3}\"}}}\n",
            E "2:27: output.o: unknown name 'nope'\n" E "3:33: provider.sandbox: unknown name 'nope2'\n" E
              "4:58: lookup.i: unknown name 'nope3'",
            "outputs, providers and lookups; names bound by for");
}

static void repeats(void)
{
        is_wrong(HEAD "  a: {type: value, count: \"${count.index}\", properties: {input: "
                      "\"${each.key}${count.idx}\"}}\n"
                      "  b: {type: value, for_each: \"${each.value}\", when: \"${self.id}\", properties: "
                      "{input: \"${count.index}${each.kay}\"}}\n",
            E
            "3:30: a: 'count' has a value only in a resource with 'count', and not in 'count' itself\n" E
            "3:68: a: 'each' has a value only in a resource with 'for_each'\n" E
            "3:79: a: 'count' has no attribute 'idx'\n" E
            "4:33: b: 'each' has a value only in a resource with 'for_each', and not in 'for_each' itself\n" E
            "4:56: b: 'self' has a value only in the keys of a resource\n" E
            "4:90: b: 'count' has a value only in a resource with 'count'\n" E
            "4:104: b: 'each' has no attribute 'kay'; did you mean 'key'?",
            "each, count and self");
        is_wrong(HEAD "  a: {type: sandbox.server, count: 2, properties: {name: x}}\n"
                      "  b: {type: value, for_each: \"${a}\", properties: {input: "
                      "\"${each.value.adress}${each.value.address.prt}\"}}\n",
            E "4:61: b: a (sandbox.server) has no attribute 'adress'; did you mean 'address'?\n" E
              "4:81: b: 'address' has no attribute 'prt'; did you mean 'port'?",
            "each.value of a resource");
        is_wrong(HEAD "  a: {type: sandbox.server, properties: {name: \"${self.nam}\"}, ignore: name}\n  g: "
                      "{type: gate, properties: {message: \"${self.x}\"}}\n",
            E "3:51: a: a (sandbox.server) has no attribute 'nam'; did you mean 'name'?\n" E
              "4:44: g: 'self' has a value only in the keys of a resource",
            "self");
}

static void attributes(void)
{
        is_wrong(HEAD
            "  one: {type: sandbox.server, properties: {name: x}}\n  some: {type: sandbox.server, count: 2, "
            "properties: {name: x}}\n"
            "  keyed: {type: sandbox.server, for_each: [a], properties: {name: x}}\n  gate: {type: gate}\n"
            "outputs:\n  a: ${one.idd}\n  b: ${one[0].id}\n  c: ${some.id}\n  d: ${some[0].idd}\n  e: "
            "${some[*].privat_ip}\n"
            "  f: ${keyed.id}\n  g: ${keyed.a.id}${keyed[\"a\"].rules[0].prt}\n  h: ${one.name.x}\n  i: "
            "${gate.by}\n  j: ${one.address.ip}\n"
            "  k: ${one.rules[0].port}${one[\"id\"]}${keyed[one.id].id}${some}\n",
            E "8:8: output.a: one (sandbox.server) has no attribute 'idd'; did you mean 'id'?\n" E
              "9:8: output.b: one is one resource, without 'count' or 'for_each': leave the index out\n" E
              "10:8: output.c: some has a 'count': say some[0].id for one of its instances, or some[*].id "
              "for all\n" E
              "11:8: output.d: some (sandbox.server) has no attribute 'idd'; did you mean 'id'?\n" E
              "12:8: output.e: some (sandbox.server) has no attribute 'privat_ip'; did you mean "
              "'private_ip'?\n" E "13:8: output.f: keyed has a 'for_each': say keyed[\"key\"].id for one of "
              "its instances, or values(keyed)[*].id for all\n" E
              "14:21: output.g: 'rules' has no attribute 'prt'; did you mean 'port'?\n" E
              "15:8: output.h: 'name' is a string and has no attribute 'x'\n" E
              "16:8: output.i: gate is a gate and has no attributes",
            "attributes of resources");
        is_wrong("environment: e\nparameters: {p: {type: \"object({a = string})\", default: {a: x}}}\n"
                 "lookups: {i: {type: sandbox.image}}\noutputs: {a: \"${param.p.b}\", b: "
                 "\"${lookup.i.sise}${lookup.i.size}\"}\n",
            E "4:17: output.a: 'p' has no attribute 'b'\n" E
              "4:36: output.b: lookup.i (sandbox.image) has no attribute 'sise'; did you mean 'size'?",
            "attributes of parameters and lookups");
}

static void circles(void)
{
        is_wrong(HEAD "  a: {type: value, properties: {input: \"${b.id}\"}}\n  b: {type: value, properties: "
                      "{input: \"${a.id}\"}}\n",
            E "3:43: a: these need each other: a → b → a (e.yaml:3:43, e.yaml:4:43)", "two resources");
        is_wrong(HEAD "  a: {type: value, after: a}\n", E "3:27: a: needs itself: a → a", "one");
        is_wrong("environment: e\nlocals: {x: \"${network.id}\"}\nlookups: {i: {type: sandbox.image, "
                 "properties: {name: \"${local.x}\"}}}\n"
                 "providers: {sandbox: {token: \"${lookup.i.id}\"}}\n"
                 "resources: {network: {type: sandbox.network, properties: {name: a, cidr: b}}}\n",
            E "2:16: local.x: these need each other: local.x → network → provider.sandbox → lookup.i → "
              "local.x (e.yaml:2:16, e.yaml:5:13, "
              "e.yaml:4:33, e.yaml:3:58)",
            "by way of a local, a lookup and a provider");
        is_wrong(HEAD
            "  a: {type: value, after: b}\n  b: {type: value, after: c}\n  c: {type: value, after: a}\n"
            "  d: {type: value, after: [e, c]}\n  e: {type: value, properties: {input: \"${d}\"}}\n",
            E "3:27: a: these need each other: a → b → c → a (e.yaml:3:27, e.yaml:4:27, e.yaml:5:27)\n" E
              "6:28: d: these need each other: d → e → d (e.yaml:6:28, e.yaml:7:43)",
            "two circles");
        cleanup(environment_free) struct environment *env = is_right(HEAD
            "  a: {type: value}\n  b: {type: value, after: [a, a], properties: {input: "
            "\"${a.id}${self.id}\"}}\n  c: {type: value, after: [a, b]}\n",
            "what looks like a circle and is none");
        ok(env != NULL, "loads");
}

/* A chain in a circle, as long as a template may have resources: no recursion on its length, and a path that is cut. */
static void long_circle(void)
{
        struct text text = {0};
        text_add(&text, HEAD);
        for (int i = 0; i < 100000; i++)
                text_addf(
                    &text, "  r%d: {type: value, properties: {input: \"${r%d.id}\"}}\n", i, (i + 1) % 100000);
        struct fixture f = {0};
        fixture_add(&f, "e.yaml", text.data);
        cleanup_free char *got = NULL;
        fixture_load_with(&f, "e.yaml", NULL, &got);
        ok(strstr(got, "r0 → r1 → r2 → r3 → r4 → r5 → r6 → r7 → r8 → r9 → … 99989 more … → r99999 → r0 (") !=
                NULL,
            "a circle of 100,000");
        if (strlen(got) > 1000) printf("# %.400s\n", got);
        is_int(strchr(got, '\n') != NULL, 0, "is told once");
        text_release(&text);
}

int main(void)
{
        roots();
        repeats();
        attributes();
        circles();
        long_circle();
        return done();
}
