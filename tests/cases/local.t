#!/bin/bash
# Steps without an effect outside wait for no disk: they are committed in groups, in their order, and nothing that acts outside gets
# ahead of them. Killed or refused a write at any moment, what was reported as done is recorded.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 5ms
mkdir -p "$WORK/local" && cd "$WORK/local" || exit 1

{
        printf 'environment: chain\nresources:\n  r0: {type: value, properties: {input: x}}\n'
        for i in $(seq 1 499); do printf '  r%d: {type: value, properties: {input: "${r%d.id}"}}\n' "$i" $((i - 1)); done
} >chain.yaml

# The event stream: a step begins after all that it uses were said to be done.
in_order() { # FILE
        jq -es '[.[] | select(.event | startswith("step-")) | "\(.event[5:]) \(.address[1:])"] as $e
                | [$e | to_entries[] | {(.value): .key}] | add as $at
                | [range(1; 500)] | all($at["done \(. - 1)"] < $at["started \(.)"])' "$1" >/dev/null
}

commits() { grep -c '^state.write' "$1"; }

TUTTI_FAULT=count:$WORK/points "$TUTTI" apply chain.yaml --yes --json >"$WORK/events" 2>&1
is $? 0 "a chain of 500 values"
is "$(jq -r 'select(.event=="step-done") | .address' "$WORK/events" | sort -u | wc -l)" 500 "each is reported as done"
in_order "$WORK/events"
ok $? "and none begins before the one it uses is done"
COMMITS=$(commits "$WORK/points")
[ "$COMMITS" -gt 0 ] && [ "$COMMITS" -lt 100 ]
ok $? "they were committed in groups: $COMMITS commits"
no_changes chain.yaml "and nothing is left to do"

# A write that fails, and a death at any write: what was said to be done is in the record.
POINTS=$(wc -l <"$WORK/points")
WRITES=($(grep -n "^state.write" "$WORK/points" | cut -d: -f1))
wrong=''
died=0
for kind in fail kill; do
        for at in "${WRITES[@]:1:6}" $((POINTS / 2)); do # how many writes there are depends on timing: the last may not be reached
                rm -rf .tutti
                { TUTTI_FAULT=$kind:$at "$TUTTI" apply chain.yaml --yes --json >"$WORK/events" 2>"$WORK/err"; } 2>/dev/null
                [ $? = 0 ] || died=$((died + 1))
                "$TUTTI" state list chain.yaml --json 2>/dev/null | jq -r '.. | .address? // empty' | sort -u >"$WORK/recorded"
                jq -r 'select(.event=="step-done") | .address' "$WORK/events" 2>/dev/null | sort -u >"$WORK/reported"
                [ -z "$(comm -13 "$WORK/recorded" "$WORK/reported")" ] || wrong+=" reported-$kind:$at"
                tutti resume chain.yaml
                [ "$CODE" = 0 ] || tutti apply chain.yaml --yes
                tutti plan chain.yaml --detailed-exitcode
                [ "$CODE" = 0 ] || wrong+=" unfinished-$kind:$at"
        done
done
is "$wrong" "" "what was reported is recorded, and the run can be finished"
[ "$died" -ge 6 ]
ok $? "in $died runs that did not come to their end"

# Values before an object outside: whenever the object exists, they are recorded.
cat >mixed.yaml <<'YAML'
environment: mixed
resources:
  a: {type: value, properties: {input: one}}
  b: {type: value, properties: {input: "${a.id}"}}
  disk: {type: sandbox.volume, properties: {name: "disk-${substr(b.id, 0, 8)}", size_gb: 1}}
  c: {type: value, properties: {input: "${disk.id}"}}
outputs: {id: "${c.output}"}
YAML
rm -rf .tutti "$WORK/points"
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply mixed.yaml --yes >"$WORK/out" 2>&1
is $? 0 "values around an object"
POINTS=$(wc -l <"$WORK/points")
tutti destroy mixed.yaml --yes
code 0 "and away with it"
wrong=''
for at in $(seq $POINTS); do
        rm -rf .tutti
        { TUTTI_FAULT=kill:$at "$TUTTI" apply mixed.yaml --yes >"$WORK/out" 2>&1; } 2>/dev/null
        if [ -n "$(orphans)" ]; then
                [ "$("$TUTTI" state list mixed.yaml --json 2>/dev/null | jq -r '.. | .address? // empty' | grep -cE '^[ab]$')" = 2 ] || wrong+=" order:$at"
        fi
        tutti resume mixed.yaml
        [ "$CODE" = 0 ] || tutti apply mixed.yaml --yes
        [ "$CODE" = 0 ] || wrong+=" resume:$at"
        [ "$(orphans | wc -w)" = 1 ] || wrong+=" objects:$at"
        tutti destroy mixed.yaml --yes
        [ "$CODE" = 0 ] && [ -z "$(orphans)" ] || wrong+=" destroy:$at"
done
is "$wrong" "" "killed at each of $POINTS points: an object is never ahead of the values it was made from"

# What a command is given is in no list of processes; it reads its own input, and none is none.
shown() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -cFf secret; }
printf 'in-no-list-4711\n' >secret
printf 'token: in-no-list-4711\n' >values.yaml
cat >secret.yaml <<'YAML'
environment: secret
parameters: {token: {type: string, sensitive: true}}
resources:
  told:
    type: exec.command
    properties:
      run: |
        t='${param.token}'; cat; printf '%s\n' "$T" "it's
        two lines"; test "$t" = "$T" || exit 9; : >started; until [ -e go-on ]; do sleep 0.05; done
      environment: {T: "${param.token}"}
      input: "of its own\n"
      unless: "test -e go-on # ${param.token}"
      on_delete: "printf '%s' \"$T\" >deleted"
  still: {type: exec.command, properties: {run: "readlink /proc/self/fd/0; cat; exec 3<&0; echo end"}}
  status: {type: exec.command, after: still, retry: 1, properties: {run: "exit 7"}}
YAML
"$TUTTI" apply secret.yaml --values values.yaml --yes >"$WORK/said" 2>&1 </dev/null &
for i in $(seq 1 1200); do [ -e started ] && break; sleep 0.05; done
[ -e started ]
ok $? "a command is given a secret by its environment and in its text"
is "$(shown)" 0 "and no command line shows it"
touch go-on
wait $!
tutti state show secret.yaml told --reveal --json
is "$(jq -r .outputs.stdout <<<"$OUT")" $'of its own\nin-no-list-4711\nit'"'"$'s\ntwo lines' "it reads its own input, and the secret"
tutti state show secret.yaml still --json
is "$(jq -r .outputs.stdout <<<"$OUT")" $'/dev/null\nend' "one without input reads from /dev/null"
grep -q 'exited with status 7' "$WORK/said"
ok $? "and a command's own status is told"
tutti destroy secret.yaml --values values.yaml --yes
is "$CODE $(cat deleted)" "0 in-no-list-4711" "what undoes it is given the secret as well"
finish
