#!/bin/bash
# The main job: a web shop from nothing, changed, tampered with, healed, destroyed; the cloud's own journal is the witness.
. "${BASH_SOURCE%/*}/engine.sh"
command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || { echo "1..0 # SKIP OpenSSH's server is not installed"; exit 0; }
engine_sandbox --latency 50ms-150ms
project

tutti check staging.yaml
code 0 "the environment is sound"

tutti plan staging.yaml --json
code 0 "a first plan is made"
is "$(jq -c '.summary | [.create, .update, .replace, .delete, .keep, .gates, .deferred]' <<<"$OUT")" '[18,0,0,0,0,1,0]' "it creates everything"
is "$(jq '.steps | length' <<<"$OUT")" 19 "a step each, and the gate"
is "$(jq -r '[.steps[] | select(.address == "subnet[\"b\"]") | .after[]] as $a | [.steps[] | select(.index as $i | $a | index($i)) | .address] | join(" ")' <<<"$OUT")" network \
        "a subnet comes after its network"
is "$(jq -c '.steps[] | select(.address=="database") | .changes[] | select(.path=="password") | [.sensitive, .after]' <<<"$OUT" | grep -c only-for-staging)" 0 \
        "the password is not in the plan"
[ ! -e .tutti/state.db ]; ok $? "planning records nothing"

tutti apply staging.yaml --yes
code 3 "without a terminal the run stops at the gate"
like "$OUT" "tutti approve" "and says how to go on"
is "$(journal '[.[] | select(.type == "record")] | length')" 0 "no DNS record before the yes"
tutti status staging.yaml --json
is "$(jq -r '.run.status, (.run.gates[0] | .name, .status)' <<<"$OUT" | tr '\n' ' ')" "waiting go-live waiting " "status shows who waits"
tutti approve staging.yaml go-live --comment "looks good"
code 0 "the gate is approved"
tutti resume staging.yaml
code 0 "and the run goes on to its end"
is "$(journal '[.[] | select(.type == "record")] | length')" 1 "now there is a record"
tutti output staging.yaml url
is "$OUT" "http://staging.shop.example.org/" "outputs are recorded"
no_changes staging.yaml "a repeated plan says no changes"

is "$(journal '[.[] | .effect] | unique | join(" ")')" created "nothing but creations"
is "$(journal '[.[] | select(.effect=="created") | .type + "/" + .name] | group_by(.) | map(select(length > 1)) | length')" 0 "nothing twice"
is "$(journal '[.[] | .type] | (index("network") < index("subnet")) and (index("subnet") < index("server")) and (index("ssh_key") < index("server"))
        and (index("load_balancer") < index("record"))')" true "in order of dependency"
HOSTPORT=$(tutti state show staging.yaml 'web[0]' --json; jq -r '.outputs.ssh_port' "$WORK/out")
SITE=$(ssh -q -p "$HOSTPORT" -i .tutti/webshop-staging_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 'cat site/index.html')
like "$SITE" 'Welcome to the staging shop' "the server has the page"

# Change a number.
sed -i 's/web_count: 3/web_count: 2/' staging.yaml
tutti plan staging.yaml -o fewer.plan
code 0 "a plan is saved"
tutti apply fewer.plan
code 0 "and applied exactly"
is "$(journal '[.[] | select(.type=="server" and .effect=="deleted")] | length')" 1 "one server less"
tutti apply fewer.plan
code 4 "a plan is for one use"
no_changes staging.yaml "nothing is left to do"

# Tamper through the cloud's API.
NET=$(tutti state show staging.yaml 'web[0]' --json; jq -r .id "$WORK/out")
call PATCH "/v1/servers/$NET" '{"size": "huge"}'
is "$STATUS" 200 "somebody changes a server by hand"
DB=$(tutti state show staging.yaml database --json; jq -r .id "$WORK/out")
tutti drift staging.yaml --detailed-exitcode
code 2 "drift is found"
like "$OUT" 'size' "and named"
tutti drift staging.yaml --json
is "$(jq -r '[.steps[] | .address] | join(" ")' <<<"$OUT")" 'web[0]' "in JSON too"
ssh -q -p "$HOSTPORT" -i .tutti/webshop-staging_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 'echo hacked > site/index.html'
tutti apply staging.yaml --yes --approve all
code 0 "apply heals"
call GET "/v1/servers/$NET"
field .size small "the server is as it was"
SITE=$(ssh -q -p "$HOSTPORT" -i .tutti/webshop-staging_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 'cat site/index.html')
like "$SITE" 'Welcome to the staging shop' "so is the page"
no_changes staging.yaml "and nothing is left to do"

# A file alone, on a server that stays as it is.
HOSTPORT=$(tutti state show staging.yaml 'web[1]' --json; jq -r '.outputs.ssh_port' "$WORK/out")
at_second() { ssh -q -p "$HOSTPORT" -i .tutti/webshop-staging_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 "$1"; }
at_second 'echo hacked > site/index.html'
tutti plan staging.yaml --json
is "$(jq -r '.steps[] | select(.address == "page[1]") | .action' <<<"$OUT")" update "a file that somebody changed will be written again"
tutti apply staging.yaml --yes --approve all
code 0 "it is"
like "$(at_second 'cat site/index.html')" 'Welcome to the staging shop' "with its own content"

tutti destroy staging.yaml --yes
code 0 "destroy"
is "$(orphans)" "" "nothing is left in the cloud"
tutti state list staging.yaml --json
is "$OUT" "[]" "nor in the record"
[ ! -e .tutti/webshop-staging_key ]; ok $? "the key pair is gone"
tutti audit staging.yaml
code 0 "the chain of events holds"
like "$OUT" 'go-live' "and tells of the approval"

# Production: the same template with other values.
sed -i '/database_password/d' production.yaml
tutti plan production.yaml
code 4 "without a password there is no production"
like "$ERR" 'database_password' "and the error says so"
export TUTTI_PARAM_database_password=hunter2
tutti apply production.yaml --yes --set 'approvers=["ops","dba"]'
code 3 "production waits at the gate before DNS"
tutti approve production.yaml go-live --as mallory
code 1 "somebody else may not approve"
tutti approve production.yaml go-live --as ops
code 0 "ops may"
tutti resume production.yaml
code 0 "and it goes live"
no_changes production.yaml "a repeated plan says no changes"
tutti apply production.yaml --yes --set 'approvers=["ops","dba"]' --set database_engine=postgres-16
code 3 "replacing the database asks"
like "$OUT" "approve production.yaml database" "by name"
is "$(journal '[.[] | select(.type=="database" and .effect=="deleted" and .name=="webshop-production")] | length')" 0 "and nothing was deleted yet"
tutti approve production.yaml database --as dba --reject --comment "not tonight"
tutti resume production.yaml
code 1 "a rejection stops the branch"
is "$(journal '[.[] | select(.type=="database" and .effect=="deleted" and .name=="webshop-production")] | length')" 0 "and the database stays"
tutti apply production.yaml --yes --approve database --as dba --set 'approvers=["ops","dba"]' --set database_engine=postgres-16
code 0 "answered beforehand by name, it is replaced"
is "$(journal '[.[] | select(.type=="database" and .name=="webshop-production") | .effect] | join(" ")')" "created deleted created" "the old one went before the new one came"
tutti destroy production.yaml --yes --approve all
code 0 "destroyed"
is "$(orphans)" "" "nothing is left in the cloud"
grep -rqa hunter2 .tutti; [ $? = 1 ]; ok $? "the password is nowhere in clear under .tutti"
finish
