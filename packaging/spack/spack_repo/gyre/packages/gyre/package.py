"""Spack's recipe of gyre; docs/install.md says how it is used."""

import os

from spack_repo.builtin.build_systems.makefile import MakefilePackage

from spack.package import *


class Gyre(MakefilePackage):
    """Trains neural networks under cyclical learning rates, on one core or on many MPI ranks, with
    the same bits on any number of ranks."""

    license("MIT")

    # Built from the folder that `spack develop --path` names: no archive is fetched.
    version("0.1.0")

    variant("cuda", default=False, description="NVIDIA GPUs as well, by cuDNN and NCCL")

    depends_on("c", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("openmpi")
    depends_on("onednn cpu_runtime=omp")
    depends_on("hdf5@1.10:")
    depends_on("cjson@1.7:")
    depends_on("netlib-lapack+lapacke")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")
    depends_on("jpeg")
    depends_on("libpng@1.6:")
    depends_on("protobuf-c@1.4:")
    depends_on("random123", type="build")
    depends_on("gnuplot", type="run")
    depends_on("python", type="test")
    depends_on("py-h5py", type="test")
    depends_on("cmocka", type="test")
    with when("+cuda"):
        depends_on("cxx", type="build")
        depends_on("cuda@13:")
        depends_on("cudnn@9:")
        depends_on("nccl@2:")

    # The description of ONNX files, which the build compiles. Spack's onnx does not install it.
    resource(
        name="onnx",
        url="https://github.com/onnx/onnx/archive/refs/tags/v1.12.0.tar.gz",
        sha256="052ad3d5dad358a33606e0fc89483f8150bb0655c99b12a43aa58b5b7f0cc507",
        destination="build/onnx",
        placement="source",
    )

    @property
    def _folder(self):
        return "build/cuda" if self.spec.satisfies("+cuda") else "build/cpu"

    @property
    def _arguments(self):
        proto = os.path.join(self.stage.source_path, "build/onnx/source/onnx/onnx.proto")
        arguments = [f"CC={spack_cc}", f"O={self._folder}", f"ONNX_PROTO={proto}"]
        if self.spec.satisfies("+cuda"):
            arguments.append("CUDA=1")
        return arguments

    def setup_build_environment(self, env):
        if self.spec.satisfies("+cuda"):
            env.set("CUDA_HOME", self.spec["cuda"].prefix)
            env.set("CUDNN_HOME", self.spec["cudnn"].prefix)
            env.set("NCCL_HOME", self.spec["nccl"].prefix)

    def setup_run_environment(self, env):
        env.set("GYRE_HOME", self.prefix.share.gyre)

    @property
    def build_targets(self):
        return [*self._arguments, f"{self._folder}/gyre"]

    @property
    def install_targets(self):
        return [*self._arguments, f"PREFIX={self.prefix}", "install"]
