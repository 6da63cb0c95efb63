#!/bin/bash
# A file that could not be written: what was there stays as it was, nothing is left behind, nothing is recorded that is not there, and
# nothing is deleted that was not ours.
. "${BASH_SOURCE%/*}/engine.sh"
needs_sshd
WIRE=
trap '[ -z "$WIRE" ] || kill "$WIRE" 2>/dev/null; umount "$WORK/host/full" 2>/dev/null; cleanup' EXIT
engine_sandbox --latency 10ms
mkdir -p "$WORK/story" "$WORK/host" && cd "$WORK/story" || exit 1
hosts 1
PORT=$(host_part 0 ssh_port)
HOST_KEY=$(host_part 0 host_key)
HOST_USER=$(host_part 0 ssh_user)

# env NAME PROPERTIES: an environment of one file; over the host itself, or over PORT.
env() {
        NAME=$1
        cat >"$1.yaml" <<YAML
environment: $1
resources:
  f:
    type: ssh.file
    host: {address: 127.0.0.1, port: ${3:-$PORT}, user: $HOST_USER, key_file: ${4:-id}, host_key: "$HOST_KEY"}
    retry: 1
    properties: {$2}
  beside: {type: value, properties: {input: beside}}
YAML
}
recorded() { tutti state list "$NAME.yaml"; grep -cw f <<<"$OUT"; }
content() { cat "$WORK/host/$1" 2>&1; }

# refused TARGET MESSAGE NAME: the apply fails; the file that was there (if any), its folder and the record are as before; so also after destroy.
refused() {
        before=$(cd "$WORK/host" && find . -printf '%p %m %s\n' | sort)
        tutti apply "$NAME.yaml" --yes
        code 1 "$3: fails"
        like "$ERR$OUT" "$2" "$3: with the reason"
        is "$(cd "$WORK/host" && find . -printf '%p %m %s\n' | sort)" "$before" "$3: and leaves everything as it was"
        is "$(recorded)" 0 "$3: nothing is recorded"
        tutti destroy "$NAME.yaml" --yes
        code 0 "$3: and there is nothing to destroy"
        is "$(cd "$WORK/host" && find . -printf '%p %m %s\n' | sort)" "$before" "$3: so that nothing is deleted"
}

echo precious >"$WORK/host/p"
env owner "path: $WORK/host/p, content: new, owner: nobody-of-that-name"
refused p "nobody-of-that-name" "an owner that does not exist"
env group "path: $WORK/host/p, content: new, group: no-group-of-that-name"
refused p "no-group-of-that-name" "a group that does not exist"
env folders "path: $WORK/host/a/b/c, content: new, owner: nobody-of-that-name"
refused a/b/c "nobody-of-that-name" "a failure in folders that it made itself"
env below "path: $WORK/host/p/q, content: new"
refused p/q "p" "a file where a folder would have to be"
mkdir "$WORK/host/d"
echo within >"$WORK/host/d/within"
env folder "path: $WORK/host/d, content: new"
refused d "is a directory" "a path that is a folder"
ln -s d "$WORK/host/link"
env link "path: $WORK/host/link, content: new"
refused link "is a directory" "a path that leads to a folder"
ssh-keygen -q -t ed25519 -N '' -f other
env login "path: $WORK/host/p, content: new" "$PORT" other
refused p "refused the login" "a login that is refused"
# A command that never left did nothing: nothing of it is recorded, so that nothing undoes it.
cat >command.yaml <<YAML
environment: command
resources:
  f:
    type: ssh.command
    host: {address: 127.0.0.1, port: $PORT, user: $HOST_USER, key_file: other, host_key: "$HOST_KEY"}
    retry: 1
    properties: {run: "true", on_delete: "rm -f $WORK/host/p"}
YAML
NAME=command
refused p "refused the login" "a command whose login is refused"
mkdir "$WORK/host/full"
if mount -t tmpfs -o size=64k tmpfs "$WORK/host/full" 2>/dev/null; then
        echo precious >"$WORK/host/full/p"
        head -c 200000 /dev/zero | tr '\0' x >big
        env full "path: $WORK/host/full/p, source: big"
        refused full/p "No space left" "a full disk"
        umount "$WORK/host/full"
else
        ok 0 "a full disk # SKIP no file system can be mounted here"
fi

# A folder in the place of a file that was ours: it is not ours, and in nobody's way.
env turned "path: $WORK/host/turned, content: ours"
tutti apply turned.yaml --yes
code 0 "a file"
rm "$WORK/host/turned"
mkdir "$WORK/host/turned"
tutti plan turned.yaml --json
is "$CODE $(jq -rc '[.steps[] | select(.address == "f") | .action] | join(" ")' <<<"$OUT")" "0 create" "gives way to a folder: the plan says that the file is gone"
tutti destroy turned.yaml --yes
code 0 "and destroying goes"
[ -d "$WORK/host/turned" ]
ok $? "past the folder"

# The connection breaks: while the content is on its way, or when only the answer is.
head -c 300000 /dev/urandom | base64 -w0 >content
WANT=$(sha256sum <content)
mkdir wire
sum() { sha256sum 2>/dev/null <"$WORK/host/$1"; }
junk() { find "$WORK/host" -name '*.tutti-*' -size +0; }
WIRE_PORT=
wire() { # MODE: a wire that breaks so after 100 kB, always on the same port
        echo "$1 100000" >wire/limit
        : >wire/port
        "$HERE/tests/cases/wire.pl" "$PORT" wire $WIRE_PORT >wire/port &
        WIRE=$!
        for _ in $(seq 1200); do [ -s wire/port ] && break; sleep 0.05; done
        WIRE_PORT=$(cat wire/port)
}
over() { # MODE PROPERTIES: the environment NAME goes over a wire that breaks so
        [ -z "$WIRE" ] || stop
        wire "$1"
        env "$NAME" "$2" "$WIRE_PORT"
}
begin() { "$TUTTI" apply "$NAME.yaml" --yes >"$WORK/out" 2>&1 </dev/null & RUN=$!; }
stop() { kill "$WIRE"; wait "$WIRE" 2>/dev/null; WIRE=; }
await() { for _ in $(seq 1200); do eval "$1" && return; sleep 0.05; done; }
cut() { stop; wait "$RUN"; CODE=$?; wire pass; }
action() { tutti plan "$NAME.yaml" --json; jq -rc '[.steps[] | select(.address == "f") | .action] | join(" ")' <<<"$OUT"; }

NAME=broken
over hold "path: $WORK/host/made/p, source: content"
begin
await '[ -n "$(junk)" ]'
cut
is "$CODE" 1 "the connection breaks while the content is on its way"
await '[ ! -e "$WORK/host/made" ]'
is "$(find "$WORK/host/made" 2>/dev/null)" "" "nothing of it is left"
is "$(action)" create "it counts as not made"
NAME=precious
over hold "path: $WORK/host/p, source: content"
begin
await '[ -n "$(junk)" ]'
cut
await '[ -z "$(junk)" ]'
is "$CODE $(junk) $(content p)" "1  precious" "the same with a file there: it stays as it was"
tutti destroy precious.yaml --yes
is "$CODE $(content p)" "0 precious" "and destroying does not touch it"

NAME=changed
over pass "path: $WORK/host/u, content: one"
tutti apply changed.yaml --yes
code 0 "a file"
over hold "path: $WORK/host/u, source: content"
begin
await '[ -n "$(junk)" ]'
cut
await '[ -z "$(junk)" ]'
is "$CODE $(junk) $(content u)" "1  one" "the connection breaks in the middle of a change: the old content stands"
tutti apply changed.yaml --yes
is "$CODE $(sum u)" "0 $WANT" "until the change is made again"

# lost NAME: the file is in its place, and only the answer is lost.
lost() {
        NAME=$1
        over mute "path: $WORK/host/$1, source: content"
        begin
        await '[ "$(sum $NAME)" = "$WANT" ]'
        cut
        is "$CODE $(sum "$1")" "1 $WANT" "$1: the file is in its place, and the answer is lost"
        tutti state list "$1.yaml"
        like "$OUT" "f .*broken" "$1: it is in doubt"
}
lost again
tutti apply again.yaml --yes
is "$CODE $(sum again)" "0 $WANT" "the next apply makes it good"
no_changes again.yaml "for good"
lost ours
tutti destroy ours.yaml --yes
[ "$CODE" = 0 ] && [ ! -e "$WORK/host/ours" ]
ok $? "destroying removes what is as it was sent"
lost theirs
echo theirs >"$WORK/host/theirs"
is "$(action)" create "what has another content is not ours"
tutti destroy theirs.yaml --yes
is "$CODE $(content theirs)" "0 theirs" "and is not removed"
lost hurried
echo theirs >"$WORK/host/hurried"
tutti destroy hurried.yaml --yes --no-refresh
is "$CODE $(content hurried)" "0 theirs" "nor where nothing was read before"
finish
