/*
 * libmicrohttpd, loaded when the practice cloud starts (see base/library.h), since no other command needs it: what http.c calls as
 * `mhd.run` is MHD_run.
 */
#ifndef TUTTI_SANDBOX_MICROHTTPD_H
#define TUTTI_SANDBOX_MICROHTTPD_H

#include <microhttpd.h>
#include "base/error.h"

#define MHD_FUNCTIONS(F)                 \
        F(add_response_header)           \
        F(create_response_from_buffer)   \
        F(create_response_from_callback) \
        F(destroy_response)              \
        F(get_connection_info)           \
        F(get_connection_values)         \
        F(get_daemon_info)               \
        F(get_timeout)                   \
        F(lookup_connection_value)       \
        F(queue_response)                \
        F(resume_connection)             \
        F(run)                           \
        F(start_daemon)                  \
        F(stop_daemon)                   \
        F(suspend_connection)

#define MHD_MEMBER(name) __typeof__(MHD_##name) *name;
struct sandbox_mhd {
        MHD_FUNCTIONS(MHD_MEMBER)
};
#undef MHD_MEMBER

extern struct sandbox_mhd mhd; /* constant once it is loaded */

/* Loads it. ERROR_SYSTEM */
int sandbox_mhd_load(struct error **err);

#endif
