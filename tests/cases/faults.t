#!/bin/bash
# A cloud that fails in every way it can: each fault is survived, and each object is made once.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 10ms
mkdir -p "$WORK/faults" && cd "$WORK/faults" || exit 1
cat >env.yaml <<'YAML'
environment: faults
resources:
  net: {type: sandbox.network, retry: {backoff: 20ms, max: 100ms}, properties: {name: net, cidr: 10.0.0.0/16}}
  sub:
    type: sandbox.subnet
    retry: {backoff: 20ms, max: 100ms}
    properties: {name: sub, network_id: "${net.id}", cidr: 10.0.1.0/24}
  web:
    type: sandbox.server
    count: 3
    retry: {backoff: 20ms, max: 100ms}
    properties: {name: "web-${count.index}", subnet_id: "${sub.id}", size: small, image: debian-12}
YAML

survives() { # CONTROL NAME
        call POST /_control "$1"
        tutti apply env.yaml --yes
        code 0 "$2: applied"
        call POST /_control '{"faults": [], "rate": null, "visible_after": "0ms"}'
        is "$(journal '[group_by(.id)[] | select((map(select(.effect=="created"))|length) > (map(select(.effect=="deleted"))|length)) | .[0].type] | sort | group_by(.) | map("\(.[0]):\(length)") | join(" ")')" \
                "network:1 server:3 subnet:1" "$2: everything once"
        tutti plan env.yaml --detailed-exitcode
        code 0 "$2: and nothing left to do"
        tutti destroy env.yaml --yes
        code 0 "$2: destroyed"
        is "$(orphans)" "" "$2: nothing left"
}

for fault in 500 503 429 reset-before reset-after truncate; do
        survives '{"faults": [{"match": "POST /v1/servers", "do": "'$fault'", "times": 2, "skip": 1}]}' "$fault on creation"
done
survives '{"faults": [{"match": "GET /v1/servers/*", "do": "503", "times": 3}, {"match": "DELETE *", "do": "reset-after", "times": 1}]}' "faults while waiting"
survives '{"visible_after": "300ms"}' "objects that are invisible at first"
survives '{"rate": "20/s"}' "a rate limit"

# A fault that does not pass: the branch fails, the rest stands, the next apply goes on.
call POST /_control '{"faults": [{"match": "POST /v1/servers", "do": "500", "times": 1000}]}'
tutti apply env.yaml --yes --json
code 1 "a fault that stays fails the run"
is "$(jq -r 'select(.event=="run-done") | .status, .summary.create, .summary.failed' <<<"$OUT" | tr '\n' ' ')" "failed 2 3 " "what was made counts"
[ "$(jq -r 'select(.event=="step-retry") | .event' <<<"$OUT" | wc -l)" -ge 12 ]; ok $? "after retries"
call POST /_control '{"faults": []}'
tutti apply env.yaml --yes
code 0 "when the cloud is well again, apply goes on"
is "$(journal '[group_by(.id)[] | select((map(select(.effect=="created"))|length) > (map(select(.effect=="deleted"))|length)) | .[0].name] | group_by(.) | map(select(length > 1)) | length')" 0 "without a duplicate"
tutti plan env.yaml --detailed-exitcode
code 0 "and nothing is left to do"
finish
