/* Doors, sessions and homes of the servers; see hosts.h. */
#include "providers/sandbox/hosts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/sandbox/sshd.h"
#include "providers/sandbox/strays.h"

struct session {
        pid_t pid;
        struct host *host;
        struct session *next;
};

struct host {
        struct sandbox_watch watch; /* of the door */
        struct sandbox_hosts *hosts;
        char *id, *name, *directory;
        struct text keys; /* authorized_keys */
        int door;
        int64_t open_at;
        bool visited; /* its files are as they should be, and processes may be left */
};

struct sandbox_hosts {
        struct sandbox_watches *watches;
        struct sandbox_sshd sshd;
        char *directory;
        bool temporary;
        unsigned char secret[SANDBOX_SECRET_BYTES]; /* that the host keys derive from */
        struct map by_id;
        struct session *sessions;
};

const char *sandbox_hosts_note(const struct sandbox_hosts *hosts)
{
        return hosts->sshd.missing;
}

const char *sandbox_hosts_user(const struct sandbox_hosts *hosts)
{
        return hosts->sshd.user;
}

static int make_directory(const char *path, struct error **err)
{
        if (mkdir(path, 0700) == 0 || errno == EEXIST) return 0;
        return error_system(err, errno, "create directory %s", path);
}

static char *temporary_directory(struct error **err)
{
        const char *parent = getenv("TMPDIR");
        char *path = mem_printf("%s/tutti-sandbox-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
        if (mkdtemp(path) != NULL) return path;
        error_system(err, errno, "create directory %s", path);
        free(path);
        return NULL;
}

/* Where the hosts live, and the secret of their keys. */
static int prepare(struct sandbox_hosts *hosts, const char *directory, struct error **err)
{
        hosts->temporary = directory == NULL;
        hosts->directory = hosts->temporary ? temporary_directory(err) : mem_printf("%s/hosts", directory);
        if (hosts->directory == NULL) return -1;
        if (!sandbox_sshd_takes_path(hosts->directory)) {
                hosts->sshd.missing =
                    "sshd cannot use a directory whose name has more than letters, digits and ._+,=@:/-";
                return 0;
        }
        if (hosts->temporary) return sandbox_hostkey_secret(NULL, hosts->secret, err);
        if (make_directory(hosts->directory, err) < 0) return -1;
        sandbox_strays_kill(hosts->directory);
        cleanup_free char *secret = mem_printf("%s/.secret", hosts->directory);
        return sandbox_hostkey_secret(secret, hosts->secret, err);
}

struct sandbox_hosts *sandbox_hosts_new(
    struct sandbox_watches *watches, const char *directory, bool enabled, struct error **err)
{
        cleanup(sandbox_hosts_free) struct sandbox_hosts *hosts = mem_alloc(sizeof *hosts);
        hosts->watches = watches;
        sandbox_sshd_look(&hosts->sshd, enabled);
        if (hosts->sshd.missing == NULL && prepare(hosts, directory, err) < 0) return NULL;
        return steal(hosts);
}

static int remove_entry(const char *path);

/* Removes a directory and what is in it; links are not followed. Depth is bounded by PATH_MAX. */
static void remove_directory(const char *path)
{
        DIR *dir = opendir(path);
        if (dir == NULL) return;
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
                cleanup_free char *inner = mem_printf("%s/%s", path, entry->d_name);
                if (strlen(inner) < PATH_MAX && remove_entry(inner) < 0) remove_directory(inner);
        }
        closedir(dir);
        rmdir(path);
}

/* -1 when it is a directory with something in it. */
static int remove_entry(const char *path)
{
        struct stat info;
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
                chmod(path, 0700); /* a session may have closed it */
                return rmdir(path);
        }
        unlink(path);
        return 0;
}

static void host_free(struct host *host)
{
        if (host == NULL) return;
        if (host->door >= 0) {
                sandbox_watches_remove(host->hosts->watches, host->door);
                close(host->door);
        }
        text_release(&host->keys);
        free(host->id);
        free(host->name);
        free(host->directory);
        free(host);
}
CLEANUP(struct host *, host_free);

static void end_sessions(struct host *host)
{
        struct sandbox_hosts *hosts = host->hosts;
        for (struct session **at = &hosts->sessions; *at != NULL;) {
                struct session *session = *at;
                if (session->host != host) {
                        at = &session->next;
                        continue;
                }
                kill(session->pid, SIGKILL);
                waitpid(session->pid, NULL, 0);
                *at = session->next;
                free(session);
        }
        cleanup_free char *home = mem_printf("%s/home", host->directory);
        if (host->visited) sandbox_strays_kill(home);
}

void sandbox_hosts_free(struct sandbox_hosts *hosts)
{
        if (hosts == NULL) return;
        for (map_foreach (&hosts->by_id, entry)) {
                end_sessions(entry->value);
                host_free(entry->value);
        }
        map_release(&hosts->by_id);
        if (hosts->temporary && hosts->directory != NULL) remove_directory(hosts->directory);
        free(hosts->directory);
        sandbox_sshd_release(&hosts->sshd);
        mem_wipe(hosts->secret, sizeof hosts->secret);
        free(hosts);
}

void sandbox_hosts_stop(struct sandbox_hosts *hosts, const char *id)
{
        struct host *host = map_get(&hosts->by_id, id);
        if (host == NULL) return;
        end_sessions(host);
        remove_directory(host->directory);
        map_remove(&hosts->by_id, id);
        host_free(host);
}

void sandbox_hosts_tidy(struct sandbox_hosts *hosts)
{
        DIR *dir = hosts->directory ? opendir(hosts->directory) : NULL;
        if (dir == NULL) return;
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
                if (entry->d_name[0] == '.' || map_has(&hosts->by_id, entry->d_name)) continue;
                cleanup_free char *path = mem_printf("%s/%s", hosts->directory, entry->d_name);
                remove_directory(path);
        }
        closedir(dir);
}

void sandbox_hosts_reap(struct sandbox_hosts *hosts)
{
        for (struct session **at = &hosts->sessions; *at != NULL;) {
                struct session *session = *at;
                if (waitpid(session->pid, NULL, WNOHANG) == 0) {
                        at = &session->next;
                        continue;
                }
                *at = session->next;
                free(session);
        }
}

/* What lies in a host's directory when somebody enters. */
static int furnish(struct host *host, struct error **err)
{
        struct sandbox_hostkey key;
        cleanup_free char *home = mem_printf("%s/home", host->directory);
        cleanup_free char *private = mem_printf("%s/host_key", host->directory);
        if (make_directory(host->directory, err) < 0 || make_directory(home, err) < 0) return -1;
        if (sandbox_hostkey_derive(host->hosts->secret, host->id, &key, err) < 0) return -1;
        int result = sandbox_hostkey_write(&key, private, err);
        mem_wipe(&key, sizeof key);
        if (result < 0 || sandbox_sshd_authorize(host->directory, &host->keys, err) < 0) return -1;
        return sandbox_sshd_configure(&host->hosts->sshd, host->directory, host->name, err);
}

static int begin_session(struct host *host, int connection, struct error **err)
{
        if (!host->visited && furnish(host, err) < 0) return -1;
        pid_t pid = sandbox_sshd_spawn(&host->hosts->sshd, host->directory, connection, err);
        if (pid < 0) return -1;
        struct session *session = mem_alloc(sizeof *session);
        *session = (struct session){pid, host, host->hosts->sessions};
        host->hosts->sessions = session;
        host->visited = true;
        return 0;
}

static void on_door(struct sandbox_watch *watch, uint32_t events)
{
        (void)events;
        struct host *host = (struct host *)watch;
        cleanup(error_free) struct error *err = NULL;
        int connection = accept4(host->door, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0) return;
        if (clock_monotonic_ms() >= host->open_at && begin_session(host, connection, &err) < 0)
                log_error("%s", error_message(err));
        close(connection);
}

/* A listening socket on loopback; on any port when the wanted one is taken. */
static int open_door(unsigned wanted, unsigned *port, struct error **err)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
            .sin_port = htons((uint16_t)wanted),
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        int on = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (door < 0) return error_system(err, errno, "open a port for a server");
        setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(door, (struct sockaddr *)&address, sizeof address) < 0) {
                address.sin_port = 0;
                if (wanted == 0 || bind(door, (struct sockaddr *)&address, sizeof address) < 0) {
                        error_system(err, errno, "open a port for a server");
                        close(door);
                        return -1;
                }
        }
        if (listen(door, 1024) < 0 || getsockname(door, (struct sockaddr *)&address, &len) < 0) {
                error_system(err, errno, "open a port for a server");
                close(door);
                return -1;
        }
        *port = ntohs(address.sin_port);
        return door;
}

int sandbox_hosts_start(struct sandbox_hosts *hosts, const char *id, const char *name, unsigned port,
    struct sandbox_host_address *ret, struct error **err)
{
        struct sandbox_hostkey key;
        cleanup(host_free) struct host *host = mem_alloc(sizeof *host);
        host->watch.ready = on_door;
        host->hosts = hosts;
        host->id = mem_strdup(id);
        host->name = mem_strdup(name);
        host->directory = mem_printf("%s/%s", hosts->directory, id);
        host->open_at = INT64_MAX;
        host->door = open_door(port, &ret->port, err);
        if (host->door < 0 || sandbox_hostkey_derive(hosts->secret, id, &key, err) < 0) return -1;
        sandbox_hostkey_text(&key, ret->key);
        mem_wipe(&key, sizeof key);
        if (sandbox_watches_add(hosts->watches, host->door, EPOLLIN, &host->watch, err) < 0) return -1;
        map_put(&hosts->by_id, host->id, host);
        steal(host);
        return 0;
}

void sandbox_hosts_open(struct sandbox_hosts *hosts, const char *id, int64_t at)
{
        struct host *host = map_get(&hosts->by_id, id);
        if (host != NULL) host->open_at = at;
}

int sandbox_hosts_rename(struct sandbox_hosts *hosts, const char *id, const char *name, struct error **err)
{
        struct host *host = map_get(&hosts->by_id, id);
        if (host == NULL || strcmp(host->name, name) == 0) return 0;
        free(host->name);
        host->name = mem_strdup(name);
        return host->visited ? sandbox_sshd_configure(&hosts->sshd, host->directory, name, err) : 0;
}

int sandbox_hosts_authorize(
    struct sandbox_hosts *hosts, const char *id, const char *const *keys, size_t count, struct error **err)
{
        struct host *host = map_get(&hosts->by_id, id);
        if (host == NULL) return 0;
        text_clear(&host->keys);
        for (size_t i = 0; i < count; i++) {
                text_addn(&host->keys, keys[i], strcspn(keys[i], "\r\n"));
                text_addc(&host->keys, '\n');
        }
        return host->visited ? sandbox_sshd_authorize(host->directory, &host->keys, err) : 0;
}
