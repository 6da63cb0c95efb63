# Process bookkeeping shared by the up and down scripts here; POSIX sh.
PATH=$PATH:/usr/sbin:/sbin

# A pid file holds "pid start-time", so neither a reused pid nor a zombie counts as alive.
start_time() { sed -n 's/.*) \([^Z].*\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
record() { echo "$2 $(start_time "$2")" > "$1"; }       # record FILE PID
alive() {                                               # alive FILE
    [ -s "$1" ] || return 1
    read -r pid started < "$1"
    [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# stop FILE [SIGNAL]: end the recorded process and wait until it has gone (10 s, then KILL).
stop() {
    if alive "$1"; then
        read -r pid _ < "$1"
        kill -"${2:-TERM}" "$pid" || :
        tries=0
        while alive "$1"; do
            tries=$((tries + 1))
            [ "$tries" -ne 200 ] || kill -KILL "$pid" || :
            sleep 0.05
        done
    fi
    rm -f "$1"
}

# wait_for SECONDS FILE LOG COMMAND...: until COMMAND succeeds; fails when the recorded
# process ends or the time is over, showing the end of LOG.
wait_for() {
    seconds=$1 file=$2 log=$3
    shift 3
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge $((seconds * 20)) ] || ! alive "$file"; then
            echo "did not start; $log ends:" >&2
            tail -n 8 "$log" >&2
            return 1
        fi
        sleep 0.05
    done
}

# need COMMAND PACKAGE: stop here with a word on what to install.
need() { command -v "$1" > /dev/null || { echo "$1 is missing (install: $2)" >&2; exit 1; }; }

# free_port PORT...: stop here if something else listens on 127.0.0.1:PORT already.
free_port() {
    for p in "$@"; do
        if curl -s -o /dev/null --connect-timeout 1 -m 1 "telnet://127.0.0.1:$p" < /dev/null; [ $? -ne 7 ]; then
            echo "127.0.0.1:$p is taken; choose another port" >&2
            exit 1
        fi
    done
}
