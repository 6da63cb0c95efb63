#!/bin/bash
# A step that failed asks what is to become of it: retry, skip, abort; and where a reply was lost for good: adopt, retry, forget.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique --latency 10ms
mkdir -p "$WORK/ask" && cd "$WORK/ask" || exit 1
made() { journal "[.[] | select(.effect==\"created\" and .name==\"$1\")] | length"; }

cat >env.yaml <<YAML
environment: ask
resources:
  work: {type: exec.command, on_failure: ask, properties: {run: "test -e '$WORK/good' && echo yes", creates: "$WORK/never"}}
  after: {type: value, properties: {input: "\${work.stdout}"}}
  aside: {type: value, properties: {input: 1}}
YAML
tutti apply env.yaml --yes
code 3 "a step that fails asks: exit 3"
like "$OUT" "work:failed.*--answer 'retry\|skip\|abort'" "and says how to answer"
tutti status env.yaml --json
is "$(jq -rc '.run.gates[] | [.name, .status, .details.choices] | tostring' <<<"$OUT")" \
        '["work:failed","waiting",["retry","skip","abort"]]' "status shows the question"
is "$(jq -r '.run.steps[] | select(.address=="aside") | .status' <<<"$OUT")" done "what does not depend on it went on"
tutti approve env.yaml work:failed
code 4 "approval is no answer to it"
like "$ERR" "retry, skip, abort" "and the choices are named"
tutti approve env.yaml work:failed --answer adopt
code 4 "nor is a choice of another question"
tutti approve env.yaml work:failed --answer retry --comment "$(printf '%5000s' x)"
code 4 "nor is a comment without end"
tutti approve env.yaml work:failed --answer retry
code 0 "retry"
tutti resume env.yaml
code 3 "fails again: asks again"
like "$OUT" "work:failed-2" "under another name"
touch "$WORK/good"
tutti approve env.yaml work:failed-2 --answer retry --comment "mended"
tutti resume env.yaml
code 0 "mended, a retry leads to the end"
tutti output env.yaml --json
tutti state list env.yaml --json
is "$(jq -r 'map(.address) | sort | join(" ")' <<<"$OUT")" "after aside work" "and everything is there"
tutti audit env.yaml
like "$OUT" "retry" "the audit knows the answer"
tutti destroy env.yaml --yes
rm "$WORK/good"

tutti apply env.yaml --yes
tutti approve env.yaml work:failed --answer skip
tutti resume env.yaml
code 1 "skip: the run goes on without it, and says that something failed"
tutti status env.yaml --json
is "$(jq -r '[.run.steps[] | "\(.address) \(.status)"] | sort | join(",")' <<<"$OUT")" "after skipped,aside done,work failed" "what depended on it is skipped"
like "$OUT" "skip: answered by" "the step says who said so"
tutti apply env.yaml --yes
code 3 "another apply tries again"
tutti approve env.yaml work:failed --answer abort
tutti resume env.yaml
code 1 "abort"
tutti destroy env.yaml --yes

cat >wide.yaml <<'YAML'
environment: wide
resources:
  work: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "exit 1"}}
  after: {type: value, count: 150, after: work, properties: {input: 1}}
YAML
tutti apply wide.yaml --yes
tutti status wide.yaml --json
is "$(jq -c '.run.gates[0].details | [(.behind | length), .behind_count]' <<<"$OUT")" "[100,150]" "a long list of what waits is cut, and its length told"

sed 's/on_failure: ask, //' env.yaml >plain.yaml
cat >two.yaml <<YAML
environment: two
resources:
  one: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "exit 1"}}
  two: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "echo tried >>'$WORK/tries'; exit 1"}}
  after: {type: exec.command, after: two, properties: {run: "true"}}
YAML
tutti apply two.yaml --yes
tutti approve two.yaml two:failed --answer retry
tutti approve two.yaml one:failed --answer abort
tutti resume two.yaml
code 1 "an abort ends the run"
is "$(wc -l <"$WORK/tries") $(grep -c 'two deleting' <<<"$OUT")" "1 0" "before anything else begins, also a retry"

tutti apply plain.yaml --yes --on-failure ask
code 3 "the whole run may be made to ask"
tutti approve plain.yaml work:failed --answer abort
tutti resume plain.yaml
code 1 "also when it goes on"
tutti destroy plain.yaml --yes

# At the terminal.
if command -v script >/dev/null; then
        mkfifo typed
        TERM=xterm script -qfec "$TUTTI apply env.yaml --yes" screen <typed >/dev/null 2>&1 &
        pid=$!
        exec 9>typed
        screen_has() { for _ in $(seq 400); do grep -qE "$1" screen 2>/dev/null && return 0; sleep 0.05; done; sed 's/^/# /' screen; return 1; }
        screen_has 'retry.*skip.*abort.*eave waiting'; ok $? "the terminal offers the choices"
        echo maybe >&9
        screen_has "'maybe' is no answer"; ok $? "and nothing else"
        touch "$WORK/good"
        echo retry >&9
        exec 9>&-
        wait $pid
        is $? 0 "retry at the terminal leads to the end"
        tutti destroy env.yaml --yes
        rm "$WORK/good"
fi

# A creation that left a broken object, as its cloud says of it: retry replaces it.
mkdir -p providers/brittle
sed -e 's/^provider: sandbox/provider: brittle/; s/sandbox\./brittle./; s/item.status == "error"/item.status == "creating"/' \
        "$HERE/providers/sandbox/provider.yaml" >providers/brittle/provider.yaml
cat >broken.yaml <<'YAML'
environment: broken
resources:
  vol: {type: brittle.volume, on_failure: ask, properties: {name: vol, size_gb: 1}}
  other: {type: value, after: [vol], properties: {input: "${vol.id}"}}
YAML
call POST /_control '{"latency": "1h"}'
tutti apply broken.yaml --yes
code 3 "an object that ends in an error state: a question"
call POST /_control '{"latency": "0"}'
tutti approve broken.yaml vol:failed --answer retry
tutti resume broken.yaml
code 0 "retry makes it anew"
is "$(made vol) $(orphans)" "2 vol" "after the broken one was deleted"
tutti plan broken.yaml --detailed-exitcode
code 0 "and nothing is left to do"
tutti destroy broken.yaml --yes
is "$(orphans)" "" "nothing left"

# A replacement has two halves, and a question about it is one question.
cat >halves.yaml <<YAML
environment: halves
resources:
  work: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "exit 1", creates: "$WORK/never"}}
YAML
tutti apply halves.yaml --yes
tutti approve halves.yaml work:failed --answer retry
tutti resume halves.yaml --json
is "$CODE $(jq -r 'select(.event | startswith("gate-")) | "\(.event) \(.gate)"' <<<"$OUT" | xargs)" "3 gate-approved work:failed gate-waiting work:failed-2" \
        "an answer about both halves of a replacement is taken once"
tutti approve halves.yaml work:failed-2 --answer abort
tutti resume halves.yaml
code 1 "and so is the next"

# In one process: the answer comes while the run waits for it. Then all is planned anew by itself.
if command -v script >/dev/null; then
        call POST /_control '{"latency": "1h"}'
        rm -f typed screen && mkfifo typed
        TERM=xterm script -qfec "$TUTTI apply broken.yaml --yes" screen <typed >/dev/null 2>&1 &
        pid=$!
        exec 9>typed
        screen_has 'retry.*skip.*abort'; ok $? "the same at the terminal"
        call POST /_control '{"latency": "0"}'
        tutti approve broken.yaml vol:failed --answer retry
        code 0 "answered from elsewhere"
        exec 9>&-
        wait $pid
        is $? 0 "the run removes the broken one and goes on"
        is "$(orphans)" "vol" "one is left"
        tutti destroy broken.yaml --yes
        is "$(orphans)" "" "nothing left"
fi

# A reply that was lost for good, of a type that nothing can look up.
mkdir -p providers/blind
cat >providers/blind/provider.yaml <<'YAML'
provider: blind
doc: Disks that cannot be found again.
config:
  endpoint: {type: string, required: true, env: TUTTI_SANDBOX_ENDPOINT, doc: Where its API is.}
  token: {type: string, required: true, sensitive: true, env: TUTTI_SANDBOX_TOKEN, doc: The token it was started with.}
endpoint: ${config.endpoint}
auth: {scheme: bearer, token: "${config.token}"}
errors: {message: "${reply.body.detail}"}
types:
  blind.disk:
    doc: A block device.
    properties:
      name: {type: string, required: true, create_only: true, doc: Its name.}
      size: {type: number, required: true, api: size_gb, grows: true, doc: In gigabytes.}
    outputs: {status: {type: string, doc: creating or active.}}
    create: {method: POST, path: /v1/volumes, body: "${document}", id: "${reply.body.id}", wait: {until: "${item.status == \"active\"}"}}
    read: {path: [v1, volumes, "${id}"], object: "${reply.body}"}
    update: {method: PATCH, path: [v1, volumes, "${id}"], body: "${changes}"}
    delete: {method: DELETE, path: [v1, volumes, "${id}"], wait: {until: gone}}
YAML
cat >blind.yaml <<'YAML'
environment: blind
resources:
  disk: {type: blind.disk, retry: {attempts: 2, backoff: 20ms}, properties: {name: disk, size: 1}}
YAML
lose() { call POST /_control "{\"faults\": [{\"match\": \"POST /v1/volumes\", \"do\": \"$1\", \"times\": 1}]}"; }
lose reset-after
tutti apply blind.yaml --yes
code 3 "nobody knows whether it was made: a question"
like "$OUT" "disk:failed.*adopt\|retry\|forget" "with other choices"
tutti approve blind.yaml disk:failed --answer adopt
code 4 "nothing is adopted without its id"
like "$ERR" "its id is needed" "which is said"
call GET /v1/volumes?name=disk
id=$(jq -r '.[0].id // .items[0].id' <<<"$BODY")
tutti approve blind.yaml disk:failed --answer "adopt nosuch"
tutti resume blind.yaml
code 3 "neither does a wrong id"
tutti approve blind.yaml disk:failed-2 --answer "adopt $id"
tutti resume blind.yaml
code 0 "the right one is taken over"
is "$(made disk) $(orphans)" "1 disk" "and none made besides"
tutti plan blind.yaml --detailed-exitcode
code 0 "which is what was wanted"
tutti destroy blind.yaml --yes
is "$(orphans)" "" "and goes like any other"

lose reset-before
tutti apply blind.yaml --yes
code 3 "not made, but nobody knows"
tutti apply blind.yaml --yes
code 3 "another apply cannot know either, and asks again"
like "$OUT" "disk:failed" "by name"
tutti approve blind.yaml disk:failed --answer retry
tutti resume blind.yaml
code 0 "retry makes it"
is "$(orphans)" "disk" "once"
tutti destroy blind.yaml --yes

lose reset-before
tutti apply blind.yaml --yes
tutti approve blind.yaml disk:failed --answer forget
tutti resume blind.yaml
code 1 "forget: the step failed, and nothing stays open"
tutti apply blind.yaml --yes
code 0 "so that the next apply begins anew"
tutti destroy blind.yaml --yes
is "$(orphans)" "" "nothing left"

# What has not left is not lost: a request that waits for its turn until its time is up.
cat >turn.yaml <<'YAML'
environment: turn
providers:
  blind: {rate: 1}
resources:
  first: {type: blind.disk, properties: {name: first, size: 1}}
  second: {type: blind.disk, timeout: {create: 100ms}, properties: {name: second, size: 1}}
YAML
tutti apply turn.yaml --yes
code 1 "a creation that was never sent asks nothing"
like "$OUT" "timed out" "it failed"
is "$(orphans)" "first" "and made nothing"
tutti destroy turn.yaml --yes

# A recovery step that is asked about holds up the others.
cat >rescue.yaml <<YAML
environment: rescue
resources:
  work: {type: exec.command, retry: 1, properties: {run: "exit 1"}, on_failure: {run: [disk, tell]}}
  disk: {type: blind.disk, retry: {attempts: 2, backoff: 20ms}, properties: {name: disk, size: 1}}
  tell: {type: exec.command, properties: {run: "echo told >>'$WORK/told'"}}
YAML
lose reset-before
tutti apply rescue.yaml --yes
code 3 "a recovery step whose reply was lost: a question"
ok "$([ ! -e "$WORK/told" ]; echo $?)" "what comes after it waits"
tutti approve rescue.yaml disk:failed --answer retry
tutti resume rescue.yaml
code 1 "answered it goes on; the step that it was for stays failed"
is "$(orphans) $(cat "$WORK/told")" "disk told" "and all of its recovery ran, once"
tutti destroy rescue.yaml --yes
is "$(orphans)" "" "nothing left"

# A question about something else does not keep a run from being rolled back.
steps_are() { # FILE JQ: waits until the steps of the run are so
        for _ in $(seq 600); do
                "$TUTTI" status "$1" --json 2>/dev/null | jq -e ".run != null and ([.run.steps[] | {(.address): .status}] | add | $2)" >/dev/null && return 0
                sleep 0.05
        done
        return 1
}
cat >both.yaml <<YAML
environment: both
resources:
  vol: {type: sandbox.volume, on_failure: ask, timeout: {create: 700ms}, properties: {name: vol, size_gb: 1}}
  bad: {type: exec.command, on_failure: rollback, retry: 1, properties: {run: "while [ ! -e '$WORK/fail' ]; do sleep 0.05; done; exit 1"}}
  slow: {type: exec.command, properties: {run: "while [ ! -e '$WORK/end' ]; do sleep 0.05; done"}}
YAML
call POST /_control '{"latency": "1h"}'
"$TUTTI" apply both.yaml --yes --json >both.out 2>&1 </dev/null &
pid=$!
steps_are both.yaml '.vol == "waiting"'
touch "$WORK/fail"
steps_are both.yaml '.bad == "failed"'
tutti approve both.yaml vol:failed --answer retry
code 0 "the question is answered after another step asked for a rollback"
for _ in $(seq 600); do grep -q '"gate-approved"' both.out && break; sleep 0.05; done
call POST /_control '{"latency": "10ms"}'
touch "$WORK/end"
wait $pid
is $? 1 "the run fails"
is "$(jq -rc 'select(.event == "run-done") | .status' both.out | xargs)" "failed done" "and is rolled back"
is "$(orphans)" "" "nothing left"

# A question that comes before the way back.
cat >before.yaml <<'YAML'
environment: before
resources:
  bad: {type: exec.command, on_failure: rollback, retry: 1, properties: {run: "exit 1"}}
  disk: {type: blind.disk, timeout: {create: 1500ms}, properties: {name: disk, size: 1}}
YAML
lose hang
tutti apply before.yaml --yes
code 3 "a rollback begins, and something has an outcome that nobody knows"
like "$OUT" "disk:failed" "the question is named"
call GET /v1/volumes?name=disk
id=$(jq -r '.[0].id // .items[0].id' <<<"$BODY")
tutti approve before.yaml disk:failed --answer "adopt $id"
code 0 "it can be answered"
tutti resume before.yaml
code 1 "then the rollback"
like "$OUT" "rolled it back" "is done"
is "$(orphans)" "" "nothing left"

# Where approvals are signed, so are answers to questions: the same rules, the same people, the same ways.
export XDG_CONFIG_HOME=$WORK/config
ALICE=$("$TUTTI" approver keygen alice --json | jq -r .public_key)
"$TUTTI" approver keygen mallory >/dev/null
cat >signed.yaml <<YAML
environment: signed
approvers: {people: {alice: {key: "$ALICE"}}}
resources:
  work: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "echo tried >>'$WORK/signed'; test -e '$WORK/better' && touch '$WORK/made'", creates: "$WORK/made"}}
  after: {type: value, after: [work], properties: {input: 1}}
YAML
refused() { # CODE REGEX NAME
        code "$1" "$3: refused"
        like "$ERR" "$2" "$3: with the reason"
}
tutti apply signed.yaml --yes
code 3 "a step that fails asks where approvals are signed"
tutti status signed.yaml
like "$OUT" "work:failed'? --answer retry\|skip\|abort" "status says how to answer"
like "$OUT" "may answer, signed: alice" "and who may"
like "$OUT" "behind it: create after" "and what waits"
tutti approve signed.yaml work:failed --answer retry
refused 1 "know no person of that name" "the word of a stranger"
tutti approve signed.yaml work:failed --answer retry --as alice --key "$XDG_CONFIG_HOME/tutti/approvers/mallory.pem"
refused 1 "not the key of alice" "a wrong key"
tutti approve signed.yaml work:failed --answer adopt --as alice
refused 4 "'adopt' is no answer" "a choice of another question, signed"
tutti approve signed.yaml work:failed --answer skip --as alice --sign -o skip.approval
code 0 "an answer may be signed and handed in by somebody else"
jq -c '.answer="retry"' skip.approval >edited.approval
tutti approve signed.yaml work:failed --signature edited.approval
refused 1 "does not verify" "one that was altered"
tutti approve signed.yaml work:failed --answer retry --as alice --sign -o retry.approval
tutti approve signed.yaml work:failed --signature retry.approval --json
is "$CODE $(jq -c '[.answer, .by, .signed, .status]' <<<"$OUT")" '0 ["retry","alice",true,"retry"]' "a signed one counts"
tutti approve signed.yaml work:failed --signature skip.approval
refused 4 "was retry already, by alice" "a second answer"
tutti resume signed.yaml --json
is "$CODE $(wc -l <"$WORK/signed")" "3 2" "it is tried once more, and asks again"
is "$(jq -c 'select(.event=="gate-approved") | [.gate, .by, .answer, .signed]' <<<"$OUT")" '["work:failed","alice","retry",true]' "on her word"
tutti approve signed.yaml work:failed-2 --signature retry.approval
refused 4 "to gate 'work:failed', not to 'work:failed-2'" "an answer to the first question"
tutti status signed.yaml --json
is "$(jq -c '.run.gates[] | select(.name=="work:failed-2") | [.status, .people, .must_sign, .needed, .answers]' <<<"$OUT")" '["waiting",["alice"],true,1,[]]' "nothing of this answered it"
if command -v sqlite3 >/dev/null; then
        sqlite3 .tutti/state.db "UPDATE gate SET status = 'skip', answered_by = 'alice' WHERE name = 'work:failed-2'"
        tutti resume signed.yaml --json
        is "$CODE $(jq -r 'select(.event=="gate-ignored") | .message' <<<"$OUT" | grep -c 'no answer that counts')" "3 1" "what is written into the database answers nothing"
        sqlite3 .tutti/state.db "UPDATE gate SET details = replace(details, '\"retry\",', '') WHERE name = 'work:failed-2'"
        tutti resume signed.yaml
        is "$CODE $(grep -c 'retry|skip|abort' <<<"$OUT")" "3 1" "nor does another question that was written there"
        tutti audit signed.yaml
        code 1 "the run recorded both anew; the audit tells that somebody wrote there"
        like "$ERR" "of gate .*had been changed when event" "and to which row"
else
        ok 0 "questions in the database # SKIP the sqlite3 command is not installed"
fi
touch "$WORK/better"
for at in 8 10 12 14 16; do # dies on the way, before and after the answer is read
        tutti approve signed.yaml work:failed-2 --answer retry --as alice
        TUTTI_FAULT=kill:$at "$TUTTI" resume signed.yaml >/dev/null 2>&1
done 2>/dev/null
tutti resume signed.yaml
[ "$CODE" = 4 ] || is "$CODE" 0 "after deaths the answer is found, and the run ends"
tutti plan signed.yaml --detailed-exitcode
code 0 "with all that was wanted"
tutti audit signed.yaml
is "$CODE" "$(command -v sqlite3 >/dev/null && echo 1 || echo 0)" "the audit verifies the answers"
like "$OUT" "work:failed.*retry.*alice.*signature verifies" "and says whose they are"
tutti destroy signed.yaml --yes

finish
