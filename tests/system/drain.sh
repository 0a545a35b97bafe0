#!/usr/bin/env bash
# SIGTERM: no more is taken, what is in hand is finished, the exit code is 0,
# and what was answered 202 is there after the next start.
. "$(dirname "$0")/lib.sh"
two_gateways
start_two
mkdir "$place/posts"
for n in $(seq 200); do
    case_update "$place/posts/$n.json" "C-$n" $((40000 + n))
done
: >"$place/ledger"
sender() {
    local n answer=$place/answer.$1
    for n in $(seq "$1" 2 200); do
        case $(post charity casework /vcse/case application/json \
            "$place/posts/$n.json" "drain-$n") in
        202) printf 'C-%d\n' "$n" >>"$place/ledger" ;;
        *) [ ! -e "$place/stopped" ] || return ;;
        esac
    done
}
sender 1 &
one=$!
sender 2 &
two=$!
sleep 1.5
touch "$place/stopped"
began=$SECONDS
stop_gateway charity
code=$?
check "charity ends with 0" test $code -eq 0
check "within its drain time" test $((SECONDS - began)) -le 12
wait "$one" "$two"
taken=$(wc -l <"$place/ledger")
check "it had taken some ($taken), and was stopped before all" \
    test "$taken" -gt 0 -a "$taken" -lt 200
check "its port is closed" bash -c "! (exec 3<>/dev/tcp/127.0.0.1/${port[charity]}) 2>/dev/null"
check "the log says that it stopped" says charity 'stopp'
check "the log ends under a checkpoint" \
    "$stile" audit verify -c "$place/charity/stile.yaml"
start_gateway charity
wait_ready charity || give_up "charity did not come back"
check "all comes to rest" wait_for 30 at_rest trust charity
find "$place/trust/records" -name '*.json' -exec jq -r '
    [.entry[]?.resource | select(.resourceType == "ServiceRequest") | .id]
    | unique[]' {} + | sort >"$place/arrived"
check "all that was answered 202 arrived" test -z \
    "$(comm -23 <(sort -u "$place/ledger") <(sort -u "$place/arrived"))"
check "and none of it twice" test -z "$(uniq -d "$place/arrived")"
finish
