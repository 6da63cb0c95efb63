/* Libraries that are loaded on demand: the functions are the right ones, and what is missing is told. */
#include "tap.h"

#include "base/library.h"

struct table {
        double (*cos)(double);
        double (*floor)(double);
};

static void check_missing(const char *soname, const char *const *names, const char *named, const char *name)
{
        void *table[1] = {NULL};
        struct error *err = NULL;
        int result = library_load(soname, names, table, 1, &err);
        ok(result < 0 && error_kind(err) == ERROR_SYSTEM && strstr(error_message(err), named) != NULL,
            "%s: %s", name, err ? error_message(err) : "(no error)");
        error_free(err);
}

int main(void)
{
        static const char *const names[] = {"cos", "floor"}, *const none[] = {"no_such_function"};
        struct table table = {NULL, NULL};
        struct error *err = NULL;
        is_int(library_load("libm.so.6", names, (void **)&table, 2, &err), 0, "a library is loaded");
        ok(table.cos != NULL && table.cos(0) == 1 && table.floor(1.5) == 1,
            "and its functions are in their order");
        check_missing("libm.so.6", none, "no_such_function", "a function that it does not have");
        check_missing("libnosuchthing.so.1", names, "libnosuchthing.so.1", "a library that is not there");
        error_free(err);
        return done();
}
