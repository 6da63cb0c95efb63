#!/bin/bash
# A run whose failure asks for it is rolled back: the record and the cloud are as they were before it, after crashes as well. And
# `tutti rollback RUN` goes back over several runs.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 5ms-15ms
mkdir -p "$WORK/rollback" && cd "$WORK/rollback" || exit 1

fault() { call POST /_control "{\"faults\": [$1]}"; }
no_fault() { fault ''; }
# Every step tries twice: this many refusals, two by default, make one step fail.
refuse() { fault "{\"match\": \"$1\", \"do\": \"500\", \"times\": ${2:-2}, \"skip\": ${3:-0}}"; }

# What is recorded, with the names of what references lead to instead of ids: "address type {properties}" a line, and the outputs.
picture() { # ENV
        tutti state export "$1" --reveal
        jq -rS '(.resources | map({key: .id, value: "<\(.address)>"}) | from_entries) as $names
                | def named: walk(if type == "string" then reduce ($names | to_entries[] | select(.key != "")) as $n (.; gsub($n.key; $n.value)) else . end);
                  (.resources | sort_by(.address)[] | "\(.address)\(.deposed // "") \(.type) \(.properties | named)"),
                  "outputs \(.outputs | named)"' <<<"$OUT"
}
objects() { orphans; } # names of what exists in the cloud

# name: small pieces of one environment in two versions. The second changes in place, replaces, deletes and adds.
POLICY="retry: {attempts: 2, backoff: 20ms}, on_failure: rollback"
version() { # ENV NAME 1|2
        case $3 in
        1) cat >"$1" <<YAML
environment: $2
resources:
  left: {type: sandbox.network, properties: {name: $2-left, cidr: 10.0.0.0/16}, $POLICY}
  sub: {type: sandbox.subnet, properties: {name: $2-sub, network_id: "\${left.id}", cidr: 10.0.1.0/24}, $POLICY}
  web: {type: sandbox.server, properties: {name: $2-web, subnet_id: "\${sub.id}", size: small, image: debian-12}, $POLICY}
  fw: {type: sandbox.firewall, properties: {name: $2-fw, network_id: "\${left.id}", rules: []}, $POLICY}
  grow: {type: sandbox.volume, properties: {name: $2-grow, size_gb: 10, labels: {version: "1"}}, $POLICY}
  gone: {type: sandbox.volume, properties: {name: $2-gone, size_gb: 5}, $POLICY}
  still: {type: sandbox.volume, properties: {name: $2-still, size_gb: 7}, $POLICY}
  note: {type: value, properties: {input: "one \${sub.id}"}, $POLICY}
outputs: {subnet: "\${sub.id}", version: 1}
YAML
                ;;
        2) cat >"$1" <<YAML
environment: $2
resources:
  left: {type: sandbox.network, properties: {name: $2-left, cidr: 10.0.0.0/16}, $POLICY}
  right: {type: sandbox.network, properties: {name: $2-right, cidr: 10.9.0.0/16}, $POLICY}
  sub: {type: sandbox.subnet, properties: {name: $2-sub, network_id: "\${right.id}", cidr: 10.9.1.0/24}, $POLICY}
  web: {type: sandbox.server, properties: {name: $2-web, subnet_id: "\${sub.id}", size: small, image: debian-12}, $POLICY}
  fw: {type: sandbox.firewall, properties: {name: $2-wall, network_id: "\${left.id}", rules: []}, $POLICY}
  grow: {type: sandbox.volume, properties: {name: $2-grow, size_gb: 10, labels: {version: "2"}}, $POLICY}
  still: {type: sandbox.volume, properties: {name: $2-still, size_gb: 7}, $POLICY}
  note: {type: value, properties: {input: "two \${sub.id}"}, $POLICY}
  more: {type: sandbox.volume, after: [web, fw, grow, note], properties: {name: $2-more, size_gb: 3}, $POLICY}
  last: {type: sandbox.volume, after: more, properties: {name: $2-last, size_gb: 4}, $POLICY}
outputs: {subnet: "\${sub.id}", version: 2}
YAML
                ;;
        esac
}

# --- the first run of all fails in its middle ---
version first.yaml first 1
refuse "POST /v1/subnets"
tutti apply first.yaml --yes
code 1 "a creation in the middle of a first run fails"
like "$OUT" "Run r1 failed; run r2 rolled it back" "and what was made is undone"
no_fault
is "$(objects)" "" "nothing is left in the cloud"
is "$(picture first.yaml)" "outputs {}" "nor in the record"
tutti runs first.yaml --json
is "$(jq -c 'map([.id, .kind, .status, .undoes])' <<<"$OUT")" '[["r2","rollback","done","r1"],["r1","apply","failed",null]]' "the history tells"
tutti apply first.yaml --yes
code 0 "the next apply begins anew"
tutti destroy first.yaml --yes
code 0 "and away with it"

# --- a replacement is one thing, also when it fails at one half ---
cat >halves.yaml <<'YAML'
environment: halves
parameters: {at: string}
resources:
  net: {type: sandbox.network, for_each: [a, b], properties: {name: "halves-${each.key}", cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: halves-sub, network_id: "${net[param.at].id}", cidr: 10.0.1.0/24}}
  behind: {type: value, after: [sub], properties: {input: "${param.at}"}}
YAML
tutti apply halves.yaml --yes --set at=a
code 0 "a subnet in one network"
refuse "DELETE /v1/subnets" 9
tutti apply halves.yaml --yes --set at=b
code 1 "which is to go to another, and the old one cannot be deleted"
no_fault
like "$OUT" "Failed: 1 failed, 1 skipped" "one failed, one stood behind it"
is "$(grep -c 'skipped: sub did not happen' <<<"$OUT")" 1 "which alone is said to be skipped"
tutti apply halves.yaml --yes --set at=b
code 0 "the next one goes on"
tutti destroy halves.yaml --yes --set at=b
code 0 "and away with it"

# --- a second run fails among updates, replacements, deletions ---
version shop.yaml shop 1
tutti apply shop.yaml --yes
code 0 "a first version"
BEFORE=$(picture shop.yaml) CLOUD=$(objects)
version shop.yaml shop 2
refuse "POST /v1/volumes"
tutti apply shop.yaml --yes
code 1 "a second version fails late"
no_fault
like "$OUT" "rolled it back" "and is undone"
is "$(picture shop.yaml)" "$BEFORE" "the record is as it was, up to new ids"
is "$(objects)" "$CLOUD" "and so is the cloud"
tutti show shop.yaml r2 --json
is "$(jq -c '.run | [.status, (.steps | map(select(.status == "done" and .action != "create")) | length)]' <<<"$OUT")" '["failed",8]' \
        "the failed run had replaced, updated, deleted"
tutti output shop.yaml --json
is "$(jq .version <<<"$OUT")" 1 "outputs are those of before"
version shop.yaml shop 1
no_changes shop.yaml "the first version has nothing to do"
tutti drift shop.yaml --detailed-exitcode
code 0 "and nothing in the cloud differs from the record"
tutti destroy shop.yaml --yes
code 0 "destroyed"

# --- kill -9 on the way, and on the way back ---
version crash.yaml crash 1
tutti apply crash.yaml --yes
code 0 "an environment to crash on"
BEFORE=$(picture crash.yaml) CLOUD=$(objects)
version crash.yaml crash 2
refuse "POST /v1/volumes"
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply crash.yaml --yes >"$WORK/out" 2>&1
no_fault
is "$(picture crash.yaml)" "$BEFORE" "a failing run and its rollback, without a crash"
POINTS=$(wc -l <"$WORK/points")
echo "# $POINTS fault points in both runs"
kills=0 due=0 back=0 DUE=()
for i in $(seq 16); do
        at=$((1 + (POINTS - 1) * i / 16)) # the later half is the way back
        refuse "POST /v1/volumes"
        TUTTI_FAULT=kill:$at "$TUTTI" apply crash.yaml --yes >"$WORK/out" 2>&1
        [ $? = 137 ] && kills=$((kills + 1))
        tutti status crash.yaml --json
        state=$(jq -r '.run.kind + " " + .run.status' <<<"$OUT")
        [ "$state" = "apply rollback" ] && { due=$((due + 1)); DUE+=("$at"); }
        [ "$state" = "rollback interrupted" ] && back=$((back + 1))
        # Killed before the failure it goes on, and then fails as it would have.
        if [ "$state" != "rollback done" ]; then
                if [ "$state" = "apply interrupted" ]; then refuse "POST /v1/volumes"; else no_fault; fi
                tutti resume crash.yaml
                is "$CODE" 1 "killed at point $at of $POINTS ($state): resumed, the run has failed"
        fi
        no_fault
        now=$(picture crash.yaml)
        is "$now $(objects)" "$BEFORE $CLOUD" "and everything is as it was before"
        [ "$now" = "$BEFORE" ] || { sed 's/^/# /' "$WORK/err" | cut -c 1-500 | tail -n 30; }
done
echo "# $kills killed; $due with the rollback due, $back during it"
[ $kills -ge 12 ]; ok $? "most runs were killed on their way"
[ $back -ge 3 ]; ok $? "several of them on the way back"

# --- a rollback that is due comes before the next apply ---
refuse "POST /v1/volumes"
version crash.yaml crash 2
# In the middle of the points that left one before: batches differ from run to run.
TUTTI_FAULT=kill:${DUE[due / 2]:-$((POINTS * 5 / 8))} "$TUTTI" apply crash.yaml --yes >"$WORK/out" 2>&1
no_fault
tutti status crash.yaml
like "$OUT" "its rollback is due" "status says that a rollback is due"
tutti plan crash.yaml
like "$OUT" "rollback is due" "and so does a plan"
version crash.yaml crash 1
tutti apply crash.yaml --yes
code 0 "the next apply undoes first"
like "$OUT" "it comes first" "and says so"
is "$(picture crash.yaml) $(objects)" "$BEFORE $CLOUD" "then it had nothing to do"
tutti destroy crash.yaml --yes

# --- a rollback that fails ---
version twice.yaml twice 1
tutti apply twice.yaml --yes
BEFORE=$(picture twice.yaml) CLOUD=$(objects)
version twice.yaml twice 2
fault '{"match": "POST /v1/volumes", "do": "500", "times": 2}, {"match": "POST /v1/subnets", "do": "500", "times": 2, "skip": 1}' # `more`, and on the way back `sub`
tutti apply twice.yaml --yes
code 1 "a rollback fails"
no_fault
like "$OUT" "Run r2 failed, and so did run r3" "it says so"
like "$OUT" "is not undone:.*sub  sandbox.subnet" "and what differs"
tutti runs twice.yaml --json
is "$(jq -c 'map([.id, .kind, .status])[0:2]' <<<"$OUT")" '[["r3","rollback","failed"],["r2","apply","failed"]]' "no rollback follows a rollback"
tutti rollback twice.yaml r2 --before --yes
code 0 "it is tried again"
is "$(picture twice.yaml) $(objects)" "$BEFORE $CLOUD" "and everything is as it was before"

# --- tutti rollback RUN ---
version twice.yaml twice 2
tutti apply twice.yaml --yes
code 0 "the second version after all"
AFTER=$(picture twice.yaml)
SECOND=$(jq -r .run.id < <("$TUTTI" status twice.yaml --json))
sed -i 's/size_gb: 4/size_gb: 6/; s/version: 2/version: 3/' twice.yaml
tutti apply twice.yaml --yes
code 0 "and a third"
tutti rollback twice.yaml r1 --plan --json
code 0 "the way back over several runs"
is "$(jq -c '[.back_to, .undoes, (.steps | map(select(.action == "delete").address) | sort)]' <<<"$OUT")" '["r1",null,["last","more","right"]]' "as JSON"
tutti rollback twice.yaml r1
code 4 "without a terminal and a yes nothing happens"
tutti rollback twice.yaml "$SECOND" --yes --json
code 0 "back to the second"
is "$(jq -sc '.[0] | [.event, .kind]' <<<"$OUT")" '["run-started","rollback"]' "with its events"
is "$(picture twice.yaml)" "$AFTER" "which is what it was"
tutti rollback twice.yaml r1 -o back.plan
code 0 "a way back can be saved"
tutti apply back.plan
code 0 "and applied"
is "$(picture twice.yaml) $(objects)" "$BEFORE $CLOUD" "it leads to the first version"
tutti apply back.plan
code 4 "once"
tutti rollback twice.yaml r1 --yes
code 0 "from there"
like "$OUT" "No changes" "there is no way to go"
tutti rollback twice.yaml r99 --yes
code 4 "a run that there was not"
tutti rollback twice.yaml r1 --before --yes
code 0 "back to before everything"
is "$(picture twice.yaml) $(objects)" "outputs {} " "nothing is left"
tutti rollback twice.yaml "$SECOND" --yes
code 0 "and forward again"
is "$(picture twice.yaml)" "$AFTER" "to the second version"
tutti destroy twice.yaml --yes
code 0 "destroyed"

# --- what was not touched, what is protected, what nobody described ---
cat >care.yaml <<'YAML'
environment: care
resources:
  a: {type: sandbox.volume, properties: {name: care-a, size_gb: 1}}
  b: {type: sandbox.volume, properties: {name: care-b, size_gb: 2}}
YAML
tutti apply care.yaml --yes
tutti state export care.yaml
ID=$(jq -r '.resources[] | select(.address == "b").id' <<<"$OUT")
call PATCH "/v1/volumes/$ID" '{"size_gb": 9}'
cat >>care.yaml <<'YAML'
  c: {type: sandbox.volume, properties: {name: care-c, size_gb: 3}, protect: true}
YAML
tutti apply care.yaml --yes --target c
tutti rollback care.yaml r1 --yes
code 4 "what is protected is not taken away"
like "$ERR" "c is protected" "and says so"
sed -i 's/, protect: true//' care.yaml
tutti apply care.yaml --yes --target c
tutti rollback care.yaml r1 --yes
code 0 "without the protection it is"
call GET "/v1/volumes/$ID"
field .size_gb 9 "what no run touched is left alone, whatever became of it outside"
call POST /v1/volumes '{"name": "care-d", "size_gb": 4}'
sed -i '$d' care.yaml
cp care.yaml without.yaml
cat >>care.yaml <<'YAML'
  d: {type: sandbox.volume, properties: {name: care-d, size_gb: 4}}
YAML
tutti import care.yaml d "$(jq -r .id <<<"$BODY")"
IMPORT=$(jq -r '.[0].id' < <("$TUTTI" runs care.yaml --json))
sed -i 's/size_gb: 4/size_gb: 5/' care.yaml
tutti apply care.yaml --yes --target d --on-failure rollback
code 0 "something imported is changed"
tutti rollback care.yaml "$IMPORT" --yes
code 4 "the way back to what no plan describes"
like "$ERR" "d: existed .* does not describe it" "is refused, with its address"
tutti destroy care.yaml --yes

# --- gates, and a policy for the whole run ---
cat >gate.yaml <<'YAML'
environment: gate
resources:
  a: {type: value, properties: {input: 1}}
  keep: {type: value, properties: {input: 2}, approve: {on: [delete, update], message: "Really?"}}
YAML
tutti apply gate.yaml --yes
BEFORE=$(picture gate.yaml)
sed -i 's/input: 1/input: 3/; s/input: 2/input: 4/' gate.yaml
cat >>gate.yaml <<'YAML'
  go: {type: gate, after: [a, keep], properties: {message: "?"}, on_failure: rollback}
  b: {type: value, after: go, properties: {input: 5}}
YAML
tutti apply gate.yaml --yes --approve keep
code 3 "a gate waits"
tutti approve gate.yaml go --reject
tutti resume gate.yaml
code 3 "rejected it asks for a rollback, whose own guards are asked"
like "$OUT" "tutti approve gate.yaml keep" "by name"
tutti approve gate.yaml keep
tutti resume gate.yaml
code 1 "resumed"
like "$OUT" "rolled it back" "it is rolled back"
is "$(picture gate.yaml)" "$BEFORE" "to the state before"
cat >policy.yaml <<'YAML'
environment: policy
resources:
  a: {type: value, properties: {input: 1}}
  b: {type: exec.command, after: a, properties: {run: "exit 3"}, retry: 1}
YAML
tutti apply policy.yaml --yes --json --on-failure rollback
code 1 "--on-failure rollback holds for what says nothing"
is "$(jq -sc 'map(select(.event == "run-done") | [.status, .rollback_due])' <<<"$OUT")" '[["failed",true],["done",null]]' "both runs are told of"
is "$(picture policy.yaml)" "outputs {}" "and nothing is left"
"$TUTTI" apply policy.yaml --yes --on-failure rollback >/dev/null 2>&1
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply policy.yaml --yes --on-failure rollback >/dev/null 2>&1
POINTS=$(wc -l <"$WORK/points")
for i in $(seq 14); do
        at=$((POINTS * i / 15))
        TUTTI_FAULT=kill:$at "$TUTTI" apply policy.yaml --yes --on-failure rollback >/dev/null 2>&1
        tutti status policy.yaml --json
        [[ $(jq -r '.run.status' <<<"$OUT") =~ ^(interrupted|rollback)$ ]] || continue
        is "$(jq -r '.run | if .kind == "apply" then .on_failure else .undoes end' <<<"$OUT" | tr -d 0-9)" "$([ "$(jq -r .run.kind <<<"$OUT")" = apply ] && echo rollback || echo r)" "killed at $at: the policy is recorded"
        tutti resume policy.yaml
        code 1 "resumed it fails"
        is "$(picture policy.yaml)" "outputs {}" "and is rolled back"
done
# Outputs of what did not exist then.
cat >partly.yaml <<'YAML'
environment: partly
resources:
  a: {type: value, properties: {input: 1}}
  go: {type: gate, after: a, properties: {message: "?"}}
  b: {type: sandbox.volume, after: go, properties: {name: partly, size_gb: 1}}
outputs: {a: "${a.output}", b: "${b.id}"}
YAML
tutti apply partly.yaml --yes
tutti approve partly.yaml go --reject
tutti resume partly.yaml
tutti apply partly.yaml --yes --approve all
tutti rollback partly.yaml r1 --yes
code 0 "back to a run that did a part"
tutti output partly.yaml --json
is "$(jq -c . <<<"$OUT")" '{"a":1}' "outputs of what it had not made are left out"
tutti destroy partly.yaml --yes
# An object that was there before the run is there after it.
call POST /v1/volumes '{"name": "found", "size_gb": 1}'
cat >adopt.yaml <<'YAML'
environment: adopt
resources:
  found: {type: sandbox.volume, properties: {name: found, size_gb: 1}, adopt: if-exists}
  made: {type: sandbox.volume, properties: {name: made, size_gb: 1}, adopt: if-exists}
  bad: {type: exec.command, after: [found, made], properties: {run: "exit 1"}, retry: 1, on_failure: rollback}
YAML
tutti apply adopt.yaml --yes
code 1 "a run that adopted something fails"
is "$(picture adopt.yaml) $(objects)" "outputs {} found" "what it took over is left alone, what it made is not"
call GET /v1/volumes
call DELETE "/v1/volumes/$(jq -r '[.. | objects | select(.name? == "found").id][0]' <<<"$BODY")"
tutti audit policy.yaml
code 0 "the log holds"
is "$(objects)" "" "nothing is left in the cloud"
finish
