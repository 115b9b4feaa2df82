# completions/dlg-text.bash: what readline would be given for a command line, whose words it parts at '='.
. "$DLG_SOURCE/completions/dlg-text.bash"
completed() { # WORD...; the last one is being typed
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _dlg_text
    echo " ${COMPREPLY[*]} "
}
try() { # PATTERN WORD...
    local wanted=$1
    shift
    found=$(completed "$@")
    check "$wanted for $*, found $found" eval '[[ $found == $wanted ]]'
}
try ' --attack ' dlg-text --at
try '* --grads * --know * --quiet *' dlg-text --
try '* --defend * --output *' dlg-grads --
try ' dlg dager ' dlg-text --attack d
try ' auto *' dlg-text --attack =
try ' lamp ' dlg-text --attack = la
try ' gaussian: ' dlg-grads --defend = ga
try ' int8 ' dlg-grads --defend i
try ' tiny mini small medium base ' dlg-text --preset ''
try ' always ' dlg-grads --color = al
try ' sentence ' dlg-text --descend = s
touch one.g two.g
mkdir some
try ' one.g ' dlg-text o
try ' one.g ' dlg-text --grads = o
try ' two.g ' dlg-grads -o t
try ' some ' dlg-text --model ''
