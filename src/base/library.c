/* dlopen and dlsym, with errors; see library.h. */
#include "base/library.h"

#include <dlfcn.h>

int library_load(const char *soname, const char *const *names, void **table, size_t count, struct error **err)
{
        void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
                const char *why = dlerror();
                return error_set(err, ERROR_SYSTEM, NULL, "load %s: %s", soname, why ? why : "it failed");
        }
        for (size_t i = 0; i < count; i++) {
                table[i] = dlsym(library, names[i]);
                if (table[i] == NULL)
                        return error_set(err, ERROR_SYSTEM, NULL, "load %s: it has no %s", soname, names[i]);
        }
        return 0;
}
