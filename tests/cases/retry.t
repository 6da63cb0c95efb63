#!/bin/bash
# `retry` and `timeout` hold for every type: commands, requests, checks. What an answer says is no lost answer, and what may be sent twice is.
. "${BASH_SOURCE%/*}/engine.sh"
RECEIVER=
trap '[ -z "$RECEIVER" ] || kill "$RECEIVER" 2>/dev/null; cleanup' EXIT
mkdir -p "$WORK/r" "$WORK/story" && cd "$WORK/story" || exit 1
perl "$HERE/tests/cases/receiver.pl" http "$WORK/r" >"$WORK/r.log" 2>&1 &
RECEIVER=$!
for _ in $(seq 200); do [ -s "$WORK/r/port" ] && break; sleep 0.05; done
SERVER=http://127.0.0.1:$(cat "$WORK/r/port")
answers() { rm -rf .tutti "$WORK"/r/[0-9]*; echo "$1" >"$WORK/r/mode"; } # MODE
asked() { ls "$WORK"/r/*.body 2>/dev/null | wc -l; }
tries() { wc -l <tries 2>/dev/null || echo 0; }

# --- commands ---
command() { # RETRY RUN
        rm -rf .tutti tries
        printf 'environment: c\nresources:\n  x: {type: exec.command, %sproperties: {run: %s}}\n' "$1" "'$2'" >c.yaml
        tutti apply c.yaml --yes
}
command 'retry: {attempts: 3, backoff: 50ms}, ' 'echo try >>tries; test "$(wc -l <tries)" -ge 3'
is "$CODE $(tries)" "0 3" "a command that fails is tried as often as the template says, and then succeeds"
like "$OUT" "trying again" "which is shown"
command 'retry: {attempts: 3, backoff: 50ms}, ' 'echo try >>tries; exit 7'
is "$CODE $(tries)" "1 3" "and no oftener"
like "$OUT" "exited with status 7" "it has failed as it did last"
command 'retry: {attempts: 2, backoff: 50ms}, ' 'echo try >>tries; kill -9 $$'
is "$CODE $(tries)" "1 2" "so does one that is ended by a signal"
command '' 'echo try >>tries; exit 7'
is "$CODE $(tries)" "1 1" "where the template says nothing it runs once"
command 'retry: 1, ' 'echo try >>tries; exit 7'
is "$CODE $(tries)" "1 1" "and with one attempt"
rm -rf .tutti tries
cat >c.yaml <<'YAML'
environment: c
resources:
  x: {type: exec.command, retry: {attempts: 3, backoff: 50ms}, properties: {run: "true", on_delete: 'echo try >>tries; test "$(wc -l <tries)" -ge 3'}}
YAML
tutti apply c.yaml --yes
tutti destroy c.yaml --yes
is "$CODE $(tries)" "0 3" "on_delete is tried as often"
cat >c.yaml <<'YAML'
environment: c
resources:
  sub: {type: template, template: sub.yaml}
YAML
cat >sub.yaml <<'YAML'
template: sub
resources:
  x: {type: exec.command, retry: {attempts: 2, backoff: 50ms}, properties: {run: 'echo try >>tries; test "$(wc -l <tries)" -ge 2'}}
YAML
rm -rf .tutti tries
tutti apply c.yaml --yes
is "$CODE $(tries)" "0 2" "and so in a nested template"
rm -rf .tutti tries
printf 'environment: c\nresources:\n  x: {type: exec.command, timeout: 1s, retry: {attempts: 9, backoff: 200ms, max: 400ms}, properties: {run: "echo try >>tries; exit 1"}}\n' >c.yaml
tutti apply c.yaml --yes
code 1 "all attempts together have the time that the template gives"
like "$OUT" "timed out after 1" "which is said"

# --- requests ---
request() { # METHOD RETRY
        printf 'environment: h\nresources:\n  g: {type: http.request, retry: {attempts: %s, backoff: 50ms}, properties: {url: "%s/", method: %s}}\n' "$2" "$SERVER" "$1" >h.yaml
        tutti apply h.yaml --yes
}
for method in GET POST PUT DELETE; do
        for status in 503 429; do
                answers "$status"
                request $method 3
                is "$CODE $(asked)" "1 3" "$method answered $status: as many attempts as the template says, and then it has failed"
                like "$OUT$ERR" "answered $status" "$method answered $status: is what it says"
                unlike "$OUT$ERR" "reply to its creation was lost|not known" "$method answered $status: no answer was lost"
                is "$("$TUTTI" status h.yaml --json | jq '.open | length')" 0 "$method answered $status: nothing is open"
                answers "$status 2"
                request $method 3
                is "$CODE $(asked)" "0 3" "$method answered $status: another attempt succeeds"
        done
done
for status in 500 404; do
        answers "$status"
        request POST 3
        is "$CODE $(asked)" "1 3" "answered $status: where the template says so it is tried again"
        printf 'environment: h\nresources:\n  g: {type: http.request, properties: {url: "%s/"}}\n' "$SERVER" >h.yaml
        answers "$status"
        tutti apply h.yaml --yes
        is "$CODE $(asked)" "1 1" "answered $status: and else once"
done
for method in GET PUT DELETE; do
        answers "lost 2"
        request $method 3
        is "$CODE $(asked)" "0 3" "$method: a lost answer is no doubt"
done
answers "lost 1"
request POST 3
is "$CODE $(asked)" "3 1" "POST: a lost answer is one, and a person is asked"
answers hang
printf 'environment: h\nresources:\n  g: {type: http.request, timeout: 1s, properties: {url: "%s/", method: PUT}}\n' "$SERVER" >h.yaml
tutti apply h.yaml --yes
code 1 "PUT: no answer in time"
answers ok
tutti apply h.yaml --yes
code 0 "PUT: and it is sent again"
answers hang
"$TUTTI" apply h.yaml --yes >/dev/null 2>&1 &
APPLY=$!
for _ in $(seq 100); do [ "$("$TUTTI" status h.yaml --json 2>/dev/null | jq '.open | length')" = 1 ] && break; sleep 0.05; done
kill -KILL $APPLY; wait $APPLY 2>/dev/null
echo ok >"$WORK/r/mode"
tutti apply h.yaml --yes
is "$CODE $(asked)" "0 1" "PUT: sent again after a crash"
finish
