/*
 * The AWS manifests against an emulator of EC2 and STS (moto_server), with signatures as for the real one. What the emulator
 * does not have (instances that take time, signatures that are checked) is in the scripted tests and the published vectors.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include "rest_cloud.h"

static int free_port(void)
{
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 ||
            getsockname(fd, (struct sockaddr *)&a, &len) < 0)
                exit(1);
        close(fd);
        return ntohs(a.sin_port);
}

static bool answers(int port)
{
        struct sockaddr_in a = {.sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
            .sin_port = htons((uint16_t)port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        bool up = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
        close(fd);
        return up;
}

static pid_t moto_start(int port)
{
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGTERM); /* not to outlive a test that crashes */
                char text[16];
                snprintf(text, sizeof text, "%d", port);
                int null = open("/dev/null", O_RDWR);
                dup2(null, 0), dup2(null, 1), dup2(null, 2);
                execlp("moto_server", "moto_server", "-H", "127.0.0.1", "-p", text, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; i < 300; i++) {
                if (answers(port)) return pid;
                if (waitpid(pid, NULL, WNOHANG) == pid) return 0;
                usleep(100000);
        }
        return 0;
}

static const char *create(const char *type, const char *json)
{
        struct tutti_op op = create_begin(type, json);
        struct made *m = create_run(&op);
        driver_release(&op);
        op = begin(TUTTI_FIND, type, m->token);
        op.planned = value_ref(m->planned);
        if (ok(op.type->flags & TUTTI_TYPE_FIND, "%s can be found", type)) {
                run(&op, "find by token");
                is_str(op.id, m->id, "the object");
        }
        driver_release(&op);
        return m->id;
}

static char *lookup(const char *type, const char *json, const char *output)
{
        struct tutti_op op = begin(TUTTI_LOOKUP, type, NULL);
        op.planned = driver_object(&host, op.type, json);
        run(&op, "look up");
        const struct value *v = op.observed ? host.value_get(op.observed, output) : NULL;
        char *text = v ? host.value_to_text(v) : NULL;
        driver_release(&op);
        return text;
}

static void lookups(char *image, size_t size)
{
        char *account = lookup("aws.sts.caller_identity", "{}", "account");
        is_str(account, "123456789012", "the account");
        free(account);
        char *name = lookup("aws.ec2.ami",
            "{\"owners\": [\"amazon\"], \"most_recent\": true, \"filters\": {\"architecture\": "
            "[\"x86_64\"]}}",
            "name");
        ok(name && *name, "the newest image is %s", name ? name : "none");
        char json[512];
        snprintf(json, sizeof json, "{\"name\": \"%s\"}", name ? name : "");
        char *id = lookup("aws.ec2.ami", json, "id");
        ok(id && strncmp(id, "ami-", 4) == 0, "its id by its name");
        snprintf(image, size, "%s", id ? id : "");
        free(name), free(id);
        struct tutti_op op = begin(TUTTI_LOOKUP, "aws.ec2.ami", NULL);
        op.planned = driver_object(&host, op.type, "{\"name\": \"no-such-image\"}");
        is_int(driver_run(context, &op), TUTTI_FAILED, "an image that there is not");
        is_int(op.failure, TUTTI_NOT_FOUND, "is missing");
        driver_release(&op);
}

static void create_all(const char *image)
{
        char j[1024];
        create("aws.ec2.vpc", "{\"cidr_block\": \"10.1.0.0/16\", \"enable_dns_hostnames\": true, \"tags\": "
                              "{\"Name\": \"shop\"}}");
        snprintf(j, sizeof j,
            "{\"vpc_id\": \"%s\", \"cidr_block\": \"10.1.1.0/24\", \"map_public_ip_on_launch\": true}",
            made[0].id);
        create("aws.ec2.subnet", j);
        snprintf(j, sizeof j, "{\"vpc_id\": \"%s\", \"tags\": {\"Name\": \"door\"}}", made[0].id);
        create("aws.ec2.internet_gateway", j);
        snprintf(j, sizeof j,
            "{\"vpc_id\": \"%s\", \"subnet_ids\": [\"%s\"], \"routes\": [{\"cidr_block\": \"0.0.0.0/0\", "
            "\"gateway_id\": \"%s\"}]}",
            made[0].id, made[1].id, made[2].id);
        create("aws.ec2.route_table", j);
        snprintf(j, sizeof j,
            "{\"name\": \"web\", \"vpc_id\": \"%s\", \"ingress\": [{\"protocol\": \"tcp\", \"from_port\": "
            "443, \"to_port\": 443, \"cidr_block\": \"0.0.0.0/0\"}, "
            "{\"protocol\": \"tcp\", \"from_port\": 22, \"to_port\": 22, \"cidr_block\": \"10.0.0.0/8\", "
            "\"description\": \"inside\"}], "
            "\"egress\": [{\"protocol\": \"tcp\", \"from_port\": 443, \"to_port\": 443, \"cidr_block\": "
            "\"0.0.0.0/0\"}]}",
            made[0].id);
        create("aws.ec2.security_group", j);
        create("aws.ec2.key_pair",
            "{\"name\": \"me\", \"public_key\": \"ssh-ed25519 "
            "AAAAC3NzaC1lZDI1NTE5AAAAIJ4hOyMZqQ9vY0a1W0m8gQw1v0b2l1m7aG3e4x2B0k9f me\"}");
        snprintf(j, sizeof j,
            "{\"ami\": \"%s\", \"instance_type\": \"t3.small\", \"subnet_id\": \"%s\", "
            "\"security_group_ids\": [\"%s\"], \"key_name\": \"me\", "
            "\"user_data\": \"#!/bin/sh\", \"tags\": {\"Name\": \"web 1\", \"a&b\": \"=\"}}",
            image, made[1].id, made[4].id);
        create("aws.ec2.instance", j);
        snprintf(j, sizeof j,
            "{\"ami\": \"%s\", \"subnet_id\": \"%s\", \"security_group_ids\": [\"%s\"], "
            "\"associate_public_ip\": true}",
            image, made[1].id, made[4].id);
        create("aws.ec2.instance", j);
        const struct value *ip = made[7].observed ? host.value_get(made[7].observed, "public_ip") : NULL;
        ok(ip && strcmp(host.value_kind(ip), "string") == 0 && *host.value_as_string(ip, NULL),
            "an instance with a public address");
}

static void update_all(void)
{
        char j[512];
        update(0, "tags", "{\"Owner\": \"me\"}");
        update(0, "enable_dns_hostnames", "false");
        update(1, "map_public_ip_on_launch", "false");
        update(2, "vpc_id", "null");
        snprintf(j, sizeof j, "\"%s\"", made[0].id);
        update(2, "vpc_id", j);
        update(3, "subnet_ids", "[]");
        snprintf(j, sizeof j, "[{\"cidr_block\": \"192.168.0.0/16\", \"gateway_id\": \"%s\"}]", made[2].id);
        update(3, "routes", j);
        update(4, "ingress",
            "[{\"protocol\": \"tcp\", \"from_port\": 443, \"to_port\": 443, \"cidr_block\": \"0.0.0.0/0\"}, "
            "{\"protocol\": \"icmp\", \"from_port\": -1, \"to_port\": -1, \"cidr_block\": \"10.0.0.0/8\"}]");
        update(4, "egress", "[{\"protocol\": \"-1\", \"cidr_block\": \"0.0.0.0/0\"}]");
        update(6, "instance_type", "\"t3.large\"");
        update(6, "tags", "{}");
}

int main(void)
{
        char endpoint[64], image[64] = "", *problem = NULL;
        driver_live = true;
        setvbuf(stdout, NULL, _IOLBF, 0);
        int port = free_port();
        pid_t pid = moto_start(port);
        if (!pid) skip_all("there is no moto_server");
        snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", port);
        host = driver_host();
        setenv("AWS_ENDPOINT_URL", endpoint, 1);
        setenv("AWS_REGION", "us-east-1", 1);
        setenv("AWS_ACCESS_KEY_ID", "testing", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
        unsetenv("AWS_SESSION_TOKEN"), unsetenv("AWS_CA_BUNDLE");
        struct value *none = host.value_object(NULL, NULL, 0);
        bool opened = tutti_provider.load(&host, "aws", "providers/aws", &plugin, &problem) == 0 &&
                      tutti_provider.open(plugin, none, &context, &problem) == 0;
        host.value_free(none);
        size_t types = 0;
        while (opened && tutti_provider.type_at(plugin, types, &problem)) types++;
        if (ok(opened && !problem && types >= 9, "%zu types, all well formed", types)) {
                lookups(image, sizeof image);
                create_all(image);
                for (size_t i = 0; i < made_count; i++)
                        read_back(&made[i], strcmp(made[i].type, "aws.ec2.key_pair") == 0);
                update_all();
                while (made_count > 0) delete (&made[--made_count]);
        } else {
                printf("# %s\n", problem ? problem : "");
        }
        if (opened) tutti_provider.close(context), tutti_provider.unload(plugin);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
        return done();
}
