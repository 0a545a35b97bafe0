#!/usr/bin/env bash
# Persons of a feed that fail again and again do not hold up the others of it:
# seventy whose record is larger than an exchange may hold, and three others.
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
limits:
  body-bytes: 1MiB
  arena-bytes: 3MiB
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

mkdir "$place/made"
"$stile" synth emis --out "$place/made" --patients 73 --observations 36500 \
    >/dev/null 2>&1 || give_up "no export"
# The last three keep none of their observations.
tail -n 3 "$place"/made/*Admin_Patient_*.csv | grep -oE '^"[^"]*"' >"$place/light"
[ "$(wc -l <"$place/light")" -eq 3 ] || give_up "no patients"
for file in "$place"/made/*CareRecord_Observation_*.csv; do
    grep -vF -f "$place/light" "$file" >"$place/lighter"
    mv "$place/lighter" "$file"
done

start_gateway practice
check "a gateway with little room for an exchange starts" wait_ready practice
mv "$place"/made/*.csv "$place/practice/export/"
seventy_wait() { [ "$(metric practice dirty_persons)" = 70 ]; }
check "seventy do not fit, and the three others are worked" wait_for 60 seventy_wait
three_came() { [ "$(find "$place/practice/records" -type f | wc -l)" -eq 3 ]; }
check "what the three have goes out" wait_for 20 three_came
finish
