#!/bin/bash
# What talks to servers is loaded by the commands that do, and by no others.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/startup" && cd "$WORK/startup" || exit 1
printf 'environment: startup\nresources:\n  a: {type: value, properties: {input: x}}\n' >env.yaml

loaded() { # LIBRARY COMMAND...: how often the loader opened it
        local library=$1
        shift
        rm -f "$WORK"/loader.*
        LD_DEBUG=files LD_DEBUG_OUTPUT=$WORK/loader "$TUTTI" "$@" >"$WORK/out" 2>&1
        cat "$WORK"/loader.* 2>/dev/null | grep -c "calling init:.*$library"
}

is "$(loaded libsqlite3 apply env.yaml --yes | sed 's/^[1-9].*/some/')" some "the loader can be watched"
for command in version 'check env.yaml' 'plan env.yaml' 'plan env.yaml --no-refresh' 'state list env.yaml' 'status env.yaml'; do
        # shellcheck disable=SC2086
        is "$(loaded 'libcurl\|libmicrohttpd' $command)" 0 "tutti $command loads no client and no server"
done
printf 'environment: startup\nresources:\n  a: {type: sandbox.volume, properties: {name: a, size_gb: 1}}\n' >cloud.yaml
engine_sandbox --no-ssh
is "$(loaded libcurl apply cloud.yaml --yes)" 1 "a run against a cloud loads the client, once"
is "$(loaded libmicrohttpd plan cloud.yaml)" 0 "and no server"
finish
