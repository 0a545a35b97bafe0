#!/usr/bin/env bash
# What was disclosed is asked again: how often a change of the rules would have
# mattered, and what was agreed and never went.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
is() { [ "$1" = "$2" ]; }
samples=$root/tests/samples
send() {
    post trust epr '/fhir/$process-message' application/fhir+json \
        "$samples/referral-message.json" "past-$1"
}
check "a referral is taken" is "$(send 1)" 202
check "and another time" is "$(send 2)" 202
sent() { at_least "$place/charity/casework" '*.json' 2; }
check "both reach the charity" wait_for 20 sent

trust=$place/trust/stile.yaml
simulate() { "$stile" rules simulate "$@" -c "$trust" --json; }
cp -R "$place/mappings" "$place/same"
check "the same rules: asked of both, nothing differs" is \
    "$(simulate "$place/mappings" "$place/same" | jq -c '[.asked, .persons, (.changes | length)]')" \
    '[2,1,0]'
cp -R "$place/mappings" "$place/fewer"
# The date of birth is shared no more under DSA-2026-003.
perl -0pi -e 's/(under: DSA-2026-003.*?data: \[name, )birth-date, /$1/s' \
    "$place/fewer/rules/rules.yaml"
perl -0pi -e 's/(- example:(?:(?!- example:).)*?rule: RIV-2(?:(?!- example:).)*?data: birth-date.*?expect: )release/$1withhold/s' \
    "$place/fewer/rules/examples.yaml"
check "rules that share less: how many items of how many persons" is \
    "$(simulate "$place/mappings" "$place/fewer" |
        jq -c '[.changes[] | [.change, .data, .recipient, .items, .persons, .disclosures]]')" \
    '[["newly-withheld","birth-date","VCS07",2,1,2]]'
check "the other way it is wider" is \
    "$(simulate "$place/fewer" "$place/mappings" | jq -r '.changes[0].change')" newly-released
"$stile" rules simulate "$place/mappings" "$place/fewer" -c "$trust" >"$place/plain"
check "in plain words" grep -q 'narrower: would go no more' "$place/plain"
check "no further back than asked" is "$("$stile" rules simulate "$place/mappings" \
    "$place/fewer" -c "$trust" --days 1 --json | jq .asked)" 2

use() { "$stile" rules use --mappings "$place/mappings" -c "$trust" --json; }
check "what went under the agreement is told" is \
    "$(use | jq -c '.use[] | select(.agreement == "DSA-2026-003") | .data[] | select(.data == "name") | .items')" 2
check "and what was agreed and never went" is \
    "$(use | jq -c '.use[] | select(.agreement == "DSA-2026-003") | .never | index("care-plan") != null or length > 0')" true
check "only where the gateway's own organisation sends" is \
    "$(use | jq -c '[.use[] | select(.agreement == "DSA-2026-002")] | length')" 0
check "without a log it says what it needs" is \
    "$("$stile" rules use >/dev/null 2>&1; echo $?)" 2
finish
