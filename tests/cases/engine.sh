# For stories about whole runs: the practice cloud (sandbox.sh) and an environment to work on. Sourced, not run.
#
#     project                    makes a folder of its own with the examples in it, and goes there
#     tutti ARGS…                runs the program; sets CODE, OUT (standard output) and ERR (standard error)
#     journal JQ                 the cloud's journal through jq
#     orphans                    ids of objects that exist in the cloud
#     no_changes ENV NAME        plan says that nothing is to be done
#     needs_sshd                 skips the story where OpenSSH's server is not installed
#     hosts COUNT                makes so many servers web[0] … in cloud.yaml, with the key `id`, in this folder
#     host_part INDEX NAME       what the cloud says of one: ssh_port, ssh_user, host_key, id

HERE=$(cd "${BASH_SOURCE%/*}/../.." && pwd)
TUTTI=$(realpath "${TUTTI:-build/tutti}")
export TUTTI_STRICT=1 # a fault of the program itself ends it at once
. "${BASH_SOURCE%/*}/sandbox.sh"

engine_sandbox() {
        sandbox_start "$@"
        export TUTTI_SANDBOX_ENDPOINT=$URL TUTTI_SANDBOX_TOKEN=$TOKEN
}

project() {
        mkdir -p "$WORK/project/examples"
        cp -r "$HERE/examples/webshop" "$WORK/project/examples/"
        cp -r "$HERE/templates" "$WORK/project/"
        rm -rf "$WORK/project/examples/webshop/.tutti"
        cd "$WORK/project/examples/webshop" || exit 1
}

tutti() {
        "$TUTTI" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
        CODE=$?
        OUT=$(cat "$WORK/out")
        ERR=$(cat "$WORK/err")
}

# Shows what went wrong when the exit code is another than wanted.
code() { # WANT NAME
        is "$CODE" "$1" "$2"
        [ "$CODE" = "$1" ] || sed 's/^/# /' "$WORK/out" "$WORK/err" | tail -n 40
}

needs_sshd() {
        command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] && return
        echo "1..0 # SKIP OpenSSH's server is not installed"
        exit 0
}

hosts() {
        ssh-keygen -q -t ed25519 -N '' -f id
        cat >cloud.yaml <<YAML
environment: cloud
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "\${net.id}", cidr: 10.0.1.0/24}}
  key: {type: sandbox.ssh_key, properties: {name: key, public_key: '\${file("id.pub")}'}}
  web: {type: sandbox.server, count: $1, properties: {name: "web-\${count.index}", subnet_id: "\${sub.id}", size: small, image: debian-12, ssh_key_ids: ["\${key.id}"]}}
YAML
        tutti apply cloud.yaml --yes
        code 0 "hosts: $1"
}

host_part() {
        tutti state show cloud.yaml "web[$1]" --json
        jq -r ".outputs.$2" <<<"$OUT"
}

journal() {
        call GET /_journal
        jq -rc "$1" <<<"$BODY"
}

orphans() {
        journal '[group_by(.id)[] | select((map(select(.effect=="created"))|length) > (map(select(.effect=="deleted"))|length)) | .[0].name] | sort | join(" ")'
}

no_changes() {
        tutti plan "$1" --detailed-exitcode
        code 0 "$2"
}
