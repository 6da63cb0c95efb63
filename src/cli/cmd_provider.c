/* tutti provider: the types there are, and one of them as a manual page in the terminal. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "run/plugin.h"

static void json_property(struct text *json, const struct property *p)
{
        text_add(json, "{\"name\":");
        text_json(json, p->name);
        text_add(json, ",\"type\":\"");
        type_text(p->type, json);
        text_add(json, "\"");
        if (p->required) text_add(json, ",\"required\":true");
        if (p->computed) text_add(json, ",\"computed\":true");
        if (p->sensitive) text_add(json, ",\"sensitive\":true");
        if (p->create_only) text_add(json, ",\"create_only\":true");
        if (p->grows) text_add(json, ",\"grows\":true");
        if (p->fallback != NULL) {
                text_add(json, ",\"default\":");
                value_json(p->fallback, SECRETS_MASK, NULL, json, NULL);
        }
        text_add(json, ",\"doc\":");
        text_json(json, p->doc);
        text_addc(json, '}');
}

static void json_schema(struct text *json, const struct schema *s)
{
        text_add(json, "{\"type\":");
        text_json(json, s->type);
        text_addf(json, ",\"lookup\":%s,\"doc\":", s->lookup ? "true" : "false");
        text_json(json, s->doc);
        text_add(json, ",\"properties\":[");
        for (size_t i = 0; i < s->property_count; i++) {
                if (i > 0) text_addc(json, ',');
                json_property(json, &s->properties[i]);
        }
        text_add(json, "],\"outputs\":[");
        for (size_t i = 0; i < s->output_count; i++) {
                if (i > 0) text_addc(json, ',');
                json_property(json, &s->outputs[i]);
        }
        text_add(json, "]}");
}

static void print_property(const struct property *p, bool output)
{
        struct text line = {0};
        type_text(p->type, &line);
        if (p->required) text_add(&line, ", required");
        if (p->computed) text_add(&line, ", filled in by the provider");
        if (p->sensitive) text_add(&line, ", sensitive");
        if (p->create_only && !output) text_add(&line, ", a change forces a replacement");
        if (p->grows) text_add(&line, ", a smaller one forces a replacement");
        if (p->fallback != NULL) {
                text_add(&line, ", default ");
                value_json(p->fallback, SECRETS_MASK, NULL, &line, NULL);
        }
        printf("  %s%s%s  %s%s%s\n", style_on(STYLE_BOLD), p->name, style_off(), style_on(STYLE_DIM),
            line.data, style_off());
        if (p->doc != NULL && *p->doc != '\0') printf("      %s\n", p->doc);
        text_release(&line);
}

static void print_schema(const struct schema *s)
{
        printf("%s%s%s%s\n\n  %s\n\n", style_on(STYLE_BOLD), s->type, style_off(),
            s->lookup ? " (lookup)" : "", s->doc);
        if (s->property_count > 0) printf("Properties\n");
        for (size_t i = 0; i < s->property_count; i++) print_property(&s->properties[i], false);
        printf("\nOutputs\n");
        for (size_t i = 0; i < s->output_count; i++) print_property(&s->outputs[i], true);
        if (s->acts_on_host) printf("\nActs on the resource's `host`.\n");
}

static int show(const struct options *o, struct plugins *plugins)
{
        cleanup(error_free) struct error *err = NULL;
        struct schema_source source;
        plugins_schemas(plugins, &source);
        const struct schema *s = source.find(source.context, o->args[1], &err);
        if (s == NULL) return print_error(o, err);
        if (!o->json) {
                print_schema(s);
                return EXIT_DONE;
        }
        struct text json = {0};
        json_schema(&json, s);
        puts(json.data);
        text_release(&json);
        return EXIT_DONE;
}

/* A provider whose manifest is broken is named with its problem; the others are still listed. */
static int list_one(const struct options *o, struct plugins *plugins, const char *name, struct text *json)
{
        cleanup(error_free) struct error *err = NULL;
        struct plugin *plugin = plugins_find(plugins, name, &err);
        if (plugin == NULL) return print_error(o, err);
        if (!o->json) printf("%s%s%s  %s\n", style_on(STYLE_BOLD), name, style_off(), plugin_doc(plugin));
        const struct schema *s;
        for (size_t i = 0; (s = plugin_schema_at(plugin, i, &err)) != NULL; i++) {
                if (o->json) {
                        if (json->len > 1) text_addc(json, ',');
                        json_schema(json, s);
                } else {
                        printf("  %-32s %s%s\n", s->type, s->lookup ? "(lookup) " : "", s->doc);
                }
        }
        return err ? print_error(o, err) : EXIT_DONE;
}

static int list(const struct options *o, struct plugins *plugins)
{
        char **names;
        size_t count;
        int code = EXIT_DONE;
        struct text json = {0};
        plugins_names(plugins, &names, &count, NULL);
        text_addc(&json, '[');
        for (size_t i = 0; i < count; i++) {
                int one = list_one(o, plugins, names[i], &json);
                if (one != EXIT_DONE) code = one;
                free(names[i]);
        }
        free(names);
        text_addc(&json, ']');
        if (o->json) puts(json.data);
        text_release(&json);
        return code;
}

int cmd_provider(const struct options *o)
{
        cleanup(plugins_free) struct plugins *plugins = plugins_new(".");
        if (strcmp(o->args[0], "list") == 0 && o->arg_count == 1) return list(o, plugins);
        if (strcmp(o->args[0], "show") == 0 && o->arg_count == 2) return show(o, plugins);
        options_usage(o);
        return EXIT_INPUT;
}
