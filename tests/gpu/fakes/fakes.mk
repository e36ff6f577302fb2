# The fakes as preloaded libraries, in $(O)/fakes (and $(O)/fakes-tsan for the thread
# sanitizer; in $(O)/fakes-asan kernels alone), their own tests, and the tests of the program on them. From the Makefile, with CUDA=1:
# O, AT, CUDA_LIBRARIES (paths of the real libraries), CUDA_INCLUDES (-isystem flags).

CUDART_SO := $(firstword $(foreach l,$(CUDA_LIBRARIES),$(if $(findstring libcudart,$(l)),$(l))))
NCCL_SO := $(firstword $(foreach l,$(CUDA_LIBRARIES),$(if $(findstring libnccl,$(l)),$(l))))
CUDNN_SO := $(firstword $(foreach l,$(CUDA_LIBRARIES),$(if $(findstring libcudnn.,$(l)),$(l))))
FAKE_LIBRARY_PATH := $(subst $() $(),:,$(sort $(dir $(CUDART_SO) $(NCCL_SO) $(CUDNN_SO))))

FAKE_MPI := -DOMPI_SKIP_MPICXX $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I ompi-c))
FAKE_FLAGS = -std=c++17 -O3 -g -fPIC -ffp-contract=off -Wall -Wextra -Wshadow -Wconversion \
             -Wno-deprecated-declarations -Iinclude -Icuda -Itests/gpu/emulator -Itests/gpu/fakes $(CUDA_INCLUDES) $(FAKE_MPI)
EMULATED_FLAGS ?= -Wno-unknown-pragmas -Wno-shadow -fno-strict-aliasing # as nvcc
EMULATOR_SOURCES := $(wildcard tests/gpu/emulator/emulator*.cc)
KERNEL_SOURCES := $(wildcard cuda/*.cu)
FAKE_CUDA := $(wildcard tests/gpu/fakes/fake_cuda_*.cc)
FAKE_NCCL := $(wildcard tests/gpu/fakes/fake_nccl*.cc) tests/gpu/fakes/fake_mpi.cc
FAKE_CUDNN := $(wildcard tests/gpu/fakes/fake_cudnn*.cc)
# What touches device memory: with the kernels all that the thread sanitizer watches.
WATCHED := tests/gpu/fakes/fake_cuda_touch.cc

FAKES := cuda nccl cudnn
fakes: $(foreach f,$(FAKES),$(O)/fakes/libfake$(f).so) $(O)/fakes/libcuda.so.1 $(O)/fakes/libnvidia-ml.so.1
fakes-tsan: $(foreach f,$(FAKES),$(O)/fakes-tsan/libfake$(f).so) $(O)/fakes-tsan/libcuda.so.1 $(O)/fakes-tsan/libnvidia-ml.so.1
.PHONY: fakes fakes-tsan check-fakes

$(O)/fakes/%.o: %.cc tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(AT)$(CXX) $(FAKE_FLAGS) -MMD -MP -c $< -o $@
$(O)/fakes/%.cu.o: %.cu tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $< (emulated)"
	$(AT)$(CXX) $(FAKE_FLAGS) $(EMULATED_FLAGS) -MMD -MP -x c++ -c $< -o $@
$(O)/fakes-tsan/%.o: %.cc tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $< (thread sanitizer)"
	$(AT)$(CXX) $(FAKE_FLAGS) -DFAKE_TSAN -DEMULATOR_TSAN -MMD -MP $(if $(filter $<,$(WATCHED)),-fsanitize=thread) -c $< -o $@
$(O)/fakes-tsan/%.cu.o: %.cu tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $< (emulated, thread sanitizer)"
	$(AT)$(CXX) $(FAKE_FLAGS) $(EMULATED_FLAGS) -MMD -MP -fsanitize=thread -x c++ -c $< -o $@

# For tests of kernels only.
FAKE_ASAN := -O2 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
$(O)/fakes-asan/%.o: %.cc tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $< (address sanitizer)"
	$(AT)$(CXX) $(FAKE_FLAGS) $(FAKE_ASAN) -MMD -MP -c $< -o $@
$(O)/fakes-asan/%.cu.o: %.cu tests/gpu/fakes/fakes.mk
	@mkdir -p $(@D)
	@echo "  CXX   $< (emulated, address sanitizer)"
	$(AT)$(CXX) $(FAKE_FLAGS) $(EMULATED_FLAGS) $(FAKE_ASAN) -MMD -MP -x c++ -c $< -o $@

# $(1): folder, $(2): linker's sanitizer flag
define FAKE_LIBRARIES
$(1)/cudart_stubs.c: tests/gpu/fakes/stubs.sh $(FAKE_CUDA:%.cc=$(1)/%.o)
	$(AT)tests/gpu/fakes/stubs.sh $(CUDART_SO) cuda $(FAKE_CUDA:%.cc=$(1)/%.o) > $$@
$(1)/nccl_stubs.c: tests/gpu/fakes/stubs.sh $(FAKE_NCCL:%.cc=$(1)/%.o)
	$(AT)tests/gpu/fakes/stubs.sh $(NCCL_SO) nccl $(FAKE_NCCL:%.cc=$(1)/%.o) > $$@
$(1)/%_stubs.o: $(1)/%_stubs.c
	$(AT)$(CC) -O1 -fPIC -c $$< -o $$@
$(1)/libfakecuda.so: $(FAKE_CUDA:%.cc=$(1)/%.o) $(EMULATOR_SOURCES:%.cc=$(1)/%.o) \
                     $(KERNEL_SOURCES:%=$(1)/%.o) $(1)/cudart_stubs.o
	@echo "  LINK  $$@"
	$(AT)$(CXX) -shared $(2) -Wl,-soname,$$(@F) -Wl,--version-script=tests/gpu/fakes/fakes.map -o $$@ $$^
$(1)/libfakenccl.so: $(FAKE_NCCL:%.cc=$(1)/%.o) $(1)/nccl_stubs.o $(1)/libfakecuda.so
	@echo "  LINK  $$@"
	$(AT)$(CXX) -shared $(2) -Wl,-soname,$$(@F) -Wl,--version-script=tests/gpu/fakes/fakes.map -Wl,-rpath,'$$$$ORIGIN' -o $$@ $$^ $$(shell pkg-config --libs ompi-c)
$(1)/libfakecudnn.so: $(FAKE_CUDNN:%.cc=$(1)/%.o) $(1)/libfakecuda.so
	@echo "  LINK  $$@"
	$(AT)$(CXX) -shared $(2) -Wl,-soname,$$(@F) -Wl,--version-script=tests/gpu/fakes/fakes.map -Wl,-rpath,'$$$$ORIGIN' -o $$@ $$^ -ldl
$(1)/libcuda.so.1: tests/gpu/fakes/fake_driver.c
	@mkdir -p $$(@D)
	$(AT)$(CC) -O1 -fPIC -shared -Wl,-soname,libcuda.so.1 -o $$@ $$<
$(1)/libnvidia-ml.so.1: tests/gpu/fakes/fake_nvml.c
	@mkdir -p $$(@D)
	$(AT)$(CC) -O1 -fPIC -shared -fvisibility=hidden -Wl,-soname,libnvidia-ml.so.1 -o $$@ $$<
endef
$(eval $(call FAKE_LIBRARIES,$(O)/fakes,))
$(eval $(call FAKE_LIBRARIES,$(O)/fakes-tsan,-fsanitize=thread -Wl$(comma)--wrap=mmap))

# ---- their own tests: programs that are linked to the fakes
$(O)/fakes/tests/gpu/fakes/test_%: $(O)/fakes/tests/gpu/fakes/test_%.o $(foreach f,$(FAKES),$(O)/fakes/libfake$(f).so)
	@echo "  LINK  $@"
	$(AT)$(CXX) -o $@ $^ -Wl,--no-as-needed -Wl,-rpath,'$$ORIGIN/../../..' $(if $(findstring cudnn,$@),$(CUDNN_SO)) $(shell pkg-config --libs ompi-c)
$(O)/fakes-tsan/tests/gpu/fakes/test_fakes.o: tests/gpu/fakes/test_fakes.cc
	@mkdir -p $(@D)
	$(AT)$(CXX) $(FAKE_FLAGS) -fsanitize=thread -MMD -MP -c $< -o $@
$(O)/fakes-tsan/tests/gpu/fakes/test_fakes: $(O)/fakes-tsan/tests/gpu/fakes/test_fakes.o $(O)/fakes-tsan/libfakecuda.so
	@echo "  LINK  $@"
	$(AT)$(CXX) -fsanitize=thread -o $@ $^ -Wl,-rpath,'$$ORIGIN/../../..'

FAKE_TESTS := $(O)/fakes/tests/gpu/fakes/test_fakes $(O)/fakes/tests/gpu/fakes/test_fake_nccl \
              $(O)/fakes/tests/gpu/fakes/test_fake_cudnn $(O)/fakes-tsan/tests/gpu/fakes/test_fakes
check-fakes: fakes $(FAKE_TESTS)
	@O=$(O) LD_LIBRARY_PATH=$(FAKE_LIBRARY_PATH) tests/gpu/fakes/test_fakes.sh

# ---- the tests of the CPU backend, on the CUDA backend (on_device.c)
DEVICE_UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_ops_*.c)) test_gradient test_frozen test_optimizer
DEVICE_MPI := $(patsubst %,mpi_%,backend lifetimes)
DEVICE_TESTS := $(DEVICE_UNIT:%=$(O)/on_device/%) $(DEVICE_MPI:%=$(O)/on_device/%)
ON_DEVICE_LINK = $(CC) -o $@ -Wl,--wrap=gyre_backend_open $^ -lcmocka $(LIBS)
$(O)/on_device/test_%: $(O)/tests/unit/test_%.o $(O)/tests/gpu/runs/on_device.o $(O)/libgyre.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(AT)$(ON_DEVICE_LINK)
$(O)/on_device/mpi_%: $(O)/tests/mpi/mpi_%.o $(O)/tests/gpu/runs/on_device.o $(O)/libgyre.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(AT)$(ON_DEVICE_LINK)
device-tests: $(DEVICE_TESTS)
.PHONY: device-tests

check-device: device-tests fakes
	@O=$(O) tests/gpu/runs/on_device.sh $(DEVICE_TESTS)

# ---- what recorded steps ask of the device, as benchmarks/gpu_counts has it
check-counts: $(O)/gyre fakes
	@/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "its data want h5py for /usr/bin/python3"; exit 77; }
	@O=$(O) /usr/bin/python3 benchmarks/gpu_counts.py --check $(if $(SOAK),,resnet20-bf16 resnet20-bf16-4shards)
.PHONY: check-counts

# ---- the program on the fakes: samples for make check-gpu, everything with SOAK=1
GPU_RUNS := check-devices check-views check-matrix check-branches check-recording check-engines check-crops check-waits
check-matrix-unet: $(O)/gyre fakes
	@O=$(O) SOAK=$(SOAK) tests/gpu/runs/matrix.sh pictures captions
GPU_FAULTS := check-faults-1 check-faults-2
.PHONY: check-device check-matrix-unet $(GPU_RUNS) $(GPU_FAULTS)
$(GPU_RUNS): check-%: $(O)/gyre fakes fakes-tsan
	@O=$(O) SOAK=$(SOAK) tests/gpu/runs/$*.sh
$(GPU_FAULTS): check-faults-%: $(O)/gyre fakes
	@O=$(O) SOAK=$(SOAK) RANKS=$* tests/gpu/runs/faults.sh

-include $(shell find $(O)/fakes $(O)/fakes-tsan $(O)/fakes-asan -name '*.d' 2>/dev/null)
