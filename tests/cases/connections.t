#!/bin/bash
# Slots and queues belong to a configured connection, never to its name: nested templates that configure one provider differently, nested
# ones in those, with limits of their own; every step of a run has its end, and each limit holds whoever asks.
. "${BASH_SOURCE%/*}/engine.sh"
unset TUTTI_SANDBOX_TOKEN TUTTI_SANDBOX_ENDPOINT
mkdir -p "$WORK/p/providers/cloud" && cd "$WORK/p" || exit 1
# The practice cloud with a limit of the provider's own, as aws has one.
sed -e 's/^provider: sandbox/provider: cloud\nlimits: {parallel: 5}/; s/sandbox\./cloud./g' "$HERE/providers/sandbox/provider.yaml" >providers/cloud/provider.yaml

sandbox_start --no-ssh
A=$URL
sandbox_other B
objects() { # URL TYPE: how many there are
        curl -s -H "Authorization: Bearer $TOKEN" "$1/v1/$2?limit=500" | jq 'if type=="array" then length else (.items|length) end'
}
pending() { "$TUTTI" status "$1" --json | jq '[.run.steps[] | select(.status == "pending" or .status == "running")] | length'; }

# --- two configurations of one provider, which has a limit ---
part() { # [LIMITS]: a template that configures the provider itself
        cat >part.yaml <<YAML
template: part
parameters: {url: string, n: number}
providers:
  cloud: {endpoint: "\${param.url}", token: "$TOKEN"${1:+, $1}}
resources:
  net: {type: cloud.network, count: "\${param.n}", properties: {name: "net-\${count.index}", cidr: "10.\${count.index}.0.0/16"}}
YAML
}
two() { # N
        cat >two.yaml <<YAML
environment: two
resources:
  a: {type: template, template: part.yaml, parameters: {url: "$A", n: $1}}
  b: {type: template, template: part.yaml, parameters: {url: "$B", n: $1}}
YAML
}
for limits in "" "parallel: 100" "parallel: 1"; do
        part "$limits"
        two 12
        tutti apply two.yaml --yes
        code 0 "two configurations of one name, ${limits:-the limit of the provider}: apply"
        like "$OUT" "Done: 24 created" "each is created"
        two 20
        tutti apply two.yaml --yes
        code 0 "more of each, after reading those that are there"
        like "$OUT" "Done: 16 created" "all of them"
        is "$(pending two.yaml)" 0 "no step was left pending"
        tutti plan two.yaml --detailed-exitcode
        code 0 "reads of both are made"
        tutti drift two.yaml
        code 0 "and by drift"
        is "$(objects "$A" networks) $(objects "$B" networks)" "20 20" "each cloud has its own"
        tutti destroy two.yaml --yes
        code 0 "destroy"
        like "$OUT" "Done: 40 deleted" "deletes all"
        is "$(objects "$A" networks) $(objects "$B" networks)" "0 0" "in both clouds"
done

# --- the limits of a nested template's own block hold ---
most() { # FILE: the greatest number of steps under way at once that the events tell of
        jq -rs 'reduce (.[] | select(.event == "step-started" or .event == "step-done")) as $e ({now: 0, most: 0};
                (if $e.event == "step-started" then .now += 1 else .now -= 1 end) | .most = ([.now, .most] | max)) | .most' "$1"
}
one() { # N
        printf 'environment: one\nresources:\n  a: {type: template, template: part.yaml, parameters: {url: "%s", n: %d}}\n' "$A" "$1" >one.yaml
}
URL=$A
call POST /_control '{"latency": "20ms"}'
one 9
part "parallel: 2"
tutti apply one.yaml --yes --json
code 0 "a nested block with parallel: 2"
is "$(most "$WORK/out")" 2 "two are under way at once, no more"
tutti destroy one.yaml --yes --json
is "$(most "$WORK/out")" 2 "nor when they are destroyed"
part
tutti apply one.yaml --yes --json
is "$(most "$WORK/out")" 5 "without, as many as the provider says"
tutti destroy one.yaml --yes

call POST /_control '{"latency": "0"}'
part "rate: 2/s"
call GET /_journal
SEEN=$(jq '.[-1].seq' <<<"$BODY")
one 4
tutti apply one.yaml --yes
code 0 "a nested block with rate: 2/s"
call GET "/_journal?since=$SEEN"
# Two at once, then one each half second: at least three creations come behind the burst.
is "$(jq '[.[].time | sub("\\.[0-9]+Z$"; "Z") as $s | ($s | fromdateiso8601) + (capture("\\.(?<ms>[0-9]+)Z$").ms | tonumber / 1000)] | (max - min) >= 0.9' <<<"$BODY")" \
        true "requests leave at that rate"

# --- import goes by the same way ---
part "parallel: 1, rate: 1/s"
one 5
call POST /v1/networks '{"name": "net-4", "cidr": "10.4.0.0/16"}'
ID=$(jq -r .id <<<"$BODY")
tutti import one.yaml 'a/net[4]' "$ID"
code 0 "import by the block of the nested template, with its limits"
part
tutti plan one.yaml --detailed-exitcode
code 0 "it is that object"
tutti destroy one.yaml --yes
code 0 "and goes with the rest"
is "$(objects "$A" networks)" 0 "nothing is left"

# --- nested in nested, each with a block of the same name ---
cat >outer.yaml <<YAML
template: outer
parameters: {here: string, there: string}
providers:
  cloud: {endpoint: "\${param.here}", token: "$TOKEN", parallel: 1}
resources:
  vol: {type: cloud.volume, count: 7, properties: {name: "vol-\${count.index}", size_gb: 1}}
  in: {type: template, for_each: [x, y], template: part.yaml, parameters: {url: "\${param.there}", n: 6}, when: true}
YAML
sed -i 's/name: "net-/name: "${param.name}-/; s/parameters: {url: string, n: number}/parameters: {url: string, n: number, name: {type: string, default: net}}/' part.yaml
sed -i 's/n: 6}/n: 6, name: "${each.key}"}/; s/, when: true//; s/\[x, y\]/{x: 1, y: 2}/' outer.yaml
cat >deep.yaml <<YAML
environment: deep
resources:
  o: {type: template, template: outer.yaml, parameters: {here: "$A", there: "$B"}}
  p: {type: template, template: outer.yaml, parameters: {here: "$B", there: "$A"}}
YAML
tutti apply deep.yaml --yes
code 0 "blocks of one name at three levels"
like "$OUT" "Done: 38 created" "all is created"
is "$(objects "$A" volumes) $(objects "$A" networks) $(objects "$B" volumes) $(objects "$B" networks)" "7 12 7 12" "each where its own block says"
is "$(pending deep.yaml)" 0 "no step was left pending"
tutti plan deep.yaml --detailed-exitcode
code 0 "nothing differs"
tutti destroy deep.yaml --yes
code 0 "destroy"
is "$(objects "$A" volumes) $(objects "$A" networks) $(objects "$B" volumes) $(objects "$B" networks)" "0 0 0 0" "takes all away"

# --- what a run deleted is said, also of a replacement that did not happen ---
cat >half.yaml <<YAML
environment: half
parameters: {size: {type: number, default: 3}}
providers: {sandbox: {endpoint: "$A", token: "$TOKEN"}}
resources:
  net: {type: sandbox.network, properties: {name: n, cidr: 10.99.0.0/16}}
  vol: {type: sandbox.volume, retry: 1, properties: {name: v, size_gb: "\${param.size}"}}
  sub: {type: sandbox.subnet, properties: {name: s, cidr: 10.99.1.0/24, network_id: "\${net.id}"}}
  one: {type: sandbox.server, replace: create-first, properties: {name: "s\${param.size}", subnet_id: "\${sub.id}", size: small, image: "d\${param.size}"}}
YAML
tutti apply half.yaml --yes
code 0 "something to replace"
call POST /_control '{"faults": [{"match": "POST /v1/volumes", "do": "503", "times": 9}]}'
tutti apply half.yaml --yes --set size=2
code 1 "its creation fails after the old one was deleted"
like "$OUT" "1 replaced, 1 deleted \(of a replacement that did not happen\); 1 failed" "which the summary counts"
like "$OUT" "one.* the new one created" "a replacement whose new one comes first says so"
like "$OUT" "one.* replaced, the old one deleted" "and is one when the old one is gone"
is "$(jq -c '.run.summary | [.replace, .replace_delete, .delete, .failed]' < <("$TUTTI" status half.yaml --json))" "[1,1,0,1]" "it is recorded"
call POST /_control '{"faults": []}'
tutti apply half.yaml --yes --set size=1 --json
code 0 "the next apply makes it"
is "$(jq -c 'select(.event == "run-done").summary.replace_delete' "$WORK/out")" 0 "and nothing is half replaced"
tutti destroy half.yaml --yes
code 0 "all is gone"
finish
