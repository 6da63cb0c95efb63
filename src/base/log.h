/*
 * Diagnostics for the operator on standard error. Levels: error warn info debug. What a user must see is
 * printed by cli/, not logged; a log line never holds a secret, as no value type has a printing path here.
 */
#ifndef TUTTI_BASE_LOG_H
#define TUTTI_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_WARN */
bool log_parse_level(const char *name, enum log_level *level);
bool log_enabled(enum log_level level);
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                      \
        do {                                                                \
                if (log_enabled(LOG_DEBUG)) log_at(LOG_DEBUG, __VA_ARGS__); \
        } while (0)

#endif
