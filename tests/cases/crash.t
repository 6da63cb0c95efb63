#!/bin/bash
# kill -9 at twenty moments of a creation, then resume: no orphan, no duplicate, and the plan is empty afterwards.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 20ms-60ms
mkdir -p "$WORK/crash" && cd "$WORK/crash" || exit 1
cat >shop.yaml <<'YAML'
environment: crash
resources:
  network: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  subnet:
    type: sandbox.subnet
    for_each: [a, b]
    properties: {name: "sub-${each.key}", network_id: "${network.id}", cidr: "${cidrsubnet(network.cidr, 8, each.index)}"}
  web:
    type: sandbox.server
    count: 3
    properties: {name: "web-${count.index}", subnet_id: '${subnet["a"].id}', size: small, image: debian-12}
  volume:
    type: sandbox.volume
    count: 3
    properties: {name: "vol-${count.index}", size_gb: 10}
  attachment:
    type: sandbox.attachment
    count: 3
    properties: {server_id: "${web[count.index].id}", volume_id: "${volume[count.index].id}"}
  note: {type: value, properties: {input: "${web[*].id}"}}
outputs:
  servers: ${note.output}
YAML

TUTTI_FAULT=count:$WORK/points "$TUTTI" apply shop.yaml --yes >"$WORK/out" 2>&1
CODE=$?
code 0 "a run without faults"
POINTS=$(wc -l <"$WORK/points")
echo "# $POINTS fault points in a run without faults"
tutti destroy shop.yaml --yes
code 0 "and away with it"

kills=0
for i in $(seq 20); do
        at=$((1 + (POINTS - 1) * (i - 1) / 19)) # how many there are depends a little on timing: the last may not be reached
        rm -rf .tutti
        TUTTI_FAULT=kill:$at "$TUTTI" apply shop.yaml --yes >"$WORK/out" 2>&1
        killed=$?
        [ $killed = 137 ] && kills=$((kills + 1))
        [ $killed = 0 ] && [ "$i" -gt 14 ] && killed=137
        if [ $killed = 137 ] && "$TUTTI" status shop.yaml --json 2>/dev/null | jq -e '.run != null' >/dev/null; then
                tutti resume shop.yaml
        else
                tutti apply shop.yaml --yes
        fi
        [ "$CODE" = 0 ] || sed 's/^/# /' "$WORK/out" "$WORK/err" | tail -n 20
        tutti plan shop.yaml --detailed-exitcode
        left=$CODE
        call GET /_journal
        names=$(jq -rc '[group_by(.id)[] | select((map(select(.effect=="created"))|length) > (map(select(.effect=="deleted"))|length)) | .[0].type] | sort | group_by(.) | map("\(.[0]):\(length)") | join(" ")' <<<"$BODY")
        is "$killed $left $names" "137 0 attachment:3 network:1 server:3 subnet:2 volume:3" "killed at point $at of $POINTS, resumed: everything once"
        tutti destroy shop.yaml --yes
        [ "$(orphans)" = "" ] || { code 0 "destroyed after the crash at $at"; is "$(orphans)" "" "nothing left"; }
done
[ $kills -ge 14 ]; ok $? "$kills of 20 runs were killed on their way"
finish
