# Files that cannot be written: exit 1, one line, and neither gradient nor truth nor a piece of them is left.
mkdir m
check 'a model' make_model m mlm
full() { ( # BLOCKS COMMAND...: with files of at most that many KiB, as if the disk were full
    trap '' XFSZ
    ulimit -f "$1"
    shift
    "$@"
); }

refused 1 'dlg-grads: bert.truth.json: *too large*' full 1 dlg-grads {1..40} --model m # the truth comes first
refused 1 'dlg-grads: bert.g: *too large*' full 4 dlg-grads 'the red fish' --model m
refused 1 'dlg-grads: bert.g: *too large*' full 4 dlg-grads 'the red fish' --model m --no-truth
check 'that what fits is written' full 40 dlg-grads 'the red fish' --model m
refused 1 'dlg-grads: bert.g: *too large*' full 4 dlg-grads 'a bird flies' --model m # the old files stay
rm bert.*

mkdir taken
refused 1 'dlg-grads: taken: Is a directory' dlg-grads 'the red fish' --model m -o taken --truth t.json
refused 1 'dlg-grads: taken: Is a directory' dlg-grads 'the red fish' --model m --truth taken
no_folder() { # FOLDER FILE ARGUMENTS...
    refused 1 "dlg-grads: $1: want a folder to write $2 to, found none" dlg-grads 'the red fish' --model m "${@:3}"
}
no_folder nowhere bert.truth.json -o nowhere/bert.g
no_folder nowhere bert.g -o nowhere/bert.g --truth t.json
no_folder no/where bert.g -o no/where/bert.g --no-truth
no_folder nowhere t.json --truth nowhere/t.json
refused 1 'dlg-grads: m/config.json/bert.g: Not a directory' \
    dlg-grads 'the red fish' --model m -o m/config.json/bert.g --no-truth
if [ "$(id -u)" -ne 0 ]; then # root may write anywhere
    mkdir locked && chmod a-w locked
    refused 1 'dlg-grads: locked/bert.g: Permission denied' \
        dlg-grads 'the red fish' --model m -o locked/bert.g --truth t.json
fi
if [ -e /dev/full ]; then
    check 'exit 1 when the result cannot be printed' eval 'dlg-grads "the red fish" --model m > /dev/full; [ $? -eq 1 ]'
    check 'files that are whole even so' compare_gradients bert.g bert.g 0
fi
