#!/usr/bin/env bash
# What the rules hold of an export waits for a person, once; goes by a person's
# word with the next look at the feed; and waits anew when it changes.
. "$(dirname "$0")/lib.sh"
"$root/certs/make" "$place/certs" practice charity casework >/dev/null ||
    give_up "no certificates"
copy_mappings "$root/mappings" "$place/mappings"
cd "$place" || exit 1
mkdir -p practice/feed charity/casework made
make_audit_key practice/audit.key
make_audit_key charity/audit.key
give_ports practice charity || give_up "no ports"
"$stile" officer key --out cg.key >cg.pub || give_up "no key"
make_officers practice A99901 || give_up "no officers"
cat >>practice/officers.yaml <<YAML
  - officer: cg-1
    role: caldicott-guardian
    key: $(cat cg.pub)
    may: [review]
    from: 2020-01-01
    until: 2099-12-31
YAML
{
    gateway_head practice A99901 gp-practice "Alder Lane Surgery"
    cat <<YAML
$retry
partners:
  - partner: charity
    ods: VCS07
    kind: voluntary-non-care
    url: https://localhost:${port[charity]}
    certificate: ../certs/charity.pem
feeds:
  - feed: gp-extract
    kind: folder
    family: emis
    folder: feed
    poll: 100ms
routes:
  - route: extract-to-charity
    from: gp-extract
    to: charity
    format: vcse-json
    purpose: social-prescribing
    agreement: DSA-2026-002
YAML
} >practice/stile.yaml
{
    gateway_head charity VCS07 voluntary-non-care "Riverside Advice"
    cat <<YAML
$retry
partners:
  - partner: casework
    ods: VCS07
    kind: own-system
    certificate: ../certs/casework.pem
    folder: casework
  - partner: practice
    ods: A99901
    kind: gp-practice
    url: https://localhost:${port[practice]}
    certificate: ../certs/practice.pem
routes:
  - route: practice-to-casework
    from: practice
    to: casework
    format: vcse-json
YAML
} >charity/stile.yaml
live practice A99901 && live charity VCS07 ||
    give_up "the rules could not be approved"
for name in practice charity; do
    start_gateway $name
done
for name in practice charity; do
    wait_ready $name || {
        show_logs
        give_up "$name did not get ready"
    }
done

is() { [ "$1" = "$2" ]; }
# export N [PERL]: the same practice again, everybody under 16, changed by PERL.
export_again() {
    rm -f made/*
    "$stile" synth emis --out made --patients 120 --observations 500 --batch "$1" \
        --stamp "202604010400$(printf '%02d' "$1")" >/dev/null || return 1
    perl -pi -e 's/^("[^"]*","[^"]*","[^"]*","[^"]*",)"\d{4}-\d\d-\d\d"/$1"2014-05-06"/;'"${2-}" \
        made/*_Admin_Patient_*
    mv made/*.csv practice/feed/
}
read_in() { [ "$(find practice/feed -maxdepth 1 -name '*.csv' | wc -l)" -eq 0 ] && at_rest practice charity; }
settled() { wait_for 60 read_in; }
list() { "$stile" review list -c practice/stile.yaml --json "$@"; }
count() { list 2>/dev/null | wc -l; }
cg() { "$stile" review "$1" -c practice/stile.yaml "$2" --as cg-1 --key cg.key --because "looked at it"; }
cases() { files_in charity/casework '*.json'; }

export_again 1 || give_up "no export"
check "the export is read" settled
before=$(count)
check "what may go but for CHI-1 waits" test "$before" -ge 2
check "nothing has left" is "$(cases)" 0
check "by that rule alone" jq -es 'all(.[].rules[]; .rule == "CHI-1")' <(list)
first=$(list | jq -s '.[0].id') second=$(list | jq -s '.[1].id')

check "one is released" cg release "$first"
arrives() { [ "$(cases)" -ge 1 ]; }
check "it leaves with the next look at the feed" wait_for 30 arrives
settled
check "alone, and once" is "$(cases)" 1
check "the others wait still" is "$(count)" $((before - 1))
check "another is refused" cg refuse "$second"

sed -i 's/says: Entries that nothing codes/says: Entries which nothing codes/' mappings/rules/rules.yaml
approve practice || give_up "the changed rule could not be approved"
kill -HUP "${gateway_pid[practice]}"
check "all are worked again" wait_for 30 says practice 'worked again under the new plan'
settled
check "what waits is not asked twice, what was refused not again" is "$(count)" $((before - 2))
check "and nothing is sent again" is "$(cases)" 1

export_again 2 's/"Synthia"/"Synthetta"/; s/"Testina"/"Testetta"/; s/"Regular","false"/"Regular","false"/'
settled
reasons() { list --all | jq -s 'map(select(.state == "lapsed" and (.reason | test("changed")))) | length'; }
check "whose record changed waits anew" test "$(reasons)" -ge 1
check "and has not left by the old word" is "$(cases)" 1
check "nor has a part of it" bash -c '! grep -q quarantine charity/gateway.log'
check "everybody who waited waits still" test "$(count)" -ge $((before - 1))
check "the log is whole" wait_for 15 "$stile" audit verify -c practice/stile.yaml
finish
