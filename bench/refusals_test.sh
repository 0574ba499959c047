#!/bin/sh
# What demarche_ratios refuses, and with which words and exit status.
#
#   sh bench/refusals_test.sh PATH_TO_demarche_ratios
program=$1
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
failures=0

# refuse WORDS ARGUMENT...: the run must fail and say WORDS on standard error.
refuse() {
  words=$1
  shift
  if "$program" "$@" >"$folder/out" 2>"$folder/err"; then
    echo "FAILED: '$*' was accepted"
    failures=1
  fi
  if ! grep -qF -- "$words" "$folder/err"; then
    echo "FAILED: '$*' does not say '$words' but:"
    cat "$folder/err"
    failures=1
  fi
}

refuse "unknown size 'huge'; known sizes: tiny, S, L" --size huge --folder "$folder/stores"
refuse "--rounds" --rounds 0
refuse "--colour" --colour
refuse "relations.tsv" --icews "$folder/none" --folder "$folder/stores"
mkdir -p "$folder/stores/tiny/store"
refuse "was not made by the bench" --size tiny --folder "$folder/stores"
refuse "no store" --open-only "$folder/none"

# A store whose interactions are not numbered as the stamp says gives other sums of ids.
rm -rf -- "$folder/stores"
if ! "$program" --size tiny --rounds 1 --folder "$folder/stores" >"$folder/out" 2>"$folder/err"; then
  echo "FAILED: a run at size tiny:"
  cat "$folder/err"
  failures=1
fi
awk 'NR == 2 { $2 += 1 } { print }' "$folder/stores/tiny/stamp" >"$folder/stamp"
cp "$folder/stamp" "$folder/stores/tiny/stamp"
refuse "W3 hub, question 0: wrong answer: expected" --size tiny --rounds 1 --folder "$folder/stores"
exit $failures
