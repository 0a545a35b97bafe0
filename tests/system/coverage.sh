#!/usr/bin/env bash
# Of the invented exports of all three kinds no column is unaccounted for: each
# is mapped, kept as residue, or left out with a reason that is written down.
. "$(dirname "$0")/lib.sh"
copy_mappings "$root/mappings" "$place/mappings"
mkdir "$place"/{emis,systmone,vcse}
covers() { # covers FOLDER...: the page goes to $place/page
    "$stile" map coverage -m "$place/mappings" "$@" >"$place/page" 2>"$place/said"
}
fails_with() { # fails_with WORDS FOLDER...
    local words=$1
    shift
    ! covers "$@" && grep -q "$words" "$place/said"
}

"$stile" synth emis --out "$place/emis" >/dev/null 2>&1 &&
    "$stile" synth emis --out "$place/emis" --delta >/dev/null 2>&1 &&
    "$stile" synth systmone --out "$place/systmone" >/dev/null 2>&1 &&
    "$stile" synth systmone --out "$place/systmone" --delta >/dev/null 2>&1 &&
    "$stile" synth vcse --out "$place/vcse" >/dev/null 2>&1 ||
    give_up "nothing could be invented"

check "EMIS: every column of 21 tables" covers "$place/emis"
check "and there are 21" test "$(grep -c ' of emis ' "$place/page")" -eq 21
check "SystmOne: every column of a full download" covers "$place/systmone/20260401_0400"
check "of the delta" covers "$place/systmone/20260402_0400"
mkdir "$place/normalised"
"$stile" synth systmone --out "$place/normalised" --normalised >/dev/null 2>&1
check "of lists that come as numbers" covers "$place/normalised/20260401_0400"
check "whose words are found" test -z "$(grep '^codes systmone-.*: 0 hits' "$place/page")"
check "VCSE: every column of documents and sheet" covers "$place/vcse"
check "no column is told of as not read" test -z "$(grep -h ' not read ' "$place/page")"
check "a table that is left out says why" grep -q 'because "about a group and nobody in it' "$place/page"

# And it is told when one is not.
sed -i '/^emis,CareRecord_Diary,/d' "$place/mappings/not-carried.csv"
check "a table that nothing speaks of is told" \
    fails_with '20 columns are accounted for nowhere' "$place/emis"
echo 'emis,CareRecord_Diary,,' >>"$place/mappings/not-carried.csv"
check "a line without a reason is refused" fails_with 'say why' "$place/emis"
sed -i '$d' "$place/mappings/not-carried.csv"
echo 'emis,CareRecord_Dairy,,reminders' >>"$place/mappings/not-carried.csv"
check "a line about no table is refused" fails_with 'no such table' "$place/emis"
sed -i '$d' "$place/mappings/not-carried.csv"
echo 'emis,CareRecord_Observation,Value,nobody asks' >>"$place/mappings/not-carried.csv"
check "a line about a column that is mapped is refused" \
    fails_with 'take the line out' "$place/emis"
sed -i '$d' "$place/mappings/not-carried.csv"
echo 'emis,CareRecord_Diary,,reminders' >>"$place/mappings/not-carried.csv"

# A column the format does not have is one of them; rows with one key are told.
mkdir "$place/strange"
patients=$(find "$place/emis" -name '*_Admin_Patient_*.csv' | sort | head -n 1)
sed '1s/$/,"Colour"/;2,$s/$/,"blue"/' "$patients" >"$place/strange/${patients##*/}"
check "a column the format does not know is open" \
    fails_with '1 columns are accounted for nowhere' "$place/strange"
check "and stands with the others" \
    grep -Eq 'Colour +not in the format [0-9]' "$place/page"
check "in JSON too" bash -c '"$1" map coverage --json -m "$2" "$3" 2>/dev/null |
    jq -e ".tables[0].columns[-1].account == \"not in the format\""' \
    _ "$stile" "$place/mappings" "$place/strange"
mkdir "$place/twice"
{ cat "$patients"; sed -n 2p "$patients"; } >"$place/twice/${patients##*/}"
check "rows replaced by a later one" covers "$place/twice"
check "are said" grep -q '1 rows have the key of a later one' "$place/said"
check "by diff" bash -c '"$1" map diff "$2" "$2" "$3" 2>&1 |
    grep -q "1 rows have the key"' _ "$stile" "$place/mappings" "$place/twice"
check "and by explain" bash -c '"$1" explain -m "$2" "$3" --row 1 2>&1 |
    grep -q "a later row has the key of row 1"' _ "$stile" "$place/mappings" \
    "$place/twice/${patients##*/}"
check "a family that nobody knows is told" \
    fails_with 'no table of the family' "$place/emis" --family nosuch
finish
