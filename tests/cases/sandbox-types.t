#!/bin/bash
# Every type of the practice cloud: created with the least, shown with all, changed, deleted in order.
. "${BASH_SOURCE%/*}/sandbox.sh"
sandbox_start --no-ssh --latency 1500ms

like "$(cat "$WORK/ready")" '^sandbox ready on http://127.0.0.1:[0-9]+, no SSH servers' "the ready line says address and SSH"

START=$(date +%s%3N)
create networks '{"name": "net", "cidr": "10.0.0.0/16"}'
NET=$ID
is "$STATUS" 202 "a creation is accepted"
field .status creating "and is going on"
field .labels '{}' "defaults are shown"
is "$(header Location)" "/v1/networks/$NET" "Location names the object"
call GET "/v1/networks/$NET"
field .status creating "right after, it is still going on"
await "/v1/networks/$NET" '.status == "active"'
field .status active "after the latency it is done"
[ $(($(date +%s%3N) - START)) -ge 1500 ]; ok $? "and not before"
call POST /_control '{"latency": "0"}'

create subnets '{"name": "sub", "network_id": "'$NET'", "cidr": "10.0.1.0/24", "labels": {"tier": "web"}}'
SUB=$ID
create firewalls '{"name": "fw", "network_id": "'$NET'", "rules": [{"direction": "in", "protocol": "tcp", "port": 22, "cidr": "0.0.0.0/0"}]}'
FW=$ID
field '.rules[0].port' 22 "rules come back as given"
KEYTEXT='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHIZwRRABzRBcKxOjXQUjdYPyaNHaFTzZQrB1k5RmdGC me@home'
create ssh_keys '{"name": "key", "public_key": "'"$KEYTEXT"'"}'
KEY=$ID
echo "$KEYTEXT" >"$WORK/key.pub"
field .fingerprint "$(ssh-keygen -lf "$WORK/key.pub" 2>/dev/null | cut -d' ' -f2)" "fingerprint as ssh-keygen computes it"
create servers '{"name": "web", "subnet_id": "'$SUB'", "size": "small", "image": "debian-12", "ssh_key_ids": ["'$KEY'"], "firewall_ids": ["'$FW'"], "labels": {"role": "web"}}'
SRV=$ID
field .private_ip 10.0.1.2 "a server gets an address of its subnet"
field .user_data null "what was not given is shown as null"
field '[.ssh_host, .ssh_port, .ssh_user, .host_key]' '[null,null,null,null]' "without SSH there is nowhere to log in"
field '.note != null' true "and the server says why"
create volumes '{"name": "data", "size_gb": 10}'
VOL=$ID
create attachments '{"server_id": "'$SRV'", "volume_id": "'$VOL'"}'
ATT=$ID
field .device /dev/vdb "the first volume is the second disk"
create floating_ips '{"name": "ip", "server_id": "'$SRV'"}'
FIP=$ID
like "$(jq -r .ip <<<"$BODY")" '^198\.18\.' "a floating address"
create load_balancers '{"name": "lb", "subnet_id": "'$SUB'", "server_ids": ["'$SRV'"], "port": 80}'
LB=$ID
field .ip 10.0.1.3 "a load balancer takes the next address"
create databases '{"name": "db", "subnet_id": "'$SUB'", "engine": "postgres", "size": "small", "password": "hunter2hunter2"}'
DB=$ID
like "$(jq -r .endpoint <<<"$BODY")" ':5432$' "a database says where it listens"
is "$(grep -c hunter2 <<<"$BODY")" 0 "a password is not repeated"
field 'has("password")' false "not even as a member"
create records '{"name": "www.example.org", "type": "A", "value": "198.18.0.2"}'
REC=$ID
field .ttl 3600 "a record has a default time to live"

call PATCH "/v1/servers/$SRV" '{"size": "large", "labels": {"role": "web", "env": "test"}}'
is "$STATUS" 200 "a size changes in place"
field '[.size, .labels.env, .id]' '["large","test","'$SRV'"]' "and the rest stays"
call PATCH "/v1/volumes/$VOL" '{"size_gb": 20}'
field .size_gb 20 "a volume grows"
call PATCH "/v1/floating_ips/$FIP" '{"server_id": null}'
field .server_id null "null sets a property back to its default"
call PATCH "/v1/databases/$DB" '{"password": "another-one", "size": "large"}'
is "$STATUS" 200 "a password can be changed"
call PATCH "/v1/databases/$DB" '{"password": "another-one"}'
call GET /_journal
field '[.[] | select(.effect == "updated" and .type == "database")] | length' 1 "an update that changes nothing is no effect"

call GET '/v1/servers?name=web'
field '[.[].id]' "[\"$SRV\"]" "a list by name"
call GET '/v1/servers?name=none'
field . '[]' "that finds nothing"
call GET '/v1/subnets?label=tier:web'
field '.[0].id' "$SUB" "a list by label"
call GET '/v1/servers?label=role:web&label=env:none'
field . '[]' "all labels must match"
call GET /v1
field '.types | length' 11 "the API describes its types"

for object in records/$REC databases/$DB load_balancers/$LB floating_ips/$FIP attachments/$ATT volumes/$VOL servers/$SRV \
        ssh_keys/$KEY firewalls/$FW subnets/$SUB networks/$NET; do
        call DELETE "/v1/$object"
        is "$STATUS$BODY" 204 "delete ${object%%/*}"
        call GET "/v1/$object"
        is "$STATUS" 404 "and it is gone"
done

call GET /_journal
field '[.[].seq] == [range(1; length + 1)]' true "the journal counts its effects"
field '[.[] | select(.effect == "created").id] == [.[] | select(.effect == "deleted").id] | not' true "in the order of their happening"
field '([.[] | select(.effect == "created").id] | sort) == ([.[] | select(.effect == "deleted").id] | sort)' true "each object came and went once"
field '[.[] | select(.type == "server").name] | unique' '["web"]' "with names"
field '[.[] | select(.type == "server").labels.role] | unique' '["web"]' "and labels"
sandbox_stop
is "$EXIT" 0 "SIGTERM ends the sandbox cleanly"

unset TUTTI_SANDBOX_TOKEN
rm -f "$WORK/ready"
"$TUTTI" sandbox --listen 127.0.0.1:0 --no-ssh >"$WORK/ready" 2>/dev/null &
PID=$!
for _ in $(seq 200); do grep -qs token "$WORK/ready" && break; sleep 0.05; done
is "$(wc -l <"$WORK/ready")" 1 "one line is printed"
URL=$(grep -o 'http://[^,]*' "$WORK/ready")
TOKEN=$(grep -o '[0-9a-f]\{32\}$' "$WORK/ready")
call GET /v1/networks
is "$STATUS" 200 "without --token, one is drawn and printed, and opens the door"
sandbox_stop
if grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
        sandbox_start --listen '[::1]:0' --no-ssh
        like "$URL" '^http://\[::1\]:[0-9]+$' "IPv6 loopback"
        call GET /v1/networks
        is "$STATUS" 200 "serves as well"
        sandbox_stop
fi
finish
