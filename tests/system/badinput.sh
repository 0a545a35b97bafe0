#!/usr/bin/env bash
# Bad input harms itself alone: each is answered with what is wrong and where,
# and the good message beside it goes on.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
samples=$root/tests/samples
is() { [ "$1" = "$2" ]; }
# send FILE PATH TYPE: from epr to trust.
send() { post trust epr "$2" "${3:-application/fhir+json}" "$1" "bad-$RANDOM$RANDOM"; }
# bad SAYS WANT FILE PATH TYPE: the status, and a form fit for the path.
bad() {
    local says=$1 want=$2 got
    shift 2
    got=$(send "$@")
    check "$says: $want" is "$got" "$want"
    case $2 in
    /fhir*) check "  as an OperationOutcome with an issue" jq -e \
        '.resourceType == "OperationOutcome" and (.issue | length > 0)' "$place/answer" ;;
    *) check "  as a problem document" jq -e '.status == ('"$want"') and (.title | length > 0)' \
        "$place/answer" ;;
    esac
}
made=$place/made
msg='/fhir/$process-message'

printf '{"resourceType": "Bundle", "type": ' >"$made"
bad "JSON that ends early" 422 "$made" "$msg"
check "  it names the code and the place" jq -e \
    '.issue[0].diagnostics | test("^J[0-9]{3}, row [0-9]+")' "$place/answer"
printf '{"resourceType": "Bundle", "resourceType": "Bundle", "type": "message"}' >"$made"
bad "a member twice" 422 "$made" "$msg"
printf '{"resourceType": "Bundle", "type": "\xff\xfe"}' >"$made"
bad "bytes that are not UTF-8" 422 "$made" "$msg"
printf '%0500d' 0 | tr 0 '[' >"$made"
bad "nesting without end" 413 "$made" "$msg"
: >"$made"
bad "nothing at all" 422 "$made" "$msg"
bad "a message cut in the middle" 422 "$samples/referral-message-cut.json" "$msg"
bad "a Bundle whose ServiceRequest has no subject" 422 \
    "$samples/referral-message-no-subject.json" "$msg"
bad "a wrong NHS number" 422 "$samples/referral-message-wrong-number.json" "$msg"
check "  the number itself is not repeated" bash -c \
    "! grep -qF \"\$(jq -r '.. | objects | select(.system? == \"https://fhir.nhs.uk/Id/nhs-number\") | .value' '$samples/referral-message-wrong-number.json' | head -n 1)\" '$place/answer'"
bad "a case of a version we do not know" 422 \
    "$samples/charity-case-wrong-version.json" /vcse/case application/json
printf 'person_ref,nhs_number\n"open quote,1\n' >"$made"
bad "a sheet with an open quote" 422 "$made" /vcse/case text/csv
check "every one of them is in quarantine" \
    test "$(metric trust quarantine_rows)" -ge 10

bad "another media type on a FHIR path" 415 "$samples/referral-message.json" "$msg" text/plain
bad "another media type for a case" 415 "$samples/charity-case.json" /vcse/case text/plain
check "a path that is not there: 404" is "$(send "$made" /nowhere)" 404
got=$(curl -s --noproxy '*' --max-time 10 -o /dev/null -w '%{http_code}' -X DELETE \
    --cert "$place/certs/epr.pem" --key "$place/certs/epr.key" \
    --cacert "$place/certs/ca.pem" "https://localhost:${port[trust]}/fhir")
check "a method that is not there: 405" is "$got" 405
head -c 9000000 /dev/zero | tr '\0' ' ' >"$made"
check "a body past the limit: 413" is "$(send "$made" "$msg")" 413
long=$(printf '%0200d' 0)
check "an id past its limit: 400" is "$(post trust epr "$msg" application/fhir+json \
    "$samples/referral-message.json" "$long")" 400

ids() { # HEADER VALUE HEADER VALUE: the status of an otherwise good message
    curl -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 20 \
        --cacert "$place/certs/ca.pem" --cert "$place/certs/epr.pem" \
        --key "$place/certs/epr.key" -H 'Content-Type: application/fhir+json' \
        -H "$1: $2" -H "$3: $4" --data-binary @"$samples/referral-message.json" \
        "https://localhost:${port[trust]}$msg"
}
check "two Idempotency-Keys: 400" is "$(ids Idempotency-Key '"a"' idempotency-key '"b"')" 400
check "half a quoted one: 400" is "$(ids Idempotency-Key '"a' X-Request-ID b)" 400
check "two X-Request-IDs: 400" is "$(ids X-Request-ID a x-request-id a)" 400

# What HTTP itself must not carry (RFC 9112): one connection each.
raw() {
    (printf "$1"; sleep 1) | timeout 10 openssl s_client -quiet -no_ign_eof \
        -connect "127.0.0.1:${port[trust]}" -CAfile "$place/certs/ca.pem" \
        -cert "$place/certs/epr.pem" -key "$place/certs/epr.key" 2>/dev/null | head -n 1
}
refuses() { raw "$1" | grep -c '^HTTP/1.1 400' >/dev/null; }
check "two Hosts: 400" refuses 'GET /fhir/metadata HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
check "no Host: 400" refuses 'GET /fhir/metadata HTTP/1.1\r\n\r\n'
check "Content-Length and Transfer-Encoding: 400" refuses \
    'POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
check "two Content-Lengths: 400" refuses \
    'POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd'
check "a folded header: 400" refuses 'GET /fhir/metadata HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'
check "no HTTP at all: 400" refuses 'hello there\r\n\r\n'

# The folder: a sheet with damaged rows, then a good one.
cp "$samples/charity-cases-damaged.csv" "$place/charity/files/a.csv.part"
mv "$place/charity/files/a.csv.part" "$place/charity/files/a.csv"
printf '{"format": "vcse-case/9"' >"$place/charity/files/b.json"
cp "$samples/charity-case.json" "$place/charity/files/c.json.part"
mv "$place/charity/files/c.json.part" "$place/charity/files/c.json"
worked() { [ -z "$(find "$place/charity/files" -maxdepth 1 -type f)" ]; }
check "the folder is worked to its end" wait_for 20 worked
check "what could not be used lies in failed/, with its findings" \
    test -s "$place/charity/files/failed/b.json.findings.txt"
check "what could lies in done/" test -e "$place/charity/files/done/c.json"
check "a sheet of which no row could be used does too" \
    test -e "$place/charity/files/failed/a.csv"
check "  its findings name rows as the spreadsheet does" grep -q \
    '^a.csv row 2, column nhs_number: error\[V304\]' \
    "$place/charity/files/failed/a.csv.findings.txt"
check "  and end with the sum of it" test \
    "$(tail -n 1 "$place/charity/files/failed/a.csv.findings.txt")" = \
    "rows read 4, used 0, not used 4 (rows 2, 3, 4, 5)"
cp "$samples/charity-cases-damaged.csv" "$place/charity/files/again.csv"
check "  handed in again as it was, it fails again" wait_for 20 \
    test -s "$place/charity/files/failed/again.csv.findings.txt"
arrived() { at_least "$place/trust/records" '*.json' 1; }
check "and the good case reached the trust" wait_for 20 arrived

# What nobody takes stays and is told once; a suffix counts in any case.
printf 'PK' >"$place/charity/files/old.xlsx"
touch -d '1 minute ago' "$place/charity/files/old.xlsx"
printf 'PK' >"$place/charity/files/copying.xlsx.part"
printf 'case_ref;person_ref\r\nC-1;P-1\r\n' >"$place/charity/files/D.CSV"
check "a sheet with semicolons, .CSV, is worked" wait_for 20 \
    test -e "$place/charity/files/failed/D.CSV.findings.txt"
check "  with one plain error" test \
    "$(grep -c 'error\[V323\]' "$place/charity/files/failed/D.CSV.findings.txt")" -eq 1
check "a workbook has its findings beside it" wait_for 20 \
    grep -q 'CSV UTF-8' "$place/charity/files/old.xlsx.findings.txt"
sleep 1
check "  is logged once, whatever the number of looks" is \
    "$(grep -c 'no .csv or .json file' "$place/charity/gateway.log")" 1
check "  by a tag of its name, which may be a person's" is \
    "$(grep -cE 'old\.xlsx|again\.csv|b\.json' "$place/charity/gateway.log")" 0
check "  that its findings name too" grep -qE 'file [0-9a-f]{12}' \
    "$place/charity/files/failed/b.json.findings.txt"
check "  and a copy in progress is not" test ! -e \
    "$place/charity/files/copying.xlsx.part.findings.txt"

# After all of that: the same processes, and a good message goes through.
check "a good message is accepted" is \
    "$(send "$samples/referral-message.json" "$msg")" 202
reached() { at_least "$place/charity/casework" '*.json' 1; }
check "and reaches the charity" wait_for 20 reached
check "trust never went down" gateway_alive trust
check "charity never went down" gateway_alive charity
finish
