#!/usr/bin/env bash
# Compares `litenat preprocess` with fairseq-preprocess (0.12.2), byte for byte.
#
#   compare_fairseq.sh FAIRSEQ_PREPROCESS LITENAT [PREFIX:SOURCE:TARGET]...
#
# FAIRSEQ_PREPROCESS and LITENAT are the two programs. Every PREFIX:SOURCE:TARGET names a parallel corpus, PREFIX.SOURCE
# and PREFIX.TARGET; without one only the awkward texts that this script writes itself are compared. Everything happens
# in a temporary folder (KEEP=1 keeps it). Ends with "N passed, N failed"; the exit status is 1 if anything failed.
set -u
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
fairseq=$(realpath "$1"); litenat=$(realpath "$2"); shift 2
corpora=("$@")
for i in "${!corpora[@]}"; do
  IFS=: read -r prefix source target <<<"${corpora[$i]}"
  corpora[i]="$(realpath -s "$prefix"):$source:$target"
done
work=$(mktemp -d)
[ "${KEEP:-0}" = 1 ] && echo "working in $work" || trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0

verdict() {  # NAME STATUS
  if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok    $1"; else failed=$((failed + 1)); echo "FAIL  $1"; fi
}

# compare NAME FLAGS...: both programs with FLAGS; the folders must hold the same files but for fairseq's log.
compare() {
  local name=$1 status=0; shift
  rm -rf theirs ours
  "$fairseq" "$@" --destdir theirs >theirs.log 2>&1 || { echo "fairseq-preprocess failed:"; tail -3 theirs.log; status=1; }
  "$litenat" preprocess "$@" --destdir ours >ours.log 2>&1 || { echo "litenat failed:"; tail -3 ours.log; status=1; }
  rm -f theirs/preprocess.log
  [ "$status" = 0 ] && { diff -rq theirs ours || status=1; }
  [ "$status" = 0 ] && { compare_summaries || status=1; }
  verdict "$name ($(find ours -type f 2>/dev/null | wc -l) files)" "$status"
}

# "N sents, N tokens, P% replaced" of every text.
compare_summaries() {
  local wanted='[0-9]+ sents, [0-9]+ tokens, [0-9.]+% replaced'
  grep -qE "$wanted" theirs.log && diff <(grep -oE "$wanted" theirs.log) <(grep -oE "$wanted" ours.log)
}

compare_corpus() {  # PREFIX SOURCE TARGET
  local p=$1 s=$2 t=$3 base=(-s "$2" -t "$3" --trainpref "$1") label
  label=$(basename "$p")
  head -n 300 "$p.$s" >"small.$s"; head -n 300 "$p.$t" >"small.$t"
  compare "$label separate dictionaries" "${base[@]}" --validpref small --testpref "small,$p"
  mkdir -p dictionaries; cp ours/dict.*.txt dictionaries/
  compare "$label joined" "${base[@]}" --joined-dictionary
  compare "$label thresholds" "${base[@]}" --thresholdsrc 3 --thresholdtgt 5
  compare "$label nwords" "${base[@]}" --nwordssrc 1001 --nwordstgt 77
  compare "$label padding factor" "${base[@]}" --padding-factor 13 --joined-dictionary --nwordssrc 500
  compare "$label no padding" "${base[@]}" --padding-factor 1
  compare "$label given dictionaries" -s "$s" -t "$t" --testpref "$p" \
    --srcdict "dictionaries/dict.$s.txt" --tgtdict "dictionaries/dict.$s.txt"
  compare "$label given joined dictionary" -s "$s" -t "$t" --validpref "$p" --joined-dictionary \
    --tgtdict "dictionaries/dict.$t.txt"
  compare "$label only source" -s "$s" --only-source --trainpref "$p" --validpref small
  compare "$label only source, no language" --only-source --trainpref "$p.$s"
  compare "$label workers" "${base[@]}" --workers 3
}

# Texts that a careless reader of lines or spaces gets wrong; all of them are valid for fairseq.
write_awkward_texts() {
  printf 'a b\n\n  \n\tc\ta \r\nold\rmac\r\n\r\rend' >lines.en
  printf 'x\302\240y z\343\200\200w\n\342\200\250p\342\200\251q\302\205r\n' >spaces.en
  printf 'i\034j\035k\036l\037m\013n\014o\n\341\232\200a\342\200\200b\342\200\212c\342\200\257d\342\201\237e\n' >>spaces.en
  printf '\342\200\213zero width\342\200\213 \357\273\277bom \341\240\216mongolian\n' >>spaces.en
  printf '\357\273\277start a\000b \000 c\n<unk> </s> <s> <pad> madeupword0000 madeupword0002\n' >special.en
  printf 'caf\303\251 cafe\314\201 \360\237\230\200 \360\220\200\200 \356\200\200 \357\277\275 #fairseq:overwrite 12\n' >>special.en
  { for i in $(seq 1 30000); do printf 'w%d ' $((i * 7919 % 4001)); done; printf '\n'; } >long.en
  { for i in $(seq 1 66000); do printf 't%d\n' "$i"; done; } >wide.en
  printf '\n\n\n' >blank.en
}

compare_awkward() {
  local name
  write_awkward_texts
  for name in lines spaces special long wide blank; do
    compare "awkward: $name" -s en --only-source --trainpref "$name"
  done
  compare "awkward: special, joined, threshold" -s en --only-source --trainpref special --thresholdsrc 1 --nwordssrc 9
  printf 'b 5\na c 3\n d 0\na 7\na 9 #fairseq:overwrite\n \302\240e -2\n' >given.txt
  compare "awkward: given dictionary" -s en --only-source --srcdict given.txt --testpref lines
  compare "awkward: tiny nwords" -s en --only-source --trainpref lines --nwordssrc 3
}

# Both must refuse; ours must say where and leave nothing behind.
refuse() {  # NAME PATTERN FLAGS...
  local name=$1 pattern=$2 status=0; shift 2
  rm -rf theirs ours
  timeout 60 "$fairseq" "$@" --destdir theirs >theirs.log 2>&1 && { echo "fairseq-preprocess accepts it"; status=1; }
  "$litenat" preprocess "$@" --destdir ours >ours.log 2>&1 && { echo "litenat accepts it"; status=1; }
  grep -qE "$pattern" ours.log || { cat ours.log; status=1; }
  [ -e ours ] && { echo "litenat left files behind"; status=1; }
  verdict "$name" "$status"
}

refuse_bad_input() {
  printf 'good\nbad \377 byte\n' >invalid.en
  printf 'a 1\nb 2\na 3\n' >twice.txt
  printf 'a 1\nb two\n' >word.txt
  refuse "refused: invalid UTF-8" 'invalid\.en:2: expected UTF-8' -s en --only-source --trainpref invalid
  refuse "refused: duplicate token" 'twice\.txt:3: ' -s en --only-source --srcdict twice.txt --testpref blank
  refuse "refused: no count" 'word\.txt:2: ' -s en --only-source --srcdict word.txt --testpref blank
  refuse "refused: missing file" 'absent\.en' -s en --only-source --trainpref absent
}

compare_awkward
refuse_bad_input
for corpus in ${corpora[@]+"${corpora[@]}"}; do
  IFS=: read -r prefix source target <<<"$corpus"
  compare_corpus "$prefix" "$source" "$target"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
