# Shared by the lints: where things are, and how a finding is told.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build}
cd "$root"
findings=0

finding() {
    printf '%s\n' "$*"
    findings=$((findings + 1))
}

# Ends a lint: 0 when it found nothing.
finish() {
    if [ "$findings" -gt 0 ]; then
        printf '%s: %d findings\n' "$(basename "$0")" "$findings"
        exit 1
    fi
    exit 0
}

# The rooms of CMakeLists.txt, one a line: "room: dep dep ...". Libraries from
# outside stand as PkgConfig::X and are left out.
rooms() {
    perl -0777 -ne '
        s/#.*$//mg;
        while (/^stile_room\((\w+)([^)]*)\)/mg) {
            my ($room, $rest) = ($1, $2);
            my @deps = $rest =~ /\bstile_(\w+)/g;
            print "$room: @deps\n";
        }' CMakeLists.txt
}

core_rooms="base record outbox audit format schema doc fhirpath lang map govern
    exchange report"
