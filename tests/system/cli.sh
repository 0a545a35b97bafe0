#!/usr/bin/env bash
# The command line: help that teaches, exit codes, hints, files in and files
# out, and an audit log that tells when somebody was at it.
. "$(dirname "$0")/lib.sh"
cd "$place" || exit 1

# run COMMAND...: its exit code in $code, its words in out and err.
run() {
    "$stile" "$@" >"$place/out" 2>"$place/err" </dev/null
    code=$?
}
exits() {
    local want=$1
    shift
    run "$@"
    [ "$code" -eq "$want" ]
}
err_says() { grep -qF -- "$1" "$place/err"; }
out_says() { grep -qF -- "$1" "$place/out"; }

# ---- words ---------------------------------------------------------------------
commands=("run" "check" "translate" "explain" "audit verify" "audit show"
    "rules read" "rules status" "rules in-force" "rules approve" "rules activate"
    "rules rollback" "rules history" "outbox list" "outbox retry" "outbox withdraw"
    "review list" "review show" "review release" "review refuse" "quarantine list" "map list"
    "map dis" "map check" "map fmt" "map test" "map coverage" "map right" "map left" "map diff" "map tree" "map export" "map import" "fhirpath" "health" "synth emis" "synth systmone" "synth vcse")
check "--version" exits 0 --version
check "the version is one line" test "$(wc -l <out)" -eq 1
check "--help lists" exits 0 --help
for command in "${commands[@]}"; do
    check "--help knows $command" out_says "  $command "
done
for command in "${commands[@]}"; do
        check "$command --help" exits 0 $command --help
    check "$command --help: usage, example, exit codes" bash -c \
        'grep -q "^usage: stile $1" out && grep -q "^  stile $1" out &&
         grep -q "^exit: 0 " out && grep -q -- "--help" out && [ ! -s err ]' \
        _ "$command"
        check "$command: an unknown option is a usage error" exits 2 $command --zzzz
    check "$command: and it says where help is" err_says "stile $command --help"
done
check "nothing said: usage" exits 2
check "an unknown command: usage" exits 2 tranlsate
check "with the nearest name" err_says "did you mean 'translate'?"
check "an unknown second word: usage" exits 2 audit verfy
check "with the nearest name" err_says "did you mean 'audit verify'?"
check "half a command: usage" exits 2 audit
check "with what there is" err_says "audit show"
check "an unknown option: usage" exits 2 check --jsno
check "with the nearest name" err_says "did you mean '--json'?"
check "an option without its value: usage" exits 2 check -c
check "an option twice: usage" exits 2 check -c a --config=b
check "a value for a flag: usage" exits 2 check --json=yes x
check "a word too many: usage" exits 2 check a b
check "a word of a list: usage" exits 2 translate -m m -f emsi -t fhir x
check "with the nearest" err_says "did you mean 'emis'?"

# ---- check ----------------------------------------------------------------------
check "a missing configuration: findings" exits 1 check -c nowhere.yaml
check "with its code" out_says "error[C101]"
check "as JSON too" exits 1 check -c nowhere.yaml --json
check "which is JSON" jq -e '.errors == 1 and .findings[0].code == "C101"' out
check "the shipped mappings can be used" exits 0 check "$root/mappings"
check "and one line says so" grep -qx '.*: 0 errors, 4 warnings; it can be used' out
check "what must be supplied is all that is said" test "$(grep -c 'warning\[R509\]' out)" = 4
cp -R "$root/mappings" gone
rm gone/rules/labels/sexual-health.csv
check "a code list that is gone: findings" exits 1 check gone
check "which names the file to supply" out_says "supply labels/sexual-health.csv"
cp "$root/mappings/rules/labels/sexual-health.csv" gone/rules/labels/
sed -i '/^- rule: NAT-CONF$/,/^$/d' gone/rules/guardrails.yaml
check "a guardrail that is gone: findings" exits 1 check gone
check "which names it" out_says "guardrail NAT-CONF of the national floor is missing"
cp -R "$root/mappings" broken
printf 'mapping x 1\n  left csv Nowhere of emis 8.2\n' >broken/maps/emis/zz.map
check "a broken mapping: findings" exits 1 check broken
check "with file, line and column" grep -qE '^broken/maps/emis/zz.map:[0-9]+:[0-9]+: error' out
check "plain when piped" bash -c '! grep -q "$(printf "\033")" out'

# ---- map, rules ---------------------------------------------------------------------
check "map list" exits 0 map list -m "$root/mappings"
mapping=$(awk 'NR == 1 { print $1 }' out)
check "map dis" exits 0 map dis -m "$root/mappings" "$mapping"
check "prints a program" test -s out
check "no such mapping: usage" exits 2 map dis -m "$root/mappings" "${mapping}x"
check "with the nearest" err_says "did you mean '$mapping'?"
check "map check" exits 0 map check -m "$root/mappings"
check "map test" exits 0 map test -m "$root/mappings" --rounds 20
check "it prints the seed" out_says "seed 1"
check "map test: one mapping" exits 0 map test -m "$root/mappings" "$mapping"
check "map test: no such mapping" exits 2 map test -m "$root/mappings" "${mapping}x"
check "map coverage" exits 0 map coverage -m "$root/mappings" "$root/tests/samples/charity-case.json"
check "each column's account" out_says "  case_ref                         mapped"
check "map coverage --json" exits 0 map coverage --json -m "$root/mappings" "$root/tests/samples/charity-case.json"
check "is JSON" jq -e '.tables | length > 5' out
check "map coverage: no such file" exits 1 map coverage -m "$root/mappings" nowhere.json
rm -rf edited && cp -R "$root/mappings" edited
sed -i "s/  title *<-> title/  title <-> note[0].text/" edited/maps/vcse/plan.map
check "map diff: nothing" exits 0 map diff "$root/mappings" "$root/mappings" "$root/tests/samples/charity-case.json"
check "it says so" out_says ", 0 mappings make something else of them"
check "map diff: an edit" exits 0 map diff "$root/mappings" edited "$root/tests/samples/charity-case.json"
check "it names the element" out_says "  note[].text"
check "map tree" exits 0 map tree -m "$root/mappings" emis-patient
check "is JSON with what names are" jq -e '.mappings[0].statements | map(select(.columns[0].resolved.table == "Admin_Patient")) | length > 5' out
check "map tree: of a file" exits 0 map tree -m "$root/mappings" emis/staff.map
check "has its mappings" jq -e '.mappings | length == 2' out
check "map tree: no such mapping" exits 2 map tree -m "$root/mappings" emis-pateint
copy_mappings "$root/mappings" "$place/latin"
printf 'mapping x 1 -- caf\351\n' >"$place/latin/maps/emis/staff.map"
check "map tree: a file that is not UTF-8" exits 1 map tree -m "$place/latin" emis/staff.map
check "map tree: is told so" err_says M005
cp -r "$root/mappings" slip
sed -i 's/name\[0\].prefix/name[0].prefx/' slip/maps/emis/staff.map
check "map tree: with an error" exits 1 map tree -m slip emis-practitioner
check "has the finding beside the tree" jq -e '(.findings[0].code == "M105") and (.mappings | length == 1)' out
check "map export conceptmap" exits 0 map export -m "$root/mappings" conceptmap gender
check "is a ConceptMap" jq -e '.resourceType == "ConceptMap" and .group[0].element[0].target[0].equivalence == "equivalent"' out
cp out gender.json
check "map import" exits 0 map import gender.json
check "is a code table" out_says "left,right,prefer,display,note"
check "map import: no ConceptMap" exits 1 map import "$root/tests/samples/charity-case.json"
check "map export: no such table" exits 2 map export -m "$root/mappings" conceptmap gnder
check "map export markdown" exits 0 map export -m "$root/mappings" markdown "$mapping"
check "is a page" out_says "| columns | | element | how | where | keeps |"
check "map export structuremap" exits 0 map export -m "$root/mappings" structuremap vcse-plan
check "is a StructureMap" jq -e '.resourceType == "StructureMap" and .group[0].name == "vcse-plan"' out
check "map export fml" exits 0 map export -m "$root/mappings" fml vcse-plan
check "is FHIR's language" out_says 'map "https://stile.example/fhir/StructureMap/vcse-plan" = "vcse-plan"'
check "map export structuremap: no such mapping" exits 2 map export -m "$root/mappings" structuremap vcse-paln
check "map export: no such form" exits 2 map export -m "$root/mappings" fsh
check "map fmt: all laid out" exits 0 map fmt --check "$root"/mappings/maps/*/*.map
printf 'mapping  m 1\nleft csv t of f 1\nright fhir Goal\n' >loose.map
check "map fmt: one to lay out" exits 1 map fmt --check loose.map
check "map fmt: written" exits 0 map fmt --write loose.map
check "map fmt: nothing left to do" exits 0 map fmt --check loose.map
check "rules read" exits 0 rules read -m "$root/mappings"
mkdir -p "$place/rules-alone"
cp -r "$root/mappings/rules" "$place/rules-alone/"
check "a folder of rules alone can be read" exits 0 rules read -m "$place/rules-alone"
check "prints the rules" test -s out

# ---- translate -------------------------------------------------------------------------
m=$root/mappings
samples=$root/tests/samples
check "a case to FHIR" exits 0 translate -m "$m" -f vcse-json -t fhir \
    "$samples/charity-case.json" -o case.ndjson
check "it says that no rule was asked" err_says "without rules"
check "the last line counts" grep -qxE \
    'translate: 1 messages in, 1 records out, 0 quarantined, 0 held' err
check "one Bundle" jq -e '.resourceType == "Bundle" and
    ([.entry[].resource.resourceType] | index("Patient") != null)' case.ndjson
mkfifo pipe
cat pipe >piped &
check "a pipe is written to" exits 0 translate -m "$m" -f fhir -t vcse-json case.ndjson -o pipe
wait $!
check "and stays a pipe" test -p pipe
check "what came out of it is a case" jq -e '.format == "vcse-case/0.1"' piped
check "back to a case" exits 0 translate -m "$m" -f fhir -t vcse-json case.ndjson
check "with what it had" bash -c '
    jq -e --slurpfile was "$1" ".person.nhs_number == \$was[0].person.nhs_number and
        .case.case_ref == \$was[0].case.case_ref" out' _ "$samples/charity-case.json"
check "a sheet to FHIR; 1, since one of its rows is refused" exits 1 translate -m "$m" -f vcse-csv -t fhir \
    "$samples/charity-cases.csv" -o sheet.ndjson
check "one Bundle a person and line" test "$(jq -s length sheet.ndjson)" = \
    "$(wc -l <sheet.ndjson)"
check "the lines come in again" exits 0 translate -m "$m" -f fhir -t fhir sheet.ndjson
check "as many as there were" test "$(wc -l <out)" -eq "$(wc -l <sheet.ndjson)"
check "to a sheet" exits 0 translate -m "$m" -f fhir -t vcse-csv sheet.ndjson
check "one header" test "$(grep -c '^person_ref,' out)" -eq 1
check "a row each" test "$(wc -l <out)" -eq $(($(wc -l <sheet.ndjson) + 1))
check "a damaged sheet: some failed" exits 1 translate -m "$m" -f vcse-csv -t fhir \
    "$samples/charity-cases-damaged.csv"
check "no file is left behind by a translation that failed" bash -c \
    '"$1" translate -m "$2" -f fhir -t fhir /nowhere/x.json -o no/where/out 2>/dev/null
     [ $? -eq 1 ] && [ ! -e no ]' _ "$stile" "$m"
mkdir export
check "an invented export" exits 0 synth emis --out export --patients 30 \
    --observations 300
check "to FHIR, as a folder" exits 0 translate -m "$m" -f emis -t fhir export -o emis.ndjson
check "one line a patient or fewer" test "$(wc -l <emis.ndjson)" -le 30
check "all Bundles with the Patient" jq -es 'all(.resourceType == "Bundle" and
    ([.entry[].resource.resourceType] | index("Patient") != null))' emis.ndjson
"$stile" translate -m "$m" -f emis -t fhir export 2>/dev/null >again.ndjson
check "the same bytes again" cmp emis.ndjson again.ndjson
"$stile" synth emis --out export --patients 30 --observations 300 --delta >/dev/null
check "with its delta" exits 0 translate -m "$m" -f emis -t fhir export -o delta.ndjson
# The budget is three bytes a byte of the files: at it in memory, one past it not.
budget=$(($(cat export/*.csv | wc -c) * 3))
check "as much memory as it takes" exits 0 translate -m "$m" -f emis -t fhir export \
    -o within.ndjson --memory "$budget"
check "nothing is put aside" bash -c '! grep -q "temporary database" err'
check "a byte less" exits 0 translate -m "$m" -f emis -t fhir export -o beyond.ndjson \
    --memory "$((budget - 1))"
check "rows are put aside" err_says "temporary database"
check "very little" exits 0 translate -m "$m" -f emis -t fhir export -o little.ndjson --memory 1K
check "the same bytes" bash -c 'cmp delta.ndjson within.ndjson && cmp delta.ndjson beyond.ndjson &&
    cmp delta.ndjson little.ndjson'
check "no size: usage" exits 2 translate -m "$m" -f emis -t fhir export --memory 4T
check "which changes something" bash -c '! cmp -s emis.ndjson delta.ndjson'
check "an export with a wrong NHS number" exits 0 synth emis --out export --patients 50 \
    --observations 100 --seed 7 --batch 9
mkdir s1 && "$stile" synth systmone --out s1 >/dev/null
check "a SystmOne download to FHIR; 1, one number is wrong" exits 1 translate -m "$m" -f systmone \
    -t fhir s1/20260401_0400 -o s1.ndjson
check "one patient is refused" err_says "59 records out, 1 quarantined"
check "a patient and their address are one" jq -se '
    [.[].entry[].resource | select(.resourceType == "Patient" and .id == "10001")] |
    length == 1 and (.[0].address | length) == 1' s1.ndjson
check "synth systmone: there already" exits 1 synth systmone --out s1
check "synth systmone: no folder" exits 2 synth systmone
mkdir vc
check "synth vcse" exits 0 synth vcse --out vc --patients 3
check "is a case" exits 0 translate -m "$m" -f vcse-json -t fhir vc/case-00000.json
check "synth vcse: no folder" exits 1 synth vcse --out nowhere
check "says so with file and row, and goes on" exits 1 translate -m "$m" -f emis -t fhir \
    export -o mixed.ndjson
check "as a finding" grep -qE '^[^ ]*_Admin_Patient_[^ ]*\.csv row [0-9]+: error' err
check "with the rest" test "$(wc -l <mixed.ndjson)" -gt 30
file=$(find export -name '*Admin_Patient_*' | sort | head -n 1)
check "explain a row" exits 0 explain -m "$m" "$file" --row 1
nhs=$(jq -r '.entry[].resource | select(.resourceType == "Patient")
    | .identifier[]? | select(.system | endswith("nhs-number")).value' emis.ndjson | head -n 1)
check "without a value" bash -c '! grep -qF "$1" out' _ "$nhs"
check "no such row" exits 1 explain -m "$m" "$file" --row 100000

# ---- a gateway's files --------------------------------------------------------------------
two_gateways
check "nothing to mend at the charity's" exits 0 check -c charity/stile.yaml
check "health before it runs: no" exits 1 health -c charity/stile.yaml
chmod 640 charity/audit.key
check "an audit key others may read: a finding" exits 1 check -c charity/stile.yaml
check "with its place" grep -qE '^charity/stile.yaml:[0-9]+:[0-9]+: error\[C133\]' out
check "and run refuses it too" bash -c 'timeout 20 "$1" run -c charity/stile.yaml 2>err
    [ $? -eq 3 ] && grep -q "audit.key" err' _ "$stile"
chmod 600 charity/audit.key
sed 's/purpose: individual-care/purpose: individual-car/' charity/stile.yaml \
    >charity/wrong.yaml
check "a purpose no rule knows: a finding" exits 1 check -c charity/wrong.yaml
check "with code and place" grep -qE '^charity/wrong.yaml:[0-9]+:[0-9]+: error\[C128\]' out
check "with the nearest" out_says "did you mean 'individual-care'?"
check "explain a message" exits 0 explain -c charity/stile.yaml \
    --message "$samples/charity-case.json" --from casework
check "to whom, for what, under which agreement" grep -qE \
    '^to trust \(RZ9\) as fhir-json, route update-to-trust, for individual-care under DSA-' out
check "and why" grep -qE 'rules that fired: |because: ' out
check "to a partner that gets none of it" exits 0 explain -c charity/stile.yaml \
    --message "$samples/charity-case.json" --from casework --to casework
check "says so" out_says "no route to casework"
check "from nobody we know: usage" exits 2 explain -c charity/stile.yaml \
    --message "$samples/charity-case.json" --from casewrk
check "with the nearest" err_says "did you mean 'casework'?"

# ---- a gateway that ran ----------------------------------------------------------------------
start_two
check "health while it runs: ready" exits 0 health -c charity/stile.yaml
code=$(post charity casework /vcse/case application/json "$samples/charity-case.json" cli-1)
check "a case is taken" test "$code" = 202
code=$(post charity casework /vcse/case application/json \
    "$samples/charity-case-broken-link.json" cli-2)
check "one with rows that refer to nothing is taken too" test "$code" = 202
check "both come to rest" wait_for 30 at_rest trust charity
signed() {
    "$stile" audit verify -c charity/stile.yaml --json |
        jq -e '.whole and .entries > 0 and .signed == .entries'
}
check "all entries come to be signed" wait_for 15 signed
check "verify beside the running gateway" exits 0 audit verify -c charity/stile.yaml \
    --save kept.note
check "audit show" exits 0 audit show -c charity/stile.yaml
check "names what was disclosed" grep -qE ' disclosure .* to=trust' out
check "and nobody" bash -c '! grep -qF "$1" out' _ \
    "$(jq -r .person.nhs_number "$samples/charity-case.json")"
check "as JSON, the last one" exits 0 audit show -c charity/stile.yaml --json --last 1
check "one object" jq -es 'length == 1 and (.[0].entry.type | length > 0)' out
check "outbox list" exits 0 outbox list -c charity/stile.yaml
check "has the row, done" grep -qE ' done .* update-to-trust ' out
check "as JSON" exits 0 outbox list -c charity/stile.yaml --json
check "which is JSON" jq -es '.[0].state == "done" and (.[0] | has("body") | not)' out
id=$(jq -r .id out | head -n 1)
check "a retry needs a reason: usage" exits 2 outbox retry -c charity/stile.yaml "$id"
signed="--as officer --key charity/officer.key"
check "retry of a row that is done: nothing" exits 0 outbox retry -c charity/stile.yaml "$id" \
    --because 'a test' $signed
check "and it says so" out_says "0 rows are due now"
check "retry of no row" exits 1 outbox retry -c charity/stile.yaml 999999 --because x $signed
check "withdrawing a row that is done: no" exits 1 outbox withdraw -c charity/stile.yaml "$id" \
    --because x $signed
check "and it says why" err_says "has ended"
check "withdrawing no row" exits 1 outbox withdraw -c charity/stile.yaml 999999 --because x $signed
check "review list" exits 0 review list -c charity/stile.yaml
check "nothing waits" err_says "nothing waits for a person"
check "show of no review" exits 1 review show -c charity/stile.yaml 7
check "release of no review" exits 1 review release -c charity/stile.yaml 7 --as x --key y --because z
check "says so" err_says "there is no review 7"
check "quarantine list" exits 0 quarantine list -c charity/stile.yaml
check "has the rows that refer to nothing" grep -q 'error\[X106\]' out
check "as JSON" exits 0 quarantine list -c charity/stile.yaml --json
check "which is JSON" jq -es 'all(.reason | length > 0)' out
check "stops" stop_gateway charity

# ---- somebody was at it --------------------------------------------------------------------------
sqlite3 charity/store.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
# tamper SQL: a copy of the store with the statement run, its guards removed.
tamper() {
    rm -f tampered.db*
    cp charity/store.db tampered.db
    sqlite3 tampered.db "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; $1" &&
        sed 's/^  store: .*/  store: ..\/tampered.db/' charity/stile.yaml \
            >charity/tampered.yaml
}
caught() {
    tamper "$1" && exits 1 audit verify -c charity/tampered.yaml &&
        { out_says "NOT whole" || err_says "cannot be opened"; }
}
tamper ''
check "an untouched copy is whole" exits 0 audit verify -c charity/tampered.yaml
check "with the checkpoint kept elsewhere too" exits 0 audit verify \
    -c charity/tampered.yaml --checkpoint kept.note
check "one byte of one entry" caught \
    "UPDATE audit SET entry = CAST(replace(CAST(entry AS TEXT), 'charity', 'charitx')
     AS BLOB) WHERE idx = 0"
check "says which" out_says "entry 0"
check "two entries exchanged" caught \
    'UPDATE audit SET idx = 9999 WHERE idx = 0; UPDATE audit SET idx = 0 WHERE idx = 1;
     UPDATE audit SET idx = 1 WHERE idx = 9999'
check "an entry taken out" caught 'DELETE FROM audit WHERE idx = 1'
check "the end cut off" caught \
    'DELETE FROM audit WHERE idx = (SELECT max(idx) FROM audit)'
check "every checkpoint gone, and the end with them" caught \
    'DELETE FROM checkpoint WHERE size > 1; DELETE FROM audit WHERE idx > 0'
check "no checkpoint left" caught 'DELETE FROM checkpoint'
check "a checkpoint of another size" caught \
    "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), 'charity', 'trusty')
     AS BLOB)"
openssl rand -hex 32 >other.pub
check "another key" exits 1 audit verify --store charity/store.db --key other.pub \
    --origin charity.VCS07.stile
check "says whose signature it is not" out_says "not of this key"
check "a store that is none" exits 1 audit verify --store other.pub --key other.pub \
    --origin x
finish
