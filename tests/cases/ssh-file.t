#!/bin/bash
# Files on a host that are copies of local ones: a change on either side is seen when planning, and mended.
. "${BASH_SOURCE%/*}/engine.sh"
needs_sshd
engine_sandbox --latency 10ms
mkdir -p "$WORK/ssh-file" && cd "$WORK/ssh-file" || exit 1
ssh-keygen -q -t ed25519 -N '' -f id
cat >env.yaml <<'YAML'
environment: files
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  key: {type: sandbox.ssh_key, properties: {name: key, public_key: '${file("id.pub")}'}}
  web: {type: sandbox.server, properties: {name: web, subnet_id: "${sub.id}", size: small, image: debian-12, ssh_key_ids: ["${key.id}"]}}
  page:
    type: ssh.file
    host: {address: "${web.ssh_host}", port: "${web.ssh_port}", user: "${web.ssh_user}", key_file: id, host_key: "${web.host_key}"}
    properties: {path: site/page, source: page.txt, mode: "640"}
YAML
printf one >page.txt
tutti apply env.yaml --yes
code 0 "a local file is copied to the host"
tutti state show env.yaml web --json
PORT=$(jq -r .outputs.ssh_port <<<"$OUT")
on_host() { ssh -q -p "$PORT" -i id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 "$1"; }
is "$(on_host 'cat site/page; stat -c %a site/page')" "one640" "as it is, with its mode"
no_changes env.yaml "and nothing is left to do"

printf two >page.txt
tutti plan env.yaml --detailed-exitcode --json
is "$CODE $(jq -rc '[.steps[] | "\(.action) \(.address)"] | join(" ")' <<<"$OUT")" "2 update page" "the local file changes: the plan shows it"
tutti apply env.yaml --yes
code 0 "and it is copied"
is "$(on_host 'cat site/page')" two "again"
no_changes env.yaml "once"

on_host 'printf hacked >site/page'
tutti drift env.yaml --detailed-exitcode
code 2 "the copy changes: that is drift"
tutti apply env.yaml --yes
is "$(on_host 'cat site/page')" two "and is healed"
no_changes env.yaml "for good"

sed -i 's/source: page.txt/content: three/' env.yaml
tutti apply env.yaml --yes
code 0 "content takes the place of a source"
is "$(on_host 'cat site/page')" three "is written"
no_changes env.yaml "and stays"
# What a command there is given is in no list of processes, on neither side: by its environment, in its text, as content or as a name.
cat >>env.yaml <<'YAML'
  told:
    type: ssh.command
    host: {address: "${web.ssh_host}", port: "${web.ssh_port}", user: "${web.ssh_user}", key_file: id, host_key: "${web.host_key}"}
    properties:
      run: |
        t='${param.token}'; cat; echo "$T"; test "$t" = "$T" || exit 9; : >@HERE@/started; until [ -e @HERE@/go-on ]; do sleep 0.05; done
      environment: {T: "${param.token}"}
      input: "of its own\n"
      creates: "never-${param.token}"
parameters: {token: {type: string, sensitive: true}}
YAML
sed -i "s|@HERE@|$PWD|g" env.yaml
printf 'in-no-list-4712\n' >secret
printf 'token: in-no-list-4712\n' >values.yaml
"$TUTTI" apply env.yaml --values values.yaml --yes >"$WORK/out" 2>&1 </dev/null &
for i in $(seq 1 2400); do [ -e started ] && break; sleep 0.05; done
[ -e started ]
ok $? "a command on a host is given a secret"
is "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -cFf secret)" 0 "and no command line shows it"
touch go-on
wait $!
is $? 0 "it is done"
tutti state show env.yaml told --reveal --json
is "$(jq -r .outputs.stdout <<<"$OUT")" $'of its own\nin-no-list-4712' "it read its own input, and the secret"
tutti destroy env.yaml --values values.yaml --yes
code 0 "destroyed"
is "$(orphans)" "" "nothing left"
finish
