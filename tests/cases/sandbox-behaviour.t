#!/bin/bash
# Idempotency keys, paging, visibility, rate limit and fault scripts of the practice cloud.
. "${BASH_SOURCE%/*}/sandbox.sh"
sandbox_start --no-ssh --latency 1500ms-1600ms

control() { call POST /_control "$1"; }
# How many objects of that name were ever created.
effects() { call GET /_journal; jq --arg name "$1" '[.[] | select(.effect == "created" and .name == $name)] | length' <<<"$BODY"; }
net() { call POST /v1/networks '{"name": "'$1'", "cidr": "10.0.0.0/16"}' "${@:2}"; }
KEY='Idempotency-Key: '

# Idempotency
net one -H "${KEY}k1"; is "$STATUS" 202 "a first request creates"
ONE=$(jq -r .id <<<"$BODY")
net one -H "${KEY}k1"; is "$STATUS $(jq -r '.id + " " + .status' <<<"$BODY")" "202 $ONE creating" "a repetition finds the object at work"
await "/v1/networks/$ONE" '.status == "active"'
call POST /v1/networks '{"cidr":"10.0.0.0/16","name":"one"}' -H "${KEY}k1"
is "$STATUS $(jq -r '.id + " " + .status' <<<"$BODY")" "200 $ONE active" "and later the finished one, whatever the order of members"
net other -H "${KEY}k1"; is "$STATUS" 422 "the key with another body is refused"
call POST /v1/volumes '{"name": "one", "size_gb": 1}' -H "${KEY}k1"; is "$STATUS" 422 "and with another type"
net one -H "${KEY}k2"; is "$STATUS" 409 "another key with a taken name is a conflict"
net two -H "${KEY}k2"; is "$STATUS" 202 "a key that was refused is not used up"
is "$(effects one)" 1 "one effect for all repetitions"
call GET /_journal
field '.[0].key' k1 "the journal shows the key"
call DELETE "/v1/networks/$ONE"
net one -H "${KEY}k1"; is "$STATUS" 202 "after the deletion the key creates anew"
[ "$(jq -r .id <<<"$BODY")" != "$ONE" ]; ok $? "another object"
net long -H "${KEY}$(head -c 300 /dev/zero | tr '\0' k)"; is "$STATUS" 422 "a key that is too long is refused"

# Paging
for i in 1 2 3 4 5; do create volumes '{"name": "v'$i'", "size_gb": 1}'; done
PAGE=0 NAMES=
for _ in 1 2 3 4 5 6; do
        call GET "/v1/volumes?limit=2&page=$PAGE"
        NAMES="$NAMES$(jq -r '[.[].name] | join(",")' <<<"$BODY");"
        PAGE=$(header link | sed -n 's/.*page=\([0-9]*\)>; rel="next".*/\1/p')
        [ -z "$PAGE" ] && break
        [ "$NAMES" = "v1,v2;" ] && { call GET '/v1/volumes?name=v1'; call DELETE "/v1/volumes/$(jq -r '.[0].id' <<<"$BODY")"; }
done
is "$NAMES" "v1,v2;v3,v4;v5;" "pages neither repeat nor lose, even when something is deleted between"

for i in 1 2 3; do create volumes '{"name": "l'$i'", "size_gb": 1, "labels": {"a b": "ä&=>'"'"'"}}'; done
call GET "/v1/volumes?label=a%20b:%C3%A4%26%3D%3E%27&limit=2"
NEXT=$(header link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
like "$NEXT" 'limit=2&page=' "the link to the next page keeps the query"
call GET "$NEXT"
field '[.[].name]' '["l3"]' "and its filter"
is "$(header link)" "" "the last page has no next"

# Waiting in one request
control '{"latency": "700ms"}'
net slow; SLOW=$(jq -r .id <<<"$BODY")
call GET "/v1/networks/$SLOW?wait=0s"; field .status creating "a client that does not want to wait is answered at once"
call GET "/v1/networks/$SLOW?wait=1ms"; field .status creating "one that waits a little hears how it stands"
call GET "/v1/networks/$SLOW?wait=60s"; field .status active "one that waits hears of it when it is there"
call GET "/v1/networks/$SLOW?wait=60s"; field .status active "and at once when it was there already"
call GET "/v1/networks/$SLOW?wait=61s"; is "$STATUS" 422 "there is a limit to waiting"
call GET "/v1/networks/$SLOW?wait=soon"; is "$STATUS" 422 "and it takes a duration"
net gone; GONE=$(jq -r .id <<<"$BODY")
curl -sS -o "$WORK/held.body" -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "$URL/v1/networks/$GONE?wait=60s" >"$WORK/held" & HELD=$!
call DELETE "/v1/networks/$GONE"; is "$STATUS" 204 "an object that somebody waits for can be deleted"
wait $HELD
is "$(cat "$WORK/held")" 404 "and is gone for whoever waited"
call GET /_journal
field '[.[] | select(.name == "slow")][0].latency_ms' 700 "the journal says how long a creation took"

# Latency
control '{"latency": "0"}'
field .latency 0ms "the settings are answered"
net quick; field .status creating "without latency the reply still says creating"
call GET "/v1/networks/$(jq -r .id <<<"$BODY")"; field .status active "and the next look active"

# Visibility
control '{"visible_after": "1500ms"}'
net shy -H "${KEY}shy"; SHY=$(jq -r .id <<<"$BODY")
call GET "/v1/networks/$SHY"; is "$STATUS" 404 "a fresh object is invisible to GET"
call GET '/v1/networks?name=shy'; field . '[]' "and to lists"
net shy -H "${KEY}shy"; is "$STATUS $(jq -r .id <<<"$BODY")" "200 $SHY" "but not to its key"
net shy; is "$STATUS" 409 "and its name is taken"
await "/v1/networks/$SHY" '.id != null'
call GET "/v1/networks/$SHY"; is "$STATUS" 200 "later it is visible to GET"
call GET '/v1/networks?name=shy'; field length 1 "and to lists"
control '{"visible_after": "0"}'

# Faults: NAME of the object is also that of the fault
fault() { control '{"faults": [{"match": "POST /v1/networks", "do": "'$1'", "times": '${2-1}', "skip": '${3-0}'}]}'; }
for do in 500 503 429; do
        fault $do 2
        net f$do; is "$STATUS $(jq .status <<<"$BODY")" "$do $do" "a $do as ordered"
        net f$do; is "$STATUS" $do "twice"
        is "$(effects f$do)" 0 "without an effect"
        net f$do; is "$STATUS" 202 "and then no more"
done
fault 429
net f429b; is "$(header Retry-After)" 1 "a 429 says when to try again"
fault reset-before
net before; is "$CURL" 56 "reset-before resets the connection"
is "$(effects before)" 0 "without an effect"
fault reset-after
net after; is "$CURL" 56 "reset-after resets it as well"
is "$(effects after)" 1 "with the effect"
fault truncate
net short -H "${KEY}short"; is "$CURL" 18 "truncate cuts the reply"
is "$(effects short)" 1 "with the effect"
net short -H "${KEY}short"; is "$STATUS" 200 "which its key finds"
fault hang
net hang -m 0.5; is "$CURL" 28 "hang never answers"
is "$(effects hang)" 1 "with the effect"
net later; is "$STATUS" 202 "and others are served"
fault 500 1 2
net skip1; is "$STATUS" 202 "skip lets the first pass"
net skip2; is "$STATUS" 202 "and the second"
net skip3; is "$STATUS" 500 "and fails the third"
call GET /_control; field '.faults[0] | [.times, .skip]' '[0,0]' "what is left of a fault can be seen"
control '{"faults": [{"match": "GET /v1/*/'$SHY'", "do": 503}, {"match": "* /v1/volumes", "do": "500", "times": 2}]}'
call GET /v1/networks; is "$STATUS" 200 "a pattern that does not match"
call GET "/v1/networks/$SHY"; is "$STATUS" 503 "a pattern with a star"
call GET "/v1/volumes/none"; is "$STATUS" 500 "any method, and a path as prefix"
call POST /v1/volumes '{}'; is "$STATUS" 500 "of another method"
fault truncate; control '{"faults": [{"match": "DELETE /v1/networks", "do": "truncate"}]}'
call DELETE "/v1/networks/$SHY"; is "$CURL" 52 "a reply without a body is cut to nothing"
call GET "/v1/networks/$SHY"; is "$STATUS" 404 "after the effect"
fault 500-after
call POST /v1/networks '{"name": "late", "cidr": "10.0.0.0/16"}'; is "$STATUS" 500 "500-after: the reply is an error"
call GET '/v1/networks?name=late'; field length 1 "after the effect"
fault 500-after
call POST /v1/networks '{"name": "late", "cidr": "10.0.0.0/16"}'; is "$STATUS" 409 "500-after: a refusal stays one"

control '{"idempotency": false, "name_unique": false}'
call GET /_control; field '[.idempotency, .name_unique]' '[false,false]' "keys and names can mean nothing"
for i in 1 2; do create networks '{"name": "twin", "cidr": "10.0.0.0/16"}' -H 'Idempotency-Key: twin'; done
call GET '/v1/networks?name=twin'; field length 2 "then one request twice makes two objects"
control '{"idempotency": true, "name_unique": true}'
for bad in '{"idempotency": 1}' '{"name_unique": null}' '{"faults": [{"match": "POST", "do": "500"}]}' '{"faults": [{"match": "POST /", "do": "400"}]}' \
        '{"faults": [{"match": "POST /", "do": "500", "times": 0}]}' '{"faults": {}}' '{"faults": [{"match": "POST /", "do": 500, "time": 1}]}' \
        '{"latency": "x"}' '{"latency": 5}' '{"rate": "5"}' '{"visible_after": "x"}' '{"speed": 1}' \
        '{"latency": "9s", "faults": [{"match": "POST /", "do": "500"}, 1]}'; do
        control "$bad"; is "$STATUS" 422 "refused: $bad"
done
call GET /_control; field '[.latency, (.faults | length)]' '["0ms",1]' "a refused setting changes nothing"
control '{"faults": []}'

# Rate limit
control '{"rate": "2/s"}'
for i in $(seq 20); do net rate$i; [ "$STATUS" = 429 ] && break; done
is "$STATUS" 429 "requests in a row exceed two per second"
is "$(header Retry-After)" 1 "with Retry-After"
call GET /_journal; is "$STATUS" 200 "the journal is exempt"
sleep 1.1
net rate4; is "$STATUS" 202 "after that time it passes"
control '{"rate": "off"}'
for i in $(seq 10); do call GET /v1/networks; [ "$STATUS" = 200 ] || break; done
is "$STATUS" 200 "without a limit all pass"
control '{"rate": "6/m"}'; field .rate 360/h "slow rates too"
net slow; net slower; is "$(header Retry-After)" 10 "and Retry-After is true"
control '{"rate": null}'; field .rate off "null lifts the limit"

# Many at once: all are served, none twice
seq 1000 | sed 's|.*|next\nurl = "'"$URL"'/v1/volumes"\ndata = "{\\"name\\":\\"many&\\",\\"size_gb\\":1}"\noutput = "/dev/null"\nheader = "Authorization: Bearer '$TOKEN'"\nwrite-out = "%{http_code}\\n"|' >"$WORK/many"
curl -sS --parallel --parallel-immediate --parallel-max 300 -K "$WORK/many" 2>/dev/null | sort | uniq -c | tr -s ' ' >"$WORK/codes"
is "$(cat "$WORK/codes")" " 1000 202" "a thousand creations, 300 at a time"
call GET '/v1/volumes'
field '[.[] | select(.name | startswith("many"))] | [length, (map(.name) | unique | length), (map(.id) | unique | length)]' '[1000,1000,1000]' "are a thousand objects"
call GET '/_journal?since=10'
field '[.[0].seq, (.[-1].seq - length)]' '[11,10]' "the journal from a number on"

fault hang
(net forgotten -m 20; echo "$CURL" >"$WORK/forgotten") &
FORGOTTEN=$!
for _ in $(seq 100); do [ "$(effects forgotten)" = 1 ] && break; sleep 0.05; done
sandbox_stop
is "$EXIT" 0 "the end is clean, with a request still hanging"
wait $FORGOTTEN
like "$(cat "$WORK/forgotten")" '^(52|56)$' "which is dropped"
finish
