#!/usr/bin/env bash
# One person with two cases, from a charity's sheet to the trust: the person
# goes once, with both. Rows that contradict each other about a person stay, and
# the sender's findings say where; a key that stands twice does too.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
samples=$root/tests/samples
files=$place/charity/files
hand_in() { mv "$1" "$files/$2.part" && mv "$files/$2.part" "$files/$2"; }
worked() { [ -e "$files/done/$1" ] || [ -e "$files/failed/$1" ]; }
header=person_ref,nhs_number,given_name,family_name,birth_date,case_ref,service_name,received_at,status,share
# at_trust TYPE ID: how many entries of it reached the trust's records.
at_trust() {
    find "$place/trust/records" -name '*.json' -exec cat {} + |
        jq -s --arg t "$1" --arg i "$2" \
            '[.[].entry[]?.resource | select(.resourceType == $t and .id == $i)] | length'
}
one_of() { [ "$(at_trust "$1" "$2")" = 1 ]; }

nhs_number 4001
one=$nhs_number_is
nhs_number 4002
two=$nhs_number_is
cat >"$place/sheet" <<CSV
$header
P-1,$one,Testina,Fixture,1984-11-23,C-1,Debt advice,2026-02-03 09:00,active,all
P-1,,Testina,Fixture,1984-11-23,C-2,Housing advice,2026-02-04 09:00,active,all
CSV
hand_in "$place/sheet" two.csv
check "a sheet with two cases of one person is worked" wait_for 20 worked two.csv
check "  all of it could be used" test -e "$files/done/two.csv"
check "  the person reached the trust once" wait_for 20 one_of Patient P-1
check "  with the one case" one_of ServiceRequest C-1
check "  and the other" one_of ServiceRequest C-2

cat >"$place/sheet" <<CSV
$header
P-2,$two,Testina,Fixture,1984-11-23,C-3,Debt advice,2026-02-03 09:00,active,all
P-2,$two,Testina,Fixture,1985-11-23,C-4,Housing advice,2026-02-04 09:00,active,all
CSV
hand_in "$place/sheet" differ.csv
check "a sheet that gives one person two birthdays is worked" \
    wait_for 20 worked differ.csv
check "  none of it could be used" test -e "$files/failed/differ.csv"
for row in 2 3; do
    check "  its findings name row $row and the column" grep -q \
        "^differ.csv row $row, column birth_date: error\[V326\]" \
        "$files/failed/differ.csv.findings.txt"
done

jq '.contact += [.contact[0] | .note = "another"]
    | .group = [{group_ref: "G-1"}, {group_ref: "G-2"}]' \
    "$samples/charity-case.json" >"$place/case"
got=$(post charity casework /vcse/case application/json "$place/case" key-twice)
check "a case with one contact_ref twice is taken" test "$got" = 202
check "  the answer says which row stays" grep -q V213 "$place/answer"
check "  and which table no mapping reads" grep -q X115 "$place/answer"
check "  what was not read may be a refusal: nothing goes to the trust" \
    wait_for 20 says charity 'withheld .*update-to-trust'
named() {
    ! find "$place/trust/records" -name '*.json' -exec cat {} + |
        jq -r '.entry[]?.request.url' | grep -c '/$' >/dev/null
}

# A mapping that writes no id: its rows stay, rather than be new at each export.
stop_gateway charity
sed -i '/-> id .*digest/d' "$place/mappings/maps/vcse/outcome.map"
start_gateway charity
wait_ready charity || give_up "charity did not come back"
got=$(post charity casework /vcse/case application/json \
    "$samples/charity-case.json" no-id)
check "a case goes through a mapping that writes no id" test "$got" = 202
check "  the answer says that its rows stay" grep -q X114 "$place/answer"
check "  and they are in quarantine" \
    test "$(metric charity quarantine_rows)" -ge 1

check "nothing left without an id" named
check "no receiver refused anything" \
    test "$("$stile" outbox list -c "$place/charity/stile.yaml" --json |
        grep -c refused)" = 0
check "both audit logs hold" "$stile" audit verify -c "$place/charity/stile.yaml"
finish
