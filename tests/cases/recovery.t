#!/bin/bash
# Recovery steps: `on_failure: {run: [names], then: policy}` runs them once a step has failed, in the order given, before the policy.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/recovery" && cd "$WORK/recovery" || exit 1

steps() { # statuses of a run's steps by address
        tutti status "$1" --json
        jq -r '.run.steps | sort_by(.address) | map("\(.address):\(.status)") | join(" ")' <<<"$OUT"
}
env_of() { # NAME THEN
        cat >"$1.yaml" <<YAML
environment: $1
resources:
  before: {type: value, properties: {input: 1}}
  fragile:
    type: exec.command
    after: before
    properties: {run: "test -e $1.good", triggers: {x: "1"}}
    retry: 1
    on_failure: {run: [save, tell], then: $2}
  behind: {type: value, after: fragile, properties: {input: 2}}
  save: {type: exec.command, properties: {run: "echo save >>$1.log"}}
  tell: {type: exec.command, properties: {run: 'echo "\$A: \$M; \$B" >>$1.log', environment: {A: "\${failure.address}", M: "\${failure.message}", B: "\${before.output}"}}}
YAML
}

env_of plain stop-dependants
tutti plan plain.yaml
code 0 "a plan with recovery steps"
like "$OUT" "on failure of fragile:"$'\n'"    \+ save" "shows them apart"
like "$OUT" "Plan: 3 to create" "and does not count them"
tutti plan plain.yaml --json
is "$(jq -c '.steps | map(select(.recovery_of).address)' <<<"$OUT")" '["save","tell"]' "in JSON they are marked, in their order"
is "$(jq -c '[.summary.create, (.steps | map(select(.address == "save").recovery_of)[0])]' <<<"$OUT")" '[3,"fragile"]' "with what they belong to"
tutti apply plain.yaml --yes
code 1 "the step fails"
is "$(cat plain.log)" "save
fragile: the command exited with status 1; 1" "they ran in order, and were told what failed"
is "$(steps plain.yaml)" "before:done behind:skipped fragile:failed save:done tell:done" "what depends on it is skipped"
tutti state list plain.yaml --json
is "$(jq -r 'map(.address) | join(" ")' <<<"$OUT")" "before fragile save tell" "they are recorded"
tutti plan plain.yaml
like "$OUT" "Plan: 1 to create, 1 to replace" "the next plan is about what failed, and nothing else"
like "$OUT" "on failure of fragile:"$'\n'"    . save  exec.command  delete the old one  \(runs again\)" "and says that they would run again"
tutti apply plain.yaml --yes
code 1 "it fails again"
is "$(grep -c save plain.log)" 2 "and so they run again"
touch plain.good
tutti apply plain.yaml --yes
code 0 "once it succeeds"
is "$(grep -c save plain.log)" 2 "they do not run"
is "$(steps plain.yaml)" "behind:done fragile:done fragile:done save:standby save:standby tell:standby tell:standby" "but stood by"
no_changes plain.yaml "after success there is nothing to do"
tutti destroy plain.yaml --yes
code 0 "destroy"
tutti state list plain.yaml --json
is "$OUT" "[]" "takes them away like others"

env_of fresh stop-run
touch fresh.good
tutti apply fresh.yaml --yes
code 0 "a run without a failure"
[ ! -e fresh.log ]; ok $? "runs none of them"
no_changes fresh.yaml "and leaves nothing to do"

# Then the policy: the way back takes what they made away again, but not what they did.
env_of undone rollback
tutti apply undone.yaml --yes
code 1 "a failure with recovery steps and a rollback"
like "$OUT" "rolled it back" "is rolled back"
is "$(grep -c . undone.log)" 2 "after they ran"
tutti state list undone.yaml --json
is "$OUT" "[]" "and nothing is left"

# A recovery step that fails ends the recovery.
env_of broken stop-run
sed -i 's/echo save >>broken.log/exit 9/' broken.yaml
tutti apply broken.yaml --yes
code 1 "a recovery step fails as well"
is "$(steps broken.yaml)" "before:done behind:skipped fragile:failed save:failed tell:skipped" "what would have come after it is skipped"

# Killed anywhere between the failure and the end: resumed, they have run, each once if its end was on disk.
env_of crash stop-dependants
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply crash.yaml --yes >"$WORK/out" 2>&1
POINTS=$(wc -l <"$WORK/points")
kills=0 between=0
for at in $(seq 2 "$POINTS"); do
        rm -rf .tutti crash.log
        TUTTI_FAULT=kill:$at "$TUTTI" apply crash.yaml --yes >"$WORK/out" 2>&1
        [ $? = 137 ] || continue
        kills=$((kills + 1))
        "$TUTTI" status crash.yaml --json >"$WORK/state" 2>/dev/null || continue
        state=$(jq -r '.run | if . == null then "none" else .status + (.steps | map(select(.address == "fragile").status)[0]) end' "$WORK/state")
        [ "$state" = interruptedfailed ] && between=$((between + 1))
        [[ $state = interrupted* ]] || continue
        tutti resume crash.yaml
        [ "$CODE $(steps crash.yaml)" = "1 before:done behind:skipped fragile:failed save:done tell:done" ]
        ok $? "killed at point $at of $POINTS ($state), resumed: they have run"
        [[ $(tail -n 1 crash.log) = fragile:* ]] || { ok 1 "the last one at the end"; sed 's/^/# /' crash.log; }
done
echo "# $kills killed, $between of them after the failure and before the end"
[ $between -ge 2 ]; ok $? "some were killed between the failure and the end"

# On the cloud: what a recovery step made before is deleted when it is made anew.
engine_sandbox --no-ssh --latency 5ms
cat >cloud.yaml <<'YAML'
environment: cloud
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${net.id}", cidr: 10.9.0.0/24}, on_failure: {run: [spare]}}
  spare: {type: sandbox.volume, properties: {name: spare, size_gb: 1}}
YAML
for i in 1 2; do
        tutti apply cloud.yaml --yes
        code 1 "failure $i"
        is "$(orphans)" "net spare" "there is one spare"
done
is "$(journal '[.[] | select(.name == "spare" and .effect == "created")] | length')" 2 "made twice"
sed -i 's/10.9.0.0/10.0.9.0/' cloud.yaml
tutti apply cloud.yaml --yes
code 0 "success"
no_changes cloud.yaml "nothing to do"
tutti destroy cloud.yaml --yes
is "$(orphans)" "" "nothing left"

# What cannot be.
cat >wrong.yaml <<'YAML'
environment: wrong
resources:
  a: {type: value, properties: {input: "${r.output}"}, on_failure: {run: [r, a, g, nosuch]}}
  b: {type: value, after: r, properties: {input: "${failure.message}"}, on_failure: {run: [r], then: ask}}
  r: {type: value, count: 2, after: b, properties: {input: 1}, protect: true}
  g: {type: gate, properties: {message: "?"}}
outputs: {o: "${r.output}"}
YAML
tutti check wrong.yaml
code 4 "a check finds"
for problem in "a: r runs only when a fails" "a: 'on_failure' runs the resource itself" "a: 'on_failure' runs g, which is a gate" \
        "a: 'on_failure' runs the unknown resource 'nosuch'" "b: 'on_failure' runs r, which is a recovery step of a already" \
        "b: 'after' names r, which runs only when a fails" "b: 'failure' has a value only in a recovery step" \
        "b: 'then: ask' and 'run' exclude each other" "r: 'count' has no meaning on a recovery step" "r: 'after' has no meaning" \
        "r: 'protect' has no meaning" "output.o: r runs only when a fails"; do
        [[ $ERR == *"$problem"* ]]; ok $? "$problem"
done
finish
