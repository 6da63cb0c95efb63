#!/bin/bash
# What the program says to type next can be copied into a shell as it stands, whatever files and gates are called.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/hints/bin" && cd "$WORK/hints" || exit 1
ln -s "$TUTTI" bin/tutti # under its name, for the commands that are copied
copied() { # COMMAND: as somebody's shell would run it
        PATH=$WORK/hints/bin:$PATH bash -c "$1" >"$WORK/out" 2>"$WORK/err" </dev/null
        CODE=$?
        OUT=$(cat "$WORK/out")
        ERR=$(cat "$WORK/err")
}
quoted() { sed -n "s/.*\`\\($1\\)\`.*/\\1/p" <<<"$OUT"; }

ENV="-it's \$(touch ran) & mine.yaml"
# The first step interrupts the program that runs it, and is done.
cat >"$ENV" <<'YAML'
environment: hints
resources:
  first: {type: exec.command, properties: {run: "kill -INT $PPID"}}
  then: {type: value, properties: {input: "${first.stdout}"}}
  go: {type: gate, after: then, properties: {message: "On?"}}
  end: {type: gate, after: go, properties: {message: "Really?"}}
  last: {type: value, after: end, properties: {input: 1}}
YAML
tutti apply --yes -- "$ENV"
code 130 "interrupted"
like "$OUT" "4 steps remain\. What exists is recorded; .tutti resume '\./-it'" "which says what remains, and how to go on"
copied "$(quoted 'tutti resume .*')"
code 3 "that goes on, up to a gate"
copied "$(sed -n 's/^  tutti approve/tutti approve/p' <<<"$OUT")"
code 3 "what is said of the gate answers it and goes on, up to the next"
tutti status -- "$ENV"
hint=$(sed -n 's/.*gate end waits since [^ ]*: //p' <<<"$OUT")
copied "$hint"
code 0 "what status says of it answers it"
copied "$(sed -n 's/.*otherwise: //p' <<<"$OUT")"
code 0 "and what that says goes on, to the end"
[ -e ran ]
is $? 1 "nothing in a name was run"

# One of a thing is one.
cat >one.yaml <<'YAML'
environment: one
resources:
  first: {type: exec.command, properties: {run: "kill -INT $PPID"}}
  then: {type: value, properties: {input: "${first.stdout}"}}
YAML
tutti apply one.yaml --yes
like "$OUT" " 1 step remains\." "one step remains"
cat >alone.yaml <<'YAML'
environment: alone
resources:
  only: {type: value, properties: {input: 1}}
YAML
tutti apply alone.yaml --yes
tutti drift alone.yaml
like "$OUT" "1 resource is as recorded" "one resource is as recorded"
finish
