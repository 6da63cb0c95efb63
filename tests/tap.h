/*
 * TAP for C tests: plan(n) or done(), ok(cond, name...), is_str, is_int. A test is a plain program.
 */
#ifndef TUTTI_TESTS_TAP_H
#define TUTTI_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count_, tap_failed_;

__attribute__((format(printf, 4, 5))) static inline bool tap_ok_(
    bool pass, const char *file, int line, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        printf("%sok %d - ", pass ? "" : "not ", ++tap_count_);
        vprintf(fmt, ap);
        putchar('\n');
        va_end(ap);
        if (!pass) {
                tap_failed_++;
                printf("#   at %s:%d\n", file, line);
        }
        return pass;
}

static inline bool tap_str_(const char *got, const char *want, const char *file, int line, const char *name)
{
        bool same = got == want || (got && want && strcmp(got, want) == 0);
        tap_ok_(same, file, line, "%s", name);
        if (!same) printf("#   got: %s\n#  want: %s\n", got ? got : "(null)", want ? want : "(null)");
        return same;
}

static inline bool tap_int_(long long got, long long want, const char *file, int line, const char *name)
{
        tap_ok_(got == want, file, line, "%s", name);
        if (got != want) printf("#   got: %lld\n#  want: %lld\n", got, want);
        return got == want;
}

#define ok(pass, ...) tap_ok_((pass), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, name) tap_str_((got), (want), __FILE__, __LINE__, (name))
#define is_int(got, want, name) tap_int_((long long)(got), (long long)(want), __FILE__, __LINE__, (name))
#define skip(why) printf("ok %d # SKIP %s\n", ++tap_count_, (why))
#define skip_all(why) (printf("1..0 # SKIP %s\n", (why)), exit(0))

/* The last statement of main: `return done();` */
static inline int done(void)
{
        printf("1..%d\n", tap_count_);
        return tap_failed_ ? 1 : 0;
}

#endif
