#!/bin/bash
# The record, mended by hand: addresses are the language's, and what is refused leaves everything as it was.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/state" && cd "$WORK/state" || exit 1

cat >v.yaml <<'YAML'
environment: v
resources:
  v: {type: value, for_each: [a, b], properties: {input: "${each.key}"}}
  one: {type: value, properties: {input: 1}}
YAML
tutti apply v.yaml --yes
code 0 "something is recorded"
recorded() { "$TUTTI" state export v.yaml | sha256sum; }
BEFORE=$(recorded)

# --- what is no address ---
WRONG=('v[b]' 'v["b' 'v b' '' '../x' 'gate/' 'a//b' 'v["a"]["b"]' 'v[01]' $'v["a\nb"]' $'v\n')
for address in "${WRONG[@]}"; do
        shown=$(printf %q "$address")
        for verb in show rm history; do
                tutti state $verb v.yaml "$address"
                is "$CODE $(grep -c 'no address' <<<"$ERR")" "4 1" "state $verb $shown"
        done
        tutti state mv v.yaml one "$address"
        is "$CODE $(grep -c 'no address' <<<"$ERR")" "4 1" "state mv to $shown"
        tutti state mv v.yaml "$address" two
        is "$CODE $(grep -c 'no address' <<<"$ERR")" "4 1" "state mv from $shown"
        tutti import v.yaml "$address" some-id
        is "$CODE $(grep -c 'no address' <<<"$ERR")" "4 1" "import $shown"
        "$TUTTI" state export v.yaml | jq -c --arg a "$address" '.resources[0].address = $a' >wrong.json
        tutti state import v.yaml wrong.json
        code 4 "state import of $shown"
        "$TUTTI" state export v.yaml | jq -c --arg a "$address" '.resources[0] |= (.address = "new" | .after = [$a]) | .resources |= .[:1]' >wrong.json
        tutti state import v.yaml wrong.json
        code 4 "and of what comes after $shown"
done
tutti state mv v.yaml 'v[b]' 'v["c"]'
like "$ERR" '`v\[b\]` is no address; `v\["b"\]`\?' "what a shell took the quotes of is told with them"
tutti state mv v.yaml one 'two[x]' --json
is "$CODE $(jq -r '.problems[0] | .kind, .message' <<<"$OUT" | tr '\n' ' ')" '4 input `two[x]` is no address; `two["x"]`? ' "in JSON"
is "$(recorded)" "$BEFORE" "nothing of it touched the record"

finish
