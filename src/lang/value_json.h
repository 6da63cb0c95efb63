/* Types in JSON, as value_encode and the {"$unknown": type} form write them: "string", ["list", "string"],
 * ["object", {"a": "number"}], ["tuple", ["bool"]]. Internal to lang/. */
#ifndef TUTTI_LANG_VALUE_JSON_H
#define TUTTI_LANG_VALUE_JSON_H

#include "lang/value.h"

enum { JSON_DEPTH_MAX = 200 };

void type_json(const struct type *type, struct text *out);
/* Out of a value read from JSON. A new reference, or NULL when it is not a type. */
const struct type *type_from_json(const struct value *json);

#endif
