#!/usr/bin/env bash
# Spack's recipe is valid Python, has gyre's version, and asks for what tools/deps.sh asks for. Spack
# itself is not needed: its names are stood in for.
set -u
. "$(dirname "$0")/lib/common.sh"
/usr/bin/python3 - "$("$GYRE" --version | cut -d ' ' -f 2)" <<'P' || fail "the recipe"
import contextlib, pathlib, re, sys, types

# A package of Debian's by what Spack calls it; None: Spack has no need of it, for the reason given.
NAMES = {
    "gcc": "c", "pkg-config": "pkgconfig", "openmpi-bin": "openmpi", "libopenmpi-dev": "openmpi",
    "libdnnl-dev": "onednn", "libhdf5-dev": "hdf5", "libcjson-dev": "cjson", "liblapacke-dev": "netlib-lapack", "zlib1g-dev": "zlib-api",
    "libjpeg62-turbo-dev": "jpeg", "libpng-dev": "libpng", "libprotobuf-c-dev": "protobuf-c",
    "protobuf-c-compiler": "protobuf-c", "librandom123-dev": "random123", "libxxhash-dev": "xxhash",
    "libcmocka-dev": "cmocka", "gnuplot-nox": "gnuplot", "python3": "python", "python3-h5py": "py-h5py",
    "hdf5-tools": "hdf5", "g++": "cxx",
    "libc6-dev": None,  # the compiler's
    "libonnx-dev": None,  # a resource: Spack's onnx lacks the file
    "procps": None, "dataset-fashion-mnist": None,  # of tests and the demo
    "slurmctld": None, "slurmd": None, "slurm-client": None, "slurm-wlm-basic-plugins": None, "munge": None,
}
needs, versions, resources, variants = [], [], [], []
spack, builder = types.ModuleType("spack.package"), types.ModuleType("makefile")
spack.license = lambda name: None
spack.version = versions.append
spack.variant = lambda name, **more: variants.append(name)
spack.depends_on = lambda spec, type=("build", "link"): needs.append((spec, type))
spack.resource = lambda **more: resources.append(more)
spack.when = lambda condition: contextlib.nullcontext()
spack.spack_cc = "/spack/cc"
builder.MakefilePackage = type("MakefilePackage", (), {})
for name in ("spack", "spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["spack.package"] = spack
sys.modules["spack_repo.builtin.build_systems.makefile"] = builder
path = pathlib.Path("packaging/spack/spack_repo/gyre/packages/gyre/package.py")
scope = {}
exec(compile(path.read_text(), str(path), "exec"), scope)

assert versions == [sys.argv[1]], (versions, sys.argv[1])
assert variants == ["cuda"]
have = {re.split(r"[@ ~+]", spec)[0] for spec, _ in needs}
wanted = set(re.findall(r"^\s*(?:\[.*?\|\| )?need_(?:file|program) ([a-z0-9+.-]+)", pathlib.Path("tools/deps.sh").read_text(), re.M))
assert len(wanted) > 20 and wanted <= set(NAMES), f"to be placed here: {wanted - set(NAMES)}"
missing = {name for name in wanted if NAMES[name] and NAMES[name] not in have}
assert not missing, f"the recipe lacks {missing}"
extra = have - {NAMES[name] for name in wanted} - {"cuda", "cudnn", "nccl"}  # of tools/cuda.sh
assert not extra, f"the recipe asks for {extra}"

# What make is given.
for cuda in (False, True):
    package = scope["Gyre"]()
    package.spec = types.SimpleNamespace(satisfies=lambda text, cuda=cuda: cuda and text == "+cuda")
    package.stage = types.SimpleNamespace(source_path="/source")
    package.prefix = types.SimpleNamespace(__str__=lambda: "/prefix")
    folder = "build/cuda" if cuda else "build/cpu"
    targets = package.build_targets
    assert targets[-1] == f"{folder}/gyre" and f"O={folder}" in targets and ("CUDA=1" in targets) == cuda, targets
    assert "ONNX_PROTO=/source/build/onnx/source/onnx/onnx.proto" in targets, targets
    assert package.install_targets[-1] == "install" and any(t.startswith("PREFIX=") for t in package.install_targets)
assert re.fullmatch("[0-9a-f]{64}", resources[0]["sha256"])
makefile = pathlib.Path("Makefile").read_text()
for variable in ("ONNX_PROTO", "CC", "O"):
    assert re.search(rf"^{variable} |\$\({variable}\)", makefile, re.M), variable
P
grep -q "^  namespace: gyre$" packaging/spack/spack_repo/gyre/repo.yaml || fail "repo.yaml"
exit 0
