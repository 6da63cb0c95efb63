#!/bin/bash
# What resources can be told: deferral, both orders of replacement, adopt, protect, keep, ignore, targets, import, nested
# templates, several providers, checks over HTTP; and what can be done with the record.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --latency 20ms
mkdir -p "$WORK/features" && cd "$WORK/features" || exit 1
fresh() { # NAME: an environment file from standard input, recorded nowhere yet
        cat >"$1.yaml"
}
done_with() {
        tutti destroy "$1.yaml" --yes --approve all
        code 0 "$1: destroyed"
        is "$(orphans)" "" "$1: nothing left"
}

# A count that only a run can tell.
fresh deferred <<'YAML'
environment: deferred
resources:
  size: {type: exec.command, properties: {run: echo 2}}
  volume:
    type: sandbox.volume
    count: ${tonumber(size.stdout)}
    properties: {name: "v-${count.index}", size_gb: 10}
  after: {type: value, properties: {input: "${length(volume)}"}}
YAML
tutti plan deferred.yaml --json
is "$(jq -c '[.summary.create, .summary.deferred > 0]' <<<"$OUT")" '[1,true]' "an unknown count defers what needs it"
tutti apply deferred.yaml --yes
code 0 "one apply makes all of it"
like "$OUT" "deferred" "and says that it was deferred"
is "$(journal '[.[] | select(.type=="volume")] | length')" 2 "in a second round"
tutti plan deferred.yaml --detailed-exitcode
code 0 "and nothing is left to do"
done_with deferred

# A provider configured from a resource.
fresh provider <<YAML
environment: provider
providers: {sandbox: {endpoint: "\${where.stdout}", token: $TOKEN}}
resources:
  where: {type: exec.command, properties: {run: "echo $URL"}}
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
YAML
tutti apply provider.yaml --yes
code 0 "a provider that is configured from a resource waits for it"
is "$(journal 'map(.name) | index("net") != null')" true "and then works"
tutti destroy provider.yaml --yes
code 0 "and away with it"

# Replacements in both orders.
for order in delete-first create-first; do
        fresh "$order" <<YAML
environment: $order
parameters: {engine: {type: string, default: a}}
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "\${net.id}", cidr: 10.0.1.0/24}}
  db:
    type: sandbox.database
    replace: $order
    properties: {name: "db-\${param.engine}", subnet_id: "\${sub.id}", engine: "\${param.engine}", size: small, password: geheim}
  dns: {type: sandbox.record, properties: {name: db, type: CNAME, value: "\${db.endpoint}"}}
YAML
        tutti apply $order.yaml --yes
        code 0 "$order: made"
        tutti plan $order.yaml --set engine=b --json
        is "$(jq -c '[.summary.replace, .summary.update, .summary.delete]' <<<"$OUT")" '[1,1,0]' "$order: a replacement, and the record follows"
        is "$(jq -c '[.steps[] | select(.address=="db") | .changes[]? | select(.forces_replace) | .path] | unique' <<<"$OUT")" '["engine"]' "$order: forced by its engine"
        SINCE=$(journal 'map(.seq) | max')
        tutti apply $order.yaml --yes --set engine=b
        code 0 "$order: replaced"
        WANT=$([ $order = delete-first ] && echo "deleted database, created database, updated record" || echo "created database, updated record, deleted database")
        is "$(journal "[.[] | select(.seq > $SINCE) | .effect + \" \" + .type] | join(\", \")")" "$WANT" "$order: in that order"
        tutti plan $order.yaml --set engine=b --detailed-exitcode
        code 0 "$order: nothing left to do"
        done_with $order
done

# adopt, protect, keep, ignore.
call POST /v1/volumes '{"name": "mine", "size_gb": 10}'
MINE=$(jq -r .id <<<"$BODY")
fresh policies <<'YAML'
environment: policies
parameters: {guard: {type: bool, default: true}}
resources:
  adopted: {type: sandbox.volume, adopt: if-exists, properties: {name: mine, size_gb: 20}}
  kept: {type: sandbox.volume, keep: true, properties: {name: kept, size_gb: 10}}
  guarded: {type: sandbox.volume, protect: "${param.guard}", properties: {name: guarded, size_gb: 10}}
  lax: {type: sandbox.volume, ignore: [size_gb], properties: {name: lax, size_gb: 10}}
YAML
tutti apply policies.yaml --yes
code 0 "policies: applied"
is "$(journal '[.[] | select(.name=="mine" and .effect=="created")] | length')" 1 "what exists is adopted, not made again"
call GET "/v1/volumes/$MINE"
field .size_gb 20 "and brought to the wanted state"
tutti state show policies.yaml lax --json
call PATCH "/v1/volumes/$(jq -r .id <<<"$OUT")" '{"size_gb": 99}'
tutti plan policies.yaml --detailed-exitcode
code 0 "ignored drift is not corrected"
tutti destroy policies.yaml --yes
code 4 "what is protected stops a destroy"
like "$ERR" "guarded" "and is named"
tutti destroy policies.yaml --yes --set guard=false
code 0 "unprotected it goes"
is "$(orphans)" "kept" "what is to be kept stays in the cloud"
call DELETE "/v1/volumes/$(journal '[.[] | select(.name=="kept")][0].id' | tr -d '"')"

# Targets and excludes; import; the record by hand.
fresh pieces <<'YAML'
environment: pieces
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  sub:
    type: sandbox.subnet
    for_each: [a, b]
    properties: {name: "sub-${each.key}", network_id: "${net.id}", cidr: "${cidrsubnet(net.cidr, 8, each.index)}"}
  other: {type: sandbox.volume, properties: {name: other, size_gb: 10}}
YAML
tutti apply pieces.yaml --yes --target 'sub["a"]'
code 0 "a target brings what it depends on"
tutti state list pieces.yaml --json
is "$(jq -r 'map(.address) | sort | join(" ")' <<<"$OUT")" 'net sub["a"]' "and nothing else"
tutti apply pieces.yaml --yes --exclude other
code 0 "an exclude leaves something out"
call POST /v1/volumes '{"name": "other", "size_gb": 10}'
OTHER=$(jq -r .id <<<"$BODY")
tutti import pieces.yaml other "$OTHER"
code 0 "what was made by hand is imported"
tutti plan pieces.yaml --detailed-exitcode
code 0 "and is as the template says"
tutti import pieces.yaml other no-such-id
code 4 "an address that is recorded already is refused"
sed -i 's/^  other:/  twin: {type: sandbox.volume, properties: {name: other, size_gb: 10}}\n&/' pieces.yaml
tutti import pieces.yaml twin "$OTHER"
code 4 "one object cannot have two addresses"
like "$ERR" "recorded as other already" "and the first one is named"
sed -i '/^  twin:/d; s/^  other:/  renamed:/' pieces.yaml
tutti state mv pieces.yaml other renamed
code 0 "a resource is renamed in the record"
tutti plan pieces.yaml --detailed-exitcode
code 0 "so that nothing is replaced"
tutti state export pieces.yaml
code 0 "the record is exported"
is "$(jq -c '[.environment, (.lineage | length > 0), .serial > 0, (.resources | length), (.resources[0] | keys | join(","))]' <<<"$OUT")" \
        '["pieces",true,true,4,"account,address,after,created,id,outputs,properties,provider,type,updated"]' "as one document"
cp "$WORK/out" exported.json
# What is decided on is looked at while nobody else can change it.
TUTTI_FAULT=count:"$WORK/points" "$TUTTI" state mv pieces.yaml renamed elsewhere >/dev/null
"$TUTTI" state mv pieces.yaml elsewhere renamed >/dev/null
wrong=""
for at in $(seq "$(wc -l <"$WORK/points")"); do
        TUTTI_FAULT=stop:$at "$TUTTI" state mv pieces.yaml renamed elsewhere >/dev/null 2>&1 &
        pid=$!
        until [ "$(sed 's/.*) //; s/ .*//' /proc/$pid/stat 2>/dev/null)" = T ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
        "$TUTTI" state mv pieces.yaml renamed away >/dev/null 2>&1
        other=$?
        kill -CONT $pid 2>/dev/null
        wait $pid
        own=$?
        there=$("$TUTTI" state list pieces.yaml --json | jq -r '[.[].address] | map(select(. == "renamed" or . == "elsewhere" or . == "away")) | join(" ")')
        case "$own $other $there" in
        "0 "[145]" elsewhere" | [145]" 0 away") ;;
        *) wrong+="at $at: $own $other '$there'; " ;;
        esac
        "$TUTTI" state mv pieces.yaml "$there" renamed >/dev/null
done
is "$wrong" "" "two who move one thing at once: one does, and only that one says so"
tutti state rm pieces.yaml renamed
code 0 "a resource is forgotten"
tutti plan pieces.yaml --json
is "$(jq -c .summary.create <<<"$OUT")" 1 "and would be made again"
tutti audit pieces.yaml
code 0 "the log verifies"
like "$OUT" "record-changed +import other" "and tells what was imported,"
like "$OUT" "record-changed +mv other to renamed" "renamed"
like "$OUT" "record-changed +rm renamed" "and forgotten by hand"
rm -rf .tutti
tutti state import pieces.yaml exported.json
code 0 "a lost record is imported again"
tutti plan pieces.yaml --detailed-exitcode
code 0 "and nothing is left to do"
tutti plan pieces.yaml --destroy -o gone.plan
code 0 "the removal of everything is planned"
like "$OUT" "to delete" "and shown"
tutti state history pieces.yaml renamed --json
code 0 "history is kept"
tutti graph pieces.yaml --format json
is "$(jq -c '[(.nodes | length), (.edges | map(.from + ">" + .to) | join(" "))]' <<<"$OUT")" '[3,"net>sub"]' "the graph shows what depends on what"
for format in dot mermaid svg; do
        tutti graph pieces.yaml --format $format
        code 0 "as $format too"
done
tutti apply gone.plan
code 0 "the planned removal is applied"
tutti state list pieces.yaml --json
is "$OUT" "[]" "and nothing is left"
done_with pieces

# Templates in templates, several of them; a check over HTTP.
cat >zone.yaml <<'YAML'
template: zone
parameters: {name: string, network: string, cidr: string}
resources:
  sub: {type: sandbox.subnet, properties: {name: "${param.name}", network_id: "${param.network}", cidr: "${param.cidr}"}}
  web: {type: sandbox.server, count: 2, properties: {name: "${param.name}-${count.index}", subnet_id: "${sub.id}", size: small, image: d}}
outputs: {ids: "${web[*].id}"}
YAML
fresh nested <<YAML
environment: nested
resources:
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  zone:
    type: template
    template: zone.yaml
    for_each: {a: 10.0.1.0/24, b: 10.0.2.0/24}
    parameters: {name: "\${each.key}", network: "\${net.id}", cidr: "\${each.value}"}
  alive:
    type: http.check
    after: [zone]
    properties: {url: "$URL/v1/networks", headers: {Authorization: "Bearer $TOKEN"}, contains: '"net"'}
outputs: {servers: '\${flatten([for z in zone : z.ids])}'}
YAML
tutti apply nested.yaml --yes
code 0 "nested templates are applied"
tutti state list nested.yaml --json
is "$(jq -r 'map(.address) | sort | join(" ")' <<<"$OUT")" 'alive net zone["a"]/sub zone["a"]/web[0] zone["a"]/web[1] zone["b"]/sub zone["b"]/web[0] zone["b"]/web[1]' \
        "with addresses of their own"
tutti output nested.yaml servers
is "$(jq length <<<"$OUT")" 4 "and outputs"
tutti plan nested.yaml --detailed-exitcode
code 0 "nothing is left to do"
done_with nested

# A name that older YAML takes for yes; and a template that is broken by now.
printf 'environment: on\nresources:\n  a: {type: value, properties: {input: 1}}\n' >on.yaml
tutti apply on.yaml --yes
code 0 "an environment may be named on"
echo '  a: {type: value}' >>on.yaml
tutti status on.yaml --json
is "$CODE $(jq -r .environment <<<"$OUT")" "0 on" "and is asked about by that name, whatever is wrong with its template"
finish
