#!/bin/bash
# What a plan learnt of files stays as it was when it was made: applied, gone on with after an approval, and gone back to, whatever has
# become of the files since.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/files" && cd "$WORK/files" || exit 1

cat >env.yaml <<'YAML'
environment: files
resources:
  go: {type: gate, properties: {message: "Run ${trimspace(file(\"script.sh\"))}?"}}
  work: {type: exec.command, after: [go], properties: {run: "${file(\"script.sh\")}"}}
  late: {type: value, after: [go], properties: {input: "${templatefile(\"late.tpl\", {x = work.stdout})}"}}
  names: {type: value, after: [go], properties: {input: "${fileset(\".\", \"*.sh\")}"}}
  there: {type: value, after: [go], properties: {input: "${fileexists(\"later\")} ${try(file(\"later\"), \"none\")}"}}
  sum: {type: value, after: [go], properties: {input: "${filesha256(\"script.sh\")} ${filebase64(\"bytes\")}"}}
  where: {type: value, after: [go], properties: {input: "${abspath(\"script.sh\")}"}}
YAML
before() {
        echo 'echo harmless' >script.sh
        echo 'said ${x}' >late.tpl
        printf '\x00\xff\x01' >bytes
        rm -f later other.sh
}
after() {
        echo 'echo EVIL' >script.sh
        echo 'EVIL ${x}' >late.tpl
        printf 'EVIL' >bytes
        touch later other.sh
}
recorded() { "$TUTTI" state export "$1" | jq -c '[.resources[] | {(.address): (.properties.input // .properties.run)}] | add'; }
before
WANT='{"late":"said harmless\n","names":["script.sh"],"sum":"'$(sha256sum <script.sh | cut -d' ' -f1)' AP8B","there":"false none","where":"'$PWD'/script.sh","work":"echo harmless\n"}'

tutti apply env.yaml --yes
code 3 "a plan of what is in files waits for approval"
after
tutti approve env.yaml go
cd / && tutti resume "$WORK/files/env.yaml"
code 0 "it goes on, from another folder"
cd "$WORK/files" || exit 1
is "$(recorded env.yaml)" "$WANT" "with what the files held when it was approved"
tutti plan env.yaml --detailed-exitcode
code 2 "another plan sees what they hold now"
tutti destroy env.yaml --yes --approve all

before
tutti plan env.yaml -o today.plan
after
tutti apply today.plan --approve all
code 0 "a saved plan is applied"
is "$(recorded env.yaml)" "$WANT" "with what was shown"
tutti destroy env.yaml --yes --approve all

# A killed run is gone on with in the same way.
before
for at in 6 9 12 15; do
        TUTTI_FAULT=kill:$at "$TUTTI" apply env.yaml --yes --approve all >/dev/null 2>&1
        after
        "$TUTTI" resume env.yaml --approve all >/dev/null 2>&1
        [ $? = 4 ] || is "$(recorded env.yaml)" "$WANT" "killed at $at: what is gone on with is what was begun"
        "$TUTTI" destroy env.yaml --yes --approve all >/dev/null 2>&1
        before
done 2>/dev/null

# What is sensitive stays so.
cat >secret.yaml <<'YAML'
environment: secret
resources:
  key: {type: value, properties: {input: "${sensitive(file(\"secret.key\"))}"}}
  go: {type: gate, properties: {message: "go?"}}
  after: {type: value, after: [go], properties: {input: "${sensitive(file(\"secret.key\"))}"}}
YAML
echo 'hush-hush-hush' >secret.key
tutti plan secret.yaml -o secret.plan
tutti apply secret.yaml --yes
is "$(grep -alE "hush-hush|$(base64 <secret.key | cut -c1-16)|$(od -An -tx1 <secret.key | tr -d ' \n' | cut -c1-20)" secret.plan .tutti/state.db* | xargs)" "" "a secret file is in clear neither in a saved plan nor in the store"
tutti destroy secret.yaml --yes --approve all

# Of large files only the digest is kept: they are read again, and must be the same.
cat >large.yaml <<'YAML'
environment: large
resources:
  go: {type: gate, properties: {message: "go?"}}
  big: {type: value, after: [go], properties: {input: "${length(file(\"big\"))} ${length(go.id)}"}}
YAML
sed -i 's/ ${length(go.id)}//' large.yaml
head -c 400000 /dev/zero | tr '\0' a >big
tutti apply large.yaml --yes
printf 'b' >>big
tutti approve large.yaml go
tutti resume large.yaml
code 4 "a large file that has changed: the run does not go on with another"
like "$ERR" 'text big\) is not what it was' "and names it"
truncate -s 400000 big
tutti resume large.yaml
code 0 "as it was it is good"
tutti destroy large.yaml --yes --approve all

# The way back is to what was in the files then.
cat >back.yaml <<'YAML'
environment: back
resources:
  net: {type: value, properties: {input: "${trimspace(file(\"app.conf\"))}"}}
  check: {type: exec.command, after: [net], on_failure: rollback, retry: 1, properties: {run: "! grep broken app.conf", triggers: {conf: "${file(\"app.conf\")}"}}}
YAML
content() { "$TUTTI" state export back.yaml | jq -r '.resources[] | select(.address == "net") | .properties.input'; }
echo one >app.conf
tutti apply back.yaml --yes
echo two >app.conf
tutti apply back.yaml --yes
is "$CODE $(content)" "0 two" "a changed file is a change"
echo broken >app.conf
tutti apply back.yaml --yes
code 1 "one that breaks things fails"
like "$OUT" "rolled it back" "and is rolled back"
is "$(content)" two "to what the file held before"
echo other >app.conf
tutti rollback back.yaml r1 --yes
is "$CODE $(content)" "0 one" "and further back, to what it held then"
tutti rollback back.yaml r2 --yes
is "$CODE $(content)" "0 two" "and to and fro"

finish
