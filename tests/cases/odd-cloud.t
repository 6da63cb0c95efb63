#!/bin/bash
# An API with odd habits: what it answered is not asked again, what it changes by itself is recorded, what it says in passing is not read.
. "${BASH_SOURCE%/*}/engine.sh"
CLOUD=
trap '[ -z "$CLOUD" ] || kill "$CLOUD" 2>/dev/null; cleanup' EXIT
mkdir -p "$WORK/odd/providers/odd" && cd "$WORK/odd" || exit 1
"$HERE/tests/cases/odd-cloud.pl" . >port &
CLOUD=$!
for _ in $(seq 400); do [ -s port ] && break; sleep 0.05; done
export ODD_URL=http://127.0.0.1:$(cat port)
cat >providers/odd/provider.yaml <<'YAML'
provider: odd
doc: An API with odd habits.
config: {url: {type: string, required: true, env: ODD_URL, doc: Where.}}
endpoint: ${config.url}
errors: {rules: [{status: 401, means: again}]}
defaults:
  read: {path: [things, "${id}"], object: "${reply.body}"}
  delete: {method: DELETE, path: [things, "${id}"]}
types:
  odd.cluster:
    doc: Made by a job, behind a login.
    properties: {name: {type: string, required: true, doc: Its name.}}
    update: none
    create:
      - {name: login, method: POST, path: /login, save: {key: "${reply.body.key}"}}
      - {name: make, method: POST, path: /jobs, headers: {Key: "${vars.key}"}, body: "${document}", save: {job: "${reply.body.job}"},
         wait: {path: [jobs, "${vars.job}"], headers: {Key: "${vars.key}"}, until: "${reply.body.done}", id: "${reply.body.target}", every: 100ms}}
  odd.object:
    doc: Put in one request, whose answer is a text.
    properties:
      name: {type: string, required: true, create_only: true, doc: Its name.}
      size: {type: number, required: true, doc: Its size.}
      etag: {type: string, computed: true, doc: Changes with each change.}
      note: {type: string, computed: true, doc: What the cloud or somebody notes.}
    outputs: {state: {type: string, doc: What it does.}}
    repeatable: true
    create: {method: PUT, path: [things, "${properties.name}"], body: "${document}", id: "${properties.name}"}
    update: {method: PUT, path: [things, "${id}"], body: {size: "${properties.size}"}}
  odd.deep:
    doc: A name of many parts.
    properties: {parts: {type: "list(string)", required: true, doc: The parts.}}
    create: {method: PUT, path: "${concat([\"things\"], properties.parts)}", id: deep}
    update: none
YAML
posts() { grep -c "^POST /jobs 202" journal; }

cat >job.yaml <<'YAML'
environment: job
resources: {c: {type: odd.cluster, retry: {backoff: 50ms}, properties: {name: c}}}
YAML
tutti apply job.yaml --yes
code 0 "a creation by a job outlives its login, and a question that fails"
is "$(posts)" 1 "and is sent once"
[ "$(grep -c "^POST /login" journal)" -ge 3 ]
ok $? "though the login was sent again and again"
no_changes job.yaml "nothing is left to do"
tutti destroy job.yaml --yes
code 0 "destroyed"

cat >object.yaml <<'YAML'
environment: object
parameters: {size: {type: number, default: 1}, note: {type: string, default: null}}
resources:
  o: {type: odd.object, properties: {name: o, size: "${param.size}", note: "${param.note}"}}
  beside: {type: odd.object, properties: {name: beside, size: 1}}
outputs: {etag: "${o.etag}", note: "${beside.note}"}
YAML
drift() { tutti drift object.yaml --detailed-exitcode --set size=2; }
cloud() { curl -sS -X PATCH "$ODD_URL/things/$1" -d "$2" >/dev/null; }
recorded() { tutti state show object.yaml "$1" --json; jq -rc "$2" <<<"$OUT"; }
tutti apply object.yaml --yes
code 0 "an answer in plain text is no reason to try again"
is "$(grep -c "^PUT /things/o" journal)" 1 "one request made it"
tutti apply object.yaml --yes --set size=2
is "$CODE $(recorded o .properties.etag)" "0 e2" "an update changes what is computed: that is recorded"
tutti output object.yaml etag
is "$OUT" e2 "outputs tell it at once"
drift
is "$CODE $OUT" "0 No drift. 2 resources are as recorded." "so that there is no drift"

cloud beside '{"note": "by the cloud", "state": "stopped"}'
drift
code 2 "the cloud changes what the template does not set: that is told"
like "$OUT" "Nothing in the template says otherwise: .tutti apply. records it so" "with what an apply does about it"
cloud o '{"size": 5}'
drift
like "$OUT" "2 of 2 resources drifted. .tutti apply. brings 1 back, and records 1 as found" "beside what it brings back"
tutti apply object.yaml --yes --set size=2
is "$CODE $(recorded beside '.properties.note, .outputs.state' | tr '\n' ' ')$(recorded o .properties.size)" "0 by the cloud stopped 2" "which it does"
drift
is "$CODE $OUT" "0 No drift. 2 resources are as recorded." "once and for all"

cloud o '{"note": "seen"}'
tutti apply object.yaml --set size=2
is "$CODE $(recorded o .properties.note)" "0 seen" "an apply with nothing to do records it as well, and asks nothing"
drift
code 0 "so that drift is over"
cloud beside '{"note": "again"}'
tutti apply object.yaml --set size=2 --yes
is "$CODE $(recorded beside .properties.note)" "0 again" "and one that only has outputs to change"
tutti output object.yaml note
is "$OUT" again "outputs follow"
drift
code 0 "and drift is over"
cloud o '{"note": "by hand"}'
tutti apply object.yaml --yes --set size=2 --set note=mine
is "$CODE $(recorded o .properties.note)" "0 mine" "what the template sets is recorded as it sets it"
tutti audit object.yaml
code 0 "the log holds"
tutti destroy object.yaml --yes
code 0 "destroyed"

cat >deep.yaml <<'YAML'
environment: deep
resources: {d: {type: odd.deep, properties: {parts: "${[for i in range(60) : \"p${i}\"]}"}}}
YAML
tutti apply deep.yaml --yes
like "$CODE $ERR$OUT" "1 .*the path has 61 parts, and 50 is the most" "a path that is too long is an error"
is "$(grep -c p40 journal)" 0 "of which nothing is sent"
finish
