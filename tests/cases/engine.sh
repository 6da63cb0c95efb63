# For stories about whole runs: the practice cloud (sandbox.sh) and an environment to work on. Sourced, not run.
#
#     project                    makes a folder of its own with the examples in it, and goes there
#     tutti ARGS…                runs the program; sets CODE, OUT (standard output) and ERR (standard error)
#     journal JQ                 the cloud's journal through jq
#     orphans                    ids of objects that exist in the cloud
#     no_changes ENV NAME        plan says that nothing is to be done

HERE=$(cd "${BASH_SOURCE%/*}/../.." && pwd)
TUTTI=$(realpath "${TUTTI:-build/tutti}")
export TUTTI_STRICT=1 # a fault of the program itself ends it at once
. "${BASH_SOURCE%/*}/sandbox.sh"

engine_sandbox() {
        sandbox_start "$@"
        export TUTTI_SANDBOX_ENDPOINT=$URL TUTTI_SANDBOX_TOKEN=$TOKEN
}

project() {
        mkdir -p "$WORK/project/examples"
        cp -r "$HERE/examples/webshop" "$WORK/project/examples/"
        cp -r "$HERE/templates" "$WORK/project/"
        rm -rf "$WORK/project/examples/webshop/.tutti"
        cd "$WORK/project/examples/webshop" || exit 1
}

tutti() {
        "$TUTTI" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
        CODE=$?
        OUT=$(cat "$WORK/out")
        ERR=$(cat "$WORK/err")
}

# Shows what went wrong when the exit code is another than wanted.
code() { # WANT NAME
        is "$CODE" "$1" "$2"
        [ "$CODE" = "$1" ] || sed 's/^/# /' "$WORK/out" "$WORK/err" | tail -n 40
}

journal() {
        call GET /_journal
        jq -rc "$1" <<<"$BODY"
}

orphans() {
        journal '[group_by(.id)[] | select((map(select(.effect=="created"))|length) > (map(select(.effect=="deleted"))|length)) | .[0].name] | sort | join(" ")'
}

no_changes() {
        tutti plan "$1" --detailed-exitcode
        code 0 "$2"
}
