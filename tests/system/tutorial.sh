#!/usr/bin/env bash
# mappings/TUTORIAL.md as a new reader would follow it: the files it shows are
# written, its commands are run, and what they print is compared with the page.
. "$(dirname "$0")/lib.sh"
page=$root/mappings/TUTORIAL.md
cd "$place" || exit 1
cp -R "$root/mappings" mappings
stile() { "$stile" "$@"; }

# A block's text is kept under its number; marks.txt says what each is.
awk '
/^<!-- (file|run)/ { what = $2; name = $3; next }
/^```/ && what != "" && !inside { inside = 1; n++; print n, what, name >"marks.txt"
                                  out = "block." n; printf "" >out; next }
/^```/ && inside { inside = 0; what = ""; close(out); next }
inside { print >out }
' "$page"

# Runs the commands of a block and prints it anew.
again() {
    local line
    while IFS= read -r line; do
        case $line in
        '$ '*)
            printf '%s\n' "$line"
            eval "${line#??}" 2>&1
            ;;
        esac
    done <"$1"
}

files=0 runs=0
while read -r number what name; do
    if [ "$what" = file ]; then
        mkdir -p "$(dirname "$name")"
        cp "block.$number" "$name"
        files=$((files + 1))
        continue
    fi
    runs=$((runs + 1))
    again "block.$number" >"again.$number" </dev/null
    check "block $number prints what the page says" \
        diff -u "block.$number" "again.$number"
done <marks.txt
check "the page has files" test "$files" -ge 5
check "and commands" test "$runs" -ge 5
finish
