#!/usr/bin/env bash
# A SystmOne download goes into the mirror and on, and so does the delta after
# it: what changed, what was removed, a late row, a refusal. A download that is
# not whole waits, and so does one that comes after a gap.
. "$(dirname "$0")/lib.sh"
"$root/certs/make" "$place/certs" practice charity records casework >/dev/null ||
    give_up "no certificates"
copy_mappings "$root/mappings" "$place/mappings"
# The generated practice uses SystmOne; the agreements are made out to another.
sed -i 's/A99901/A99902/' "$place/mappings/rules/agreements.yaml"
mkdir -p "$place"/{practice/{export,records},charity/casework}
make_audit_key "$place/practice/audit.key"
make_audit_key "$place/charity/audit.key"
give_ports practice charity || give_up "no ports"
{
    gateway_head practice A99902 gp-practice "Beck Street Surgery"
    cat <<YAML
$retry
partners:
  - partner: records
    ods: A99902
    kind: own-system
    certificate: ../certs/records.pem
    folder: records
  - partner: charity
    ods: VCS07
    kind: voluntary-non-care
    url: https://localhost:${port[charity]}
    certificate: ../certs/charity.pem
feeds:
  - feed: systmone
    kind: folder
    family: systmone
    folder: export
    poll: 100ms
routes:
  - route: to-records
    from: systmone
    to: records
    format: fhir-json
  - route: to-charity
    from: systmone
    to: charity
    format: vcse-json
    purpose: social-prescribing
    agreement: DSA-2026-002
YAML
} >"$place/practice/stile.yaml"
{
    gateway_head charity VCS07 voluntary-non-care "Riverside Advice"
    cat <<YAML
$retry
partners:
  - partner: casework
    ods: VCS07
    kind: own-system
    certificate: ../certs/casework.pem
    folder: casework
  - partner: practice
    ods: A99902
    kind: gp-practice
    url: https://localhost:${port[practice]}
    certificate: ../certs/practice.pem
routes:
  - route: to-casework
    from: practice
    to: casework
    format: vcse-json
YAML
} >"$place/charity/stile.yaml"

mkdir "$place/made"
"$stile" synth systmone --out "$place/made" >/dev/null 2>&1 &&
    "$stile" synth systmone --out "$place/made" --delta >/dev/null 2>&1 ||
    give_up "no download"
full=20260401_0400 delta=20260402_0400
export=$place/practice/export
records=$place/practice/records
live practice A99902 && live charity VCS07 ||
    give_up "the rules could not be approved"
start_gateway practice
start_gateway charity
check "two gateways start" wait_ready practice
wait_ready charity || give_up "charity did not get ready"

# A delta first: what it builds on is not there.
mv "$place/made/$delta" "$export/$delta"
check "a delta after a gap waits and is said" \
    wait_for 15 says practice "download $delta waits: a download before it is missing"
mv "$export/$delta" "$place/made/$delta"

# A download whose zip was taken apart by half.
mv "$place/made/$full/SRCode.csv" "$place/"
mv "$place/made/$full" "$export/$full"
check "a download that lacks a file of its manifest waits" \
    wait_for 15 says practice "download $full waits: a file its manifest lists is not there"
in_mirror() { says practice "batch $1 of systmone is in the mirror"; }

# One cut off on its way: in a cell, then between two cells of a row.
size=$(($(wc -c <"$place/SRCode.csv") / 2))
while [ $(($(head -c "$size" "$place/SRCode.csv" | tail -n 1 |
    tr -cd '"' | wc -c) % 2)) = 0 ]; do
    size=$((size + 1))
done
head -c "$size" "$place/SRCode.csv" >"$place/cut.csv"
mv "$place/cut.csv" "$export/$full/SRCode.csv"
cut_off() { [ "$(metric practice batches_refused_total)" = "$1" ]; }
check "a table cut off in a cell holds up the download" wait_for 15 cut_off 1
check "and is named" says practice "SRCode.csv is cut off at its end"
cut -d , -f 1-2 "$place/SRCode.csv" | tail -n 1 | tr -d '\n' >"$place/rest.csv"
{
    head -n 100 "$place/SRCode.csv"
    cat "$place/rest.csv"
} >"$place/cut.csv"
mv "$place/cut.csv" "$export/$full/SRCode.csv"
check "so does one cut off between two cells" wait_for 15 cut_off 2
check "nothing of it is read" \
    test "$(metric practice extract_rows_total)" = 0 -a ! -d "$export/done/$full"
cp "$place/SRCode.csv" "$export/$full/SRCode.csv"
check "whole, it goes into the mirror" wait_for 30 in_mirror "$full"
check "and moves to done/" wait_for 15 test -d "$export/done/$full"

# 60 patients: one removed number is refused (59 with the stranger's entries).
worked() { [ "$(metric practice dirty_persons)" = 0 ]; }
check "every patient is worked" wait_for 60 worked
wait_for 20 at_rest practice
of() { # of JQ: what the system of the practice holds, last word of each patient
    cat "$records"/*.json | jq -c "$1"
}
first=$place/first.jsonl
of '.entry[].resource' >"$first"
has() { grep -q "$1" "$first"; }
check "the windows-1252 name came through" has 'Samplewörth'
check "a patient has the address of the other table" \
    test "$(jq -r 'select(.resourceType == "Patient" and .id == "10001")
        | .address[0].postalCode' "$first" | head -n 1)" = "ZZ99 1AP"
check "and is one resource" \
    test "$(jq -r 'select(.resourceType == "Patient" and .id == "10001") | .id' \
        "$first" | wc -l)" = 1
check "an entry without a SNOMED CT code says so" has no-snomed-code
check "an entry about no patient reached nobody" \
    test -z "$(jq -c 'select(.. | strings | test("Patient/-1"))' "$first")"
check "a wrong NHS number is in quarantine" \
    wait_for 5 test "$(metric practice quarantined_total)" -ge 1

# The charity got those who said yes to it by name, and no codes.
casework=$place/charity/casework
consented() { [ "$(cat "$casework"/*.json 2>/dev/null |
    jq -r '.person.nhs_number // .person.person_ref' | sort -u | wc -l)" -eq "$1" ]; }
check "three said yes to the charity by name" wait_for 20 consented 3
check "the log says why the others were not sent" says practice 'withheld'

# The day after.
before=$(files_in "$records" '*.json')
mv "$place/made/$delta" "$export/$delta"
check "the delta goes into the mirror" wait_for 30 in_mirror "$delta"
more() { [ "$(files_in "$records" '*.json')" -gt "$before" ]; }
check "and its changes go out" wait_for 30 more
check "every patient is worked again" wait_for 30 worked
wait_for 20 at_rest practice
second=$place/second.jsonl
find "$records" -name '*.json' -newer "$first" -exec cat {} + |
    jq -c '.entry[]' >"$second"
sent() { grep -q "$1" "$second"; }
check "the new address" test "$(jq -r '.resource
    | select(.resourceType == "Patient" and .id == "10014") | .address[0].postalCode' \
    "$second" | head -n 1)" = "ZZ99 2ES"
check "a removed patient is deleted there" \
    test -n "$(jq -c 'select(.request.method == "DELETE" and
        (.request.url | test("Patient/10017")))' "$second")"
check "a removed entry is deleted there" \
    test -n "$(jq -c 'select(.request.method == "DELETE" and
        (.request.url | test("Observation/1015200")))' "$second")"
check "the problem that waited for its entry" sent '"Condition"'
check "the one who refused since gets nothing more to the charity" consented 3
# The full download once more: as it was, then repaired under its stamp. What
# the delta brought since stays.
cp -r "$export/done/$full" "$place/again"
mv "$place/again" "$export/$full"
check "a download read before is not read again" \
    wait_for 15 says practice "batch $full of systmone was read before"
check "and moves beside the first" \
    wait_for 15 test -d "$export/done/$full.2"
cp -r "$export/done/$full" "$place/again"
LC_ALL=C sed -i 's/Samplew/Simplew/' "$place/again/SRPatient.csv"
mv "$place/again" "$export/$full"
check "one repaired under its stamp is" wait_for 30 test -d "$export/done/$full.3"
check "every patient is worked once more" wait_for 30 worked
wait_for 20 at_rest practice
repaired() { cat "$records"/*.json | grep -c Simplewörth >/dev/null; }
check "and what it repaired goes out" wait_for 20 repaired
last_address() { # the last file that says it
    ls -tr "$records"/*.json | xargs cat | jq -r '.entry[].resource
        | select(.resourceType == "Patient" and .id == "10014")
        | .address[0].postalCode' | tail -n 1
}
check "the delta's newer address stays" test "$(last_address)" = "ZZ99 2ES"
check "the audit log holds it" wait_for 10 \
    "$stile" audit verify -c "$place/practice/stile.yaml"
finish
