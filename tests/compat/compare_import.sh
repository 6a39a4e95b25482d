#!/usr/bin/env bash
# Trains tiny models with fairseq (0.12.2), imports their checkpoints, and compares the logits.
#
#   compare_import.sh FAIRSEQ_BIN BUILD_BIN
#
# FAIRSEQ_BIN holds fairseq-preprocess, fairseq-train and the python that runs them; BUILD_BIN holds litenat and
# sequence_logits. Everything happens in a temporary folder (KEEP=1 keeps it). Ends with "N passed, N failed"; the exit
# status is 1 if anything failed.
set -u
[ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(realpath "$(dirname "$0")"); fairseq=$(realpath "$1"); build=$(realpath "$2")
work=$(mktemp -d)
[ "${KEEP:-0}" = 1 ] && echo "working in $work" || trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMP_NUM_THREADS=1
passed=0 failed=0

write_text() {
  awk 'BEGIN {
    split("ein mann frau hund rot blau geht sitzt auf der strasse .", s); split("a man woman dog red blue walks sits on the street .", t)
    srand(3)
    for (i = 0; i < 40; i++) {
      n = 2 + int(rand() * 8); de = en = ""
      for (j = 0; j < n; j++) { k = 1 + int(rand() * 12); de = de s[k] " "; en = en t[k] " " }
      print de > "text.de"; print en > "text.en"
    }
  }'
}

# compare NAME DATA FLAGS...: two updates of training, import, logits.
compare() {
  local name=$1 data=$2 result; shift 2
  if "$fairseq/fairseq-train" "$data" --cpu --optimizer adam --lr 5e-3 --max-tokens 200 --num-workers 0 --seed 1 \
       --max-update 2 --no-epoch-checkpoints --disable-validation --log-format none --save-dir "$name" \
       --encoder-layers 2 --decoder-layers 2 --encoder-embed-dim 16 --decoder-embed-dim 16 --encoder-ffn-embed-dim 24 \
       --decoder-ffn-embed-dim 24 --encoder-attention-heads 2 --decoder-attention-heads 2 "$@" >"$name.log" 2>&1 &&
     "$build/litenat" import "$name/checkpoint_last.pt" --data "$data" --output "$name.run" --strict >>"$name.log" 2>&1 &&
     result=$("$fairseq/python" "$here/fairseq_logits.py" "$name/checkpoint_last.pt" "$data" "$build/sequence_logits" \
              "$name.run" 2>>"$name.log"); then
    passed=$((passed + 1)); echo "ok    $name: $result"
  else
    failed=$((failed + 1)); echo "FAIL  $name: ${result:-}"; tail -3 "$name.log"
  fi
}

write_text
for kind in separate joined; do
  joined=(); [ "$kind" = joined ] && joined=(--joined-dictionary)
  "$fairseq/fairseq-preprocess" -s de -t en --trainpref text --validpref text --destdir "$kind" "${joined[@]}" >preprocess.log 2>&1 ||
    { tail -3 preprocess.log; exit 1; }
done
learned=(--encoder-learned-pos --decoder-learned-pos --max-source-positions 30 --max-target-positions 30)
kernels=(--encoder-kernel-size-list '[3,5]' --decoder-kernel-size-list '[3,5]')
nat=(--task translation_lev --noise full_mask --criterion nat_loss --apply-bert-init --label-smoothing 0.1)
compare transformer joined --arch transformer_iwslt_de_en --share-all-embeddings
compare transformer-prenorm separate --arch transformer --encoder-normalize-before --decoder-normalize-before \
  --share-decoder-input-output-embed --activation-fn gelu "${learned[@]}"
compare transformer-base separate --arch transformer_wmt_en_de
compare dynamicconv separate --arch lightconv --encoder-conv-type dynamic --decoder-conv-type dynamic "${kernels[@]}"
compare lightconv joined --arch lightconv_iwslt_de_en --encoder-conv-type lightweight --decoder-conv-type lightweight \
  --share-all-embeddings "${kernels[@]}"
compare nat joined --arch nonautoregressive_transformer "${nat[@]}" --share-all-embeddings --pred-length-offset "${learned[@]}"
compare nacrf separate --arch nacrf_transformer "${nat[@]}" --crf-lowrank-approx 4 --crf-beam-approx 6
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
