#!/bin/bash
# A rollback that would not be possible is told before anything is asked or done, not after the failure.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh
mkdir -p "$WORK/foresee" && cd "$WORK/foresee" || exit 1

outlook() { jq -c '.rollback | if . == null then "none" else [.possible, (.problems | map(.address) | sort)] end' <<<"$OUT"; }
started() { jq -sc '[.[] | select(.event == "run-started")][0].rollback | if . == null then "none" else [.possible, (.problems | map(.address) | sort)] end' <<<"$OUT"; }

cat >shop.yaml <<'YAML'
environment: shop
resources:
  a: {type: sandbox.volume, properties: {name: shop-a, size_gb: 9, labels: {v: "1"}}, on_failure: rollback}
  b: {type: sandbox.volume, properties: {name: shop-b, size_gb: 9, labels: {v: "1"}}}
YAML
tutti plan shop.yaml --json
is "$(outlook)" '[true,[]]' "before the first apply a rollback is the deletion of what was made"
tutti plan shop.yaml
unlike "$OUT" "rollback" "nothing is said of it"
tutti apply shop.yaml --yes --json
code 0 "applied"
is "$(started)" '[true,[]]' "its events say so too"
tutti plan shop.yaml --json
is "$(outlook)" '"none"' "where nothing is done nothing is said"

# --- a change of what an earlier plan describes ---
sed -i 's/v: "1"/v: "2"/' shop.yaml
tutti plan shop.yaml --json
is "$(outlook)" '[true,[]]' "what an apply made can be returned to"
sed -i 's/, on_failure: rollback//' shop.yaml
tutti plan shop.yaml --json
is "$(outlook)" '"none"' "without the policy nobody asks"
tutti apply shop.yaml --yes --json
is "$(started)" '"none"' "nor in a run"

# --- something that no plan describes ---
call POST /v1/volumes '{"name": "shop-c", "size_gb": 9, "labels": {"v": "4"}}'
cat >>shop.yaml <<'YAML'
  c: {type: sandbox.volume, properties: {name: shop-c, size_gb: 9, labels: {v: "4"}}}
YAML
tutti import shop.yaml c "$(jq -r .id <<<"$BODY")"
code 0 "something is imported"
sed -i 's/v: "4"/v: "5"/' shop.yaml
tutti plan shop.yaml --json
is "$(outlook)" '"none"' "changed without the policy, nothing is said"
tutti apply shop.yaml --json --on-failure rollback
code 4 "without a yes nothing is done"
tutti apply shop.yaml --on-failure rollback
code 4 "and nothing is asked"
like "$OUT" "Warning: a failure would ask for a rollback.*  c: no recorded plan describes it as it is now" "before it is told that there would be no way back"
sed -i '/  c:/s/}}$/}, on_failure: {run: [], then: rollback}}/; /  c:/s/{run: \[\], then: rollback}/rollback/' shop.yaml
tutti plan shop.yaml --json
is "$(outlook)" '[false,["c"]]' "a plan tells which address"
tutti plan shop.yaml -o saved.plan
like "$OUT" "Warning: a failure would ask for a rollback" "also one that is saved"
tutti apply saved.plan --json
code 0 "applied all the same"
is "$(started)" '[false,["c"]]' "its events tell"
sed -i 's/v: "5"/v: "6"/' shop.yaml
tutti plan shop.yaml --json
is "$(outlook)" '[true,[]]' "now a plan describes it"

# --- and it is true ---
sed -i 's/v: "6"/v: "5"/' shop.yaml
call POST /v1/volumes '{"name": "shop-d", "size_gb": 9, "labels": {"v": "4"}}'
cat >>shop.yaml <<'YAML'
  d: {type: sandbox.volume, properties: {name: shop-d, size_gb: 9, labels: {v: "4"}}, on_failure: rollback}
YAML
tutti import shop.yaml d "$(jq -r .id <<<"$BODY")"
sed -i 's/v: "4"/v: "8"/' shop.yaml
cat >>shop.yaml <<'YAML'
  bad: {type: exec.command, after: d, properties: {run: "exit 1"}, retry: 1, on_failure: rollback}
YAML
tutti apply shop.yaml --yes --json
code 1 "a run fails"
is "$(started)" '[false,["d"]]' "of which it was told that it could not be rolled back"
is "$(jq -sc '[.[] | select(.problems) | .problems[] | select(.kind == "conflict") | .address] | unique' <<<"$OUT")" '["d"]' "and it cannot"
sed -i '/  bad:/d' shop.yaml

# --- only together ---
cat >parts.yaml <<'YAML'
environment: parts
resources:
  a: {type: value, properties: {input: 1}, on_failure: rollback}
  b: {type: value, properties: {input: 1}, on_failure: rollback}
YAML
tutti apply parts.yaml --yes --target a
tutti apply parts.yaml --yes --target b
sed -i 's/input: 1/input: 2/' parts.yaml
tutti plan parts.yaml --target a --json
is "$(outlook)" '[true,[]]' "each has a plan that describes it"
tutti plan parts.yaml --json
is "$(outlook)" '[false,["a"]]' "both together have none"
cat >>parts.yaml <<'YAML'
  bad: {type: exec.command, after: [a, b], properties: {run: "exit 1"}, retry: 1, on_failure: rollback}
YAML
tutti apply parts.yaml --yes --json
code 1 "a run fails"
is "$(started)" '[false,["a"]]' "of which it was told"
is "$(jq -sc '[.[] | select(.problems) | .problems[] | select(.kind == "conflict") | .address] | unique' <<<"$OUT")" '["a"]' "and it cannot be undone"
sed -i '/  bad:/d; s/input: 2/input: 3/' parts.yaml
tutti apply parts.yaml --yes --target a
sed -i 's/input: 3/input: 4/' parts.yaml
tutti plan parts.yaml --json
is "$(outlook)" '[false,["b","bad"]]' "the newest plan is of a part, and what failed is recorded"
tutti destroy parts.yaml --json --on-failure rollback
code 4 "a destroy asks"
tutti destroy parts.yaml --yes --json --on-failure rollback
is "$(jq -sc '[.[] | select(.event == "run-started")][0].rollback.possible' <<<"$OUT")" false "of a destroy it is foreseen as well"
code 0 "which is done"
tutti plan parts.yaml --json
is "$(outlook)" '[true,[]]' "after it everything is new"

# --- what is protected stays ---
cat >guard.yaml <<'YAML'
environment: guard
resources:
  a: {type: value, properties: {input: 1}, protect: true}
  b: {type: exec.command, after: a, properties: {run: "exit 1"}, retry: 1, on_failure: rollback}
YAML
tutti plan guard.yaml
like "$OUT" "Warning.*  a: is protected once it is made" "what is made and protected is not taken away"
tutti apply guard.yaml --yes --json
is "$(started)" '[false,["a"]]' "its run tells"
code 1 "and fails"
like "$OUT" "a is protected" "so it is"

# --- a rollback asks for none ---
tutti apply shop.yaml --yes
sed -i 's/v: "5"/v: "9"/' shop.yaml
tutti apply shop.yaml --yes
BACK=$(jq -r '.[1].id' < <("$TUTTI" runs shop.yaml --json))
tutti rollback shop.yaml "$BACK" --plan --json
code 0 "a way back is planned"
is "$(outlook)" '"none"' "and asks for no other"
tutti destroy shop.yaml --yes
is "$(orphans)" "" "nothing is left in the cloud"
finish
