/*
 * What an operation shows its plug-in: the op_* and wait_* functions of struct tutti_host. Internal to run/.
 */
#ifndef TUTTI_RUN_OPERATION_HOST_H
#define TUTTI_RUN_OPERATION_HOST_H

#include "providers/provider.h"

enum tutti_action op_action(const struct tutti_op *op);
const struct tutti_type *op_type(const struct tutti_op *op);
const char *op_address(const struct tutti_op *op);
const char *op_token(const struct tutti_op *op);
const char *op_id(const struct tutti_op *op);
const char *op_environment(const struct tutti_op *op);
const struct value *op_prior(const struct tutti_op *op);
const struct value *op_planned(const struct tutti_op *op);
const struct value *op_host(const struct tutti_op *op);
const char *op_private(const struct tutti_op *op);
const char *op_folder(const struct tutti_op *op);
int op_cancelled(const struct tutti_op *op);
int op_state(const struct tutti_op *op);
const struct value *op_saved(const struct tutti_op *op);
const struct tutti_reply *op_reply(const struct tutti_op *op);
int64_t op_elapsed_ms(const struct tutti_op *op);
void op_to(struct tutti_op *op, int state, const struct value *saved);
void op_set_id(struct tutti_op *op, const char *id);
void op_set_private(struct tutti_op *op, const char *text);
void op_observed(struct tutti_op *op, const struct value *observed);
void op_gone(struct tutti_op *op);
void op_progress(struct tutti_op *op, const char *text);
enum tutti_result op_fail(struct tutti_op *op, enum tutti_failure kind, int64_t retry_after_ms,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void op_accepted(struct tutti_op *op);
enum tutti_result wait_http(struct tutti_op *op, const struct tutti_http *request);
enum tutti_result wait_ssh(struct tutti_op *op, const struct tutti_ssh *request);
enum tutti_result wait_process(struct tutti_op *op, const struct tutti_process *request);
enum tutti_result wait_sleep(struct tutti_op *op, int64_t ms);

#define OPERATION_HOST_FUNCTIONS                                                                            \
        .op_action = op_action, .op_type = op_type, .op_address = op_address, .op_token = op_token,         \
        .op_id = op_id, .op_environment = op_environment, .op_prior = op_prior, .op_planned = op_planned,   \
        .op_host = op_host, .op_private = op_private, .op_folder = op_folder, .op_cancelled = op_cancelled, \
        .op_state = op_state, .op_saved = op_saved, .op_reply = op_reply, .op_elapsed_ms = op_elapsed_ms,   \
        .op_to = op_to, .op_set_id = op_set_id, .op_set_private = op_set_private,                           \
        .op_observed = op_observed, .op_gone = op_gone, .op_progress = op_progress, .op_fail = op_fail,     \
        .op_accepted = op_accepted, .wait_http = wait_http, .wait_ssh = wait_ssh,                           \
        .wait_process = wait_process, .wait_sleep = wait_sleep

#endif
