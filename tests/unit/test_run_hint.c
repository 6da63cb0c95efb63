/* Commands that are told to people: whatever they name is one word of the shell that they are copied into. */
#include "run/hint.h"

#include "tap.h"

static void command(const char *verb, const char *file, const char *want)
{
        struct text out = {0};
        hint_add(&out, verb, file);
        is_str(out.data, want, "a command on a file");
        text_release(&out);
}

static void named(const char *file, const char *name, const char *options, const char *want)
{
        struct text out = {0};
        hint_add_named(&out, "approve", file, name, options);
        is_str(out.data, want, "a command with a name");
        text_release(&out);
}

int main(void)
{
        command("resume", "env.yaml", "tutti resume env.yaml");
        command("resume", "/a b/env.yaml", "tutti resume '/a b/env.yaml'");
        command("resume", "$(reboot).yaml", "tutti resume '$(reboot).yaml'");
        command("resume", "--yes", "tutti resume ./--yes");
        command("resume", "-my env.yaml", "tutti resume './-my env.yaml'");
        named("env.yaml", "go", NULL, "tutti approve env.yaml go");
        named("env.yaml", "web[\"a\"]", NULL, "tutti approve env.yaml 'web[\"a\"]'");
        named("env.yaml", "it's", "--answer WORD", "tutti approve env.yaml 'it'\\''s' --answer WORD");
        named("-e.yaml", "--reject", NULL, "tutti approve ./-e.yaml -- --reject");
        named("e.yaml", "-g; x", "--answer WORD", "tutti approve e.yaml --answer WORD -- '-g; x'");
        return done();
}
