#!/bin/bash
# Somebody at the keyboard, or elsewhere: gates answered at the terminal and from another process, Ctrl-C once and twice.
. "${BASH_SOURCE%/*}/engine.sh"
command -v script >/dev/null || { echo "1..0 # SKIP script(1), which lends a terminal, is not installed"; exit 0; }
engine_sandbox --no-ssh --latency 400ms
mkdir -p "$WORK/control" && cd "$WORK/control" || exit 1
cat >env.yaml <<'YAML'
environment: control
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  go: {type: gate, after: [net], properties: {message: "Shall we?"}}
  volume: {type: sandbox.volume, after: [go], properties: {name: vol, size_gb: 10}}
  free: {type: sandbox.volume, count: 2, properties: {name: "free-${count.index}", size_gb: 10}}
YAML

# tutti under a terminal; what is typed comes through the fifo on descriptor 9.
terminal() {
        rm -f typed screen && mkfifo typed
        TERM=xterm script -qfec "$TUTTI $*" screen <typed >/dev/null 2>&1 &
        SCRIPT=$!
        exec 9>typed
}
screen_has() { # REGEX
        for _ in $(seq 200); do
                grep -qE "$1" screen 2>/dev/null && return 0
                sleep 0.05
        done
        sed 's/^/# /' screen
        return 1
}
type_line() { printf '%s\n' "$1" >&9; }
ended() {
        exec 9>&-
        wait $SCRIPT
        CODE=$?
}

terminal apply env.yaml
screen_has 'Apply this plan'; ok $? "a plan is asked for"
type_line n
screen_has 'Nothing was changed'; ok $? "a no changes nothing"
ended
is "$CODE" 130 "and what was to follow does not"

terminal apply env.yaml
screen_has 'Apply this plan'; ok $? "the whole is asked for at the terminal"
type_line y
screen_has 'a.*pprove.*r.*eject.*i.*nspect.*l.*eave'; ok $? "then the gate"
screen_has 'Shall we'; ok $? "with its message"
type_line i
screen_has 'sandbox.volume'; ok $? "inspecting shows what waits behind it"
is "$(journal '[.[] | select(.name=="vol")] | length')" 0 "which did not happen yet"
for _ in $(seq 100); do [ "$(journal '[.[] | select(.name | test("free"))] | length')" = 2 ] && break; sleep 0.05; done
is "$(journal '[.[] | select(.name | test("free"))] | length')" 2 "while independent branches went on"
type_line a
ended
is "$CODE" 0 "the yes lets it go on to the end"
is "$(journal '[.[] | select(.name=="vol")] | length')" 1 "and what waited was made"
tutti audit env.yaml
like "$OUT" "gate-approved" "the audit knows"
tutti destroy env.yaml --yes
code 0 "destroyed"

terminal apply env.yaml --yes
screen_has 'a.*pprove.*r.*eject'; ok $? "another run waits at its gate"
tutti approve env.yaml go --comment "from elsewhere"
code 0 "another process approves"
ended
is "$CODE" 0 "and the prompt gives way"
tutti destroy env.yaml --yes

terminal apply env.yaml --yes
screen_has 'a.*pprove.*r.*eject'; ok $? "a third run waits"
type_line l
ended
is "$CODE" 3 "left waiting: exit 3"
tutti approve env.yaml go --reject --comment "no"
tutti resume env.yaml
code 1 "rejected: exit 1"
tutti destroy env.yaml --yes
is "$(orphans)" "" "nothing left"

# Ctrl-C once: what is in flight finishes and is recorded.
call POST /_control '{"latency": "1s"}'
cat >chain.yaml <<'YAML'
environment: chain
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${net.id}", cidr: 10.0.1.0/24}}
YAML
interrupted() { # SIGNALS
        "$TUTTI" apply chain.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
        local pid=$!
        for _ in $(seq 100); do [ "$(journal '[.[] | select(.name=="net" and .effect=="created")] | length')" -gt "$BEFORE" ] && break; sleep 0.02; done
        for _ in $(seq "$1"); do
                kill -INT $pid
                sleep 0.2
        done
        wait $pid
        CODE=$?
}
BEFORE=$(journal '[.[] | select(.name=="net" and .effect=="created")] | length')
interrupted 1
code 130 "Ctrl-C once: exit 130"
tutti state list chain.yaml --json
is "$(jq -r 'map(.address) | join(" ")' <<<"$OUT")" net "what was in flight finished and is recorded"
tutti resume chain.yaml
code 0 "resume goes on"
tutti plan chain.yaml --detailed-exitcode
code 0 "to the end"
tutti destroy chain.yaml --yes

# Twice: at once; what was in flight is found again.
call POST /_control '{"latency": "6s"}'
BEFORE=$(journal '[.[] | select(.name=="net" and .effect=="created")] | length')
interrupted 2
code 130 "Ctrl-C twice: exit 130"
call POST /_control '{"latency": "1s"}'
tutti state list chain.yaml --json
is "$(jq -r 'map(.address) | join(" ")' <<<"$OUT")" "" "at once"
tutti plan chain.yaml
like "$OUT" "resume" "a plan says that a run was interrupted"
tutti apply chain.yaml --yes
code 0 "apply goes on with what it had begun"
like "$OUT" "its creation in run r[0-9]+ was not finished" "and says so"
is "$(journal '[.[] | select(.name=="net" and .effect=="created")] | length')" $((BEFORE + 1)) "without making anything twice"
tutti destroy chain.yaml --yes
is "$(orphans)" "" "nothing left"

# A gate that nobody answers in time.
cat >lapse.yaml <<'YAML'
environment: lapse
resources:
  go: {type: gate, properties: {message: "Quick!", expires: 300ms}}
  note: {type: value, after: [go], properties: {input: 1}}
YAML
tutti apply lapse.yaml --yes
code 3 "a gate with a deadline waits"
sleep 0.4
tutti resume lapse.yaml
code 1 "until it lapses"
like "$OUT" "nobody answered in time" "and says so"
finish
