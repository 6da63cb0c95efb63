#!/bin/bash
# One object is one resource, whoever comes by it and when: two that adopt it at once, one that finds what another is making, two answers, a document,
# an import. And what nobody knows to be made by a run is not deleted by its rollback.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/o/providers/blind" && cd "$WORK/o" || exit 1
fault() { call POST /_control "{\"faults\": $1}"; }
fresh() { rm -rf .tutti; fault '[]'; call POST /_control '{"latency": "0"}'; }
ids() { "$TUTTI" state list "$1" --json | jq -r '[.[] | select(.id | startswith("net-") or startswith("vol-")) | .id] | "\(length) \(unique | length)"'; }
twice() { journal "[.[] | select(.effect == \"created\" and .name == \"$1\")] | length"; }
# Disks that are found by nothing: a lost reply asks a person.
cat >providers/blind/provider.yaml <<'YAML'
provider: blind
doc: Disks that nothing finds.
config:
  endpoint: {type: string, required: true, env: TUTTI_SANDBOX_ENDPOINT, doc: Where its API is.}
  token: {type: string, required: true, sensitive: true, env: TUTTI_SANDBOX_TOKEN, doc: Its token.}
endpoint: ${config.endpoint}
auth: {scheme: bearer, token: "${config.token}"}
types:
  blind.disk:
    doc: A disk.
    properties:
      name: {type: string, required: true, create_only: true, doc: Its name.}
      size: {type: number, required: true, api: size_gb, grows: true, doc: In gigabytes.}
    create: {method: POST, path: /v1/volumes, body: "${document}", id: "${reply.body.id}", wait: {until: '${item.status == "active"}'}}
    read: {path: [v1, volumes, "${id}"], object: "${reply.body}"}
    update: {method: PATCH, path: [v1, volumes, "${id}"], body: "${document}"}
    delete: {method: DELETE, path: [v1, volumes, "${id}"]}
YAML
fresh

# --- adopted by several at once ---
call POST /v1/networks '{"name": "shared", "cidr": "10.0.0.0/16"}'
cat >several.yaml <<'YAML'
environment: several
resources:
  n1: {type: sandbox.network, adopt: if-exists, properties: {name: shared, cidr: 10.0.0.0/16}}
  n2: {type: sandbox.network, adopt: if-exists, properties: {name: shared, cidr: 10.0.0.0/16}}
  n3: {type: sandbox.network, adopt: if-exists, properties: {name: shared, cidr: 10.0.0.0/16}}
YAML
tutti apply several.yaml --yes
code 1 "three adopt one object"
is "$(ids several.yaml)" "1 1" "one has it"
like "$OUT" "is recorded as n[123] already: one object cannot be two resources" "and the others say whose it is"
like "$OUT" "n[123] adopted net-" "which was adopted, not created"
tutti apply several.yaml --yes
is "$CODE $(ids several.yaml)" "1 1 1" "another apply changes nothing of that"
is "$(journal '[.[] | select(.name == "shared" and .effect == "deleted")] | length')" 0 "nothing is deleted"

# --- found while another makes it ---
fresh
call POST /_control '{"latency": "1500ms"}'
cat >window.yaml <<'YAML'
environment: window
resources:
  a: {type: sandbox.network, properties: {name: window, cidr: 10.0.0.0/16}}
  z: {type: exec.command, properties: {run: "sleep 0.4"}}
  b: {type: sandbox.network, after: [z], adopt: if-exists, properties: {name: window, cidr: 10.0.0.0/16}}
YAML
tutti apply window.yaml --yes
is "$CODE $(ids window.yaml)" "1 1 1" "what is still being made is somebody's already"
sed -i '/^  b:/d' window.yaml
call POST /_control '{"latency": "0"}'
tutti apply window.yaml --yes
is "$CODE $(journal '[.[] | select(.name == "window") | .effect] | join(" ")')" "0 created" "and stays when the other leaves the template"

# --- two answers with one id; in any order ---
two() { # --parallel N
        fresh
        cat >answers.yaml <<'YAML'
environment: answers
resources:
  b1: {type: blind.disk, retry: 1, on_failure: ask, properties: {name: answers, size: 1}}
  b2: {type: blind.disk, retry: 1, on_failure: ask, properties: {name: answers, size: 1}}
YAML
        call POST /v1/volumes '{"name": "answers", "size_gb": 1}'
        V=$(jq -r .id <<<"$BODY")
        fault '[{"match": "POST /v1/volumes", "do": "reset-before", "times": 2}]'
        tutti apply answers.yaml --yes
        for b in b1 b2; do tutti approve answers.yaml $b:failed --answer "adopt $V"; done
        tutti resume answers.yaml --parallel "$1"
        is "$CODE $(ids answers.yaml)" "3 1 1" "two answers name one object, $1 at once: it is one of them"
        like "$OUT" "$V is recorded as b[12] already" "$1 at once: and the other asks again"
        is "$(journal "[.[] | select(.id == \"$V\" and .effect == \"deleted\")] | length")" 0 "$1 at once: it stands"
}
two 1
two 8

# --- the very object that is replaced is not its own successor ---
fresh
cat >self.yaml <<'YAML'
environment: self
parameters: {n: {type: string, default: one}}
resources:
  b: {type: blind.disk, retry: 1, replace: create-first, properties: {name: "self-${param.n}", size: 1}}
YAML
tutti apply self.yaml --yes
tutti state show self.yaml b --json
OLD=$(jq -r .id <<<"$OUT")
fault '[{"match": "POST /v1/volumes", "do": "reset-after", "times": 1}]'
tutti apply self.yaml --yes --set n=two
code 3 "a successor is not answered"
tutti approve self.yaml b:failed --answer "adopt $OLD"
tutti resume self.yaml
code 3 "the old one is no answer"
like "$OUT" "$OLD is recorded as b already" "which is said"
call GET '/v1/volumes?name=self-two'
tutti approve self.yaml b:failed-2 --answer "adopt $(jq -r '.[0].id' <<<"$BODY")"
tutti resume self.yaml
code 0 "the new one is"
tutti destroy self.yaml --yes
is "$CODE $(journal '[.[] | select(.name | . != null and startswith("self-")) | .effect] | sort | join(" ")')" "0 created created deleted deleted" "and nothing is left of either"

# --- what a person named is not known to be made by the run ---
fresh
cat >handed.yaml <<'YAML'
environment: handed
parameters: {x: {type: string, default: "true"}}
resources:
  b: {type: blind.disk, retry: 1, on_failure: ask, properties: {name: handed, size: 1}}
  x: {type: exec.command, after: [b], on_failure: rollback, properties: {run: "${param.x}"}}
YAML
call POST /v1/volumes '{"name": "handed", "size_gb": 1}'
V=$(jq -r .id <<<"$BODY")
fault '[{"match": "POST /v1/volumes", "do": "reset-before", "times": 1}]'
tutti apply handed.yaml --yes --set x=false
tutti approve handed.yaml b:failed --answer "adopt $V"
tutti resume handed.yaml --yes
code 3 "a run fails behind it: its rollback asks first"
like "$OUT" "rollback:r1 waits for approval: going back would delete what run r1 did not make.*b" "and says what it would take"
is "$(journal "[.[] | select(.id == \"$V\" and .effect == \"deleted\")] | length")" 0 "the object stands"
tutti approve handed.yaml rollback:r1 --reject
tutti resume handed.yaml
is "$(journal "[.[] | select(.id == \"$V\" and .effect == \"deleted\")] | length")" 0 "after a no for good"
tutti destroy handed.yaml --yes

# --- what an earlier run began was there before this one ---
fresh
cat >began.yaml <<'YAML'
environment: began
parameters: {x: {type: string, default: "true"}}
resources:
  n: {type: sandbox.network, retry: 1, properties: {name: began, cidr: 10.0.0.0/16}}
  x: {type: exec.command, after: [n], on_failure: rollback, properties: {run: "${param.x}"}}
YAML
fault '[{"match": "POST /v1/networks", "do": "reset-after", "times": 1}]'
tutti apply began.yaml --yes
code 1 "a creation is not answered"
sleep 0.01
tutti apply began.yaml --yes --set x=false
code 3 "the next run continues it, and fails: its rollback asks first"
is "$(journal '[.[] | select(.name == "began") | .effect] | join(" ")')" created "and deletes nothing unasked"
tutti resume began.yaml --approve rollback:r2
is "$(journal '[.[] | select(.name == "began") | .effect] | join(" ")')" "created deleted" "only after a yes"

# --- documents and imports ---
fresh
cat >doc.yaml <<'YAML'
environment: doc
parameters: {more: {type: bool, default: false}}
resources:
  v: {type: sandbox.volume, properties: {name: doc, size_gb: 1}}
  w: {type: sandbox.volume, when: "${param.more}", properties: {name: doc, size_gb: 1}}
YAML
tutti apply doc.yaml --yes
"$TUTTI" state export doc.yaml | jq '.resources[0].address = "w"' >other.json
tutti state import doc.yaml other.json
code 4 "a document with the object of another address"
like "$ERR" "w: sandbox.volume 'vol-.*' is recorded as v already" "is refused"
"$TUTTI" state export doc.yaml | jq '.resources += [.resources[0] | .address = "w"]' >both.json
rm -rf .tutti
tutti state import doc.yaml both.json
code 4 "so is one that has it twice"
jq '.resources |= .[:1]' both.json >one.json
tutti state import doc.yaml one.json
code 0 "once is well"
tutti import doc.yaml w "$(jq -r '.resources[0].id' one.json)" --set more=true
code 4 "import refuses it too"
tutti destroy doc.yaml --yes

# An import ends what was begun there, unless that is known to be another.
fresh
cat >ends.yaml <<'YAML'
environment: ends
resources:
  n: {type: sandbox.network, retry: 1, properties: {name: ends, cidr: 10.0.0.0/16}}
YAML
call POST /v1/networks '{"name": "ends", "cidr": "10.0.0.0/16"}'
OTHER=$(jq -r .id <<<"$BODY")
fault '[{"match": "POST /v1/networks", "do": "reset-after", "times": 1}]'
tutti apply ends.yaml --yes
tutti import ends.yaml n "$OTHER"
code 0 "an object is imported where a creation was not answered"
like "$OUT" "taken for what run r1 began to create there. If that made another object, it is left in the cloud" "which is said"
tutti destroy ends.yaml --yes
rm -rf .tutti
call POST /_control '{"latency": "1s"}'
sed -i 's/retry: 1/timeout: {create: 300ms}/; s/name: ends/name: late/' ends.yaml
call POST /v1/networks '{"name": "late", "cidr": "10.0.0.0/16"}'
OTHER=$(jq -r .id <<<"$BODY")
for _ in $(seq 100); do call GET "/v1/networks/$OTHER"; [ "$(jq -r .status <<<"$BODY")" = active ] && break; sleep 0.05; done
tutti apply ends.yaml --yes
code 1 "a creation runs out of time"
tutti import ends.yaml n "$OTHER"
code 0 "another object is imported there"
is "$("$TUTTI" status ends.yaml --json | jq '.open | length')" 1 "what was made is still open"
tutti apply ends.yaml --yes
is "$CODE $(journal '[.[] | select(.name == "late") | .effect] | join(" ")')" "0 created created deleted" "and is removed"
is "$(ids ends.yaml)" "1 1" "the imported one stays"
is "$("$TUTTI" state show ends.yaml n --json | jq -r .id)" "$OTHER" "as it was"
# A creation that is continued with other values is an update as well.
fresh
call POST /_control '{"latency": "1s"}'
cat >guard.yaml <<'YAML'
environment: guard
parameters: {size: {type: number, default: 1}}
resources:
  v: {type: sandbox.volume, timeout: {create: 300ms}, approve: {on: [update]}, properties: {name: guard, size_gb: "${param.size}"}}
YAML
tutti apply guard.yaml --yes
code 1 "a creation runs out of time"
tutti state mv guard.yaml v w
code 4 "it cannot be moved"
like "$ERR" "what a run began there is still open: an apply ends it, or .tutti state rm" "which says why"
tutti apply guard.yaml --yes --set size=2
code 3 "with another size, somebody is asked"
tutti approve guard.yaml v
call POST /_control '{"latency": "0"}'
for _ in $(seq 100); do call GET '/v1/volumes?name=guard'; [ "$(jq -r '.[0].status' <<<"$BODY")" = active ] && break; sleep 0.05; done
tutti resume guard.yaml
is "$CODE $(journal '[.[] | select(.name == "guard") | .effect] | join(" ")')" "0 created updated" "before it is changed"
tutti destroy guard.yaml --yes
# What is recorded elsewhere since is no remainder of a creation.
fresh
cat >since.yaml <<'YAML'
environment: since
parameters: {two: {type: bool, default: false}}
resources:
  n: {type: sandbox.network, retry: 1, when: "${!param.two}", properties: {name: since, cidr: 10.0.0.0/16}}
  m: {type: sandbox.network, when: "${param.two}", properties: {name: since, cidr: 10.0.0.0/16}}
YAML
fault '[{"match": "POST /v1/networks", "do": "reset-after", "times": 1}]'
tutti apply since.yaml --yes
call GET '/v1/networks?name=since'
tutti import since.yaml m "$(jq -r '.[0].id' <<<"$BODY")" --set two=true
code 0 "what a creation made is imported at another address"
tutti apply since.yaml --yes --set two=true
is "$CODE $(journal '[.[] | select(.name == "since") | .effect] | join(" ")')" "0 created" "and is not removed as its remainder"
like "$OUT" "it was recorded since, and stays" "which is said"
is "$("$TUTTI" status since.yaml --json | jq '.open | length')" 0 "nothing is open"

# --- a new one is in use before the old one goes, also where what stands on it is made anew ---
fresh
cat >first.yaml <<'YAML'
environment: first
parameters: {img: {type: string, default: a}}
resources:
  net: {type: sandbox.network, properties: {name: first, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: first, network_id: "${net.id}", cidr: 10.0.0.0/24}}
  w: {type: sandbox.server, replace: create-first, properties: {name: "first-${param.img}", subnet_id: "${sub.id}", size: s, image: "${param.img}"}}
  vol: {type: sandbox.volume, properties: {name: first, size_gb: 1}}
  att: {type: sandbox.attachment, retry: 1, properties: {server_id: "${w.id}", volume_id: "${vol.id}"}}
YAML
tutti apply first.yaml --yes
fault '[{"match": "POST /v1/attachments", "do": "500", "times": 9}]'
tutti apply first.yaml --yes --set img=b
code 1 "what stands on it cannot be made anew"
is "$(journal '[.[] | select(.type == "server" and .effect == "deleted")] | length')" 0 "the old one still stands"
fault '[]'
tutti apply first.yaml --yes
code 0 "and is taken back"
is "$(journal '[.[] | select(.type == "server") | "\(.effect) \(.name)"] | join(", ")')" "created first-a, created first-b, deleted first-b" "as it was"
no_changes first.yaml "all as before"
tutti apply first.yaml --yes --set img=c
is "$CODE $(journal '[.[] | select(.type == "server" or .type == "attachment") | .effect + " " + .type] | .[-4:] | join(", ")')" \
        "0 created server, deleted attachment, created attachment, deleted server" "new, over to it, and then the old one"
tutti destroy first.yaml --yes
finish
