/* The practice cloud's manifest against its server: every type is created, read back without drift, updated, found, deleted. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "rest_cloud.h"

static pid_t sandbox_start(char *url, size_t size)
{
        int fd[2];
        if (pipe(fd) < 0) exit(1);
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGTERM); /* not to outlive a test that crashes */
                char program[256] = {0};
                ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
                char *slash = n > 0 ? strstr(program, "/tests/") : NULL;
                if (slash) strcpy(slash, "/tutti");
                dup2(fd[1], 1);
                close(fd[0]);
                execl(program, "tutti", "sandbox", "--listen", "127.0.0.1:0", "--token", "T", "--latency",
                    "30ms", "--no-ssh", (char *)NULL);
                _exit(127);
        }
        close(fd[1]);
        FILE *f = fdopen(fd[0], "r");
        char line[512] = {0};
        if (!fgets(line, sizeof line, f) || !strstr(line, "http://")) exit(1);
        char *at = strstr(line, "http://");
        at[strcspn(at, ", \n")] = 0;
        snprintf(url, size, "%s", at);
        return pid;
}

static const char *create(const char *type, const char *json)
{
        struct tutti_op op = create_begin(type, json);
        struct made *m = create_run(&op);
        driver_release(&op);
        /* Again with the same token: the same object. */
        op = begin(TUTTI_CREATE, type, m->token);
        op.planned = value_ref(m->planned);
        if (ok(op.type->flags & TUTTI_TYPE_REPEATABLE, "%s can be repeated", type)) {
                run(&op, "repeat");
                is_str(op.id, m->id, "and yields the same object");
        }
        driver_release(&op);
        return m->id;
}

static void create_all(void)
{
        char j[1024];
        create(
            "sandbox.network", "{\"name\": \"net\", \"cidr\": \"10.0.0.0/16\", \"labels\": {\"a\": \"b\"}}");
        snprintf(j, sizeof j, "{\"name\": \"sub\", \"network_id\": \"%s\", \"cidr\": \"10.0.1.0/24\"}",
            made[0].id);
        create("sandbox.subnet", j);
        snprintf(j, sizeof j,
            "{\"name\": \"fw\", \"network_id\": \"%s\", \"rules\": [{\"direction\": \"in\", \"protocol\": "
            "\"tcp\", \"port\": 22, \"cidr\": \"0.0.0.0/0\"}]}",
            made[0].id);
        create("sandbox.firewall", j);
        create("sandbox.ssh_key",
            "{\"name\": \"key\", \"public_key\": \"ssh-ed25519 "
            "AAAAC3NzaC1lZDI1NTE5AAAAIJ4hOyMZqQ9vY0a1W0m8gQw1v0b2l1m7aG3e4x2B0k9f me\"}");
        snprintf(j, sizeof j,
            "{\"name\": \"web\", \"subnet_id\": \"%s\", \"size\": \"small\", \"image\": \"debian-12\", "
            "\"ssh_key_ids\": [\"%s\"], \"firewall_ids\": [\"%s\"]}",
            made[1].id, made[3].id, made[2].id);
        create("sandbox.server", j);
        create("sandbox.volume", "{\"name\": \"data\", \"size_gb\": 10}");
        snprintf(j, sizeof j, "{\"server_id\": \"%s\", \"volume_id\": \"%s\"}", made[4].id, made[5].id);
        create("sandbox.attachment", j);
        snprintf(j, sizeof j, "{\"name\": \"ip\", \"server_id\": \"%s\"}", made[4].id);
        create("sandbox.floating_ip", j);
        snprintf(j, sizeof j,
            "{\"name\": \"lb\", \"subnet_id\": \"%s\", \"server_ids\": [\"%s\"], \"port\": 80}", made[1].id,
            made[4].id);
        create("sandbox.load_balancer", j);
        snprintf(j, sizeof j,
            "{\"name\": \"db\", \"subnet_id\": \"%s\", \"engine\": \"postgres\", \"size\": \"small\", "
            "\"password\": \"hush-hush\"}",
            made[1].id);
        create("sandbox.database", j);
        create(
            "sandbox.record", "{\"name\": \"www.example.org\", \"type\": \"A\", \"value\": \"192.0.2.1\"}");
}

static void refusals(void)
{
        struct tutti_op op = begin(TUTTI_DELETE, "sandbox.network", NULL);
        op.prior = value_ref(made[0].observed);
        op.id = strdup(made[0].id);
        is_int(driver_run(context, &op), TUTTI_FAILED, "a network in use is not deleted");
        is_int(op.failure, TUTTI_BUSY, "it is busy");
        driver_release(&op);
        op = begin(TUTTI_CREATE, "sandbox.network", "ffffffffffffffffffffffffffffffff");
        op.planned = value_ref(made[0].planned);
        is_int(driver_run(context, &op), TUTTI_FAILED, "a second network of that name is not created");
        is_int(op.failure, TUTTI_EXISTS, "it exists");
        driver_release(&op);
}

int main(void)
{
        char url[256], *problem = NULL;
        driver_live = true;
        pid_t pid = sandbox_start(url, sizeof url);
        host = driver_host();
        setenv("TUTTI_SANDBOX_ENDPOINT", url, 1);
        setenv("TUTTI_SANDBOX_TOKEN", "T", 1);
        struct value *none = host.value_object(NULL, NULL, 0);
        if (tutti_provider.load(&host, "sandbox", "providers/sandbox", &plugin, &problem) < 0 ||
            tutti_provider.open(plugin, none, &context, &problem) < 0) {
                printf("Bail out! %s\n", problem);
                kill(pid, SIGTERM);
                return 1;
        }
        host.value_free(none);
        size_t types = 0;
        while (tutti_provider.type_at(plugin, types, &problem)) types++;
        ok(types == 11 && !problem, "eleven types, all well formed");
        create_all();
        for (size_t i = 0; i < made_count; i++) read_back(&made[i], true);
        update(0, "labels", "{\"a\": \"c\"}");
        update(1, "labels", "{\"x\": \"y\"}");
        update(2, "rules", "[]");
        update(4, "size", "\"large\"");
        update(5, "size_gb", "20");
        update(7, "server_id", "null");
        update(9, "size", "\"medium\"");
        update(10, "ttl", "60");
        const struct tutti_type *volume = begin(TUTTI_READ, "sandbox.volume", NULL).type;
        ok(volume->properties[1].flags & TUTTI_GROWS, "a volume grows in place only");
        refusals();
        while (made_count > 0) delete (&made[--made_count]);
        tutti_provider.close(context);
        tutti_provider.unload(plugin);
        kill(pid, SIGTERM);
        int status = 0;
        waitpid(pid, &status, 0);
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the cloud ends");
        return done();
}
