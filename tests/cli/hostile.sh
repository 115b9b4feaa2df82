# What surrounds the programs may be hostile too: closed descriptors, pipes and devices as outputs, limits of files and
# memory, files that shrink while they are read, names and metadata that a terminal would obey. One line and the right
# exit status, nothing left behind.
export LC_ALL=C
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
check 'a gradient' dlg-grads 'the red fish swims under the tree' --model m -o good.g
attack() { dlg-text good.g --model m --iterations 2 --starts 1 --threads 1 "$@"; }
count_files() { find . -mindepth 1 | wc -l; }

# ---- outputs that are no regular files are written to ----
mkfifo pipe
cat pipe > copy.g &
check 'a gradient into a pipe' dlg-grads 'the red fish swims under the tree' --model m -o pipe --no-truth
wait $!
check 'which is still one' [ -p pipe ]
check 'and passed it on' cmp copy.g good.g
check 'nothing is lost in /dev/null' dlg-grads 'a bird' --model m -o /dev/null --no-truth
check 'which is still a device' [ -c /dev/null ]
dlg-grads 'a bird' --model m -o pipe --no-truth 2> err.txt &
for ((n = 0; n < 50; n++)); do grep -qs 'S\|D' "/proc/$!/stat" && sleep 0.02; done # nobody reads: it waits
kill -INT $! && wait $!
check 'waiting for a reader it hears an interrupt' [ $? -eq 130 ]

# ---- standard descriptors ----
check 'no standard output' eval 'attack -q >&- 2> err.txt; [ $? -eq 1 ] && [ "$(wc -l < err.txt)" -eq 1 ]'
check 'no standard error' eval 'attack --checkpoint a.journal 2>&- > out.txt'
check 'whose words are not in the journal' \
    eval '! grep -aq "iteration 0, distance\|span check" a.journal &&
        attack --checkpoint a.journal --resume -q > again.txt'
check 'no standard input' eval 'dlg-grads --model m -o x.g <&- 2> err.txt; [ $? -eq 1 ] && [ ! -e x.g ]'
rm -f a.journal

# ---- limits ----
before=$(count_files)
check 'a limit of file sizes' eval '(ulimit -f 4; dlg-grads "a bird" --model m -o big.g 2> err.txt); [ $? -eq 1 ]'
check 'one line' eval '[ "$(wc -l < err.txt)" -eq 1 ] && grep -q "^dlg-grads: big.g: File too large$" err.txt'
check 'nothing left behind' [ "$(count_files)" -eq "$before" ]
refused 1 'dlg-text: *no memory*' dlg-text good.g --model m --memory 20K
refused 64 'dlg-text: --memory: want a number of bytes such as 500M or 2G, found "0"' \
    dlg-text good.g --model m --memory 0
refused 64 'dlg-text: --memory: want a number of bytes*' dlg-text good.g --model m --memory 2X
refused 64 'dlg-text: --memory: want a number of bytes*' dlg-text good.g --model m --memory 99999999T
check 'enough' eval 'attack -q --memory 1G > out.txt'
if ! grep -aq __asan_init "$(command -v dlg-text)"; then # AddressSanitizer reserves terabytes
    for size in 60000 100000 150000 200000; do
        (
            ulimit -v $size
            timeout 60 dlg-text good.g --model m --iterations 2 --starts 1 --threads 2 -q > out.txt 2> err.txt
        )
        code=$?
        check "an address space of $size KB: a result or one line, found $code" \
            eval '[ $code -eq 0 ] || [ $code -eq 1 -a $(wc -l < err.txt) -eq 1 ] || [ $code -eq 127 ]'
        # 127: the libraries themselves could not be loaded
    done
fi


header_bytes=$(od -An -t u8 -N 8 good.g | tr -d ' ')

# ---- metadata and names ----
rewrite() { # SED_EXPRESSION: bad.g with the header changed, of the same data
    local header
    header=$(tail -c +9 good.g | head -c "$header_bytes" | sed -E "$1")
    for ((i = 0; i < 8; i++)); do printf "\\x$(printf %02x $((${#header} >> 8 * i & 255)))"; done > bad.g
    printf %s "$header" >> bad.g
    tail -c +$((9 + header_bytes)) good.g >> bad.g
}
rewrite 's/"batch_size":"1"/"batch_size":"1024"/'
accepted 'Not recovered: no attack could begin.*batch_size: want at most the 25 sentences*found*1024*' '*' \
    dlg-text bad.g --model m --threads 1
rewrite 's/"model":"m"/"model":"tiny","model_seed":"0","n_labels":"16777216"/; s/"task":"mlm"/"task":"cls"/'
refused 1 'dlg-text: bad.g: metadata n_labels: want the 0 classes of classifier.bias, found 16777216' dlg-text bad.g
rewrite "s/cls.predictions.bias/cls.$(printf '\xc2\x9b2J\xe2\x80\xae\xe2\x81\xa6\xc2\x85')/"
refused 1 'dlg-text: bad.g: tensor cls.?2J??? is not a parameter of m (mlm)' dlg-text bad.g --model m
odd=$(printf 'a\xff\x80\x80\x80\x80\x80\x80\x80\xc2\x9b.g')
cp good.g "$odd"
check 'a name that is no UTF-8' \
    eval 'dlg-text "$odd" --model m --iterations 2 --starts 1 --threads 1 --json > out.json 2> err.txt'
check 'is UTF-8 in JSON, its control escaped' \
    eval 'grep -q "\"gradient\":\"a$(printf "\xef\xbf\xbd")" out.json && grep -q "u009b" out.json'
check 'and shows nothing to a terminal' \
    eval '! dlg-text "$odd" --model m --iterations 2 --starts 1 --threads 1 2>&1 | grep -q "$(printf "\xc2\x9b")"'

# ---- values ----
dlg-grads 'the red fish swims' 'a bird flies' --model m -o two.g --defend prune:0.9999 --no-truth > out.txt
for attack in auto dlg idlg tag lamp restricted dager; do
    check "$attack: next to nothing is left" \
        eval 'dlg-text two.g --model m --attack $attack --iterations 2 --starts 1 --threads 1 -q > out.txt'
    check "$attack: nothing is called recovered" eval '! grep -q "^Recovered:" out.txt'
done
check 'nor by --inspect' eval 'dlg-text two.g --model m --inspect > out.txt'

check 'masks told, lengths not' eval 'dlg-grads "the red fish swims" --model m -o told.g > out.txt &&
    for how in "" -q --json; do
        dlg-text told.g --model m --attack idlg --iterations 2 --starts 1 --threads 1 --know masked:told.truth.json \
            $how > out.txt || exit 1
    done'

# ---- a file that is cut short while it is mapped: of numbers that are read where they lie, not converted at first ----
dlg-grads 'Bird and fish, the sea and the tree, they swim and fly and grow.' --preset mini --defend gaussian:0.1 \
    --no-truth --dtype "$DLG_DTYPE" -o busy.g > out.txt
cp busy.g cut.g
mkfifo seen
timeout 120 dlg-text cut.g --attack dlg --iterations 100000 --starts 100000 --threads 1 > out.txt 2> seen &
while read -r line; do
    case $line in
    iteration\ 2,*) : > cut.g ;;
    dlg-text:*) last=$line ;;
    esac
done < seen
wait $!
check 'a mapped file that shrinks: exit 1' [ $? -eq 1 ]
check 'one line that names it' \
    [ "$last" = 'dlg-text: cut.g: want the file as it was when it was opened, found it cut short' ]

# ---- interrupts, whenever they come ----
interrupt_after() { # SECONDS ARGUMENTS...: exit status, in $code; how long it took to end, in $took
    local delay=$1 begun
    shift
    dlg-text "$@" --threads 1 > out.txt 2> err.txt &
    sleep "$delay"
    begun=$(date +%s%N)
    kill -TERM $! 2> /dev/null # a shell lets what it starts in the background ignore SIGINT until it says otherwise
    wait $!
    code=$?
    took=$((($(date +%s%N) - begun) / 1000000))
}
limit=1000 rounds=6
# With AddressSanitizer an operator at a time, and these are ten times as long.
! grep -aq __asan_init "$(command -v dlg-text)" || limit=5000 rounds=3
RANDOM=11
for attack in auto dlg idlg tag lamp restricted dager --inspect; do
    case $attack in
    --inspect) set -- --inspect ;;
    *) set -- --attack $attack --iterations 100000 --starts 100000 ;;
    esac
    for ((k = 0; k < rounds; k++)); do
        interrupt_after "$(printf '0.%03d' $((RANDOM % 700)))" busy.g "$@"
        # 143: it had not yet begun to listen, and died at once.
        check "$attack: exit 130, or 0 where it was done, found $code" \
            eval '[ $code -eq 130 ] || [ $code -eq 143 ] || [ $code -eq 0 ]'
        check "$attack: within a second, found $took ms" [ "$took" -le $limit ]
    done
done
