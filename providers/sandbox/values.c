/* One function per kind of value; see values.h. */
#include "providers/sandbox/values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "providers/sandbox/cidr.h"

enum { TEXT_MAX = 255, LONG_TEXT_MAX = 64 * 1024, SECRET_MAX = 1024, KEY_MAX = 16 * 1024 };
enum { LABELS_MAX = 64, REFERENCES_MAX = 1000, RULES_MAX = 500 };

static bool has_control_characters(const char *s)
{
        for (; *s != '\0'; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7F) return true;
        return false;
}

static int check_text(const char *field, const json_t *value, size_t max, struct sandbox_refusal *refusal)
{
        if (!json_is_string(value)) return sandbox_refuse(refusal, 422, field, "%s must be a text", field);
        size_t len = json_string_length(value);
        if (len == 0) return sandbox_refuse(refusal, 422, field, "%s must not be empty", field);
        if (len > max) return sandbox_refuse(refusal, 422, field, "%s must not exceed %zu bytes", field, max);
        if (has_control_characters(json_string_value(value)))
                return sandbox_refuse(refusal, 422, field, "%s must not contain control characters", field);
        return 0;
}

static int check_long_text(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        if (json_is_null(value)) return 0;
        if (!json_is_string(value)) return sandbox_refuse(refusal, 422, field, "%s must be a text", field);
        if (json_string_length(value) > LONG_TEXT_MAX)
                return sandbox_refuse(
                    refusal, 422, field, "%s must not exceed %d bytes", field, LONG_TEXT_MAX);
        return 0;
}

static int check_secret(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            json_string_length(value) > SECRET_MAX)
                return sandbox_refuse(
                    refusal, 422, field, "%s must be a text of 1 to %d bytes", field, SECRET_MAX);
        return 0;
}

static int check_cidr(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        struct sandbox_cidr cidr;
        const char *text = json_string_value(value);
        if (text == NULL || !sandbox_cidr_parse(text, &cidr))
                return sandbox_refuse(refusal, 422, field,
                    "%s must be a network in CIDR notation such as 10.0.0.0/16, not '%.64s'", field,
                    text ? text : "");
        if (!sandbox_cidr_is_network(&cidr)) {
                char network[SANDBOX_CIDR_TEXT];
                sandbox_cidr_network_text(&cidr, network);
                return sandbox_refuse(refusal, 422, field,
                    "%s: '%s' has bits set behind its prefix; the network is %s", field, text, network);
        }
        return 0;
}

static int check_integer(
    const char *field, const json_t *value, json_int_t low, json_int_t high, struct sandbox_refusal *refusal)
{
        if (json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high)
                return 0;
        return sandbox_refuse(refusal, 422, field,
            "%s must be a whole number from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT, field, low,
            high);
}

static int check_size(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        if (json_is_string(value)) return check_text(field, value, TEXT_MAX, refusal);
        if (json_is_number(value) && json_number_value(value) > 0) return 0;
        return sandbox_refuse(
            refusal, 422, field, "%s must be a word such as 'small' or a positive number", field);
}

static int check_reference(
    const struct sandbox_property *property, const json_t *value, struct sandbox_refusal *refusal)
{
        if (json_is_null(value) && !property->required) return 0;
        if (json_is_string(value) && json_string_length(value) > 0) return 0;
        return sandbox_refuse(refusal, 422, property->name, "%s must be the id of a %s", property->name,
            sandbox_type_at(property->target)->name);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_references(
    const struct sandbox_property *property, const json_t *value, struct sandbox_refusal *refusal)
{
        const char *ids[REFERENCES_MAX];
        const char *field = property->name;
        size_t count = json_array_size(value);
        if (!json_is_array(value) || count > REFERENCES_MAX)
                return sandbox_refuse(refusal, 422, field, "%s must be a list of at most %d ids of %s", field,
                    REFERENCES_MAX, sandbox_type_at(property->target)->plural);
        for (size_t i = 0; i < count; i++) {
                ids[i] = json_string_value(json_array_get(value, i));
                if (ids[i] == NULL)
                        return sandbox_refuse(refusal, 422, field, "%s[%zu] must be an id", field, i);
        }
        qsort(ids, count, sizeof *ids, compare_texts);
        for (size_t i = 1; i < count; i++)
                if (strcmp(ids[i - 1], ids[i]) == 0)
                        return sandbox_refuse(refusal, 422, field, "%s names '%.64s' twice", field, ids[i]);
        return 0;
}

static int check_labels(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        if (!json_is_object(value) || json_object_size(value) > LABELS_MAX)
                return sandbox_refuse(
                    refusal, 422, field, "%s must be a map of at most %d texts to texts", field, LABELS_MAX);
        const char *key;
        json_t *label;
        json_object_foreach((json_t *)value, key, label)
        {
                if (*key == '\0' || strlen(key) > TEXT_MAX || has_control_characters(key))
                        return sandbox_refuse(refusal, 422, field,
                            "%s: a key must have 1 to %d bytes without control characters", field, TEXT_MAX);
                if (!json_is_string(label) || json_string_length(label) > TEXT_MAX)
                        return sandbox_refuse(refusal, 422, field,
                            "%s: the value of '%s' must be a text of at most %d bytes", field, key, TEXT_MAX);
        }
        return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words != NULL; words++)
                if (word != NULL && strcmp(word, *words) == 0) return true;
        return false;
}

/* A port of a rule: 22, "22" or "8000-8100". */
static bool is_port_range(const json_t *value)
{
        if (json_is_integer(value))
                return json_integer_value(value) >= 1 && json_integer_value(value) <= 65535;
        unsigned low, high;
        int end = 0;
        const char *text = json_string_value(value);
        if (text == NULL || strlen(text) > 11 || strspn(text, "0123456789-") != strlen(text)) return false;
        if (sscanf(text, "%5u%n", &low, &end) == 1 && text[end] == '\0') return low >= 1 && low <= 65535;
        if (sscanf(text, "%5u-%5u%n", &low, &high, &end) != 2 || text[end] != '\0') return false;
        return low >= 1 && low <= high && high <= 65535;
}

static int check_rule_member(
    const char *field, const char *key, const json_t *value, struct sandbox_refusal *refusal)
{
        static const char *const directions[] = {
            "in", "out", "ingress", "egress", "inbound", "outbound", NULL};
        static const char *const protocols[] = {"tcp", "udp", "icmp", "any", "all", NULL};
        if (strcmp(key, "direction") == 0)
                return is_one_of(json_string_value(value), directions)
                           ? 0
                           : sandbox_refuse(refusal, 422, field,
                                 "%s must be in or out (also ingress, egress, inbound, outbound)", field);
        if (strcmp(key, "protocol") == 0)
                return is_one_of(json_string_value(value), protocols)
                           ? 0
                           : sandbox_refuse(refusal, 422, field, "%s must be tcp, udp, icmp or any", field);
        if (strcmp(key, "port") == 0)
                return json_is_null(value) || is_port_range(value)
                           ? 0
                           : sandbox_refuse(refusal, 422, field,
                                 "%s must be a port from 1 to 65535 or a range such as \"8000-8100\"", field);
        if (strcmp(key, "cidr") == 0) return json_is_null(value) ? 0 : check_cidr(field, value, refusal);
        return sandbox_refuse(
            refusal, 422, field, "unknown member of a rule; it has direction, protocol, port and cidr");
}

static int check_rules(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        if (!json_is_array(value) || json_array_size(value) > RULES_MAX)
                return sandbox_refuse(
                    refusal, 422, field, "%s must be a list of at most %d rules", field, RULES_MAX);
        size_t i;
        json_t *rule;
        json_array_foreach((json_t *)value, i, rule)
        {
                char member[128];
                const char *key;
                json_t *part;
                if (json_object_get(rule, "direction") == NULL || json_object_get(rule, "protocol") == NULL)
                        return sandbox_refuse(
                            refusal, 422, field, "%s[%zu] must have a direction and a protocol", field, i);
                json_object_foreach(rule, key, part)
                {
                        snprintf(member, sizeof member, "%s[%zu].%.64s", field, i, key);
                        if (check_rule_member(member, key, part, refusal) < 0) return -1;
                }
        }
        return 0;
}

/* The form of a key is checked, not the key itself: a wrong one just opens nothing. A line break would
 * smuggle a second entry into authorized_keys, so none gets in. */
static int check_public_key(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        static const char *const kinds[] = {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
            "sk-ecdsa-sha2-nistp256@openssh.com", NULL};
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
        const char *text = json_string_value(value);
        size_t len = text ? strlen(text) : 0;
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) len--;
        if (len == 0 || len > KEY_MAX)
                return sandbox_refuse(refusal, 422, field, "%s must be an SSH public key", field);
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] < 0x20)
                        return sandbox_refuse(refusal, 422, field, "%s must be a single line", field);

        size_t word = strcspn(text, " ");
        char kind[64] = "";
        if (word < sizeof kind) memcpy(kind, text, word);
        if (!is_one_of(kind, kinds) || text[word] != ' ')
                return sandbox_refuse(refusal, 422, field,
                    "%s must be an SSH public key such as 'ssh-ed25519 AAAA... comment' (the line of a .pub "
                    "file)",
                    field);
        size_t blob = strspn(text + word + 1, alphabet);
        char behind = text[word + 1 + blob];
        if (blob < 4 || !(behind == '\0' || behind == ' ' || behind == '\n' || behind == '\r'))
                return sandbox_refuse(refusal, 422, field, "%s is not Base64 behind '%s'", field, kind);
        return 0;
}

static int check_record_type(const char *field, const json_t *value, struct sandbox_refusal *refusal)
{
        static const char *const kinds[] = {
            "A", "AAAA", "CNAME", "TXT", "MX", "NS", "SRV", "PTR", "CAA", "ALIAS", NULL};
        if (is_one_of(json_string_value(value), kinds)) return 0;
        return sandbox_refuse(
            refusal, 422, field, "%s must be A, AAAA, CNAME, TXT, MX, NS, SRV, PTR, CAA or ALIAS", field);
}

int sandbox_value_check(
    const struct sandbox_property *property, const json_t *value, struct sandbox_refusal *refusal)
{
        const char *field = property->name;
        switch (property->kind) {
        case SANDBOX_NAME:
        case SANDBOX_TEXT: return check_text(field, value, TEXT_MAX, refusal);
        case SANDBOX_LONG_TEXT: return check_long_text(field, value, refusal);
        case SANDBOX_SECRET: return check_secret(field, value, refusal);
        case SANDBOX_CIDR: return check_cidr(field, value, refusal);
        case SANDBOX_REFERENCE: return check_reference(property, value, refusal);
        case SANDBOX_REFERENCES: return check_references(property, value, refusal);
        case SANDBOX_LABELS: return check_labels(field, value, refusal);
        case SANDBOX_RULES: return check_rules(field, value, refusal);
        case SANDBOX_PUBLIC_KEY: return check_public_key(field, value, refusal);
        case SANDBOX_GIGABYTES: return check_integer(field, value, 1, 65536, refusal);
        case SANDBOX_SIZE: return check_size(field, value, refusal);
        case SANDBOX_PORT: return check_integer(field, value, 1, 65535, refusal);
        case SANDBOX_SECONDS: return check_integer(field, value, 0, 2147483647, refusal);
        case SANDBOX_RECORD_TYPE: return check_record_type(field, value, refusal);
        }
        return sandbox_refuse(refusal, 500, field, "no check for this kind of value");
}

int sandbox_value_check_record(const json_t *properties, struct sandbox_refusal *refusal)
{
        struct sandbox_cidr address;
        const char *type = json_string_value(json_object_get(properties, "type"));
        const char *value = json_string_value(json_object_get(properties, "value"));
        unsigned width = strcmp(type, "A") == 0 ? 32 : strcmp(type, "AAAA") == 0 ? 128 : 0;
        if (width == 0) return 0;
        if (sandbox_cidr_parse_address(value, &address) && address.width == width) return 0;
        return sandbox_refuse(refusal, 422, "value",
            "the value of a record of type %s must be an IPv%d address", type, width == 32 ? 4 : 6);
}
