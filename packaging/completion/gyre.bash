# Completion of gyre's command lines in bash. The program itself says what may stand at the cursor,
# so that this script knows no command and no option. Source it where gyre is not installed.
# shellcheck shell=bash

# The words of the line up to the cursor, without the program's name, in `words`: bash takes KEY=VALUE
# for three words. Quotes and backslashes are taken off.
_gyre_words() {
    local i word joined=''
    words=()
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]//[\\\"\']/}
        if [[ ${#words[@]} -gt 0 && ($word == =* || $joined == yes) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        joined=no
        [[ $word != *= ]] || joined=yes
    done
}

_gyre() {
    local words line word before='' part found program=${1/#\~\//$HOME/}
    _gyre_words
    word=${words[-1]}
    part=$word
    [[ $word != *=* || $COMP_WORDBREAKS != *=* ]] || before=${word%"${word##*=}"} # bash keeps this part
    part=${word#"$before"}
    COMPREPLY=()
    while IFS= read -r line; do
        found=()
        case $line in
        :folders) mapfile -t found < <(compgen -d -- "$part") ;;
        ":files "*) mapfile -t found < <(compgen -f -X "!*.${line#* }" -- "$part" && compgen -d -- "$part") ;;
        :files) mapfile -t found < <(compgen -f -- "$part") ;;
        *)
            printf -v line %q "${line#"$before"}"
            COMPREPLY+=("$line")
            [[ $line != *[=/] ]] || compopt -o nospace
            continue
            ;;
        esac
        compopt -o filenames
        COMPREPLY+=(${found[@]+"${found[@]}"})
    done < <("$program" --complete "${words[@]}" 2>/dev/null)
}

complete -F _gyre gyre
