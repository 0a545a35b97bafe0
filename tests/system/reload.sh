#!/usr/bin/env bash
# SIGHUP: a good edit of a rule that is approved shows its effect; a bad one is
# refused with its place, and the set in force stays.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
samples=$root/tests/samples
rules=$place/mappings/rules
is() { [ "$1" = "$2" ]; }
n=0
# refer: one more referral; how many cases the charity then holds.
refer() {
    local before
    n=$((n + 1))
    before=$(files_in "$place/charity/casework" '*.json')
    post trust epr '/fhir/$process-message' application/fhir+json \
        "$samples/referral-message.json" "reload-$n" >/dev/null
    wait_for 10 at_rest trust charity
    sleep 0.3
    cases_more=$(($(files_in "$place/charity/casework" '*.json') - before))
}
hup() {
    local what=$1 before
    before=$(metric trust "$what")
    kill -HUP "${gateway_pid[trust]}"
    moved() { [ "$(metric trust "$what")" = $((before + 1)) ]; }
    wait_for 10 moved
}

refer
check "before: the referral reaches the charity" is "$cases_more" 1

cp -R "$rules" "$place/good-rules"
printf '\n- rule: BROKEN\n  kind: shaer\n' >>"$rules/rules.yaml"
check "a bad rule file is refused" hup reload_failures_total
check "the log says that the set in force stays" \
    says trust 'rules .*refused, set [0-9a-f]{16} stays in force'
check "and names the file, the line and a code" says trust 'rules\.yaml:[0-9]+'
refer
check "the old rules are in force: the referral goes" is "$cases_more" 1

printf 'no: [yaml' >"$rules/agreements.yaml"
check "a file that is no YAML is refused" hup reload_failures_total
rm "$rules/agreements.yaml"
check "a file that is missing is refused" hup reload_failures_total
refer
check "the old rules are still in force" is "$cases_more" 1

# An officer ends the agreement of this route.
rm -rf "$rules"
cp -R "$place/good-rules" "$rules"
yesterday=$(date -d yesterday +%F)
awk -v on="$yesterday" '/^- *agreement:/ { here = /DSA-2026-003/ }
    here && /^  (expires|review):/ { sub(/:.*/, ": " on) } { print }' \
    "$place/good-rules/agreements.yaml" >"$rules/agreements.yaml"
check "the edit changed the file" bash -c \
    "! cmp -s '$rules/agreements.yaml' '$place/good-rules/agreements.yaml'"
check "a good edit that nobody approved is not taken up" hup reloads_total
check "the log says what is missing" says trust 'rules .*not in force.*narrower: needs one officer'
check "and so do the metrics" is "$(metric trust rules_proposal_pending)" 1
refer
check "the referral still goes" is "$cases_more" 1
check "an officer approves it" go_live trust
check "then it is taken up" hup reloads_total
check "the metrics say that nothing waits" is "$(metric trust rules_proposal_pending)" 0
refer
check "under an agreement that has ended nothing goes" is "$cases_more" 0
check "and the log says why" says trust 'withheld .*charity'

rm -rf "$rules"
cp -R "$place/good-rules" "$rules"
check "the old files, with their old approval, are not taken up again" hup reloads_total
check "the log says why" says trust "does not count: officer"
refer
check "and nothing goes" is "$cases_more" 0
check "approved again" go_live trust
check "they are taken up" hup reloads_total
refer
check "and the referral goes again" is "$cases_more" 1
check "audit verify holds over all of it" \
    "$stile" audit verify -c "$place/trust/stile.yaml"
finish
