#!/bin/bash
# Intents whose outcome is not known are never forgotten: not by a failed run, a wrong token, a change of the record.
# Names may be used twice in this cloud, so that a repeated creation would show.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique --latency 10ms
mkdir -p "$WORK/recover" && cd "$WORK/recover" || exit 1
cat >env.yaml <<'YAML'
environment: recover
resources:
  net: {type: sandbox.network, retry: {attempts: 2, backoff: 20ms}, properties: {name: net, cidr: 10.9.0.0/16}}
YAML
once() { # NAME
        is "$(journal '[.[] | select(.effect=="created")] | length')" "$((BEFORE + 1))" "$1: the network was made once"
        tutti plan env.yaml --detailed-exitcode
        code 0 "$1: and nothing is left to do"
        tutti destroy env.yaml --yes
        code 0 "$1: destroyed"
        is "$(orphans)" "" "$1: nothing left"
}
made() { BEFORE=$(journal '[.[] | select(.effect=="created")] | length'); }
hang_and_kill() {
        call POST /_control '{"faults": [{"match": "POST /v1/networks", "do": "hang", "times": 1}]}'
        "$TUTTI" apply env.yaml --yes >/dev/null 2>&1 &
        local pid=$!
        for _ in $(seq 200); do [ "$(journal '[.[] | select(.effect=="created")] | length')" -gt "$BEFORE" ] && break; sleep 0.02; done
        kill -KILL $pid
        wait $pid 2>/dev/null
        call POST /_control '{"faults": []}'
}

made
call POST /_control '{"faults": [{"match": "* /v1/networks", "do": "reset-after", "times": 4}]}'
tutti apply env.yaml --yes
code 1 "replies that stay lost fail the run"
tutti apply env.yaml --yes
code 0 "the next apply"
once "after lost replies"

made
hang_and_kill
TUTTI_SANDBOX_TOKEN=wrong tutti resume env.yaml
code 1 "a resume with a wrong token fails"
tutti resume env.yaml
code 4 "it is over then"
like "$ERR" "tutti apply" "and what it left is for an apply"
tutti apply env.yaml --yes
code 0 "which succeeds with the right one"
once "after a wrong token"

made
hang_and_kill
TUTTI_SANDBOX_TOKEN=wrong tutti apply env.yaml --yes
code 1 "an apply with a wrong token cannot settle"
tutti apply env.yaml --yes
code 0 "one with the right one can"
once "after settling failed"

made
hang_and_kill
tutti state mv env.yaml net other
code 4 "the record is not changed under an unfinished run"
tutti resume env.yaml
code 0 "which goes on"
once "after an attempt on the record"

# A token that stands in the environment and was exchanged since: what is settled is the old run's, the token is today's.
made
tutti destroy env.yaml --yes
cp env.yaml env.was
sed -i "/^environment/a providers: {sandbox: {endpoint: \"$URL\", token: $TOKEN}}" env.yaml
hang_and_kill
sed -i "s/token: $TOKEN/token: exchanged/" env.yaml
tutti apply env.yaml --yes
code 1 "a token that is wrong today cannot settle"
like "$OUT$ERR" "its creation in run r[0-9]+ was never answered" "an apply that finds an interrupted run says so"
sed -i "s/token: exchanged/token: $TOKEN/" env.yaml
tutti apply env.yaml --yes
code 0 "the right one can"
once "after a token was exchanged"

# What was under way has left the template since.
made
hang_and_kill
sed 's/^  net:.*/  v: {type: value, properties: {input: 1}}/' env.was >env.yaml
tutti apply env.yaml --yes
code 0 "a resource that left the template under way"
is "$(journal '[.[] | select(.effect=="created")] | length')" "$((BEFORE + 1))" "was found"
is "$(orphans)" "" "and deleted"
tutti destroy env.yaml --yes
mv env.was env.yaml

# A run that waits is not given up for a command that does nothing.
cat >gate.yaml <<'YAML'
environment: gate
resources:
  go: {type: gate, properties: {message: "?", approvers: [boss]}}
  v: {type: value, after: [go], properties: {input: 1}}
YAML
tutti apply gate.yaml --yes
code 3 "a run waits"
tutti apply gate.yaml
code 4 "an apply that cannot ask"
tutti apply gate.yaml --yes --target nosuch
code 4 "and one with a wrong target"
tutti status gate.yaml --json
is "$(jq -r .run.status <<<"$OUT")" waiting "leave it waiting"
tutti resume gate.yaml --approve all
code 3 "who is no approver cannot answer beforehand either"
tutti resume gate.yaml --approve go --as boss
code 0 "who is, can"

# A saved plan is what was reviewed: nothing in it can be edited.
tutti plan gate.yaml --set x=1 >/dev/null 2>&1
sed -i 's/input: 1/input: 2/' gate.yaml
tutti plan gate.yaml -o gate.plan
code 0 "a plan is saved"
sed 's/"targets":\[\]/"targets":["go"]/' gate.plan >edited.plan
tutti apply edited.plan
code 4 "an edited one is refused"
tutti plan gate.yaml -o /dev/null
code 4 "a plan is not saved over a device"
[ -c /dev/null ]; ok $? "which is still there"

# Whatever write of the record fails, a run of two rounds is never kept out by a lease of its own.
cat >rounds.yaml <<'YAML'
environment: rounds
resources:
  size: {type: exec.command, properties: {run: echo 2}}
  v: {type: value, count: "${tonumber(size.stdout)}", properties: {input: 1}}
YAML
TUTTI_FAULT=count:$WORK/points tutti apply rounds.yaml --yes
code 0 "a run of two rounds"
codes=
for point in $(grep -n '^state.writ' "$WORK/points" | cut -d: -f1); do
        rm -rf .tutti
        TUTTI_FAULT=fail:$point tutti apply rounds.yaml --yes
        first=$CODE
        tutti apply rounds.yaml --yes
        codes="$codes $first:$CODE"
done
is "$(tr ' ' '\n' <<<"$codes" | grep -vE '^$|^[01]:0$')" "" "fails or is done whichever write fails, and the next one is done ($(wc -w <<<"$codes") writes)"

# What a command prints of a secret is a secret.
cat >echo.yaml <<'YAML'
environment: echo
parameters: {pw: {type: string, sensitive: true}}
resources: {x: {type: exec.command, properties: {run: 'echo out "$P"', environment: {P: "${param.pw}"}}}}
outputs: {o: "${x.stdout}"}
YAML
tutti apply echo.yaml --yes --set pw=ZZTOPSECRET
code 0 "a command echoes its secret"
grep -rqa ZZTOPSECRET "$WORK/out" "$WORK/err" .tutti
is $? 1 "which shows nowhere"

# Outputs follow what was done, not what is waited for.
cat >out.yaml <<'YAML'
environment: out
parameters: {v: {type: string}, pw: {type: string, sensitive: true}}
resources:
  g: {type: gate, properties: {message: "?"}}
  a: {type: value, after: [g], properties: {input: "${param.v}"}}
outputs: {a: "${a.output}"}
YAML
tutti apply out.yaml --yes --approve all --set v=1 --set pw=ZZSECRET
tutti apply out.yaml --yes --set v=2 --set pw=ZZSECRET
code 3 "a change waits"
tutti output out.yaml a
is "$OUT" 1 "and its outputs are as they were"
tutti approve out.yaml g --reject
tutti resume out.yaml --yes
tutti output out.yaml a
is "$CODE $OUT" "0 1" "also once it is rejected"
tutti destroy out.yaml --yes --set v=1 --set pw=ZZSECRET
tutti output out.yaml --json
is "$OUT" "{}" "they go with what they were about"

# A file that holds a secret by mistake: neither the store nor a saved plan shows it.
printf 'environment: lit\ntemplate: lit-template.yaml\nparameters: {v: x, pw: ZZLITERAL}\n' >lit.yaml
sed 's/^environment: out/template: lit/' out.yaml >lit-template.yaml
tutti apply lit.yaml --yes --approve all
code 0 "an environment with a secret in its text is applied"
tutti plan lit.yaml -o lit.plan
grep -qa ZZLITERAL .tutti/* lit.plan
is $? 1 "which is not kept in clear"
tutti apply lit.plan --set v=9
code 4 "what a saved plan was made with cannot be said again"
mkdir elsewhere && cp lit.yaml lit-template.yaml lit.plan elsewhere/
(cd elsewhere && tutti apply lit.plan; exit $CODE)
is $? 4 "a saved plan is of no use without the key it was sealed with"
mkdir sub && cp lit-template.yaml sub/ && cp lit.yaml sub/deep.yaml && (cd sub && tutti plan deep.yaml -o deep.plan)
tutti apply sub/deep.plan --approve all
code 0 "it finds its environment file beside itself"
tutti plan lit.yaml --set v=2
: >.tutti/state.db && rm -f .tutti/state.db-*
tutti plan lit.yaml
code 1 "a store that has become empty is no store without anything in it"
finish
