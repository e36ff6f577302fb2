#!/usr/bin/env bash
# A file has at most 400 lines and a function at most 60, in src/, cuda/, include/ and tests/, and
# each begins with a comment that tells its purpose; proves with planted files that others are found.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

cat >"$T/sizes.py" <<'PYTHON'
import pathlib, re, sys

FILE_LINES, FUNCTION_LINES = 400, 60
SUFFIXES = (".c", ".h", ".cc", ".cu", ".sh", ".py", ".mk")
# A function as clang-format lays it out: its head begins at the margin, its body ends there.
HEAD = re.compile(r'(?!(?:typedef|struct|enum|union|extern "C")(?:\s|$))[A-Za-z_].*')


def long_functions(lines):
    """(first line, length) of each function that is too long."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and HEAD.fullmatch(line) and not line.endswith(";"):
            start, opened = number, False
        if start is not None and not opened:
            opened = line.endswith("{") and "=" not in line
            if not opened and (line == "" or line.endswith((";", "{"))):
                start = None
        if start is not None and line.startswith("}"):
            if line == "}" and number - start >= FUNCTION_LINES:
                yield start, number - start + 1
            start = None


def main(root):
    wrong, count = [], 0
    for path in sorted(p for t in ("src", "cuda", "include", "tests") for p in (root / t).rglob("*")
                       if p.suffix in SUFFIXES and p.is_file()):
        count += 1
        lines = path.read_text().splitlines()
        name = path.relative_to(root)
        if len(lines) > FILE_LINES:
            wrong.append(f"{name}: {len(lines)} lines; split it by concept (at most {FILE_LINES})")
        first = lines[1:2] if lines[:1] and lines[0].startswith("#!") else lines[:1]
        if not first or not first[0].startswith(("/*", "//", '"""', "# ")):
            wrong.append(f"{name}: begin it with a comment that tells its purpose")
        if path.suffix not in (".sh", ".py", ".mk"):
            wrong += [f"{name}:{at}: a function of {length} lines (at most {FUNCTION_LINES})"
                      for at, length in long_functions(lines)]
    print("\n".join(wrong) or f"{count} files are short enough, and begin with their purpose")
    return 1 if wrong or count == 0 else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
PYTHON

python3 "$T/sizes.py" . || exit 1

# Each planted file must be found, for the right reason.
planted() { # file, its text, complaint
    local out
    rm -rf "$T/tree"
    mkdir -p "$(dirname "$T/tree/$1")"
    printf '%s\n' "$2" >"$T/tree/$1"
    out=$(python3 "$T/sizes.py" "$T/tree") && { echo "not found in $1"; exit 1; }
    grep -qF -- "$3" <<<"$out" || { echo "found otherwise: $1: $out"; exit 1; }
}
body=$(for i in $(seq 58); do echo "    x += $i;"; done)
planted src/a/a.c "$(seq 401)" 'src/a/a.c: 401 lines'
planted tests/cli/a.sh "$(seq 401)" 'tests/cli/a.sh: 401 lines'
planted src/a/a.c "$(printf 'static int f(int x) {\n%s\n    return x;\n}' "$body")" 'a.c:1: a function of 61 lines'
planted cuda/a.cu "$(printf '\nint f(int x,\n      int y) {\n%s\n}' "$body")" 'a.cu:2: a function of 61 lines'
planted include/gyre/a.h "$(printf 'static const struct {\n    int a;\n} t[] = {\n    {1},\n};\n\nstatic inline int f(void) {\n%s\n\n}' "$body")" 'a.h:7: a function of 61 lines'
planted src/a/a.h "$(printf '#ifndef A\n/* a */')" 'a.h: begin it with a comment'
planted tests/cli/a.sh "$(printf '#!/usr/bin/env bash\nset -u')" 'a.sh: begin it with a comment'
mkdir -p "$T/short/src"
printf '/* f(). */\nstatic int f(int x) {\n%s\n}\n' "$body" >"$T/short/src/a.c"
python3 "$T/sizes.py" "$T/short" || { echo "60 lines are not too many"; exit 1; }
exit 0
