#!/bin/bash
# What happened, and who waits for whom: waiting for an environment that is held, timelines, history, the audit.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/history" && cd "$WORK/history" || exit 1

# --- waiting for an environment ---
cat >held.yaml <<'YAML'
environment: held
resources:
  slow: {type: exec.command, properties: {run: "touch started; until [ -e go-on ]; do sleep 0.1; done"}}
YAML
hold() { # starts a run that goes on until go-on appears
        rm -f go-on started
        "$TUTTI" apply held.yaml --yes --json >"$WORK/held.out" 2>&1 </dev/null &
        HOLDER=$!
        for _ in $(seq 400); do [ -e started ] && break; sleep 0.05; done
}
hold
tutti apply held.yaml --yes --no-refresh
code 5 "held by another run: exit 5"
unlike "$OUT" "was interrupted" "and a run that is alive is not called interrupted"
like "$ERR" "held by $(id -un)@[^ ]* \(pid $HOLDER\) since 20.*its lease ends in" "naming the holder, and since when"
tutti apply held.yaml --yes --no-refresh --wait 300ms
code 5 "and so after a wait that was too short"
like "$ERR" "waiting up to" "having said that it waits"
like "$ERR" "held by $(id -un)@[^ ]* \(pid $HOLDER\) since 20.*waited" "and for whom it waited"
tutti resume held.yaml --wait 200ms --json
code 5 "resume too"
is "$(jq -r '.problems[0].kind' <<<"$OUT")" busy "in JSON"

waiter() { # ARGS…: a command that waits; its exit code comes with `came`
        rm -f "$WORK/waiter.err"
        "$TUTTI" "$@" >"$WORK/waiter.out" 2>"$WORK/waiter.err" </dev/null &
        WAITER=$!
        for _ in $(seq 400); do grep -qs "waiting up to" "$WORK/waiter.err" && break; sleep 0.05; done
}
came() { wait $WAITER; CODE=$?; OUT=$(cat "$WORK/waiter.out"); ERR=$(cat "$WORK/waiter.err"); }
waiter apply held.yaml --yes --wait 5m
touch go-on
came
is "$CODE" 0 "let go: the waiting run goes on"
like "$OUT" "Nothing to do|No changes|up to date|nothing" "with a plan of what it finds then"
wait $HOLDER
is $? 0 "after the first"
tutti destroy held.yaml --yes

hold
waiter destroy held.yaml --yes --wait 5m
kill -KILL $HOLDER; wait $HOLDER 2>/dev/null
touch go-on
came
is "$CODE" 0 "a holder that dies is waited for until its lease ends, at most"

hold
kill -KILL $HOLDER; wait $HOLDER 2>/dev/null
touch go-on
tutti audit held.yaml --json
BEFORE=$(wc -l <<<"$OUT")
tutti apply held.yaml
code 4 "without a yes, nothing that was interrupted goes on either"
tutti audit held.yaml --json
is "$(wc -l <<<"$OUT")" "$BEFORE" "nothing is touched"
tutti apply held.yaml --yes
code 0 "with one it is"
like "$OUT" "its creation in run r[0-9]+ was (not finished|never answered)" "which is said"
tutti destroy held.yaml --yes
hold
waiter apply held.yaml --yes --wait 5m
kill -INT $WAITER
came
is "$CODE" 130 "Ctrl-C ends the waiting"
touch go-on
wait $HOLDER
tutti destroy held.yaml --yes
tutti apply held.yaml --wait soon
code 4 "a wait that is no duration"

# --- what is printed ---
json_problem() { # ARGS…
        tutti "$@"
        code 4 "tutti $*"
        like "$(jq -r '.problems[0] | .kind + " " + .message' <<<"$OUT" 2>/dev/null)" "^input ." "tutti $*: as JSON"
}
json_problem aply --json
json_problem plan --json
json_problem plan held.yaml --jsn --json
json_problem plan --json held.yaml other.yaml
json_problem state --json frobnicate held.yaml
json_problem apply held.yaml --parallel many --json
cat >gated.yaml <<'YAML'
environment: gated
resources:
  first: {type: value, properties: {input: 1}}
  go: {type: gate, after: [first], properties: {message: "Shall we?"}}
  second: {type: value, after: [go], properties: {input: 2}}
YAML
tutti plan gated.yaml -o gated.plan
tutti apply gated.plan
code 3 "a saved plan waits"
like "$OUT" "tutti approve gated.yaml go && tutti resume gated.yaml" "and its hint names the environment"

# --- a run gives way to another ---
sed -i '/^resources/i notify:\n  - {webhook: "http://127.0.0.1:1/", on: [gate-waiting]}' gated.yaml
tutti apply gated.yaml --yes
code 3 "another run waits in its place"
unlike "$OUT" "nothing to do" "and what it did not do is not told"
like "$OUT" "Run r1 waits; this plan takes its place, and what was answered in it is given up:.*gate go: waits.*tutti resume gated.yaml. goes on with it instead, once" "which says so before"
tutti show gated.yaml r1
like "$OUT" "run r1 .*cancelled" "the first is over"
like "$OUT" "gate go gave up" "its gate asks nobody any more"
unlike "$OUT" "tutti approve" "least of all for an answer, which another run would get"
sed 's/took .*//' <<<"$OUT" >"$WORK/shown"
sleep 0.2
tutti show gated.yaml r1
is "$(sed 's/took .*//' <<<"$OUT")" "$(cat "$WORK/shown")" "and its timeline grows no more"
tutti show gated.yaml r1 --json
is "$(jq -r '.run.gates[0].status' <<<"$OUT")" cancelled "in JSON"
is "$(jq -r '.run.steps[] | select(.address == "go") | .status, (.ended != null)' <<<"$OUT" | paste -sd' ')" "cancelled true" "its step waits no more either"
like "$("$TUTTI" show gated.yaml r1)" "  cancelled go " "in the chart"
is "$("$TUTTI" status gated.yaml --json | jq -r '[.notifications[] | .event + " " + .run] | join(" ")')" "gate-waiting r2" "one message waits for a target that is down"
sed -i '/^notify/,+1d' gated.yaml
tutti approve gated.yaml go
code 0 "all is approved"
tutti apply gated.yaml --yes --json
code 3 "and given up again"
is "$(sed -n 1p <<<"$OUT" | jq -r '[.event, .run, .status, .ready, (.gates[] | .gate, .status, .by, .approvals)] | join(" ")')" "run-superseded r2 waiting true go approved $(id -un) 1" "which an event tells first"
tutti approve gated.yaml go
tutti apply gated.yaml
code 4 "nobody to say yes"
like "$OUT" "gate go: approved by $(id -un).*Nothing is missing that it waits for: .tutti resume gated.yaml. would go on" "what is approved needs only a resume"
tutti resume gated.yaml
code 0 "which goes on"
tutti audit gated.yaml
code 0 "and the record holds"
like "$OUT" "r1 +run-superseded +to r2 by $(id -un)" "with the run that gave way, and to which"

# --- and to nothing at all ---
cp gated.yaml whole.yaml
sed -i 's/input: 2/input: 3/' whole.yaml
cp whole.yaml gated.yaml
tutti apply gated.yaml --yes
code 3 "a run waits"
R=$("$TUTTI" status gated.yaml --json | jq -r .run.id)
sed -i 's/input: 3/input: 2/' gated.yaml
sed -i '/go: {type: gate/d; s/after: \[go\], //' gated.yaml
tutti plan gated.yaml
like "$OUT" "Run $R is waiting.*No changes" "what it was to do is wanted no more; plan says that it waits"
tutti apply gated.yaml
code 0 "nothing to do needs no yes"
like "$OUT" "Run $R waits still: .tutti resume gated.yaml. goes on with it, --yes ends it" "but without one the run stays"
tutti apply gated.yaml --json
code 4 "nor takes an empty run its place"
is "$("$TUTTI" show gated.yaml "$R" --json | jq -r .run.status)" waiting "it waits"
script -qec "'$TUTTI' apply gated.yaml" /dev/null <<<n >"$WORK/out" 2>&1
is $? 130 "a no leaves it"
like "$(cat "$WORK/out")" "Run $R waits; as there is nothing to do it is ended.*gate go: waits.*End it\?" "having been told what is at stake"
is "$("$TUTTI" show gated.yaml "$R" --json | jq -r .run.status)" waiting "waiting"
tutti apply gated.yaml --yes
code 0 "a yes"
like "$OUT" "gate go: waits.*Run $R was ended" "ends it"
is "$("$TUTTI" show gated.yaml "$R" --json | jq -r '.run.status, .run.gates[0].status' | paste -sd' ')" "cancelled cancelled" "with its gate"
tutti approve gated.yaml go
code 4 "which nobody can answer any more"
tutti resume gated.yaml
code 4 "and nothing goes on"
cp whole.yaml gated.yaml
tutti apply gated.yaml --yes
tutti destroy gated.yaml --yes
code 0 "a removal takes the place of one"
printf 'environment: gated\nresources:\n  go: {type: gate}\n  x: {type: value, after: [go], properties: {input: 1}}\n' >gated.yaml
tutti apply gated.yaml --yes
R=$("$TUTTI" status gated.yaml --json | jq -r .run.id)
tutti destroy gated.yaml --yes
like "$OUT" "Run $R was ended" "also one that has nothing to remove"
tutti audit gated.yaml
code 0 "and the record holds"
cp whole.yaml gated.yaml
sed -i 's/input: 3/input: 2/' gated.yaml
tutti destroy gated.yaml --yes

# --- a run that fails while a gate waits: nobody is asked any more ---
cat >failed.yaml <<'YAML'
environment: failed
resources:
  go: {type: gate, properties: {message: "Shall we?"}}
  behind: {type: value, after: [go], properties: {input: 2}}
  waits: {type: exec.command, properties: {run: "until [ -e asked ]; do sleep 0.05; done"}}
  breaks: {type: exec.command, on_failure: stop-run, after: [waits], properties: {run: "exit 1"}}
  asks: {type: exec.command, on_failure: ask, properties: {run: "exit 1"}}
YAML
"$TUTTI" apply failed.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
FAILING=$!
for ((i = 0; i < 1200; i++)); do
        [ "$("$TUTTI" status failed.yaml --json 2>/dev/null | jq '[.run.gates[]? | select(.status == "waiting")] | length')" = 2 ] && break
        sleep 0.05
done
touch asked
wait $FAILING
is $? 1 "a run ended with a failure, a gate and a question open"
tutti status failed.yaml --json
is "$(jq -r '[.run.gates[].status] | join(" ")' <<<"$OUT")" "cancelled cancelled" "nobody is to answer"
is "$(jq -r '.run.steps[] | select(.address == ("go", "asks")) | [.address, .status, (.ended != null)] | join(" ")' <<<"$OUT" | sort | paste -sd,)" \
        "asks failed true,go cancelled true" "the gate was not passed, and the other step failed"
tutti status failed.yaml
like "$OUT" "  cancelled go .*  failed    asks " "for people too"
tutti approve failed.yaml go
code 4 "and it takes no answer"
tutti audit failed.yaml
code 0 "the record holds"
if command -v sqlite3 >/dev/null; then
        sqlite3 .tutti/state.db "UPDATE step SET status = 'waiting', ended_ms = 0 WHERE status = 'cancelled'"
        tutti show failed.yaml r1
        like "$OUT" "  cancelled go " "also where an older program left it waiting"
fi
rm -f asked

# --- a run whose process died ---
hold
kill -KILL $HOLDER; wait $HOLDER 2>/dev/null
tutti status held.yaml
like "$OUT" " interrupted, started.*tutti resume held.yaml. goes on" "it was interrupted, and can be resumed"
unlike "$OUT" "left; the longest path" "how long it takes is nothing to tell"
is "$("$TUTTI" status held.yaml --json | jq -r '.run.status + " " + (.run.eta_seconds | tostring)')" "interrupted null" "in JSON"
tutti runs held.yaml
like "$OUT" "interrupted .*tutti resume held.yaml" "among the runs too"
is "$("$TUTTI" runs held.yaml --json | jq -r '.[0].status')" interrupted "and in JSON"
touch go-on
tutti resume held.yaml
code 0 "resumed"
tutti destroy held.yaml --yes
tutti destroy held.yaml --yes
like "$OUT" "No changes: there is nothing to delete" "what is gone cannot be deleted again"
hold
is "$("$TUTTI" status held.yaml --json | jq -r .run.status)" running "one that is alive is running"
touch go-on
wait $HOLDER

# --- a gate that nobody answered in time ---
cat >late.yaml <<'YAML'
environment: late
resources:
  go: {type: gate, properties: {message: "Quick!", expires: 100ms}}
  note: {type: value, after: [go], properties: {input: 1}}
YAML
tutti apply late.yaml --yes
sleep 0.2
tutti status late.yaml
like "$OUT" "gate go lapsed at .*tutti resume late.yaml. takes it for rejected" "it lapsed"
unlike "$OUT" "tutti approve" "and is not asked for any more"

# --- timelines ---
cat >line.yaml <<'YAML'
environment: line
resources:
  first: {type: exec.command, properties: {run: "true"}}
  go: {type: gate, after: [first], properties: {message: "Shall we?"}}
  bad: {type: exec.command, after: [go], properties: {run: "false"}}
  behind: {type: value, after: [bad], properties: {input: 1}}
YAML
tutti apply line.yaml --yes
code 3 "a run waits"
tutti approve line.yaml go --comment "go on"
tutti resume line.yaml
code 1 "and fails"
LC_ALL=C COLUMNS=80 tutti show line.yaml r1
code 0 "it is shown"
like "$OUT" "done +first +create +\+[0-9].*\|[ #]*#[ #]*\|" "what was done, with a bar"
like "$OUT" "done +go +gate +\+[0-9].*\|[ .]*\.[ .]*\|" "waiting looks different"
like "$OUT" "failed +bad " "what failed"
like "$OUT" "exited with status 1" "and why"
like "$OUT" "skipped +behind +create +\| +\|" "what never began"
like "$OUT" "gate go approved by $(id -un) at .*: go on" "and who let it go on"
LC_ALL=C grep -qP '[^\x00-\x7F]' "$WORK/out"; is $? 1 "in plain ASCII"
is "$(awk 'length > 90' "$WORK/out" | grep -c '|')" 0 "within the width"
LC_ALL=C.UTF-8 tutti show line.yaml r1
like "$OUT" "█.*░|░.*█|█" "in Unicode where the locale has it"
tutti show line.yaml r1 --json
is "$(jq -r '.run | .kind + " " + .status + " " + .requester' <<<"$OUT")" "apply failed $(id -un)" "in JSON: the run"
is "$(jq -r '[.run.steps[] | .address + ":" + .status + ":" + (.attempts | tostring)] | join(" ")' <<<"$OUT")" "first:done:1 go:done:1 bad:failed:1 behind:skipped:0" "its steps with attempts"
is "$(jq -r '.run.gates[0] | .status + " " + .by + " " + .comment' <<<"$OUT")" "approved $(id -un) go on" "its gates with answers"
is "$(jq -r '[.run.events[].event] | (index("run-started") != null) and (index("gate-answered") != null) and (index("run-done") != null)' <<<"$OUT")" true "its events"
cat >long.yaml <<'YAML'
environment: long
resources:
  note: {type: value, count: 300, properties: {input: "${count.index}"}}
YAML
tutti apply long.yaml --yes
tutti show long.yaml r1
is "$(grep -c note "$WORK/out")" 40 "a long run is cut"
like "$OUT" "and 260 more: 260 done; --all shows them" "with a count of the rest"
tutti show long.yaml r1 --all
is "$(grep -c note "$WORK/out")" 300 "or shown as a whole"

# --- the audit ---
tutti audit line.yaml
code 0 "the audit of what happened"
like "$OUT" "run-started +apply by $(id -un) \(plan [0-9a-f]{12}\)" "who ran what"
like "$OUT" "gate-answered +go approved by $(id -un).*go on" "who answered, and why"
like "$OUT" "run-started +apply by $(id -un) resumed" "who went on with it"
like "$OUT" "step-failed +create bad - .*status 1" "what failed"
like "$OUT" "events holds, and every row is as it says" "and the record holds"
tutti audit line.yaml --json
ok "$(jq -es 'all(has("seq") and has("hash")) and (map(select(.event == "rows")) | length) >= 2' <<<"$OUT" >/dev/null; echo $?)" "in JSON with the witness"
if command -v sqlite3 >/dev/null; then
        cp -r .tutti saved
        tampered() { # SQL REGEX NAME
                rm -rf .tutti && cp -r saved .tutti
                sqlite3 .tutti/state.db "$1"
                tutti audit line.yaml
                code 1 "$3"
                like "$ERR" "$2" "$3: is named"
        }
        ENV="environment = (SELECT id FROM environment WHERE name = 'line')"
        tampered "UPDATE event SET data = '{}' WHERE seq = 3 AND $ENV" "event 3 does not match" "an event that was changed"
        tampered "DELETE FROM event WHERE seq = 4 AND $ENV" "event 4 is missing" "one that was taken out"
        tampered "UPDATE gate SET answered_by = 'eve' WHERE $ENV" "gate go of run r1 was changed" "a gate's row"
        tampered "UPDATE answer SET person = 'eve' WHERE $ENV" "answer" "an answer"
        tampered "DELETE FROM answer WHERE $ENV" "the answer of [^ ]+ to gate go of run r1 is missing" "an answer that was taken out"
        rm -rf .tutti && mv saved .tutti
fi

# --- earlier versions ---
cat >versions.yaml <<'YAML'
environment: versions
parameters: {size: string, secret: {type: string, sensitive: true}}
resources:
  thing: {type: value, properties: {input: {size: "${param.size}", list: [1, 2], secret: "${param.secret}"}}}
YAML
TUTTI_PARAM_size=small TUTTI_PARAM_secret=alpha-secret tutti apply versions.yaml --yes
TUTTI_PARAM_size=large TUTTI_PARAM_secret=alpha-secret tutti apply versions.yaml --yes
TUTTI_PARAM_size=large TUTTI_PARAM_secret=beta-secret tutti apply versions.yaml --yes
tutti state history versions.yaml thing --json
code 0 "earlier versions"
is "$(jq -rc '[.[].run, .[2].action, (.[2].changes[] | select(.path == "input") | .before, .after.size, .after.secret)] | tostring' <<<"$OUT")" '["r3","r2","r1","create",null,"small","(sensitive)"]' "by the runs that made them, newest first, from its creation on"
is "$(jq -rc '.[1].changes[] | select(.path == "input.size") | [.before, .after]' <<<"$OUT")" '["small","large"]' "with what changed"
is "$(jq -rc '.[0].changes[] | select(.path == "input.secret") | [.before, .after, .sensitive]' <<<"$OUT")" '["(sensitive)","(sensitive)",true]' "secrets masked"
tutti state history versions.yaml thing
like "$OUT" 'input.size: .?small.? -> .?large' "in words"
grep -qE '(alpha|beta)-secret' "$WORK/out"; is $? 1 "without secrets"
TUTTI_PARAM_size=large TUTTI_PARAM_secret=beta-secret tutti destroy versions.yaml --yes
tutti state history versions.yaml thing --json
is "$(jq -rc '.[0] | [.action, (.changes[] | select(.path == "input") | .after)]' <<<"$OUT")" '["delete",null]' "a deletion leaves nothing"
# --- another name ---
sed 's/^environment: .*/environment: renamed/' line.yaml >renamed.yaml
tutti plan renamed.yaml
like "$OUT" "Nothing is recorded of environment renamed here; its store has .*line" "an environment that was renamed is told from a new one"
tutti plan line.yaml
unlike "$OUT" "Nothing is recorded" "and one that is recorded is not told so"

finish
