/*
 * Accounts: what of a provider's configuration says in which cloud, and whose part of it, an object is: endpoint, region and the like. Not who
 * asks (credentials), nor how (timeouts, certificates). Each record keeps the account that its object was made in, and no other
 * configuration is ever used for it.
 */
#ifndef TUTTI_PLAN_ACCOUNT_H
#define TUTTI_PLAN_ACCOUNT_H

#include "base/text.h"
#include "plan/plan.h"

enum { ACCOUNT_MAX = 1 << 16 }; /* bytes of a recorded one */

/*
 * The account of a configuration (NULL: none is written) of the provider `kind` ("aws"): an object of the identifying values that it comes to
 * with defaults and environment variables. New reference; NULL while one of them is not known.
 */
struct value *account_of(const struct schema_source *schemas, const char *kind, const struct value *config);
/* As it is recorded: canonical JSON, to be freed; and back. ERROR_SYSTEM when it is none. */
char *account_text(const struct value *account);
struct value *account_read(const char *text, struct error **err);

enum account_match {
        ACCOUNT_SAME,
        ACCOUNT_ABSENT, /* `now` lacks what `then` has, and says nothing else */
        ACCOUNT_OTHER,
};
/* Whether `now` is the account `then`; what a provider has as a default does not differ from nothing. What differs is added to both texts, as in
 * `endpoint "http://a"`; they may be NULL. */
enum account_match account_compare(const struct schema_source *schemas, const char *kind,
    const struct value *then, const struct value *now, struct text *of_then, struct text *of_now);

/* Refuses a connection to another account than that of the record, unless that was accepted. */
int account_check(const struct schema_source *schemas, const char *kind, const struct provider_use *use,
    const struct value *now, struct error **err);

#endif
