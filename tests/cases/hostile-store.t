#!/bin/bash
# What stands in a store may have been written by something else: whatever it is, it plays no tricks on the terminal, and JSON stays JSON.
command -v sqlite3 >/dev/null || { echo "1..0 # SKIP no sqlite3"; exit 0; }
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/hostile" && cd "$WORK/hostile" || exit 1
cat >env.yaml <<'YAML'
environment: hostile
resources:
  a: {type: value, properties: {input: 1}}
  b: {type: exec.command, after: a, on_failure: ask, properties: {run: "exit 1"}}
  go: {type: gate, after: a, properties: {message: "On?"}}
  c: {type: value, after: [go, a], properties: {input: 2}}
notify: {webhook: "http://127.0.0.1:9/", on: [gate-waiting]}
YAML
tutti apply env.yaml --yes
code 3 "a run that waits, with all that there is to tell"
tutti approve env.yaml go --comment "why not"
tutti status env.yaml
like "$OUT" "undelivered.*gate-waiting" "also what was not delivered"
cp -r .tutti sound
evil="char(27) || '[31m\"' || char(10) || 'x' || char(8238)"

# TABLE COLUMN COMMAND…: makes each of its texts such a one, and asks those who read it.
wrong=
asked=0
attack() {
        local table=$1 column=$2 c code
        shift 2
        rm -rf .tutti && cp -r sound .tutti
        sqlite3 .tutti/state.db "PRAGMA foreign_keys = off; UPDATE $table SET $column = $column || $evil" || return
        for c in "$@"; do
                asked=$((asked + 1))
                "$TUTTI" $c >"$WORK/out" 2>"$WORK/err" </dev/null
                code=$?
                [ "$code" -le 5 ] || wrong+=" $table.$column:$c:exit=$code"
                LC_ALL=C grep -qa $'\e\|\xe2\x80\xae' "$WORK/out" "$WORK/err" && wrong+=" $table.$column:$c"
                "$TUTTI" $c --json >"$WORK/out" 2>"$WORK/err" </dev/null
                LC_ALL=C grep -qa $'\e' "$WORK/out" "$WORK/err" && wrong+=" $table.$column:$c:escape"
                # one document; of audit, one a line
                if [ "${c%% *}" = audit ]; then jq -Rne 'inputs | fromjson' <"$WORK/out"; else jq -se 'length <= 1' <"$WORK/out"; fi >/dev/null 2>&1 ||
                        wrong+=" $table.$column:$c:json"
        done
}
each() { # TABLE COMMAND…
        local table=$1 column
        shift
        for column in $(sqlite3 sound/state.db "SELECT name FROM pragma_table_info('$table') WHERE type = 'TEXT'"); do
                attack "$table" "$column" "$@"
        done
}
each run "status env.yaml" "show env.yaml r1" "runs env.yaml" "plan env.yaml"
each step "status env.yaml" "show env.yaml r1"
each gate "status env.yaml" "show env.yaml r1" "audit env.yaml"
each answer "status env.yaml" "audit env.yaml"
each event "show env.yaml r1" "audit env.yaml"
each notification "status env.yaml"
each resource "state list env.yaml" "state show env.yaml a" "plan env.yaml" "drift env.yaml"
each history "state history env.yaml a"
is "$wrong" "" "no text of a store reaches the terminal as it is, and JSON stays JSON"
[ "$asked" -gt 100 ]; ok $? "asked $asked times"
finish
