#!/bin/bash
# Ctrl-C says at once what it does: nothing more starts, waits between tries end, what is under way is finished and recorded. And a long step gives a
# sign of life where no terminal shows one.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh
mkdir -p "$WORK/i" && cd "$WORK/i" || exit 1
fresh() { rm -rf .tutti go; call POST /_control '{"faults": [], "latency": "0"}'; }
until_seen() { for _ in $(seq 400); do grep -q "$1" out && return 0; sleep 0.05; done; return 1; } # WORDS
begin() { "$TUTTI" "$@" >out 2>&1 </dev/null & RUN=$!; }
ended() { wait $RUN; CODE=$?; OUT=$(cat out); }

# --- waits between tries end ---
cat >tries.yaml <<'YAML'
environment: tries
resources:
  c: {type: exec.command, retry: {attempts: 50, backoff: 60s, max: 60s}, properties: {run: "test -e go"}}
  d: {type: value, after: c, properties: {input: 1}}
YAML
fresh
begin apply tries.yaml --yes
until_seen "trying again"
ok $? "a command waits a minute for its next try"
START=$SECONDS
kill -INT $RUN
ended
is "$CODE" 130 "interrupted: exit 130"
ok $((SECONDS - START >= 20)) "at once, and not when the minute is over"
like "$OUT" "stopping: nothing more starts" "which is said"
tutti status tries.yaml
like "$OUT" "interrupted" "the run was interrupted"
touch go
tutti resume tries.yaml
code 0 "resume tries again"
no_changes tries.yaml "and does the rest"
cat >refused.yaml <<'YAML'
environment: refused
resources:
  n: {type: sandbox.network, retry: {attempts: 50, backoff: 60s, max: 60s}, properties: {name: tries, cidr: 10.0.0.0/16}}
YAML
fresh
call POST /_control '{"faults": [{"match": "POST /v1/networks", "do": "500-after", "times": 1}]}'
begin apply refused.yaml --yes
until_seen "trying again"
kill -INT $RUN
ended
is "$CODE" 130 "a creation that waits for its next try: exit 130"
is "$("$TUTTI" status refused.yaml --json | jq -c '.open | map(.address)')" '["n"]' "what it may have made is open"
tutti resume refused.yaml
is "$CODE $(journal '[.[] | select(.name == "tries") | .effect] | join(" ")')" "0 created" "resume finds it"
tutti destroy refused.yaml --yes

# --- what is under way is finished, and named ---
cat >way.yaml <<'YAML'
environment: way
resources:
  a: {type: exec.command, properties: {run: "until test -e go; do sleep 0.1; done"}}
  b: {type: exec.command, properties: {run: "until test -e go; do sleep 0.1; done"}}
  c: {type: exec.command, after: a, properties: {run: "true"}}
YAML
fresh
begin apply way.yaml --yes
until_seen "b creating"
kill -INT $RUN
until_seen "stopping"
ok $? "it says so while they run"
touch go
ended
is "$CODE" 130 "what was under way: exit 130"
like "$OUT" "stopping: nothing more starts; 2 steps under way are finished first \(a, b\). Ctrl-C again stops at once, and .tutti resume. settles the rest" "with their names"
is "$("$TUTTI" state list way.yaml --json | jq -r 'map(.address) | join(" ")')" "a b" "both are recorded, and nothing else began"
tutti resume way.yaml
code 0 "resume does the rest"
fresh
begin apply way.yaml --yes --json
until_seen '"step-started","address":"b"'
kill -INT $RUN
until_seen run-stopping
touch go
ended
is "$(jq -rs 'map(.event) | map(select(. == "run-stopping" or . == "run-done")) | join(" ")' out)" "run-stopping run-done" "with --json it is an event"

# --- a sign of life ---
fresh
export TUTTI_HEARTBEAT=300ms
begin apply way.yaml --yes
until_seen "a still creating, after"
ok $? "a step that takes long says so"
touch go
ended
code 0 "and ends"
fresh
begin apply way.yaml --yes --json
until_seen '"message":"still creating, after'
ok $? "as JSON as well"
touch go
ended
is "$(jq -c 'select(.message != null and (.message | startswith("still"))) | [.event, (.run | type), (.address | type)]' out | sort -u)" '["step-progress","string","string"]' "which names it"
unset TUTTI_HEARTBEAT
fresh
touch go
tutti apply way.yaml --yes
unlike "$OUT" "still creating" "what is quick does not"
finish
