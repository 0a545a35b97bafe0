#!/usr/bin/env bash
# Who may not talk to a gateway: nobody without a certificate, nobody of another
# authority, nobody unknown, nobody revoked.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
"$root/certs/make" "$place/other" epr >/dev/null

# ask OPTION...: the status of GET metadata, 000 when the handshake failed.
ask() {
    curl -s --noproxy '*' --max-time 10 -o "$place/answer" -w '%{http_code}' \
        --cacert "$place/certs/ca.pem" "$@" \
        "https://localhost:${port[trust]}/fhir/metadata" 2>/dev/null || true
}
with() { ask --cert "$place/$1.pem" --key "$place/$1.key"; }
is() { [ "$1" = "$2" ]; }

check "a partner is answered" is "$(with certs/epr)" 200
check "metadata is a CapabilityStatement of FHIR 4.0.1" jq -e \
    '.resourceType == "CapabilityStatement" and .fhirVersion == "4.0.1"' "$place/answer"
check "a certificate of ours that is no partner's: 403" is "$(with certs/stranger)" 403
check "which says why, as an OperationOutcome on a FHIR path" jq -e \
    '.resourceType == "OperationOutcome" and .issue[0].code == "forbidden"' "$place/answer"
elsewhere() {
    curl -s --noproxy '*' --max-time 10 -o "$place/answer" -w '%{http_code}' \
        --cacert "$place/certs/ca.pem" --cert "$place/certs/epr.pem" \
        --key "$place/certs/epr.key" "https://localhost:${port[trust]}$1"
}
check "no such path: 404" is "$(elsewhere /nowhere)" 404
check "as application/problem+json elsewhere" jq -e '.status == 404 and (.title | length) > 0' \
    "$place/answer"
check "a GET where messages are posted: 405" is "$(elsewhere /vcse/case)" 405
check "no certificate: no handshake" is "$(ask)" 000
check "a certificate of another authority: no handshake" is "$(with other/epr)" 000
check "TLS 1.1: no handshake" is "$(ask --cert "$place/certs/epr.pem" \
    --key "$place/certs/epr.key" --tls-max 1.1)" 000
check "TLS 1.2 is spoken" is "$(ask --cert "$place/certs/epr.pem" \
    --key "$place/certs/epr.key" --tls-max 1.2)" 200
plain=$(curl -s --noproxy '*' --max-time 10 -o /dev/null -w '%{http_code}' \
    "http://127.0.0.1:${port[trust]}/fhir/metadata" 2>/dev/null || true)
check "plain HTTP on the partners' port: nothing" is "$plain" 000

code=$(post trust stranger '/fhir/$process-message' application/fhir+json \
    "$root/tests/samples/referral-message.json" s-1)
check "a stranger's message is refused" is "$code" 403
check "and nothing of it was accepted" is "$(metric trust messages_accepted_total)" 0
check "the log says so, with the name in the certificate" \
    says trust 'refused .*stranger'

# A revoked certificate: after a reload it is refused.
"$root/certs/make" --revoke "$place/certs" epr
kill -HUP "${gateway_pid[trust]}"
reloaded() { [ "$(metric trust reloads_total)" = 1 ]; }
check "SIGHUP takes up the new revocation list" wait_for 10 reloaded
check "a revoked certificate: no handshake" is "$(with certs/epr)" 000
check "the others go on" is "$(with certs/charity)" 200
finish
