#!/bin/bash
# What a cloud refuses, the practice cloud refuses: each with a status, a sentence, and the property at fault.
. "${BASH_SOURCE%/*}/sandbox.sh"
sandbox_start --no-ssh

# refused STATUS FIELD NAME METHOD PATH [BODY]: the problem document in full
refused() {
        call "$4" "$5" "${6-}"
        is "$STATUS $(jq -rc '[.status, .field, (.title | length > 0), (.detail | length > 10)] | tostring' <<<"$BODY")" \
                "$1 [$1,$2,true,true]" "$3"
}

create networks '{"name": "net", "cidr": "10.0.0.0/16"}'; NET=$ID
create networks '{"name": "other", "cidr": "10.8.0.0/16"}'; OTHER=$ID
create subnets '{"name": "sub", "network_id": "'$NET'", "cidr": "10.0.1.0/24"}'; SUB=$ID
create servers '{"name": "web", "subnet_id": "'$SUB'", "size": "small", "image": "debian"}'; SRV=$ID
create servers '{"name": "app", "subnet_id": "'$SUB'", "size": "small", "image": "debian"}'; APP=$ID
create volumes '{"name": "vol", "size_gb": 10}'; VOL=$ID
create attachments '{"server_id": "'$SRV'", "volume_id": "'$VOL'"}'
create firewalls '{"name": "fw", "network_id": "'$OTHER'", "rules": []}'; FW=$ID
create databases '{"name": "db", "subnet_id": "'$SUB'", "engine": "mysql", "size": "small", "password": "pw"}'; DB=$ID
create ssh_keys '{"name": "key", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHIZwRRABzRBcKxOjXQUjdYPyaNHaFTzZQrB1k5RmdGC"}'; KEY=$ID
create floating_ips '{"name": "ip", "server_id": "'$APP'"}'; FIP=$ID
create load_balancers '{"name": "lb", "subnet_id": "'$SUB'", "server_ids": ["'$SRV'", "'$APP'"], "port": 80}'; LB=$ID
create records '{"name": "www", "type": "A", "value": "10.0.0.1"}'; REC=$ID

call GET /_journal
BEFORE=$(jq length <<<"$BODY")

refused 404 null "an unknown id" GET /v1/servers/srv-000000000000
refused 404 null "an id of another type" GET /v1/networks/$SRV
refused 404 null "a change of nothing" PATCH /v1/servers/none '{"size": "x"}'
refused 404 null "a deletion of nothing" DELETE /v1/servers/none
refused 404 null "an unknown type" GET /v1/clouds
refused 404 null "an unknown path" GET /v2/servers
refused 405 null "an unknown method" PUT /v1/servers '{}'
is "$(header Allow)" "GET, POST" "with those that there are"
refused 404 '"network_id"' "a missing reference" POST /v1/subnets '{"name": "x", "network_id": "net-none", "cidr": "10.0.2.0/24"}'
refused 404 '"ssh_key_ids"' "a missing reference in a list" POST /v1/servers '{"name": "x", "subnet_id": "'$SUB'", "size": "s", "image": "i", "ssh_key_ids": ["key-none"]}'
refused 404 '"subnet_id"' "a reference to another type" POST /v1/servers '{"name": "x", "subnet_id": "'$NET'", "size": "s", "image": "i"}'

refused 409 '"name"' "a name that is taken" POST /v1/networks '{"name": "net", "cidr": "10.9.0.0/16"}'
refused 409 '"name"' "a change to a name that is taken" PATCH /v1/networks/$OTHER '{"name": "net"}'
refused 409 '"name"' "two records of one name and type" POST /v1/records '{"name": "www", "type": "A", "value": "10.0.0.2"}'
refused 409 null "deleting a network in use" DELETE /v1/networks/$NET
like "$(jq -r .detail <<<"$BODY")" "in use by subnet $SUB" "names who uses it"
refused 409 null "deleting a subnet in use" DELETE /v1/subnets/$SUB
refused 409 null "deleting a volume in use" DELETE /v1/volumes/$VOL
refused 409 null "deleting a server with a volume" DELETE /v1/servers/$SRV
refused 409 '"volume_id"' "attaching a volume twice" POST /v1/attachments '{"server_id": "'$APP'", "volume_id": "'$VOL'"}'

subnet() { refused 422 '"cidr"' "$1" POST /v1/subnets '{"name": "x", "network_id": "'$NET'", "cidr": "'$2'"}'; }
subnet "a subnet outside its network" 10.1.0.0/24
subnet "a subnet larger than its network" 10.0.0.0/8
subnet "a subnet that equals another" 10.0.1.0/24
subnet "a subnet inside another" 10.0.1.128/25
subnet "a subnet around another" 10.0.0.0/20
subnet "a subnet of another family" fd00::/64
for cidr in 10.0.0.0 10.0.0.0/33 10.0.0.0/-1 10.0.0/16 10.0.0.1/16 300.0.0.0/8 10.0.0.0/016 ::1/129 fd00::1/64 "" text; do
        refused 422 '"cidr"' "the network '$cidr'" POST /v1/networks '{"name": "x", "cidr": "'"$cidr"'"}'
done
refused 422 '"cidr"' "a network that no longer contains its subnet" PATCH /v1/networks/$NET '{"cidr": "10.0.128.0/17"}'
refused 422 '"cidr"' "a subnet that no longer contains its servers" PATCH /v1/subnets/$SUB '{"cidr": "10.0.1.128/25"}'

refused 422 '"cidr"' "a required property that is missing" POST /v1/networks '{"name": "x"}'
refused 422 '"name"' "a required property that is null" POST /v1/networks '{"name": null, "cidr": "10.0.0.0/16"}'
refused 422 '"name"' "an empty name" POST /v1/networks '{"name": "", "cidr": "10.0.0.0/16"}'
refused 422 '"name"' "a name with a line break" POST /v1/networks '{"name": "a\nb", "cidr": "10.0.0.0/16"}'
refused 422 '"name"' "a name that is a number" POST /v1/networks '{"name": 1, "cidr": "10.0.0.0/16"}'
refused 422 '"lables"' "an unknown property" POST /v1/networks '{"name": "x", "cidr": "10.0.0.0/16", "lables": {}}'
like "$(jq -r .detail <<<"$BODY")" "did you mean 'labels'" "with the one that was meant"
refused 422 '"id"' "a property of the cloud's" POST /v1/networks '{"name": "x", "cidr": "10.0.0.0/16", "id": "net-1"}'
refused 422 '"labels"' "labels that are no texts" POST /v1/networks '{"name": "x", "cidr": "10.0.0.0/16", "labels": {"a": 1}}'
for port in 0 65536 -1 '"80"' 80.5; do
        refused 422 '"port"' "the port $port" POST /v1/load_balancers '{"name": "x", "subnet_id": "'$SUB'", "server_ids": [], "port": '"$port"'}'
done
rule() { refused 422 "\"$1\"" "$2" POST /v1/firewalls '{"name": "x", "network_id": "'$NET'", "rules": [{"direction": "in", "protocol": "any"}, '"$3"']}'; }
rule 'rules[1].port' "a rule with a bad port" '{"direction": "in", "protocol": "tcp", "port": 70000, "cidr": "0.0.0.0/0"}'
rule 'rules[1].port' "a rule with a range upside down" '{"direction": "in", "protocol": "tcp", "port": "90-80", "cidr": "0.0.0.0/0"}'
rule 'rules[1].cidr' "a rule with a bad network" '{"direction": "in", "protocol": "tcp", "port": 1, "cidr": "0.0.0.0"}'
rule 'rules[1].direction' "a rule with a bad direction" '{"direction": "up", "protocol": "tcp"}'
rule 'rules[1].protocol' "a rule with a bad protocol" '{"direction": "in", "protocol": "tpc"}'
rule 'rules[1].prot' "a rule with an unknown member" '{"direction": "in", "protocol": "tcp", "prot": 1}'
rule 'rules' "a rule without a direction" '{"protocol": "tcp"}'
rule 'rules' "a rule that is none" '"any"'
refused 422 '"server_ids"' "a list that names one twice" POST /v1/load_balancers '{"name": "x", "subnet_id": "'$SUB'", "server_ids": ["'$SRV'", "'$SRV'"], "port": 80}'
refused 422 '"firewall_ids"' "a firewall of another network" PATCH /v1/servers/$SRV '{"firewall_ids": ["'$FW'"]}'
refused 422 '"public_key"' "a key with a second line" POST /v1/ssh_keys '{"name": "x", "public_key": "ssh-ed25519 AAAA a\nssh-ed25519 BBBB b"}'
refused 422 '"public_key"' "a key with options" POST /v1/ssh_keys '{"name": "x", "public_key": "command=\"x\" ssh-ed25519 AAAA"}'
refused 422 '"public_key"' "a private key" POST /v1/ssh_keys '{"name": "x", "public_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}'
refused 422 '"type"' "an unknown kind of record" POST /v1/records '{"name": "x", "type": "B", "value": "1"}'
refused 422 '"value"' "an A record without an IPv4 address" POST /v1/records '{"name": "x", "type": "A", "value": "fd00::1"}'
refused 422 '"value"' "an AAAA record without an IPv6 address" PATCH /v1/records/$REC '{"type": "AAAA"}'
refused 422 '"ttl"' "a negative time to live" POST /v1/records '{"name": "x", "type": "TXT", "value": "1", "ttl": -1}'
refused 422 '"size_gb"' "a volume of nothing" POST /v1/volumes '{"name": "x", "size_gb": 0}'
refused 422 '"size_gb"' "a volume that shrinks" PATCH /v1/volumes/$VOL '{"size_gb": 9}'
refused 422 '"image"' "another image" PATCH /v1/servers/$SRV '{"image": "alpine"}'
refused 422 '"subnet_id"' "another subnet" PATCH /v1/servers/$SRV '{"subnet_id": "sub-other"}'
refused 422 '"engine"' "another engine" PATCH /v1/databases/$DB '{"engine": "postgres"}'
refused 422 '"private_ip"' "a change of an output" PATCH /v1/servers/$SRV '{"private_ip": "10.0.1.9"}'
refused 422 '"password"' "a password that is no text" PATCH /v1/databases/$DB '{"password": 1234567}'
is "$(grep -c 1234567 <<<"$BODY")" 0 "is not repeated"

refused 400 null "a body that is not JSON" POST /v1/networks '{"name": '
refused 400 null "a body with a member twice" POST /v1/networks '{"name": "x", "name": "y", "cidr": "10.0.0.0/16"}'
refused 400 null "no body" POST /v1/networks
refused 422 null "a body that is a list" POST /v1/networks '[]'
head -c 1100000 /dev/zero | tr '\0' ' ' >"$WORK/large"
refused 413 null "a body that is too large" POST /v1/networks @"$WORK/large"
refused 422 '"limit"' "a bad limit" GET '/v1/servers?limit=0'
refused 422 '"label"' "a bad label" GET '/v1/servers?label=x'
refused 422 '"nmae"' "an unknown filter" GET '/v1/servers?nmae=x'
refused 422 '"?"' "a filter that is not UTF-8" GET '/v1/servers?%FF=x'
refused 404 null "an id whose message is cut through a character" GET "/v1/servers/$(printf 'x%.0s' $(seq 63))%C3%A4"
call PATCH /v1/servers/$SRV '{"image": "debian", "subnet_id": "'$SUB'"}'
is "$STATUS" 200 "naming what is fixed, unchanged, is no change"

call GET /_journal
field length "$BEFORE" "no refusal had an effect"

for path in /v1/servers /_journal /_control; do
        STATUS=$(curl -s -o "$WORK/body" -w '%{http_code}' "$URL$path")
        is "$STATUS $(jq .status "$WORK/body")" "401 401" "$path without a token"
        for token in wrong "${TOKEN}x" "${TOKEN%n}"; do
                is "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$URL$path")" 401 "$path with the token $token"
        done
done

# References that follow: the target can go, and the reference with it.
call DELETE /v1/servers/$APP
is "$STATUS" 204 "a server with a floating address can go"
call GET /v1/floating_ips/$FIP
field .server_id null "the address stays, without a server"
call GET /v1/load_balancers/$LB
field .server_ids '["'$SRV'"]' "a load balancer loses the server"
call PATCH /v1/servers/$SRV '{"ssh_key_ids": ["'$KEY'"]}'
call DELETE /v1/ssh_keys/$KEY
call GET /v1/servers/$SRV
field .ssh_key_ids '[]' "a server loses a key that is deleted"
create records '{"name": "www", "type": "TXT", "value": "hello"}'
is "$STATUS" 202 "a record of the same name and another type"
create servers '{"name": "app", "subnet_id": "'$SUB'", "size": "small", "image": "debian"}'
is "$STATUS" 202 "a name that is free again"

# A small subnet runs out of addresses, and gives them out again.
create subnets '{"name": "tiny", "network_id": "'$NET'", "cidr": "10.0.9.0/29"}'; TINY=$ID
for i in 1 2 3 4 5; do
        create servers '{"name": "t'$i'", "subnet_id": "'$TINY'", "size": "s", "image": "i"}'
        LAST=$ID
done
refused 409 '"subnet_id"' "a subnet without a free address" POST /v1/servers '{"name": "t6", "subnet_id": "'$TINY'", "size": "s", "image": "i"}'
call DELETE /v1/servers/$LAST
create servers '{"name": "t6", "subnet_id": "'$TINY'", "size": "s", "image": "i"}'
field .private_ip 10.0.9.6 "takes the one that was freed"
sandbox_stop

"$TUTTI" sandbox --listen 0.0.0.0:0 --token t >"$WORK/out" 2>&1
is $? 4 "an address that others can reach is refused"
like "$(cat "$WORK/out")" 'loopback' "and the message says why"
for flags in "--listen x" "--latency 5" "--latency 9ms-5ms" "--rate 5" "--rate -1/s" "--bogus" "--token=" "--listen 127.0.0.1:99999"; do
        "$TUTTI" sandbox --listen 127.0.0.1:0 --token t $flags >"$WORK/out" 2>&1 &
        PID=$!
        for _ in $(seq 300); do kill -0 $PID 2>/dev/null || break; sleep 0.05; done
        kill -KILL $PID 2>/dev/null
        wait $PID 2>/dev/null
        is $? 4 "bad flags: $flags"
        PID=
done
sandbox_start --no-ssh --no-name-unique
create networks '{"name": "net", "cidr": "10.0.0.0/16"}'
create networks '{"name": "net", "cidr": "10.0.0.0/16"}'
call GET '/v1/networks?name=net'
field length 2 "with --no-name-unique a name can be used twice"
call DELETE "/v1/networks/$ID"
call GET '/v1/networks?name=net'
field length 1 "and finds what is left"
sandbox_stop
sandbox_start --no-ssh --no-idempotency
call GET /_control
field '[.idempotency, .name_unique]' '[false,true]' "--no-idempotency"
sandbox_stop
finish
