#!/bin/bash
# The prompt at gates: an answer is for the gate whose prompt stood there when its line was begun, all that wait can be reached, and
# whatever is typed gets a word in return.
. "${BASH_SOURCE%/*}/engine.sh"
command -v script >/dev/null || { echo "1..0 # SKIP script(1), which lends a terminal, is not installed"; exit 0; }
trap '' PIPE # a program that ended too soon fails the tests that follow
mkdir -p "$WORK/prompt" && cd "$WORK/prompt" || exit 1

# tutti under a terminal; what is typed comes through the fifo on descriptor 9. COLUMNS is its width.
terminal() {
        rm -f typed screen && mkfifo typed
        TERM=xterm NO_COLOR=1 script -qfec "stty cols ${WIDE:-200}; exec $TUTTI $*" screen <typed >/dev/null 2>&1 &
        SCRIPT=$!
        exec 9>typed
}
screen_has() { # REGEX [TIMES]
        local count
        for _ in $(seq 600); do
                count=$(grep -cE "$1" screen 2>/dev/null)
                [ "${count:-0}" -ge "${2:-1}" ] && return 0
                sleep 0.05
        done
        sed 's/^/# /' screen
        return 1
}
type_line() { printf '%s\n' "$1" >&9; }
# A prompt that took the place of one that somebody else closed takes answers after a moment only.
settled() { sleep 0.5; }
ended() {
        exec 9>&-
        wait $SCRIPT
        CODE=$?
}
gates() { "$TUTTI" status "$1" --json | jq -rc '[.run.gates[] | "\(.name) \(.status)"] | sort | join(", ")'; }

# --- another answers first ----------------------------------------------------------------------------------------------

cat >race.yaml <<'YAML'
environment: race
resources:
  gate1: {type: gate, properties: {message: "harmless?"}}
  gate2: {type: gate, properties: {message: "DROP PROD?"}}
  one: {type: value, after: [gate1], properties: {input: 1}}
  two: {type: value, after: [gate2], properties: {input: 2}}
YAML
PROMPT='\[a\]pprove  \[r\]eject  \[i\]nspect  \[l\]eave waiting'
terminal apply race.yaml --yes
screen_has "gate1: $PROMPT  \[n\]ext \(2 gates wait\) > "; ok $? "two gates wait, and one is asked about"
printf 'a' >&9
screen_has "\(2 gates wait\) > a"; ok $? "somebody begins a line"
tutti approve race.yaml gate1 --as bob
code 0 "and somebody else is faster"
screen_has "gate2: $PROMPT > "; ok $? "the other gate is asked about"
is "$(tr -d '\r' <screen | grep -oE 'gate1 approved by bob|  gate2: DROP PROD\?|gate2: \[a\]' | uniq | tail -n 3 | xargs)" \
        "gate1 approved by bob gate2: DROP PROD? gate2: [a]" "after what became of the first, and its own message"
type_line ''
settled
type_line l
ended
is "$CODE" 3 "the line that was begun for the first gate does not count for the second"
is "$(gates race.yaml)" "gate1 approved, gate2 waiting" "which waits"
terminal resume race.yaml
screen_has "gate2: $PROMPT > "; ok $? "asked again"
type_line a
ended
is "$CODE" 0 "an answer to its own prompt counts"

# What was typed ahead, before there was anything to see.
"$TUTTI" destroy race.yaml --yes >/dev/null
terminal apply race.yaml --yes
screen_has "gate1: $PROMPT  \[n\]ext \(2 gates wait\) > "; ok $? "two gates wait again"
printf 'a\na\na\n' >&9
screen_has "gate2: $PROMPT > "; ok $? "several lines are typed at once"
settled
type_line l
ended
is "$(gates race.yaml)" "gate1 approved, gate2 waiting" "the gate whose prompt did not stand there yet waits"
"$TUTTI" destroy race.yaml --yes >/dev/null

# --- a gate that changes keeps its place -----------------------------------------------------------------------------------

cat >quorum.yaml <<'YAML'
environment: quorum
resources:
  gate1: {type: gate, properties: {message: "harmless?", approvals: 2}}
  gate2: {type: gate, properties: {message: "DROP PROD?"}}
  one: {type: value, after: [gate1], properties: {input: 1}}
  two: {type: value, after: [gate2], properties: {input: 2}}
YAML
terminal apply quorum.yaml --yes --as alice
screen_has "gate1: $PROMPT  \[n\]ext \(2 gates wait\) > "; ok $? "a gate that needs two approvals is asked about"
tutti approve quorum.yaml gate1 --as bob
screen_has "gate1 approved by bob, 1 of 2"; ok $? "one of them comes from elsewhere"
screen_has "so far approved: bob"; ok $? "and the gate is shown as it is now"
type_line 'a looks good'
screen_has "gate1 approved by bob, alice: looks good"; ok $? "an answer is still for that gate, with its comment"
screen_has "gate2: $PROMPT > "; ok $? "then the other is asked about"
is "$(gates quorum.yaml)" "gate1 approved, gate2 waiting" "which nobody answered"

# --- words ------------------------------------------------------------------------------------------------------------------

type_line 'maybe'
screen_has "'maybe' says nothing here"; ok $? "what says nothing is told"
screen_has "r, reject \[REASON\]"; ok $? "with what can be said"
type_line 'no idea'
screen_has "'no' says nothing here"; ok $? "an idle word is no rejection"
type_line 'n'
screen_has "no other gate waits"; ok $? "nor is an n"
type_line 'a gate1'
screen_has "nothing was answered: gate2 is asked about"; ok $? "another gate's name is no comment"
type_line 'r  not before Monday '
screen_has "gate2 rejected by alice: not before Monday"; ok $? "a rejection with its reason"
ended
is "$CODE" 1 "ends the run"
tutti show quorum.yaml r1
like "$OUT" "not before Monday" "the reason is recorded"

# --- all can be reached -------------------------------------------------------------------------------------------------------

cat >people.yaml <<'YAML'
environment: people
approvers: {unsigned: true, people: {alice: {}, bob: {}}}
resources:
  g1: {type: gate, properties: {message: "for bob", approvers: [bob]}}
  g2: {type: gate, properties: {message: "for anybody", approvals: 2}}
  g3: {type: gate, properties: {message: "for bob, too", approvers: [bob]}}
  v1: {type: value, after: [g1], properties: {input: 1}}
  v2: {type: value, after: [g2], properties: {input: 1}}
  v3: {type: value, after: [g3], properties: {input: 1}}
YAML
terminal apply people.yaml --yes --as alice
screen_has "g2: $PROMPT  \[n\]ext \(3 gates wait\) > "; ok $? "the gate that one may answer comes first"
type_line n
screen_has "g[13]: for bob"; ok $? "next shows another"
screen_has "may approve: bob \(not you\)"; ok $? "and who may answer it"
type_line a
screen_has "alice may not answer gate 'g[13]'"; ok $? "no other may"
type_line 'n g2'
screen_has "g2: for anybody" 2; ok $? "a name leads back"
type_line a
screen_has "g2 approved by alice, 1 of 2"; ok $? "to where an answer counts"
type_line 'n g1'
screen_has "g1: $PROMPT"; ok $? "whatever is asked about"
tutti approve people.yaml g2 --as bob
screen_has "g2 approved by alice, bob"; ok $? "what is not may close"
type_line 'n g2'
screen_has "no gate of that name waits"; ok $? "and is not to be reached then"
type_line n
screen_has "g3: for bob, too"; ok $? "another is"
type_line l
ended
is "$CODE" 3 "and all can be left waiting"
is "$(gates people.yaml)" "g1 waiting, g2 approved, g3 waiting" "each as it was answered"

# --- the live line ------------------------------------------------------------------------------------------------------------

cat >ask.yaml <<YAML
environment: ask
resources:
  work: {type: exec.command, retry: 1, on_failure: ask, properties: {run: "test -e '$WORK/good'"}}
  after: {type: value, after: work, properties: {input: 1}}
YAML
tutti apply ask.yaml --yes
code 3 "a question waits"
terminal resume ask.yaml
screen_has "work:failed: retry  skip  abort  \[i\]nspect  \[l\]eave waiting > "; ok $? "and is asked at the terminal"
touch "$WORK/good"
type_line 'retry it was mended'
ended
is "$CODE" 0 "answered, with a comment"
is "$(grep -oE '[0-9]+/[0-9]+ done' screen | awk -F'[/ ]' '{ print length($1) < 3 && $1 <= $2 ? "good" : $0 }' | sort -u)" good "the live line counts what is over, and nothing below"
tutti audit ask.yaml
like "$OUT" "it was mended" "the comment is recorded"

cat >width.yaml <<'YAML'
environment: width
resources:
  wait: {type: exec.command, for_each: ["漢字漢字漢字漢字漢字漢字", "äöüäöüäöüäöüäöüäöü\u202eäöüäöüäöüäöüäöü"], properties: {run: "sleep 0.5"}}
YAML
for wide in 60 61 62; do
        WIDE=$wide terminal apply width.yaml --yes --no-refresh
        screen_has '2 created|2 to create'; ok $? "a run on a terminal of $wide columns"
        ended
        is "$CODE" 0 "ends"
        iconv -f UTF-8 -t UTF-8 screen >/dev/null 2>&1; is $? 0 "the live line keeps characters whole"
        grep -q $'\u202e' screen; is $? 1 "and what turns the direction of writing is shown as text"
        is "$(perl -CSD -Mutf8 -ne 'for (split /\r/) { next unless /\d done, /; s/\e\[[0-9;]*[A-Za-z]//g; my $w = 0; $w += /\p{Han}/ ? 2 : 1 for split //, s/\n//r; print "$w " if $w > '"$wide"' }' screen)" \
                "" "and within its width"
        "$TUTTI" destroy width.yaml --yes >/dev/null
done
finish
