#!/bin/bash
# What a run began and nobody knows the end of: it can always end, it holds up nothing else, and nothing foreign is taken for it.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/open" && cd "$WORK/open" || exit 1
fault() { call POST /_control "{\"faults\": $1}"; }
count() { journal "[.[] | select(.effect == \"$1\" and .name == \"$2\")] | length"; } # EFFECT NAME
open_ones() { "$TUTTI" status "$1" --json | jq -r '[.open[] | "\(.address) \(.action)"] | join(", ")'; }
fresh() { rm -rf .tutti; fault '[]'; call POST /_control '{"latency": "0", "idempotency": true}'; }

# --- skip and abort end the run, and what was made is found afterwards ---
cat >ask.yaml <<'YAML'
environment: ask
parameters: {extra: {type: bool, default: false}}
resources:
  keep: {type: value, properties: {input: 1}}
  net: {type: sandbox.network, on_failure: ask, retry: 1, when: "${param.extra}", properties: {name: asked, cidr: 10.0.0.0/16}}
YAML
for answer in skip abort; do
        for kind in 500 500-after reset-after; do
                fresh
                tutti apply ask.yaml --yes
                fault "[{\"match\": \"POST /v1/networks\", \"do\": \"$kind\", \"times\": 1}]"
                tutti apply ask.yaml --yes --set extra=true
                code 3 "$kind: a creation that was not answered asks"
                tutti approve ask.yaml net:failed --answer "$answer"
                tutti resume ask.yaml
                code 1 "$kind, $answer: the run is over"
                is "$(open_ones ask.yaml)" "net create" "$kind, $answer: what it began is still open, and told"
                tutti plan ask.yaml --json
                is "$(jq -c '[.steps[] | [.address, .action, .open]]' <<<"$OUT")" '[["net","delete","r2"]]' "$kind, $answer: a plan without it removes what it made"
                tutti apply ask.yaml --yes
                code 0 "$kind, $answer: and an apply does"
                is "$(orphans)" "" "$kind, $answer: nothing is left over"
                is "$(open_ones ask.yaml)" "" "$kind, $answer: nor open"
                no_changes ask.yaml "$kind, $answer: nothing to do"
        done
done
fresh
fault '[{"match": "POST /v1/networks", "do": "500-after", "times": 1}]'
tutti apply ask.yaml --yes --set extra=true
tutti approve ask.yaml net:failed --answer skip
tutti resume ask.yaml
MADE=$(count created asked)
tutti apply ask.yaml --yes --set extra=true
code 0 "where it is wanted, the next apply takes up what was made"
is "$(count created asked)" "$MADE" "without making another"
tutti destroy ask.yaml --yes
is "$(orphans)" "" "and it goes"

# Retrying after a doubt looks first; adopting and forgetting end it.
fresh
fault '[{"match": "POST /v1/networks", "do": "reset-after", "times": 1}]'
MADE=$(count created asked)
tutti apply ask.yaml --yes --set extra=true
tutti approve ask.yaml net:failed --answer retry
tutti resume ask.yaml
code 0 "retry: the run goes on with what was made"
is "$(count created asked)" "$((MADE + 1))" "and makes no second one"
tutti destroy ask.yaml --yes
fresh
fault '[{"match": "POST /v1/networks", "do": "500", "times": 1}]'
tutti apply ask.yaml --yes --set extra=true
tutti approve ask.yaml net:failed --answer forget
tutti resume ask.yaml
code 1 "forget: the step failed"
is "$(open_ones ask.yaml)" "" "and nothing stays open"

# --- a creation that keeps failing holds up nothing else ---
cat >stuck.yaml <<'YAML'
environment: stuck
parameters: {extra: {type: bool, default: false}}
resources:
  vol: {type: sandbox.volume, properties: {name: vol, size_gb: 1}}
  net: {type: sandbox.network, retry: 1, when: "${param.extra}", properties: {name: stuck, cidr: 10.0.0.0/16}}
YAML
fresh
tutti apply stuck.yaml --yes
fault '[{"match": "* /v1/networks", "do": "500", "times": 5000}]'
tutti apply stuck.yaml --yes --set extra=true
code 1 "a cloud that does not answer"
sed -i 's/size_gb: 1/size_gb: 2/' stuck.yaml
tutti apply stuck.yaml --yes
code 1 "an apply without it cannot find out"
like "$OUT" "vol updated" "and does everything else"
like "$OUT" "net.*its creation in run r2 was never answered" "what is open is in the plan"
tutti apply stuck.yaml --yes --set extra=true
code 1 "with it, it is tried again"
tutti destroy stuck.yaml --yes
code 1 "destroy tells what is open"
is "$(orphans)" "" "and takes away the rest"
TUTTI_SANDBOX_TOKEN=revoked tutti destroy stuck.yaml --yes
code 1 "a token that was revoked cannot tell either"
tutti state rm stuck.yaml net
code 0 "a person can give it up"
like "$OUT" "sandbox.network may be left in the cloud.*stuck" "and is told what may be left"
tutti destroy stuck.yaml --yes
code 0 "then nothing is open"
tutti audit stuck.yaml
code 0 "the log holds"

# Two clouds, of which one is gone: the other one's resources come and go.
cat >gone.yaml <<YAML
environment: gone
providers:
  here: {type: sandbox, endpoint: "$URL", token: "$TOKEN"}
  away: {type: sandbox, endpoint: "http://127.0.0.1:1", token: none}
resources:
  a: {type: sandbox.network, provider: here, properties: {name: here, cidr: 10.0.0.0/16}}
  b: {type: sandbox.network, provider: away, retry: 1, timeout: 2s, properties: {name: away, cidr: 10.0.0.0/16}}
YAML
fresh
tutti apply gone.yaml --yes
code 1 "a cloud that is gone"
is "$(orphans)" "here" "does not keep another from being used"
tutti destroy gone.yaml --yes
is "$(orphans)" "" "nor from being emptied"

# --- a definite refusal of a repeated creation settles it ---
cat >refused.yaml <<'YAML'
environment: refused
resources:
  ok: {type: sandbox.volume, properties: {name: ok, size_gb: 5}}
  bad: {type: sandbox.volume, after: ok, retry: 1, properties: {name: bad, size_gb: -5}}
YAML
killed_while() { # FAULT WORDS ENV ARG…: kills an apply that says WORDS, while the cloud is as FAULT says
        local apply
        fault "[$1]"
        "$TUTTI" apply "${@:3}" --yes >killed.out 2>&1 &
        apply=$!
        for _ in $(seq 400); do grep -q "$2" killed.out && break; sleep 0.05; done
        sleep 0.2
        kill -KILL $apply; wait $apply 2>/dev/null
        fault '[]'
}
unanswered() { echo "{\"match\": \"$1\", \"do\": \"503\", \"times\": 1000}"; }
fresh
killed_while '{"match": "POST /v1/volumes", "do": "hang", "skip": 1}' "bad creating" refused.yaml
is "$(open_ones refused.yaml)" "bad create" "a run is killed where a creation that will be refused is under way"
sed -i '/^  bad:/d' refused.yaml
tutti apply refused.yaml --yes
code 0 "the resource has left the template: nothing is in the way"
is "$(orphans)" "ok" "nothing was made"
tutti destroy refused.yaml --yes
code 0 "destroy"
fresh

# The cloud forgets its keys: where nothing else tells, the object that was made is nobody's, until a person says whose.
mkdir -p providers/keyed
sed -e '/# names$/d; /# labels$/d; s/ # keys names$//; s/^provider: cloud/provider: keyed/; s/cloud\./keyed./; s/TORTURE_URL/TUTTI_SANDBOX_ENDPOINT/; s/TORTURE_TOKEN/TUTTI_SANDBOX_TOKEN/' \
        "$HERE/tests/torture/cloud.yaml" >providers/keyed/provider.yaml
cat >forgets.yaml <<'YAML'
environment: forgets
resources:
  v: {type: keyed.volume, retry: 1, properties: {name: forgotten, size_gb: 5}}
YAML
call POST /_control '{"name_unique": true}'
fault '[{"match": "POST /v1/volumes", "do": "500-after", "times": 1}]'
tutti apply forgets.yaml --yes
code 1 "a creation that is not answered"
call POST /_control '{"idempotency": false}'
tutti apply forgets.yaml --yes
code 3 "the name is taken, by what may be ours: a question"
like "$OUT" "v:failed.*adopt" "which can be answered with its id"
call GET '/v1/volumes?name=forgotten'
ID=$(jq -r '.[0].id' <<<"$BODY")
tutti approve forgets.yaml v:failed --answer "adopt $ID"
tutti resume forgets.yaml
code 0 "adopted"
no_changes forgets.yaml "and as it should be"
tutti destroy forgets.yaml --yes
code 0 "destroyed"
is "$(orphans)" "" "nothing left"
call POST /_control '{"idempotency": true}'
sed -i 's/keyed/sandbox/' forgets.yaml
fault '[{"match": "POST /v1/volumes", "do": "500-after", "times": 1}]'
tutti apply forgets.yaml --yes
call POST /_control '{"idempotency": false}'
tutti apply forgets.yaml --yes
code 0 "where the key is told of the object, it is found by that"
tutti destroy forgets.yaml --yes
# Two steps of one address ask each for itself: no answer is given to both.
cat >two.yaml <<'YAML'
environment: two
parameters: {name: {type: string, default: first}}
resources:
  v: {type: keyed.volume, retry: 1, on_failure: ask, properties: {name: "${param.name}", size_gb: 5}}
YAML
for answer in forget adopt; do
        rm -rf .tutti
        call POST /_control '{"idempotency": true}'
        fault '[{"match": "POST /v1/volumes", "do": "500-after", "times": 1}]'
        tutti apply two.yaml --yes
        tutti approve two.yaml v:failed --answer skip
        tutti resume two.yaml
        call POST /_control '{"idempotency": false}'
        call GET '/v1/volumes?name=first'
        ID=$(jq -r '.[0].id' <<<"$BODY")
        tutti apply two.yaml --yes --set name=second
        code 3 "$answer: it is asked what is to be removed"
        [ $answer = forget ] && tutti approve two.yaml v:failed --answer forget || tutti approve two.yaml v:failed --answer "adopt $ID"
        fault '[{"match": "POST /v1/volumes", "do": "500", "times": 1}]'
        tutti resume two.yaml
        code 3 "$answer: then what is made fails, and asks"
        [ $answer = forget ] && like "$OUT" "v left alone, as" "what is left alone was not deleted"
        like "$OUT" "tutti approve two.yaml v:failed-2" "$answer: by a name of its own"
        tutti resume two.yaml
        code 3 "$answer: and waits for an answer of its own"
        tutti approve two.yaml v:failed-2 --answer retry
        tutti resume two.yaml
        code 0 "$answer: which is given"
        is "$(orphans)" "$([ $answer = forget ] && echo 'first second' || echo second)" "$answer: what was to be"
        tutti destroy two.yaml --yes
        [ $answer = forget ] && call DELETE "/v1/volumes/$ID"
done
is "$(orphans)" "" "nothing left"
call POST /_control '{"idempotency": true, "name_unique": false}'

# --- a creation that outlasts its time is looked at again ---
cat >slow.yaml <<'YAML'
environment: slow
parameters: {size: {type: number, default: 1}, name: {type: string, default: slow}}
resources:
  v: {type: sandbox.volume, timeout: {create: 400ms}, properties: {name: "${param.name}", size_gb: "${param.size}"}}
YAML
slow() { # makes it time out
        fresh
        call POST /_control '{"latency": "1s"}'
        MADE=$(journal '[.[] | select(.effect == "created")] | length')
        tutti apply slow.yaml --yes
        code 1 "$1: it times out"
        like "$OUT" "it exists as vol-" "$1: and it is said what exists"
        for _ in $(seq 100); do call GET '/v1/volumes?name=slow'; [ "$(jq -r '.[0].status' <<<"$BODY")" = active ] && break; sleep 0.05; done
}
slow "active since"
tutti apply slow.yaml --yes
code 0 "active since: kept"
is "$(journal '[.[] | select(.effect == "created")] | length')" "$((MADE + 1))" "active since: none made besides"
no_changes slow.yaml "active since: nothing to do"
tutti destroy slow.yaml --yes
slow "changed since"
tutti apply slow.yaml --yes --set size=3
code 0 "changed since: taken up and changed"
is "$(journal '[.[] | select(.name == "slow") | .effect] | .[-2:] | join(" ")')" "created updated" "changed since: in place"
tutti plan slow.yaml --set size=3 --detailed-exitcode
code 0 "changed since: nothing to do"
tutti destroy slow.yaml --yes --set size=3
slow "unwanted since"
tutti destroy slow.yaml --yes
code 0 "unwanted since: destroyed"
is "$(orphans)" "" "unwanted since: nothing left"
fresh
call POST /_control '{"latency": "700ms"}'
tutti apply slow.yaml --yes
tutti apply slow.yaml --yes
for _ in 1 2 3; do [ "$CODE" = 0 ] || tutti apply slow.yaml --yes; done
code 0 "still creating: it is waited for"
is "$(orphans)" "slow" "still creating: and is the one that was made"
tutti destroy slow.yaml --yes
fresh

# --- a foreign object of the wanted name is never ours ---
mkdir -p providers/named
sed -e '/# keys$/d; /# labels$/d; s/^provider: cloud/provider: named/; s/cloud\./named./; s/TORTURE_URL/TUTTI_SANDBOX_ENDPOINT/; s/TORTURE_TOKEN/TUTTI_SANDBOX_TOKEN/' \
        "$HERE/tests/torture/cloud.yaml" >providers/named/provider.yaml
cat >named.yaml <<'YAML'
environment: named
resources:
  v: {type: named.volume, retry: 1, properties: {name: data, size_gb: 1}}
YAML
foreign() { call POST "/v1/$1" "$2"; FOREIGN=$(jq -r .id <<<"$BODY"); } # TYPES JSON
untouched() { # TYPES NAME
        call GET "/v1/$1/$FOREIGN"
        is "$STATUS" 200 "$2: the foreign one stands"
        is "$(journal "[.[] | select(.id == \"$FOREIGN\") | .effect] | join(\" \")")" created "$2: and nobody touched it"
}
for kind in 503 500 reset-before; do
        fresh
        foreign volumes '{"name": "data", "size_gb": 7}'
        fault "[{\"match\": \"POST /v1/volumes\", \"do\": \"$kind\", \"times\": 1}]"
        tutti apply named.yaml --yes
        code 3 "$kind: only a name tells, and that was there before: a question"
        tutti state list named.yaml --json
        is "$OUT" "[]" "$kind: nothing is recorded"
        tutti approve named.yaml v:failed --answer forget
        tutti resume named.yaml
        code 1 "$kind: forgotten"
        tutti destroy named.yaml --yes
        code 0 "$kind: destroy"
        untouched volumes "$kind"
        call DELETE "/v1/volumes/$FOREIGN"
done
# "It was not made: make it": the creation of before is over then, also when nobody knows what became of the next one.
for command in apply resume; do
        for kind in truncate 500-after reset-before; do
                fresh
                foreign volumes '{"name": "data", "size_gb": 7}'
                fault '[{"match": "POST /v1/volumes", "do": "503", "times": 1}]'
                tutti apply named.yaml --yes
                tutti apply named.yaml --yes # an earlier run began it now
                tutti approve named.yaml v:failed --answer retry
                fault "[{\"match\": \"POST /v1/volumes\", \"do\": \"$kind\", \"times\": 1}]"
                tutti resume named.yaml
                code 3 "$kind, $command: retried, and not answered again: another question"
                is "$(open_ones named.yaml)" "v create" "$kind, $command: about one creation"
                QUESTION=v:failed-2
                if [ "$command" = apply ]; then
                        tutti apply named.yaml --yes
                        code 3 "$kind: an apply asks about it"
                        QUESTION=v:failed
                fi
                ID=$(journal '[.[] | select(.effect == "created" and .name == "data")][-1].id' | tr -d '"')
                [ "$ID" != "$FOREIGN" ] && ANSWER="adopt $ID" || ANSWER=retry
                tutti approve named.yaml $QUESTION --answer "$ANSWER"
                tutti resume named.yaml
                code 0 "$kind, $command: the answer ends it ($ANSWER)"
                is "$(open_ones named.yaml)" "" "$kind, $command: nothing is open"
                no_changes named.yaml "$kind, $command: nothing to do"
                tutti destroy named.yaml --yes
                is "$(orphans)" data "$kind, $command: the foreign one is left, and nothing else"
                untouched volumes "$kind, $command"
                call DELETE "/v1/volumes/$FOREIGN"
        done
done
fresh
fault '[{"match": "POST /v1/volumes", "do": "500-after", "times": 1}]'
tutti apply named.yaml --yes
tutti apply named.yaml --yes
code 0 "where nothing had the name before, what has it now is ours"
is "$(orphans)" data "and made once"
tutti destroy named.yaml --yes
is "$(orphans)" "" "and goes"

# One object is never two resources.
cat >twins.yaml <<'YAML'
environment: twins
resources:
  a: {type: named.volume, properties: {name: twin, size_gb: 1}}
  b: {type: named.volume, after: a, retry: 1, properties: {name: twin, size_gb: 1}}
YAML
fresh
fault '[{"match": "POST /v1/volumes", "do": "503", "times": 1, "skip": 1}]'
tutti apply twins.yaml --yes
tutti state list twins.yaml --json
is "$(jq -r 'map(.address) | join(" ")' <<<"$OUT")" a "an id that is recorded at one address is not recorded at another"
is "$(orphans)" twin "nor was another one made"
sed -i '/^  b:/d' twins.yaml
tutti apply twins.yaml --yes
tutti apply twins.yaml --yes
is "$(orphans)" twin "taking the second out of the template leaves the first alone"
tutti state rm twins.yaml b
tutti destroy twins.yaml --yes
code 0 "destroyed"
is "$(orphans)" "" "and gone"

# A type whose creation replaces what has its name looks first.
mkdir -p providers/upsert
sed -e 's/^provider: named/provider: upsert/; s/named\./upsert./; s/^  settle: .*/  overwrites: true\n&/' providers/named/provider.yaml >providers/upsert/provider.yaml
cat >upsert.yaml <<'YAML'
environment: upsert
resources:
  v: {type: upsert.volume, properties: {name: over, size_gb: 1}}
YAML
fresh
foreign volumes '{"name": "over", "size_gb": 7}'
tutti apply upsert.yaml --yes
code 1 "a creation that would replace a foreign object is refused"
like "$OUT" "there is one of that name already.*adopt" "with what can be done"
untouched volumes "overwriting"
call DELETE "/v1/volumes/$FOREIGN"
tutti apply upsert.yaml --yes
code 0 "without one, it is made"
tutti destroy upsert.yaml --yes

# --- a good answer that the manifest cannot read ---
mkdir -p providers/odd
write_odd() { # ID-EXPRESSION OBJECT-EXPRESSION
        sed -e "s/^provider: upsert/provider: odd/; s/upsert\\./odd./; /^  overwrites/d; s|id: \"*\\\${reply.body.id}\"*|id: \"\${$1}\"|; s|    object: .*|    object: \"\${$2}\"|" \
                providers/upsert/provider.yaml >providers/odd/provider.yaml
}
write_odd reply.body.number.id reply.body
cat >odd.yaml <<'YAML'
environment: odd
resources:
  v: {type: odd.volume, retry: 1, properties: {name: odd, size_gb: 1}}
YAML
fresh
tutti apply odd.yaml --yes
code 1 "an answer without what the manifest looks for"
is "$(open_ones odd.yaml)" "v create" "leaves the creation open"
write_odd reply.body.id reply.body
tutti apply odd.yaml --yes
code 0 "with a manifest that can read it, it is found"
is "$(count created odd)" 1 "and not made again"
tutti destroy odd.yaml --yes
fresh
write_odd reply.body.id 'reply.body.nothing.there'
MADE=$(count created odd)
tutti apply odd.yaml --yes
code 1 "what was made cannot be read"
like "$OUT" "it exists as vol-" "it is told that it exists"
tutti apply odd.yaml --yes
code 1 "still not"
write_odd reply.body.id reply.body
tutti apply odd.yaml --yes
code 0 "with a manifest that can, it is read"
is "$(count created odd)" "$((MADE + 1))" "not replaced"
no_changes odd.yaml "and as it should be"
tutti destroy odd.yaml --yes
is "$(orphans)" "" "nothing left"

# --- state rm and import of what is open ---
fresh
fault '[{"match": "POST /v1/volumes", "do": "500-after", "times": 1}]'
tutti apply forgets.yaml --yes
code 1 "open again"
call GET '/v1/volumes?name=forgotten'
tutti import forgets.yaml v "$(jq -r '.[0].id' <<<"$BODY")"
code 0 "an import says what it was"
is "$(open_ones forgets.yaml)" "" "and ends it"
no_changes forgets.yaml "nothing to do"
tutti destroy forgets.yaml --yes
is "$(orphans)" "" "nothing left"
fresh
fault '[{"match": "* /v1/volumes", "do": "500", "times": 100}]'
tutti apply forgets.yaml --yes
tutti state mv forgets.yaml v w
code 4 "what is open cannot be moved"
tutti state rm forgets.yaml v --json
is "$(jq -r .given_up.address <<<"$OUT")" v "it can be given up"
fault '[]'

# Nothing begins before the yes.
fault '[{"match": "POST /v1/volumes", "do": "500", "times": 1}]'
tutti apply forgets.yaml --yes
MADE=$(journal length)
if command -v script >/dev/null; then
        printf 'n\n' | TERM=xterm script -qec "$TUTTI apply forgets.yaml" screen >/dev/null 2>&1
        is "$(journal length)" "$MADE" "a no at the terminal: nothing was sent"
        is "$(open_ones forgets.yaml)" "v create" "and it is open still"
fi
tutti apply forgets.yaml --yes
code 0 "a yes"
tutti destroy forgets.yaml --yes

# --- what is known only while the plan runs, and what is open stands on what is replaced ---
fresh
cat >later.yaml <<'YAML'
environment: later
parameters: {k: {type: string, default: debian-12}}
resources:
  img: {type: exec.command, properties: {run: "printf %s ${param.k}"}}
  net: {type: sandbox.network, properties: {name: later, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: later, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  srv: {type: sandbox.server, retry: 1, properties: {name: later, subnet_id: "${sub.id}", size: small, image: "${img.stdout}"}}
YAML
fault '[{"match": "POST /v1/servers", "do": "reset-after", "times": 1}]'
tutti apply later.yaml --yes
fault '[]'
tutti apply later.yaml --yes --set k=debian-13
code 1 "what was made is another one than what became known: not done"
tutti apply later.yaml --yes --set k=debian-13
code 0 "the next apply replaces it"
tutti plan later.yaml --set k=debian-13 --detailed-exitcode
code 0 "and it is as wanted"
tutti destroy later.yaml --yes

fresh
cat >stands.yaml <<'YAML'
environment: stands
parameters: {img: {type: string, default: a}}
resources:
  net: {type: sandbox.network, properties: {name: stands, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: stands, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  vol: {type: sandbox.volume, properties: {name: stands, size_gb: 1}}
  srv: {type: sandbox.server, retry: 1, timeout: {delete: 5s}, properties: {name: "s-${param.img}", subnet_id: "${sub.id}", size: small, image: "${param.img}"}}
  att: {type: sandbox.attachment, retry: 1, properties: {server_id: "${srv.id}", volume_id: "${vol.id}"}}
YAML
fault '[{"match": "POST /v1/attachments", "do": "reset-after", "times": 1}]'
tutti apply stands.yaml --yes
fault '[]'
tutti apply stands.yaml --yes --set img=b
code 0 "what is open goes before what it stands on is replaced"
tutti plan stands.yaml --set img=b --detailed-exitcode
code 0 "and is made again"
tutti destroy stands.yaml --yes
code 0 "destroyed"

# An answer names no object that is another resource already.
cat >owned.yaml <<'YAML'
environment: owned
resources:
  a: {type: sandbox.volume, properties: {name: owned-a, size_gb: 1}}
  b: {type: sandbox.volume, on_failure: ask, retry: 1, after: a, properties: {name: owned-b, size_gb: 1}}
YAML
fresh
fault '[{"match": "POST /v1/volumes", "do": "reset-after", "times": 1, "skip": 1}]'
tutti apply owned.yaml --yes
fault '[]'
tutti state show owned.yaml a --json
tutti approve owned.yaml b:failed --answer "adopt $(jq -r .id <<<"$OUT")"
tutti resume owned.yaml
code 3 "an object that is recorded is not adopted at another address"
like "$OUT" "is recorded as a already" "which is said"
tutti approve owned.yaml b:failed-2 --answer retry
tutti resume owned.yaml
tutti apply owned.yaml --yes
tutti destroy owned.yaml --yes
is "$(journal '[.[] | select(.name == "owned-a" or .name == "owned-b") | .effect] | (map(select(. == "created")) | length) == (map(select(. == "deleted")) | length)')" true "nothing left"

# A saved plan is about what was open when it was made.
fresh
fault '[{"match": "POST /v1/volumes", "do": "reset-after", "times": 1}]'
sed 's/slow/stale/; s/timeout: /retry: 1, timeout: /' slow.yaml >stale.yaml
tutti apply stale.yaml --yes
fault '[{"match": "* /v1/volumes", "do": "500", "times": 20}]'
tutti apply stale.yaml --yes
fault '[]'
tutti plan stale.yaml -o stale.plan
tutti state rm stale.yaml v
tutti apply stale.plan
code 4 "a saved plan is stale where what was open was given up"

# A cloud that may hide a fresh object for longer than its creation may take: it is looked for as long as a reading may take.
mkdir -p providers/hides
sed 's/^provider: sandbox/provider: hides/; s/sandbox\./hides./g; s/settle: 30s/settle: 2s/' "$HERE/providers/sandbox/provider.yaml" >providers/hides/provider.yaml
sed -i 's/sandbox/hides/' slow.yaml
slow "deleted since"
call DELETE "/v1/volumes/$(jq -r '.[0].id' <<<"$BODY")"
call POST /_control '{"latency": "0"}'
tutti apply slow.yaml --yes
code 1 "deleted since: not what was approved"
like "$OUT" "v it was created, but is not there any more" "deleted since: which is said"
is "$(open_ones slow.yaml)" "" "deleted since: and nothing stays open"
tutti apply slow.yaml --yes
code 0 "deleted since: the next apply makes another"
no_changes slow.yaml "deleted since: nothing to do"
tutti destroy slow.yaml --yes

# A deletion that was begun: what the cloud says of it counts.
cat >aside.yaml <<'YAML'
environment: aside
parameters: {img: {type: string, default: a}}
resources:
  net: {type: sandbox.network, properties: {name: aside, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: aside, network_id: "${net.id}", cidr: 10.0.1.0/24}}
  srv: {type: sandbox.server, replace: create-first, properties: {name: "aside-${param.img}", subnet_id: "${sub.id}", size: small, image: "${param.img}"}}
YAML
fresh
tutti apply aside.yaml --yes
killed_while "$(unanswered "DELETE /v1/servers")" "srv deleting" aside.yaml --set img=b
tutti apply aside.yaml --yes
code 0 "the original stands: it is taken back"
is "$(journal '[.[] | select(.type == "server" and (.name | startswith("aside"))) | "\(.effect) \(.name)"] | join(", ")')" \
        "created aside-a, created aside-b, deleted aside-b" "and nothing else is made or deleted"
tutti destroy aside.yaml --yes

# Of one object one change is open: another one takes the place of the first.
cat >changed.yaml <<'YAML'
environment: changed
parameters: {size: {type: number, default: 1}}
resources:
  vol: {type: sandbox.volume, properties: {name: changed, size_gb: "${param.size}"}}
YAML
fresh
tutti apply changed.yaml --yes
for size in 2 3; do
        killed_while "$(unanswered "PATCH /v1/volumes")" "vol updating" changed.yaml --set size=$size
        is "$(open_ones changed.yaml)" "vol update" "changed to $size, and killed: one change is open"
done
tutti status changed.yaml
like "$OUT" "vol, the update of run r3 of vol-" "the one of the last run"
unlike "$OUT" "which made" "which made nothing"
tutti apply changed.yaml --yes --set size=4
code 0 "another apply changes it"
is "$(open_ones changed.yaml)" "" "and nothing is open"
killed_while "$(unanswered "PATCH /v1/volumes")" "vol updating" changed.yaml --set size=5
tutti destroy changed.yaml --yes
code 0 "destroyed while a change is open"
is "$(open_ones changed.yaml)$(count deleted changed)" "1" "and nothing is left, nor open"

# A failed destroy says how it goes on.
fresh
tutti apply changed.yaml --yes
fault '[{"match": "DELETE /v1/volumes", "do": "500", "times": 100}]'
tutti destroy changed.yaml --yes
code 1 "a destroy fails"
like "$OUT" '`tutti destroy` goes on from there' "and goes on with another destroy"
fault '[]'
tutti destroy changed.yaml --yes
code 0 "which ends it"
finish
