/* Any bytes as a manifest: it is refused with a message, or its types compile. */
#include <stdint.h>
#include "unit/rest_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct tutti_host *const host = &tutti_host_table;
        char *problem = NULL;
        void *plugin = NULL;
        char *folder = driver_fold("provider.yaml", "");
        AUTO_CHAR path = util_format("%s/provider.yaml", folder);
        FILE *f = fopen(path, "w");
        if (f == NULL) abort();
        fwrite(data, 1, size, f);
        fclose(f);
        if (tutti_provider.load(host, "test", folder, &plugin, &problem) < 0) {
                if (problem == NULL || *problem == '\0') abort();
                free(problem);
                return 0;
        }
        for (size_t i = 0; i < 50; i++) {
                const struct tutti_type *t = tutti_provider.type_at(plugin, i, &problem);
                if (t == NULL && problem == NULL) break;
                free(problem);
                problem = NULL;
        }
        tutti_provider.unload(plugin);
        return 0;
}
