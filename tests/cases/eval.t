#!/bin/bash
# tutti eval, as a program that feeds it lines meets it: an answer a line whatever the line holds, and names that are not
# there found before anything is evaluated.
. "${BASH_SOURCE%/*}/engine.sh"
CONTEXT=$HERE/tests/cases/oracle/context.json
mkdir -p "$WORK/eval" && cd "$WORK/eval" || exit 1

lines() { # feeds standard input; OUT
        OUT=$("$TUTTI" eval --context "$CONTEXT")
}

# --- each line has its answer ---

lines < <(printf '1 + 1\n\n   \n"a" \r\n"\xff"\n"a\x00b"\nlocal.nums\n3')
is "$(wc -l <<<"$OUT")" 8 "eight lines, empty ones and the last without a newline among them, have eight answers"
is "$(sed -n 1p <<<"$OUT")" '{"value":2,"type":"number"}' "the first of them"
is "$(sed -n 2p <<<"$OUT")" '{"error":"1:1: expected an expression, found the end"}' "an empty line is no expression"
is "$(sed -n 4p <<<"$OUT")" '{"value":"a","type":"string"}' "a line may end in CR LF"
is "$(sed -n 5p <<<"$OUT")" '{"error":"1:1: this text is not UTF-8"}' "bytes that are not UTF-8 are refused"
is "$(sed -n 6p <<<"$OUT")" '{"value":"a\u0000b","type":"string"}' "a NUL byte is a character like others"
is "$(sed -n 8p <<<"$OUT")" '{"value":3,"type":"number"}' "the last one is not lost"

lines < <(printf '"%s" == "x"\n%s1\n1\n' "$(head -c 1000000 /dev/zero | tr '\0' a)" "$(head -c 100000 /dev/zero | tr '\0' '(')")
is "$(sed -n 1p <<<"$OUT")" '{"value":false,"type":"bool"}' "a line of a million bytes is read"
like "$(sed -n 2p <<<"$OUT")" 'nested too deeply' "one that is nested too deeply is refused"
is "$(sed -n 3p <<<"$OUT")" '{"value":1,"type":"number"}' "and the next one is answered"

# --- names are checked before anything is evaluated ---

lines <<'END'
can(local.nosuch)
try(local.peeple[0].name, "none")
true ? 1 : local.nosuch
[for x in [] : param.x]
local
keys(local)
local["s"]
[for local in [{x = 1}] : local.x]
can(local.m.nosuch)
local.nosuch + param.x
END
is "$(sed -n 1p <<<"$OUT")" '{"error":"1:5: there is no '"'local.nosuch'"' here"}' "can() does not excuse a name that is not there"
is "$(sed -n 2p <<<"$OUT")" '{"error":"1:5: there is no '"'local.peeple' here; did you mean 'local.people'?"'"}' \
        "nor does try(); what was meant is told"
like "$(sed -n 3p <<<"$OUT")" '1:12: there is no .local.nosuch' "nor a branch that is not taken"
like "$(sed -n 4p <<<"$OUT")" '1:16: there is no .param. here' "nor a loop over nothing"
for n in 5 6 7; do
        like "$(sed -n ${n}p <<<"$OUT")" "'local' is no value by itself; write local.NAME" "what gathers locals is no value ($n)"
done
is "$(sed -n 8p <<<"$OUT")" '{"value":[1],"type":"tuple([number])"}' "a variable of that name is one"
is "$(sed -n 9p <<<"$OUT")" '{"value":false,"type":"bool"}' "what is inside of a local is for can() to find out"
like "$(sed -n 10p <<<"$OUT")" 'local.nosuch.*; 1:16: there is no .param' "all problems come at once"

# --- an expression must be one that can stand inside of ${…} ---

lines <<'END'
1 // one
1 # one
1 /* one */
"a" + "b
END
like "$(sed -n 1p <<<"$OUT")" '1:3: a comment to the end of the line needs a next line' "a comment that hides what follows is refused"
like "$(sed -n 2p <<<"$OUT")" '1:3: a comment to the end' "in either form"
is "$(sed -n 3p <<<"$OUT")" '{"value":1,"type":"number"}' "one with an end is none"
like "$(sed -n 4p <<<"$OUT")" '"error":"1:' "a string without an end is an error with its place"
tutti eval --json $'1 + # one\n 2'
is "$CODE $OUT" '0 {"value":3,"type":"number"}' "with a next line it may stand"
finish
