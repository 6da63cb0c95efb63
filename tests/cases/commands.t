#!/bin/bash
# Commands on this machine: they end with the program that runs them, however that ends, before anything starts them anew; and they are
# not handed what it was given in confidence.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/commands" && cd "$WORK/commands" || exit 1

# A copy that goes on beside another says so.
cat >once <<'END'
alive() { s=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null); [ -n "$s" ] && [ "$s" != Z ]; }
for pid in $(sed -n "s/^$1 //p" pids); do alive "$pid" && echo "$1: $pid beside $$" >>doubles; done
echo "$1 $$" >>pids
until [ -e go ]; do sleep 0.05; done
END
w() { # PROPERTIES OF A, AND OF B
        printf 'environment: w\nresources:\n'
        printf '  a: {type: exec.command, properties: {%s}}\n' "$1"
        [ -z "$2" ] || printf '  b: {type: exec.command, properties: {%s}}\n' "$2"
}

started() { # how many did, within a minute
        for _ in $(seq 600); do
                [ "$(wc -l <pids)" -ge "$1" ] && return 0
                sleep 0.1
        done
        return 1
}

# Runs it until so many commands have started, and kills it.
kill_at() { # COUNT ARGUMENT…
        count=$1
        shift
        "$TUTTI" "$@" >"$WORK/out" 2>&1 </dev/null &
        pid=$!
        started "$count"
        ok $? "$1: $count commands have been started"
        { kill -KILL $pid && wait $pid; } 2>/dev/null
}

fresh() { rm -rf .tutti go pids doubles && touch pids; }

for how in polite stubborn; do
        fresh
        deaf=
        [ $how = polite ] || deaf="trap '' TERM; "
        w "run: \"${deaf}sh ./once a\"" "run: \"${deaf}sh ./once b\"" >w.yaml
        kill_at 2 apply w.yaml --yes
        kill_at 4 resume w.yaml --yes
        kill_at 6 apply w.yaml --yes
        touch go
        tutti resume w.yaml --yes
        code 0 "$how: and the run comes to its end"
        is "$(cat doubles 2>/dev/null)" "" "$how: none of them ran beside another"
done

fresh
w "run: 'true', on_delete: 'sh ./once a'" >w.yaml
tutti apply w.yaml --yes
code 0 "a command with one that undoes it"
kill_at 1 destroy w.yaml --yes
kill_at 2 resume w.yaml --yes
touch go
tutti resume w.yaml --yes
code 0 "the removal ends as well"
is "$(cat doubles 2>/dev/null)" "" "and on_delete never ran twice at once"

# Stores that share a folder do not wait for each other's commands.
fresh
w "run: 'sh ./once a'" >w.yaml
sed 's/^environment: w/environment: other/; s/sh .*once a/true/' w.yaml >other.yaml
"$TUTTI" apply w.yaml --yes >"$WORK/out" 2>&1 </dev/null &
pid=$!
started 1
tutti apply other.yaml --yes
code 0 "another environment of the store runs meanwhile"
touch go
wait $pid
is $? 0 "and this one ends"

# A store that takes no more writes: nobody is told that all is recorded.
fresh
printf 'environment: full\nresources:\n' >full.yaml
for i in 1 2 3 4; do printf '  r%d: {type: exec.command, after: [%s], properties: {run: "true"}}\n' $i "${before:-}" && before=r$i; done >>full.yaml
TUTTI_FAULT=count:$WORK/points tutti apply full.yaml --yes
code 0 "four commands"
at=$(grep -n '^state.write' "$WORK/points" | tail -n 4 | head -n 1 | cut -d: -f1)
rm -rf .tutti
TUTTI_FAULT=fail:$at tutti apply full.yaml --yes
code 1 "a write that fails in the middle"
unlike "$OUT" "What exists is recorded|0 failed" "does not leave everything recorded"
like "$OUT" "cannot be recorded.*tutti resume full.yaml. finds out" "and resume is to see to it"
tutti resume full.yaml
code 0 "which it does"
rm -rf .tutti
TUTTI_FAULT=fail:$at tutti apply full.yaml --yes --json
code 1 "the same as JSON"
like "$(tail -n 1 <<<"$OUT" | jq -r '.problems[0].message')" "record what happened" "tells the problem, as there is no event of the end"

# What the program was given in confidence.
export TUTTI_PASSPHRASE=very-secret TUTTI_PARAM_password=also-secret TUTTI_SANDBOX_TOKEN=token-secret AWS_REGION=eu-north-1
fresh
cat >env.yaml <<'END'
environment: secrets
parameters:
  password: {type: string, sensitive: true}
resources:
  plain: {type: exec.command, properties: {run: env, unless: 'env >unless; false'}}
  given: {type: exec.command, properties: {run: env, environment: {TUTTI_SAID: "so", TUTTI_PARAM_password: for-all}}}
outputs:
  plain: "${plain.stdout}"
  given: "${given.stdout}"
END
tutti apply env.yaml --yes
code 0 "commands that look around"
tutti output env.yaml plain
unlike "$OUT$(cat unless)" 'secret|TUTTI_' "none of the program's own variables is handed on"
like "$OUT" 'AWS_REGION=eu-north-1' "others are"
like "$OUT" "PATH=$PATH" "as is the path"
tutti output env.yaml given
like "$OUT" 'TUTTI_SAID=so' "what the resource says is given"
like "$OUT" 'TUTTI_PARAM_password=for-all' "whatever its name"
unset TUTTI_PASSPHRASE TUTTI_PARAM_password TUTTI_SANDBOX_TOKEN

finish
