/* The table of libmicrohttpd's functions; see microhttpd.h. */
#include "providers/sandbox/microhttpd.h"

#include "base/library.h"

struct sandbox_mhd mhd;

int sandbox_mhd_load(struct error **err)
{
#define MHD_NAME(name) "MHD_" #name,
        static const char *const names[] = {MHD_FUNCTIONS(MHD_NAME)};
#undef MHD_NAME
        return library_load("libmicrohttpd.so.12", names, (void **)&mhd, sizeof names / sizeof *names, err);
}
