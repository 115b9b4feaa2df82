# Bash completion of dlg-text and dlg-grads. Everything is asked of the program's own --help, so that nothing here can be
# out of date: options, what they take, and the names that its closing tables list.

_dlg_text() {
    local word=${COMP_WORDS[COMP_CWORD]} option='' help argument names
    # Readline makes three words of --option=value.
    if [[ $word == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 1]} word=''
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word != -* && ${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then
        option=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    help=$("${COMP_WORDS[0]/#\~\//$HOME/}" --help 2> /dev/null) || return
    if [[ $word == -* ]]; then
        names=$(grep -oE -- '^ +(-., )?--[a-z-]+' <<< "$help" | grep -oE -- '--[a-z-]+')
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
        return
    fi
    argument=$(sed -nE "s/^ +(-., )?($option=|$option, --[a-z-]+=)([^ ]+).*/\3/p" <<< "${option:+$help}")
    case $argument in
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "${argument//|/ }" -- "$word") ;;
    NAME | SPEC)
        # Under "Attacks (--attack=NAME):" each line begins with one; a SPEC's number is the user's.
        names=$(sed -nE "/\($option=$argument\)/,/^\$/s/^  ([a-z0-9_]+:?).*/\1/p" <<< "$help")
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
        ;;
    DIR | FILE | '')
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen "$([[ $argument == DIR ]] && echo -d || echo -f)" -- "$word")
        ;;
    esac
}

complete -F _dlg_text dlg-text dlg-grads
