/* tutti schema: the JSON Schema of templates and environments, for editors. */
#include <stdio.h>

#include "cli/command.h"
#include "template/template.h"

int cmd_schema(const struct options *o)
{
        (void)o;
        struct text json = {0};
        template_json_schema(&json);
        puts(json.data);
        text_release(&json);
        return EXIT_DONE;
}
