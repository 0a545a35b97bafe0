#!/usr/bin/env bash
# kill -9 in the middle of traffic, on both sides, again and again: what was
# answered 202 arrives, and arrives once.
. "$(dirname "$0")/lib.sh"
messages=${MESSAGES:-120}
kills=${KILLS:-8}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed, $messages messages, $kills kills"
two_gateways
start_two

mkdir "$place/posts"
nhs_base=$((RANDOM * 7))
for n in $(seq "$messages"); do
    case_update "$place/posts/$n.json" "C-$n" $((nhs_base + n))
done

# One sender: each message under its own key, again until it is answered 202.
: >"$place/ledger"
sender() {
    local n try code answer=$place/answer.$1
    for n in $(seq "$1" 2 "$messages"); do
        for try in {1..150}; do
            code=$(post charity casework /vcse/case application/json \
                "$place/posts/$n.json" "crash-$n")
            if [ "$code" = 202 ]; then
                printf 'C-%d\n' "$n" >>"$place/ledger"
                break
            fi
            case $code in 000 | 503) ;; *) printf '%s: %s\n' "$n" "$code" >>"$place/odd" ;; esac
            sleep 0.1
        done
    done
}
sender 1 &
one=$!
sender 2 &
two=$!

for n in $(seq "$kills"); do
    sleep "$(printf '0.%03d' $((RANDOM % 900)))"
    victim=charity
    [ $((RANDOM % 2)) -eq 0 ] || victim=trust
    kill -KILL "${gateway_pid[$victim]}"
    wait "${gateway_pid[$victim]}" 2>/dev/null
    start_gateway $victim
    wait_ready $victim || give_up "$victim did not get ready after kill $n"
done
wait "$one" "$two"
check "every message was answered 202 in the end" \
    test "$(sort -u "$place/ledger" | wc -l)" -eq "$messages"
[ ! -e "$place/odd" ] || sort "$place/odd" | uniq -c | head
check "no other answer than 202, 503 or none" test ! -e "$place/odd"

check "both come to rest" wait_for 60 at_rest trust charity
sleep 0.5
# The receiver's folder: which case each file is about.
find "$place/trust/records" -name '*.json' -exec jq -r '
    [.entry[]?.resource | select(.resourceType == "ServiceRequest") | .id]
    | unique[]' {} + | sort >"$place/arrived"
check "nothing answered 202 is lost" test -z \
    "$(comm -23 <(sort -u "$place/ledger") <(sort -u "$place/arrived"))"
check "nothing arrived twice" test -z "$(uniq -d "$place/arrived")"
check "no half-written file is in the folder" \
    test -z "$(find "$place/trust/records" -type f ! -name '*.json')"
for name in trust charity; do
    check "the audit log of $name is whole" \
        "$stile" audit verify -c "$place/$name/stile.yaml"
done
finish
