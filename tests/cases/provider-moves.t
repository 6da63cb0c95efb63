#!/bin/bash
# A record knows where its object lives: what leaves the template, or whose provider's block is gone, renamed or edited, is never looked for
# in another cloud. Two clouds; the variables name the one that nothing was made in.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/p" && cd "$WORK/p" || exit 1
engine_sandbox --no-ssh
HOME_CLOUD=$URL
sandbox_other EAST
networks() { curl -s -H "Authorization: Bearer $TOKEN" "$1/v1/networks" | jq -r '[(if type=="array" then . else .items end)[].name] | sort | join(" ")'; }
recorded() { "$TUTTI" state list e.yaml --json | jq -r 'map(.address) | join(" ")'; }
account() { "$TUTTI" state show e.yaml "$1" --json | jq -rc '[.provider, .account.endpoint] | join(" ")'; }
fresh() { rm -rf .tutti; for u in "$HOME_CLOUD" "$EAST"; do for id in $(curl -s -H "Authorization: Bearer $TOKEN" "$u/v1/networks" | jq -r '(if type=="array" then . else .items end)[].id'); do curl -s -XDELETE -H "Authorization: Bearer $TOKEN" "$u/v1/networks/$id" >/dev/null; done; done; }
EAST_BLOCK="{type: sandbox, endpoint: \"$EAST\", token: \"$TOKEN\"}"
NET='net: {type: sandbox.network, provider: east, properties: {name: net, cidr: 10.0.0.0/16}}'
env_file() { # PROVIDERS RESOURCES
        printf 'environment: e\nproviders: {%s}\nresources: {%s}\n' "$1" "$2" >e.yaml
}
refused() { # WHAT PATTERN ARGS…: exit 4 with the reason, and nothing changed anywhere
        local what=$1 pattern=$2
        shift 2
        tutti "$@"
        code 4 "$what: refused"
        like "$OUT$ERR" "$pattern" "$what: with the reason"
        unlike "$OUT" "deleted outside" "$what: nothing counts as deleted outside"
        is "$(networks "$EAST")|$(networks "$HOME_CLOUD")" "net|" "$what: nothing was made or deleted"
        is "$(recorded)" "${HELD-net}" "$what: and nothing forgotten"
}

# --- the block is taken out together with what it made ---
start() { fresh; env_file "east: $EAST_BLOCK" "$NET"; tutti apply e.yaml --yes; }
start
code 0 "made in the other cloud"
is "$(account net)" "east $EAST" "which is recorded"
tutti state show e.yaml net
like "$OUT" "provider: east of .*$EAST" "and shown"
unlike "$(sqlite3 .tutti/state.db 'select account from resource' 2>/dev/null)" "$TOKEN" "without secrets"
env_file "" ""
GONE="net was made with provider 'east'.*does not configure any more: put the block back, or .tutti state rm e.yaml net. to forget it"
for c in "plan e.yaml" "plan e.yaml --destroy" "apply e.yaml --yes" "destroy e.yaml --yes" "drift e.yaml" "plan e.yaml --no-refresh" "apply e.yaml --yes --no-refresh"; do
        refused "block gone, $c" "$GONE" $c
done
refused "--yes and --accept-provider of nothing" "$GONE" apply e.yaml --yes --accept-provider east
tutti check e.yaml
code 0 "check, which looks at no cloud, has nothing against the template"
env_file "east: $EAST_BLOCK" ""
tutti apply e.yaml --yes
code 0 "with the block it is deleted"
is "$(networks "$EAST")|$(recorded)" "|" "there"

# --- a block of the same name that is another provider is none ---
start
env_file 'east: {type: powerdns, endpoint: "http://127.0.0.1:9", api_key: x}' ""
refused "the name is another provider's" "$GONE" apply e.yaml --yes
tutti state rm e.yaml net
code 0 "state rm forgets it"

# --- renamed, in both places ---
start
env_file "west: $EAST_BLOCK" "${NET/east/west}"
tutti plan e.yaml
code 0 "a block that was renamed is the same account"
like "$OUT" "net  is recorded with provider 'west'" "the record is to follow"
unlike "$OUT" "create|replace" "nothing is made anew"
tutti apply e.yaml --yes
code 0 "and does"
is "$(account net)" "west $EAST" "by its new name"
no_changes e.yaml "then nothing differs"
env_file "west: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" "${NET/east/west}"
refused "the endpoint of the block was edited" "made with provider 'west' at endpoint \"$EAST\", but block 'west' has endpoint \"$HOME_CLOUD\".*--accept-provider west" apply e.yaml --yes
refused "the same, destroyed" "block 'west' has endpoint" destroy e.yaml --yes
refused "the same, drift" "block 'west' has endpoint" drift e.yaml
start
env_file "west: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" "${NET/east/west}"
refused "renamed to another account" "made with provider 'east' at endpoint \"$EAST\", but block 'west' has endpoint \"$HOME_CLOUD\"" apply e.yaml --yes

# --- two blocks that both stand: moving from one to the other is a replacement, and each half is done where it belongs ---
start
env_file "east: $EAST_BLOCK, west: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" "${NET/east/west}"
tutti apply e.yaml --yes
code 0 "from one block to another"
is "$(networks "$EAST")|$(networks "$HOME_CLOUD")" "|net" "it was deleted there and made here"
is "$(account net)" "west $HOME_CLOUD" "which is recorded"
tutti destroy e.yaml --yes
code 0 "and away"

# --- a creation that was never answered is one of the cloud where it was begun ---
begun() { # the object was made, and nobody knows its id
        fresh
        curl -s -XPOST -H "Authorization: Bearer $TOKEN" "$EAST/_control" -d '{"faults": [{"match": "POST /v1/networks", "do": "reset-after"}]}' >/dev/null
        env_file "east: $EAST_BLOCK" "${NET/provider/retry: 1, provider}"
        tutti apply e.yaml --yes
        code 1 "a creation is not answered"
}
HELD=
begun
env_file "" ""
OPEN_GONE="the creation of net in run r1 was begun with provider 'east'.*does not configure any more: put the block back, or .tutti state rm e.yaml net. to give it up"
for c in "plan e.yaml" "apply e.yaml --yes" "destroy e.yaml --yes" "drift e.yaml" "apply e.yaml --yes --target net"; do
        refused "begun, block gone, $c" "$OPEN_GONE" $c
done
env_file "east: $EAST_BLOCK" ""
tutti apply e.yaml --yes
is "$CODE|$(networks "$EAST")" "0|" "with the block, what was begun is taken away"
begun
env_file "east: ${EAST_BLOCK/$EAST/$HOME_CLOUD}" "$NET"
OPEN_OTHER="the creation of net in run r1 was begun with provider 'east' at endpoint \"$EAST\", but block 'east' has endpoint \"$HOME_CLOUD\""
for c in "plan e.yaml" "apply e.yaml --yes" "destroy e.yaml --yes"; do refused "begun, block edited, $c" "$OPEN_OTHER" $c; done
env_file "east: ${EAST_BLOCK/127.0.0.1/localhost}" "$NET"
refused "begun, another name of the same cloud" "--accept-provider east" apply e.yaml --yes
tutti apply e.yaml --yes --accept-provider east
is "$CODE|$(networks "$EAST")|$(account net)" "0|net|east ${EAST/127.0.0.1/localhost}" "begun and accepted: it is continued there"
no_changes e.yaml "and is as it should be"
begun
env_file "east: $EAST_BLOCK, west: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" "${NET/east/west}"
tutti plan e.yaml --json
is "$(jq -c '[.steps[] | [.action, .provider]]' "$WORK/out")" '[["delete","east"],["create","west"]]' "begun with one block and wanted with another: removed there, made here"
tutti apply e.yaml --yes
is "$CODE|$(networks "$EAST")|$(networks "$HOME_CLOUD")|$(account net)" "0||net|west $HOME_CLOUD" "which is what happens"
no_changes e.yaml "and nothing is left to do"
begun
env_file "west: $EAST_BLOCK" "${NET/east/west}"
tutti apply e.yaml --yes
is "$CODE|$(networks "$EAST")|$(account net)" "0|net|west $EAST" "begun with a block that has another name now: continued"
unset HELD

# --- the default block, with variables that name another cloud ---
start_default() { fresh; env_file "sandbox: ${EAST_BLOCK/type: sandbox, /}" "${NET/provider: east, /}"; tutti apply e.yaml --yes; }
start_default
code 0 "a default block"
env_file "" ""
OTHER="made with provider 'sandbox' at endpoint \"$EAST\", but the template has no block 'sandbox' and the environment variables have endpoint \"$HOME_CLOUD\""
refused "default block gone, apply" "$OTHER" apply e.yaml --yes
refused "default block gone, destroy" "$OTHER" destroy e.yaml --yes
env_file "" "${NET/provider: east, /}"
refused "default block gone, the resource stays" "$OTHER" apply e.yaml --yes
(unset TUTTI_SANDBOX_ENDPOINT TUTTI_SANDBOX_TOKEN; refused "no variables either" "the environment variables have no endpoint" apply e.yaml --yes; echo $COUNT >"$WORK/count"; exit $FAILED) || FAILED=1
COUNT=$(cat "$WORK/count")
TUTTI_SANDBOX_ENDPOINT=$EAST tutti plan e.yaml --detailed-exitcode
code 0 "variables that name its cloud are as good as the block"
tutti plan e.yaml --no-refresh --accept-provider west
code 4 "accepting another block does not help"

# --- --accept-provider: the account has another endpoint now ---
start
TWIN=${EAST/127.0.0.1/localhost}
env_file "east: {type: sandbox, endpoint: \"$TWIN\", token: \"$TOKEN\"}" "$NET"
refused "another address" "--accept-provider east" plan e.yaml
tutti plan e.yaml --accept-provider east -o saved.plan
code 0 "accepted"
like "$OUT" "recorded with provider 'east' of .*$TWIN.*, which was accepted" "which the plan says"
tutti plan e.yaml --json --accept-provider east
is "$(jq -c '.summary | [.create, .replace, .delete, .keep]' "$WORK/out")" "[0,0,0,1]" "it is kept"
tutti drift e.yaml --accept-provider east --detailed-exitcode
code 0 "drift accepts it too"
is "$(account net)" "east $EAST" "looking changes no record"
tutti apply saved.plan --accept-provider east
code 4 "beside a saved plan it has no place"
tutti apply saved.plan
code 0 "which holds it"
is "$(account net)" "east $TWIN" "the record has the new account"
no_changes e.yaml "and nothing differs without the flag"
tutti plan e.yaml --json --no-refresh --destroy
is "$(jq -c '.steps[0] | [.provider, .account.endpoint]' "$WORK/out")" "[\"east\",\"$TWIN\"]" "a plan says where each step acts"
env_file "east: {type: sandbox, endpoint: \"$EAST\", token: \"$TOKEN\"}" ""
tutti destroy e.yaml --yes --accept-provider east
code 0 "destroy accepts it"
is "$(networks "$EAST")|$(recorded)" "|" "and deletes it"

# --- a saved plan whose variables changed meanwhile ---
fresh
env_file "" "${NET/provider: east, /}"
TUTTI_SANDBOX_ENDPOINT=$EAST tutti plan e.yaml -o saved.plan
code 0 "planned for one cloud"
tutti apply saved.plan
is "$CODE|$(networks "$EAST")|$(networks "$HOME_CLOUD")" "4||" "it is not applied in another"
TUTTI_SANDBOX_ENDPOINT=$EAST tutti apply saved.plan
is "$CODE|$(networks "$EAST")|$(networks "$HOME_CLOUD")" "0|net|" "but there"

# --- nested templates with blocks of their own ---
cat >part.yaml <<YAML
template: part
parameters: {url: string}
providers: {east: {type: sandbox, endpoint: "\${param.url}", token: "$TOKEN"}}
resources:
  $NET
YAML
HELD=a/net
nested() { fresh; env_file "" "a: {type: template, template: part.yaml, parameters: {url: \"$EAST\"}}"; tutti apply e.yaml --yes; }
nested
code 0 "made by a nested template with a block of its own"
env_file "" ""
refused "nested template gone" "a/net was made with provider 'east'.*put the block back \(its nested template is gone: at the root, under that name\)" apply e.yaml --yes
refused "nested template gone, destroy" "state rm e.yaml a/net" destroy e.yaml --yes
env_file "east: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" ""
refused "the root's block is another account" "block 'east' has endpoint \"$HOME_CLOUD\"" apply e.yaml --yes
env_file "east: $EAST_BLOCK" ""
tutti apply e.yaml --yes
code 0 "with its block at the root it is deleted"
is "$(networks "$EAST")|$(recorded)" "|" "there"
nested
sed -i 's/^  net:.*/  keep: {type: value, properties: {input: 1}}/' part.yaml
tutti apply e.yaml --yes
code 0 "a resource that left a nested template which stands is deleted by the block there"
is "$(networks "$EAST")|$(recorded)" "|a/keep" "in its cloud"
tutti destroy e.yaml --yes
sed -i "s/^  keep:.*/  $(sed 's/[&/]/\\&/g' <<<"$NET")/" part.yaml
each() { env_file "$2" "a: {type: template, template: part.yaml, for_each: $1, parameters: {url: \"\${each.value}\"}}"; }
fresh
each "{x: \"$EAST\"}" ""
tutti apply e.yaml --yes
HELD='a["x"]/net'
each "{y: \"$HOME_CLOUD\"}" ""
refused "one of for_each gone, another stands" "a\[\"x\"\]/net was made with provider 'east'.*state rm e.yaml 'a\[\"x\"\]/net'" apply e.yaml --yes
each "{x: \"$HOME_CLOUD\"}" ""
refused "one of for_each has another endpoint" "block 'east' has endpoint \"$HOME_CLOUD\"" apply e.yaml --yes
each "{y: \"$HOME_CLOUD\"}" "east: $EAST_BLOCK"
tutti apply e.yaml --yes
is "$CODE|$(networks "$EAST")|$(networks "$HOME_CLOUD")" "0||net" "with a block at the root it goes, and the other is made where its own block says"
tutti destroy e.yaml --yes
code 0 "and away"

# --- a configuration that is known only while the run goes on ---
HELD=net
fresh
late() { # URL
        cat >e.yaml <<YAML
environment: e
providers:
  home: {type: sandbox, endpoint: "$HOME_CLOUD", token: "$TOKEN"}
  east: {type: sandbox, endpoint: "\${where.output}", token: "$TOKEN"}
resources:
  where: {type: value, properties: {input: "$1"}}
  $NET
YAML
}
late "$EAST"
tutti apply e.yaml --yes
code 0 "made by what another resource gives"
is "$(account net)" "east $EAST" "which is recorded once it is known"
late "$HOME_CLOUD"
tutti apply e.yaml --yes
ok $((CODE == 0)) "another value is no way to another cloud"
is "$(networks "$EAST")|$(networks "$HOME_CLOUD")" "net|" "nothing was made or deleted"
like "$ERR" "made with provider 'east' at endpoint \"$EAST\"" "and says why"
tutti destroy e.yaml --yes
code 4 "not even to delete it"
late "$EAST"
tutti apply e.yaml --yes
code 0 "the right value again"
tutti destroy e.yaml --yes
is "$CODE|$(networks "$EAST")" "0|" "with the right one it is deleted"

# --- import, export ---
fresh
env_file "east: $EAST_BLOCK" "$NET"
ID=$(curl -s -XPOST -H "Authorization: Bearer $TOKEN" "$EAST/v1/networks" -d '{"name": "net", "cidr": "10.0.0.0/16"}' | jq -r .id)
tutti import e.yaml net "$ID"
code 0 "imported"
is "$(account net)" "east $EAST" "with its account"
"$TUTTI" state export e.yaml >export.json
rm -rf .tutti
tutti state import e.yaml export.json
code 0 "a document of the state"
is "$(account net)" "east $EAST" "carries it"
jq '.resources[0].account = "http"' export.json >wrong.json
rm -rf .tutti
tutti state import e.yaml wrong.json
code 1 "what is no account is refused"
tutti state import e.yaml export.json
env_file "" ""
refused "and is held against it" "$GONE" apply e.yaml --yes

# --- rollback: what was made since with a block that the template of then had not ---
fresh
env_file "sandbox: ${EAST_BLOCK/type: sandbox, /}" "v: {type: value, properties: {input: 1}}"
tutti apply e.yaml --yes
env_file "sandbox: ${EAST_BLOCK/type: sandbox, /}, east: $EAST_BLOCK" "v: {type: value, properties: {input: 1}}, $NET"
tutti apply e.yaml --yes
code 0 "a resource with a block of its own"
tutti rollback e.yaml r1 --yes
is "$CODE|$(networks "$EAST")|$(recorded)" "0||v" "is taken back by the block as it stands"
tutti apply e.yaml --yes
env_file "sandbox: ${EAST_BLOCK/type: sandbox, /}" "v: {type: value, properties: {input: 1}}"
HELD="net v"
refused "rollback without the block" "$GONE" rollback e.yaml r1 --yes
(env_file "sandbox: {endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}, east: {type: sandbox, endpoint: \"$HOME_CLOUD\", token: \"$TOKEN\"}" "")
refused "rollback with a block of another account" "block 'east' has endpoint \"$HOME_CLOUD\"" rollback e.yaml r1 --yes

# --- a run that was interrupted, and the variables changed ---
HELD=net
fresh
env_file "" "${NET/provider: east, /}, go: {type: gate, after: net}, more: {type: sandbox.network, after: go, properties: {name: more, cidr: 10.1.0.0/16}}"
TUTTI_SANDBOX_ENDPOINT=$EAST tutti apply e.yaml --yes
code 3 "a run waits"
tutti approve e.yaml go
refused "resumed with other variables" "$OTHER" resume e.yaml
TUTTI_SANDBOX_ENDPOINT=$EAST tutti resume e.yaml
is "$CODE|$(networks "$EAST")|$(networks "$HOME_CLOUD")" "0|more net|" "it goes on where it began"

# --- a record from before: the account is not known, and is told by the next run that writes ---
if command -v sqlite3 >/dev/null; then
        start
        sqlite3 .tutti/state.db 'UPDATE resource SET account = NULL'
        no_changes e.yaml "a record that does not know is taken as it is"
        env_file "west: $EAST_BLOCK" "${NET/east/west}"
        refused "its name is all that is known of it" "$GONE" plan e.yaml
        env_file "east: $EAST_BLOCK" "$NET, v: {type: value, properties: {input: 1}}"
        tutti apply e.yaml --yes
        is "$(account net)" "east $EAST" "and knows after the next run"
fi
finish
