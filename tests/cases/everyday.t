#!/bin/bash
# What people do every day, and what should not surprise them: byte order marks, pipes for files, a colleague's run, counts of nothing.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/e" && cd "$WORK/e" || exit 1

# --- a file that begins with a byte order mark is the same file ---
printf '\xef\xbb\xbfenvironment: mark\nresources:\n  v: {type: value, properties: {input: 1}}\n  g: {type: gate, after: v, properties: {message: ok}}\n  w: {type: value, after: g, properties: {input: 1}}\noutputs: {o: "${v.output}"}\n' >mark.yaml
mark() { # CODE ARGS…
        local want=$1
        shift
        tutti "$@"
        code "$want" "with a byte order mark: $*"
}
mark 0 check mark.yaml
mark 0 plan mark.yaml
mark 3 apply mark.yaml --yes
mark 0 status mark.yaml
mark 0 approve mark.yaml g
mark 0 resume mark.yaml
mark 0 runs mark.yaml
mark 0 show mark.yaml r1
mark 0 output mark.yaml o
mark 0 audit mark.yaml
mark 0 drift mark.yaml
mark 0 graph mark.yaml
mark 0 notify mark.yaml
mark 0 state list mark.yaml
mark 0 state show mark.yaml v
mark 0 state history mark.yaml v
mark 0 state mv mark.yaml v moved
mark 0 state mv mark.yaml moved v
mark 0 rollback mark.yaml r1 --plan
"$TUTTI" state export mark.yaml >doc.json 2>/dev/null
ok $? "with a byte order mark: state export"
mark 0 state rm mark.yaml w
mark 3 apply mark.yaml --yes
mark 0 approve mark.yaml g --reject
mark 0 destroy mark.yaml --yes
printf '\xef\xbb\xbf\xef\xbb\xbfenvironment: twice\n' >twice.yaml
mark 4 check twice.yaml

# --- a pipe is read once, or refused; nobody waits for ever ---
mkfifo pipe
for c in apply plan check destroy status; do
        timeout 20 "$TUTTI" "$c" pipe >"$WORK/out" 2>"$WORK/err" </dev/null
        is "$?" 4 "$c of a pipe that nobody writes to ends"
done
is "$("$TUTTI" eval --context <(echo '{"a": 2}') 'a + 1')" 3 "what a shell hands over by a pipe is read"

# --- whose run it is ---
cat >ours.yaml <<'YAML'
environment: ours
parameters: {v: {type: number, default: 1}}
resources:
  a: {type: value, properties: {input: "${param.v}"}}
  g: {type: gate, after: a, properties: {message: ok}}
  w: {type: value, after: g, properties: {input: "${param.v}"}}
YAML
tutti apply ours.yaml --yes --as alice
code 3 "alice's run waits"
for c in "apply ours.yaml --yes --set v=2" "apply ours.yaml --yes --json --set v=2" "destroy ours.yaml --yes" "rollback ours.yaml r1 --before --yes"; do
        tutti $c --as bob
        code 4 "$c: bob's yes does not end it"
        like "$OUT$ERR" "run r1 of alice waits.*tutti resume ours.yaml. goes on with it, --supersede takes its place" "$c: which is said"
done
tutti plan ours.yaml --set v=2 -o saved.plan
tutti apply saved.plan --as bob
code 4 "nor does a saved plan"
is "$("$TUTTI" status ours.yaml --json | jq -r '.run | [.id, .status, .requester] | join(" ")')" "r1 waiting alice" "it waits still"
tutti approve ours.yaml g
tutti apply ours.yaml --yes --set v=3 --as alice
code 3 "her own yes does"
tutti apply ours.yaml --yes --supersede --set v=4 --as bob
code 3 "and bob's with --supersede"
is "$("$TUTTI" status ours.yaml --json | jq -r '.run | [.status, .requester] | join(" ")')" "waiting bob" "which is his now"
tutti resume ours.yaml --supersede
code 4 "where no run gives way there is no such flag"
tutti destroy ours.yaml --yes --supersede --as bob
code 0 "and it is all gone"

# --- counts and names that mean nothing ---
for n in 0 -1 x 1000000; do
        tutti plan ours.yaml --parallel "$n"
        code 4 "--parallel $n"
        like "$ERR" "is no number of steps" "--parallel $n: is said"
done
printf 'environment: same\nresources: {v: {type: value, properties: {input: 1}}}\n' >same.yaml
tutti apply same.yaml --yes
tutti apply same.yaml --yes --approve nosuch
code 4 "a gate that is none, where nothing is to be done"
like "$ERR" "there is no gate 'nosuch'" "is said"
finish
