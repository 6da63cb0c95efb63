/* The table of libcurl's functions; see curl_library.h. */
#include "io/curl_library.h"

#include "base/library.h"

struct curl_functions curl;

int curl_library_load(struct error **err)
{
#define CURL_NAME(name) "curl_" #name,
        static const char *const names[] = {CURL_FUNCTIONS(CURL_NAME)};
#undef CURL_NAME
        if (curl.url_strerror != NULL) return 0;
        return library_load("libcurl.so.4", names, (void **)&curl, sizeof names / sizeof *names, err);
}
