#!/bin/bash
# What a failure means: for what depends on it, for the whole run, for a gate that is rejected; and --on-failure over all of them.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/policies" && cd "$WORK/policies" || exit 1

steps() { # statuses of a run's steps by address
        tutti status "$1" --json
        jq -r '.run.steps | sort_by(.address) | map("\(.address):\(.status)") | join(" ")' <<<"$OUT"
}

# `first` fails at once; what comes behind `gate` would come later.
policy_env() { # FILE NAME POLICY
        cat >"$1" <<YAML
environment: $2
resources:
  broken: {type: exec.command, properties: {run: "exit 7"}, retry: 1, on_failure: $3}
  behind: {type: value, after: broken, properties: {input: 1}}
  slow: {type: exec.command, properties: {run: "while [ ! -e $2.done ]; do sleep 0.05; done"}}
  later: {type: value, after: slow, properties: {input: 2}}
YAML
}
finishes() { # FILE FLAGS…: lets `slow` end once `broken` has failed
        local file=$1 name
        shift
        name=${file%.yaml}
        rm -f "$name.done"
        "$TUTTI" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null &
        local pid=$!
        for _ in $(seq 600); do
                "$TUTTI" status "$file" --json 2>/dev/null | jq -e '.run != null and (.run.steps | any(.address == "broken" and .status == "failed"))' >/dev/null && break
                sleep 0.05
        done
        touch "$name.done"
        wait $pid
        CODE=$?
        OUT=$(cat "$WORK/out")
}

policy_env contained.yaml contained stop-dependants
finishes contained.yaml apply contained.yaml --yes
code 1 "a step fails"
is "$(steps contained.yaml)" "behind:skipped broken:failed later:done slow:done" "stop-dependants: only what depends on it stops"

policy_env stopped.yaml stopped stop-run
finishes stopped.yaml apply stopped.yaml --yes
code 1 "a step fails whose policy ends the run"
is "$(steps stopped.yaml)" "behind:skipped broken:failed later:pending slow:done" "stop-run: what is under way finishes, nothing else begins"

policy_env over.yaml over stop-run
finishes over.yaml apply over.yaml --yes --on-failure stop-dependants
code 1 "--on-failure says otherwise"
is "$(steps over.yaml)" "behind:skipped broken:failed later:done slow:done" "and holds for every step of the run"
tutti status over.yaml --json
is "$(jq -r .run.on_failure <<<"$OUT")" stop-dependants "it is recorded with the run"
tutti status over.yaml
like "$OUT" "on failure stop-dependants" "and shown"
tutti apply over.yaml --yes --on-failure never
code 4 "a policy that does not exist is refused"
like "$ERR" "none of" "with those that do"

# What is said of a new run is not said of the one that it settles first, also where the new one does not come to be.
cat >settled.yaml <<YAML
environment: settled
resources:
  slow: {type: exec.command, properties: {run: "touch '$WORK/slow'; [ -e '$WORK/go' ] || sleep 600"}}
  bad: {type: exec.command, after: slow, retry: 1, properties: {run: "exit 1"}}
YAML
"$TUTTI" apply settled.yaml --yes >/dev/null 2>&1 </dev/null &
pid=$!
for _ in $(seq 600); do [ -e "$WORK/slow" ] && break; sleep 0.1; done
{ kill -KILL $pid && wait $pid; } 2>/dev/null
touch "$WORK/go"
script -qec "'$TUTTI' apply settled.yaml --on-failure rollback" /dev/null <<<n >"$WORK/out" 2>&1
is $? 130 "a run is settled for another, which is not wanted then"
is "$("$TUTTI" show settled.yaml r1 --json | jq -r .run.on_failure)" null "its policy stays its own"
tutti resume settled.yaml --yes
code 1 "resumed, it fails"
is "$("$TUTTI" runs settled.yaml --json | jq -r '[.[] | .id + " " + .kind + " " + .status] | join(", ")')" "r1 apply failed" "and rolls nothing back"

# A gate is a step like others: rejected, it has failed.
cat >gate.yaml <<'YAML'
environment: gate
resources:
  go: {type: gate, properties: {message: "?"}, on_failure: stop-run}
  ask: {type: value, properties: {input: 0}, approve: {on: [create]}, on_failure: stop-run}
  behind: {type: value, after: go, properties: {input: 1}}
  also: {type: gate, properties: {message: "as well?"}}
  free: {type: value, after: also, properties: {input: 2}}
YAML
tutti apply gate.yaml --yes
code 3 "gates wait"
tutti approve gate.yaml go --reject --comment "not today"
code 0 "one is rejected"
tutti resume gate.yaml
code 1 "which fails the run: nobody is asked on"
like "$OUT" "not today" "and says why"
sed -i 's/, on_failure: stop-run}$/}/; s/^  ask/  # &/' gate.yaml
tutti apply gate.yaml --yes
tutti approve gate.yaml go --reject
tutti resume gate.yaml
code 3 "with the default only its branch stops: the other gate still waits"
tutti resume gate.yaml --approve all
code 1 "the end"
cat >own.yaml <<'YAML'
environment: own
resources:
  d: {type: value, properties: {input: 0}, approve: {on: [create]}}
YAML
tutti apply own.yaml --yes
tutti approve own.yaml d --reject
tutti resume own.yaml
like "$OUT" "d skipped: its gate was not passed" "a resource behind its own gate is not said to depend on itself"
is "$(steps gate.yaml)" "also:done behind:skipped free:done go:failed" "what was approved happened"
finish
