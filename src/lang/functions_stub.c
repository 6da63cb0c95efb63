/* Empty tables until each room of functions has its own. */
#include "lang/function.h"

const struct function functions_numeric[] = {{.info = {.name = NULL}}},
                      functions_string[] = {{.info = {.name = NULL}}},
                      functions_collection[] = {{.info = {.name = NULL}}},
                      functions_encoding[] = {{.info = {.name = NULL}}},
                      functions_hash[] = {{.info = {.name = NULL}}},
                      functions_date[] = {{.info = {.name = NULL}}},
                      functions_net[] = {{.info = {.name = NULL}}},
                      functions_conversion[] = {{.info = {.name = NULL}}},
                      functions_file[] = {{.info = {.name = NULL}}};
