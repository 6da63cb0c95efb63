#!/bin/bash
# Servers of the practice cloud that one can log in to.
. "${BASH_SOURCE%/*}/sandbox.sh"
PATH=$PATH:/usr/sbin
if ! command -v sshd >/dev/null || ! command -v ssh >/dev/null; then
        echo "1..0 # SKIP OpenSSH is not installed"
        exit 0
fi
DATA=$WORK/data
export TMPDIR=$WORK
ssh-keygen -q -t ed25519 -N '' -C me -f "$WORK/mine"
ssh-keygen -q -t ed25519 -N '' -C you -f "$WORK/yours"
sandbox_start --data "$DATA" --latency 2s
like "$(cat "$WORK/ready")" 'SSH servers available' "the ready line says that one can log in"

# login KEY COMMAND: as the server's outputs say, trusting its host key only. Sets OUT and RESULT.
login() {
        OUT=$(timeout 20 ssh -F none -T -n -p "$PORT" -i "$WORK/$1" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
                -o UserKnownHostsFile="$WORK/known" -o LogLevel=ERROR "$USERNAME@$HOST" "$2" 2>"$WORK/ssh")
        RESULT=$?
}
look() {
        call GET "/v1/servers/$1"
        HOST=$(jq -r .ssh_host <<<"$BODY") PORT=$(jq -r .ssh_port <<<"$BODY") USERNAME=$(jq -r .ssh_user <<<"$BODY")
        echo "[$HOST]:$PORT $(jq -r .host_key <<<"$BODY")" >"$WORK/known"
}
# Processes with HOST_ROOT under the story's directory.
left_running() { grep -lsz "^HOST_ROOT=$(realpath "$WORK")" /proc/[0-9]*/environ 2>/dev/null | wc -l; }

create networks '{"name": "net", "cidr": "10.0.0.0/16"}'; NET=$ID
create subnets '{"name": "sub", "network_id": "'$NET'", "cidr": "10.0.1.0/24"}'; SUB=$ID
create ssh_keys '{"name": "mine", "public_key": "'"$(cat "$WORK/mine.pub")"'"}'; MINE=$ID
create ssh_keys '{"name": "yours", "public_key": "'"$(cat "$WORK/yours.pub")"'"}'; YOURS=$ID
create servers '{"name": "web one", "subnet_id": "'$SUB'", "size": "s", "image": "i", "ssh_key_ids": ["'$MINE'"]}'; WEB=$ID
look "$WEB"
login mine true
is $RESULT 255 "while it is being created, nobody gets in"
await "/v1/servers/$WEB" '.status == "active"'
look "$WEB"
is "$HOST $USERNAME" "127.0.0.1 $(id -un)" "it is on loopback, for this user"
login mine 'echo "$HOST_NAME"; pwd; [ "$PWD" = "$HOME" ] && [ "$PWD" = "$HOST_ROOT" ] && echo home; exit 7'
is "$RESULT $OUT" "7 web-one
$(realpath "$DATA")/hosts/$WEB/home
home" "a command runs in the server's own home, and its exit code comes back"
login yours true
is $RESULT 255 "another key does not get in"
OUT=$(echo 'cat > file; wc -c < file' | timeout 20 ssh -F none -T -p "$PORT" -i "$WORK/mine" -o BatchMode=yes -o UserKnownHostsFile="$WORK/known" -o LogLevel=ERROR \
        "$USERNAME@$HOST" 'sh -c "cat > in; cat in | wc -l"' 2>&1)
is "$OUT" 1 "standard input reaches the command"
head -c 300000 /dev/urandom >"$WORK/blob"
if [ -x /usr/lib/openssh/sftp-server ]; then
        scp -q -F none -P "$PORT" -i "$WORK/mine" -o BatchMode=yes -o UserKnownHostsFile="$WORK/known" "$WORK/blob" "$USERNAME@$HOST:blob" 2>/dev/null
        cmp -s "$WORK/blob" "$DATA/hosts/$WEB/home/blob"; ok $? "a file can be copied to it"
fi
login mine 'echo $TUTTI_SANDBOX_TOKEN$TOKEN; env | grep -c SSH_ORIGINAL'
is "$OUT" "
0" "sessions see nothing of the sandbox's environment"

for i in $(seq 25); do
        (login mine "echo $i"; echo "$OUT" >"$WORK/many.$i") &
        LOGINS="$LOGINS $!"
done
wait $LOGINS
is "$(cat "$WORK"/many.* | sort -n | tr '\n' ' ')" "$(seq 25 | tr '\n' ' ')" "twenty-five logins at once all get in"

call PATCH "/v1/servers/$WEB" '{"ssh_key_ids": ["'$YOURS'"], "name": "renamed"}'
login mine true
is $RESULT 255 "a key that is taken away no longer gets in"
login yours 'echo $HOST_NAME'
is "$OUT" renamed "the new one does, and the new name is known"
call DELETE "/v1/ssh_keys/$YOURS"
login yours true
is $RESULT 255 "nor does a key that was deleted"
call PATCH "/v1/servers/$WEB" '{"ssh_key_ids": ["'$MINE'"]}'

create servers '{"name": "two", "subnet_id": "'$SUB'", "size": "s", "image": "i", "ssh_key_ids": ["'$MINE'"]}'; TWO=$ID
[ "$(cut -d' ' -f2- "$WORK/known")" != "$(jq -r .host_key <<<"$BODY")" ]; ok $? "of its own"
await "/v1/servers/$TWO" '.status == "active"'
look "$TWO"
login mine 'sleep 1000 >/dev/null 2>&1 </dev/null & echo started'
is "$OUT" started "something goes on running"
[ "$(left_running)" -gt 0 ]; ok $? "on the server"
call DELETE "/v1/servers/$TWO"
is "$(left_running)" 0 "and ends with it"
[ ! -e "$DATA/hosts/$TWO" ]; ok $? "its home is gone"
login mine true
is $RESULT 255 "nobody gets in"

# Killed, with a session and a process left behind
look "$WEB"
KNOWN=$(cat "$WORK/known")
login mine 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >pid; echo kept >kept'
(login mine 'touch there; sleep 1000') &
LOGIN=$!
for _ in $(seq 100); do [ -e "$DATA/hosts/$WEB/home/there" ] && break; sleep 0.05; done
sandbox_stop KILL
wait $LOGIN
sleep 0.2
is "$(pgrep -f "$DATA/hosts/.*/sshd_config" | wc -l)" 0 "no sshd outlives a sandbox that is killed"
sandbox_start --data "$DATA"
is "$(left_running)" 0 "the next one ends what was left running"
look "$WEB"
is "$(cat "$WORK/known")" "$KNOWN" "the server has its port and host key again"
login mine 'cat kept'
is "$OUT" kept "and its home"
login mine 'sleep 1000 >/dev/null 2>&1 </dev/null &'
sandbox_stop
is "$(left_running)" 0 "nothing is left running at the end"

# In memory
sandbox_start
create networks '{"name": "net", "cidr": "10.0.0.0/16"}'; NET=$ID
create subnets '{"name": "sub", "network_id": "'$NET'", "cidr": "10.0.0.0/20"}'; SUB=$ID
for i in $(seq 60); do create servers '{"name": "s'$i'", "subnet_id": "'$SUB'", "size": "s", "image": "i"}'; done
call GET /v1/servers
field '[.[].ssh_port] | unique | length' 60 "sixty servers, each with its port"
is "$(ls -d "$WORK"/tutti-sandbox-* | wc -l)" 1 "without --data they live in a temporary directory"
sandbox_stop INT
is "$EXIT $(ls -d "$WORK"/tutti-sandbox-* 2>/dev/null | wc -l)" "0 0" "which goes with the sandbox"

# Switched off with the same data
sandbox_start --data "$DATA" --no-ssh
call GET "/v1/servers/$WEB"
field '[.ssh_host, .ssh_port, .host_key, (.note | type)]' '[null,null,null,"string"]' "switched off, a server says that it is a record only"
sandbox_stop
sandbox_start --data "$WORK/a place"
like "$(cat "$WORK/ready")" 'no SSH servers: sshd cannot use' "a directory that sshd cannot take costs the logins, not the data"
sandbox_stop
finish
