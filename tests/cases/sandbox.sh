# For stories about the practice cloud: TAP, one sandbox per story, requests to it. Sourced, not run.
#
#     sandbox_start [FLAG...]    starts one on a free port; sets URL, and ends it when the story ends
#     sandbox_other VARIABLE     starts another one, of the same token; VARIABLE gets its URL
#     sandbox_stop [SIGNAL]      ends it and waits
#     call METHOD PATH [BODY] [CURL-ARGUMENT...]    sets STATUS and BODY
#     await PATH JQ              asks again and again until JQ says true
#     create TYPEs BODY          sets ID too, and fails the story when refused
#     is GOT WANT NAME; like GOT REGEX NAME; field JQ WANT NAME (on BODY); finish

export LANG=C.UTF-8 # what the shell makes of \u, and how long a character is to it, does not depend on who runs this
unset LC_ALL LC_CTYPE
TUTTI=${TUTTI:-build/tutti}
TOKEN=story-token
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tutti-story-XXXXXX")
COUNT=0
FAILED=0
PID=
OTHERS=() # clouds beside the first

# It ends its hosts itself; what does not end in time is killed.
cleanup() {
        [ ${#OTHERS[@]} = 0 ] || { kill "${OTHERS[@]}"; wait "${OTHERS[@]}"; } 2>/dev/null
        if [ -n "$PID" ] && kill -TERM "$PID" 2>/dev/null; then
                kill -CONT "$PID" 2>/dev/null
                for _ in $(seq 200); do kill -0 "$PID" 2>/dev/null || break; sleep 0.02; done
                kill -KILL "$PID" 2>/dev/null
                wait "$PID" 2>/dev/null
        fi
        rm -rf "$WORK"
}
trap cleanup EXIT

ok() { # RESULT NAME
        COUNT=$((COUNT + 1))
        if [ "$1" = 0 ]; then
                echo "ok $COUNT - $2"
        else
                echo "not ok $COUNT - $2"
                FAILED=1
        fi
}

is() {
        [ "$1" = "$2" ]
        ok $? "$3"
        [ "$1" = "$2" ] || printf '#   got: %s\n#  want: %s\n' "$1" "$2"
}

like() {
        [[ $1 =~ $2 ]]
        ok $? "$3"
        [[ $1 =~ $2 ]] || printf '#   got: %s\n#  want: %s\n' "$1" "$2"
}

unlike() {
        [[ ! $1 =~ $2 ]]
        ok $? "$3"
        [[ ! $1 =~ $2 ]] || printf '#        got: %s\n# and not to: %s\n' "$1" "$2"
}

field() { is "$(jq -rc "$1" <<<"$BODY" 2>/dev/null)" "$2" "$3"; }

finish() {
        echo "1..$COUNT"
        exit $FAILED
}

sandbox_other() {
        "$TUTTI" sandbox --listen 127.0.0.1:0 --token "$TOKEN" --no-ssh >"$WORK/$1" 2>"$WORK/$1.err" &
        OTHERS+=($!)
        for _ in $(seq 200); do grep -qs '^sandbox ready' "$WORK/$1" && break; sleep 0.05; done
        printf -v "$1" %s "$(grep -o 'http://[^,]*' "$WORK/$1")"
}

sandbox_start() {
        rm -f "$WORK/ready" # of the one before
        TMPDIR=$WORK "$TUTTI" sandbox --listen 127.0.0.1:0 --token "$TOKEN" "$@" >"$WORK/ready" 2>"$WORK/errors" &
        PID=$!
        for _ in $(seq 200); do
                grep -qs '^sandbox ready' "$WORK/ready" && break
                kill -0 "$PID" 2>/dev/null || break
                sleep 0.05
        done
        URL=$(grep -o 'http://[^,]*' "$WORK/ready")
        [ -n "$URL" ] && return
        sed 's/^/# /' "$WORK/errors"
        echo "Bail out! the sandbox did not start"
        exit 1
}

sandbox_stop() {
        kill "-${1:-TERM}" "$PID"
        wait "$PID" 2>/dev/null
        EXIT=$?
        PID=
}

call() {
        local method=$1 path=$2 body=${3-}
        shift $(($# < 3 ? $# : 3))
        STATUS=$(curl -sS -g -o "$WORK/body" -D "$WORK/headers" -w '%{http_code}' -X "$method" \
                -H "Authorization: Bearer $TOKEN" ${body:+--data-binary "$body"} "$@" "$URL$path" 2>"$WORK/curl")
        CURL=$?
        BODY=$(cat "$WORK/body" 2>/dev/null)
        rm -f "$WORK/body"
}

header() { grep -i "^$1:" "$WORK/headers" | cut -d' ' -f2- | tr -d '\r'; }

# Waits until GET PATH shows what the jq expression asks for; at most ten seconds.
await() {
        for _ in $(seq 200); do
                call GET "$1"
                [ "$(jq -r "$2" <<<"$BODY")" = true ] && return
                sleep 0.05
        done
}

create() {
        local type=$1 body=$2
        shift 2
        call POST "/v1/$type" "$body" "$@"
        ID=$(jq -r .id <<<"$BODY")
        [ "$STATUS" = 202 ] && return
        is "$STATUS" 202 "create one of $type: $body"
        echo "# $BODY"
}
