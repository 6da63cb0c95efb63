#!/bin/bash
# What the template ignores: it is no drift, it is never removed, and a path that leads nowhere is an error.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh
mkdir -p "$WORK/i" && cd "$WORK/i" || exit 1
env_file() { # RESOURCE-KEYS PROPERTIES
        printf 'environment: i\nresources:\n  net: {type: sandbox.network, %sproperties: {name: i, cidr: 10.0.0.0/16, %s}}\n' "$1" "$2" >i.yaml
}
start() { # KEYS PROPERTIES
        tutti destroy i.yaml --yes
        rm -rf .tutti
        env_file "$1" "$2"
        tutti apply i.yaml --yes
        call GET /v1/networks
        ID=$(jq -r '.[0].id' <<<"$BODY")
}
outside() { call PATCH "/v1/networks/$ID" "$1"; }
labels() { call GET "/v1/networks/$ID"; jq -Sc .labels <<<"$BODY"; }
drift() { # CODE NAME
        tutti drift i.yaml --detailed-exitcode
        code "$1" "$2"
}

# --- no drift ---
start 'ignore: ["labels[\"added\"]"], ' 'labels: {w: "1"}'
outside '{"labels": {"w": "1", "added": "x"}}'
no_changes i.yaml "an ignored key is not to be changed"
drift 0 "and is no drift"
like "$OUT" "No drift" "which is said"
tutti drift i.yaml --json
is "$(jq '.steps | length' <<<"$OUT")" 0 "also as JSON"
outside '{"labels": {"w": "2", "added": "x"}}'
drift 2 "another key is"
like "$OUT" "labels.w" "and named"
unlike "$OUT" "added" "without the ignored one"
tutti apply i.yaml --yes
is "$(labels)" '{"added":"x","w":"1"}' "an apply brings back the one, and leaves the other"
drift 0 "and there is no drift"
start 'ignore: [labels], ' 'labels: {w: "1"}'
outside '{"labels": {"z": "9"}}'
drift 0 "a whole property that is ignored"
no_changes i.yaml "is left as it is"
start 'ignore: ["labels.added", "labels.more"], ' 'labels: {w: "1"}'
outside '{"labels": {"w": "1", "added": "x", "more": "y"}}'
drift 0 "two keys"

# --- never removed ---
start 'ignore: ["labels[\"added\"]"], ' 'labels: {w: "1"}'
outside '{"labels": {"w": "1", "added": "x"}}'
env_file 'ignore: ["labels[\"added\"]"], ' ''
tutti plan i.yaml --json
is "$(jq -c '[.steps[].changes[] | .path]' <<<"$OUT")" '["labels.w"]' "the map leaves the template: its own key goes"
tutti apply i.yaml --yes
is "$(labels)" '{"added":"x"}' "the ignored one stays"
no_changes i.yaml "for good"
env_file 'ignore: ["labels[\"added\"]"], ' 'labels: null'
no_changes i.yaml "also where it is null"
env_file 'ignore: ["labels[\"added\"]"], ' 'labels: {}'
no_changes i.yaml "or empty"
start 'ignore: ["labels[\"added\"]"], ' ''
outside '{"labels": {"added": "x"}}'
no_changes i.yaml "a map that never was in the template"
outside '{"labels": {"added": "x", "other": "y"}}'
tutti apply i.yaml --yes
is "$(labels)" '{"added":"x"}' "of which the rest goes"
tutti destroy i.yaml --yes

# --- paths that lead nowhere ---
wrong() { # PATH PATTERN
        env_file "ignore: ['$1'], " 'labels: {}'
        tutti check i.yaml
        code 4 "ignore: $1"
        like "$ERR" "$2" "ignore: $1: why"
}
wrong 'labels.kubernetes.io/cluster' "'labels.kubernetes.io/cluster' leads nowhere: nothing is inside it; a key that holds dots is written"
wrong 'labels[0]' "is no key"
wrong 'name.first' "nothing is inside it"
wrong 'labels["a' "it is no path"
wrong 'lables.a' "unknown property 'lables'.*labels"
env_file 'ignore: ["labels[\"a.b/c\"]"], ' 'labels: {}'
tutti check i.yaml
code 0 "a key with dots, as it is written"
finish
