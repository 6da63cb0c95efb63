#!/bin/bash
# A replacement that only may be needed, as a value is known later, waits until that is known. If the value is what it was, nothing happens.
# The cloud's journal is the witness.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/later/parts" "$WORK/later/providers/look" && cd "$WORK/later" || exit 1

mark() { journal length; }
since() { # MARK: "-name +name": what was made and deleted from then on, in order
        journal ".[$1:] | map(select(.effect != \"updated\") | (if .effect == \"created\" then \"+\" else \"-\" end) + (.name // .type)) | join(\" \")" | tr -d '"'
}
steps() { # ENV: "action address status" of the last run
        tutti status "$1" --json
        jq -r '.run.steps[] | "\(.action) \(.address) \(.status) \(.message // "")"' <<<"$OUT"
}

# --- a server whose image a command tells; a volume is attached to it, an address leads to it ---
ATT='att: {type: sandbox.attachment, properties: {server_id: "${srv.id}", volume_id: "${vol.id}"}}'
version() { # IMAGE V [MORE OF srv] [SIZE]
        cat >env.yaml <<YAML
environment: env
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  calc: {type: exec.command, retry: 1, properties: {run: "echo $1; ${FAIL:-true}", triggers: "$2"}}
  sub: {type: sandbox.subnet, properties: {name: sub, cidr: 10.0.1.0/24, network_id: "\${net.id}"}}
  srv:
    type: sandbox.server
    ${3:-}
    properties: {name: srv, subnet_id: "\${sub.id}", size: ${4:-small}, image: "\${calc.stdout}"}
  vol: {type: sandbox.volume, properties: {name: vol, size_gb: 1}}
  ${ATTACHED-$ATT}
  fip: {type: sandbox.floating_ip, properties: {name: fip, server_id: "\${srv.id}"}}
outputs: {server: "\${srv.id}"}
YAML
}
version d1 1
tutti apply env.yaml --yes
code 0 "a server"
tutti output env.yaml --json
ID=$OUT
for more in "" "replace: create-first" "protect: true" "approve: {on: [replace, delete]}"; do
        M=$(mark)
        version d1 "same ${more:-as it is}" "$more"
        tutti plan env.yaml --json
        is "$(jq -c '[.steps[] | select(.address == "srv" and .action == "replace") | [.unsure, .reason]]' <<<"$OUT")" '[[true,"image may change, which needs a new one"]]' \
                "${more:-no policy}: a plan says that it may be replaced"
        tutti apply env.yaml --yes
        code 0 "${more:-no policy}: applied without a question"
        is "$(since "$M")" "" "the image is the same: nothing is made or deleted"
        like "$OUT" "srv kept: image is the same" "which is said"
        unlike "$OUT" "[0-9] replaced" "and no replacement is counted"
        no_changes env.yaml "nothing is left to do"
done
like "$(steps env.yaml)" "replace srv done kept: image is the same" "the run's steps say so too"
tutti output env.yaml --json
is "$OUT" "$ID" "it is the same server"

# --- it really differs ---
M=$(mark)
version d2 "another one"
tutti apply env.yaml --yes
code 0 "another image"
is "$(since "$M")" "-attachment -srv +srv +attachment" "replaces it, and what is attached to it, in order"
M=$(mark)
version d3 "a third" "replace: create-first"
tutti apply env.yaml --yes
is "$(since "$M" | tr ' ' '\n' | sort | xargs)" "+attachment +srv -attachment -srv" "so does a third, create-first"
M=$(mark)
version d4 "a fourth" "protect: true"
tutti apply env.yaml --yes
code 1 "what is protected"
like "$ERR$OUT" "srv is protected, and this change would replace it: image may change" "is not replaced, once it is known that it would be"
is "$(since "$M")" "" "and nothing that stands on it is taken away"
ATTACHED='' version d3 "a third"
tutti apply env.yaml --yes
M=$(mark)
ATTACHED='' version d4 "a fifth" "approve: {on: [replace]}"
tutti apply env.yaml --yes
code 3 "whoever approves is asked where it really is replaced"
tutti approve env.yaml srv --reject
tutti resume env.yaml
code 1 "and says no"
is "$(since "$M")" "" "nothing was taken away meanwhile"
version d3 "a third"
tutti apply env.yaml --yes
M=$(mark)
FAIL=false version d4 "a sixth"
tutti apply env.yaml --yes
code 1 "where the value is never known"
is "$(since "$M")" "" "nothing is deleted for it"

# --- what else differs is changed in place ---
version d3 "in place" "" medium
M=$(mark)
tutti plan env.yaml -o saved.plan
tutti apply saved.plan
code 0 "another size as well, from a saved plan"
is "$(since "$M")" "" "is no reason for another server"
like "$OUT" "srv updated" "it is changed in place"
call GET /v1/servers
field '.[0] | [.size, .image]' '["medium","d3"]' "and has that size"
no_changes env.yaml "and nothing is left to do"
tutti destroy env.yaml --yes

# --- a lookup in a nested template that comes after what changes; another type ---
cat >providers/look/provider.yaml <<'YAML'
provider: look
doc: Looks into the practice cloud.
config:
  endpoint: {type: string, required: true, env: TUTTI_SANDBOX_ENDPOINT, doc: Where it listens.}
  token: {type: string, required: true, sensitive: true, env: TUTTI_SANDBOX_TOKEN, doc: The token.}
endpoint: ${config.endpoint}
auth: {scheme: bearer, token: "${config.token}"}
lookups:
  look.network:
    doc: A network that is there.
    properties:
      name: {type: string, required: true, doc: Its name.}
    outputs:
      cidr: {type: string, doc: Its addresses.}
    read:
      path: [v1, networks]
      query: {name: "${properties.name}"}
      objects: ${reply.body}
      id: ${item.id}
YAML
cat >parts/app.yaml <<'YAML'
parameters: {sub: {type: string}}
lookups:
  net: {type: look.network, properties: {name: nest-net}}
resources:
  db: {type: sandbox.database, for_each: [a, b], properties: {name: "nest-${each.key}", engine: "pg-${lookup.net.cidr}", size: small, password: secret, subnet_id: "${param.sub}"}}
outputs: {ids: "${join(\" \", [for d in db : d.id])}"}
YAML
cat >nest.yaml <<'YAML'
environment: nest
parameters: {v: {type: string, default: "1"}, also: {type: string, default: "1"}}
resources:
  net: {type: sandbox.network, properties: {name: nest-net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: nest-sub, cidr: 10.0.1.0/24, network_id: "${net.id}"}}
  dep: {type: value, properties: {input: "${param.v}"}}
  app: {type: template, template: parts/app.yaml, after: [dep, sub], properties: {sub: "${sub.id}"}}
  told: {type: value, properties: {input: "engine-${length(param.also)}"}}
  more: {type: sandbox.database, properties: {name: nest-more, engine: "${told.output}", size: small, password: secret, subnet_id: "${sub.id}"}}
  use: {type: value, properties: {input: "${app.ids} ${more.id}"}}
YAML
tutti apply nest.yaml --yes
code 0 "databases that follow from a lookup and from a value"
M=$(mark)
tutti apply nest.yaml --yes --set v=2
code 0 "what the nested template comes after changes"
is "$(since "$M")" "" "the lookup gives the same: nothing is made or deleted"
like "$OUT" 'app/db\["a"\] kept: engine is the same' "each says so"
M=$(mark)
tutti apply nest.yaml --yes --set v=2 --set also=2
is "$(since "$M")" "" "a value that is the same when it is recorded again is no reason either"
tutti apply nest.yaml --yes --set v=2 --set also=22
code 0 "another one is"
is "$(since "$M")" "-nest-more +nest-more" "of that database alone"
tutti plan nest.yaml --detailed-exitcode --set v=2 --set also=22
code 0 "and nothing is left to do"
tutti destroy nest.yaml --yes
is "$(orphans)" "" "in the end nothing is left"
finish
