#!/bin/bash
# What was begun on one host, and is wanted on another now, is taken away there and made here.
. "${BASH_SOURCE%/*}/engine.sh"
needs_sshd
engine_sandbox --latency 10ms
mkdir -p "$WORK/story" && cd "$WORK/story" || exit 1
hosts 2
host() { echo "{address: 127.0.0.1, port: $(host_part "$1" ssh_port), user: $(host_part "$1" ssh_user), key_file: id, host_key: \"$(host_part "$1" host_key)\"}"; }
made() { (cd "$WORK" && ls -d tutti-sandbox-*/"$1"*/home/made 2>/dev/null | wc -l); }
FIRST=$(host_part 0 id) SECOND=$(host_part 1 id) ON_FIRST=$(host 0) ON_SECOND=$(host 1)
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
