#!/usr/bin/env bash
# A refusal is heard, however it is written, whoever else says otherwise; and
# nobody opens what goes to themselves.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
sample=$root/tests/samples/referral-message.json
msg='/fhir/$process-message'
is() { [ "$1" = "$2" ]; }
refer() { post trust "$3" "$msg" application/fhir+json "$1" "$2"; }
# person FILE NUMBER [FILTER]: the sample about somebody else, changed by FILTER.
person() {
    nhs_number "$2"
    jq -c --arg nhs "$nhs_number_is" --arg n "$2" '
        walk(if type == "string" then gsub("9990000018"; $nhs)
            | gsub("5b2a1e10-0000"; "5b2a1e10-" + ("0000" + $n | .[-4:]))
            else . end)
        | (.entry[].resource | select(.resourceType == "Patient").identifier[]
            | select(.system == "https://fhir.nhs.uk/Id/nhs-number").value) = $nhs
        | '"${3:-.}" "$sample" >"$1"
}
without='.entry |= map(select(.resource.resourceType != "Consent"))'
settled() { wait_for 15 at_rest trust charity; }
cases() { files_in "$place/charity/casework" '*.json'; }
# goes FILE KEY: whether a case reaches the charity.
goes() {
    local before
    before=$(cases)
    is "$(refer "$1" "$2" epr)" 202 || return 2
    settled
    [ "$(cases)" -gt "$before" ]
}
stays() { goes "$@"; [ $? -eq 1 ]; }

person "$place/yes.json" 1101
check "with consent it goes" goes "$place/yes.json" a-1

person "$place/self.json" 1102
person "$place/later.json" 1102 "$without"
check "the charity says of somebody that they agreed (202)" is \
    "$(refer "$place/self.json" b-1 charity)" 202
check "that opens nothing to the charity" stays "$place/later.json" b-2
person "$place/own.json" 1102
check "the trust's own word does" goes "$place/own.json" b-3

moved='walk(if . == "VCS07" then "VCS08" else . end)'
person "$place/first.json" 1103
person "$place/moved.json" 1103 "$moved"
check "a referral made out to the charity goes there" goes "$place/first.json" c-1
check "made out to another, it goes there no more" stays "$place/moved.json" c-2

deny='(.entry[].resource | select(.resourceType == "Consent")) |= (.provision.type = "deny")'
n=1110
for how in '.' '(.patient.reference) |= sub("^urn:uuid:"; "Patient/") + "/_history/2"' \
    '(.patient.reference) |= "https://epr.example/fhir/" + sub("^urn:uuid:"; "Patient/")'; do
    n=$((n + 1))
    person "$place/no$n.json" $n "$deny | (.entry[].resource
        | select(.resourceType == \"Consent\")) |= ($how)"
    check "a refusal is heard: $how" stays "$place/no$n.json" "d-$n"
done
for how in 'del(.dateTime)' '.dateTime = "2026"'; do
    n=$((n + 1))
    person "$place/no$n.json" $n "
        (.entry |= . + [.[] | select(.resource.resourceType == \"Consent\")
            | .fullUrl = \"urn:uuid:11111111-1111-4111-8111-111111111111\"
            | .resource.id = \"11111111-1111-4111-8111-111111111111\"
            | .resource.provision.type = \"deny\" | .resource |= ($how)])"
    check "a refusal without a day outweighs a yes: $how" stays "$place/no$n.json" "d-$n"
done
person "$place/whose.json" 1120 "$deny | (.entry[].resource
    | select(.resourceType == \"Consent\").patient) = {\"display\": \"somebody\"}"
check "a refusal of nobody knows whom: the message is refused" is \
    "$(refer "$place/whose.json" e-1 epr)" 422

mark() { # FILE NUMBER CODE
    person "$1" "$2" "(.entry[].resource | select(.resourceType == \"Patient\").meta.security) =
        [{\"system\": \"http://terminology.hl7.org/CodeSystem/v3-Confidentiality\", \"code\": \"$3\"}]"
}
phone() {
    local newest
    newest=$(find "$place/charity/casework" -name '*.json' -newer "$place/stamp" | head -n 1)
    [ -n "$newest" ] && jq -e '.person.phone != null and .person.phone != ""' "$newest" >/dev/null
}
mark "$place/open.json" 1131 U
touch "$place/stamp"
sleep 1.1
goes "$place/open.json" f-0
check "marked unrestricted by the trust, the telephone goes too" phone
mark "$place/r.json" 1130 R
mark "$place/u.json" 1130 U
person "$place/plain.json" 1130
touch "$place/stamp"
sleep 1.1
goes "$place/r.json" f-1
check "marked sensitive, it goes without the telephone" eval '! phone'
refer "$place/u.json" f-2 charity >/dev/null
settled
touch "$place/stamp"
sleep 1.1
goes "$place/plain.json" f-3
check "another's word does not lift the mark" eval '! phone'
finish
