#!/bin/bash
# An object that cannot be read keeps nothing else from being planned, changed and destroyed; only where nothing at all can be read over a
# connection, there is no plan.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --latency 1ms
mkdir -p "$WORK/unread" && cd "$WORK/unread" || exit 1
ssh-keygen -q -t ed25519 -N '' -f id
ssh-keygen -q -t ed25519 -N '' -f other
mkdir -p providers/tiny
cat >providers/tiny/provider.yaml <<'YAML'
provider: tiny
doc: Volumes, of which an internal error is no reason to ask again.
config:
  endpoint: {type: string, required: true, env: TUTTI_SANDBOX_ENDPOINT, doc: Where.}
  token: {type: string, required: true, sensitive: true, env: TUTTI_SANDBOX_TOKEN, doc: Who.}
endpoint: ${config.endpoint}
auth: {scheme: bearer, token: "${config.token}"}
errors: {message: "${reply.body.detail}", rules: [{status: 500, means: refused}]}
types:
  tiny.disk:
    doc: A volume.
    properties:
      name: {type: string, required: true, create_only: true, doc: Its name.}
      size: {type: number, required: true, api: size_gb, grows: true, doc: In gigabytes.}
    repeatable: true
    create: {method: POST, path: /v1/volumes, headers: {Idempotency-Key: "${token}"}, body: "${document}", id: "${reply.body.id}", wait: {until: "${item.status == \"active\"}"}}
    read: {path: [v1, volumes, "${id}"], object: "${reply.body}"}
    update: {method: PATCH, path: [v1, volumes, "${id}"], body: "${changes}"}
    delete: {method: DELETE, path: [v1, volumes, "${id}"]}
lookups:
  tiny.found:
    doc: A volume by its id.
    properties: {volume: {type: string, required: true, doc: Its id.}}
    outputs: {name: {type: string, doc: Its name.}}
    read: {path: [v1, volumes, "${properties.volume}"], object: "${reply.body}", id: "${reply.body.id}"}
YAML
cat >env.yaml <<'YAML'
environment: unread
parameters: {size: {type: number, default: 1}}
resources:
  a: {type: sandbox.volume, properties: {name: a, size_gb: "${param.size}"}}
  b: {type: tiny.disk, properties: {name: b, size: "${param.size}"}}
  d: {type: sandbox.volume, properties: {name: d, size_gb: 1}}
  net: {type: sandbox.network, properties: {name: net, cidr: 10.0.0.0/16}}
  c: {type: value, properties: {input: "${param.size}"}}
YAML
tutti apply env.yaml --yes
code 0 "an environment"
tutti state show env.yaml b --json
B=$(jq -r .id <<<"$OUT")
fault() { call POST /_control '{"faults": ['"${1:-}"']}'; }
actions() { jq -rc '[.steps[] | "\(.action) \(.address)"] | sort | join(", ")' <<<"$OUT"; }

fault '{"match": "GET /v1/volumes/'"$B"'", "do": "500", "times": 100000}'
tutti plan env.yaml
is "$CODE" 0 "one object cannot be read: there is a plan"
like "$ERR" "b: it cannot be read, so its record is taken as it is: .*500.*--no-refresh.*tutti state rm env.yaml b" "a warning says which, why, and the ways out"
like "$OUT" "5 resources are as the template says" "the rest is planned"
like "$OUT" "1 resource could not be read, so that what is recorded of it is taken as it is: b" "and the plan says what it does not know"
tutti plan env.yaml --set size=2 --json
is "$CODE $(actions)" "0 update a, update b, update c" "changes are planned, its own by its record"
is "$(jq -rc '[.unread[].address] | join(" ")' <<<"$OUT")" b "and JSON names it"
tutti drift env.yaml --detailed-exitcode
is "$CODE" 1 "drift does not say that there is none"
unlike "$OUT" "No drift" "in no words"
like "$OUT" "4 of 5 resources are as recorded.*could not be read.*: b" "but what it knows"
call PATCH "/v1/volumes/$(tutti state show env.yaml a --json; jq -r .id <<<"$OUT")" '{"size_gb": 5}'
tutti drift env.yaml --detailed-exitcode
is "$CODE" 2 "other drift is found"
like "$OUT" "1 of 5 resources drifted.*could not be read" "and told"
tutti state show env.yaml d --json
fault '{"match": "GET /v1/volumes/'"$(jq -r .id <<<"$OUT")"'", "do": "reset-before", "times": 100000}'
tutti plan env.yaml --json
is "$CODE $(jq -rc '[.unread[].address] | join(" ")' <<<"$OUT")" "0 d" "one of three does not answer, and the others do"
fault
tutti apply env.yaml --yes --set size=7
code 0 "the object can be read again: all is changed"

# The whole cloud answers nothing, or lets nothing be read.
fault '{"match": "GET *", "do": "503", "times": 100000}'
tutti plan env.yaml
is "$CODE" 1 "nothing can be read: there is no plan"
like "$ERR" "nothing could be read over sandbox \(3 objects\), so there is no plan: .--no-refresh. plans by the record alone" "and the message says what to do"
tutti plan env.yaml --no-refresh
code 0 "which goes"
tutti plan env.yaml --destroy --json
is "$CODE $(actions)" "0 delete a, delete b, delete c, delete d, delete net" "destroying is planned by the record"
fault
TUTTI_SANDBOX_TOKEN=wrong tutti plan env.yaml
is "$CODE" 1 "the same with credentials that are refused"
like "$ERR" "nothing could be read over sandbox" "in the same words"
TUTTI_SANDBOX_TOKEN=wrong tutti plan env.yaml --destroy
code 0 "and destroying"
cat >lookup.yaml <<'YAML'
environment: lookup
lookups: {found: {type: tiny.found, properties: {volume: vol-1}}}
resources: {v: {type: value, properties: {input: "${lookup.found.name}"}}}
YAML
fault '{"match": "GET *", "do": "500", "times": 100000}'
tutti plan lookup.yaml
is "$CODE" 1 "a lookup that fails is an error"
fault

# A host that lets nobody in stands for itself.
if command -v sshd >/dev/null || [ -x /usr/sbin/sshd ]; then
        cat >host.yaml <<'YAML'
environment: host
resources:
  hnet: {type: sandbox.network, properties: {name: hnet, cidr: 10.1.0.0/16}}
  sub: {type: sandbox.subnet, properties: {name: sub, network_id: "${hnet.id}", cidr: 10.1.1.0/24}}
  key: {type: sandbox.ssh_key, properties: {name: key, public_key: '${file("id.pub")}'}}
  web: {type: sandbox.server, properties: {name: web, subnet_id: "${sub.id}", size: small, image: debian-12, ssh_key_ids: ["${key.id}"]}}
  f:
    type: ssh.file
    host: {address: "${web.ssh_host}", port: "${web.ssh_port}", user: "${web.ssh_user}", key_file: login, host_key: "${web.host_key}"}
    properties: {path: f, content: f}
YAML
        cp id login
        tutti apply host.yaml --yes
        code 0 "a file on a host"
        cp other login
        tutti plan host.yaml --json
        is "$CODE $(actions) $(jq -rc '[.unread[].address] | join(" ")' <<<"$OUT")" "0  f" "the host refuses the login: its file alone cannot be read"
        tutti drift host.yaml
        is "$CODE" 1 "nor can drift be told"
        cp id login
        tutti destroy host.yaml --yes
        code 0 "destroyed"
fi
fault '{"match": "GET /v1/volumes/'"$B"'", "do": "500", "times": 1}'
tutti destroy env.yaml --yes
code 0 "an object that could not be read is destroyed with the rest"
like "$ERR" "b: it cannot be read" "as was said"
is "$(orphans)" "" "nothing left"
finish
