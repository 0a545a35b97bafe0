#!/usr/bin/env bash
# stile fhirpath, and the runner of FHIRPath test suites on a suite of our own:
# what it counts is known beforehand, the failures on purpose with it.
. "$(dirname "$0")/lib.sh"
suite=${FHIRPATH_SUITE:-$(dirname "$stile")/tests/fhirpath/fhirpath_suite}
own=$root/tests/fhirpath
patient=$own/inputs/patient.json
cd "$place" || exit 1

exits() {
    local want=$1
    shift
    "$@" >out 2>err </dev/null
    [ $? -eq "$want" ]
}
gives() {
    local want=$1
    shift
    [ "$("$@" 2>err </dev/null)" = "$want" ]
}

# ---- the command
check "one item a line" gives $'Ada\nBea' "$stile" fhirpath name.given "$patient"
check "nothing is nothing" gives "" "$stile" fhirpath photo "$patient"
check "and no failure" exits 0 "$stile" fhirpath photo "$patient"
check "an object is JSON" gives '{"use":"official","family":"Testcase","given":["Ada","Bea"]}' \
    "$stile" fhirpath name "$patient"
check "--json has types" exits 0 "$stile" fhirpath --json "name.count() > 0" "$patient"
check "and reads" bash -c '[ "$(jq -r ".[0].type + \" \" + (.[0].value | tostring)" out)" = "System.Boolean true" ]'
check "standard input" bash -c '[ "$("$1" fhirpath gender - <"$2")" = female ]' _ "$stile" "$patient"
check "a misspelt element fails" exits 1 "$stile" fhirpath name.gven "$patient"
check "with its code and a hint" grep -q "M105" err
check "did you mean" grep -q "did you mean 'given'" err
check "outside the subset fails" exits 1 "$stile" fhirpath "name.tail()" "$patient"
check "with its code" grep -q "M121" err
check "a fault fails" exits 1 "$stile" fhirpath "name.given.single()" "$patient"
check "with its code and no value" bash -c 'grep -q M222 err && ! grep -q Ada err'
check "no file" exits 1 "$stile" fhirpath name nowhere.json
printf '{"resourceType":"Patient","name":[{"text":"a\\nb\\u0007"}]}' >odd.json
check "a line feed in a text is no line" gives 'a\u000ab\u0007' \
    "$stile" fhirpath name.text odd.json

check "a negative number is no option" exits 0 "$stile" fhirpath '-1 < 0' "$patient"
check "nor what stands behind --" exits 0 "$stile" fhirpath -- '-1 < 0' "$patient"
check "no hour 25" exits 1 "$stile" fhirpath '@T25:00' "$patient"
check "no minute 61" exits 1 "$stile" fhirpath '@2026-01-01T10:61:00Z' "$patient"
check "the last second" exits 0 "$stile" fhirpath '@T23:59:59' "$patient"

# ---- the runner
check "the runner is there" test -x "$suite"
check "some failed: 1" exits 1 "$suite" "$own/own.xml" "$own/inputs"
check "a group's line" grep -qE '^outputs +11 passed +0 failed +0 not-in-subset$' out
check "refusals" grep -qE '^refusals +3 passed +0 failed +0 not-in-subset$' out
check "outside" grep -qE '^outside +0 passed +0 failed +3 not-in-subset$' out
check "wrong on purpose" grep -qE '^wrong on purpose +0 passed +7 failed +0 not-in-subset$' out
check "all" grep -qE '^all +14 passed +7 failed +3 not-in-subset$' out
check "--list names the failed" bash -c '"$1" "$2/own.xml" "$2/inputs" --list failed | grep -c "^failed wrong on purpose/" | grep -qx 7' _ "$suite" "$own"
check "and no other" bash -c '! "$1" "$2/own.xml" "$2/inputs" --list failed | grep -q "^passed\|^not-in"' _ "$suite" "$own"
sed '/wrong on purpose/,/<\/group>/d' "$own/own.xml" >good.xml
check "none failed: 0" exits 0 "$suite" good.xml "$own/inputs"
check "no suite: 2" exits 2 "$suite" "$patient" "$own/inputs"
check "no file: 2" exits 2 "$suite" nowhere.xml "$own/inputs"
check "an empty suite: 2" bash -c 'echo "<tests/>" >empty.xml; "$1" empty.xml .; [ $? -eq 2 ]' _ "$suite"
printf '<!DOCTYPE tests [<!ENTITY a "b">]><tests><test><expression>&a;</expression></test></tests>' >entity.xml
check "entities of its own are refused" exits 2 "$suite" entity.xml .
check "no arguments: 2" exits 2 "$suite"
finish
