#!/bin/bash
# A slip of the pen is told, with the name that was meant: in outputs, in attributes of objects, in parameters that an expression gives.
. "${BASH_SOURCE%/*}/engine.sh"
mkdir -p "$WORK/t" && cd "$WORK/t" || exit 1
wrong() { # NAME PATTERN ARGS…
        tutti "${@:3}"
        code 4 "$1"
        like "$ERR" "$2" "$1: is said"
}

# --- outputs: one letter would show a secret ---
for key in sensitve secret Sensitive; do
        cat >out.yaml <<YAML
environment: out
parameters: {pw: {type: string, default: s3cret}}
resources: {v: {type: value, properties: {input: 1}}}
outputs:
  pw: {value: "\${param.pw}", $key: true}
YAML
        wrong "an output with the key '$key'" "output.pw: unknown key '$key' in an output" check out.yaml
        tutti apply out.yaml --yes
        unlike "$OUT$ERR" s3cret "an output with the key '$key': nothing is shown"
done
cat >out.yaml <<'YAML'
environment: out
resources: {v: {type: value, properties: {input: 1}}}
outputs:
  plain: {host: a, port: 1}
  whole: {value: {value: 1, other: 2}, description: a map that has a value}
YAML
tutti apply out.yaml --yes
code 0 "a map is a value, and a map with a value is written as one"
tutti output out.yaml --json
is "$(jq -c . <<<"$OUT")" '{"plain":{"host":"a","port":1},"whole":{"other":2,"value":1}}' "both as they are meant"

# --- attributes ---
cat >attr.yaml <<'YAML'
environment: attr
parameters:
  groups: {type: 'map(object({port = optional(number), open = optional(bool)}))', default: {}}
  list: {type: 'list(object({name = string, at = optional(object({zone = string}))}))', default: []}
  any: {type: any, default: {a: 1, prt: 2}}
resources: {v: {type: value, properties: {input: ["${param.groups}", "${param.list}", "${param.any}"]}}}
YAML
tutti check attr.yaml
code 0 "attributes that there are"
printf 'groups: {a: {prt: 5}}\n' >a.yaml
wrong "in a file of values" "there is no attribute 'prt' in a; did you mean 'port'\?" check attr.yaml --values a.yaml
printf 'list: [{name: x}, {name: y, at: {zne: b}}]\n' >b.yaml
wrong "deep inside" "there is no attribute 'zne' in \[1\].at; did you mean 'zone'\?" check attr.yaml --values b.yaml
wrong "with --set" "there is no attribute 'opne' in x; did you mean 'open'\?" check attr.yaml --set 'groups={x = {opne = true}}'
TUTTI_PARAM_groups='{x = {opne = true}}' wrong "in a variable" "there is no attribute 'opne'" check attr.yaml
sed 's/default: {}}/default: {b: {prot: 1}}}/' attr.yaml >default.yaml
wrong "in a default" "the default does not fit the type: there is no attribute 'prot' in b; did you mean 'port'\?" check default.yaml
sed 's/^resources/resources/; /^parameters:/,$!d' attr.yaml >inner.yaml
{ echo "environment: outer"; echo 'template: inner2.yaml'; echo 'parameters: {groups: {z: {porrt: 1}}}'; } >outer.yaml
{ echo "template: inner2"; cat inner.yaml; } >inner2.yaml
wrong "in the environment's parameters" "there is no attribute 'porrt' in z; did you mean 'port'\?" check outer.yaml
cat >any.yaml <<'YAML'
environment: any
parameters: {rules: {type: any, default: [{protocol: tcp, direction: in, prt: 5}]}}
resources:
  net: {type: sandbox.network, properties: {name: n, cidr: 10.0.0.0/16}}
  fw: {type: sandbox.firewall, properties: {name: f, network_id: "${net.id}", rules: "${param.rules}"}}
YAML
export TUTTI_SANDBOX_ENDPOINT=http://127.0.0.1:1 TUTTI_SANDBOX_TOKEN=x
wrong "through any into a property" "property 'rules' of sandbox.firewall: there is no attribute 'prt' in \[0\]; did you mean 'port'\?" plan any.yaml
# What another resource has more than is asked for is no slip.
cat >more.yaml <<'YAML'
environment: more
resources:
  a: {type: value, properties: {input: {x: 1, y: 2}}}
  n: {type: template, template: takes.yaml, parameters: {it: "${a.output}"}}
YAML
printf 'template: takes\nparameters: {it: "object({x = number})"}\nresources: {v: {type: value, properties: {input: "${param.it}"}}}\n' >takes.yaml
tutti plan more.yaml
code 0 "an object of another resource may have more than a nested template takes"

# --- parameters of a nested template, given all at once ---
printf 'template: n\nparameters: {name: {type: string, default: d}}\nresources: {v: {type: value, properties: {input: "${param.name}"}}}\n' >n.yaml
printf 'environment: c\nresources: {n: {type: template, template: n.yaml, parameters: "${merge({name = \\"x\\"}, {nme = 2})}"}}\n' >c.yaml
wrong "computed parameters" "the nested template has no parameter 'nme'; did you mean 'name'\?" plan c.yaml
printf 'environment: c\nresources: {n: {type: template, template: n.yaml, for_each: {a: {name: x}, b: {nam: y}}, parameters: "${each.value}"}}\n' >c.yaml
wrong "of one of several instances" "n\[\"b\"\]: the nested template has no parameter 'nam'; did you mean 'name'\?" plan c.yaml

# --- what nothing uses is a warning ---
printf 'environment: w\nparameters: {a: string, b: {type: string, default: x, check: {that: "${param.b != \\"\\"}", message: m}}, c: {type: string, default: c}}\nresources: {n: {type: template, template: n.yaml}, v: {type: value, properties: {input: "${param.c}"}}}\n' >w.yaml
sed -i 's/parameters: {/parameters: {idle: {type: string, default: d}, /' n.yaml
tutti check w.yaml --set a=1
code 0 "unused parameters: it is sound"
like "$ERR" "warning: w.yaml:2:[0-9]+: param.a: nothing in the template uses this parameter" "unused parameters: one of them"
like "$ERR" "param.b: nothing" "unused parameters: one that only its own check looks at"
like "$ERR" "warning: .*n.yaml:2:[0-9]+: param.idle: nothing" "unused parameters: one of a nested template"
unlike "$ERR" "param.c" "unused parameters: but not one that is used"
tutti check w.yaml --set a=1 --json
is "$(jq -c '[.problems, (.warnings | map(.address) | sort)]' <<<"$OUT")" '[[],["param.a","param.b","param.idle"]]' "unused parameters: as JSON"
finish
