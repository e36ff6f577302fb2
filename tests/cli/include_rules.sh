#!/usr/bin/env bash
# Who may include whom: reads the #includes of src/, cuda/ and include/ against the table below,
# looks for circles of files inside a folder, and for private names that begin with gyre_; proves
# with planted violations that each kind of them is found.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

cat >"$T/rules.py" <<'PYTHON'
import pathlib, re, sys

# module: (modules it may include, libraries it may include). Every module may include base.
RULES = {
    "base":        ("", "Random123/ xxhash.h"),
    "config":      ("onnx", "cjson/ xxhash.h"),
    "onnx/write":  ("backend model", ""),
    "onnx":        ("", "cjson/ protobuf-c/ onnx.pb-c.h xxhash.h"),
    "schedule":    ("", ""),
    "data":        ("config", "hdf5 H5 zlib.h xxhash.h jpeglib.h jerror.h png.h"),
    "backend":     ("dist", ""),
    "backend/cpu": ("backend dist", "oneapi/ dnnl omp.h"),
    "cuda":        ("backend dist", "xxhash.h cuda cudnn_graph.h cudnn_version.h nccl.h nvtx3/"),
    "model":       ("config backend", "xxhash.h"),  # config: networks are given as JSON
    "model/nodes": ("backend model", ""),
    "model/zoo":   ("backend model", ""),
    "optim":       ("backend model schedule", ""),
    "denoise":     ("config data backend model dist", "lapacke.h"),
    "dist":        ("", "mpi.h"),
    "runfile":     ("config onnx schedule data model", "hdf5 H5 xxhash.h"),
    "sampling":    ("data backend model dist", "png.h"),
    "run":         ("config schedule data backend denoise model optim dist runfile sampling", "xxhash.h lapacke.h"),
    "find":        ("config schedule data backend model dist runfile run", ""),
    "report":      ("config schedule data model runfile sampling find study", ""),
    "study":       ("config schedule data backend model dist runfile run", "xxhash.h"),
    "cli":         ("config onnx onnx/write schedule data backend denoise model optim dist runfile sampling run find report study", ""),
}
# The public headers, include/gyre/NAME.h; whatever is not named here is a new one to be placed.
HEADERS = {
    "base": "alive batch child clock clones contexts control_groups cores crc32c defaults element file foreign leftover log move names overwrite philox place random realmath realmath_f32 roff seal settings size sort status status_line terminal text thread version wire",
    "config": "config json", "onnx": "onnx", "schedule": "schedule", "data": "augment dataset fitter gather hdf5 import loader sampler",
    "backend": "activation assignment backend diffusion digest dropout erase ops ops_layers ops_losses ops_step shapes", "model": "denoiser metric model net state_dict",
    "sampling": "grid likeness nearest sampling", "denoise": "bounds",
    "onnx/write": "onnx_write", "optim": "average lookahead optimizer", "dist": "comm reduction",
    "runfile": "checkpoint events h5 latents metrics run_folder safetensors tensorboard trained", "run": "evaluator progress resolve run sample trainer",
    "find": "find", "report": "plot report", "study": "results statistics study",
}
OWNER = {name: module for module, names in HEADERS.items() for name in names.split()}
# The C library, POSIX and Linux: free for all.
SYSTEM = re.compile(
    r"^(assert|complex|ctype|dirent|dlfcn|errno|fcntl|fenv|float|getopt|glob|immintrin|inttypes|"
    r"libgen|limits|locale|malloc|math|poll|pthread|regex|sched|setjmp|signal|spawn|stdalign|stdarg|"
    r"stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|termios|tgmath|"
    r"threads|time|unistd|wchar|wctype|(sys|linux)/[a-z_]+)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def module_of(path):
    if path.parts[0] == "include":
        return OWNER.get(path.stem)
    if path.parts[0] == "cuda":
        return "cuda"
    folder = "/".join(path.parts[1:-1])
    return folder if folder in RULES else None


# Node types and networks build on their parent folder. It knows them by their names in two lists
# alone (types.c, zoo.c), which include nothing of theirs.
ABOVE = {("model/nodes", "../builder.h"), ("model/zoo", "../zoo.h")}


def refusal_of(root, path, module, kind, name, edges):
    """The complaint about one #include, or None."""
    modules, libraries = RULES[module]
    if name.startswith("gyre/"):
        other = OWNER.get(name[len("gyre/"):-len(".h")])
        if other is None or not (root / "include" / name).exists():
            return "no such header in this test's table"
        if other not in (module, "base"):
            edges.setdefault(module, set()).add(other)
        if other not in (module, "base", *modules.split()):
            return f"{module} may not include {other}"
    elif str(path) == "cuda/port.h" and name.startswith("emulator"):
        return None  # in the tests' builds only
    elif kind == '"' and (module, name) in ABOVE:
        edges.setdefault(module, set()).add("model")
    elif kind == '"':
        if "/" in name or not (root / path.parent / name).exists():
            return "a private header of another folder"
    elif path.parts[0] == "include" and not SYSTEM.match(name):
        return "a library in a public header"
    elif not SYSTEM.match(name) and not name.startswith(tuple(libraries.split()) or ("\0",)):
        return f"{module} may not include this library"
    return None


def find_cycle(edges, at, way):
    if at in way:
        return way[way.index(at):] + [at]
    for other in sorted(edges.get(at, ())):
        cycle = find_cycle(edges, other, way + [at])
        if cycle:
            return cycle
    return None


COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
PRIVATE = re.compile(r'^\s*#\s*include\s*"([^"/]+)\.h"', re.M)
# Not what is a file's own: static, and kernels and what they call.
NOT_ALONE = r"^(?!static\b|__device__\b|__global__\b|typedef\b|extern\b|return\b|else\b)[A-Za-z_][\w \t*]*?[ *](\w+)"
FUNCTION = re.compile(NOT_ALONE + r"\([^;{}]*?\)\s*\{", re.M)
TABLE = re.compile(NOT_ALONE + r"(?:\[\w*\])* = ", re.M)


def file_edges(folder):
    """stem -> the stems of its folder that it depends on: it includes their private header, or names
    a function or table that they define."""
    files = [p for p in sorted(folder.iterdir()) if p.suffix in (".c", ".h", ".cu")]
    code = {p: COMMENT.sub("", p.read_text()) for p in files if p.suffix != ".h"}
    home = {name: p.stem for p, text in code.items()
            for pattern in (FUNCTION, TABLE) for name in pattern.findall(text)}
    edges = {}
    for p in files:
        others = set(PRIVATE.findall(p.read_text()))
        others |= {home[word] for word in re.findall(r"\w+", code.get(p, "")) if word in home}
        edges.setdefault(p.stem, set()).update(others - {p.stem})
    return edges


def file_circles(root):
    wrong = []
    folders = {p.parent for t in ("src", "cuda") for p in (root / t).rglob("*.[ch]*")}
    for folder in sorted(folders):
        edges = file_edges(folder)
        for stem in sorted(edges):
            cycle = find_cycle(edges, stem, [])
            if cycle and cycle[0] == stem:
                wrong.append(f"{folder.relative_to(root)}: files in a circle: " + " -> ".join(cycle))
    return wrong


PUBLIC_NAME = re.compile(r"\bgyre_\w+")


def names_in(headers):
    return {name for p in headers for name in PUBLIC_NAME.findall(COMMENT.sub("", p.read_text()))}


def private_names(root):
    """Names that begin as the public ones do, in a private header that no public one knows of."""
    public = names_in((root / "include").rglob("*.h"))
    return [f"{p.relative_to(root)}: {name}: a private name must not begin with gyre_"
            for t in ("src", "cuda") for p in sorted((root / t).rglob("*.h"))
            for name in sorted(names_in([p]) - public)]


OWN_ROOM = re.compile(r"snprintf\(\s*[\w>.-]+ \+ \w+,")


def own_rooms(root):
    """snprintf behind a text that is there: where the text was cut, its length and room are wrong."""
    return [f"{p.relative_to(root)}: appends by snprintf: gyre_text_add knows the room"
            for p in sorted((root / "src").rglob("*.c")) if p.parent.name != "base"
            and OWN_ROOM.search(COMMENT.sub("", p.read_text()))]


def main(root):
    wrong, edges, count = [], {}, 0
    for path in sorted(p.relative_to(root) for t in ("src", "cuda", "include")
                       for p in (root / t).rglob("*") if p.suffix in (".c", ".h", ".cu")):
        module = module_of(path)
        if module is None:
            wrong.append(f"{path}: belongs to no module of this test's table")
            continue
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            count += 1
            complaint = refusal_of(root, path, module, *found.groups(), edges)
            if complaint:
                wrong.append(f"{path}:{number}: {found.group(2)}: {complaint}")
    for module in sorted(edges):
        cycle = find_cycle(edges, module, [])
        if cycle and cycle[0] == module:
            wrong.append("modules in a circle: " + " -> ".join(cycle))
    wrong += file_circles(root)
    wrong += private_names(root)
    wrong += own_rooms(root)
    print("\n".join(wrong) or f"{count} includes follow the rules")
    return 1 if wrong or count == 0 else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
PYTHON

python3 "$T/rules.py" . || exit 1

# Each planted line must be found, and by the right rule.
planted() { # file, line, complaint
    local out
    rm -rf "$T/tree"
    mkdir "$T/tree"
    cp -r src cuda include "$T/tree"
    mkdir -p "$(dirname "$T/tree/$1")"
    printf '%s\n' "$2" >>"$T/tree/$1"
    out=$(python3 "$T/rules.py" "$T/tree") && { echo "not found: $2 in $1"; exit 1; }
    grep -qF -- "$3" <<<"$out" || { echo "found otherwise: $2 in $1: $out"; exit 1; }
}
planted src/run/train.c '#include <mpi.h>' 'run may not include this library'
planted src/model/zoo.c '#include "gyre/comm.h"' 'model may not include dist'
planted src/model/zoo.c '#  include <oneapi/dnnl/dnnl.h>' 'model may not include this library'
planted src/optim/optimizer.c '#include <hdf5.h>' 'optim may not include this library'
planted src/cli/main.c '#include <cjson/cJSON.h>' 'cli may not include this library'
planted src/base/log.c '#include "gyre/config.h"' 'base may not include config'
planted src/config/json.c '#include "gyre/schedule.h"' 'config may not include schedule'
planted src/dist/comm.c '#include "gyre/backend.h"' 'dist may not include backend'
planted src/model/zoo.c '#include "gyre/optimizer.h"' 'modules in a circle: model -> optim -> model'
planted src/backend/cpu/table.c '#include "gyre/model.h"' 'backend/cpu may not include model'
planted src/run/train.c '#include <cuda_runtime_api.h>' 'run may not include this library'
planted cuda/table.c '#include "gyre/model.h"' 'cuda may not include model'
planted cuda/plan.c '#include <cudnn.h>' 'cuda may not include this library'
planted cuda/table.c '#include <mpi.h>' 'cuda may not include this library'
planted src/run/train.c '#include "../dist/comm.h"' 'a private header of another folder'
planted include/gyre/comm.h '#include <mpi.h>' 'a library in a public header'
planted include/gyre/new.h '#include <stdio.h>' 'belongs to no module'
planted src/new/new.c '#include <stdio.h>' 'belongs to no module'
planted src/run/train.c '#include <jpeglib.h>' 'run may not include this library'
planted src/cli/data.c '#include <png.h>' 'cli may not include this library'
planted src/base/log.c '#include <gsl/gsl_math.h>' 'base may not include this library'
planted src/runfile/h5_file.h '#include "h5_table.h"' 'src/runfile: files in a circle: h5_file -> h5_table -> h5_file'
planted cuda/fail.c 'void planted(void) { gpu_drain_quietly(0); }' 'cuda: files in a circle: '
planted src/schedule/curve.h '#include "stage.h"' 'src/schedule: files in a circle: curve -> stage -> '
planted src/data/parts.c 'void planted(void) { data_listing_by_folder(0, 0, 0); }' 'src/data: files in a circle: listing_folders -> parts -> listing_folders'
planted src/find/rules.c 'double planted(void) { return find_decide(0); }' 'src/find: files in a circle: curve -> rules -> verdict -> curve'
planted src/report/labels.c 'const void *planted(void) { return report_csv_tables; }' 'files in a circle: csv -> differing -> labels -> csv'
planted src/run/rows.h 'int gyre_rows_planted(void);' 'src/run/rows.h: gyre_rows_planted: a private name'
planted cuda/gpu.h 'typedef struct gyre_planted gyre_planted;' 'cuda/gpu.h: gyre_planted: a private name'
planted src/run/train.c 'int planted(char *o, int n) { return snprintf(o + n, 9, "x"); }' 'appends by snprintf'
exit 0
