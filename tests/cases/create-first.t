#!/bin/bash
# An object that was set aside by a create-first replacement and is wanted again is taken back: nothing is made, and the newer one goes. The
# cloud's journal is the witness.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/first" && cd "$WORK/first" || exit 1

fault() { call POST /_control "{\"faults\": [$1]}"; }
# What was made and deleted of one name, in order: "+2 -3" counts objects from 1 on.
story() { # NAME
        journal '[.[] | select(.name == "'"$1"'" and (.effect == "created" or .effect == "deleted"))]
                | (reduce .[] as $e ({}; if .[$e.id] then . else .[$e.id] = (length + 1) end)) as $n
                | map((if .effect == "created" then "+" else "-" end) + ($n[.id] | tostring)) | join(" ")' | tr -d '"'
}
id_of() { # ENV ADDRESS
        tutti state export "$1"
        jq -r --arg a "$2" '.resources[] | select(.address == $a and .deposed == null) | .id' <<<"$OUT"
}

server() { # NAME; on standard output
        cat <<YAML
environment: $1
parameters: {img: {type: string, default: d1}, size: {type: string, default: small}}
resources:
  net: {type: sandbox.network, properties: {name: $1-net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: $1-sub, cidr: 10.0.1.0/24, network_id: "\${net.id}"}}
  srv:
    type: sandbox.server
    replace: create-first
    retry: 1
    properties: {name: $1, subnet_id: "\${sub.id}", size: "\${param.size}", image: "\${param.img}"}
YAML
}
check() { # POLICY; on standard output
        cat <<YAML
  check:
    type: exec.command
    retry: 1
    $1
    properties: {run: 'test "\$I" != d2', environment: {I: "\${srv.image}", ID: "\${srv.id}"}}
YAML
}

# --- a failed run is rolled back ---
{ server auto; check "on_failure: rollback"; } >auto.yaml
tutti apply auto.yaml --yes
code 0 "a server"
A=$(id_of auto.yaml srv)
tutti apply auto.yaml --yes --set img=d2
code 1 "a check fails after its replacement was made"
like "$OUT" "take back the one that was set aside.*1 taken back, 1 deleted.*run r3 rolled it back" "the old one is taken back"
is "$(story auto)" "+1 +2 -2" "and never deleted; nothing else was made"
is "$(id_of auto.yaml srv)" "$A" "it is recorded again"
no_changes auto.yaml "nothing is left to do"

# --- a plain apply goes back, with a change in place ---
{ server plain; check ""; } >plain.yaml
tutti apply plain.yaml --yes
A=$(id_of plain.yaml srv)
tutti apply plain.yaml --yes --set img=d2
code 1 "the same without a policy"
tutti state list plain.yaml
like "$OUT" "replaced, to be deleted" "the old one is set aside"
tutti plan plain.yaml --json --set size=large
is "$(jq -c '[.steps[] | select(.address == "srv") | .action]' <<<"$OUT")" '["restore","update","delete"]' "a plan shows three steps"
is "$(jq -c '[.summary.restore, .summary.replace, .summary.create, .summary.delete]' <<<"$OUT")" '[1,0,0,1]' "and counts them"
tutti plan plain.yaml -o saved.plan --set size=large
code 0 "it is saved"
tutti apply saved.plan
code 0 "and applied"
is "$(id_of plain.yaml srv)" "$A" "by its id"
is "$(story plain)" "+1 +2 -2" "nothing else was made"
tutti plan plain.yaml --detailed-exitcode --set size=large
code 0 "and nothing is left to do"

# --- going back by hand, after a deletion that failed ---
server hand >hand.yaml
tutti apply hand.yaml --yes
A=$(id_of hand.yaml srv)
fault '{"match": "DELETE /v1/servers", "do": "500", "times": 1}'
tutti apply hand.yaml --yes --set img=d2
code 1 "the old one cannot be deleted"
fault ''
tutti rollback hand.yaml r1 --yes
code 0 "and is wanted again"
is "$(id_of hand.yaml srv)" "$A" "it is taken back"
is "$(story hand)" "+1 +2 -2" "the newer one is deleted"

# --- the new one was never answered, and the change is taken out ---
server open >open.yaml
tutti apply open.yaml --yes
A=$(id_of open.yaml srv)
fault '{"match": "POST /v1/servers", "do": "500", "times": 1}'
tutti apply open.yaml --yes --set img=d2
code 1 "a creation without an answer"
fault ''
tutti apply open.yaml --yes
code 0 "the change is taken back"
is "$(id_of open.yaml srv)" "$A" "the original is what is recorded"
call GET "/v1/servers/$A"
is "$STATUS" 200 "and stands"
is "$(orphans | tr ' ' '\n' | grep -cx open)" 1 "alone"

# --- the newer one is broken ---
server broken >broken.yaml
tutti apply broken.yaml --yes
A=$(id_of broken.yaml srv)
call POST /_control '{"latency": "10m"}'
sed -i 's/    retry: 1/    retry: 1\n    timeout: {create: 300ms}/' broken.yaml
tutti apply broken.yaml --yes --set img=d2
code 1 "one that does not become ready"
call POST /_control '{"latency": "0"}'
tutti apply broken.yaml --yes
code 0 "goes"
is "$(id_of broken.yaml srv)" "$A" "and the original is taken back"
is "$(story broken)" "+1 +2 -2" "of two that were made"

# --- what was set aside was deleted outside ---
{ server out; check ""; } >out.yaml
tutti apply out.yaml --yes
A=$(id_of out.yaml srv)
tutti apply out.yaml --yes --set img=d2
call DELETE "/v1/servers/$A"
await "/v1/servers" '(map(select(.id == "'"$A"'")) | length) == 0'
tutti apply out.yaml --yes
code 0 "it is gone"
is "$(story out)" "+1 +2 -1 +3 -2" "so one is made"

# --- it is a replacement to whoever guards it ---
{ server guard; check ""; } >guard.yaml
tutti apply guard.yaml --yes
tutti apply guard.yaml --yes --set img=d2
sed 's/    retry: 1/    retry: 1\n    protect: true/' guard.yaml >protected.yaml
tutti plan protected.yaml
code 4 "what is protected gives way to none"
like "$ERR" "srv is protected, and this change would replace it" "and says so"
sed '0,/    retry: 1/s//    retry: 1\n    approve: {on: [replace]}/' guard.yaml >asks.yaml
tutti apply asks.yaml --yes
code 3 "whoever approves replacements is asked"
tutti approve asks.yaml srv
tutti resume asks.yaml
code 0 "approved, it is taken back"
is "$(story guard)" "+1 +2 -2" "and the newer one goes"

# --- nested, with instances, a chain of replacements, other types ---
mkdir -p parts
cat >parts/site.yaml <<'YAML'
parameters: {net: {type: string}, cidr: {type: string}, name: {type: string}}
resources:
  sub: {type: sandbox.subnet, replace: create-first, properties: {name: "${param.name}-sub", cidr: "${param.cidr}", network_id: "${param.net}"}}
  srv: {type: sandbox.server, count: 2, replace: create-first, properties: {name: "${param.name}-${count.index}", subnet_id: "${sub.id}", size: small, image: d1}}
outputs: {ids: "${srv[*].id}"}
YAML
cat >nest.yaml <<'YAML'
environment: nest
parameters: {at: {type: string, default: one}, fail: {type: bool, default: false}}
resources:
  net: {type: sandbox.network, for_each: [one, two], properties: {name: "nest-${each.key}", cidr: 10.0.0.0/16}}
  site:
    type: template
    template: parts/site.yaml
    for_each: [a, b]
    properties: {net: "${net[param.at].id}", name: "nest-${each.key}", cidr: '10.0.${each.key == "a" ? 1 : 101}.0/24'}
  check:
    type: exec.command
    retry: 1
    on_failure: rollback
    properties: {run: '${param.fail ? "exit 1" : "true"}', environment: {IDS: '${join(" ", concat(site["a"].ids, site["b"].ids))}'}}
outputs: {ids: '${concat(site["a"].ids, site["b"].ids)}'}
YAML
tutti apply nest.yaml --yes
code 0 "two sites of a subnet and two servers"
tutti output nest.yaml --json
IDS=$(jq -c .ids <<<"$OUT")
tutti apply nest.yaml --yes --set at=two --set fail=true
code 1 "the subnets move to another network, and a failure"
like "$OUT" "6 taken back, 6 deleted" "all of it is taken back"
is "$(story nest-a-sub) $(story nest-b-1)" "+1 +2 -2 +1 +2 -2" "and what was made for it is deleted"
tutti output nest.yaml --json
is "$(jq -c .ids <<<"$OUT")" "$IDS" "the servers are the same"
no_changes nest.yaml "and nothing is left to do"

# --- a command that ran again has no older one to go back to ---
cat >runs.yaml <<'YAML'
environment: runs
parameters: {v: {type: string, default: one}}
resources:
  run: {type: exec.command, replace: create-first, properties: {run: "echo ${param.v} >>log", on_delete: "true"}}
  check: {type: exec.command, retry: 1, on_failure: rollback, properties: {run: 'test "$V" != two', environment: {V: "${param.v}"}}, after: run}
YAML
tutti apply runs.yaml --yes
tutti apply runs.yaml --yes --set v=two
code 1 "a command and a failure after it"
is "$(tr '\n' ' ' <log)" "one two one " "on the way back it runs anew"

for env in auto plain hand open broken out guard nest; do tutti destroy $env.yaml --yes; done
is "$(orphans)" "" "in the end nothing is left"
finish
