#!/usr/bin/env bash
# The nights after a bulk, in a practice's own system and, over a second gateway,
# in a trust's: what is deleted with no more than its key is deleted there, and
# all of a patient who is; what changed comes again; a late row is held, then sent.
. "$(dirname "$0")/lib.sh"
"$root/certs/make" "$place/certs" practice trust records epr >/dev/null ||
    give_up "no certificates"
copy_mappings "$root/mappings" "$place/mappings"
mkdir -p "$place"/{practice/{export,records},trust/records,bulk}
make_audit_key "$place/practice/audit.key"
make_audit_key "$place/trust/audit.key"
give_ports practice trust || give_up "no ports"
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
  - partner: trust
    ods: RZ9
    kind: trust
    url: https://localhost:${port[trust]}
    certificate: ../certs/trust.pem
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
  - route: to-trust
    from: emis
    to: trust
    format: fhir-json
    purpose: individual-care
    agreement: DSA-2026-001
YAML
} >"$place/practice/stile.yaml"
{
    gateway_head trust RZ9 trust "Eastmoor Mental Health Trust"
    cat <<YAML
$retry
partners:
  - partner: epr
    ods: RZ9
    kind: own-system
    certificate: ../certs/epr.pem
    folder: records
  - partner: practice
    ods: A99901
    kind: gp-practice
    url: https://localhost:${port[practice]}
    certificate: ../certs/practice.pem
routes:
  - route: practice-to-records
    from: practice
    to: epr
    format: fhir-json
YAML
} >"$place/trust/stile.yaml"
live practice A99901 && live trust RZ9 ||
    give_up "the rules could not be approved"
"$stile" synth emis --out "$place/bulk" --patients 30 --observations 240 \
    >/dev/null 2>&1 || give_up "no export"

# ---- what goes into the folder ----------------------------------------------

# cells KEY COLUMN...: of a bulk's table (stdin), the row of the key; "-": of
# every row. The generated cells hold no '","'.
cells() {
    awk -F '","' -v key="$1" -v want="${*:2}" '
        { gsub(/^"|"\r?$/, "") }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(want, w, " "); next }
        key == "-" || $1 == key {
            for (i = 1; i <= n; i++) printf "%s%s", $(at[w[i]]), i < n ? " " : "\n"
        }'
}
table() { cat "$place"/bulk/bulk_1_"$1"_*.csv; }
# line KEY [COLUMN=VALUE...]: the row of the key in a table (stdin), with other
# cells. `alone` before it: with the key and these cells, and no other.
line() {
    awk -F '","' -v key="$1" -v sets="${*:2}" -v alone="${alone-}" '
        { gsub(/^"|"\r?$/, "") }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == key {
            for (i = 2; i <= NF && alone; i++) $i = ""
            n = split(sets, s, " ")
            for (i = 1; i <= n; i++) {
                cut = index(s[i], "=")
                $(at[substr(s[i], 1, cut - 1)]) = substr(s[i], cut + 1)
            }
            printf "\""
            for (i = 1; i <= NF; i++) printf "%s%s", $i, i < NF ? "\",\"" : "\"\r\n"
        }'
}
# night N: begins a delta, with the headers alone.
night() {
    local file name
    nights=$1
    rm -rf "$place/night"
    mkdir "$place/night"
    for file in "$place"/bulk/*.csv; do
        name=$(basename "$file" | sed "s/^bulk_1_/delta_$((nights + 1))_/
            s/_20260401040000_/_$((20260401040000 + nights * 1000000))_/")
        head -n 1 "$file" >"$place/night/$name"
    done
}
# tell TABLE KEY [COLUMN=VALUE...]: that row, changed so.
tell() { table "$1" | line "${@:2}" >>"$(echo "$place/night/delta_"*"_$1_"*)"; }
# gone TABLE KEY [PatientGuid=GUID]: as EMIS says it, with the cells of the key
# and the mark.
gone() { alone=yes tell "$1" "$2" "${@:3}" Deleted=true ProcessingId=1; }
in_mirror() { says practice "batch $((20260401040000 + nights * 1000000)) of emis is in the mirror"; }
send() {
    mv "$place"/night/*.csv "$place/practice/export/"
    wait_for 30 in_mirror && wait_for 30 at_rest practice trust
}

# ---- what came out -------------------------------------------------------------

own=$place/practice/records theirs=$place/trust/records
is() { [ "$1" = "$2" ]; }
id() { tr -d '{}' <<<"$1" | tr 'A-F' 'a-f'; }
# mark: what comes from now on is new; new FOLDER JQ: of its entries.
mark() { touch "$place/mark"; }
new() {
    find "$1" -maxdepth 1 -name '*.json' -newer "$place/mark" -exec cat {} + |
        jq -r ".entry[] | $2"
}
put() { new "$1" '.resource | select(. != null) | "\(.resourceType)/\(.id)"'; }
# without the patient, who is in every file about one
put_of_them() { put "$1" | grep -v '^Patient/'; }
deleted() { new "$1" 'select(.request.method == "DELETE") | .request.url'; }
# sent_of FOLDER PATIENT: all that was ever sent there of one.
sent_of() {
    cat "$1"/*.json | jq -r --arg p "Patient/$2" '
        select(any(.entry[].resource?; "\(.resourceType)/\(.id)" == $p
            or .subject.reference == $p or .patient.reference == $p
            or any(.participant[]?.actor.reference?; . == $p)))
        | .entry[].resource | select(. != null) | "\(.resourceType)/\(.id)"' |
        sort -u
}
holds() { grep -qxF "$2" <<<"$1"; }

start_gateway practice
start_gateway trust
check "two gateways start" wait_ready practice
wait_ready trust || give_up "trust did not get ready"
mark
nights=0
mv "$place"/bulk/*.csv "$place/practice/export/"
check "the bulk goes into the mirror" wait_for 30 in_mirror
check "and all of it goes out" wait_for 60 at_rest practice trust
cp "$place"/practice/export/done/*/*.csv "$place/bulk/"
held=$(metric practice held_rows)
appointments=$(put "$own" | sed -n 's|^Appointment/||p' | tr a-f A-F)

# Who and what: two patients the trust was told of, one to be deleted, one of two
# referrals; a problem; plain entries of others.
observations=$(table CareRecord_Observation | cells - ObservationGuid PatientGuid Value)
also=$(table CareRecord_ObservationReferral | cells - ObservationGuid
    table CareRecord_Problem | cells - ObservationGuid)
# plain PATIENT|"" [N]: the nth entry that is no referral or problem, with a value.
plain() {
    awk -v p="$1" -v n="${2:-1}" -v also="$also" '
        NF == 3 && !index(also, $1) && (p == "" || $2 == p) && ++seen == n { print $1 }' \
        <<<"$observations"
}
patient_of() { awk -v key="$1" '$1 == key { print $2; exit }' <<<"$observations"; }
two=$(table CareRecord_ObservationReferral | cells - PatientGuid | sort | uniq -d | head -n 1)
referral=$(table CareRecord_ObservationReferral | cells - ObservationGuid PatientGuid |
    awk -v p="$two" '$2 == p { last = $1 } END { print last }')
leaver=$(put "$theirs" | sed -n 's|^Patient/||p' | grep -vx "$(id "$two")" | head -n 1 | tr a-f A-F)
leaver="{$leaver}"
problem=$(table CareRecord_Problem | cells - ObservationGuid PatientGuid |
    awk -v a="$two" -v b="$leaver" '$2 != a && $2 != b { print $1; exit }')
changed=$(plain "$two")
others=$(awk -v a="$two" -v b="$leaver" -v c="$(patient_of "$problem")" \
    'NF == 3 && $2 != a && $2 != b && $2 != c && !seen[$2]++ { print $2 }' <<<"$observations")
removed=$(plain "$(sed -n 1p <<<"$others")")
before_late=$(plain "$(sed -n 2p <<<"$others")")
late='{0DE17A00-0000-4000-8000-000000000001}' code=100000990099999117
[ -n "$two" ] && [ -n "$referral" ] && [ ${#leaver} -eq 38 ] && [ -n "$problem" ] &&
    [ -n "$changed" ] && [ -n "$removed" ] && [ -n "$before_late" ] ||
    give_up "the generated practice has not what this looks at"
own_leaver=$(sent_of "$own" "$(id "$leaver")")
trust_leaver=$(sent_of "$theirs" "$(id "$leaver")")
check "the trust was told of the one who will leave" \
    holds "$trust_leaver" "Patient/$(id "$leaver")"

night 1
gone CareRecord_Observation "$removed" "PatientGuid=$(patient_of "$removed")"
gone CareRecord_Observation "$referral" "PatientGuid=$(patient_of "$referral")"
gone CareRecord_Observation "$problem" "PatientGuid=$(patient_of "$problem")"
gone Admin_Patient "$leaver"
tell CareRecord_Observation "$changed" Value=123.25
tell CareRecord_Observation "$before_late" "ObservationGuid=$late" "CodeId=$code"
check "six rows are told" is "$(cat "$place"/night/*.csv | wc -l)" $((21 + 6))
mark
check "the first night is worked" send
own_deleted=$(deleted "$own") own_put=$(put_of_them "$own")
trust_deleted=$(deleted "$theirs") trust_put=$(put_of_them "$theirs")
check "the entry is deleted, told by its key alone" \
    holds "$own_deleted" "Observation/$(id "$removed")"
check "so is a referral whose entry is" holds "$own_deleted" "ServiceRequest/$(id "$referral")"
check "and its entry" holds "$own_deleted" "Observation/$(id "$referral")"
check "and both at the trust" holds "$trust_deleted" "ServiceRequest/$(id "$referral")"
check "and both at the trust" holds "$trust_deleted" "Observation/$(id "$referral")"
check "so is a problem whose entry is" holds "$own_deleted" "Condition/$(id "$problem")"
check "all of the patient that was sent is deleted" \
    is "$(comm -23 <(echo "$own_leaver") <(sort -u <<<"$own_deleted"))" ""
check "and all at the trust" \
    is "$(comm -23 <(echo "$trust_leaver") <(sort -u <<<"$trust_deleted"))" ""
check "nothing else is deleted" is "$(sort <<<"$own_deleted")" \
    "$(printf '%s\n' "$own_leaver" "Observation/$(id "$removed")" \
        {ServiceRequest,Observation}/"$(id "$referral")" \
        {Condition,Observation}/"$(id "$problem")" | sort)"
check "what changed is sent again, and nothing else" \
    is "$own_put" "Observation/$(id "$changed")"
check "also to the trust" is "$trust_put" "Observation/$(id "$changed")"
check "as it is now" is "$(new "$theirs" '.resource.valueQuantity.value | select(. != null)')" 123.25
check "the late row's entry waits for its code" \
    is "$(metric practice held_rows)" $((held + 1))

night 2
tell Coding_ClinicalCode "$(table Coding_ClinicalCode | cells - CodeId | head -n 1)" "CodeId=$code"
mark
check "the second night is worked" send
check "the code came, and the entry is sent, and nothing else" \
    is "$(put_of_them "$own")$(deleted "$own")" "Observation/$(id "$late")"
check "it waits no more" is "$(metric practice held_rows)" "$held"

night 3
tell CareRecord_Observation "$removed"
tell Admin_Patient "$leaver"
mark
check "the third night is worked" send
own_put=$(put "$own")
check "an entry that is told again is sent again" \
    holds "$own_put" "Observation/$(id "$removed")"
check "and so is a patient, with what is known of them" is "$(comm -23 \
    <(echo "$own_leaver") <(sort -u <<<"$own_put"))" ""
check "and none of it is deleted" is "$(deleted "$own")" ""

# Two entries whose own key is empty: were the patient's alone their key, the
# one would take the other's place.
night 4
tell CareRecord_Observation "$removed" ObservationGuid=
tell CareRecord_Observation "$changed" ObservationGuid=
tell CareRecord_Observation "$changed" PatientGuid=
mark
aside=$(metric practice quarantine_rows)
check "the fourth night is worked" send
check "rows with a part of their key empty are set aside, each" \
    is "$(metric practice quarantine_rows)" $((aside + 3))
check "and make nothing" is "$(put_of_them "$own")$(deleted "$own")" ""
# A slot's person is not in its key, and its session is nobody's row.
slots=$(table Appointment_Slot | cells - SlotGuid PatientGuid SessionGuid |
    grep -F "$(sed 's/.*/{&}/' <<<"$appointments")")
read -r slot holder session <<<"$(grep -F "$(sed -n 1p <<<"$others")" <<<"$slots" | head -n 1)"
read -r cancelled _ <<<"$(awk -v a="$holder" -v b="$leaver" '$2 != a && $2 != b' <<<"$slots")"
[ -n "$session" ] && [ -n "$cancelled" ] || give_up "there are no slots"
night 5
gone Appointment_Session "$session"
tell Appointment_Slot "$cancelled" PatientGuid=
tell CareRecord_Observation "$removed" Value=321.5
mark
check "the fifth night is worked" send
check "an appointment that was cancelled is deleted" \
    holds "$(deleted "$own")" "Appointment/$(id "$cancelled")"
check "and one whose session was" holds "$(deleted "$own")" "Appointment/$(id "$slot")"
check "which holds up nothing of its patient" \
    holds "$(put "$own")" "Observation/$(id "$removed")"

night 6
tell Appointment_Session "$session"
mark
check "the sixth night is worked" send
check "the session is told again, and the appointment sent again" \
    holds "$(put "$own")" "Appointment/$(id "$slot")"
check "and nothing waits for it" is "$(metric practice held_rows)" "$held"
night 7
tell Agreements_SharingOrganisation "$(table Agreements_SharingOrganisation |
    cells - OrganisationGuid | head -n 1)" Disabled=true
tell CareRecord_Observation "$removed" Value=654.5
mark
check "the seventh night is worked" send
check "a practice that switched sharing off is not read on" \
    says practice 'gate .*persons are not read on'
check "and nothing of it goes" is "$(put "$own")$(deleted "$own")" ""
check "the gateway goes on" admin_get practice /readyz
check "the practice's audit log holds it" wait_for 10 \
    "$stile" audit verify -c "$place/practice/stile.yaml"
check "and the trust's" wait_for 10 \
    "$stile" audit verify -c "$place/trust/stile.yaml"
finish
