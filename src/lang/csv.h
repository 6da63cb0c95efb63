/*
 * Comma-separated values, as RFC 4180 and Terraform's csvdecode have them. Internal to lang/.
 */
#ifndef TUTTI_LANG_CSV_H
#define TUTTI_LANG_CSV_H

#include "lang/value.h"

/* A list of objects, whose attributes the first line names; NULL with a problem that tells the line. */
struct value *csv_decode(const char *text, size_t len, struct error **err);

#endif
