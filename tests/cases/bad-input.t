#!/bin/bash
# What is wrong is said clearly, with the right exit code, and nothing is lost.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/bad" && cd "$WORK/bad" || exit 1

refused() { # FILE REGEX NAME
        tutti check "$1"
        code 4 "$3: exit 4"
        like "$ERR" "$2" "$3: said"
        [ "$(wc -c <<<"$ERR")" -lt 4000 ]; ok $? "$3: briefly"
}

cat >keys.yaml <<'YAML'
environment: x
resorces: {}
YAML
refused keys.yaml "keys.yaml:2:1: .*'resorces'.*did you mean 'resources'" "an unknown key"

cat >many.yaml <<'YAML'
environment: x
resources:
  a: {type: value, properties: {inpt: 1}}
  b: {type: value, properties: {input: "${a.outptu}"}}
  c: {type: value, properties: {input: "${nope.id}"}}
  d: {type: value, properties: {input: "${param.q}"}}
  e: {type: valu}
YAML
refused many.yaml "many.yaml:3:33" "several problems"
is "$(grep -c ^error: <<<"$ERR")" 5 "all of them at once"
like "$ERR" "'inpt'.*did you mean 'input'" "a misspelt property"
like "$ERR" "'outptu'.*did you mean 'output'" "a misspelt attribute"
like "$ERR" "'nope'" "a missing reference"
like "$ERR" "no parameter 'q'" "an undefined parameter"
like "$ERR" "'valu'.*did you mean 'value'" "a misspelt type"
tutti check many.yaml --json
is "$(jq '.problems | length' <<<"$OUT")" 5 "as JSON too"
is "$(jq -c '.problems[0] | [.file, .line, .column, .address]' <<<"$OUT")" '["many.yaml",3,33,"a"]' "with their places"

cat >types.yaml <<'YAML'
environment: x
parameters: {n: {type: number}, list: {type: list(number), default: [1]}}
resources:
  a: {type: http.check, properties: {url: [1], every: "${param.n}"}}
YAML
tutti check types.yaml --set n=abc
code 4 "a parameter of the wrong type"
like "$ERR" "param.n" "is named"
tutti check types.yaml --set n=1
code 4 "a property of the wrong type"
like "$ERR" "types.yaml:4:.*url" "is named with its place"
tutti check types.yaml --set m=1 --set n=1
like "$ERR" "no parameter 'm'" "a parameter that does not exist"
tutti check types.yaml
like "$ERR" "param.n: a value is missing" "a parameter without a value"

cat >cycle.yaml <<'YAML'
environment: x
resources:
  a: {type: value, properties: {input: "${b.id}"}}
  b: {type: value, properties: {input: "${c.id}"}}
  c: {type: value, properties: {input: "${a.id}"}}
YAML
refused cycle.yaml "a → b → c → a" "a cycle"

head -c 100000 /dev/urandom >garbage.yaml
refused garbage.yaml "garbage.yaml" "binary garbage"
{ echo "environment: x"; head -c 100000000 /dev/zero | tr '\0' '#'; } >large.yaml
refused large.yaml "larger than" "a file of 100 MB"
rm -f large.yaml
{
        printf 'environment: x\nlocals:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n'
        before=a
        for name in b c d e f g h i j; do
                echo "  $name: &$name [*$before,*$before,*$before,*$before,*$before,*$before,*$before,*$before,*$before,*$before]"
                before=$name
        done
        echo 'resources: {}'
} >bomb.yaml
refused bomb.yaml "alias" "an alias bomb"
printf 'environment: x\nlocals:\n  a: %s1%s\n' "$(printf '[%.0s' $(seq 5000))" "$(printf ']%.0s' $(seq 5000))" >deep.yaml
refused deep.yaml "deep" "nesting without end"
printf 'environment: x\nresources:\n\ta: {type: value}\n' >tab.yaml
refused tab.yaml "tab.yaml:3:.*[tT]ab" "a tab"
printf 'environment: x\nresources:\n  a: {type: value}\n  a: {type: value}\n' >twice.yaml
refused twice.yaml "twice.yaml:4:3.*'?a'?" "a key that stands twice"
: >empty.yaml
refused empty.yaml "empty.yaml" "an empty file"
refused missing.yaml "missing.yaml.*No such file" "a missing file"
refused . "irectory" "a folder"
cp keys.yaml locked.yaml
chmod 000 locked.yaml
if [ "$(id -u)" != 0 ]; then
        refused locked.yaml "ermission" "an unreadable file"
elif command -v setpriv >/dev/null && setpriv --reuid=65534 --clear-groups test -x "$TUTTI"; then
        chmod 755 "$WORK" "$WORK/bad"
        setpriv --reuid=65534 --clear-groups "$TUTTI" check locked.yaml >../locked.out 2>../locked.err
        is $? 4 "an unreadable file: exit 4"
        like "$(cat ../locked.err)" "ermission" "an unreadable file: said"
fi

tutti plan --bogus
code 4 "an unknown flag"
tutti plam
code 4 "an unknown command"
like "$ERR" "did you mean 'plan'" "with a suggestion"
tutti plan
code 4 "a missing argument"
like "$ERR" "usage: tutti plan" "shows the usage"

# Clouds that do not answer, or do not want us.
engine_sandbox --no-ssh
cat >cloud.yaml <<'YAML'
environment: cloud
parameters: {endpoint: {type: string}, token: {type: string, sensitive: true}}
providers: {sandbox: {endpoint: "${param.endpoint}", token: "${param.token}"}}
resources:
  net: {type: sandbox.network, retry: {attempts: 2, backoff: 50ms}, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  other: {type: value, properties: {input: 1}}
YAML
export TUTTI_PARAM_token=secret-token-of-mine
tutti apply cloud.yaml --yes --set endpoint=http://127.0.0.1:9
code 1 "an unreachable endpoint: exit 1"
like "$OUT" "net: .*127.0.0.1.*onnect" "said, with the address"
like "$OUT" "1 created; 1 failed, 1 skipped" "the rest went on, and what depended on it was skipped"
tutti apply cloud.yaml --yes --set "endpoint=$URL"
code 1 "a wrong token: exit 1"
like "$OUT" "401|nauthorized|token" "said"
grep -rq secret-token-of-mine "$WORK/out" "$WORK/err" .tutti
is $? 1 "without showing it"
is "$(journal length)" 0 "and nothing happened"
export TUTTI_PARAM_token=$TOKEN
tutti apply cloud.yaml --yes --set "endpoint=$URL"
code 0 "with the right ones it is made"

# Two at once.
cat >slow.yaml <<'YAML'
environment: slow
resources:
  wait: {type: exec.command, properties: {run: "sleep 3"}}
YAML
"$TUTTI" apply slow.yaml --yes >/dev/null 2>&1 &
SLOW=$!
for _ in $(seq 100); do "$TUTTI" status slow.yaml 2>/dev/null | grep -q running && break; sleep 0.05; done
tutti apply slow.yaml --yes
code 5 "a second apply finds the environment busy"
like "$ERR" "held by .* since" "and says by whom since when"
wait $SLOW
is $? 0 "the first one is not disturbed"

# A full disk under the state file: the run stops, what exists is found again.
rm -rf .tutti
cat >full.yaml <<'YAML'
environment: full
resources:
  pad:
    type: value
    count: 40
    properties: {input: '${format("%09000d", count.index)}'}
  volume:
    type: sandbox.volume
    count: 40
    properties: {name: "volume-${count.index}", size_gb: "${10 + length(pad[count.index].output) - 9000}"}
YAML
tutti check full.yaml
code 0 "an environment with much to record"
(ulimit -f 500; exec "$TUTTI" apply full.yaml --yes --parallel 2 >"$WORK/out" 2>"$WORK/err" </dev/null)
CODE=$?
code 1 "a full disk: exit 1"
like "$(cat "$WORK/out" "$WORK/err")" "disk|full|large|write" "a full disk: said"
tutti resume full.yaml
code 0 "with room again the run goes on"
tutti plan full.yaml --detailed-exitcode
code 0 "and nothing is missing"
is "$(journal '[.[] | select(.type=="volume" and .effect=="created") | .name] | [length, (unique | length)] | map(tostring) | join(" ")')" "40 40" \
        "each volume once"

# What a flag names is not written over unless it is of the same kind, and what means nothing is not done instead.
mkdir -p "$WORK/kept" && cd "$WORK/kept" || exit 1
cat >env.yaml <<'YAML'
environment: kept
approvers: {people: {me: {}}, unsigned: true}
resources:
  a: {type: value, properties: {input: 1}}
  go: {type: gate, after: [a], properties: {message: "Shall we?"}}
  b: {type: value, after: [go], properties: {input: 2}}
YAML
tutti status env.yaml --json
is "$CODE $(jq -c . <<<"$OUT")" '0 {"environment":"kept","resources":0,"run":null}' "status before any run: an answer"
tutti status env.yaml
is "$CODE" 0 "in words as well"
is "$(ls -A | tr '\n' ' ')" "env.yaml " "which makes no store"
tutti status nosuch.yaml --json
code 4 "but not that of a file that is not there"
cp env.yaml before.yaml
printf 'mine\n' >notes
ln -s notes link
for file in env.yaml notes link . ; do
        tutti plan env.yaml -o "$file" --json
        is "$CODE $(jq '.problems | length' <<<"$OUT")" "4 1" "plan -o $file: refused"
done
cmp -s env.yaml before.yaml && [ "$(cat notes)" = mine ]
ok $? "and nothing was written over"
tutti plan env.yaml -o
code 4 "plan -o without a file"
like "$ERR" "-o needs a value" "says so"
: >empty
tutti plan env.yaml -o empty
code 0 "an empty file takes a plan"
tutti plan env.yaml -o empty
code 0 "and a saved plan another"
tutti apply env.yaml --yes --approve nosuch --json
is "$CODE $(jq -r '.problems[0].message' <<<"$OUT")" "4 --approve: there is no gate 'nosuch' in this plan; its gates: go" "--approve of a gate that is none"
tutti status env.yaml --json
is "$(jq .run <<<"$OUT")" null "nothing ran"
tutti apply env.yaml --yes --as me
code 3 "the gate waits"
tutti approve env.yaml go --as me -o answer
code 4 "approve -o without --sign does not approve"
[ ! -e answer ]
ok $? "and writes nothing"
tutti status env.yaml --json
is "$(jq -r '.run.gates[0].status' <<<"$OUT")" waiting "the gate waits on"
tutti approve env.yaml go --as me --sign -o notes
code 4 "a signed answer is not written over notes"
is "$(cat notes)" mine "which are as they were"
tutti resume env.yaml --approve go --as me
code 0 "done"
sed -i 's/input: 2/input: 3/' env.yaml
tutti apply env.yaml --yes --approve go --approve nosuch
code 4 "one good name does not carry a wrong one"
tutti apply env.yaml --yes --approve go --as me
code 0 "the gate of the template"
tutti apply env.yaml --yes --approve go
code 0 "may be named where nothing is left to do"
tutti apply env.yaml --yes --json
APPLY=$(jq -r .event <<<"$OUT" | tr '\n' ' ')
RUN=$(tutti runs env.yaml --json; jq -r '.[0].id' <<<"$OUT")
tutti rollback env.yaml "$RUN" --yes --json
is "$CODE $(jq -r .event <<<"$OUT" | tr '\n' ' ')" "0 $APPLY" "rollback with nothing to do tells it as apply does: $APPLY"
[ -n "$APPLY" ]
ok $? "which is something"
tutti state history env.yaml nosuch --json
is "$CODE $(jq '.problems | length' <<<"$OUT")" "4 1" "no history of what never was"
tutti state mv env.yaml b c --json
is "$CODE $(jq -c . <<<"$OUT")" '0 {"moved":{"from":"b","to":"c","resources":[{"from":"b","to":"c"}]}}' "state mv --json"
tutti state rm env.yaml c --json
is "$CODE $(jq -c '.forgotten | [.address, (.id | length > 0)]' <<<"$OUT")" '0 ["c",true]' "state rm --json"
tutti state history env.yaml c
code 0 "what was forgotten has a history"

# Who only wants to look is told what is wrong with the file, and where, as `check` tells it.
printf 'environment: x\nresources: {a: [\n' >syntax.yaml
tutti check syntax.yaml
PLACE=$(grep -o 'syntax.yaml:[0-9:]*' <<<"$ERR" | head -n 1)
like "$PLACE" ":[0-9]+:[0-9]+" "a mistake in the syntax has a place"
for command in status resume 'approve syntax.yaml go'; do
        case $command in *\ *) tutti $command ;; *) tutti $command syntax.yaml ;; esac
        code 4 "${command%% *} of such a file"
        like "$ERR" "$PLACE" "names it too"
done

finish
