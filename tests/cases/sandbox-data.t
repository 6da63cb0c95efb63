#!/bin/bash
# --data: what was answered survives kill -9 at any moment, and the journal is complete.
. "${BASH_SOURCE%/*}/sandbox.sh"
DATA=$WORK/data
KEY='Idempotency-Key: '
sandbox_start --no-ssh --data "$DATA" --latency 1h

is "$(stat -c %a "$DATA")" 700 "the directory is private"
create networks '{"name": "net", "cidr": "10.0.0.0/16"}' -H "${KEY}n1"; NET=$ID
create subnets '{"name": "sub", "network_id": "'$NET'", "cidr": "10.0.1.0/24"}'; SUB=$ID
create servers '{"name": "web", "subnet_id": "'$SUB'", "size": "s", "image": "i"}'; WEB=$ID
create servers '{"name": "app", "subnet_id": "'$SUB'", "size": "s", "image": "i"}'; APP=$ID
create floating_ips '{"name": "ip", "server_id": "'$APP'"}'; FIP=$ID
create databases '{"name": "db", "subnet_id": "'$SUB'", "engine": "mysql", "size": "s", "password": "correct-horse"}'; DB=$ID
call PATCH /v1/servers/$WEB '{"size": "l"}' -H "${KEY}p1"
call DELETE /v1/servers/$APP
call POST /_control '{"latency": "2s"}'
create volumes '{"name": "soon", "size_gb": 1}'; SOON=$ID
call GET /v1/servers/$WEB; WEB_BEFORE=$BODY
call GET /_journal; JOURNAL=$BODY
field '.[6].key' p1 "an update's key is in the journal"

"$TUTTI" sandbox --listen 127.0.0.1:0 --token t --data "$DATA" >"$WORK/second" 2>&1
is $? 5 "a second sandbox on the same directory is refused"
sandbox_stop KILL
is "$(grep -c correct-horse -r "$DATA" | grep -cv ':0$')" 0 "no password is on the disk"

sandbox_start --no-ssh --data "$DATA"
call GET /_journal; is "$BODY" "$JOURNAL" "the journal is as it was"
call GET /v1/servers/$WEB; is "$BODY" "$WEB_BEFORE" "an object is as it was, and still being created"
call GET /v1/servers/$APP; is "$STATUS" 404 "what was deleted is gone"
call GET /v1/floating_ips/$FIP; field .server_id null "and the reference to it"
call DELETE /v1/networks/$NET; is "$STATUS" 409 "references hold"
call POST /v1/networks '{"name": "net", "cidr": "10.0.0.0/16"}' -H "${KEY}n1"
is "$STATUS $(jq -r .id <<<"$BODY")" "202 $NET" "keys are remembered"
call POST /v1/networks '{"name": "nat", "cidr": "10.0.0.0/16"}' -H "${KEY}n1"; is "$STATUS" 422 "with their bodies"
call PATCH /v1/databases/$DB '{"password": "correct-horse"}'
call GET /_journal; is "$BODY" "$JOURNAL" "the password is known to be the same"
create servers '{"name": "new", "subnet_id": "'$SUB'", "size": "s", "image": "i"}'
field .private_ip 10.0.1.3 "addresses in use are remembered"
await /v1/volumes/$SOON '.status == "active"'
field .status active "the latency goes on"
sandbox_stop KILL

# A line that the crash cut short was never answered for
printf '{"entry":{"seq":' >>"$DATA/journal.jsonl"
sandbox_start --no-ssh --data "$DATA"
call GET /_journal; field length 10 "half a line is dropped"
create networks '{"name": "after", "cidr": "10.0.0.0/16"}'
sandbox_stop
sandbox_start --no-ssh --data "$DATA"
call GET '/v1/networks?name=after'; field length 1 "and what comes after it is kept"
sandbox_stop

# Killed in the middle of a storm: everything that was answered is there, once, and no name is there twice.
sandbox_start --no-ssh --data "$DATA"
for worker in 1 2 3 4; do
        (for i in $(seq 200); do
                code=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" -H "${KEY}s$worker.$i" \
                        -d '{"name": "s'$worker.$i'", "size_gb": 1}' "$URL/v1/volumes") || break
                [ "$code" = 202 ] && echo "s$worker.$i"
        done) >"$WORK/told$worker" &
        WORKERS="$WORKERS $!"
done
for _ in $(seq 200); do [ "$(cat "$WORK"/told? | wc -l)" -gt 40 ] && break; sleep 0.05; done
sandbox_stop KILL
wait $WORKERS
sandbox_start --no-ssh --data "$DATA"
call GET /v1/volumes
jq -r '.[].name' <<<"$BODY" | sort >"$WORK/there"
sort "$WORK"/told? >"$WORK/told"
[ "$(wc -l <"$WORK/told")" -gt 20 ]; ok $? "some were answered before the kill"
is "$(comm -23 "$WORK/told" "$WORK/there")" "" "all that were answered are there"
is "$(uniq -d "$WORK/there")" "" "none is there twice"
call GET /_journal
field '[.[].seq] == [range(1; length + 1)]' true "and the journal has no gap"
sandbox_stop

# Damage is not guessed around
sed -i '2s/created/exploded/' "$DATA/journal.jsonl"
"$TUTTI" sandbox --listen 127.0.0.1:0 --token t --data "$DATA" >"$WORK/out" 2>&1
is $? 4 "a damaged journal is refused"
like "$(cat "$WORK/out")" 'damaged journal' "and the message says so"
"$TUTTI" sandbox --listen 127.0.0.1:0 --token t --data /proc/none/x >"$WORK/out" 2>&1
is $? 1 "a directory that cannot be made"
finish
