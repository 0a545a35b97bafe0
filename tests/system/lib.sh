# What the system tests share. Each is a program of its own: real gateways on
# loopback, real mutual TLS, a place of its own, bounded waits. Its last line
# counts its checks.
#
#   STILE=FILE   the binary (default build/stile)
# shellcheck shell=bash
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stile=${STILE:-$root/build/stile}
[ -x "$stile" ] || {
    echo "no stile at $stile: build it, or set STILE"
    exit 1
}
place=$(mktemp -d)
mappings=../mappings
checks_passed=0 checks_failed=0
# shellcheck source=tests/system/gateways.sh
. "$root/tests/system/gateways.sh"

clean_up() {
    trap - EXIT INT TERM
    stop_all
    rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check() {
    local says=$1
    shift
    if "$@" >/dev/null 2>&1; then
        checks_passed=$((checks_passed + 1))
        printf 'ok      %s\n' "$says"
    else
        checks_failed=$((checks_failed + 1))
        printf 'FAILED  %s (%s)\n' "$says" "$*"
        return 1
    fi
}
show_logs() {
    local log
    for log in "$place"/*/gateway.log; do
        printf -- '---- %s\n' "${log#"$place"/}"
        tail -n 25 "$log"
    done
}
finish() {
    if [ "$checks_failed" -gt 0 ]; then
        show_logs
    fi
    printf '%d passed, %d failed\n' "$checks_passed" "$checks_failed"
    [ "$checks_failed" -eq 0 ]
    exit
}
give_up() {
    printf 'FAILED  %s\n' "$1"
    checks_failed=$((checks_failed + 1))
    finish
}

# A trust and a charity, as in ./demo without the practice. The trust's system
# `epr` posts; the charity's `casework` posts and gets files.
two_gateways() {
    "$root/certs/make" "$place/certs" trust charity epr casework stranger \
        >/dev/null || give_up "no certificates"
    copy_mappings "$root/mappings" "$place/mappings"
    mkdir -p "$place"/{trust/records,charity/casework,charity/files}
    make_audit_key "$place/trust/audit.key"
    make_audit_key "$place/charity/audit.key"
    give_ports trust charity || give_up "no ports"
    write_trust
    write_charity
    go_live trust || give_up "the trust's rules could not be approved"
    go_live charity || give_up "the charity's rules could not be approved"
}
# go_live NAME: what the folder proposes is approved; a start or SIGHUP takes it.
# By one development officer, or by those of trust_officers.
go_live() {
    if [ "$1" = trust ]; then
        live trust RZ9 ${trust_officers-}
    else
        live "$1" VCS07
    fi
}
retry='retry: {least: 200ms, most: 1s}'
write_trust() {
    {
        gateway_head trust RZ9 trust "Eastmoor Mental Health Trust"
        cat <<YAML
$retry
partners:
  - partner: epr
    ods: RZ9
    kind: own-system
    certificate: ../certs/epr.pem
    folder: records
  - partner: charity
    ods: VCS07
    kind: voluntary-non-care
    url: https://localhost:${port[charity]}
    certificate: ../certs/charity.pem
routes:
  - route: referral-to-charity
    from: epr
    to: charity
    format: vcse-json
    purpose: social-prescribing
    agreement: ${trust_agreement:-DSA-2026-003}
  - route: charity-to-records
    from: charity
    to: epr
    format: fhir-json
YAML
    } >"$place/trust/stile.yaml"
}
write_charity() {
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
  - partner: trust
    ods: RZ9
    kind: trust
    url: https://localhost:${port[trust]}
    certificate: ../certs/trust.pem
feeds:
  - feed: files
    kind: folder
    family: vcse-case
    folder: files
    poll: 100ms
routes:
  - route: trust-to-casework
    from: trust
    to: casework
    format: vcse-json
  - route: update-to-trust
    from: casework
    to: trust
    format: fhir-json
    purpose: individual-care
    agreement: DSA-2026-004
  - route: sheet-to-trust
    from: files
    to: trust
    format: fhir-json
    purpose: individual-care
    agreement: DSA-2026-004
YAML
    } >"$place/charity/stile.yaml"
}
start_two() {
    local name
    for name in trust charity; do
        start_gateway $name
    done
    for name in trust charity; do
        wait_ready $name || {
            show_logs
            give_up "$name did not get ready"
        }
    done
}

files_in() { find "$1" -maxdepth 1 -type f -name "${2:-*}" 2>/dev/null | wc -l; }
at_least() { [ "$(files_in "$1" "$2")" -ge "$3" ]; }
says() { grep -qE "$2" "$place/$1/gateway.log"; }

# An NHS number of the 999 range for 0 to 999,999: nine digits and the check
# digit of Modulus 11 (NHS Data Dictionary, NHS NUMBER); those whose check
# digit would be 10 are passed over.
nhs_number() {
    local n=$1 body sum i check
    while :; do
        printf -v body '999%06d' $((n % 1000000))
        sum=0
        for i in {0..8}; do
            sum=$((sum + ${body:i:1} * (10 - i)))
        done
        check=$(((11 - sum % 11) % 11))
        [ $check -eq 10 ] || break
        n=$((n + 500000))
    done
    nhs_number_is=$body$check
}
# case_update FILE REF NUMBER: a charity's case update about one person.
case_update() {
    nhs_number "$3"
    jq -c --arg ref "$2" --arg nhs "$nhs_number_is" '
        .person.nhs_number = $nhs | .person.person_ref = "P-" + $ref
        | .case.person_ref = "P-" + $ref | .case.case_ref = $ref
        | (.contact[]?, .plan[]?, .action[]?, .outcome[]?, .signpost[]?) |= (.case_ref = $ref)
        | (.circumstance[]?, .risk[]?, .safeguarding[]?, .handoff[]?) |= (.person_ref = "P-" + $ref)
        | (.handoff[]?) |= (.consent_ref = "CN-" + $ref | .handoff_ref = "H-" + $ref)
        | (.crisis[]?) |= (.plan_ref = "PL-" + $ref)
        | (.consent[]?) |= (.person_ref = "P-" + $ref | .consent_ref = "CN-" + $ref)
        | .plan[0].plan_ref = "PL-" + $ref | .need[0].plan_ref = "PL-" + $ref
        | .need[0].need_ref = "N-" + $ref | .goal[0].need_ref = "N-" + $ref
        | .goal[0].goal_ref = "G-" + $ref | .action[0].goal_ref = "G-" + $ref
        | .contact |= [to_entries[] | .value + {contact_ref: ("K-\(.key)-" + $ref)}]
        | .action[0].action_ref = "A-" + $ref
        ' "$root/tests/samples/charity-case.json" >"$1"
}
