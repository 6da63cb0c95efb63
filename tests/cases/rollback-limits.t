#!/bin/bash
# An automatic rollback deletes and replaces what its run made, and nothing else unless somebody says so: what was there before has what people
# put into it. The cloud's journal is the witness.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/limits" && cd "$WORK/limits" || exit 1

fault() { call POST /_control "{\"faults\": [$1]}"; }
deleted() { journal '[.[] | select(.effect == "deleted") | .name] | sort | join(" ")' | tr -d '"' | xargs; }
losses() { jq -c '.rollback | [.possible, (.problems | map(.address))]' <<<"$OUT"; }

# --- a volume that grew ---
cat >rb.yaml <<'YAML'
environment: rb
parameters: {n: {type: number, default: 1}, fail: {type: bool, default: false}}
resources:
  vol: {type: sandbox.volume, count: "${param.n}", properties: {name: "rb-${count.index}", size_gb: "${10 * param.n}"}}
  chk: {type: exec.command, after: [vol], on_failure: rollback, retry: 1, properties: {run: '${param.fail ? "exit 1" : "true"}'}}
YAML
tutti apply rb.yaml --yes
code 0 "a volume"
tutti plan rb.yaml --set n=3 --set fail=true --json
is "$(losses)" '[false,["vol[0]"]]' "a plan tells what a rollback could not do by itself"
is "$(jq -r '.rollback.problems[0].message' <<<"$OUT")" \
        "a rollback would have to replace it, as size_gb only grows: its data would be lost, so it asks first" "and why"
tutti plan rb.yaml --set n=3 --set fail=true
like "$OUT" "Warning.*a failure would ask for a rollback.*vol\[0\]: a rollback would have to replace it, as size_gb only grows" "also for people"
tutti apply rb.yaml --yes --approve all --set n=3 --set fail=true
code 3 "a check fails, and the rollback waits"
like "$OUT" "rollback:r2 waits for approval: going back would delete what run r2 did not make, with all that is in it: vol\[0\] \(size_gb changed" "and says for what"
is "$(deleted)" "rb-1 rb-2" "what the run made is deleted, and nothing else; 'all' did not speak of this"
tutti status rb.yaml --json
is "$(jq -c '.run | [.kind, .status, (.gates | map(.gate // .name))]' <<<"$OUT")" '["rollback","waiting",["rollback:r2"]]' "it waits durably"
tutti apply rb.yaml --yes
code 3 "an apply goes no further"
is "$(deleted)" "rb-1 rb-2" "and deletes nothing either"
tutti approve rb.yaml rollback:r2 --reject
code 0 "somebody says no"
tutti resume rb.yaml
code 1 "the rollback ends there"
is "$(deleted)" "rb-1 rb-2" "and the volume stands"
call GET /v1/volumes
field 'map([.name, .size_gb])' '[["rb-0",30]]' "as it grew"

# --- somebody says yes; and a person's own way back ---
tutti apply rb.yaml --yes --set n=3
code 0 "forward again"
tutti apply rb.yaml --yes --set n=4 --set fail=true
code 3 "another one grows, and waits"
RUN=$(tutti status rb.yaml --json; jq -r '.run.gates[0] | .gate // .name' <<<"$OUT")
tutti resume rb.yaml --approve "$RUN"
code 1 "approved by its name, it goes on; its run has failed"
like "$OUT" "rolled it back" "and is undone"
call GET /v1/volumes
field 'map([.name, .size_gb]) | sort' '[["rb-0",30],["rb-1",30],["rb-2",30]]' "all volumes are as they were"
BEFORE=$(deleted)
tutti rollback rb.yaml r1 --plan
unlike "$OUT" "rollback:" "a person's own way back is shown"
tutti rollback rb.yaml r1 --yes
code 0 "and done, as any plan that was approved"
call GET /v1/volumes
field 'map([.name, .size_gb])' '[["rb-0",10]]' "a smaller one took its place"
tutti destroy rb.yaml --yes

# --- nested, of more than one type: what stands on it waits as well ---
mkdir -p parts
cat >parts/disk.yaml <<'YAML'
parameters: {size: {type: number}, server: {type: string}, name: {type: string}}
resources:
  vol: {type: sandbox.volume, properties: {name: "${param.name}", size_gb: "${param.size}"}}
  att: {type: sandbox.attachment, properties: {server_id: "${param.server}", volume_id: "${vol.id}"}}
outputs: {device: "${att.device}"}
YAML
cat >disk.yaml <<'YAML'
environment: disk
parameters: {size: {type: number, default: 1}, fail: {type: bool, default: false}}
resources:
  net: {type: sandbox.network, properties: {name: disk-net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: disk-sub, cidr: 10.0.1.0/24, network_id: "${net.id}"}}
  srv: {type: sandbox.server, properties: {name: disk-srv, subnet_id: "${sub.id}", size: small, image: d1}}
  part: {type: template, template: parts/disk.yaml, for_each: [a, b], properties: {name: "disk-${each.key}", size: "${param.size}", server: "${srv.id}"}}
  other: {type: sandbox.volume, properties: {name: "disk-other-${param.size}", size_gb: 1}}
  bad: {type: exec.command, after: [part, other], retry: 1, on_failure: rollback, properties: {run: '${param.fail ? "exit 1" : "true"}'}}
YAML
tutti apply disk.yaml --yes
code 0 "volumes on a server"
OLD=$(deleted)
tutti plan disk.yaml --set size=2 --set fail=true --json
is "$(losses)" '[false,["part[\"a\"]/vol","part[\"b\"]/vol"]]' "both are told"
tutti apply disk.yaml --yes --set size=2 --set fail=true
code 3 "both grew: the rollback asks once"
like "$OUT" 'part\["a"\]/vol \(size_gb changed.*part\["b"\]/vol \(size_gb changed' "about both"
is "$(deleted)" "$OLD" "meanwhile neither they nor what is attached is taken away"
call GET /v1/volumes
field 'map(.name) | sort' '["disk-a","disk-b","disk-other-1"]' "and what could be changed in place is as it was"
RUN=$(tutti status disk.yaml --json; jq -r '.run.gates[0] | .gate // .name' <<<"$OUT")
tutti approve disk.yaml "$RUN"
tutti resume disk.yaml
code 1 "approved, all of it goes back"
call GET /v1/volumes
field 'map([.name, .size_gb]) | sort' '[["disk-a",1],["disk-b",1],["disk-other-1",1]]' "to what it was"
no_changes disk.yaml "and nothing is left to do"

# --- what the plan deletes itself is told, and made anew without a question ---
sed -i 's/^  other:.*/  other: {type: sandbox.database, properties: {name: disk-db, engine: "${param.size > 1 ? "mysql" : "postgres"}", size: small, password: secret, subnet_id: "${sub.id}"}}/' disk.yaml
sed -i 's/^  part:.*/  part: {type: value, properties: {input: 1}}/' disk.yaml
sed -i 's/engine: "${param.size > 1 ? "mysql" : "postgres"}"/engine: '"'"'${param.size > 1 ? "mysql" : "postgres"}'"'"'/' disk.yaml
tutti apply disk.yaml --yes
code 0 "a database"
tutti plan disk.yaml --set size=2 --set fail=true --json
is "$(losses)" '[false,["other"]]' "that is to be replaced"
is "$(jq -r '.rollback.problems[0].message' <<<"$OUT")" "is deleted by this plan: a rollback would make another one, without what is in it" "is told"
tutti apply disk.yaml --yes --set size=2 --set fail=true
code 1 "replaced, and replaced again on the way back: the run had made it"
no_changes disk.yaml "as it was"
tutti destroy disk.yaml --yes

# --- what an earlier run set aside stays ---
cat >aside.yaml <<'YAML'
environment: aside
parameters: {img: {type: string, default: d1}, fail: {type: bool, default: false}}
resources:
  net: {type: sandbox.network, properties: {name: aside-net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: aside-sub, cidr: 10.0.1.0/24, network_id: "${net.id}"}}
  srv: {type: sandbox.server, replace: create-first, retry: 1, properties: {name: aside-srv, subnet_id: "${sub.id}", size: small, image: "${param.img}"}}
  vol: {type: sandbox.volume, count: "${param.fail ? 1 : 0}", properties: {name: aside-true, size_gb: 1}}
  bad: {type: exec.command, after: vol, retry: 1, on_failure: rollback, properties: {run: '${param.fail ? "exit 1" : "true"}'}}
YAML
tutti apply aside.yaml --yes
OLD=$(deleted)
fault '{"match": "DELETE /v1/servers", "do": "500", "times": 1}'
tutti apply aside.yaml --yes --set img=d2
code 1 "a server is set aside, as it cannot be deleted"
fault ''
tutti apply aside.yaml --yes --set img=d2 --set fail=true --target bad
code 1 "a later run fails"
tutti state list aside.yaml
like "$OUT" "replaced, to be deleted" "its rollback leaves it where it was"
is "$(deleted)" "$(xargs -n1 <<<"$OLD aside-true" | sort | xargs)" "and deletes what that run made"
tutti apply aside.yaml --yes --set img=d2
code 0 "the next plan says that it goes"
is "$(deleted)" "$(xargs -n1 <<<"$OLD aside-srv aside-true" | sort | xargs)" "and it does"
tutti destroy aside.yaml --yes
is "$(orphans)" "" "in the end nothing is left"

# --- at a terminal it asks ---
if command -v script >/dev/null; then
        tutti apply rb.yaml --yes
        { for _ in $(seq 400); do grep -qs 'rollback:r[0-9]*: .*> ' screen && break; sleep 0.05; done; echo reject; sleep 0.2; } |
                TERM=xterm NO_COLOR=1 script -qfec "stty cols 200; exec $TUTTI apply rb.yaml --yes --set n=2 --set fail=true" screen >/dev/null 2>&1
        like "$(tr -d '\r' <screen)" "approve.*reject.*rejected by .*and so did run" "somebody who sits there is asked, and says no"
        call GET /v1/volumes
        field 'map([.name, .size_gb])' '[["rb-0",20]]' "and the volume stands"
        tutti destroy rb.yaml --yes
fi
finish
