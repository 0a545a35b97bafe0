#!/usr/bin/env bash
# README.md as a new reader would follow it: the demo is started, every block
# marked sh is run in order in one shell, and what the text promises is looked
# at.
. "$(dirname "$0")/lib.sh"
"$root/demo" --no-setup --build "$(dirname "$stile")" --place "$place/demo" \
    >"$place/demo.out" 2>&1 </dev/null &
demo=$!
end_demo() {
    kill -TERM "$demo" 2>/dev/null
    wait "$demo" 2>/dev/null
}
trap 'end_demo; clean_up' EXIT
stays_up() { grep -q 'The gateways stay up' "$place/demo.out" || ! kill -0 $demo 2>/dev/null; }
wait_for 120 stays_up
if ! check "./demo runs its steps and stays up" kill -0 $demo; then
    tail -n 30 "$place/demo.out"
    finish
fi
check "and every one of them happened" bash -c "! grep -q FAILED '$place/demo.out'"

# The ports README names may be taken here.
free_port && partners=$free_port_is && free_port && admin_port=$free_port_is
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/README.md" |
    sed "s|out/demo|$place/demo|g; s|19443|$partners|g; s|19444|$admin_port|g" >"$place/readme.sh"
check "README has blocks to run" test "$(wc -l <"$place/readme.sh")" -gt 50
# Jobs as in a terminal, so that `kill %1` means what it does there.
(cd "$place" && timeout -k 5 120 bash -m -e -c "$(cat "$place/readme.sh")" \
    >"$place/readme.out" 2>"$place/readme.err" </dev/null)
code=$?
check "every block runs to its end" test $code -eq 0 || {
    tail -n 20 "$place/readme.out" "$place/readme.err"
}
told() { grep -qE -- "$1" "$place/readme.out"; }
check "the changed rule fails its worked case first" told '^not yet$'
check "explain shows that the plan stays" told 'for charity: [0-9]+ CarePlan'
check "what waits for a signature is told" told 'narrower: needs one officer'
check "the set in force is in the log" told 'rules .*comes in force: narrower'
check "the charity's system gets no plan any more" told '"has_plan": false'
at=$place/demo
before() { jq -e -s '[.[] | has("plan")] | any' "$at"/charity/casework/trust-to-casework-json-*.json; }
check "and had got it before" before
check "the audit log is whole" told 'the audit log is whole'
check "nothing goes to Harbour without an agreement" told 'no such agreement'
harbour() { jq -e '.case.service_name == "Debt and housing advice" and .person.family_name == "Example" and (.person | has("nhs_number") | not)' "$at"/harbour/inbox/*.json; }
check "Harbour's referral arrives, with what the agreement allows" harbour
check "the trust was restarted, not lost" bash -c "kill -0 \$(cat '$at/trust/pid')"
pids=$(cat "$at"/{trust,practice,charity}/pid)
end_demo
none_left() {
    local pid
    for pid in $pids; do
        ! kill -0 "$pid" 2>/dev/null || return 1
    done
}
check "the end of the demo ends its gateways" none_left
[ "$checks_failed" -eq 0 ] || tail -n 60 "$place/readme.out" "$place/readme.err"
finish
