#!/usr/bin/env bash
# What the rules hold waits for a person: seen, counted, aged, released or
# refused by an officer, and in the audit log. A referral of somebody under 16
# to a charity is held by rule CHI-1.
. "$(dirname "$0")/lib.sh"
two_gateways
cd "$place" || exit 1
sample=$root/tests/samples/referral-message.json
msg='/fhir/$process-message'
is() { [ "$1" = "$2" ]; }

for name in cg ops; do
    "$stile" officer key --out $name.key >$name.pub || give_up "no key of $name"
done
cat >>trust/officers.yaml <<YAML
  - officer: cg-1
    role: caldicott-guardian
    key: $(cat cg.pub)
    may: [review]
    from: 2020-01-01
    until: 2099-12-31
  - officer: ops-1
    role: operator
    key: $(cat ops.pub)
    may: [move-outbox, give-facts]
    from: 2020-01-01
    until: 2099-12-31
YAML
check "officers are checked with the rest" "$stile" check -c trust/stile.yaml
start_two

refer() { post trust epr "$msg" application/fhir+json "$1" "$2"; }
# child FILE NUMBER [FILTER]: the sample about somebody else, under 16.
child() {
    nhs_number "$2"
    jq -c --arg nhs "$nhs_number_is" --arg n "$2" '
        walk(if type == "string" then gsub("9990000018"; $nhs)
            | gsub("5b2a1e10-0000"; "5b2a1e10-" + ("0000" + $n | .[-4:]))
            else . end)
        | (.entry[].resource | select(.resourceType == "Patient")) |=
            ((.identifier[] | select(.system == "https://fhir.nhs.uk/Id/nhs-number").value) = $nhs
            | .birthDate = "2014-06-02")
        | '"${3:-.}" "$sample" >"$1"
}
review() { "$stile" review "$1" -c trust/stile.yaml "${@:2}"; }
cg() { review "$1" "$2" --as cg-1 --key cg.key --because "agreed with the parent" "${@:3}"; }
waiting() { [ "$(review list --json 2>/dev/null | wc -l)" -eq "$1" ]; }
newest() { review list --json | jq -s 'map(.id) | max'; }
cases() { files_in charity/casework '*.json'; }
settled() { wait_for 20 at_rest trust charity; }
goes_to() { wait_for 20 at_least "$place/charity/casework" '*.json' "$1"; }
entries() { "$stile" audit show -c trust/stile.yaml --json --last 1000 |
    jq -s "map(.entry | select(.type == \"$1\")) | length"; }

# ---- held, and seen ----------------------------------------------------------
check "health says nothing waits" is "$("$stile" health -c trust/stile.yaml)" ready
child one.json 1
check "the referral is taken like any other (202)" is "$(refer one.json r-1)" 202
check "and the answer says nothing of it" bash -c '! grep -qiE "review|held|person.s word" answer'
settled
check "nothing reached the charity" is "$(cases)" 0
check "it waits for a person" waiting 1
review list >list
check "the list says why, in the officer's own words" grep -q \
    'CHI-1: Of people under 16, a person decides what a charity gets' list
check "for whom and what kind of items" grep -qE 'referral-to-charity to charity: .*1 ServiceRequest' list
check "and nobody's name or number" bash -c "! grep -qE '$nhs_number_is|Tester|arrears' list"
check "the metrics count it" is "$(metric trust review_waiting)" 1
check "health says so, and is ready" bash -c '
    "$1" health -c trust/stile.yaml >health && grep -q "^ready$" health &&
    grep -q "1 review waits for a person" health' _ "$stile"
check "the log says so" says trust 'wait for a person.s word'
id=$(newest)
review show "$id" >show
check "shown without an act: items, no content" bash -c "grep -q 'ServiceRequest: ' show &&
    ! grep -qE '$nhs_number_is|arrears' show"
check "shown to the officer: what is decided on" bash -c \
    '"$1" review show -c trust/stile.yaml "$2" --as cg-1 --key cg.key --because "to decide" >seen &&
    grep -q "Help with rent arrears" seen' _ "$stile" "$id"
check "in a plain line, and whom it is about" bash -c \
    "grep -qE '^          about .+, born [0-9-]+, NHS number $nhs_number_is' seen &&
    grep -qE '^          [A-Za-z].*Help with rent arrears' seen"
check "that they looked is in the log" is "$(entries viewed)" 1

# ---- who may not --------------------------------------------------------------
check "an officer who may not review: denied" bash -c '! "$1" review release -c trust/stile.yaml \
    "$2" --as ops-1 --key ops.key --because "x" 2>err && grep -q "not done" err' _ "$stile" "$id"
check "with another's key: denied" bash -c '! "$1" review release -c trust/stile.yaml \
    "$2" --as cg-1 --key ops.key --because "x" 2>err && grep -q "not done" err' _ "$stile" "$id"
check "without a reason: usage" bash -c '"$1" review release -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key 2>/dev/null; [ $? -eq 2 ]' _ "$stile" "$id"
check "it waits still" waiting 1

# ---- released -----------------------------------------------------------------
check "released by the officer" cg release "$id"
check "it arrives" goes_to 1
settled
check "once" is "$(cases)" 1
check "nothing waits" waiting 0
check "twice is told plainly" bash -c '! "$1" review release -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key --because "again" 2>err &&
    grep -q "was released already: cg-1: agreed with the parent" err' _ "$stile" "$id"
"$stile" audit show -c trust/stile.yaml --json --last 100 |
    jq -s 'map(.entry | select(.type == "released"))[0]' >released
check "the log names officer, role, reason and rule" jq -e '.act.officer == "cg-1"
    and .act.role == "caldicott-guardian" and .act.because == "agreed with the parent"
    and (.act.signature | length == 128) and (.items | length > 1)
    and all(.items[]; .rules == "CHI-1")' released
check "and nobody" bash -c "! grep -qE '$nhs_number_is|arrears' released"
check "the log is whole" wait_for 15 "$stile" audit verify -c trust/stile.yaml

# ---- refused --------------------------------------------------------------------
child two.json 2
check "another one is held" is "$(refer two.json r-2)" 202
settled
check "one item of it is refused" cg refuse "$(newest)" --items 1
check "and the list says so beside what waits still" bash -c \
    '"$1" review list -c trust/stile.yaml | grep -qE "to charity: .*; 1 refused$"' _ "$stile"
check "refused" cg refuse "$(newest)"
check "nothing waits" waiting 0
check "both refusals are in the log" is "$(entries refused)" 2
settled
check "it never arrives" is "$(cases)" 1
check "ended ones are listed when asked" bash -c '"$1" review list -c trust/stile.yaml --all --json |
    jq -es "map(.state) | sort == [\"refused\", \"released\"]"' _ "$stile"

# ---- withdrawn between hold and release --------------------------------------------
child three.json 3
child no.json 3 '(.entry[].resource | select(.resourceType == "Consent")) |=
        (.dateTime = "2026-03-20" | .provision.type = "deny" | .provision.period.start = "2026-03-20")
    | .entry |= map(select(.resource.resourceType != "ServiceRequest"))'
check "a third is held" is "$(refer three.json r-3)" 202
settled
id=$(newest)
check "the person says no" is "$(refer no.json r-4)" 202
settled
check "so it is not released" bash -c '! "$1" review release -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key --because "x" 2>err && grep -qE "not released: item [0-9]+ " err' \
    _ "$stile" "$id"
settled
check "and does not arrive" is "$(cases)" 1
while [ -n "$(review list --json)" ]; do
    cg refuse "$(newest)" >/dev/null || give_up "what waits could not be refused"
done

# ---- a newer version ------------------------------------------------------------------
child four.json 4
child newer.json 4 '(.entry[].resource | select(.resourceType == "ServiceRequest").reasonCode) |=
    (.[0].text = "Help with debts") | .id = "5b2a1e10-0000-4000-8000-00000000aaaa"'
check "a fourth is held" is "$(refer four.json r-5)" 202
settled
id=$(newest)
check "and comes again, changed" is "$(refer newer.json r-6)" 202
settled
check "both wait" waiting 2
check "the older cannot overtake the newer" bash -c '! "$1" review release -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key --because "x" 2>err && grep -q "in a newer version since" err' \
    _ "$stile" "$id"
check "the list says it has changed" bash -c '"$1" review list -c trust/stile.yaml --json |
    jq -es ".[0].items | any(.state == \"changed\")"' _ "$stile"
check "the newer goes" cg release "$(newest)"
check "and arrives" goes_to 2
check "the older is refused" cg refuse "$id"

# ---- kill -9 between ---------------------------------------------------------------------
child five.json 5
check "a fifth is held" is "$(refer five.json r-7)" 202
settled
id=$(newest)
stop_gateway charity
kill -KILL "${gateway_pid[trust]}"
wait "${gateway_pid[trust]}" 2>/dev/null
check "it waits over a kill, and can be released beside no gateway" cg release "$id"
start_gateway trust
wait_ready trust || give_up "trust did not come back"
sent() { says trust 'deferred'; }
check "the row is taken up" wait_for 20 sent
kill -KILL "${gateway_pid[trust]}"
wait "${gateway_pid[trust]}" 2>/dev/null
start_gateway trust
start_gateway charity
wait_ready trust && wait_ready charity || give_up "they did not come back"
check "it arrives" goes_to 3
settled
check "once" is "$(cases)" 3

# ---- too long ---------------------------------------------------------------------------------
child six.json 6
check "a sixth is held" is "$(refer six.json r-8)" 202
settled
stop_gateway trust
age() { sqlite3 trust/store.db "UPDATE review SET since = since - $1 * 86400 * 1000000 WHERE state = 0"; }
age 4
start_gateway trust
wait_ready trust || give_up "trust did not come back"
check "after three days the log warns" wait_for 20 says trust 'wait for a person longer than 3 days'
check "health says how long" bash -c '"$1" health -c trust/stile.yaml | grep -q "since 4 days"' _ "$stile"
check "it waits still" waiting 1
stop_gateway trust
age 90
start_gateway trust
wait_ready trust || give_up "trust did not come back"
check "after ninety it lapses, and the log says so" wait_for 20 says trust 'reviews lapsed'
check "nothing waits" waiting 0
check "with an entry" is "$(entries lapsed)" 1
check "a lapsed one cannot be released" bash -c '! "$1" review release -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key --because "x" 2>err && grep -q "was ended already" err' \
    _ "$stile" "$("$stile" review list -c trust/stile.yaml --all --json | jq -s 'map(.id) | max')"

# ---- held by the second decision ------------------------------------------------------------------
stop_gateway charity
adult=$root/tests/samples/referral-message.json
before=$(cases)
check "a referral waits for a partner that is down" is "$(refer "$adult" r-20)" 202
rows() { "$stile" outbox list -c trust/stile.yaml --json | jq -s "map(select(.state == \"$1\"))"; }
deferred() { [ "$(rows deferred | jq length)" -ge 1 ]; }
check "is deferred" wait_for 20 deferred
patient=$(jq -r '.entry[].resource | select(.resourceType == "Patient").identifier[]
    | select(.system == "https://fhir.nhs.uk/Id/nhs-number").value' "$adult")
printf 'nhs_number,fact,value,recipient,date,from,until,source\n%s,deceased,yes,,%s,,,register\n' \
    "$patient" "$(date -u +%F)" >died.csv
check "meanwhile the register says they died" "$stile" facts import died.csv -c trust/stile.yaml \
    --as ops-1 --key ops.key --because "weekly check"
start_gateway charity
wait_ready charity || give_up "charity did not come back"
check "decided again, it waits for a person" wait_for 30 waiting 1
check "by the rule that holds it now" bash -c '"$1" review list -c trust/stile.yaml --json |
    jq -es ".[0].rules | map(.rule) == [\"NAT-DEAD\"]"' _ "$stile"
settled
check "and nothing of it arrived" is "$(cases)" "$before"
check "its row tells where it is" bash -c '"$1" outbox list -c trust/stile.yaml | grep -q "see stile review list"' \
    _ "$stile"
check "released, it arrives" cg release "$(newest)"
check "at the charity" goes_to $((before + 1))

# ---- the outbox by hand ---------------------------------------------------------------------
stop_gateway charity
child seven.json 7 '(.entry[].resource | select(.resourceType == "Patient").birthDate) = "1980-06-02"'
check "a row that waits" is "$(refer seven.json r-9)" 202
check "is deferred" wait_for 20 deferred
row=$(rows deferred | jq -r '.[0].id')
check "nobody withdraws it unsigned" bash -c '! "$1" outbox withdraw -c trust/stile.yaml "$2" \
    --because x' _ "$stile" "$row"
check "nor who may only review" bash -c '! "$1" outbox withdraw -c trust/stile.yaml "$2" \
    --as cg-1 --key cg.key --because x 2>err && grep -q "not done" err' _ "$stile" "$row"
by_ops() { "$stile" outbox "$1" -c trust/stile.yaml "$2" --as ops-1 --key ops.key --because "by hand"; }
retried() { by_ops retry "$row" && [ "$(entries outbox-retry)" -ge 1 ]; }
check "a retry is signed and in the log" wait_for 10 retried
withdrawn() { by_ops withdraw "$row"; }
check "withdrawn by who may" wait_for 10 withdrawn
check "that is in the log" is "$(entries outbox-withdraw)" 1
check "it ended" bash -c '"$1" outbox list -c trust/stile.yaml --json |
    jq -es "map(select(.state == \"withdrawn\" and (.reason | test(\"by hand\")))) | length == 1"' _ "$stile"
check "the log of the trust is whole to the end" wait_for 15 "$stile" audit verify -c trust/stile.yaml
check "no person in the logs" bash -c "! grep -qE '$nhs_number_is|Tester' trust/gateway.log"
finish
