#!/bin/bash
# What stands upon something goes before it: after `state mv`, after a change of `after` alone, and when what was between the two is gone.
# Witnesses are a log of commands, which nothing refuses, and the cloud's journal, where no request may have been refused on the way.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh --no-name-unique
mkdir -p "$WORK/order" && cd "$WORK/order" || exit 1

x() { echo "  $1: {type: exec.command, ${2:+$2, }properties: {run: 'echo +$1 >>log', on_delete: 'echo -$1 >>log'}}"; }
each() { echo "  $1: {type: exec.command, $2, properties: {run: 'echo +$1.\"\$N\" >>log', environment: {N: $3}, on_delete: 'echo -$1.\"\$N\" >>log'}}"; }
env() { printf 'environment: %s\nresources:\n' "$1"; cat; }
fresh() { rm -rf .tutti log; }
said() { tr '\n' ' ' <log | sed 's/ $//'; }
apply() { # FILE NAME
        tutti apply "$1" --yes
        code 0 "$2"
}
destroyed() { # FILE WANT NAME
        : >log
        tutti destroy "$1" --yes
        code 0 "$3: destroyed"
        is "$(said)" "$2" "$3"
}
recorded() { "$TUTTI" state export "$1" | jq -rc '[.resources[] | select(.deposed | not) | {(.address): (.after + (.inherited // []))}] | add'; }
sound() {
        tutti audit "$1"
        code 0 "the log holds, and is a witness of every row"
}

# --- state mv ---
stack() { # WEB OLD: names of a resource with instances, and of a nested template
        x base
        each "$1" 'count: 2, after: base' '"${count.index}"'
        echo "  $2: {type: template, template: in.yaml, after: $1}"
        x top "after: $2"
        x one "after: $1"
}
{ echo "template: in"; echo "resources:"; x low; x high 'after: low'; } >in.yaml
stack web old | env mv >mv.yaml
apply mv.yaml "three layers"
BEFORE=$(recorded mv.yaml)
for wrong in 'web site[0]' 'old old/low' 'old/low old' 'web old' 'base web' 'base web[1]' 'nobody site' 'base base'; do
        read -r from to <<<"$wrong"
        tutti state mv mv.yaml "$from" "$to"
        code 4 "$wrong is refused"
done
is "$(recorded mv.yaml)" "$BEFORE" "and nothing moved"
tutti state mv mv.yaml web site
code 0 "all instances of a resource"
is "$OUT" $'web[0] is recorded as site[0] now.\nweb[1] is recorded as site[1] now.' "are told one by one"
tutti state mv mv.yaml old new --json
is "$(jq -c . <<<"$OUT")" '{"moved":{"from":"old","to":"new","resources":[{"from":"old/high","to":"new/high"},{"from":"old/low","to":"new/low"}]}}' "a nested template"
tutti state mv mv.yaml base ground
code 0 "one instance"
is "$(recorded mv.yaml)" '{"ground":[],"new/high":["site","new/low"],"new/low":["site"],"one":["site"],"site[0]":["ground"],"site[1]":["ground"],"top":["new"]}' \
        "whoever came after what moved comes after it still"
tutti state history mv.yaml new/high
like "$OUT" "mv.*create" "with what came before"
sound mv.yaml
tutti destroy mv.yaml --json --yes
is "$(grep -c step-retry <<<"$OUT")" 0 "nothing was tried again"
tail -n 7 log >gone
order() { # EARLIER LATER: lines of the file `gone`
        [ "$(grep -nxF -- "$1" gone | cut -d: -f1)" -lt "$(grep -nxF -- "$2" gone | cut -d: -f1)" ]
        ok $? "$1 before $2"
}
order -top -high; order -high -low; order -low -web.0; order -low -web.1; order -one -web.0; order -web.1 -base

for at in $(seq 60); do # killed in the middle: all of it, or nothing
        fresh
        stack web old | env mv >mv.yaml
        tutti apply mv.yaml --yes
        WAS=$(recorded mv.yaml)
        { TUTTI_FAULT=kill:$at "$TUTTI" state mv mv.yaml old new >/dev/null 2>&1; } 2>/dev/null
        KILLED=$?
        NOW=$(recorded mv.yaml)
        [ "$NOW" = "$WAS" ] || [ "$NOW" = "${WAS//old/new}" ]
        ok $? "killed at $at: nothing, or everything"
        [ "$KILLED" = 0 ] && break
done
[ "$at" -gt 1 ] && [ "$KILLED" = 0 ]
ok $? "there were points to be killed at ($((at - 1)))"
fresh

# In the cloud: no request is refused, so nothing is tried again.
chain() { # NET
        cat <<YAML
  $1: {type: sandbox.network, properties: {name: n, cidr: 10.0.0.0/16}}
  sub: {type: sandbox.subnet, for_each: [a, b], properties: {name: "s-\${each.key}", cidr: "10.0.\${each.index}.0/24", network_id: "\${$1.id}"}}
  srv: {type: sandbox.server, count: 2, properties: {name: "v-\${count.index}", subnet_id: '\${sub["a"].id}', size: small, image: "\${param.img}"}}
YAML
}
cloud() { printf 'environment: %s\nparameters: {img: {type: string, default: d1}}\nresources:\n' "$1"; cat; }
deleted() { journal '[.[] | select(.effect == "deleted") | .type] | join(" ")'; }
chain net | cloud cmv >cmv.yaml
apply cmv.yaml "a network, what is in it, and what is in that"
for m in "net network" 'sub["a"] area["a"]' 'sub["b"] area["b"]' "srv box"; do
        read -r from to <<<"$m"
        tutti state mv cmv.yaml "$from" "$to"
        code 0 "$m"
done
chain network | sed 's/sub:/area:/; s/sub\["a"\]/area["a"]/; s/  srv:/  box:/' | cloud cmv >cmv.yaml
tutti plan cmv.yaml --detailed-exitcode
code 0 "the template follows: nothing to do"
tutti destroy cmv.yaml --yes --json
code 0 "destroyed"
is "$(grep -c step-retry <<<"$OUT")" 0 "nothing was refused"
is "$(deleted)" "server server subnet subnet network" "servers, subnets, network"

# --- `after` alone ---
{ x a; x b; x c; } | env after >after.yaml
apply after.yaml "no order"
{ x a; x b 'after: a'; x c 'after: b'; } | env after >after.yaml
tutti plan after.yaml --detailed-exitcode
code 0 "an order is no change of what exists"
destroyed after.yaml "-c -b -a" "the template's order, before anything recorded it"
fresh
{ x a; x b; x c; } | env after >after.yaml
apply after.yaml "no order"
RUNS=$("$TUTTI" runs after.yaml --json | jq length)
{ x a; x b 'after: a'; x c 'after: b'; } | env after >after.yaml
tutti apply after.yaml
is "$CODE $(grep -c '^No changes' <<<"$OUT")" "0 1" "added: no changes"
is "$(recorded after.yaml)" '{"a":[],"b":["a"],"c":["b"]}' "but recorded"
is "$("$TUTTI" runs after.yaml --json | jq length)" "$RUNS" "without a run"
tutti audit after.yaml
like "$OUT" "record-changed +order by .* resources 2" "which the log tells"
sound after.yaml
SERIAL=$("$TUTTI" state export after.yaml | jq .serial)
tutti apply after.yaml
is "$("$TUTTI" state export after.yaml | jq .serial)" "$SERIAL" "once"
tutti plan after.yaml -o kept.plan
{ x a 'after: b'; x b 'after: c'; x c; } | env after >after.yaml
tutti apply after.yaml
is "$(recorded after.yaml)" '{"a":["b"],"b":["c"],"c":[]}' "turned round"
tutti apply kept.plan
code 4 "a plan of the order before is stale"
echo 'environment: after
resources: {}' >none.yaml
destroyed none.yaml "-a -b -c" "by the record, when the template is gone"
fresh
{ x a; x b 'after: a'; x c 'after: b'; } | env after >after.yaml
apply after.yaml "in order"
{ x a 'after: b'; x b 'after: c'; x c; } | env after >after.yaml
destroyed after.yaml "-a -b -c" "turned round, and not applied: no circle, the template's order"
fresh
{ x a; x b 'after: a'; x c 'after: b'; } | env after >after.yaml
apply after.yaml "in order"
{ x a 'after: c'; x b; x c; } | env after >after.yaml
: >log
tutti destroy after.yaml --yes
tail -n 3 log >gone
order -a -c
fresh
{ x a; x b 'after: a'; x c 'after: b'; } | env after >after.yaml
apply after.yaml "in order"
{ x a; x b; x c 'after: b'; } | env after >after.yaml
tutti apply after.yaml --yes --json
code 0 "with --json"
is "$(recorded after.yaml)" '{"a":[],"b":[],"c":["b"]}' "one taken away"

fresh

# --- from the middle ---
for how in apply rm outside when; do
        fresh
        { x a; x b 'after: a'; x c 'after: b'; x d 'after: c'; } | env middle >middle.yaml
        apply middle.yaml "$how: a chain of four"
        case $how in
        rm) for r in b c; do tutti state rm middle.yaml $r; done ;;
        esac
        case $how in
        when) { x a; x b 'after: a, when: false'; x c 'after: b, when: false'; x d 'after: c'; } | env middle >middle.yaml ;;
        *) { x a; x d; } | env middle >middle.yaml ;;
        esac
        tutti apply middle.yaml --yes
        code 0 "$how: the two in the middle are gone"
        is "$(recorded middle.yaml | jq -c .d)" '["a"]' "$how: the ends know of each other"
        sound middle.yaml
        "$TUTTI" state export middle.yaml >exported.json
        [ $how = rm ] || destroyed middle.yaml "-d -a" "$how"
done
tutti state import middle.yaml exported.json
is "$(recorded middle.yaml | jq -c .d)" '["a"]' "an exported document brings it back"

# What is inherited is written before what it comes from goes: killed anywhere, the order holds.
for at in $(seq 150); do
        fresh
        { x a; x b 'after: a'; x c 'after: b'; } | env kill >kill.yaml
        tutti apply kill.yaml --yes
        { x a; x c; } | env kill >kill.yaml
        { TUTTI_FAULT=kill:$at "$TUTTI" apply kill.yaml --yes >/dev/null 2>&1; } 2>/dev/null
        KILLED=$?
        tutti apply kill.yaml --yes
        : >log
        tutti destroy kill.yaml --yes
        [ "$(said)" = "-c -a" ] || [ "$(said)" = "-c -b -a" ] || { ok 1 "killed at $at: $(said)"; }
        [ "$KILLED" = 0 ] && break
done
ok "$KILLED" "killed at each of $((at - 1)) points, c goes before a"

# --- replacements ---
for order in delete-first create-first; do
        fresh
        sed "s/ORDER/$order/" >chain.yaml <<'YAML'
environment: chain-ORDER
parameters: {img: {type: string, default: d1}}
resources:
  old: {type: sandbox.network, properties: {name: old, cidr: 10.0.0.0/16}}
  new: {type: sandbox.network, properties: {name: new, cidr: 10.0.0.0/16}}
  vol: {type: sandbox.volume, count: 2, properties: {name: "d-${count.index}", size_gb: 1}}
  sub:
    type: sandbox.subnet
    replace: ORDER
    properties: {name: s, cidr: 10.0.1.0/24, network_id: '${param.img == "d1" ? old.id : new.id}'}
  srv:
    type: sandbox.server
    count: 2
    replace: ORDER
    properties: {name: "v-${count.index}", subnet_id: "${sub.id}", size: small, image: "${param.img}"}
YAML
        # What is attached twice would be refused.
        [ $order = create-first ] || cat >>chain.yaml <<'YAML'
  disk:
    type: sandbox.attachment
    count: 2
    properties: {server_id: "${srv[count.index].id}", volume_id: "${vol[count.index].id}"}
YAML
        [ $order = create-first ] && ABOVE= || ABOVE="attachment attachment "
        apply chain.yaml "$order: a chain"
        SEEN=$(journal length)
        tutti apply chain.yaml --yes --json --set img=d2
        code 0 "$order: all of it is replaced"
        is "$(grep -c step-retry <<<"$OUT")" 0 "$order: nothing was refused"
        effects() { journal "[.[$SEEN:][] | select(.effect == \"$1\") | .type] | join(\" \")"; }
        is "$(effects deleted)" "${ABOVE}server server subnet" "$order: the old ones go in order"
        is "$(effects created)" "subnet server server${ABOVE:+ }${ABOVE% }" "$order: the new ones come in order"
        tutti destroy chain.yaml --yes --json --set img=d2
        is "$CODE $(grep -c step-retry <<<"$OUT")" "0 0" "$order: and are destroyed so"
done

# --- nested templates and gates between ---
fresh
{ x a; echo "  go: {type: gate, after: a}"; echo "  one: {type: template, template: in.yaml, after: go}"; echo "  two: {type: template, template: gates.yaml, after: one}"; x z 'after: two'; } | env nested >nested.yaml
printf 'template: gates\nresources:\n  sure: {type: gate}\n' >gates.yaml
tutti apply nested.yaml --yes --approve all
code 0 "a gate, a template, a template of nothing but a gate"
is "$(recorded nested.yaml)" '{"a":[],"one/high":["a","one/low"],"one/low":["a"],"z":["one"]}' "order goes through what leaves no record"
cp -r .tutti kept
destroyed nested.yaml "-z -high -low -a" "by the template"
rm -rf .tutti; mv kept .tutti
sed -i '/^  /d; s/resources:/resources: {}/' nested.yaml
destroyed nested.yaml "-z -high -low -a" "by the record"

finish
