#!/bin/bash
# After an update: a store of the first schema, with runs that the program of that time left behind, is gone on with.
. "${BASH_SOURCE%/*}/engine.sh"
command -v sqlite3 >/dev/null || { echo "1..0 # SKIP no sqlite3"; exit 0; }
mkdir -p "$WORK/old/.tutti" && cd "$WORK/old" || exit 1
umask 077
cp "$HERE"/tests/cases/old-store/*.yaml .
cp "$HERE"/tests/cases/old-store/key* .tutti/
chmod 600 .tutti/key*
sqlite3 .tutti/state.db <"$HERE/tests/cases/old-store/state.sql"
is "$(sqlite3 .tutti/state.db 'PRAGMA user_version')" 1 "an old store"

tutti resume waits.yaml
code 0 "a run that waited, and was answered then, goes on"
tutti plan waits.yaml --detailed-exitcode
code 0 "to its end"
tutti audit waits.yaml
code 0 "the log holds"
like "$OUT" "before the update" "with what was said then"

cp -r .tutti before
tutti resume broken.yaml
code 0 "a run that was killed goes on"
is "$(cat made)" "done" "with what it had under way"
tutti plan broken.yaml --detailed-exitcode
code 0 "to its end"

rm -rf .tutti made && mv before .tutti
tutti apply broken.yaml --yes
code 0 "or another run settles it first"
is "$(cat made)" "done" "once"
tutti rollback broken.yaml r1 --before --yes
code 0 "and it can be undone"
tutti audit broken.yaml
code 0 "the log holds"
finish
