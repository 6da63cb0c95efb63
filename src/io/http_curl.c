/* The table of libcurl's functions; see http_curl.h. */
#include "io/http_curl.h"

#include "base/library.h"

struct curl_functions curl;

int http_curl_load(struct error **err)
{
#define CURL_NAME(name) "curl_" #name,
        static const char *const names[] = {CURL_FUNCTIONS(CURL_NAME)};
#undef CURL_NAME
        if (curl.url_strerror != NULL) return 0;
        return library_load("libcurl.so.4", names, (void **)&curl, sizeof names / sizeof *names, err);
}
