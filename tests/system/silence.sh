#!/usr/bin/env bash
# No patient's value in any log, metric, error text, findings file or audit
# entry: values nobody else uses are planted in every field, in messages that
# pass and in messages that fail, and looked for.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
samples=$root/tests/samples
nhs_number 777123
number=$nhs_number_is

# Every string value that is not a code, reference, address or date becomes a
# marker of its own.
plant() {
    jq --arg nhs "$number" '
        def words: ["text", "family", "line", "city", "note_text", "note", "reason_text",
            "given_name", "family_name", "preferred_name", "what", "title", "referrer_name",
            "phone", "place"];
        walk(if type == "object" then
            with_entries(if (.key as $k | words | index($k)) and (.value | type == "string")
                then .value = "MARKER-" + .key else . end)
            | (if .system? == "https://fhir.nhs.uk/Id/nhs-number" then .value = $nhs else . end)
            | (if has("given") and (.given | type == "array") then .given = ["MARKER-given"] else . end)
            | (if has("line") and (.line | type == "array") then .line = ["MARKER-line"] else . end)
            | (if .system? == "phone" then .value = "MARKER-phone" else . end)
            | (if has("nhs_number") then .nhs_number = $nhs else . end)
            else . end)' "$1"
}
plant "$samples/referral-message.json" >"$place/good.json"
plant "$samples/charity-case.json" >"$place/case.json"
grep -q MARKER-family "$place/good.json" || give_up "no marker was planted"

mkdir "$place/answers"
n=0
say() {
    n=$((n + 1))
    answer=$place/answers/$n.json post "$@" "quiet-$n" >>"$place/codes"
    echo >>"$place/codes"
}
msg='/fhir/$process-message'
say trust epr "$msg" application/fhir+json "$place/good.json"
say charity casework /vcse/case application/json "$place/case.json"
# Damaged near every value: cut, wrongly typed, repeated, of an unknown member.
size=$(wc -c <"$place/good.json")
for i in {1..25}; do
    head -c $((size * i / 26)) "$place/good.json" >"$place/cut.json"
    say trust epr "$msg" application/fhir+json "$place/cut.json"
done
wrong_number=${number:0:9}$(((${number:9:1} + 1) % 10))
sed "s/$number/$wrong_number/g" "$place/good.json" >"$place/wrong.json"
say trust epr "$msg" application/fhir+json "$place/wrong.json"
jq '(.entry[].resource | select(.resourceType == "Patient")) |= (.birthDate = "MARKER-date"
    | .gender = "MARKER-gender" | .unknownMember = "MARKER-unknown" | .name = "MARKER-name")' \
    "$place/good.json" >"$place/typed.json"
say trust epr "$msg" application/fhir+json "$place/typed.json"
jq '.person.birth_date = "MARKER-date" | .case.status = "MARKER-status"
    | .case.received_at = "MARKER-time" | .unknown = "MARKER-unknown"
    | .person.gender_id_code = "MARKER-code"' "$place/case.json" >"$place/badcase.json"
say charity casework /vcse/case application/json "$place/badcase.json"
sed -e "s/Letters from the bailiff/MARKER-reason/g" -e "s/1984-11-23/MARKER-birth/" \
    -e "s/9990002371/$number/g" -e 's/Testina/MARKER-given/' -e 's/waiting/MARKER-status/' \
    "$samples/charity-cases.csv" >"$place/sheet.csv"
say charity casework /vcse/case text/csv "$place/sheet.csv"
sed -e 's/Tester/MARKER-family/g' "$samples/charity-cases-damaged.csv" >"$place/damaged.csv"
say charity casework /vcse/case text/csv "$place/damaged.csv"
cp "$place/sheet.csv" "$place/charity/files/one.csv"
cp "$place/badcase.json" "$place/charity/files/two.json"
cp "$place/cut.json" "$place/charity/files/three.json"
worked() { [ -z "$(find "$place/charity/files" -maxdepth 1 -type f)" ]; }
check "all was worked" wait_for 20 worked
check "all comes to rest" wait_for 20 at_rest trust charity
sort "$place/codes" | uniq -c
check "some of it was accepted" grep -q 202 "$place/codes"
check "some of it was not" grep -q 422 "$place/codes"

mkdir "$place/told"
cp "$place"/*/gateway.log "$place/told/" 2>/dev/null
for name in trust charity; do
    cp "$place/$name/gateway.log" "$place/told/$name.log"
    admin_get $name /metrics >"$place/told/$name.metrics"
    "$stile" audit show -c "$place/$name/stile.yaml" >"$place/told/$name.audit" 2>&1
    "$stile" outbox list -c "$place/$name/stile.yaml" >"$place/told/$name.outbox" 2>&1
    "$stile" quarantine list -c "$place/$name/stile.yaml" >"$place/told/$name.quarantine" 2>&1
    check "the audit log of $name has entries to look at" test -s "$place/told/$name.audit"
done
silent() { ! grep -rlE "MARKER|$number|$wrong_number" "$1"; }
check "nothing in logs, metrics, audit entries and lists" silent "$place/told"
check "nothing in what senders were told" silent "$place/answers"
find "$place/charity/files" -name '*.findings.txt' -exec cp {} "$place/told/" \;
check "nothing in findings files" silent "$place/told"
grep -rnE "MARKER|$number|$wrong_number" "$place/told" "$place/answers" | cut -c1-300 | head
finish
