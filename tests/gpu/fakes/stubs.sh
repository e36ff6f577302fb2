#!/bin/bash
# stubs.sh LIBRARY PREFIX OBJECT...: C source with a function for each exported function of the real
# library that the objects do not define. Such a stub ends the program with the function's name.
set -euo pipefail
library=$1 prefix=$2
shift 2
exported() { nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | grep "^_*$prefix" | sort -u; }
defined() { nm --defined-only "$@" | awk 'NF == 3 && $2 ~ /[TW]/ { print $3 }' | sort -u; }

echo "/* Written by stubs.sh from $(basename "$library"). */"
echo "_Noreturn void fake_unknown(const char *function);"
comm -23 <(exported) <(defined "$@") | while read -r name; do
    echo "void $name(void); void $name(void) { fake_unknown(\"$name\"); }"
done
