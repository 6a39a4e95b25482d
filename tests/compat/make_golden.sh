#!/usr/bin/env bash
# Makes the expected files of data/ again with fairseq 0.12.2: make_golden.sh VENV
# VENV/bin holds fairseq-preprocess and a python that can import fairseq and numpy.
set -eu
venv=$(realpath "$1"); cd "$(dirname "$0")/data"
run() {  # NAME FLAGS...
  local name=$1; shift
  rm -rf "$name"
  "$venv/bin/fairseq-preprocess" "$@" --destdir "$name" >log 2>&1 || { cat log; exit 1; }
  rm -f log "$name/preprocess.log"
}
run separate -s en -t de --trainpref train --validpref valid
run joined -s en -t de --trainpref train --joined-dictionary --thresholdsrc 2 --padding-factor 3
run nwords -s en -t de --trainpref train --nwordssrc 12 --nwordstgt 9 --validpref valid,train
run only_source -s en --only-source --trainpref train
run legacy -s en -t de --trainpref train --srcdict separate/dict.en.txt --tgtdict separate/dict.de.txt --dataset-impl cached
"$venv/bin/python" ../make_golden_batches.py batches
"$venv/bin/python" ../make_golden_import.py import
