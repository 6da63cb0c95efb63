#!/bin/bash
# An apply that has to plan in rounds, as parts of it are deferred, is undone as a whole when a later round asks for it.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh
mkdir -p "$WORK/rounds" && cd "$WORK/rounds" || exit 1

picture() { # ENV: what is recorded, with names for ids, and the outputs
        tutti state export "$1" --reveal
        jq -rS '(.resources | map({key: .id, value: "<\(.address)>"}) | from_entries) as $names
                | def named: walk(if type == "string" then reduce ($names | to_entries[] | select(.key != "")) as $n (.; gsub($n.key; $n.value)) else . end);
                  (.resources | sort_by(.address)[] | "\(.address)\(.deposed // "") \(.type) \(.properties | named)"),
                  "outputs \(.outputs | named)"' <<<"$OUT"
}
# Every step tries twice: so many refusals make one step fail, and what is settled then goes through.
refuse() { call POST /_control "{\"faults\": [{\"match\": \"POST /v1/volumes\", \"do\": \"500\", \"times\": ${1:-2}, \"skip\": ${2:-0}}]}"; }
no_fault() { call POST /_control '{"faults": []}'; }
runs() { jq -c 'map([.id, .kind, .status, .undoes, .follows])' < <("$TUTTI" runs "$1" --json); }

POLICY="retry: {attempts: 2, backoff: 20ms}, on_failure: rollback"
version() { # SIZE COUNT
        cat >shop.yaml <<YAML
environment: shop
resources:
  base: {type: sandbox.volume, properties: {name: base, size_gb: 1, labels: {size: "$1"}}, $POLICY}
  size: {type: exec.command, after: base, properties: {run: "echo $2"}, $POLICY}
  disk: {type: sandbox.volume, count: "\${tonumber(size.stdout)}", properties: {name: "disk-\${count.index}", size_gb: 2}, $POLICY}
outputs: {size: "\${base.labels.size}", disks: "\${length(disk)}"}
YAML
}

# --- the first apply of all ---
version 1 2
refuse 4 1 # both disks, not the base
tutti apply shop.yaml --yes
code 1 "a second round fails"
no_fault
like "$OUT" "The way back to the state before run r1:" "it goes back to before the first"
like "$OUT" "Run r2 failed; run r3 rolled it back, and the rounds before it from run r1 on" "and says so"
is "$(picture shop.yaml) $(orphans)" "outputs {} " "nothing is left"
is "$(runs shop.yaml)" '[["r3","rollback","done","r2",null],["r2","apply","failed",null,"r1"],["r1","apply","done",null,null]]' "the history tells"
tutti show shop.yaml r2
like "$OUT" "goes on from r1" "of the rounds"
tutti audit shop.yaml
code 0 "the log holds"
like "$OUT" "goes on from r1" "and tells as well"

# --- a change of what there was ---
tutti apply shop.yaml --yes --json
code 0 "applied"
is "$(jq -sc 'map(select(.event == "run-started") | [.kind, .follows, .rollback.possible])' <<<"$OUT")" '[["apply",null,true],["apply","r4",true]]' "in two rounds, both of which can be undone"
BEFORE=$(picture shop.yaml) CLOUD=$(orphans)
version 5 3
refuse
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply shop.yaml --yes >"$WORK/out" 2>&1
is $? 1 "another change fails in its second round"
no_fault
is "$(picture shop.yaml) $(orphans)" "$BEFORE $CLOUD" "and all is as it was before the first, outputs too"
tutti drift shop.yaml --detailed-exitcode
code 0 "also in the cloud"

# --- killed on the way ---
POINTS=$(wc -l <"$WORK/points") later=0
for i in $(seq 10); do
        refuse
        (TUTTI_FAULT=kill:$((POINTS * (i + 4) / 15)) "$TUTTI" apply shop.yaml --yes >"$WORK/out" 2>&1) 2>/dev/null
        tutti status shop.yaml --json
        state=$(jq -r '.run | "\(.kind) \(.status) \(.follows != null)"' <<<"$OUT")
        case $state in
        "apply interrupted false" | "apply done false") # not yet in the second round: the next apply is one of its own
                no_fault
                version 1 2
                tutti apply shop.yaml --yes
                code 0 "killed in the first round ($state): applied as it was"
                version 5 3
                ;;
        "rollback done false") ;;
        *)
                later=$((later + 1))
                # Killed before the failure it goes on, and then fails as it would have.
                if [ "$state" = "apply interrupted true" ]; then refuse; else no_fault; fi
                tutti resume shop.yaml
                code 1 "killed later ($state): resumed, it has failed"
                ;;
        esac
        no_fault
        is "$(picture shop.yaml) $(orphans)" "$BEFORE $CLOUD" "and all is as it was"
done
[ $later -ge 3 ]; ok $? "several were killed in the second round or on the way back"

# --- what a run had nothing to do about is described by it only as long as no rollback changed it again ---
three() { # INPUT REST
        cat >three.yaml <<YAML
environment: three
resources:
  x: {type: value, properties: {input: $1}}
$2
YAML
}
three 1
tutti apply three.yaml --yes
three 2
tutti apply three.yaml --yes
three 2 "  y: {type: value, properties: {input: 1}}"
tutti apply three.yaml --yes
tutti rollback three.yaml r1 --yes
BEFORE=$(picture three.yaml)
three 3 "  bad: {type: exec.command, after: x, properties: {run: exit 1}, retry: 1, on_failure: rollback}"
tutti apply three.yaml --yes
code 1 "a change after a rollback fails"
is "$(picture three.yaml)" "$BEFORE" "and is undone to what the rollback had made, not to what came between"
tutti destroy three.yaml --yes

# --- a round by itself ---
version 5 3
sed -i 's/on_failure: rollback/on_failure: stop-run/' shop.yaml
refuse
tutti apply shop.yaml --yes
code 1 "without the policy the first round stays"
no_fault
MIDDLE=$(picture shop.yaml)
sed -i 's/on_failure: stop-run/on_failure: rollback/' shop.yaml
refuse
tutti apply shop.yaml --yes
code 1 "the next apply is one of its own"
no_fault
is "$(picture shop.yaml)" "$MIDDLE" "and undone alone"
tutti destroy shop.yaml --yes
is "$(orphans)" "" "nothing is left in the cloud"
finish
