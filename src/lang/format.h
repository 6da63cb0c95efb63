/*
 * Terraform's format strings. Internal to lang/.
 */
#ifndef TUTTI_LANG_FORMAT_H
#define TUTTI_LANG_FORMAT_H

#include "lang/value.h"

/*
 * Appends `format` with its verbs replaced: %v %t %b %d %o %x %X %e %E %f %g %G %s %q %%, each with flags
 * (`0 # + -` and space), width, precision and an explicit argument number, as in %-08.3[2]f. All arguments are
 * wholly known and must be used. -1 with a problem otherwise.
 */
int format_text(struct text *out, const char *format, size_t len, const struct value *const *args,
    size_t count, struct error **err);

#endif
