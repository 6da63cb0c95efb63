#!/bin/bash
# Who can write the database, and has not the store's key, cannot have a recorded run do something else than it was recorded with.
. "${BASH_SOURCE%/*}/engine.sh"
command -v sqlite3 >/dev/null || { echo "1..0 # SKIP no sqlite3"; exit 0; }
engine_sandbox --no-ssh
mkdir -p "$WORK/proof" && cd "$WORK/proof" || exit 1

sql() { sqlite3 .tutti/state.db "$1"; }
keep() { rm -rf kept && sql "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null && cp -r .tutti kept; }
restore() { rm -rf .tutti && cp -r kept .tutti; }
# Another text in the place of the sources of a run's plan, as nobody with the key would write it.
forge() { # RUN SED-EXPRESSION
        sql "SELECT plan FROM run_plan WHERE run = (SELECT row FROM run WHERE id = '$1')" >plan.json
        sed "$2" shop.yaml >forged.yaml
        jq -c --rawfile text forged.yaml '(.sources[] | select(.path | endswith("shop.yaml"))).text = $text' plan.json >forged.json
        sql "UPDATE run_plan SET plan = rtrim(CAST(readfile('forged.json') AS TEXT), char(10)) WHERE run = (SELECT row FROM run WHERE id = '$1')"
}
# The command is refused for this reason; neither the cloud nor the run was touched.
refused() { # REASON NAME COMMAND…
        local reason=$1 name=$2
        shift 2
        local cloud runs
        cloud=$(journal length) runs=$(sql "SELECT * FROM run" | cksum)
        tutti "$@"
        code 1 "$name"
        like "$ERR" "$reason" "... with the reason"
        is "$(journal length) $(sql "SELECT * FROM run" | cksum)" "$cloud $runs" "... and nothing is touched"
}

cat >shop.yaml <<'YAML'
environment: shop
resources:
  go: {type: gate, properties: {message: "?"}}
  disk: {type: sandbox.volume, after: go, properties: {name: disk, size_gb: 1}}
YAML
tutti apply shop.yaml --yes
code 3 "a run waits"
tutti approve shop.yaml go
code 0 "and is approved"
keep

# --- what a waiting run goes on with ---
forge r1 's/size_gb: 1/size_gb: 9/'
refused "run r1 has another plan than was recorded" "with other sources resume refuses it" resume shop.yaml
sql "UPDATE run SET proof = NULL"
refused "run r1 has no proof" "also without its proof" resume shop.yaml
sql "UPDATE run SET proof = 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'"
refused "a proof that this store's key did not make" "or with one that somebody made up" resume shop.yaml
# A sealed value of the same store is no proof.
sql "UPDATE run SET proof = (SELECT json_extract(plan, '\$.proof.\"\$sealed\"') FROM run_plan)"
refused "a proof that this store's key did not make" "or with something else that is sealed" resume shop.yaml
restore
sql "UPDATE run_plan SET plan = json_remove(plan, '\$.proof')"
refused "another plan" "a plan without the proof of its digest is another one" resume shop.yaml
restore
sql "INSERT INTO step (run, number, address, type, action, status, attempts, started_ms, ended_ms) SELECT row, 9, 'more', 'sandbox.volume', 'create', 'pending', 0, 0, 0 FROM run"
refused "other steps than were recorded" "so is it with a step more" resume shop.yaml
restore
sql "UPDATE step SET action = 'delete' WHERE address = 'disk'"
refused "other steps than were recorded" "or another action" resume shop.yaml
restore
for change in "requester = 'mallory'" "on_failure = 'rollback'" "kind = 'destroy'" "digest = '00'" "undoes = 'r0'" "follows = 'r0'" "started_ms = started_ms + 1"; do
        sql "UPDATE run SET $change"
        refused "its row was changed" "or as a run with $change" resume shop.yaml
        restore
done
tutti resume shop.yaml
code 0 "as it was recorded, it goes on"
is "$(orphans)" disk "and does what was approved"

# --- a policy that is given later is proved as well ---
tutti destroy shop.yaml --yes
tutti apply shop.yaml --yes
code 3 "another run waits"
tutti resume shop.yaml --on-failure stop-run
code 3 "resumed with a policy it waits"
tutti status shop.yaml --json
field_of() { jq -r "$1" <<<"$OUT"; }
is "$(field_of .run.on_failure)" stop-run "which is recorded"
RUN=$(field_of .run.id)
sql "UPDATE run SET on_failure = 'rollback' WHERE id = '$RUN'"
refused "its row was changed" "and cannot be changed" resume shop.yaml
sql "UPDATE run SET on_failure = 'stop-run' WHERE id = '$RUN'"
# A proof belongs to one run.
keep
sql "UPDATE run SET proof = (SELECT proof FROM run WHERE id = 'r1') WHERE id = '$RUN'"
refused "is not the one that was recorded" "the proof of another run does not fit" resume shop.yaml
restore
tutti resume shop.yaml --approve go
code 0 "it goes on"

# --- what is planned back from ---
sed -i 's/size_gb: 1/size_gb: 2/' shop.yaml
tutti apply shop.yaml --yes --approve all
code 0 "a change"
LAST=$(jq -r '.[0].id' < <("$TUTTI" runs shop.yaml --json))
keep
forge "$RUN" 's/size_gb: 2/size_gb: 7/'
refused "run $RUN has another plan" "nobody is led back to what was put in the place of a plan" rollback shop.yaml "$RUN" --yes
restore
sql "DELETE FROM step WHERE run = (SELECT row FROM run WHERE id = '$LAST') AND address = 'disk'"
refused "run $LAST has other steps" "nor over steps that are missing" rollback shop.yaml "$RUN" --yes
restore
tutti rollback shop.yaml "$RUN" --yes --approve all
code 0 "with what was recorded there is a way"
# Plans of runs that say nothing about it are no obstacle.
forge "$LAST" 's/size_gb: 2/size_gb: 8/'
tutti apply shop.yaml --yes --approve all
code 0 "a plain apply does not read earlier plans"

# --- what is under way, and is settled by the next apply ---
sed -i 's/size_gb: 2/size_gb: 3/' shop.yaml
keep
found=
for at in $(seq 200); do
        restore
        (TUTTI_FAULT=kill:$at "$TUTTI" apply shop.yaml --yes --approve all >/dev/null 2>&1) 2>/dev/null
        [ "$(sql "SELECT count(*) FROM operation")" = 1 ] && { found=$at; break; }
done
[ -n "$found" ]; ok $? "a run is killed with something under way"
RUN=$(sql "SELECT id FROM run ORDER BY row DESC LIMIT 1")
keep
forge "$RUN" 's/size_gb: 3/size_gb: 99/'
refused "run $RUN has another plan" "resume goes on with nothing by another plan" resume shop.yaml --approve all
tutti apply shop.yaml --yes --approve all
code 0 "an apply goes by the template alone"
tutti state show shop.yaml disk
like "$OUT" "size_gb = 3" "and by nothing else"
restore
tutti resume shop.yaml --approve all
code 0 "by its own plan it does"
tutti destroy shop.yaml --yes
code 0 "and away with it"
rm -rf kept

# --- a store from before there were proofs ---
mkdir -p "$WORK/old/.tutti" && cd "$WORK/old" || exit 1
umask 077
cp "$HERE"/tests/cases/old-store/*.yaml .
cp "$HERE"/tests/cases/old-store/key* .tutti/
chmod 600 .tutti/key*
sqlite3 .tutti/state.db <"$HERE/tests/cases/old-store/state.sql"
like "$(cat .tutti/key.check)" "^tutti-key-check 1 " "an old store"
keep
tutti plan waits.yaml
code 0 "brought up to date"
like "$(cat .tutti/key.check)" "^tutti-key-check 2 " "says that its plans are proved"
is "$(sql "SELECT count(*) FROM run WHERE proof IS NULL AND kind IN ('apply', 'destroy', 'rollback')")" 0 "which they are"
sql "UPDATE run SET proof = NULL"
tutti resume waits.yaml
code 1 "from then on"
like "$ERR" "has no proof" "none goes on without"
# A database that claims to be an old one, beside the key of today.
cp .tutti/key.check check
rm .tutti/state.db* && cp kept/state.db .tutti/
tutti resume waits.yaml
code 1 "not even in an old database"
like "$ERR" "has no proof" "that somebody put there"
restore
rm .tutti/key.check
tutti resume waits.yaml
code 1 "nor where nothing tells how old it is"
restore
tutti resume waits.yaml
code 0 "with what belongs to it, it goes on"
finish
