# Bash completion for tutti. Source it, or put it into a folder of bash-completion as `tutti`.
#
# Commands stand here; their flags are asked of the program itself (`tutti help COMMAND`, some milliseconds), and so are the
# addresses, gates, runs and outputs of the environment that the line names. Nothing here touches a cloud.

_tutti_commands='init check plan apply destroy resume rollback approve approver status runs show output graph drift import state audit notify provider schema eval
sandbox version help'

# Strings of one member of a compact JSON text on standard input, one per line: _tutti_json NAME [WHAT-FOLLOWS]
_tutti_json() {
        grep -oE "\"$1\":\"([^\"\\\\]|\\\\.)*\"${2-}" | sed -E "s/^\"$1\":\"//; s/\"${2-}\$//; s/\\\\(.)/\\1/g"
}

_tutti_ask() { # the program that stands in the line, with a deadline
        timeout 2 "$_tutti_program" "$@" 2>/dev/null </dev/null
}

_tutti_environment() { # the first YAML file of the line
        local word
        for word in "${COMP_WORDS[@]:2}"; do
                case $word in *.yaml | *.yml) [ -f "$word" ] && printf '%s\n' "$word" && return ;; esac
        done
        return 1
}

# Completes the current word with lines of standard input, quoted for the shell: web\[0\], subnet\[\"a\"\]
_tutti_lines() {
        local line word quote=
        case $cur in [\'\"]*) quote=${cur:0:1} ;; esac
        while IFS= read -r line; do
                if [ "$quote" = "'" ]; then
                        word="'$line'"
                elif [ "$quote" = '"' ]; then
                        word="\"${line//\"/\\\"}\""
                else
                        printf -v word %q "$line"
                fi
                case $word in "$cur"*) COMPREPLY+=("$word") ;; esac
        done
}

_tutti_words() { while IFS= read -r; do COMPREPLY+=("$REPLY"); done < <(compgen -W "$1" -- "$cur"); }
_tutti_files() { # a suffix, or none for any file
        local name
        compopt -o filenames 2>/dev/null
        while IFS= read -r name; do
                [ -d "$name" ] || [ -z "${1-}" ] || [[ $name =~ $1 ]] || continue
                COMPREPLY+=("$name")
        done < <(compgen -f -- "$cur")
}
_tutti_yaml() { _tutti_files '\.ya?ml$'; }
_tutti_addresses() { local env; env=$(_tutti_environment) && _tutti_lines < <(_tutti_ask state list "$env" --json | _tutti_json address); }
_tutti_gates() { local env; env=$(_tutti_environment) && _tutti_lines < <(_tutti_ask status "$env" --json | _tutti_json name ',"status":"waiting"'); }
_tutti_runs() { local env; env=$(_tutti_environment) && _tutti_lines < <(_tutti_ask runs "$env" --json | _tutti_json id); }
_tutti_outputs() { local env; env=$(_tutti_environment) && _tutti_lines < <(_tutti_ask output "$env" | sed -n 's/^\([A-Za-z_][A-Za-z0-9_-]*\) = .*/\1/p'); }
_tutti_types() { _tutti_lines < <(_tutti_ask provider list --json | _tutti_json type ',"lookup"'); }

_tutti_flags() {
        local flags
        if [ "$1" = sandbox ]; then
                flags='--listen --token --latency --rate --data --no-ssh --no-name-unique --no-idempotency --allow-public'
        else
                flags=$(_tutti_ask help "$1" | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
        fi
        _tutti_words "$flags"
}

# What a flag takes; 1 when it takes nothing.
_tutti_flag_argument() {
        case $1 in
        --values) _tutti_yaml ;;
        --context) _tutti_files '\.json$' ;;
        -o | --out | --key | --signature) _tutti_files ;;
        --target | --exclude) _tutti_addresses ;;
        --approve) _tutti_gates; _tutti_words all ;;
        --format) _tutti_words 'dot mermaid svg json' ;;
        --on-failure) _tutti_words 'stop-dependants stop-run rollback ask' ;;
        --log-level) _tutti_words 'error warn info debug' ;;
        --data) _tutti_files '^$' ;;
        --answer) _tutti_words 'retry skip abort adopt forget' ;;
        --set | --accept-provider | --parallel | --wait | --valid | --comment | --as | --state | --listen | --token | --latency | --rate) ;;
        *) return 1 ;;
        esac
}

# The how-manieth positional word the current one is, behind the command.
_tutti_position() {
        local i n=1
        for ((i = 2; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --values | --context | -o | --out | --target | --exclude | --accept-provider | --approve | --format | --log-level | --set | --parallel | --wait | \
                        --on-failure | --comment | --as | --answer | --state | --key | --signature | --valid) ((i++)) ;;
                -*) ;;
                *) ((n++)) ;;
                esac
        done
        echo "$n"
}

_tutti_positional() {
        local command=$1 position
        position=$(_tutti_position)
        case $command:$position in
        init:1) _tutti_files '^$' ;;
        apply:1) _tutti_files ;; # an environment or a saved plan
        approve:2) _tutti_gates ;;
        show:2 | rollback:2) _tutti_runs ;;
        output:2) _tutti_outputs ;;
        state:3) if [ "${COMP_WORDS[2]}" = import ]; then _tutti_files '\.json$'; else _tutti_addresses; fi ;;
        import:2 | state:4) _tutti_addresses ;;
        approver:1) _tutti_words keygen ;;
        state:1) _tutti_words 'list show mv rm export import history' ;;
        state:2) _tutti_yaml ;;
        provider:1) _tutti_words 'list show' ;;
        provider:2) [ "${COMP_WORDS[2]}" = show ] && _tutti_types ;;
        help:1) _tutti_words "$_tutti_commands" ;;
        check:1 | plan:1 | destroy:1 | resume:1 | rollback:1 | approve:1 | status:1 | runs:1 | show:1 | output:1 | graph:1 | drift:1 | import:1 | audit:1 | notify:1)
                _tutti_yaml ;;
        esac
        return 0
}

_tutti() {
        local cur=${COMP_WORDS[COMP_CWORD]} _tutti_program
        COMPREPLY=()
        _tutti_program=$(type -P "${COMP_WORDS[0]}") || _tutti_program=tutti
        if [ "$COMP_CWORD" -le 1 ]; then
                _tutti_words "$_tutti_commands"
        elif [[ $cur == -* ]]; then
                _tutti_flags "${COMP_WORDS[1]}"
        elif ! _tutti_flag_argument "${COMP_WORDS[COMP_CWORD - 1]}"; then
                _tutti_positional "${COMP_WORDS[1]}"
        fi
}
complete -F _tutti tutti
