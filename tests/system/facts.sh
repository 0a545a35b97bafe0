#!/usr/bin/env bash
# What officers see and give: facts of a person, a file of them, a broken glass.
# A refusal that is imported while a row waits withdraws the row; nothing is shown
# without an entry; and no NHS number gets into the audit log or an error text.
. "$(dirname "$0")/lib.sh"
two_gateways
sample=$root/tests/samples/referral-message.json
msg='/fhir/$process-message'
nhs=9990001006
is() { [ "$1" = "$2" ]; }
refer() { post trust epr "$msg" application/fhir+json "$1" "$2"; }

# ---- officers ----
for id in ig-1 sup-1 cg-1; do
    "$stile" officer key --out "$place/$id.key" >"$place/$id.pub" ||
        give_up "no key for $id"
done
officers() {
    cat <<YAML
  - officer: ig-1
    role: information-governance
    key: $(cat "$place/ig-1.pub")
    may: [read-facts, give-facts]
    from: 2026-01-01
    until: 2099-12-31
  - officer: sup-1
    role: shift-supervisor
    key: $(cat "$place/sup-1.pub")
    may: [break-glass]
    from: 2026-01-01
    until: 2099-12-31
YAML
}
officers >>"$place/trust/officers.yaml"
trust=$place/trust/stile.yaml
as() { "$stile" "$@" -c "$config" --as "$who" --key "$place/$who.key" --because "${because:-a system test}"; }
config=$trust who=ig-1
entries() { "$stile" audit show -c "$config" --last 1000 --json 2>/dev/null | grep -c "\"type\":\"$1\""; }

start_two
check "the yes reaches the charity" is "$(refer "$sample" f-1)" 202
there() { at_least "$place/charity/casework" '*.json' "$1"; }
check "and is there" wait_for 15 there 1

# ---- seeing ----
printf '%s\n' "$nhs" | as facts - >"$place/seen.txt" 2>"$place/seen.err"
check "an officer sees what is known" grep -q '^consent-to-this-recipient to VCS07: yes: it is the latest' "$place/seen.txt"
check "and which word counts" grep -q '^  \* yes, said 2026-03-01 by epr|Consent/' "$place/seen.txt"
check "and what silence means" grep -q 'silence means no (emis)' "$place/seen.txt"
check "it is entered" is "$(entries facts-seen)" 1
as facts "$nhs" --json >"$place/seen.json" 2>/dev/null
check "as JSON, an object a line" jq -es 'any(.[]; .fact == "consent-to-this-recipient"
    and .recipient == "VCS07" and .value == "yes" and .given[0].counts)' "$place/seen.json"
check "seen twice, entered twice" is "$(entries facts-seen)" 2
no_number() {
    "$stile" audit show -c "$config" --last 1000 --json >"$place/log.json" 2>/dev/null &&
        ! grep -q "$nhs" "$place/log.json"
}
check "no NHS number stands in the log" no_number
refuses() { ! "$@" >"$place/out" 2>"$place/err" && [ ! -s "$place/out" ]; }
check "a wrong number is refused" refuses as facts 9990001007
check "and not repeated" eval '! grep -q 9990001007 "$place/err"'
who=sup-1
check "who may not see, sees nothing" refuses as facts "$nhs"
who=ig-1
check "without a key nobody does" refuses "$stile" facts "$nhs" -c "$trust" --as ig-1 --because x
check "neither is entered" is "$(entries facts-seen)" 2

# ---- giving: a refusal comes in a file while a row waits ----
head='nhs_number,fact,value,recipient,date,from,until,source'
{
    echo "$head"
    echo "$nhs,consent-to-this-recipient,no,VCS07,$(date -u +%F),,,paper form"
    echo "9990000018,national-opt-out,no,,$(date -u +%F),,,NDO check"
} >"$place/given.csv"
sed '2s/9990001006/9990001007/' "$place/given.csv" >"$place/wrong.csv"
check "a file with a wrong row is refused whole" refuses as facts import "$place/wrong.csv"
check "by row and column" grep -q 'row 2, column nhs_number: error\[P101\]' "$place/err"
check "and the number is not said" eval '! grep -q 9990001007 "$place/err"'
sed '2s/VCS07/VCS70/' "$place/given.csv" >"$place/nobody.csv"
check "a refusal to nobody is refused" refuses as facts import "$place/nobody.csv"
check "with the near code" grep -q "P115.*" "$place/err"
stop_gateway charity
check "while the charity is down a referral is taken" is "$(refer "$sample" f-2)" 202
waits() { [ "$("$stile" outbox list -c "$trust" --json 2>/dev/null | grep -cE 'deferred|queued')" -ge 1 ]; }
check "it waits" wait_for 15 waits
check "the file is taken" as facts import "$place/given.csv"
check "it is entered once, and its persons" is "$(entries facts-given)" 1
check "as commitments" is "$(entries facts-given-persons)" 1
check "no NHS number stands in the log" no_number
start_gateway charity
wait_ready charity || give_up "charity did not come back"
withdrawn() { [ "$(metric trust withdrawn_total)" -ge 1 ]; }
check "the row that waited is withdrawn" wait_for 20 withdrawn
wait_for 10 at_rest trust
check "nothing more reached the charity" is "$(files_in "$place/charity/casework" '*.json')" 1
as facts "$nhs" >"$place/seen.txt" 2>/dev/null
check "the refusal is what counts now" grep -q '^consent-to-this-recipient to VCS07: no' "$place/seen.txt"
sed '2s/.*/x/' "$place/given.csv" >"$place/some.csv"
as facts import "$place/some.csv" --skip-bad >"$place/out" 2>/dev/null
check "the good rows of a bad file can be taken, and the exit says 1" is $? 1
check "and how many" grep -q '1 fact about 1 person taken; 1 row left out' "$place/out"
who=sup-1
check "who may not give, gives nothing" refuses as facts import "$place/given.csv"
check "an agreement without the door has none" refuses as facts break-glass "$nhs" \
    --recipient VCS07 --agreement DSA-2026-003 --reason risk-to-life
check "and says so" grep -q 'the agreement has no break-glass' "$place/err"
stop_gateway charity

# ---- the glass: a helpline of its own ----
mkdir -p "$place/line/desk"
make_audit_key "$place/line/audit.key"
give_ports line || give_up "no ports"
"$root/certs/make" "$place/certs" line desk >/dev/null || give_up "no certificates"
{
    gateway_head line VCL05 voluntary-care "Lantern Night Line"
    cat <<YAML
$retry
partners:
  - partner: desk
    ods: VCL05
    kind: own-system
    certificate: ../certs/desk.pem
    folder: desk
  - partner: crisis-team
    ods: RZ9
    kind: trust
    url: https://localhost:${port[trust]}
    certificate: ../certs/trust.pem
routes:
  - route: call-to-crisis-team
    from: desk
    to: crisis-team
    format: fhir-json
    purpose: individual-care
    agreement: DSA-2026-008
YAML
} >"$place/line/stile.yaml"
live line VCL05 || give_up "the rules could not be approved"
officers >>"$place/line/officers.yaml"
config=$place/line/stile.yaml
sed 's/VCS07/VCL05/g' "$root/tests/samples/charity-case.json" >"$place/call.json"
start_gateway line
wait_ready line || give_up "line did not come up"
call() { post line desk /vcse/case application/json "$place/call.json" "$1"; }
who=ig-1
printf '%s\n%s,referral-open,yes,RZ9,%s,,,phone log\n' "$head" "$nhs" "$(date -u +%F)" >"$place/asked.csv"
check "the caller asked for the crisis team" as facts import "$place/asked.csv"
who=sup-1
check "a call without a yes is taken" is "$(call c-1)" 202
check "and goes nowhere" wait_for 15 says line 'nothing goes to crisis-team under DSA-2026-008: nobody has broken the glass for RZ9'
check "the glass is broken by name, reason and agreement" as facts break-glass "$nhs" \
    --recipient RZ9 --agreement DSA-2026-008 --reason risk-to-life
check "that is entered" is "$(entries break-glass)" 1
check "a reason the agreement does not name is none" refuses as facts break-glass "$nhs" \
    --recipient RZ9 --agreement DSA-2026-008 --reason court-order
who=ig-1
check "nor may just any officer" refuses as facts break-glass "$nhs" \
    --recipient RZ9 --agreement DSA-2026-008 --reason risk-to-life
check "the next call is taken" is "$(call c-2)" 202
check "it goes, and the log warns" wait_for 15 says line 'the privacy officer is to look at what goes to crisis-team under DSA-2026-008'
check "it is counted" is "$(metric line privacy_notices_total)" 1
notices() { "$stile" audit show -c "$config" --notify "$@" 2>/dev/null; }
types=$(notices --json | jq -r .entry.type | sort -u | tr '\n' ' ')
both() { [[ $1 == break-glass*disclosure* ]]; }
check "the privacy officer finds who broke it and what went" both "$types"
check "the newest alone" is "$(notices -n 1 --json | wc -l)" 1
check "and nothing else" is "$(notices --json | grep -c '"type":"denial"')" 0
check "and whom it was for" grep -q 'reason=risk-to-life' <(notices)
check "no NHS number stands in the log" no_number
as facts "$nhs" >"$place/seen.txt" 2>/dev/null
check "it is seen among the facts, with its end" grep -q 'by break-glass|DSA-2026-008|risk-to-life|sup-1, from .*, until before ' "$place/seen.txt"
check "the audit log is whole, once it is signed" wait_for 15 "$stile" audit verify -c "$config"

# ---- a practice's export: what the record says is read anew ----
stop_gateway trust
mkdir -p "$place/practice/feed" "$place/made"
make_audit_key "$place/practice/audit.key"
give_ports practice || give_up "no ports"
"$root/certs/make" "$place/certs" practice >/dev/null || give_up "no certificates"
{
    gateway_head practice A99901 gp-practice "Alder Lane Surgery"
    cat <<YAML
$retry
partners:
  - partner: trust
    ods: RZ9
    kind: trust
    url: https://localhost:${port[trust]}
    certificate: ../certs/trust.pem
feeds:
  - feed: gp-extract
    kind: folder
    family: emis
    folder: feed
    poll: 100ms
routes:
  - route: extract-to-trust
    from: gp-extract
    to: trust
    format: fhir-json
    purpose: individual-care
    agreement: DSA-2026-001
YAML
} >"$place/practice/stile.yaml"
"$stile" synth emis --out "$place/made" --patients 20 >/dev/null || give_up "no export"
patient=$(sed 1d "$place"/made/*_Admin_Patient_* | head -1 | grep -oE '"999[0-9]{7}"' | tr -d '"')
mv "$place"/made/*.csv "$place/practice/feed/"
practice_config=$place/practice/stile.yaml
live practice A99901 || give_up "the rules of practice could not be approved"
officers >>"$place/practice/officers.yaml"
start_gateway practice
wait_ready practice || give_up "practice did not come up"
check "an export is read" wait_for 60 says practice 'is in the mirror'
line_config=$config config=$practice_config who=ig-1
as facts "$patient" >"$place/seen.txt" 2>/dev/null
check "its record is among what is known of a person" grep -q '^with what the feed gp-extract says' "$place/seen.txt"
as facts "$patient" --json 2>/dev/null >"$place/seen.json"
check "the fact, from which part of the record" jq -es 'any(.[]; .fact == "spine-sensitive"
    and .known and (.given | any(.source | startswith("gp-extract|Patient"))))' "$place/seen.json"
check "and the store keeps none of it" jq -es '.[0].facts == 0 and (.[0] | has("feed") | not)' "$place/seen.json"
check "who is in no export is seen" as facts 9990001006
as facts 9990001006 >"$place/seen.txt" 2>/dev/null
check "without one" eval '! grep -q "with what the feed" "$place/seen.txt"'
stop_gateway practice
config=$line_config

# ---- nothing is shown that could not be entered ----
stop_gateway line
chmod 644 "$place/line/store.db" # which the store refuses to write
check "a store that cannot be written shows nothing" refuses as facts "$nhs"
finish
