/* tutti approver keygen: a key with which a person signs answers to gates. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "run/signature.h"
#include "template/approvers.h"

static void print_made(const struct options *o, const char *name, const char *public_key, const char *file)
{
        if (o->json) {
                struct text json = {0};
                text_add(&json, "{\"name\":");
                text_json(&json, name);
                text_add(&json, ",\"public_key\":");
                text_json(&json, public_key);
                text_add(&json, ",\"file\":");
                text_json(&json, file);
                text_addc(&json, '}');
                puts(json.data);
                text_release(&json);
                return;
        }
        printf(
            "Wrote the private key to %s: keep it, and keep it to yourself.\nFor the environment file, below "
            "'approvers: people:':\n\n    %s: {key: \"%s\"}\n",
            file, name, public_key);
}

static int keygen(const struct options *o, const char *name, struct error **err)
{
        if (!approver_name_is_good(name))
                return error_set(err, ERROR_INPUT, NULL,
                    "'%s' cannot be the name of an approver: letters, digits, '.', '_', '-' and '@', at most "
                    "%d, "
                    "not beginning with '.' or '-'",
                    name, APPROVER_NAME_MAX);
        cleanup_free char *standard = signing_key_path(name);
        const char *file = o->out ? o->out : standard;
        if (file == NULL)
                return error_set(
                    err, ERROR_INPUT, NULL, "there is no home for the key; say where with -o FILE");
        cleanup(signing_key_free) struct signing_key *key = NULL;
        if (signing_key_new(&key, err) < 0 || signing_key_save(key, file, err) < 0) return -1;
        unsigned char public_bytes[APPROVER_KEY];
        signing_key_public(key, public_bytes);
        cleanup_free char *text = approver_key_text(public_bytes);
        print_made(o, name, text, file);
        return 0;
}

int cmd_approver(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        if (strcmp(o->args[0], "keygen") != 0)
                error_set(
                    &err, ERROR_INPUT, NULL, "unknown verb '%s': tutti approver keygen NAME", o->args[0]);
        else
                keygen(o, o->args[1], &err);
        return err ? print_error(o, err) : EXIT_DONE;
}
