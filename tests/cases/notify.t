#!/bin/bash
# Who is told of what: webhooks, Slack and e-mail; receivers that are down, wrong or asleep; secrets; tests of targets.
. "${BASH_SOURCE%/*}/engine.sh"
command -v perl >/dev/null || { echo "1..0 # SKIP perl, which receives the messages, is not installed"; exit 0; }

RECEIVERS=()
stop_receivers() { [ ${#RECEIVERS[@]} = 0 ] || kill "${RECEIVERS[@]}" 2>/dev/null; }
trap 'stop_receivers; cleanup' EXIT

receiver() { # NAME http|smtp [PORT]; its folder is $WORK/NAME; sets PORT
        mkdir -p "$WORK/$1"
        rm -f "$WORK/$1/port"
        perl "$HERE/tests/cases/receiver.pl" "$2" "$WORK/$1" ${3-} >"$WORK/$1.log" 2>&1 &
        LAST=$!
        RECEIVERS+=($LAST)
        for _ in $(seq 400); do [ -s "$WORK/$1/port" ] && break; sleep 0.05; done
        PORT=$(cat "$WORK/$1/port")
}
mode() { echo "$2" >"$WORK/$1/mode"; }
arrived() { ls "$WORK/$1" | grep -c 'body$'; }
wait_for() { # NAME COUNT: so many messages have come
        for _ in $(seq 400); do [ "$(arrived "$1")" -ge "$2" ] && return 0; sleep 0.05; done
        return 1
}
body() { jq -rc "$3" "$WORK/$1/$2.body"; }
header() { tr -d '\r' <"$WORK/$1/$2.head" | sed -n "s/^$3: //Ip"; }
events() { for f in $(ls "$WORK/$1" | grep 'body$' | sort -n); do jq -r .event "$WORK/$1/$f"; done | xargs; }

mkdir -p "$WORK/notify" && cd "$WORK/notify" || exit 1
receiver hook http; HOOK=$PORT
receiver slack http; SLACK=$PORT
receiver mail smtp; MAIL=$PORT
export TUTTI_PARAM_hook=a-hook-secret TUTTI_PARAM_pass=a-mail-secret TUTTI_PARAM_fail=false
cat >env.yaml <<YAML
environment: told
parameters:
  hook: {type: string, sensitive: true}
  pass: {type: string, sensitive: true}
  fail: bool
notify:
  - {webhook: "http://127.0.0.1:$HOOK/in?x=1", secret: "\${param.hook}", on: [gate-waiting, run-failed, run-done, drift-found]}
  - {slack: "http://127.0.0.1:$SLACK/services/T/B"}
  - {email: {to: [ops@example.org, "dev@example.org"], from: tutti@example.org, server: "smtp://127.0.0.1:$MAIL", user: me, password: "\${param.pass}", tls: none}}
resources:
  first: {type: exec.command, properties: {run: "exit \$FAIL", environment: {FAIL: "\${param.fail ? 3 : 0}"}}}
  go: {type: gate, after: [first], properties: {message: "Shall we <go> & see?", approvers: [ann, "$(id -un)"]}}
  second: {type: value, after: [go], properties: {input: 1}}
YAML

# --- a gate waits ---
tutti apply env.yaml --yes
code 3 "a run waits at its gate"
wait_for hook 1; ok $? "the webhook was told before the program ended"
is "$(events hook)" "gate-waiting" "of the gate"
is "$(body hook 1 '[.environment, .run, .gate, .message] | join("|")')" "told|r1|go|Shall we <go> & see?" "which one, where, and what is asked"
is "$(body hook 1 '.approvers | join(" ")')" "ann $(id -un)" "who may answer"
is "$(body hook 1 '[.behind[] | .action + " " + .address] | join(",")')" "create second" "what stands behind"
is "$(body hook 1 .how_to)" "tutti approve env.yaml go" "and how to answer"
like "$(body hook 1 .time)" '^20[0-9-]+T[0-9:.]+Z$' "with the time"
is "$(header hook 1 Content-Type)" application/json "as JSON"
like "$(header hook 1 User-Agent)" '^tutti/' "by name"
like "$(header hook 1 Tutti-Delivery)" '^[0-9a-f]{32}$' "under an id"
SIGNATURE=$(header hook 1 Tutti-Signature)
T=${SIGNATURE#t=} T=${T%%,*}
if command -v openssl >/dev/null; then
        WANT=$({ printf '%s.' "$T"; cat "$WORK/hook/1.body"; } | openssl dgst -sha256 -hmac a-hook-secret -r | cut -d' ' -f1)
        is "$SIGNATURE" "t=$T,v1=$WANT" "signed, as openssl computes it"
else
        ok 0 "signed # SKIP openssl is not installed"
fi
ok "$([ "$T" -le "$(date +%s)" ] && [ "$T" -gt $(($(date +%s) - 3600)) ]; echo $?)" "at the time of sending"
wait_for slack 1; ok $? "Slack was told"
is "$(body slack 1 'keys | join(" ")')" text "with a text alone"
like "$(body slack 1 .text)" 'Shall we &lt;go&gt; &amp; see\?' "in which its marks are escaped"
wait_for mail 1; ok $? "the mailbox was told"
HEAD=$(tr -d '\r' <"$WORK/mail/1.head")
like "$HEAD" 'MAIL FROM:<tutti@example.org>' "from"
like "$HEAD" 'RCPT TO:<ops@example.org>.*RCPT TO:<dev@example.org>' "and to whom"
like "$HEAD" "AUTH PLAIN[[:space:]]+$(printf '\0me\0a-mail-secret' | base64)" "logged in"
LETTER=$(perl -MMIME::QuotedPrint -0777 -ne 'my ($h, $b) = split /\r\n\r\n/, $_, 2; $h =~ s/\r//g; print "$h\n\n", decode_qp($b)' "$WORK/mail/1.body" | tr -d '\r')
like "$LETTER" 'Subject: \[tutti\] told: waiting for approval: go' "the subject tells"
like "$LETTER" 'Message-ID: <[0-9a-f]+\.tutti@example.org>' "an id of its own"
like "$LETTER" 'Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} \+0000' "a date"
like "$LETTER" 'To: ops@example.org,
 dev@example.org
' "the recipients"
like "$LETTER" 'tutti approve env.yaml go' "and how to answer"
is "$(grep -c $'[^\r]$' "$WORK/mail/1.body")" 0 "every line ends as mail lines do"

tutti resume env.yaml
code 3 "the run still waits"
tutti notify env.yaml
code 0 "nothing is left to deliver"
is "$(events hook)" "gate-waiting" "nobody is told twice of one question"
tutti approve env.yaml go
tutti resume env.yaml
code 0 "approved"
wait_for hook 2
is "$(events hook)" "gate-waiting run-done" "the end is told to who asked for it"
is "$(body hook 2 .summary.create)" 1 "with what was done"
is "$(arrived slack)/$(arrived mail)" "1/1" "and to nobody else"

# --- a question after a failure ---
cat >ask.yaml <<YAML
environment: asking
parameters: {hook: {type: string, sensitive: true}}
notify: {webhook: "http://127.0.0.1:$HOOK/", secret: "\${param.hook}"}
resources:
  bad: {type: exec.command, properties: {run: "false"}, on_failure: ask}
YAML
N=$(arrived hook)
tutti apply ask.yaml --yes
code 3 "a failed step asks"
wait_for hook $((N + 1)); ok $? "which is told"
is "$(body hook $((N + 1)) '[.event, (.choices | join(" "))] | join("|")')" "gate-waiting|retry skip abort" "with the words to answer with"
GATE=$(tutti status ask.yaml --json; jq -r '.run.gates[0].name' <<<"$OUT")
is "$(body hook $((N + 1)) .how_to | tr -d "'")" "tutti approve ask.yaml $GATE --answer WORD" "and how"
tutti approve ask.yaml "$GATE" --answer abort
tutti resume ask.yaml
code 1 "answered"

# --- reminders: each one, also while the run goes on ---
cat >remind.yaml <<YAML
environment: reminding
parameters: {hook: {type: string, sensitive: true}}
notify: {webhook: "http://127.0.0.1:$HOOK/", secret: "\${param.hook}"}
resources:
  go: {type: gate, properties: {message: "?", expires: {after: 1s, action: remind}}}
  behind: {type: value, after: [go], properties: {input: 1}}
  slow: {type: exec.command, properties: {run: "until [ -e reminded ]; do sleep 0.1; done"}}
YAML
N=$(arrived hook)
"$TUTTI" apply remind.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
RUN=$!
wait_for hook $((N + 3)); ok $? "a gate that goes on waiting is told again"
is "$(body hook $((N + 1)) .event) $(body hook $((N + 2)) .event) $(body hook $((N + 3)) .event)" "gate-waiting gate-reminder gate-reminder" "as a reminder, each time"
touch reminded
wait $RUN
is $? 3 "and the run ends waiting"

# --- drift: once for each ---
cat >drift.yaml <<YAML
environment: drifting
parameters: {hook: {type: string, sensitive: true}}
notify: {webhook: "http://127.0.0.1:$HOOK/", secret: "\${param.hook}"}
resources:
  one: {type: exec.command, properties: {run: "touch one.txt", unless: "test -e one.txt", on_delete: "rm -f one.txt"}}
  two: {type: exec.command, properties: {run: "touch two.txt", unless: "test -e two.txt", on_delete: "rm -f two.txt"}}
YAML
tutti apply drift.yaml --yes
N=$(arrived hook)
tutti drift drift.yaml --detailed-exitcode
code 0 "no drift"
rm one.txt
tutti drift drift.yaml --detailed-exitcode
code 2 "drift is found"
is "$(arrived hook)" $((N + 1)) "and told"
is "$(body hook $((N + 1)) '[.event, .run, .drift[0].address, .how_to] | join("|")')" "drift-found||one|tutti apply drift.yaml" "of what, and what to do"
tutti drift drift.yaml
is "$(arrived hook)" $((N + 1)) "once, however often it is looked for"
rm two.txt
tutti drift drift.yaml
is "$(arrived hook)" $((N + 2)) "other drift is told"
is "$(body hook $((N + 2)) '.drift | length')" 2 "as a whole"
touch one.txt two.txt
tutti drift drift.yaml
is "$(arrived hook)" $((N + 2)) "mended by hand: nothing to tell"
rm one.txt
tutti drift drift.yaml
is "$(arrived hook)" $((N + 3)) "but the same drift is told when it comes again"
tutti destroy drift.yaml --yes

# --- failure ---
tutti destroy env.yaml --yes
code 0 "destroyed"
N=$(arrived hook)
TUTTI_PARAM_fail=true tutti apply env.yaml --yes
code 1 "a run fails"
wait_for hook $((N + 1)); ok $? "and the webhook hears of it"
is "$(body hook $((N + 1)) '[.event, .problems[0].address, .how_to] | join("|")')" "run-failed|first|tutti show env.yaml r3" "what failed, and where to look"
wait_for mail 2; ok $? "the mailbox too"

# --- a gate that was answered before anybody heard of it ---
tutti destroy env.yaml --yes
mode hook 500
tutti apply env.yaml --yes
code 3 "a gate waits, and the receiver does not hear of it"
is "$("$TUTTI" status env.yaml --json | jq -r '.notifications | map(.event) | join(",")')" gate-waiting "yet"
tutti approve env.yaml go
mode hook ok
N=$(arrived hook)
is "$("$TUTTI" status env.yaml --json | jq -rc .notifications)" "[]" "answered, there is nothing to tell"
tutti resume env.yaml
code 0 "the run goes on"
tutti notify env.yaml
is "$(for n in $(seq $((N + 1)) "$(arrived hook)"); do body hook $n .event; done | xargs)" run-done "and only its end is told"

# --- receivers that are down, wrong, or asleep ---
down() { # MODE NAME: a run in which the webhook does not take its message
        mode hook "$1"
        tutti destroy env.yaml --yes
        code 0 "$2: the run is as ever"
        tutti status env.yaml
        like "$OUT" "undelivered.*run-done to webhook 127.0.0.1:$HOOK: 1 attempt" "$2: it is told what was not"
}
N=$(arrived hook)
down 500 "a receiver that fails"
like "$OUT" "the server answered 500" "with its answer"
tutti status env.yaml --json
is "$(jq -r '.notifications | map(.event + " " + (.attempts | tostring)) | join(",")' <<<"$OUT")" "run-done 1" "also in JSON"
FIRST=$(header hook $((N + 1)) Tutti-Delivery)
mode hook ok
tutti notify env.yaml
code 0 "delivered when the receiver is back"
like "$OUT" "delivered.*run-done to webhook" "and says so"
is "$(header hook $((N + 2)) Tutti-Delivery)" "$FIRST" "under the same id"
tutti status env.yaml --json
is "$(jq -rc .notifications <<<"$OUT")" "[]" "nothing is left"
N=$(arrived hook)
tutti notify env.yaml
is "$(arrived hook)" "$N" "and nothing is sent again"
like "$OUT" "Nothing waits" "as it says"

tutti apply env.yaml --yes --approve go
N=$(arrived hook)
down hang "a receiver that never answers"
like "$OUT" "no time to wait" "after some seconds it was left"
mode hook ok
tutti notify env.yaml
code 0 "and told later"
is "$(arrived hook)" $((N + 1)) "once"

mode hook 302
tutti apply env.yaml --yes --approve go
code 0 "a receiver that points elsewhere"
tutti notify env.yaml
code 1 "is not followed"
mode hook ok
tutti notify env.yaml
code 0 "and is told when it listens"

# Refused connections: nobody listens there.
kill "${RECEIVERS[0]}"; wait "${RECEIVERS[0]}" 2>/dev/null
tutti destroy env.yaml --yes
code 0 "nobody listens: the run is as ever"
tutti notify env.yaml
code 1 "what waits is told with exit 1"
like "$OUT" "undelivered.*run-done to webhook.*connect" "and why"
receiver hook http "$HOOK"
N=$(arrived hook)
tutti apply env.yaml --yes --approve go --json
code 0 "a later run"
ok "$(jq -es 'map(select(.event == "run-done")) | length == 1' <<<"$OUT" >/dev/null; echo $?)" "whose own output knows nothing of it"
tutti notify env.yaml
wait_for hook $((N + 2)); ok $? "also what waited was delivered"

# A failing attempt is tried again while the run goes on.
mode hook 500
cat >long.yaml <<YAML
environment: long
parameters: {hook: {type: string, sensitive: true}}
notify: {webhook: "http://127.0.0.1:$HOOK/", secret: "\${param.hook}", name: my hook}
resources:
  go: {type: gate, properties: {message: "?"}}
  behind: {type: value, after: [go], properties: {input: 1}}
  slow: {type: exec.command, properties: {run: "until [ -e go-on ]; do sleep 0.1; done"}}
YAML
N=$(arrived hook)
"$TUTTI" apply long.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
RUN=$!
wait_for hook $((N + 1)); ok $? "a gate is told while the run goes on"
mode hook ok
wait_for hook $((N + 2)); ok $? "and again after a failure"
is "$(header hook $((N + 1)) Tutti-Delivery)" "$(header hook $((N + 2)) Tutti-Delivery)" "under the same id"
touch go-on
wait $RUN
is $? 3 "the run ends as it would have"

# --- killed in the middle ---
mode hook hang
rm -f go-on
cat >killed.yaml <<YAML
environment: killed
parameters: {hook: {type: string, sensitive: true}}
notify: {webhook: "http://127.0.0.1:$HOOK/", secret: "\${param.hook}"}
resources:
  go: {type: gate, properties: {message: "?"}}
  behind: {type: value, after: [go], properties: {input: 1}}
  slow: {type: exec.command, properties: {run: "until [ -e go-on ]; do sleep 0.1; done"}}
YAML
"$TUTTI" apply killed.yaml --yes >"$WORK/out" 2>"$WORK/err" </dev/null &
RUN=$!
for _ in $(seq 400); do
        tutti status killed.yaml --json
        [ "$(jq -r '.notifications[0].attempts' <<<"$OUT" 2>/dev/null)" = 1 ] && break
        sleep 0.05
done
ID=$(jq -r '.notifications[0].delivery' <<<"$OUT")
kill -KILL $RUN; wait $RUN 2>/dev/null
touch go-on
mode hook ok
N=$(arrived hook)
for _ in $(seq 60); do # until the claim of the dead one ends
        tutti notify killed.yaml
        [ "$CODE" = 0 ] && break
        sleep 1
done
code 0 "killed while it was sending: delivered later"
is "$(arrived hook)" $((N + 1)) "once"
is "$(header hook $((N + 1)) Tutti-Delivery)" "$ID" "under the same id"
tutti resume killed.yaml
is "$(arrived hook)" $((N + 1)) "and not again by the resumed run"

# --- secrets ---
grep -raqE 'a-(hook|mail)-secret' "$WORK/notify/.tutti"; is $? 1 "the store holds no secret in clear"
tutti plan env.yaml -o saved.plan
grep -qaE 'a-(hook|mail)-secret' saved.plan; is $? 1 "nor does a saved plan"
tutti notify env.yaml --test --log-level debug
grep -qE 'a-(hook|mail)-secret' "$WORK/out" "$WORK/err"; is $? 1 "nor do logs"

# --- trying the targets ---
code 0 "all targets are well"
is "$(grep -c '^ok' "$WORK/out")" 3 "each is reported"
is "$(body hook "$(arrived hook)" .event)" test "with a message of its own"
mode mail reject
mode slack 404
tutti notify env.yaml --test --json
code 1 "some are not"
is "$(jq -r '[.targets[] | .kind + " " + (.ok | tostring)] | join(",")' <<<"$OUT" | tr ',' '\n' | sort | xargs)" "email false slack false webhook true" "which"
like "$(jq -r '.targets[] | select(.kind == "email") | .error' <<<"$OUT")" "refused the mail with 550" "and why"
mode mail ok; mode slack ok
tutti status env.yaml --json
is "$(jq -rc .notifications <<<"$OUT")" "[]" "a test leaves nothing behind"
mode mail silent
tutti notify env.yaml --test
code 0 "a mail server that does not say good-bye stops nobody"

# --- mail over TLS ---
if command -v python3 >/dev/null && command -v openssl >/dev/null; then
        openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 2 -subj /CN=story \
                -addext subjectAltName=IP:127.0.0.1 2>/dev/null
        tls_receiver() { # NAME KIND
                mkdir -p "$WORK/$1"
                python3 "$HERE/tests/cases/smtp-tls.py" "$2" "$WORK/$1" "$WORK/cert.pem" "$WORK/key.pem" >"$WORK/$1.log" 2>&1 &
                RECEIVERS+=($!)
                for _ in $(seq 400); do [ -s "$WORK/$1/port" ] && break; sleep 0.05; done
                PORT=$(cat "$WORK/$1/port")
        }
        tls_receiver implicit smtps; IMPLICIT=$PORT
        tls_receiver explicit starttls; EXPLICIT=$PORT
        tls_receiver bare none; BARE=$PORT
        {
                printf 'environment: tls\nparameters: {pass: {type: string, sensitive: true}}\nresources: {a: {type: value, properties: {input: 1}}}\nnotify:\n'
                mailbox() { # NAME SERVER [MORE]
                        printf '  - {name: %s, email: {to: ops@example.org, from: tutti@example.org, server: "%s", user: me, password: "${param.pass}"%s}}\n' "$1" "$2" "${3-}"
                }
                mailbox implicit "smtps://127.0.0.1:$IMPLICIT" ", ca: ../cert.pem"
                mailbox explicit "smtp://127.0.0.1:$EXPLICIT" ", ca: ../cert.pem"
                mailbox bare "smtp://127.0.0.1:$BARE" ", ca: ../cert.pem"
                mailbox stranger "smtps://127.0.0.1:$IMPLICIT"
        } >tls.yaml
        tutti notify tls.yaml --test --json
        code 1 "mail over TLS, and where it cannot be had"
        took() { jq -r --arg name "$1" '.targets[] | select(.target == $name) | .ok' <<<"$OUT"; }
        is "$(took implicit)/$(arrived implicit)" true/1 "smtps:// with a certificate that is trusted"
        is "$(took explicit)/$(arrived explicit)" true/1 "smtp:// with STARTTLS"
        is "$(took bare)/$(arrived bare)" false/0 "without STARTTLS nothing is sent"
        like "$OUT" "offers no STARTTLS" "which is said"
        is "$(took stranger)" false "nor to a server that nobody vouches for"
        like "$(jq -r '.targets[] | select(.target == "stranger") | .error' <<<"$OUT")" "certificate|SSL" "as is why"
else
        ok 0 "mail over TLS # SKIP python3 or openssl is not installed"
fi

# --- what a run that has ended leaves to the next ---
mode hook hang
cat >late.yaml <<YAML
environment: late
notify: {webhook: "http://127.0.0.1:$HOOK/in"}
resources:
  go: {type: gate, properties: {message: "?", expires: 1s}}
  after: {type: value, after: go, properties: {input: 1}}
YAML
tutti apply late.yaml --yes
code 3 "a run that waits ends, and waits for a receiver that says nothing"
tutti audit late.yaml --json
is "$(jq -r .event <<<"$OUT" | sed -n '/^run-waiting$/,$p' | grep -c gate-rejected)" 0 "a gate that lapses meanwhile is for whoever resumes"
tutti resume late.yaml
code 1 "who rejects it"
mode hook ok

# --- wrong input ---
wrong() { # YAML REGEX NAME
        printf 'environment: wrong\nparameters: {plain: {type: string, default: x}}\nnotify: %s\nresources: {a: {type: value, properties: {input: 1}}}\n' "$1" >wrong.yaml
        tutti check wrong.yaml
        code 4 "$3"
        like "$ERR" "$2" "$3: why"
}
wrong '{webhok: "https://x"}' "did you mean 'webhook'" "a misspelt kind"
wrong '{webhook: "ftp://x/"}' "wrong.yaml:3:19: notify: 'webhook' must be a URL" "a scheme that is none"
wrong '{webhook: "http://example.org/"}' "tls: none-over-network" "clear text over a network"
wrong '{webhook: "https://example.org/", on: [gate-wating]}' "did you mean 'gate-waiting'" "a misspelt event"
wrong '{webhook: "https://example.org/", secret: abc}' "sensitive parameter" "a secret in the file"
wrong '{webhook: "https://example.org/", secret: "${param.plain}"}' "sensitive parameter" "a secret that is not marked as one"
wrong '{email: {to: ["a@b.c\\r\\nBcc: x@y.z"], from: a@b.c, server: "smtps://x"}}' "no e-mail address|control characters" "a header in an address"
wrong '{email: {to: a@b.c, from: a@b.c, server: "smtp://mail.example.org", tls: none}}' "only a server on this machine" "mail in clear over a network"
wrong '{email: {to: a@b.c, from: a@b.c}}' "'server' is missing" "a missing key"
wrong '[{webhook: "https://a.org/", name: x}, {webhook: "https://b.org/", name: x}]' "called 'x' too" "two of one name"

# --- targets that are no more ---
if command -v sqlite3 >/dev/null; then
        cat >left.yaml <<'YAML'
environment: left
resources:
  a: {type: value, properties: {input: 1}}
notify: {webhook: "http://127.0.0.1:1/", on: [run-done]}
YAML
        tutti apply left.yaml --yes
        code 0 "a message that nobody takes"
        sed -i '/^notify/d' left.yaml
        tutti notify left.yaml
        code 1 "waits, though its target was taken out"
        sqlite3 .tutti/state.db "UPDATE notification SET created_ms = 1, claimed_ms = 0 WHERE environment = (SELECT id FROM environment WHERE name = 'left')"
        tutti notify left.yaml
        code 0 "a day later it is given up"
        tutti audit left.yaml
        like "$OUT" "notification-given-up" "which the log tells"
fi
finish
