#!/usr/bin/env bash
# Mappings that were edited while the gateway was down: at its start every person
# of an export is worked again, and what comes out otherwise is sent. A start
# that finds them as they were sends nothing.
. "$(dirname "$0")/lib.sh"
"$root/certs/make" "$place/certs" practice records >/dev/null ||
    give_up "no certificates"
copy_mappings "$root/mappings" "$place/mappings"
mkdir -p "$place"/practice/{export,records}
make_audit_key "$place/practice/audit.key"
give_ports practice || give_up "no ports"
{
    gateway_head practice A99901 gp-practice "Alder Lane Surgery"
    cat <<YAML
$retry
partners:
  - partner: records
    ods: A99901
    kind: own-system
    certificate: ../certs/records.pem
    folder: records
feeds:
  - feed: emis
    kind: folder
    family: emis
    folder: export
    poll: 100ms
routes:
  - route: to-records
    from: emis
    to: records
    format: fhir-json
YAML
} >"$place/practice/stile.yaml"
live practice A99901 || give_up "the rules could not be approved"
"$stile" synth emis --out "$place/practice/export" --patients 8 \
    --observations 40 >/dev/null 2>&1 || give_up "no export"

records=$place/practice/records
map=$place/mappings/maps/emis/patient.map
was=fhir/Id/emis-person now=fhir/Id/emis-person-number
is() { [ "$1" = "$2" ]; }
# of SYSTEM: how many patients came with an identifier of it.
of() {
    cat "$records"/*.json 2>/dev/null | jq -r --arg s "https://stile.example/$1" '
        .entry[].resource | select(.resourceType == "Patient" and
            any(.identifier[]?; .system == $s)) | .id' | sort -u | wc -l
}
has() { [ "$(of "$1")" -eq "$2" ]; }
# The job that marks persons stands in the store's queue before the gateway is
# ready, so nobody can be missed in what the metrics count afterwards.
start() {
    start_gateway practice
    wait_ready practice
}
again() { grep -c 'are worked again under' "$place/practice/gateway.log"; }

check "a gateway starts" start
check "eight patients are sent" wait_for 30 has $was 8
check "and nothing waits" wait_for 20 at_rest practice
check "nobody was worked again" is "$(again)" 0

stop_gateway practice
before=$(files_in "$records" '*.json')
check "it starts once more" start
check "and nothing waits" wait_for 20 at_rest practice
check "nothing is sent again" is "$(files_in "$records" '*.json')" "$before"
check "nobody was worked again" is "$(again)" 0

stop_gateway practice
sed -i "s|$was'|$now'|" "$map"
check "the edit changed the map" grep -q "$now" "$map"
check "it starts with the edited map" start
check "the log says that persons are worked again" \
    wait_for 10 says practice '[0-9]+ persons of exports are worked again'
check "and they are sent as the map says now" wait_for 30 has $now 8
check "and nothing waits" wait_for 20 at_rest practice

stop_gateway practice
before=$(files_in "$records" '*.json')
check "it starts once more" start
check "and nothing waits" wait_for 20 at_rest practice
check "nothing is sent again" is "$(files_in "$records" '*.json')" "$before"
check "nobody was worked again" is "$(again)" 1
check "audit verify holds over all of it" \
    "$stile" audit verify -c "$place/practice/stile.yaml"
finish
