/* The `approvers:` of an environment file: read, checked, and held against the gates that name people. See approvers.h. */
#include "template/approvers.h"

#include <string.h>

#include "base/text.h"
#include "lang/base64.h"
#include "template/loader.h"

bool approver_name_is_good(const char *name)
{
        size_t len = strlen(name);
        if (len == 0 || len > APPROVER_NAME_MAX || *name == '.' || *name == '-') return false;
        for (; *name != '\0'; name++) {
                char c = *name;
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                if (!letter && strchr("._-@", c) == NULL) return false;
        }
        return true;
}

bool approver_key_parse(const char *text, unsigned char key[APPROVER_KEY])
{
        /* 32 bytes are 44 letters; as no line breaks are taken, each key has one way to be written */
        if (!text_starts(text, APPROVER_KEY_PREFIX)) return false;
        const char *letters = text + strlen(APPROVER_KEY_PREFIX);
        struct text bytes = {0}, again = {0};
        bool good = strlen(letters) == 44 && base64_decode(letters, 44, &bytes) && bytes.len == APPROVER_KEY;
        if (good) base64_encode(bytes.data, bytes.len, &again);
        good = good && strcmp(again.data, letters) == 0;
        if (good) memcpy(key, bytes.data, APPROVER_KEY);
        text_release(&bytes);
        text_release(&again);
        return good;
}

char *approver_key_text(const unsigned char key[APPROVER_KEY])
{
        struct text text = {0};
        text_add(&text, APPROVER_KEY_PREFIX);
        base64_encode(key, APPROVER_KEY, &text);
        return text_steal(&text);
}

/* --- the block ------------------------------------------------------------------------------------------------------- */

struct block {
        struct approvers *approvers;
        struct map person_by_key; /* hexadecimal → struct approver * */
        struct approver *person;  /* that is being read */
        const struct yaml_entry *groups;
};

static struct block *block_of(const struct reading *in)
{
        return in->into;
}

static bool check_name(struct reading *in, const struct yaml_entry *entry, const char *what)
{
        if (approver_name_is_good(entry->key)) return true;
        loader_problem(in->loader, yaml_key_place(in->file, entry), NULL,
            "'%.70s' cannot be the name of a %s: letters, digits, '.', '_', '-' and '@', at most %d, not "
            "beginning with '.' or '-'",
            entry->key, what, APPROVER_NAME_MAX);
        return false;
}

static void read_key(struct reading *in, const struct yaml_entry *entry)
{
        struct block *b = block_of(in);
        const char *text = key_text(in, entry);
        if (text == NULL) return;
        b->person->has_key = true; /* a malformed one is not missed as well */
        if (!approver_key_parse(text, b->person->key)) {
                key_problem(in, entry->value,
                    "the key of '%s' must be '" APPROVER_KEY_PREFIX
                    "' and 44 letters of base64, as `tutti approver keygen` prints it",
                    b->person->name);
                return;
        }
        char hex[2 * APPROVER_KEY + 1];
        text_hex(b->person->key, APPROVER_KEY, hex);
        const struct approver *other = map_put_copy(&b->person_by_key, hex, b->person);
        if (other != NULL)
                key_problem(in, entry->value, "'%s' has the key of '%s': each person has a key of their own",
                    b->person->name, other->name);
}

static void read_people(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"key", read_key}};
        struct block *b = block_of(in);
        struct approvers *a = b->approvers;
        const struct yaml_node *node = entry->value;
        if (!keys_is_map(in, node, "'people'")) return;
        if (node->count > APPROVER_PEOPLE_MAX) {
                key_problem(in, node, "more than %d people", APPROVER_PEOPLE_MAX);
                return;
        }
        a->people = arena_alloc(in->loader->arena, (node->count + 1) * sizeof *a->people);
        for (uint32_t i = 0; i < node->count; i++) {
                const struct yaml_entry *e = &node->entries[i];
                if (!check_name(in, e, "person")) continue;
                b->person = &a->people[a->people_count++];
                b->person->name = arena_strdup(in->loader->arena, e->key);
                map_put(&a->person_by_name, b->person->name, b->person);
                if (!keys_is_map(in, e->value, "a person")) continue;
                keys_read(in, e->value, "a person", keys, 1);
        }
}

static void read_groups(struct reading *in, const struct yaml_entry *entry)
{
        if (keys_is_map(in, entry->value, "'groups'")) block_of(in)->groups = entry;
}

static void read_unsigned(struct reading *in, const struct yaml_entry *entry)
{
        block_of(in)->approvers->unsigned_ = key_bool(in, entry);
}

/* One group, now that all people are known. */
static void read_group(struct reading *in, const struct yaml_entry *entry, size_t *members)
{
        struct approvers *a = block_of(in)->approvers;
        struct approver_group *g = &a->groups[a->group_count];
        if (!check_name(in, entry, "group")) return;
        if (map_has(&a->person_by_name, entry->key))
                loader_problem(in->loader, yaml_key_place(in->file, entry), NULL,
                    "'%s' is a person and a group: gates could not tell them apart", entry->key);
        struct place *places = NULL;
        size_t count = 0;
        const char **names = key_names(in, entry, &places, &count);
        *members += count;
        if (*members > APPROVER_MEMBERS_MAX) {
                key_problem(in, entry->value, "more than %d members in all groups", APPROVER_MEMBERS_MAX);
                return;
        }
        struct map seen __attribute__((__cleanup__(map_release_cleanup))) = {0};
        g->name = arena_strdup(in->loader->arena, entry->key);
        g->members = arena_alloc(in->loader->arena, (count + 1) * sizeof(void *));
        for (size_t i = 0; i < count; i++) {
                const struct approver *person = map_get(&a->person_by_name, names[i]);
                if (person == NULL)
                        loader_problem(in->loader, places[i], NULL,
                            "group '%s' has the unknown member '%.70s'%s", g->name, names[i],
                            loader_suggest_map(in->loader, names[i], &a->person_by_name));
                else if (map_put(&seen, names[i], (void *)person) != NULL)
                        loader_problem(
                            in->loader, places[i], NULL, "group '%s' names '%s' twice", g->name, names[i]);
                else
                        g->members[g->member_count++] = person;
        }
        map_put(&a->group_by_name, g->name, g);
        a->group_count++;
}

static void read_all_groups(struct reading *in, const struct yaml_entry *entry)
{
        struct approvers *a = block_of(in)->approvers;
        const struct yaml_node *node = entry->value;
        size_t members = 0;
        if (node->count > APPROVER_GROUPS_MAX) {
                key_problem(in, node, "more than %d groups", APPROVER_GROUPS_MAX);
                return;
        }
        a->groups = arena_alloc(in->loader->arena, (node->count + 1) * sizeof *a->groups);
        for (uint32_t i = 0; i < node->count && members <= APPROVER_MEMBERS_MAX; i++)
                read_group(in, &node->entries[i], &members);
}

/* A block by which no gate could ever be answered is a mistake, and so is somebody who cannot sign where one must. */
static void check_block(struct reading *in, const struct yaml_entry *entry)
{
        const struct approvers *a = block_of(in)->approvers;
        if (a->unsigned_) return;
        struct place place = yaml_key_place(in->file, entry);
        if (a->people_count == 0)
                loader_problem(in->loader, place, NULL,
                    "'approvers' names nobody: give 'people' with their keys, or 'unsigned: true'");
        for (size_t i = 0; i < a->people_count; i++)
                if (!a->people[i].has_key)
                        loader_problem(in->loader, place, NULL,
                            "'%s' has no key and could not sign: `tutti approver keygen %s` makes one, "
                            "'unsigned: true' needs none",
                            a->people[i].name, a->people[i].name);
}

const struct approvers *approvers_read(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {
            {"people", read_people}, {"groups", read_groups}, {"unsigned", read_unsigned}};
        if (entry->value->kind != YAML_MAP) {
                key_problem(
                    in, entry->value, "'approvers' must be a map of 'people', 'groups' and 'unsigned'");
                return NULL;
        }
        struct block b = {.approvers = arena_alloc(in->loader->arena, sizeof *b.approvers)};
        struct reading block = *in;
        block.into = &b;
        keys_read(&block, entry->value, "'approvers'", keys, 3);
        if (b.groups != NULL) read_all_groups(&block, b.groups);
        check_block(&block, entry);
        map_release(&b.person_by_key);
        keep_map(in->loader->arena, &b.approvers->person_by_name);
        keep_map(in->loader->arena, &b.approvers->group_by_name);
        return b.approvers;
}

/* --- against the gates ----------------------------------------------------------------------------------------------- */

struct naming { /* one gate's approvers, counted */
        struct map persons;
        size_t unknown;
};

static void add_named(struct loader *loader, const struct resource *r, const struct approvers *a,
    const char *name, struct naming *n)
{
        if (a == NULL || a->people_count == 0) { /* nobody is known: each name is a person's */
                map_put(&n->persons, name, (void *)r);
                return;
        }
        const struct approver *person = map_get(&a->person_by_name, name);
        const struct approver_group *group = map_get(&a->group_by_name, name);
        if (person != NULL) map_put(&n->persons, name, (void *)person);
        for (size_t i = 0; group != NULL && i < group->member_count; i++)
                map_put(&n->persons, group->members[i]->name, (void *)group->members[i]);
        if (person != NULL || group != NULL) return;
        n->unknown++;
        const char *meant = loader_suggest_map(loader, name, &a->person_by_name);
        if (*meant == '\0') meant = loader_suggest_map(loader, name, &a->group_by_name);
        loader_problem(loader, *expr_place(r->approve->approvers), r->name,
            "the environment's 'approvers' know no person or group '%.70s'%s", name, meant);
}

static void check_gate(struct loader *loader, const struct resource *r, const struct approvers *a)
{
        const struct value *names = r->approve->approvers ? expr_constant(r->approve->approvers) : NULL;
        bool everybody = r->approve->approvers == NULL ||
                         (names != NULL && (value_is_null(names) || value_count(names) == 0));
        bool known = a != NULL && a->people_count > 0;
        if (everybody && !known) return; /* nobody is named: anyone answers */
        struct naming n = {0};
        for (size_t i = 0; !everybody && names != NULL && i < value_count(names); i++) {
                const struct value *name = value_at(names, i);
                if (value_kind(name) == TYPE_STRING && value_is_known(name) && !value_is_null(name))
                        add_named(loader, r, a, value_as_string(name), &n);
        }
        size_t persons = everybody ? a->people_count : n.persons.count;
        map_release(&n.persons);
        if ((!everybody && names == NULL) || n.unknown > 0 || persons >= r->approve->approvals) return;
        loader_problem(loader, r->place, r->name, "needs %u approval%s, and only %zu may approve",
            r->approve->approvals, r->approve->approvals == 1 ? "" : "s", persons);
}

void approvers_check(struct loader *loader, const struct template *t, const struct approvers *approvers)
{
        for (size_t i = 0; i < t->resource_count; i++)
                if (t->resources[i].approve != NULL) check_gate(loader, &t->resources[i], approvers);
}
