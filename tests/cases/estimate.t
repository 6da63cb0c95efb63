#!/bin/bash
# Estimates: a provider that does few things at once takes as long as all of its work; what is left is told while a run goes on.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 400ms
mkdir -p "$WORK/estimate" && cd "$WORK/estimate" || exit 1
environment() { # PARALLEL
        printf 'environment: estimate\nproviders: {sandbox: {parallel: %s}}\nresources:\n' "$1"
        printf '  a: {type: sandbox.volume, properties: {name: a, size_gb: 1}}\n'
        printf '  b: {type: sandbox.volume, after: [a], properties: {name: b, size_gb: 1}}\n'
        printf '  c: {type: sandbox.volume, count: 10, properties: {name: "c${count.index}", size_gb: 1}}\n'
}
estimate() { "$TUTTI" plan env.yaml --json | jq -r '.estimate.seconds'; }

environment 100 >env.yaml
tutti apply env.yaml --yes
code 0 "a first run measures"
tutti destroy env.yaml --yes
code 0 "and away with it"
WIDE=$(estimate)
environment 2 >env.yaml
NARROW=$(estimate)
# Twelve volumes of t seconds: two after each other, or six.
ok "$(jq -n --argjson w "$WIDE" --argjson n "$NARROW" 'if $w >= 0.8 and ($n / $w) > 2.9 and ($n / $w) < 3.1 then 0 else 1 end')" "at once $WIDE s, two at a time $NARROW s"
is "$("$TUTTI" plan env.yaml --json | jq -r '.estimate.critical_path | join(" ")')" "a b" "the longest path is told, too"

call POST /_control '{"latency": "2s"}'
"$TUTTI" apply env.yaml --yes >"$WORK/out" 2>&1 &
RUN=$!
left() { tutti status env.yaml --json; jq -c '[.run.status, .run.eta_seconds, (.run.critical_path | length)]' <<<"$OUT"; }
for _ in $(seq 200); do
        LEFT=$(left)
        jq -e '.[0] == "running"' <<<"$LEFT" >/dev/null && break
        sleep 0.05
done
jq -e '.[0] == "running" and .[1] > 0 and .[2] >= 1' <<<"$LEFT" >/dev/null
ok $? "while it goes on, status tells what is left: $LEFT"
tutti status env.yaml
like "$OUT" 'About .* left; the longest path is ' "and in words"
wait $RUN
is $? 0 "it ends"
is "$(left)" '["done",null,0]' "and nothing is left"
tutti destroy env.yaml --yes
code 0 "destroyed"
finish
