# gyre: cyclical-learning-rate training, from one core to a cluster.
#
#   make          builds build/cpu/gyre
#   make demo     trains a small CNN on Fashion-MNIST on two ranks and plots the run
#   make check    runs all tests;  make soak: those from outside in their long forms
#   make check SAN=1   many of them under sanitizers, then make lint: clang-tidy, cppcheck, layout
#   make check-gpu     checks the CUDA backend without a GPU, where the toolkit is
#   make deps     installs what is missing (as root, or with DEPS=yes through sudo)
#   make fuzz COUNT=3000   damages files of every kind and reads them (docs/development.md)
#   make fuzz-guided SECONDS=600   the reader of networks under libFuzzer; READER=onnx, safetensors, unet: others
#   make bench    builds what benchmarks/speed.py times
#   make install  PREFIX=/usr/local, DESTDIR; make uninstall takes away what it put there
#
#   make CUDA=1   builds build/cuda/gyre, for NVIDIA GPUs as well (docs/gpu.md)
#
# Variables: CC (gcc or clang), O (build folder), DEPS=yes, V=1 (show commands), SAN=1, CUDA=1.

O ?= $(if $(CUDA),build/cuda,build/cpu)
CFLAGS ?= -O3 -g
AT := $(if $(V),,@)
comma := ,

.PHONY: all deps named demo check unit docs format clean
all: named
	@$(MAKE) --no-print-directory $(O)/gyre

# Says what is missing before a compiler stumbles over it.
named:
	@DEPS=show tools/deps.sh || true
	@$(if $(CUDA),tools/cuda.sh > /dev/null)

# ---- the flags of the libraries; a missing one leaves these empty and tools/deps.sh names it
PKG := pkg-config --silence-errors
HDF5 := $(shell $(PKG) --exists hdf5-serial 2>/dev/null && echo hdf5-serial || echo hdf5)
LIBRARIES := ompi-c $(HDF5) lapacke libcjson libxxhash zlib libjpeg libpng libprotobuf-c
SYSTEM_INCLUDES := $(patsubst -I%,-isystem %,$(shell for p in $(LIBRARIES); do $(PKG) --cflags-only-I $$p 2>/dev/null; done))
LIBS := $(shell for p in $(LIBRARIES); do $(PKG) --libs $$p 2>/dev/null; done) -ldnnl -lgomp -lpthread -lm

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla
# What protoc-c makes of ONNX's description lies here.
PROTO := $(O)/proto
# -ffp-contract=off: a multiply-add fused on one machine and not on another would change bits.
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -isystem $(PROTO) $(SYSTEM_INCLUDES) $(WARNINGS) -ffp-contract=off \
             -fno-math-errno -pthread -MMD -MP $(CFLAGS) $(SAN_FLAGS)

# Programs of a build with SAN_FLAGS carry the sanitizers' options with them.
SAN_OBJECT = $(if $(SAN_FLAGS),$(O)/tests/sanitizers.o)

# ---- CUDA; empty without CUDA=1
FOUND := $(if $(CUDA),$(shell tools/cuda.sh 2>/dev/null))
NVCC := $(patsubst nvcc:%,%,$(filter nvcc:%,$(FOUND)))
CUDA_INCLUDES := $(patsubst include:%,-isystem %,$(filter-out include:/usr/include,$(filter include:%,$(FOUND))))
CUDA_LIBRARIES := $(patsubst library:%,%,$(filter library:%,$(FOUND)))
# A RUNPATH and not an RPATH, so that LD_LIBRARY_PATH can name others.
CUDA_LIBS := $(CUDA_LIBRARIES) \
             $(addprefix -Wl$(comma)-rpath$(comma),$(sort $(patsubst %/,%,$(dir $(CUDA_LIBRARIES))))) \
             $(if $(CUDA),-Wl$(comma)--enable-new-dtags)
# What this nvcc knows of A100, H100, B200; PTX of the newest for what comes after.
CUDA_ARCHS := $(if $(NVCC),$(filter 80 90 100,$(patsubst compute_%,%,$(shell $(NVCC) --list-gpu-arch))))
CUDA_CODE := $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a)$(comma)code=sm_$(a)) \
             $(foreach a,$(lastword $(CUDA_ARCHS)),-gencode arch=compute_$(a)$(comma)code=compute_$(a))
# --fmad=false: as -ffp-contract=off. -fno-threadsafe-statics: no need of a C++ library.
# Local memory and spills would be slow, double precision is not meant to be anywhere. What ptxas
# says of each kernel stays beside the object, for tests/gpu/kernels/static.sh.
# Spills are no errors with CUDA 12, whose ptxas (12.4) spills 8 bytes of one kernel (adadelta).
CUDA_MAJOR := $(if $(NVCC),$(shell $(NVCC) --version | sed -n 's/.*release \([0-9]*\)\..*/\1/p'))
PTXAS_STRICT := $(if $(filter 12,$(CUDA_MAJOR)),,$(comma)-Werror$(comma)-warn-spills$(comma)-warn-lmem-usage)
NVCC_FLAGS = -std=c++17 -O3 -lineinfo -Iinclude $(CUDA_INCLUDES) $(CUDA_CODE) --fmad=false \
             -Werror all-warnings -Xcompiler -Wall,-Wextra,-fno-threadsafe-statics,-fno-exceptions \
             -Xptxas -v$(PTXAS_STRICT),-warn-double-usage -MMD -MP
ifdef CUDA
ALL_CFLAGS += -DGYRE_CUDA
$(O)/cuda/%.o $(O)/tests/gpu/%.o: ALL_CFLAGS += $(CUDA_INCLUDES)
$(O)/cuda/%.o: ALL_CFLAGS += -DCUDNN_WARN_DEPRECATED -Werror=deprecated-declarations
LIBS += $(CUDA_LIBS)
endif

# ---- objects
CUDA_SOURCES := $(if $(CUDA),$(sort $(wildcard cuda/*.c cuda/*.cu)))
LIB_SOURCES := $(sort $(wildcard src/base/*.c src/config/*.c src/schedule/*.c src/data/*.c src/denoise/*.c \
                 src/onnx/*.c src/onnx/write/*.c src/model/*.c src/model/nodes/*.c src/model/zoo/*.c src/optim/*.c src/dist/*.c \
                 src/backend/*.c src/backend/cpu/*.c src/runfile/*.c src/sampling/*.c src/run/*.c src/find/*.c src/study/*.c src/report/*.c)) $(filter %.c,$(CUDA_SOURCES))
CLI_SOURCES := $(sort $(wildcard src/cli/*.c))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(O)/%.o) \
               $(patsubst %.cu,$(O)/%.cu.o,$(filter %.cu,$(CUDA_SOURCES))) $(PROTO)/onnx.pb-c.o
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(O)/%.o)

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(AT)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(O)/%.cu.o: %.cu $(O)/flags
	@mkdir -p $(@D)
	@echo "  NVCC  $<"
	$(AT)$(NVCC) $(NVCC_FLAGS) -c $< -o $@ >$@.said 2>&1 || { grep -v '^ptxas info' $@.said; false; }

# The messages of ONNX files as C, from the description in Debian's libonnx-dev.
ONNX_PROTO := /usr/include/onnx/onnx.proto
$(PROTO)/onnx.pb-c.h: $(ONNX_PROTO)
	@mkdir -p $(@D)
	@echo "  PROTO $<"
	$(AT)protoc-c --proto_path=$(dir $<) --c_out=$(@D) $<
$(PROTO)/onnx.pb-c.c: $(PROTO)/onnx.pb-c.h
	@touch $@
# Made by a program, so no warning of it is anybody's to mend.
$(PROTO)/onnx.pb-c.o: $(PROTO)/onnx.pb-c.c $(O)/flags
	$(AT)$(CC) $(filter-out -W%,$(ALL_CFLAGS)) -c $< -o $@
$(filter $(O)/src/onnx/%,$(LIB_OBJECTS)): | $(PROTO)/onnx.pb-c.h

# Rebuilds everything when compiler or flags change. Expanded here, for all: the flags that some
# targets add hold for their prerequisites too, and the file would change with who asks for it first.
BUILT_WITH := $(CC) $(ALL_CFLAGS)$(if $(CUDA), $(NVCC) $(NVCC_FLAGS))
.PHONY: FORCE # or .SECONDARY below would have it that nothing is to be done
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(BUILT_WITH)' | cmp -s - $@ || echo '$(BUILT_WITH)' > $@

# An object that is new in the list, of a source older than the archive, would else be left out.
$(O)/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_OBJECTS)' | cmp -s - $@ || echo '$(LIB_OBJECTS)' > $@

$(O)/libgyre.a: $(LIB_OBJECTS) $(O)/objects
	@rm -f $@
	@ar rcs $@ $(LIB_OBJECTS)

$(O)/gyre: $(CLI_OBJECTS) $(SAN_OBJECT) $(O)/libgyre.a
	@echo "  LINK  $@"
	$(AT)$(CC) $(SAN_FLAGS) -o $@ $(CLI_OBJECTS) $(SAN_OBJECT) $(O)/libgyre.a $(LIBS)

# The same objects with every request for memory led through tests/unit/oom.c.
OOM_FUNCTIONS := malloc calloc aligned_alloc realloc free strdup strndup realpath asprintf fopen \
                 open_memstream opendir pthread_create XXH3_createState
OOM_LINK = $(CC) $(SAN_FLAGS) -o $@ $(OOM_FUNCTIONS:%=-Wl,--wrap=%) $(filter %.o,$^) $(O)/libgyre.a -lcmocka $(LIBS) -ldl
$(O)/oom/gyre: $(CLI_OBJECTS)
$(O)/tests/unit/test_memory: $(O)/tests/unit/test_memory.o
$(O)/oom/gyre $(O)/tests/unit/test_memory: $(O)/tests/unit/oom.o $(SAN_OBJECT) $(O)/libgyre.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(AT)$(OOM_LINK)

# ---- tests: every tests/unit/test_*.c and tests/mpi/mpi_*.c is a program of its own,
#      every tests/cli/*.sh a script; tests/run.sh runs them all and counts
UNIT_TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/test_*.c))
MPI_TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/mpi/mpi_*.c))
.SECONDARY:
# Much is compiled and little of it runs for long: -O3 would take twice the time in all.
$(O)/tests/%.o: CFLAGS = -O1 -g

$(O)/tests/%: $(O)/tests/%.o $(SAN_OBJECT) $(O)/libgyre.a
	@echo "  LINK  $@"
	$(AT)$(CC) $(SAN_FLAGS) -o $@ $< $(SAN_OBJECT) $(O)/libgyre.a -lcmocka $(LIBS) $(TEST_LDFLAGS_$(notdir $@))

unit: $(UNIT_TESTS)
	@O=$(O) tests/run.sh unit

ifdef SAN
check: deps check-asan check-tsan lint
else
check: deps
	@$(MAKE) --no-print-directory -j$$(nproc) $(O)/gyre tests-build
	@if tools/cuda.sh >/dev/null 2>&1; then $(MAKE) --no-print-directory CUDA=1 O=build/cuda gpu-build; fi
	@O=$(O) tests/run.sh gpu cli mpi unit
endif

# ---- tests under sanitizers, in build folders of their own
SAN_MAKE = $(MAKE) --no-print-directory -j$$(nproc) SAN= CFLAGS='-O1 -g -fno-omit-frame-pointer'
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
# Runs and their ends, bad input, out of memory; the other scripts would show nothing new.
ASAN_SCRIPTS := cli/train cli/bad_data cli/import_folder cli/config_errors cli/launch cli/watchdog cli/oom
# Whatever starts a thread: loader, workers, checkpoint thread, watchdog.
TSAN_TESTS := unit/test_loader unit/test_folder unit/test_backend unit/test_backend_step unit/test_net \
              unit/test_writer mpi/mpi_backend mpi/mpi_comm
.PHONY: check-asan check-tsan lint
check-asan:
	@$(SAN_MAKE) O=build/san SAN_FLAGS='$(ASAN_FLAGS)' build/san/gyre tests-build
	@O=build/san RANKS=2 LIMIT=240 TEST_TIMEOUT=600 tests/run.sh unit mpi $(ASAN_SCRIPTS)
check-tsan:
	@$(SAN_MAKE) O=build/tsan SAN_FLAGS='-fsanitize=thread' build/tsan/gyre $(TSAN_TESTS:%=build/tsan/tests/%)
	@O=build/tsan RANKS=2 tests/run.sh $(TSAN_TESTS) cli/watchdog

lint: $(PROTO)/onnx.pb-c.h
	@FLAGS='$(filter-out -MMD -MP -W% -f% $(CFLAGS),$(ALL_CFLAGS))' tools/lint.sh
	@if tools/cuda.sh >/dev/null 2>&1; then $(MAKE) --no-print-directory CUDA=1 O=build/cuda gpu-kernels-lint; fi

# ---- damaged files of every kind, COUNT of each, with the sanitizers; KIND: one of them alone
COUNT ?= 3000
.PHONY: fuzz
fuzz: deps
	@$(SAN_MAKE) O=build/fuzz SAN_FLAGS='$(ASAN_FLAGS)' build/fuzz/gyre build/fuzz/tests/fuzz/fuzz
	@rm -rf build/fuzz/seeds && tests/fuzz/seeds.sh $(CURDIR)/build/fuzz/gyre build/fuzz/seeds
	@build/fuzz/tests/fuzz/fuzz $(or $(KIND),all) build/fuzz/seeds $(COUNT) $(FIRST)

# ---- a reader under libFuzzer, which changes its input where coverage grows (needs clang)
READER ?= network
SECONDS ?= 600
TEST_LDFLAGS_guided_network := -fsanitize=fuzzer
TEST_LDFLAGS_guided_onnx := -fsanitize=fuzzer
TEST_LDFLAGS_guided_safetensors := -fsanitize=fuzzer
TEST_LDFLAGS_guided_unet := -fsanitize=fuzzer
.PHONY: fuzz-guided
fuzz-guided: deps
	@$(MAKE) --no-print-directory -j$$(nproc) $(O)/gyre
	@$(SAN_MAKE) CC=clang O=build/guided SAN_FLAGS='$(ASAN_FLAGS) -fsanitize=fuzzer-no-link' build/guided/tests/fuzz/guided_$(READER)
	@O=$(O) tests/fuzz/guided.sh $(READER) $(SECONDS)

# ---- programs that benchmarks/speed.py times
BENCHMARKS := $(patsubst benchmarks/%.c,$(O)/benchmarks/%,$(wildcard benchmarks/*.c))
$(O)/benchmarks/%: $(O)/benchmarks/%.o $(O)/libgyre.a
	@echo "  LINK  $@"
	$(AT)$(CC) $(SAN_FLAGS) -o $@ $< $(O)/libgyre.a $(LIBS)
.PHONY: bench
bench: $(O)/gyre $(BENCHMARKS)

# The tests from outside in their long forms: 100 kills, 200 readings of a growing file.
.PHONY: soak
soak: deps
	@$(MAKE) --no-print-directory -j$$(nproc) $(O)/gyre tests-build
	@O=$(O) KILLS=100 READS=200 OOM=all LARGEST=1000000000 TEST_TIMEOUT=3600 tests/run.sh unit/test_memory cli

.PHONY: tests-build
tests-build: $(UNIT_TESTS) $(MPI_TESTS) $(BENCHMARKS) $(O)/oom/gyre $(O)/tests/fuzz/fuzz

# ---- the CUDA backend without a GPU: its kernels on the CPU, cuDNN's plans for devices that are not
#      there, the program on fake libraries (tests/gpu/README.md); soak-gpu: in their long forms
.PHONY: check-gpu soak-gpu
# The longest first.
GPU_PARTS := check-faults-2 check-faults-1 check-waits check-matrix check-matrix-unet gpu-kernels-tsan \
             check-fakes check-plans gpu-kernels-asan gpu-kernels-emulated check-device check-devices check-views check-crops \
             check-branches check-recording check-engines check-counts gpu-kernels-static
.PHONY: gpu-build gpu-parts
gpu-parts: # prints their names
	@echo $(GPU_PARTS)
ifdef CUDA
CUDA_HOME ?= $(patsubst %/bin/nvcc,%,$(NVCC))
include tests/gpu/fakes/fakes.mk
include tests/gpu/kernels/kernels.mk
include tests/gpu/plans/plans.mk
# All that the parts need, so that none of them builds beside another.
gpu-build:
	@$(MAKE) --no-print-directory -j$$(nproc) $(O)/gyre fakes fakes-tsan $(FAKE_TESTS) device-tests emulated-tests $(PLAN_TESTS)
	@$(MAKE) --no-print-directory -j$$(nproc) $(EMULATED_ASAN) emulated-tests
	@$(MAKE) --no-print-directory -j$$(nproc) $(EMULATED_TSAN) emulated-tests
check-gpu: gpu-build
	@GPU_O=$(O) tests/run.sh gpu
soak-gpu:
	@$(MAKE) --no-print-directory PLANS=all SOAK=1 check-gpu
	@O=$(O) tests/gpu/plants/plants.sh
	@O=$(O) REHEARSE=yes tests/gpu/first-day.sh $(O)/first-day.txt
else
check-gpu soak-gpu:
	@if tools/cuda.sh >/dev/null 2>&1; then $(MAKE) --no-print-directory CUDA=1 O=build/cuda $@; \
	    else tests/run.sh gpu; fi
endif

# ---- the rest
deps:
	@DEPS=$(DEPS) CUDA=$(CUDA) SLURM=$(SLURM) tools/deps.sh
check soak: SLURM = 1

demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) $(O)/gyre
	@O=$(O) tools/demo.sh

include packaging/packaging.mk

# What is generated from the program's own tables.
docs: $(O)/gyre
	@$(O)/gyre help config --markdown > docs/config.md
	@$(O)/gyre help nodes --markdown > docs/nodes.md

format:
	@clang-format -i $$(git ls-files '*.c' '*.h' '*.cu' '*.cc')

clean:
	rm -rf build

-include $(LIB_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d)
-include $(UNIT_TESTS:=.d) $(MPI_TESTS:=.d) $(wildcard $(O)/tests/fuzz/*.d) $(BENCHMARKS:=.d)
