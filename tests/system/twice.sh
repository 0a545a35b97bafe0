#!/usr/bin/env bash
# Govern twice: consent is withdrawn while the referral waits for a partner
# that is down. When the partner is back the row is decided again, and stays.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
samples=$root/tests/samples
is() { [ "$1" = "$2" ]; }
msg='/fhir/$process-message'
refer() { post trust epr "$msg" application/fhir+json "$1" "$2"; }

check "with consent it reaches the charity" is "$(refer "$samples/referral-message.json" t-1)" 202
there() { at_least "$place/charity/casework" '*.json' "$1"; }
check "and is there" wait_for 15 there 1

stop_gateway charity
check "while charity is down trust takes a referral" is \
    "$(refer "$samples/referral-message.json" t-2)" 202
waits() { [ "$("$stile" outbox list -c "$place/trust/stile.yaml" --json 2>/dev/null |
    grep -cE 'deferred|queued')" -ge 1 ]; }
check "it waits in the outbox" wait_for 15 waits
check "the log says it is deferred" wait_for 15 says trust 'deferred'

# The person says no. A later Consent, of the same kind, that denies.
jq '(.entry[].resource | select(.resourceType == "Consent")) |=
        (.id = "5b2a1e10-0000-4000-8000-0000000000c2" | .dateTime = "2026-03-20"
        | .provision.type = "deny" | .provision.period.start = "2026-03-20")
    | (.entry[] | select(.resource.resourceType == "Consent") | .fullUrl) =
        "urn:uuid:5b2a1e10-0000-4000-8000-0000000000c2"
    | .id = "5b2a1e10-0000-4000-8000-000000000092"' \
    "$samples/referral-message.json" >"$place/no.json"
check "the withdrawal is accepted" is "$(refer "$place/no.json" t-3)" 202

start_gateway charity
wait_ready charity || give_up "charity did not come back"
withdrawn() { [ "$(metric trust withdrawn_total)" -ge 1 ]; }
check "the row that waited is withdrawn" wait_for 20 withdrawn
check "it was decided a second time" test "$(metric trust decided_again_total)" -ge 1
wait_for 10 at_rest trust
sleep 0.5
check "nothing more reached the charity" is "$(files_in "$place/charity/casework" '*.json')" 1
check "the log says so" says trust 'withdrawn'
check "the audit log holds it" "$stile" audit verify -c "$place/trust/stile.yaml"
finish
