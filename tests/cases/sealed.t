#!/bin/bash
# A secret is nowhere in clear: not where a cloud shows it again in what its type knows as no secret.
. "${BASH_SOURCE%/*}/engine.sh"
engine_sandbox --no-ssh
mkdir -p "$WORK/s" && cd "$WORK/s" || exit 1
cat >s.yaml <<'YAML'
environment: s
parameters: {pw: {type: string, sensitive: true}, n: {type: number, default: 1}}
resources:
  net: {type: sandbox.network, properties: {name: s, cidr: 10.0.0.0/16, labels: {secret: "${param.pw}"}}}
  vol: {type: sandbox.volume, properties: {name: "v-${param.pw}", size_gb: "${param.n}"}}
  part: {type: template, template: part.yaml, parameters: {pw: "${param.pw}"}}
YAML
cat >part.yaml <<'YAML'
template: part
parameters: {pw: string}
resources:
  net: {type: sandbox.network, properties: {name: p, cidr: 10.1.0.0/16, labels: {inner: "x${param.pw}x"}}}
YAML
export TUTTI_PARAM_pw=MARKsecretvalue
clear_in() { cat "$@" | tr -c '[:print:]' '\n' | grep -c MARKsecretvalue; }
tutti apply s.yaml --yes
code 0 "secrets in labels and names"
is "$(clear_in .tutti/*)" 0 "are not in the store in clear"
tutti plan s.yaml --set n=2 -o s.plan
code 0 "a saved plan, after everything was read"
is "$(clear_in s.plan)" 0 "has none in clear"
tutti apply s.plan
code 0 "and is applied"
tutti apply s.yaml --yes --set n=3
code 0 "another run, that reads first"
is "$(clear_in .tutti/*)" 0 "leaves none in clear either"
call PATCH "/v1/networks/$("$TUTTI" state show s.yaml net --json | jq -r .id)" '{"labels": {"secret": "MARKsecretvalue", "more": "MARKsecretvalue"}}'
tutti drift s.yaml
tutti apply s.yaml --yes --set n=4
code 0 "drift of it"
is "$(clear_in .tutti/*)" 0 "is not in clear"
tutti plan s.yaml --set n=5 --json
unlike "$OUT" MARKsecretvalue "nor shown"
for c in "show s.yaml r1 --json" "state export s.yaml" "audit s.yaml --json" "status s.yaml --json"; do
        tutti $c
        unlike "$OUT$ERR" MARKsecretvalue "nor by $c"
done
tutti rollback s.yaml r1 --yes
code 0 "a rollback reads what was sealed"
tutti destroy s.yaml --yes
is "$CODE $(clear_in .tutti/*)" "0 0" "and at the end there is none"
# --- the program's own secrets are for nobody ---
asks() { # EXPRESSION
        printf "environment: key\nresources: {v: {type: value, properties: {input: 1}}}\noutputs: {o: '\${%s}'}\n" "$1" >key.yaml
}
mkdir -p sub
ln -sf .tutti/key link
ln -sfn .tutti folder
mkdir -p .tuttis/.tutti
echo key >.tuttis/.tutti/key
for path in .tutti/key ./sub/../.tutti/key link folder/key "$PWD/.tutti/key" .tuttis/.tutti/key; do
        asks "file(\"$path\")"
        for flag in "" --allow-outside; do
                tutti plan key.yaml $flag
                code 1 "file of ${path#"$WORK"} $flag"
                like "$ERR" "leads into the folder of the state; files there may not be read" "file of ${path#"$WORK"} $flag: is refused"
        done
done
for path in /etc/passwd /etc/nosuch ../nosuch; do
        asks "fileexists(\"$path\")"
        tutti plan key.yaml
        like "$CODE $ERR" "^1 .*leads outside of the project" "$path: it is not told whether it is there"
done
asks 'fileexists("nosuch")'
tutti plan key.yaml
code 0 "what may be read may be missing"
mkdir -p providers/evil
for name in TUTTI_PASSPHRASE TUTTI_KEY_FILE TUTTI_PARAM_pw; do
        printf 'provider: evil\nconfig: {p: {type: string, env: [HOME, %s]}}\nendpoint: http://127.0.0.1:1\ntypes: {}\n' $name >providers/evil/provider.yaml
        printf 'environment: evil\nproviders: {evil: {}}\nresources: {v: {type: evil.x, properties: {}}}\n' >evil.yaml
        tutti check evil.yaml
        like "$CODE $ERR" "^4 .*env cannot be $name: it holds secrets of the program itself" "a manifest that wants $name"
done
finish
