/* Finding, configuring and starting sshd; see sshd.h. */
#include "providers/sandbox/sshd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <shadow.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/text.h"

static char *find_program(const char *name, const char *folders)
{
        while (folders != NULL && *folders != '\0') {
                size_t len = strcspn(folders, ":");
                cleanup_free char *path = mem_printf("%.*s/%s", (int)len, folders, name);
                if (*path == '/' && access(path, X_OK) == 0) return steal(path);
                folders += len + (folders[len] == ':');
        }
        return NULL;
}

/* sshd separates its privileges in a chroot that must exist, even where no init system made it. */
static bool prepare_as_root(void)
{
        struct stat info;
        mkdir("/run/sshd", 0755);
        return stat("/run/sshd", &info) == 0 && S_ISDIR(info.st_mode) && getpwnam("sshd") != NULL;
}

static bool is_locked(const char *user)
{
        const struct spwd *shadow = getspnam(user);
        return shadow != NULL && shadow->sp_pwdp != NULL && shadow->sp_pwdp[0] == '!';
}

static const char *find_obstacle(struct sandbox_sshd *sshd)
{
        const struct passwd *user = getpwuid(geteuid());
        if (user == NULL) return "this user has no account, so nobody can log in";
        sshd->user = mem_strdup(user->pw_name);
        if (text_ends(user->pw_shell, "/nologin") || text_ends(user->pw_shell, "/false"))
                return "this user has no login shell, so nobody can log in";
        sshd->program = find_program("sshd", getenv("PATH"));
        if (sshd->program == NULL) sshd->program = find_program("sshd", "/usr/sbin:/usr/local/sbin:/sbin");
        if (sshd->program == NULL)
                return "OpenSSH's server is not installed, so this server is a record only";
        sshd->sftp = find_program(
            "sftp-server", "/usr/lib/openssh:/usr/libexec:/usr/libexec/openssh:/usr/lib/ssh");
        if (geteuid() != 0) return NULL;
        if (!prepare_as_root())
                return "sshd needs /run/sshd and a user named sshd when it is started by root";
        return is_locked(sshd->user) ? "this user's account is locked, so nobody can log in" : NULL;
}

void sandbox_sshd_look(struct sandbox_sshd *sshd, bool enabled)
{
        sshd->missing = enabled ? find_obstacle(sshd)
                                : "SSH is switched off, so this server is a record only";
}

void sandbox_sshd_release(struct sandbox_sshd *sshd)
{
        free(sshd->program);
        free(sshd->sftp);
        free(sshd->user);
}

bool sandbox_sshd_takes_path(const char *path)
{
        for (; *path != '\0'; path++)
                if (!isalnum((unsigned char)*path) && strchr("._+,=@:/-", *path) == NULL) return false;
        return true;
}

/* Replaces a file in one step. */
static int write_file(
    const char *directory, const char *name, mode_t mode, const struct text *content, struct error **err)
{
        cleanup_free char *path = mem_printf("%s/%s", directory, name);
        cleanup_free char *next = mem_printf("%s.new", path);
        int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        if (fd < 0) return error_system(err, errno, "create %s", next);
        ssize_t n = content->len ? write(fd, content->data, content->len) : 0;
        int failed = n < 0 ? errno : (size_t)n != content->len ? ENOSPC : 0;
        if (close(fd) < 0 && failed == 0) failed = errno;
        if (failed == 0 && rename(next, path) < 0) failed = errno;
        return failed ? error_system(err, failed, "write %s", path) : 0;
}

static int write_config(
    const struct sandbox_sshd *sshd, const char *directory, const char *host_name, struct error **err)
{
        struct text t = {0};
        text_add(&t, "# Written by the practice cloud for one of its servers.\n");
        text_addf(&t, "HostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\n", directory, directory);
        text_addf(
            &t, "SetEnv HOME=%s/home HOST_ROOT=%s/home HOST_NAME=%s\n", directory, directory, host_name);
        text_addf(&t, "ForceCommand exec %s/enter\n", directory);
        text_addf(&t, "AllowUsers %s\n", sshd->user);
        if (sshd->sftp != NULL) text_addf(&t, "Subsystem sftp %s\n", sshd->sftp);
        text_add(&t, "PidFile none\nStrictModes no\nUsePAM no\nUseDNS no\nPermitRootLogin yes\n"
                     "PubkeyAuthentication yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                     "AuthenticationMethods publickey\nPermitUserEnvironment no\nPermitUserRC no\n"
                     "X11Forwarding no\nAllowAgentForwarding no\nPrintMotd no\nPrintLastLog no\n"
                     "MaxSessions 100\nMaxAuthTries 20\nLoginGraceTime 30\nLogLevel VERBOSE\n");
        int result = write_file(directory, "sshd_config", 0600, &t, err);
        text_release(&t);
        return result;
}

/* Every session starts here: in the server's own home, with the command that was asked for. */
static int write_enter(const char *directory, const char *host_name, struct error **err)
{
        struct text t = {0};
        text_add(&t, "#!/bin/sh\n");
        text_addf(&t, "HOME=%s/home HOST_ROOT=%s/home HOST_NAME=%s\n", directory, directory, host_name);
        text_add(&t, "export HOME HOST_ROOT HOST_NAME\ncd \"$HOME\" || exit 1\n"
                     "command=$SSH_ORIGINAL_COMMAND\nunset SSH_ORIGINAL_COMMAND OLDPWD\n"
                     "if [ -n \"$command\" ]; then exec /bin/sh -c \"$command\"; fi\n"
                     "exec \"${SHELL:-/bin/sh}\"\n");
        int result = write_file(directory, "enter", 0700, &t, err);
        text_release(&t);
        return result;
}

int sandbox_sshd_configure(
    const struct sandbox_sshd *sshd, const char *directory, const char *name, struct error **err)
{
        cleanup_free char *host_name = mem_strdup(name);
        for (char *c = host_name; *c != '\0'; c++)
                if (!isalnum((unsigned char)*c) && *c != '.' && *c != '_') *c = '-';
        if (write_config(sshd, directory, host_name, err) < 0) return -1;
        return write_enter(directory, host_name, err);
}

int sandbox_sshd_authorize(const char *directory, const struct text *keys, struct error **err)
{
        return write_file(directory, "authorized_keys", 0600, keys, err);
}

/* Between fork and exec only what is safe there; all texts were made before. */
static _Noreturn void become_sshd(
    char *const *argv, const char *root, const char *log, int connection, pid_t parent)
{
        char *const environment[] = {
            (char *)root, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        setsid(); /* Ctrl-C at the sandbox's terminal is for the sandbox */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        int errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (dup2(connection, 0) < 0 || dup2(connection, 1) < 0 || dup2(errors, 2) < 0) _exit(127);
        execve(argv[0], argv, environment);
        _exit(127);
}

pid_t sandbox_sshd_spawn(
    const struct sandbox_sshd *sshd, const char *directory, int connection, struct error **err)
{
        cleanup_free char *config = mem_printf("%s/sshd_config", directory);
        cleanup_free char *log = mem_printf("%s/log", directory);
        cleanup_free char *root = mem_printf("HOST_ROOT=%s/home", directory);
        char *argv[] = {sshd->program, "-i", "-e", "-f", config, NULL};
        pid_t parent = getpid(), pid = fork();
        if (pid < 0) {
                error_system(err, errno, "start sshd");
                return -1;
        }
        if (pid == 0) become_sshd(argv, root, log, connection, parent);
        return pid;
}
