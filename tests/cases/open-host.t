#!/bin/bash
# What was begun on one host, and is wanted on another now, is taken away there and made here.
. "${BASH_SOURCE%/*}/engine.sh"
command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || { echo "1..0 # SKIP OpenSSH's server is not installed"; exit 0; }
engine_sandbox --latency 10ms
mkdir -p "$WORK/story" && cd "$WORK/story" || exit 1
ssh-keygen -q -t ed25519 -N '' -f id
cat >cloud.yaml <<'YAML'
environment: cloud
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  key: {type: sandbox.ssh_key, properties: {name: key, public_key: '${file("id.pub")}'}}
  web: {type: sandbox.server, count: 2, properties: {name: "web-${count.index}", subnet_id: "${sub.id}", size: small, image: debian-12, ssh_key_ids: ["${key.id}"]}}
YAML
tutti apply cloud.yaml --yes
code 0 "two hosts"
host() {
        tutti state show cloud.yaml "web[$1]" --json
        jq -r '"{address: 127.0.0.1, port: \(.outputs.ssh_port), user: \(.outputs.ssh_user), key_file: id, host_key: \"\(.outputs.host_key)\"}"' <<<"$OUT"
}
made() { (cd "$WORK" && ls -d tutti-sandbox-*/"$1"*/home/made 2>/dev/null | wc -l); }
web() { tutti state show cloud.yaml "web[$1]" --json; jq -r .outputs.id <<<"$OUT"; }
FIRST=$(web 0) SECOND=$(web 1) ON_FIRST=$(host 0) ON_SECOND=$(host 1)
on() {
        cat >moves.yaml <<YAML
environment: moves
resources:
  f: {type: ssh.command, host: $1, retry: 1, properties: {run: 'touch made; test -e $WORK/go || sleep 60', on_delete: rm made}}
YAML
}
on "$ON_FIRST"
"$TUTTI" apply moves.yaml --yes >killed.out 2>&1 &
APPLY=$!
for _ in $(seq 400); do [ "$(made "$FIRST")" = 1 ] && break; sleep 0.05; done
kill -KILL $APPLY; wait $APPLY 2>/dev/null
is "$(made "$FIRST") $(made "$SECOND")" "1 0" "killed in the middle of a creation on the first host"
touch "$WORK/go"
on "$ON_SECOND"
tutti plan moves.yaml --json
is "$(jq -c '[.steps[] | [.address, .action]]' "$WORK/out")" '[["f","delete"],["f","create"]]' "it is to be taken away, and made on the other"
tutti apply moves.yaml --yes
code 0 "which is done"
is "$(made "$FIRST") $(made "$SECOND")" "0 1" "on each of them"
no_changes moves.yaml "and nothing is left to do"
tutti destroy moves.yaml --yes
is "$CODE $(made "$FIRST") $(made "$SECOND")" "0 0 0" "destroyed"
finish
