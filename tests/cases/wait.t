#!/bin/bash
# Several processes that wait for one environment: each gets its turn, never two at once, and each ends with an honest code.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/wait" && cd "$WORK/wait" || exit 1
# A step that finds another one under way says so. The first run holds on until go-on appears.
cat >env.yaml <<'YAML'
environment: wait
parameters: {v: {type: string, default: "0"}}
resources:
  work:
    type: exec.command
    properties:
      run: "mkdir busy || echo two >>twice; echo \"$V\" >>ran; touch started; until [ -e go-on ]; do sleep 0.05; done; sleep 0.1; rmdir busy"
      on_delete: "mkdir busy || echo two >>twice; echo gone >>ran; sleep 0.1; rmdir busy"
      environment: {V: "${param.v}"}
      triggers: ["${param.v}"]
YAML
PIDS=()
hold() { # ARGS…: a run that goes on until go-on appears
        rm -f go-on started ran
        "$TUTTI" "$@" >"$WORK/held.out" 2>&1 </dev/null &
        HOLDER=$!
        for ((i = 0; i < 1200; i++)); do [ -e started ] && break; sleep 0.05; done
}
waiter() { # ARGS…: one that waits, and says so
        local n=${#PIDS[@]}
        "$TUTTI" "$@" >"$WORK/out.$n" 2>"$WORK/err.$n" </dev/null &
        PIDS+=($!)
        for ((i = 0; i < 1200; i++)); do grep -qs "waiting up to" "$WORK/err.$n" && break; sleep 0.05; done
}
codes() { # of all waiters, in order
        local codes= n
        for n in "${!PIDS[@]}"; do
                wait "${PIDS[n]}"
                local code=$?
                codes+=" $code"
                [ $code -le 5 ] && [ $code != 1 ] || sed 's/^/# /' "$WORK/out.$n" "$WORK/err.$n"
        done
        PIDS=()
        echo "${codes# }"
}

hold apply env.yaml --yes
waiter apply env.yaml --yes --set v=1 --wait 5m
waiter apply env.yaml --yes --set v=2 --wait 5m
touch go-on
wait $HOLDER
is $? 0 "the one that holds it ends"
codes >"$WORK/codes"
is "$(cat "$WORK/codes")" "0 0" "two that waited run after it"
is "$(sort ran | paste -sd' ')" "0 1 2" "each of them did its work"

hold apply env.yaml --yes --set v=3
waiter apply env.yaml --yes --set v=4 --wait 5m
waiter apply env.yaml --yes --set v=5 --wait 5m --json
waiter destroy env.yaml --yes --wait 5m
touch go-on
wait $HOLDER
codes >"$WORK/codes"
is "$(cat "$WORK/codes")" "0 0 0" "three: two that change it, and one that destroys it"
is "$(grep -c '[345]' ran)" 3 "all that change it ran"
tutti audit env.yaml
code 0 "the record holds"

# Of a first run, before there is a store.
rm -rf .tutti busy ran
touch go-on
for v in 1 2 3; do
        "$TUTTI" apply env.yaml --yes --set v=$v --wait 5m >"$WORK/out.$((v - 1))" 2>"$WORK/err.$((v - 1))" </dev/null &
        PIDS+=($!)
done
codes >"$WORK/codes"
is "$(cat "$WORK/codes")" "0 0 0" "three at once where nothing has run yet"
is "$(sort ran | paste -sd' ')" "1 2 3" "one after the other"

# Rollback, and resume of what a waiting run left.
first=$("$TUTTI" runs env.yaml --json | jq -r '.[-1].id')
was=$(head -n 1 ran)
hold apply env.yaml --yes --set v=9
waiter rollback env.yaml "$first" --yes --wait 5m
waiter destroy env.yaml --yes --wait 5m
touch go-on
wait $HOLDER
codes >"$WORK/codes"
[[ $(cat "$WORK/codes") =~ ^0\ 0$ ]]; ok $? "a rollback and a removal take their turns ($(cat "$WORK/codes"))"

cat >gate.yaml <<'YAML'
environment: gate
resources:
  hold: {type: exec.command, properties: {run: "touch started; until [ -e go-on ]; do sleep 0.05; done"}}
  ok: {type: gate, after: [hold], properties: {message: "On?"}}
  then: {type: exec.command, after: [ok], properties: {run: "mkdir busy || echo two >>twice; echo then >>ran; sleep 0.1; rmdir busy"}}
YAML
hold apply gate.yaml --yes
waiter resume gate.yaml --approve all --wait 5m
waiter resume gate.yaml --approve all --wait 5m
touch go-on
wait $HOLDER
is $? 3 "a run ends waiting for an answer"
codes >"$WORK/codes"
is "$(tr ' ' '\n' <"$WORK/codes" | sort | paste -sd' ')" "0 4" "of two that wait to resume it one does, and the other has nothing to resume"
is "$(cat ran)" then "once"
like "$(cat "$WORK"/err.[01])" "has no run that was interrupted or waits|was gone on with by another process" "which it says"

# Time is up.
tutti apply env.yaml --yes --set v=3
hold apply env.yaml --yes --set v=4
for c in "apply env.yaml --yes" "destroy env.yaml --yes" "resume env.yaml" "rollback env.yaml $first --yes"; do
        tutti $c --wait 200ms
        code 5 "$c: time is up"
        like "$ERR" "held by $(id -un)@[^ ]* \(pid $HOLDER\) since 20.*waited 200ms" "saying who holds it, since when"
done
touch go-on
wait $HOLDER
is $? 0 "the holder was not disturbed"
[ -e twice ]
is $? 1 "never two at once"
finish
