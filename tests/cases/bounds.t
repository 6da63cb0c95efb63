#!/bin/bash
# What a cloud, a command line or a disk may do to the program is bounded, and said.
. "${BASH_SOURCE%/*}/engine.sh"
BIG=
trap '[ -z "$BIG" ] || kill "$BIG" 2>/dev/null; cleanup' EXIT
mkdir -p "$WORK/b/providers/big" && cd "$WORK/b" || exit 1
perl "$HERE/tests/cases/big.pl" "$WORK" >/dev/null 2>&1 &
BIG=$!
for _ in $(seq 200); do [ -s "$WORK/port" ] && break; sleep 0.05; done
{
        cat <<YAML
provider: big
doc: Answers that are too large.
endpoint: http://127.0.0.1:$(cat "$WORK/port")
errors: {message: "\${reply.body.message}"}
types:
YAML
        for what in id error status folds; do
                cat <<YAML
  big.$what:
    doc: It.
    properties: {name: {type: string, doc: Its name.}}
    create: {method: POST, path: /$what, body: "\${document}", id: "\${reply.body.id}", wait: {until: '\${item.status == "active"}', failed: '\${length(item.status) > 100}', message: "\${item.message}", progress: "\${item.status}"}}
    read: {path: [$what, "\${id}"], object: "\${reply.body}"}
    delete: {method: DELETE, path: [$what, "\${id}"]}
YAML
        done
} >providers/big/provider.yaml
large() { # TYPE PATTERN
        rm -rf .tutti
        printf 'environment: b\nresources: {r: {type: big.%s, retry: 1, timeout: 20s, properties: {name: x}}}\n' "$1" >b.yaml
        timeout 60 "$TUTTI" apply b.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null
        CODE=$?
        is "$((CODE == 1 || CODE == 3))" 1 "$1: the apply ends"
        ok $(($(cat "$WORK/out" "$WORK/err" | wc -c) >= 60000)) "$1: with little output"
        ok $(($(cat .tutti/state.db* | wc -c) >= 1000000)) "$1: and a small record"
        like "$(cat "$WORK/out" "$WORK/err")" "$2" "$1: which says what it was"
}
large id "the id in the answer is longer than any id can be"
large error "xxxx"
large status "xxxx"
large folds "headers"

# --- the command line ---
ESC=$(printf '\033')
for args in "apply --${ESC}[31m" "${ESC}[31m" "help ${ESC}[31m" "plan --set ${ESC}[31m x.yaml"; do
        tutti $args
        unlike "$OUT$ERR" "$ESC" "what is typed is not sent back raw: $(printf %q "$args")"
done
tutti plan --yse x.yaml
like "$CODE $ERR" "^4 .*unknown flag '--yse'" "a flag that is none"
tutti apply --yse x.yaml
like "$ERR" "unknown flag '--yse'; did you mean '--yes'" "with the one that was meant, where the command has it"
tutti eval '-1 + 2'
like "$ERR" "unknown flag '-1'" "the flag is named, not the command"
tutti plan -json x.yaml
like "$ERR" "unknown flag '-j'" "also in the middle"

# --- a full disk behind standard output ---
printf 'environment: f\nresources: {v: {type: value, properties: {input: 1}}}\noutputs: {o: 1}\n' >f.yaml
tutti apply f.yaml --yes
for c in "apply f.yaml --yes" "apply f.yaml --yes --json" "plan f.yaml --json" "check f.yaml" "state list f.yaml" "output f.yaml" "version"; do
        "$TUTTI" $c >/dev/full 2>"$WORK/err"
        is "$? $(grep -c 'cannot write standard output' "$WORK/err")" "1 1" "$c into a full disk fails, and says so"
done

# --- who may write the record ---
chmod 777 .tutti
tutti plan f.yaml
like "$CODE $ERR" "^4 .*everybody may write to .*\.tutti, and so change what is recorded" "a folder that everybody may write to"
chmod 700 .tutti
chmod 666 .tutti/state.db
tutti apply f.yaml --yes
like "$CODE $ERR" "^4 .*everybody may write to .*state.db" "a file that everybody may write to"
chmod 600 .tutti/state.db
tutti plan f.yaml
code 0 "and no longer"
finish
