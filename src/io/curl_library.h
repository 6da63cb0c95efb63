/*
 * libcurl, loaded when the first transfers are made (see base/library.h): what this room calls as `curl.easy_init` is curl_easy_init.
 */
#ifndef TUTTI_IO_CURL_LIBRARY_H
#define TUTTI_IO_CURL_LIBRARY_H

#include <curl/curl.h>
#include "base/error.h"

/* The macros that check types do so for curl's own names only. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#define CURL_FUNCTIONS(F)      \
        F(easy_cleanup)        \
        F(easy_getinfo)        \
        F(easy_init)           \
        F(easy_setopt)         \
        F(easy_strerror)       \
        F(free)                \
        F(global_cleanup)      \
        F(global_init)         \
        F(multi_add_handle)    \
        F(multi_assign)        \
        F(multi_cleanup)       \
        F(multi_info_read)     \
        F(multi_init)          \
        F(multi_remove_handle) \
        F(multi_setopt)        \
        F(multi_socket_action) \
        F(share_cleanup)       \
        F(share_init)          \
        F(share_setopt)        \
        F(slist_append)        \
        F(slist_free_all)      \
        F(url)                 \
        F(url_cleanup)         \
        F(url_get)             \
        F(url_set)             \
        F(url_strerror)

#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
struct curl_functions {
        CURL_FUNCTIONS(CURL_MEMBER)
};
#undef CURL_MEMBER

extern struct curl_functions curl; /* constant once it is loaded */

/* Loads it, the first time. ERROR_SYSTEM */
int curl_library_load(struct error **err);

#endif
