#!/usr/bin/env bash
# No two files of a backend need each other: reads which functions and macros each file defines and
# which it uses, X.h, X.c and X.cu being one file X, and looks for ways that lead back. A planted one
# must be found.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

cat >"$T/circles.py" <<'PYTHON'
import pathlib, re, sys

IGNORED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# Heads of functions at the beginning of a line, up to their bodies; declarations are no use.
FUNCTION = re.compile(r"^(?!static\b|typedef\b|template\b)[A-Za-z_][\w \t*]*?\b(\w+)\([^;{}#()]*\)\s*\{", re.M)
INLINE = re.compile(r"^(?:__device__|static inline)[\w \t*]*?\b(\w+)\(", re.M)
DECLARATION = re.compile(r"^(?:extern\b[^;]*;|(?!static\b|typedef\b|__device__|#)[A-Za-z_][\w \t*]*?\b\w+\([^;{}#]*\);)", re.M)
MACRO = re.compile(r"^#\s*define\s+(\w+)", re.M)
DATA = re.compile(r"^const [\w *]*?\b(\w+)(?:\[[^\]]*\])? = ", re.M)
WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def read(folders):
    """stem: (names that it defines for others, words that it uses)"""
    files = {}
    for path in sorted(p for f in folders for p in pathlib.Path(f).iterdir()):
        if path.suffix not in (".c", ".h", ".cu"):
            continue
        text = IGNORED.sub(" ", path.read_text())
        names, words = files.setdefault(path.stem, (set(), set()))
        text = re.sub(r"\\\n", " ", text)
        if path.suffix == ".h":
            names.update(INLINE.findall(text) + MACRO.findall(text))
            text = DECLARATION.sub(" ", text)
        else:
            names.update(FUNCTION.findall(text) + DATA.findall(text))
        words.update(WORD.findall(text))
    return files


def find_circle(edges, at, way, done):
    if at in way:
        return way[way.index(at):] + [at]
    if at in done:
        return None
    done.add(at)
    for other in sorted(edges[at]):
        circle = find_circle(edges, other, way + [at], done)
        if circle:
            return circle
    return None


def main(folders):
    files = read(folders)
    owner = {name: stem for stem, (names, _) in files.items() for name in names}
    edges = {stem: {owner[w] for w in words if owner.get(w, stem) != stem}
             for stem, (_, words) in files.items()}
    done = set()
    for stem in sorted(edges):
        circle = find_circle(edges, stem, [], done)
        if circle:
            uses = "; ".join(f"{a} uses {', '.join(sorted(w for w in files[a][1] if owner.get(w) == b))} of {b}"
                             for a, b in zip(circle, circle[1:]))
            print(f"files in a circle: {uses}")
            return 1
    count = sum(map(len, edges.values()))
    print(f"{' '.join(folders)}: {len(files)} files, {count} ways between them, none leads back")
    return 0 if count > 0 else 1


sys.exit(main(sys.argv[1:]))
PYTHON

python3 "$T/circles.py" cuda || exit 1
python3 "$T/circles.py" src/backend src/backend/cpu || exit 1

cp -r cuda "$T/cuda"
echo 'void planted(void) { gpu_drain_quietly(0); }' >>"$T/cuda/fail.c"
python3 "$T/circles.py" "$T/cuda" >"$T/said" && { echo "a planted circle was not found"; exit 1; }
grep -q 'files in a circle' "$T/said"
