# Gateways on loopback, for ./demo and the system tests: free ports, certificates,
# starting, waiting, asking, stopping. Every wait has an end, and only what was
# started here is ever stopped.
# shellcheck shell=bash
#
#   stile=FILE   the binary
#   place=DIR    holds certs/, and a folder for each gateway with stile.yaml,
#                gateway.log and pid

declare -A gateway_pid=() port=() admin=()

# Below the range the kernel hands out by itself, so nothing takes it meanwhile.
ports_taken=" "
free_port() {
    local n try
    for try in {1..200}; do
        n=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        case $ports_taken in *" $n "*) continue ;; esac
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$n") 2>/dev/null; then
            ports_taken="$ports_taken$n "
            free_port_is=$n
            return 0
        fi
    done
    echo "no free port was found in $try tries" >&2
    return 1
}

# give_ports NAME...: a port for partners and one for the admin listener.
give_ports() {
    local name
    for name in "$@"; do
        free_port || return 1
        port[$name]=$free_port_is
        free_port || return 1
        admin[$name]=$free_port_is
    done
}

# A seed for the audit log's signatures; each gateway has its own.
make_audit_key() {
    [ -e "$1" ] || (umask 077 && openssl rand -hex 32 >"$1")
}

# make_officers FOLDER ODS [ID...]: officers.yaml and a key for each, officer.key
# for the one of none named. One is self-approving, for development.
make_officers() {
    local folder=$1 ods=$2 id key self=no
    shift 2
    if [ $# -eq 0 ]; then
        set -- officer
        self=yes
    fi
    [ ! -e "$folder/officers.yaml" ] || return 0
    printf 'organisation: %s\nself-approving: %s\nofficers:\n' "$ods" $self \
        >"$folder/officers.yaml"
    for id in "$@"; do
        key=$("$stile" officer key --out "$folder/$id.key") || return 1
        cat >>"$folder/officers.yaml" <<YAML
  - officer: $id
    role: caldicott-guardian
    key: $key
    may: [approve-rules, review, read-facts, give-facts, break-glass, move-outbox]
    from: $(date -u -d yesterday +%F)
    until: $(date -u -d "+1 year" +%F)
YAML
    done
}

# approve NAME [ID]: the officer signs what the gateway's folder proposes, be it
# what it may.
approve() {
    local at=$place/$1 class
    class=$("$stile" rules status -c "$at/stile.yaml" --json |
        jq -r '.proposal.class // empty') || return 1
    [ -n "$class" ] || return 0 # it is in force
    "$stile" rules approve -c "$at/stile.yaml" --as "${2:-officer}" \
        --key "$at/${2:-officer}.key" --because 'a trial on one machine' \
        --class "$class" >"$at/approve.log" 2>&1
}

# copy_mappings FROM TO. The demonstration's agreements run for a year; the copy's
# dates are moved by whole years, so that they hold today.
copy_mappings() {
    local years
    cp -R "$1" "$2" || return 1
    years=$(($(date +%Y) - 2026 - (10#$(date +%m%d) < 401)))
    [ "$years" -le 0 ] || perl -pi -e '
        s/\b(\d{4})(-\d\d-\d\d)\b/($1 + '"$years"') . $2/ge' \
        "$2/rules/agreements.yaml" "$2/rules/examples.yaml"
}

# gateway_head NAME ODS KIND ORGANISATION: the first part of a stile.yaml.
gateway_head() {
    cat <<YAML
gateway:
  name: $1
  ods: $2
  organisation: $4
  kind: $3
  listen: 127.0.0.1:${port[$1]}
  admin: 127.0.0.1:${admin[$1]}
  certificate: ../certs/$1.pem
  key: ../certs/$1.key
  trust: ../certs/ca.pem
  crl: ../certs/crl.pem
  audit-key: audit.key
  officers: officers.yaml
  store: store.db
  mappings: ${mappings:-../mappings}
  checkpoint: 2s
  drain: 10s
YAML
}

# live NAME ODS [ID...]: its officers are there, and the folder's rules are
# approved, so that it can start.
live() {
    local name=$1 ods=$2 id
    shift 2
    make_officers "$place/$name" "$ods" "$@" || return 1
    [ $# -gt 0 ] || set -- officer
    for id in "$@"; do
        approve "$name" "$id" || return 1
    done
}

# start_gateway NAME: runs it in the background; its words go to gateway.log.
start_gateway() {
    local at=$place/$1
    "$stile" run -c "$at/stile.yaml" >>"$at/gateway.log" 2>&1 </dev/null &
    gateway_pid[$1]=$!
    printf '%s\n' "$!" >"$at/pid"
}

gateway_alive() {
    [ -n "${gateway_pid[$1]-}" ] && kill -0 "${gateway_pid[$1]}" 2>/dev/null
}

# admin_get NAME PATH: the answer's body; fails when it is not a 2xx.
admin_get() {
    curl -sf --noproxy '*' --max-time 5 "http://127.0.0.1:${admin[$1]}$2"
}

# metric NAME METRIC: its value, nothing when the gateway does not answer.
metric() {
    admin_get "$1" /metrics 2>/dev/null |
        awk -v name="stile_$2" '$1 == name { print $2; exit }'
}

# wait_for SECONDS COMMAND...: until it succeeds. While it waits it calls
# `meanwhile`, if there is such a function.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        if declare -F meanwhile >/dev/null; then
            meanwhile
        fi
        sleep 0.1
    done
}

ready_or_dead() { ! gateway_alive "$1" || admin_get "$1" /readyz >/dev/null; }
# wait_ready NAME: fails at once when the gateway ended.
wait_ready() {
    wait_for 30 ready_or_dead "$1" && gateway_alive "$1"
}

# Nothing waits in the outbox, nothing is in the making.
at_rest() {
    local name
    for name in "$@"; do
        admin_get "$name" /metrics 2>/dev/null | awk '
            /^stile_outbox_rows\{state="(queued|sending|deferred|unknown)"\}/ ||
                /^stile_(dirty_persons|exchanges) / { seen = 1; sum += $2 }
            END { exit !(seen && sum == 0) }' || return 1
    done
}

# stop_gateway NAME [SIGNAL]: asks it to end and waits; its exit code.
stop_gateway() {
    local pid=${gateway_pid[$1]-} end=$((SECONDS + 20)) code=0
    [ -n "$pid" ] || return 0
    kill "-${2:-TERM}" "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$SECONDS" -ge "$end" ]; then
            kill -KILL "$pid" 2>/dev/null
        fi
        sleep 0.05
    done
    wait "$pid" 2>/dev/null || code=$?
    unset "gateway_pid[$1]"
    rm -f "$place/$1/pid"
    return "$code"
}
stop_all() {
    local name
    for name in "${!gateway_pid[@]}"; do
        kill -TERM "${gateway_pid[$name]}" 2>/dev/null
    done
    for name in "${!gateway_pid[@]}"; do
        stop_gateway "$name"
    done
    return 0
}

# post GATEWAY CERTIFICATE PATH MEDIA-TYPE FILE [ID]: prints the status; the
# answer is in $place/answer. 000: no answer.
post() {
    local id=()
    [ -z "${6-}" ] || id=(-H "Idempotency-Key: \"$6\"")
    curl -s --noproxy '*' --max-time 20 -o "${answer:-$place/answer}" \
        -w '%{http_code}' \
        --cert "$place/certs/$2.pem" --key "$place/certs/$2.key" \
        --cacert "$place/certs/ca.pem" "${id[@]}" \
        -H "Content-Type: $4" --data-binary "@$5" \
        "https://localhost:${port[$1]}$3" 2>/dev/null || true
}
