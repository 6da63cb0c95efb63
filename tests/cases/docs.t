#!/bin/bash
# The documentation tells the truth: links lead somewhere, every command and flag is described wherever commands are, completion
# completes, and the examples of README and provider guide do what the text says.
. "${BASH_SOURCE%/*}/engine.sh"
cd "$HERE" || exit 1
PAGES=(README.md docs/*.md docs/decisions/*.md)

# Links: files that exist, headings that exist.
anchors() { sed -n 's/^##* //p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
broken=
checked=0
for page in "${PAGES[@]}"; do
        while IFS= read -r link; do
                case $link in http://* | https://* | mailto:*) continue ;; esac
                checked=$((checked + 1))
                file=${link%%#*}
                file=${file:+$(dirname "$page")/$file}
                file=${file:-$page}
                [ -e "$file" ] || broken="$broken $page:$link"
                case $link in *'#'*) anchors "$file" | grep -qxF -- "${link#*#}" || broken="$broken $page:$link" ;; esac
        done < <(awk '/^```/ { code = !code } !code' "$page" | sed 's/`[^`]*`//g' | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//')
done
is "$broken" "" "every relative link resolves"
[ "$checked" -gt 20 ]; ok $? "and there are some ($checked)"

# Paths of the tree that pages name in code: `src/run/operation.h`, `tests/lint/layers`.
missing=
while IFS=: read -r page path; do
        [ -e "$path" ] || missing="$missing $page:$path"
done < <(grep -oE '`(src|state|providers|templates|examples|tests|docs)/[A-Za-z0-9_./-]+`' "${PAGES[@]}" | tr -d '`' | sort -u |
        grep -vE ':(providers/(tiny|hello|NAME)|templates/NAME)')
is "$missing" "" "every file that pages name exists"

# Commands and flags, as the program itself has them.
mapfile -t COMMANDS < <(sed -n 's/^    {"\([a-z]*\)", "[^"]*", .*/\1/p' src/cli/commands.c; sed -n 's/^    {"\([a-z]*\)", "[^"]*",$/\1/p' src/cli/commands.c; echo sandbox)
mapfile -t KNOWN < <("$TUTTI" help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p')
is "$(printf '%s\n' "${COMMANDS[@]}" | sort -u)" "$(printf '%s\n' "${KNOWN[@]}" | sort -u)" "the command table lists what \`tutti help\` lists"
. docs/completion.bash
undescribed=
for c in "${COMMANDS[@]}"; do
        grep -qE "^    tutti ([a-z]+ \| )?$c( |\$)" docs/cli.md || undescribed="$undescribed cli.md:$c"
        grep -qE "^\.It Cm $c( |\$)" docs/tutti.1 || undescribed="$undescribed tutti.1:$c"
        [[ " ${_tutti_commands//$'\n'/ } " == *" $c "* ]] || undescribed="$undescribed completion:$c"
done
is "$undescribed" "" "every command is in cli.md, the man page and the completion"
flags() { if [ "$1" = sandbox ]; then "$TUTTI" sandbox --help; else "$TUTTI" help "$1"; fi | grep -oE -- '--[a-z][a-z-]*' | sort -u; }
undescribed=
for f in $(for c in "${COMMANDS[@]}"; do flags "$c"; done | sort -u); do
        grep -qE -- "\`$f[ \`]" docs/cli.md || undescribed="$undescribed cli.md:$f"
        grep -qE -- "Fl -${f#--}( |\$)" docs/tutti.1 || undescribed="$undescribed tutti.1:$f"
done
is "$undescribed" "" "every flag is in cli.md and the man page"
# Each row of the flags' table names the commands that take them.
wrong=
rows=0
for c in "${COMMANDS[@]}"; do flags "$c" | sed "s/^/$c /"; done | sort -u >"$WORK/takes"
while IFS='@' read -r names on; do
        rows=$((rows + 1))
        for f in $(grep -oE '`--[a-z][a-z-]*' <<<"$names" | tr -d '`'); do
                listed=$(sed 's/^all but //; s/approver keygen/approver/' <<<"$on" | tr -d ' ' | tr ',' '\n' | sort -u)
                case $on in
                "all but "*) listed=$(printf '%s\n' "${COMMANDS[@]}" | sort -u | grep -vxF "$listed") ;;
                all*) continue ;;
                esac
                [ "$listed" = "$(sed -n "s/^\([a-z]*\) $f\$/\1/p" "$WORK/takes" | sort -u)" ] || wrong="$wrong $f"
        done
done < <(sed -n '/^| flag | on |/,/^$/s/^| \(`-.*`\) | \([^|]*\) | .*/\1@\2/p' docs/cli.md)
is "$wrong" "" "and each on the commands that take it"
[ "$rows" -gt 25 ]; ok $? "in $rows rows"
# What a flag takes is called the same everywhere, and completion steps over it when it counts words.
arguments() { "$TUTTI" help "$1" | sed -nE 's/^  --([a-z-]+) ([A-Za-z=|.]+)  .*/\1 \2/p'; }
wrong=
taking=0
steps_over=$(declare -f _tutti_position | tr -d '|\\')
while read -r f argument; do
        taking=$((taking + 1))
        grep -qF -- "\`--$f ${argument//|/\\|}\`" docs/cli.md || wrong="$wrong cli.md:$f"
        grep -qE -- "Fl -$f (Ar|Cm)" docs/tutti.1 || wrong="$wrong tutti.1:$f"
        [[ " ${steps_over//$'\n'/ }" =~ " --$f"[\ \)] ]] || wrong="$wrong completion:$f"
        (_tutti_files() { :; }; _tutti_yaml() { :; }; _tutti_addresses() { :; }; _tutti_gates() { :; }; cur=; _tutti_flag_argument "--$f") ||
                wrong="$wrong argument:$f"
done < <(for c in "${COMMANDS[@]}"; do [ "$c" = sandbox ] || arguments "$c"; done | sort -u)
is "$wrong" "" "what flags take is in cli.md, the man page and the completion"
[ "$taking" -gt 15 ]; ok $? "of $taking flags"
# A command's usage is what cli.md shows, and names flags that it takes.
wrong=
for c in "${COMMANDS[@]}"; do
        [ "$c" != sandbox ] || continue
        usage=$("$TUTTI" help "$c" | sed -n '1s/^usage: //p')
        for f in $(grep -oE -- '--[a-z-]+' <<<"$usage"); do
                flags "$c" | grep -qxF -- "$f" || wrong="$wrong $c:$f"
        done
        case $c in state | schema | version | help) continue ;; esac # in several lines, or in one with others
        grep -qF -- "    $usage" docs/cli.md || wrong="$wrong cli.md:$usage"
done
is "$wrong" "" "usages are as cli.md shows them"
# Variables that the program reads.
wrong=
for v in $(grep -ohE 'getenv\("TUTTI_[A-Z_]+"\)' -r src state providers | grep -oE 'TUTTI_[A-Z_]+' | sort -u); do
        grep -qE "^\|.*\`$v\`" docs/cli.md || wrong="$wrong cli.md:$v"
        case $v in TUTTI_FAULT | TUTTI_STRICT | TUTTI_CLOCK_OFFSET) continue ;; esac # for tests
        grep -qE "^\.It Ev .*$v" docs/tutti.1 || wrong="$wrong tutti.1:$v"
done
is "$wrong" "" "so are the variables that the program reads"
described=$(grep -oE '^\| `?[0-9]+' docs/cli.md | tr -dc '0-9\n' | tr '\n' ' ')
is "$described" "$(sed -n '/^enum exit_code/,/^}/s/.*= \([0-9]*\),.*/\1/p' src/cli/command.h | tr '\n' ' ')" "cli.md lists the exit codes there are"
is "$(sed -n 's/^\.It \([0-9]*\)$/\1/p' docs/tutti.1 | tr '\n' ' ')" "$described" "so does the man page"
is "$(grep -oE '^\| [0-9]+ ' README.md | tr -dc '0-9\n' | tr '\n' ' ')" "$described" "and README"
if command -v mandoc >/dev/null; then
        is "$(mandoc -Tlint -Wstyle docs/tutti.1 2>/dev/null | grep -v 'outdated mandoc.db')" "" "mandoc finds nothing wrong with the man page"
fi

listed=$(unset TUTTI_PROVIDERS; "$TUTTI" provider list --json | jq -r '[.[].type | split(".")[0]] | unique | join(" ")')
described=$(sed -n '/^| provider |/,/^$/s/^| `\([a-z]*\)` .*/\1/p' README.md | sort | paste -sd' ')
is "$described" "$listed" "README tells of every provider that there is"
types=$("$TUTTI" provider list --json | jq '[.[] | select(.type | startswith("sandbox."))] | length')
like "$(grep '^| `sandbox`' README.md)" ", $types types" "and how many types the practice cloud has"

# Targets of make that pages name.
missing=
for t in $(grep -ohE '\bmake [a-z]+' "${PAGES[@]}" | awk '{print $2}' | sort -u); do
        case $t in it | the | a | an | room | sure | its) continue ;; esac
        grep -qE "^$t:" Makefile || missing="$missing $t"
done
is "$missing" "" "every make target that pages name exists"

# Completion, in a shell of its own.
complete_line() { # WORD… → the completions of the last one
        PATH=$(dirname "$TUTTI"):$PATH bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tutti 2>/dev/null
                printf "%s\n" "${COMPREPLY[@]}"' - "$HERE/docs/completion.bash" "$@" | paste -sd' '
}
bash -n docs/completion.bash; ok $? "the completion is sound"
like "$(bash -c '. docs/completion.bash; complete -p tutti')" '_tutti' "and registers itself"
is "$(complete_line tutti pl)" plan "tutti pl is plan"
is "$(complete_line tutti sh)" show "tutti sh is show"
for c in "${COMMANDS[@]}"; do
        want=$(flags "$c" | paste -sd' ')
        got=$(complete_line tutti "$c" -- | tr ' ' '\n' | sort -u | paste -sd' ')
        [ "$c" = sandbox ] && got="--help $got" want="--help $want" && got=$(tr ' ' '\n' <<<"$got" | sort -u | paste -sd' ') want=$(tr ' ' '\n' <<<"$want" | sort -u | paste -sd' ')
        [ "$got" = "$want" ] || { is "$got" "$want" "the flags of $c are completed"; continue; }
        flags_right=$((flags_right + 1))
done
is "$flags_right" "${#COMMANDS[@]}" "each command's flags are completed"

# Examples: taken out of the pages as they stand there.
extract() { # PAGE → files below the current folder
        awk '/^<!-- file: / { name = $3 } /^```/ { if (out != "") { close(out); out = "" } else if (name != "") {
                out = name; name = ""; folder = out; if (sub(/\/[^\/]*$/, "", folder)) system("mkdir -p " folder); next } }
                out != "" { print > out }' "$1"
}
engine_sandbox --no-ssh --latency 50ms
mkdir "$WORK/guide" && cd "$WORK/guide" || exit 1
extract "$HERE/docs/provider-guide.md"
is "$(wc -l <providers/tiny/provider.yaml)" 20 "the manifest has twenty lines"
is "$(awk '/^provider: tiny/ { on = 1 } /^```/ { on = 0 } on' "$HERE/README.md")" "$(cat providers/tiny/provider.yaml)" "README shows the same one"
export TINY_URL=$URL TINY_TOKEN=$TOKEN
tutti provider show tiny.disk
code 0 "its type can be shown"
like "$OUT" "size.*number, required" "with its properties"

story() { # ENV.yaml PROPERTY
        tutti apply "$1" --yes "${@:3}"
        code 0 "$1: a disk is created"
        DISK=$("$TUTTI" output "$1" disk)
        call GET "/v1/volumes/$DISK"
        field .size_gb 10 "$1: it is there"
        tutti plan "$1" --detailed-exitcode "${@:3}"
        code 0 "$1: a repeated plan says no changes"
        call PATCH "/v1/volumes/$DISK" '{"size_gb": 15}'
        tutti drift "$1" --detailed-exitcode "${@:3}"
        code 2 "$1: drift is found"
        sed -i "s/$2: 10/$2: 20/" "$1"
        tutti apply "$1" --yes "${@:3}"
        code 0 "$1: it is changed"
        call GET "/v1/volumes/$DISK"
        field .size_gb 20 "$1: in place"
        "$TUTTI" state rm "$1" data >/dev/null
        tutti import "$1" data "$DISK" "${@:3}"
        code 0 "$1: it can be imported"
        tutti plan "$1" --detailed-exitcode "${@:3}"
        code 0 "$1: and is as described"
        tutti destroy "$1" --yes "${@:3}"
        code 0 "$1: it is deleted"
        is "$(orphans)" "" "$1: and gone"
}
story disks.yaml size

sed -i 's/create_only: true/create_onyl: true/' providers/tiny/provider.yaml
tutti provider show tiny.disk
code 4 "a mistake in the manifest is refused"
like "$ERR" "$(sed -n 's/^    error: \(tiny.*\)/\1/p' "$HERE/docs/provider-guide.md")" "with the message that the guide shows"

# The same in C: built as the guide says, warnings being errors.
if command -v cc >/dev/null; then
        sed -n '/^<!-- command: build -->/,/^```$/p' "$HERE/docs/provider-guide.md" | grep -v -e '^```' -e '^<!--' |
                sed 's/-Wextra/-Wextra -Werror/' >build.sh
        TUTTI_SOURCE=$HERE sh -e build.sh >"$WORK/out" 2>"$WORK/err"
        CODE=$?
        code 0 "the plug-in of the guide is built by the guide's command"
        export TUTTI_PROVIDERS=$PWD/plugins
        tutti provider show tinyc.disk
        code 0 "and found in TUTTI_PROVIDERS"
        export TUTTI_PARAM_endpoint=$URL TUTTI_PARAM_token=$TOKEN
        call POST /_control '{"visible_after": "300ms"}'
        is "$STATUS" 200 "in a cloud where fresh objects are invisible for a while"
        story cdisks.yaml size_gb
        call POST /_control '{"visible_after": "0"}'
        # Killed while it creates, then resumed: one object, not two.
        for at in 2 3 4 5 6; do
                (TUTTI_FAULT=kill:$at "$TUTTI" apply cdisks.yaml --yes >/dev/null 2>&1; exit $?) 2>/dev/null
                [ $? = 137 ] && killed=$((killed + 1))
                tutti apply cdisks.yaml --yes
                [ "$CODE" = 0 ] || code 0 "after kill $at the creation goes on"
                [ "$(orphans)" = data ] || is "$(orphans)" data "after kill $at there is one disk"
                tutti destroy cdisks.yaml --yes
        done
        is "$killed" 5 "five creations were killed"
        is "$(orphans)" "" "each went on, was destroyed, and left nothing"
fi

# README's template, and the commands that it shows for it.
mkdir "$WORK/readme" && cd "$WORK/readme" || exit 1
extract "$HERE/README.md"
tutti check staging.yaml
code 0 "README's template is sound"
tutti plan staging.yaml -o today.plan
code 0 "it can be planned"
tutti apply today.plan
code 3 "the saved plan runs up to the gate"
tutti approve staging.yaml go-live
code 0 "the gate is approved"
tutti resume staging.yaml
code 0 "and the run goes on"
tutti drift staging.yaml --detailed-exitcode
code 0 "there is no drift"
tutti audit staging.yaml
code 0 "the log holds"
tutti destroy staging.yaml --yes
code 0 "and away with it"
is "$(orphans)" "" "nothing is left"

tutti init hello
code 0 "the first environment of README is made"
cd hello && tutti apply environment.yaml --yes
code 0 "and applied"
finish
