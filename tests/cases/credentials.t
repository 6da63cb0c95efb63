#!/bin/bash
# What was planned before is done with the credentials of today, in the cloud and by the plan of then.
. "${BASH_SOURCE%/*}/engine.sh"
unset TUTTI_SANDBOX_TOKEN TUTTI_SANDBOX_ENDPOINT
mkdir -p "$WORK/cloud" "$WORK/credentials" && cd "$WORK/credentials" || exit 1

# The cloud with another token, on the same port, with the objects that it had.
LISTEN=127.0.0.1:0
cloud() { # TOKEN
        [ -z "$PID" ] || sandbox_stop
        TOKEN=$1
        sandbox_start --no-ssh --data "$WORK/cloud" --listen "$LISTEN"
        LISTEN=${URL#http://}
}
cloud first

shop() { # TOKEN SIZE: a run of it waits before the second disk
        cat >shop.yaml <<YAML
environment: shop
providers: {sandbox: {endpoint: "$URL", token: $1}}
resources:
  a: {type: sandbox.volume, properties: {name: a, size_gb: 9, labels: {size: "$2"}}}
  go: {type: gate, after: a, properties: {message: "?"}}
  b: {type: sandbox.volume, after: go, properties: {name: b, size_gb: 9, labels: {size: "$2"}}}
YAML
}
size_of() { # NAME
        call GET /v1/volumes
        jq -r ".. | objects | select(.name? == \"$1\").labels.size // empty" <<<"$BODY"
}

# --- written down in the file ---
shop first 1
tutti apply shop.yaml --yes
code 3 "a run waits"
cloud second
tutti approve shop.yaml go
tutti resume shop.yaml
code 1 "the token was exchanged meanwhile: with that of the file it does not go on"
like "$OUT" "401" "as the cloud refuses it"
shop second 5
sed -i 's/^resources:/&\n  more: {type: sandbox.volume, properties: {name: more, size_gb: 1}}/' shop.yaml
tutti apply shop.yaml --yes --target go --target b --approve all --no-refresh
code 0 "with today's token it does"
tutti destroy shop.yaml --yes
code 0 "and away with it"

shop second 1
tutti apply shop.yaml --yes
code 3 "another run waits"
DIGEST=$(jq -r .run.digest < <("$TUTTI" status shop.yaml --json))
tutti approve shop.yaml go
cloud third
# Everything in the file is another now.
shop third 7
sed -i 's/^resources:/&\n  more: {type: sandbox.volume, properties: {name: more, size_gb: 1}}/; s/endpoint: "[^"]*"/endpoint: "http:\/\/127.0.0.1:9"/' shop.yaml
tutti resume shop.yaml
code 0 "with the token of today a resumed run goes on"
is "$(size_of a) $(size_of b) $(size_of more)" "1 1 " "in the cloud of then, and does what was approved"
is "$(jq -r .run.digest < <("$TUTTI" status shop.yaml --json))" "$DIGEST" "by the plan of then"
shop third 1
tutti plan shop.yaml --detailed-exitcode
code 0 "nothing differs"

# --- in a file of its own ---
sed -i 's/token: third/token: "${trimspace(file(\\"token\\"))}"/' shop.yaml
sed -i 's/size: "1"/size: "${file(\\"size\\")}"/' shop.yaml
echo third >token
printf 2 >size
tutti apply shop.yaml --yes
code 3 "a token and a size that stand in files"
tutti approve shop.yaml go
cloud file
echo file >token
printf 9 >size
tutti resume shop.yaml
code 0 "the token is today's"
is "$(size_of a) $(size_of b)" "2 2" "and the size as it was approved"
cloud third
shop third 1
tutti apply shop.yaml --yes --approve all
code 0 "back to where it was"

# --- the way back ---
shop third 2
tutti apply shop.yaml --yes --approve all
code 0 "a change"
cloud fourth
shop fourth 2
WAY=$(jq -r '.[1].id' < <("$TUTTI" runs shop.yaml --json))
tutti rollback shop.yaml "$WAY" --yes --approve all
code 0 "the way back to a run of another token, with that of today"
is "$(size_of a) $(size_of b)" "1 1" "leads there"
shop fourth 3
sed -i 's/after: go, /after: go, on_failure: rollback, retry: 1, /' shop.yaml
call POST /_control '{"faults": [{"match": "PATCH /v1/volumes", "do": "500", "times": 1, "skip": 1}]}'
tutti apply shop.yaml --yes --approve all
code 1 "a run fails"
like "$OUT" "rolled it back" "and is rolled back"
is "$(size_of a) $(size_of b)" "1 1" "with the token of today as well"

# --- a saved plan ---
shop fourth 4
tutti plan shop.yaml -o saved.plan
cloud fifth
tutti apply saved.plan --approve all
code 1 "a saved plan with a token that was exchanged"
shop fifth 4
tutti plan shop.yaml -o saved.plan
cloud sixth
shop sixth 9
tutti apply saved.plan --approve all
code 0 "takes that of the file"
is "$(size_of a) $(size_of b)" "4 4" "and is what was saved"
tutti destroy shop.yaml --yes
code 0 "and away with it"

# --- parameters ---
with_parameter() { # PARAMETERS
        cat >shop.yaml <<YAML
environment: shop
parameters: {token: {type: string, sensitive: true}, size: {type: number, default: 1}}
providers: {sandbox: {endpoint: "$URL", token: "\${param.token}"}}
resources:
  a: {type: sandbox.volume, properties: {name: a, size_gb: 9, labels: {size: "\${param.size}"}}}
  go: {type: gate, after: a, properties: {message: "?"}}
  b: {type: sandbox.volume, after: go, properties: {name: b, size_gb: 9, labels: {size: "\${param.size}"}}}
YAML
}
with_parameter
tutti apply shop.yaml --yes --set token=sixth --set size=2
code 3 "a run whose token was said on the command line waits"
tutti resume shop.yaml
code 3 "it needs not be said again"
cloud seventh
TUTTI_PARAM_token=wrong tutti resume shop.yaml --approve go
code 1 "a wrong one is not forgiven"
tutti runs shop.yaml --json
tutti destroy shop.yaml --yes --set token=seventh
code 0 "away with what it made"
tutti apply shop.yaml --yes --set token=seventh --set size=2
code 3 "another run waits"
cloud eighth
TUTTI_PARAM_token=eighth TUTTI_PARAM_size=6 tutti resume shop.yaml --approve go
code 0 "a parameter is of today as far as it is a credential"
is "$(size_of a) $(size_of b)" "2 2" "and of then for all else"
tutti destroy shop.yaml --yes --set token=eighth

# --- environment variables ---
shop eighth 1
sed -i 's/, token: eighth//' shop.yaml
TUTTI_SANDBOX_TOKEN=eighth tutti apply shop.yaml --yes
code 3 "a run whose token was in a variable waits"
cloud ninth
TUTTI_SANDBOX_TOKEN=ninth tutti resume shop.yaml --approve go
code 0 "it takes that of today"
TUTTI_SANDBOX_TOKEN=ninth tutti destroy shop.yaml --yes
shop ninth 1
tutti apply shop.yaml --yes
code 3 "a run whose token was in the file waits"
sed -i 's/, token: ninth//' shop.yaml
cloud tenth
TUTTI_SANDBOX_TOKEN=tenth tutti resume shop.yaml --approve go
code 0 "now it is in a variable"

# --- what cannot be told ---
shop tenth 2
tutti apply shop.yaml --yes
code 3 "a run waits"
echo "nonsense: [" >>shop.yaml
tutti resume shop.yaml --approve go
code 4 "a file that is no YAML has no name"
shop tenth 2
sed -i 's/name: b,/nome: b,/; s/token: tenth/token: wrong/' shop.yaml
tutti resume shop.yaml --approve go
code 0 "where the file is broken"
like "$ERR" "credentials are those of then.*b: " "the credentials of then count, which is said"
shop tenth 3
tutti apply shop.yaml --yes
sed -i '/^providers/d' shop.yaml
tutti resume shop.yaml --approve go
code 0 "and so they do where the provider is not configured any more"
shop tenth 4
tutti apply shop.yaml --yes
sed -i 's/sandbox: {/other: {type: sandbox, /; s/token: tenth/token: wrong/' shop.yaml
tutti resume shop.yaml --approve go
code 0 "or under another name"
unlike "$OUT$ERR" "tenth" "no token is shown"
shop tenth 4
tutti destroy shop.yaml --yes
code 0 "and away with it"
is "$(orphans)" "" "nothing is left in the cloud"
finish
