#!/usr/bin/env bash
# map right and map left: a table's file to FHIR and back, and there again,
# byte for byte; and what is said of lines and tables that cannot be read.
. "$(dirname "$0")/lib.sh"
cd "$place" || exit 1
maps=$root/mappings

exits() { # WANT COMMAND...
    local want=$1
    shift
    "$stile" "$@" >"$place/out" 2>"$place/err" </dev/null
    [ $? -eq "$want" ]
}
err_says() { grep -qF -- "$1" "$place/err"; }

mkdir export
check "a practice is made" exits 0 synth emis --out export --patients 40 \
    --observations 3000
table=$(ls export/*_CareRecord_Observation_*.csv)
codes=$(ls export/*_Coding_ClinicalCode_*.csv)

check "rows to FHIR" exits 0 map right -m "$maps" "$table" "$codes" -o there.ndjson
check "a resource a line" bash -c \
    'test "$(jq -c .resourceType there.ndjson | sort -u)" = "\"Observation\""'
check "FHIR to rows" exits 0 map left -m "$maps" -t CareRecord_Observation \
    there.ndjson -o back.csv
check "a row a resource" bash -c \
    'test "$(wc -l <there.ndjson)" -eq "$(($(wc -l <back.csv) - 1))"'
check "and to FHIR again" exits 0 map right -m "$maps" \
    -t CareRecord_Observation back.csv "$codes" -o again.ndjson
check "the same bytes" cmp there.ndjson again.ndjson
check "without the codes, rows wait" exits 0 map right -m "$maps" "$table" -o none
check "and it is said" err_says "wait for rows that are not there"

# The same resources as one Bundle are the same rows.
{
    printf '{"resourceType":"Bundle","type":"collection","entry":['
    sed 's/.*/{"resource":&}/' there.ndjson | paste -sd, | tr -d '\n'
    printf ']}\n'
} >bundle.json
check "a Bundle" exits 0 map left -m "$maps" -t CareRecord_Observation \
    bundle.json -o bundle.csv
check "gives the same rows" cmp back.csv bundle.csv

# ---- what cannot be read -----------------------------------------------------
{
    head -n 1 there.ndjson
    printf '{"resourceType":"Observation","id":"a","id":"b"}\n\n{"resour'
} >bad.ndjson
check "broken lines fail" exits 1 map left -m "$maps" \
    -t CareRecord_Observation bad.ndjson -o bad.csv
check "with what is wrong" err_says J109
check "in each" err_says J103
check "and the good one is written" bash -c 'test "$(wc -l <bad.csv)" -eq 2'
check "a table that nobody knows" exits 2 map left -m "$maps" -t Nowhere there.ndjson
check "with what to do" err_says "--table"
check "no such file" exits 1 map right -m "$maps" -t CareRecord_Observation no.csv
check "without mappings" exits 2 map right x.csv

# ---- findings, and what is counted -------------------------------------------
{
    head -n 1 there.ndjson
    printf '{"resourceType":"MRS EXAMPLE 9990001234"}\n'
    head -n 1 there.ndjson | jq -c '.valueQuantity = {"value":"x"}
        | .status = "nonsense"'
} >wrong.ndjson
check "a resource with an error fails" exits 1 map left -m "$maps" \
    -t CareRecord_Observation wrong.ndjson -o wrong.csv
check "is counted" err_says "1 failed"
check "with file and line" err_says "wrong.ndjson:3: error[T"
check "a type FHIR does not know is said to be one" err_says "an unknown type"
check "and not repeated" bash -c '! grep -q 9990001234 err'
: >empty.csv
check "a file without a header" exits 1 map right -m "$maps" \
    -t CareRecord_Observation empty.csv -o none
check "is told so" err_says V120

# Three mappings write a row of the one-sheet table: a line is put together, and
# lines are not.
head -n 2 "$root/tests/samples/charity-cases.csv" >sheet.csv
check "a sheet to FHIR" exits 0 map right -m "$maps" -t cases sheet.csv -o cases.ndjson
check "and back, a resource a line" exits 0 map left -m "$maps" -t cases \
    cases.ndjson -o parts.csv
check "is told to come in parts" err_says "one Bundle a line"
check "a Bundle a line is not" bash -c \
    '"$1" map left -m "$2" -t cases bundle.json -o x 2>&1 | grep -q "one Bundle"
     [ $? -eq 1 ]' _ "$stile" "$maps"
finish
