/* The `approvers:` of an environment: people, keys, groups, and every mistake in them. */
#include "template_fixture.h"

#include "base/mem.h"

#define E "e.yaml:"
#define KEY_A "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define REST "resources: {a: {type: value}}\n"

static void keys(void)
{
        unsigned char key[APPROVER_KEY];
        ok(approver_key_parse(KEY_A, key) && key[0] == 0xd7 && key[31] == 0x1a, "a key is read");
        cleanup_free char *text = approver_key_text(key);
        is_str(text, KEY_A, "and written as it was");
        ok(!approver_key_parse("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", key),
            "without its kind: refused");
        ok(!approver_key_parse("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==", key),
            "31 bytes: refused");
        ok(!approver_key_parse("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=", key),
            "bits behind the last byte: refused");
        ok(!approver_key_parse("ed25519:\n1qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", key),
            "a line break: refused");
        ok(approver_name_is_good("alice.b@example.org") && approver_name_is_good("_x"), "names of people");
        ok(!approver_name_is_good("") && !approver_name_is_good("a/b") && !approver_name_is_good("..") &&
                !approver_name_is_good("-x") && !approver_name_is_good("a b"),
            "and what is none, as it names a file");
}

static void block(void)
{
        cleanup(environment_free) struct environment *env = is_right(
            "environment: e\napprovers:\n  people:\n    alice: {key: \"" KEY_A "\"}\n    bob: {key: \"" KEY_B
            "\"}\n  groups: {ops: [alice, bob], one: alice}\n"
            "resources:\n  go: {type: gate, properties: {approvers: [ops]}}\n",
            "an environment with approvers");
        if (env == NULL || env->approvers == NULL) {
                ok(false, "they are there");
                return;
        }
        const struct approvers *a = env->approvers;
        is_int(a->people_count, 2, "two persons");
        is_int(a->group_count, 2, "two groups");
        const struct approver *bob = map_get(&a->person_by_name, "bob");
        ok(bob && bob->has_key && bob->key[0] == 0x3d, "with their keys");
        const struct approver_group *ops = map_get(&a->group_by_name, "ops");
        ok(ops && ops->member_count == 2 && ops->members[1] == bob, "a group holds persons");
        ok(!a->unsigned_, "and an answer has to be signed");
        cleanup(environment_free) struct environment *none = is_right(
            "environment: e\n" REST, "without the block");
        ok(none && none->approvers == NULL, "nobody is named");
        cleanup(environment_free) struct environment *open = is_right(
            "environment: e\napprovers: {unsigned: true, people: {bob: }}\n" REST, "without keys");
        ok(open && open->approvers && open->approvers->unsigned_, "where the word is enough");
}

/* What `tutti approve` reads: the block alone, whatever the rest is like. */
static void alone(void)
{
        struct fixture f = {0};
        fixture_add(
            &f, "e.yaml", "environment: e\napprovers: {people: {bob: {key: \"" KEY_B "\"}}}\nresorces: 1\n");
        fixture_add(&f, "none.yaml", "environment: e\n");
        fixture_add(&f, "bad.yaml", "approvers: {people: {bob: {key: x}}}\n");
        struct source_reader reader = {fixture_read, &f};
        cleanup(arena_free) struct arena *arena = arena_new();
        const struct approvers *a = NULL;
        ok(approvers_load("e.yaml", &reader, arena, &a, NULL) == 0 && a && a->people_count == 1,
            "the block is read beside a broken template");
        ok(approvers_load("none.yaml", &reader, arena, &a, NULL) == 0 && a == NULL, "or is not there");
        cleanup(error_free) struct error *err = NULL;
        ok(approvers_load("bad.yaml", &reader, arena, &a, &err) < 0 && a == NULL, "or is wrong");
        ok(err && error_kind(err) == ERROR_INPUT && strstr(error_message(err), "the key of 'bob'"),
            "which is said");
        cleanup(error_free) struct error *missing = NULL;
        ok(approvers_load("gone.yaml", &reader, arena, &a, &missing) < 0, "a file that is gone is an error");
}

static void mistakes(void)
{
        is_wrong("environment: e\napprovers: [bob]\n" REST,
            E "2:12: 'approvers' must be a map of 'people', 'groups' and 'unsigned'", "a list of names");
        is_wrong("environment: e\napprovers: {}\n" REST,
            E "2:1: 'approvers' names nobody: give 'people' with their keys, or 'unsigned: true'", "nobody");
        is_wrong("environment: e\napprovers:\n  unsigned: perhaps\n  pepole: {}\n  people:\n    bob: {key: "
                 "x, kay: 1}\n"
                 "    ../x: {}\n    carol: {}\n" REST,
            E "2:1: 'carol' has no key and could not sign: `tutti approver keygen carol` makes one, "
              "'unsigned: true' needs none\n" E "3:13: 'unsigned' must be true or false\n" E
              "4:3: unknown key 'pepole' in 'approvers'; did you mean 'people'?\n" E
              "6:16: the key of 'bob' must be 'ed25519:' and 44 letters of base64, as `tutti approver "
              "keygen` prints it\n" E "6:19: unknown key 'kay' in a person; did you mean 'key'?\n" E
              "7:5: '../x' cannot be the name of a person: letters, digits, '.', '_', '-' and '@', at most "
              "64, not beginning with '.' or '-'",
            "people");
        is_wrong("environment: e\napprovers:\n  people:\n    alice: {key: \"" KEY_A
                 "\"}\n    bob: {key: \"" KEY_A "\"}\n"
                 "  groups: {ops: [alice, bbo, alice], alice: [bob], a b: []}\n" REST,
            E "5:16: 'bob' has the key of 'alice': each person has a key of their own\n" E
              "6:25: group 'ops' has the unknown member 'bbo'; did you mean 'bob'?\n" E
              "6:30: group 'ops' names 'alice' twice\n" E
              "6:38: 'alice' is a person and a group: gates could not tell them apart\n" E
              "6:52: 'a b' cannot be the name of a group: letters, digits, '.', '_', '-' and '@', at most "
              "64, not beginning with '.' or '-'",
            "keys and groups");
        is_wrong("environment: e\napprovers:\n  people: {alice: {key: \"" KEY_A "\"}, bob: {key: \"" KEY_B
                 "\"}}\n"
                 "  groups: {ops: [alice, bob]}\n"
                 "resources:\n  a: {type: gate, properties: {approvers: [opps, bob]}}\n"
                 "  b: {type: value, approve: {approvers: carol}}\n",
            E "6:43: a: the environment's 'approvers' know no person or group 'opps'; did you mean 'ops'?\n" E
              "7:41: b: the environment's 'approvers' know no person or group 'carol'",
            "gates that name others");
        is_wrong("environment: e\napprovers: {unsigned: true, people: {bob: {}}, groups: {ops: []}}\n"
                 "resources:\n  a: {type: gate, properties: {approvers: [ops]}}\n",
            E "4:3: a: needs 1 approval, and only 0 may approve", "a group of nobody");
}

/* Where nobody is known, each name is somebody's. */
static void without(void)
{
        is_wrong("environment: e\nresources:\n  a: {type: gate, properties: {approvers: [ann, ben, ann], "
                 "approvals: 3}}\n",
            E "3:3: a: needs 3 approvals, and only 2 may approve", "more approvals than names");
        cleanup(environment_free) struct environment *env = is_right(
            "environment: e\nresources:\n  a: {type: gate, properties: {approvals: 7, not_requester: true,\n"
            "    approvers: [], expires: {after: 2s, action: remind}}}\n",
            "nobody named");
        const struct approval *a = env ? env->template->resources[0].approve : NULL;
        ok(a && a->approvals == 7 && a->not_requester && a->expires_ms == 2000 && a->expiry == EXPIRY_REMIND,
            "with a gate's rules");
}

int main(void)
{
        keys();
        block();
        alone();
        mistakes();
        without();
        return done();
}
