/**
 * Words for bash's completion.
 *
 * Bash parts the line at `:`, `@` and `=` too (`COMP_WORDBREAKS`), hands words over as they were typed, quotes, variables and
 * all, and puts a reply in the place of the last part alone. So an address never reached the program whole. The function here
 * stands before that of the parser library: it joins what no space parts, reads quotes and plain variables, of which nothing
 * is evaluated, and cuts from the replies what stands on the line already.
 *
 * @module
 */

/** The line of the library's script by which its function completes the command. */
const REGISTRATION = /-F _alknet\b/g;

const WORDS = `
# A word as the shell would hand it over: quotes and backslashes go, $NAME and \${NAME} are what they are; nothing is run.
function __alknet_word () {
  local text="$1" quote="" char name out=""
  while [[ -n "$text" ]]; do
    char="\${text:0:1}"; text="\${text:1}"
    if [[ "$quote" == "'" ]]; then
      if [[ "$char" == "'" ]]; then quote=""; else out+="$char"; fi
      continue
    fi
    case "$char" in
      "'") if [[ -z "$quote" ]]; then quote="'"; else out+="$char"; fi ;;
      '"') if [[ -z "$quote" ]]; then quote='"'; else quote=""; fi ;;
      '\\') out+="\${text:0:1}"; text="\${text:1}" ;;
      '$')
        if [[ "$text" =~ ^\\{([A-Za-z_][A-Za-z0-9_]*)\\} || "$text" =~ ^([A-Za-z_][A-Za-z0-9_]*) ]]; then
          name="\${BASH_REMATCH[1]}"
          text="\${text:\${#BASH_REMATCH[0]}}"
          out+="\${!name}"
        else out+="$char"; fi ;;
      *) out+="$char" ;;
    esac
  done
  __alknet_reply="$out"
}

function __alknet () {
  local __alknet_rest="\${COMP_LINE:0:COMP_POINT}" __alknet_part __alknet_at=-1 __alknet_spaced __alknet_reply __alknet_i
  local -a __alknet_words=()
  for ((__alknet_i=0; __alknet_i<=COMP_CWORD; __alknet_i++)); do
    __alknet_spaced=0
    while [[ "$__alknet_rest" == [[:space:]]* ]]; do
      __alknet_spaced=1
      __alknet_rest="\${__alknet_rest:1}"
    done
    __alknet_part="\${COMP_WORDS[__alknet_i]}"
    # Of the last one, what stands before the cursor.
    (( \${#__alknet_rest} < \${#__alknet_part} )) && __alknet_part="$__alknet_rest"
    if (( __alknet_at < 0 || __alknet_spaced )); then __alknet_words[++__alknet_at]="$__alknet_part"
    else __alknet_words[__alknet_at]+="$__alknet_part"; fi
    __alknet_rest="\${__alknet_rest:\${#__alknet_part}}"
  done
  local __alknet_whole="\${__alknet_words[__alknet_at]}"
  local __alknet_there="\${__alknet_whole:0:\${#__alknet_whole}-\${#2}}"
  for ((__alknet_i=1; __alknet_i<__alknet_at; __alknet_i++)); do
    __alknet_word "\${__alknet_words[__alknet_i]}"
    __alknet_words[__alknet_i]="$__alknet_reply"
  done
  local -a COMP_WORDS=("\${__alknet_words[@]}")
  local COMP_CWORD=$__alknet_at
  # Words are whole now: without the line there is nothing to join.
  local COMP_LINE
  unset COMP_LINE
  _alknet "$@"
  for __alknet_i in "\${!COMPREPLY[@]}"; do
    COMPREPLY[__alknet_i]="\${COMPREPLY[__alknet_i]#"$__alknet_there"}"
  done
}
`;

/** The library's script for bash, with these words before its function. */
export function withWholeWords(script: string): string {
  const at = script.lastIndexOf("\n# Bash 3.2 has no compopt");
  const end = at < 0 ? script.length : at;
  return `${script.slice(0, end)}\n${WORDS}${script.slice(end).replace(REGISTRATION, "-F __alknet")}`;
}
