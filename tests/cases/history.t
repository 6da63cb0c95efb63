#!/bin/bash
# What happened, and who waits for whom: waiting for an environment that is held, timelines, history, the audit.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/history" && cd "$WORK/history" || exit 1

# --- waiting for an environment ---
cat >held.yaml <<'YAML'
environment: held
resources:
  slow: {type: exec.command, properties: {run: "touch started; until [ -e go-on ]; do sleep 0.1; done"}}
YAML
hold() { # starts a run that goes on until go-on appears
        rm -f go-on started
        "$TUTTI" apply held.yaml --yes --json >"$WORK/held.out" 2>&1 </dev/null &
        HOLDER=$!
        for _ in $(seq 400); do [ -e started ] && break; sleep 0.05; done
}
hold
tutti apply held.yaml --yes --no-refresh
code 5 "held by another run: exit 5"
like "$ERR" "held by $(id -un)@.* \(pid $HOLDER.* since 20" "naming the holder, and since when"
tutti apply held.yaml --yes --no-refresh --wait 300ms
code 5 "and so after a wait that was too short"
like "$ERR" "waiting up to" "having said that it waits"
like "$ERR" "held by $(id -un)@[^ ]* \(pid $HOLDER\) since 20.*waited" "and for whom it waited"
tutti resume held.yaml --wait 200ms --json
code 5 "resume too"
is "$(jq -r '.problems[0].kind' <<<"$OUT")" busy "in JSON"

waiter() { # ARGS…: a command that waits; its exit code comes with `came`
        "$TUTTI" "$@" >"$WORK/waiter.out" 2>"$WORK/waiter.err" </dev/null &
        WAITER=$!
        for _ in $(seq 400); do grep -qs "waiting up to" "$WORK/waiter.err" && break; sleep 0.05; done
}
came() { wait $WAITER; CODE=$?; OUT=$(cat "$WORK/waiter.out"); ERR=$(cat "$WORK/waiter.err"); }
waiter apply held.yaml --yes --wait 5m
touch go-on
came
is "$CODE" 0 "let go: the waiting run goes on"
like "$OUT" "Nothing to do|No changes|up to date|nothing" "with a plan of what it finds then"
wait $HOLDER
is $? 0 "after the first"
tutti destroy held.yaml --yes

hold
waiter destroy held.yaml --yes --wait 5m
kill -KILL $HOLDER; wait $HOLDER 2>/dev/null
touch go-on
came
is "$CODE" 0 "a holder that dies is waited for until its lease ends, at most"
hold
waiter apply held.yaml --yes --wait 5m
kill -INT $WAITER
came
is "$CODE" 130 "Ctrl-C ends the waiting"
touch go-on
wait $HOLDER
tutti destroy held.yaml --yes
tutti apply held.yaml --wait soon
code 4 "a wait that is no duration"

# --- what is printed ---
json_problem() { # ARGS…
        tutti "$@"
        code 4 "tutti $*"
        like "$(jq -r '.problems[0] | .kind + " " + .message' <<<"$OUT" 2>/dev/null)" "^input ." "tutti $*: as JSON"
}
json_problem aply --json
json_problem plan --json
json_problem plan held.yaml --jsn --json
json_problem plan --json held.yaml other.yaml
json_problem state --json frobnicate held.yaml
json_problem apply held.yaml --parallel many --json
cat >gated.yaml <<'YAML'
environment: gated
resources:
  first: {type: value, properties: {input: 1}}
  go: {type: gate, after: [first], properties: {message: "Shall we?"}}
  second: {type: value, after: [go], properties: {input: 2}}
YAML
tutti plan gated.yaml -o gated.plan
tutti apply gated.plan
code 3 "a saved plan waits"
like "$OUT" "tutti approve gated.yaml 'go' && tutti resume gated.yaml" "and its hint names the environment"
finish
