#!/usr/bin/env bash
# The trip of mappings/rules/README.md, as a new officer would follow it, on real
# gateways: an agreement is added, checked, compared, approved by two, in force,
# a message goes under it, and it is taken back. And what must not come in force
# does not.
trust_officers="cg-1 dpo-1"
trust_agreement=DSA-2026-020
. "$(dirname "$0")/lib.sh"
two_gateways
cd "$place" || exit 1
config=trust/stile.yaml
out=$place/out err=$place/err
out_says() { grep -qE -- "$1" "$out"; }
err_says() { grep -qE -- "$1" "$err"; }
run() { "$@" >"$out" 2>"$err" </dev/null; }
fails_with() {
    local wanted=$1 code
    shift
    "$@" >"$out" 2>"$err" </dev/null
    code=$?
    [ "$code" = "$wanted" ]
}
state_is() { [ "$("$stile" rules status -c $config --json | jq -r .state)" = "$1" ]; }
in_force() { "$stile" rules status -c $config --json | jq -r '.["in-force"].to'; }
steps() { "$stile" rules history -c $config --json | wc -l; }
is() { [ "$1" = "$2" ]; }
officer() { # OFFICER FOLDERS...: signs as wider
    local id=$1
    shift
    "$stile" rules approve "$@" --officers trust/officers.yaml --as "$id" \
        --key "trust/$id.key" --because "a trial" --class "${class:-wider}"
}

# ---- nothing is in force without signatures --------------------------------------

mv mappings/rules/approvals.yaml approved.yaml
check "a gateway that has no approved rules does not start" \
    fails_with 2 "$stile" run -c $config
check "and says the command to run" err_says 'no rule set is in force.*stile rules approve'
check "check finds that the route names no agreement" fails_with 1 "$stile" check -c $config
check "and warns of it" out_says 'warning\[C139\]: no rule set is in force yet'
check "of the first, one signature is there" officer cg-1 --first mappings
check "which is not enough" fails_with 2 "$stile" run -c $config
check "and it says who signed and what is missing" \
    err_says 'wider: needs two officers.*signed: cg-1; missing: 1'
mv approved.yaml mappings/rules/approvals.yaml
start_two
check "with both it starts" run "$stile" rules status -c $config
check "the rules of the folder are in force" out_says 'holds what is in force'
check "signed by two" is "$("$stile" rules history -c $config --json | jq '.acts | length')" 2
check "check has nothing to say of it" bash -c "! '$stile' check -c $config | grep C139"
first=$(in_force)

samples=$root/tests/samples
n=0
# refer: one more referral; how many cases the charity then holds more.
refer() {
    local before
    n=$((n + 1))
    before=$(files_in charity/casework '*.json')
    post trust epr '/fhir/$process-message' application/fhir+json \
        "$samples/referral-message.json" "golive-$n" >/dev/null
    wait_for 10 at_rest trust charity
    came() { at_least charity/casework '*.json' $((before + ${1:-1})); }
    if [ "${1:-1}" -gt 0 ]; then
        wait_for 10 came "$1"
    fi
    cases_more=$(($(files_in charity/casework '*.json') - before))
}
refer 0
check "nothing goes under an agreement that the rules do not know" is "$cases_more" 0

# ---- the README's trip ---------------------------------------------------------

# The blocks marked sh, in order, with this place's names; the class, which an
# officer types, is given.
awk '/^## / { here = /^## Changing the rules/ }
    here && /^```sh$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > ("block." n) }' \
    "$root/mappings/rules/README.md"
for file in block.*; do
    sed -i "s|-c stile.yaml|-c $config|; s|--officers officers.yaml|--officers trust/officers.yaml|
        s|--key \([a-z0-9-]*\).key|--key trust/\1.key|; s|cat pid|cat trust/pid|
        /^stile rules approve/s/\$/ --class wider/
        /^stile rules rollback/s/\$/ --class narrower/" "$file"
done
blocks=$(find . -maxdepth 1 -name 'block.*' | wc -l)
check "README has the trip's blocks" is "$blocks" 12
PATH=$(dirname "$stile"):$PATH
at_block=0
# blocks TO: runs up to that one.
blocks() {
    while [ $at_block -lt "$1" ]; do
        at_block=$((at_block + 1))
        bash -e "block.$at_block" >>"$out" 2>>"$err" </dev/null || return 1
    done
}
hup() {
    local what=$1 before
    before=$(metric trust "$what")
    kill -HUP "${gateway_pid[trust]}"
    moved() { [ "$(metric trust "$what")" -gt "$before" ]; }
    wait_for 20 moved
}

check "write the agreement, the rule and its worked cases" blocks 4
: >"$out"
check "they check, and the cases come out" blocks 5
check "the rule reads as a sentence" out_says 'DEB-1'
: >"$out"
check "what changes is shown" blocks 6
check "as wider" out_says '^WIDER: now goes'
check "for that agreement" out_says 'under DSA-2026-020'
check "unsigned, it is not taken up" hup reloads_total
check "it is another set than the one in force" is "$(in_force)" "$first"
check "signing needs the class of the change" fails_with 2 \
    "$stile" rules approve now mappings --officers trust/officers.yaml \
    --as cg-1 --key trust/cg-1.key --because x
check "and the right one" eval '! class=narrower officer cg-1 now mappings'
check "and the officer's own key" fails_with 1 \
    "$stile" rules approve now mappings --officers trust/officers.yaml \
    --as cg-1 --key trust/dpo-1.key --because x --class wider
# Where there are terminals to be had: not in every chroot.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    signed_or_late() {
        local i
        for ((i = 0; i < 75; i++)); do
            [ ! -e typed.yaml ] || return 0
            sleep 0.2
        done
    }
    typed() { # WORD COMMAND...: the word is typed; the terminal stays until then
        { sleep 1; printf '%s\n' "$1"; "${@:2}"; } | timeout 30 script -qec \
            "$stile rules approve now mappings --officers trust/officers.yaml --as cg-1 --key trust/cg-1.key --because typed --out typed.yaml" /dev/null
    }
    check "on a terminal another word signs nothing" eval 'typed narrower sleep 2; [ ! -e typed.yaml ]'
    check "and the class does" eval 'typed wider signed_or_late; [ -s typed.yaml ]'
fi
check "the first officer signs" blocks 7
: >"$out"
check "the gateway's rules do not change yet" blocks 8
check "the status says what is missing" out_says 'signed: cg-1; missing: 1'
check "and activate refuses" out_says '^not yet$'
check "the same officer again is no second one" officer cg-1 now mappings
check "it waits" state_is waits
check "the second officer signs" blocks 9
check "it is ready" state_is ready

# An edit after the approval: a remark is none, a word is.
cp -R mappings/rules approved-rules
sed -i '1i # looked at again' mappings/rules/rules.yaml
check "a remark leaves the approvals" state_is ready
sed -i 's/^  says: Send Riverside Advice a short referral/&s/' mappings/rules/rules.yaml
check "a word makes them void" state_is waits
check "SIGHUP does not take it up" hup reloads_total
check "the first set is in force" is "$(in_force)" "$first"
check "the log says why" says trust 'not in force.*edited since'
rm -rf mappings/rules && mv approved-rules mappings/rules
check "as it was signed, it is ready" state_is ready

pending_is() { [ "$(metric trust rules_proposal_pending)" = "$1" ]; }
check "the metrics say that a proposal waits" pending_is 1
check "SIGHUP puts it in force" blocks 10
taken() { pending_is 0; }
check "and nothing waits any more" wait_for 20 taken
second=$(in_force)
check "it is another set" eval '[ "$second" != "$first" ]'
check "the metrics name it" eval 'admin_get trust /metrics | grep -c "stile_rules_info{digest=\"$second\"} 1"'
: >"$out"
check "status, history and the audit log tell it" blocks 11
check "with both officers" eval 'out_says cg-1 && out_says dpo-1'
check "and the reason" out_says 'the DPIA covers it'
check "the audit entry has class, sets and signatures" eval \
    'out_says "class=wider from=$first.*rule-set=$second" && out_says "\"signature\":\"[0-9a-f]{128}\""'
refer 1
check "a referral goes under the new agreement" is "$cases_more" 1
check "with its data and no more" eval 'jq -e "(.person | has(\"address\") | not)" "$(ls -t charity/casework/*.json | head -n 1)"'

# ---- what must not change what is in force -------------------------------------

cp -R mappings/rules good-rules
printf '\n- rule: BROKEN\n  kind: shaer\n' >>mappings/rules/rules.yaml
check "a bad edit is refused" hup reload_failures_total
check "the set in force stays" is "$(in_force)" "$second"
check "and the log says so" says trust "refused, set ${second:0:16} stays in force"
rm -rf mappings/rules
check "so does it without the folder" hup reload_failures_total
stop_gateway trust
start_gateway trust
check "over a restart without the folder too" wait_ready trust
refer 1
check "the referral goes as before" is "$cases_more" 1
mv good-rules mappings/rules
stop_gateway trust KILL
start_gateway trust
check "and over kill -9" wait_ready trust
check "it is the same set" is "$(in_force)" "$second"

# ---- taking it back ------------------------------------------------------------

check "one command takes it back" blocks 12
check "the first set is in force again" is "$(in_force)" "$first"
adopted() { admin_get trust /metrics | grep -c "stile_rules_info{digest=\"$1\"} 1" >/dev/null; }
check "the running gateway takes it up by itself" wait_for 20 adopted "$first"
refer 0
check "nothing goes any more" is "$cases_more" 0
check "the folder's proposal, approved once, does not come back by itself" hup reloads_total
check "its approvals do not count again" says trust 'before the set in force came in force'
check "the first set stays in force" is "$(in_force)" "$first"
back() { # OFFICER
    "$stile" rules rollback -c $config --to "${second:0:16}" --as "$1" \
        --key "trust/$1.key" --because 'open again' --class wider
}
check "forward again is wider: one officer is not enough" fails_with 1 back cg-1
check "and it says who must sign too" err_says 'missing: 1.*Another officer runs: stile rules rollback'
check "the first set is still in force" is "$(in_force)" "$first"
check "with the second it is" back dpo-1
check "that set is in force" is "$(in_force)" "$second"
check "the running gateway takes it up" wait_for 20 adopted "$second"
refer 1
check "and the referral goes" is "$cases_more" 1
check "there were four steps" is "$(steps)" 4

# ---- the log -------------------------------------------------------------------

wait_signed() { "$stile" audit verify -c $config | grep -c 'the audit log is whole' >/dev/null && ! "$stile" audit verify -c $config | grep -c 'not signed yet' >/dev/null; }
check "the audit log is whole" wait_for 10 wait_signed
check "it has each step" is "$("$stile" audit show -c $config --last 1000 --json | jq -r '.entry | select(.type == "rules-activated") | .way' | sort | uniq -c | tr -s ' \n' ' ')" " 2 proposal 2 rollback "
check "and each kept approval" is "$("$stile" audit show -c $config --last 1000 --json | jq -r '.entry | select(.type == "rules-approved") | .act.officer' | sort | tr '\n' ' ')" "cg-1 cg-1 dpo-1 "
finish
