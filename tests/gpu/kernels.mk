# Checks of the CUDA kernels without a GPU, for the Makefile to include where CUDA_HOME holds the
# toolkit (bin/nvcc, include):
#
#   make gpu-kernels-check      all of the below
#   make gpu-kernels-emulated   the kernels on the CPU, in several orders of threads
#   make gpu-kernels-asan       the same under the address and undefined-behaviour sanitizers
#   make gpu-kernels-tsan       the same under the thread sanitizer, a thread for each CUDA thread
#   make gpu-kernels-static     nvcc's and ptxas's warnings, and tests/gpu/registers.txt
#   make gpu-kernels-lint       cppcheck, clang-tidy and layout
#
# Uses O, CC, AT, ALL_CFLAGS, LIBS and $(O)/libgyre.a of the Makefile. E is the folder of a build on
# the emulator, E_SAN its sanitizer: all objects with emulated kernels are built in there.

E ?= $(O)/emulated
CXX ?= g++
GPU_KERNEL_SOURCES := $(sort $(wildcard cuda/*.cu))
EMULATOR_OBJECTS := $(patsubst tests/gpu/%.cc,$(E)/%.o,$(wildcard tests/gpu/emulator*.cc))
EMULATED_OBJECTS := $(patsubst cuda/%.cu,$(E)/%.o,$(GPU_KERNEL_SOURCES)) $(EMULATOR_OBJECTS)
# What the CPU backend must pass, its kernels must pass too.
EMULATED_UNIT := $(patsubst %,test_ops_%,loss lrn norm pool round update)
EMULATED_OWN := $(patsubst tests/gpu/%.c,%,$(wildcard tests/gpu/test_kernels_*.c)) test_emulator
EMULATED_TESTS := $(patsubst %,$(E)/%,$(EMULATED_UNIT) $(EMULATED_OWN))

# -ffp-contract=off: as nvcc with --fmad=false. -fno-strict-aliasing: as nvcc.
EMULATED_CXXFLAGS = -std=c++17 -O2 -g -MMD -MP -Iinclude -Icuda -Itests/gpu \
    -isystem $(CUDA_HOME)/include -Wall -Wextra -Wno-unknown-pragmas -ffp-contract=off \
    -fno-strict-aliasing -fno-omit-frame-pointer
EMULATED_CFLAGS = $(filter-out -I%,$(ALL_CFLAGS)) -Iinclude -Icuda -Itests/gpu -Itests/unit \
    -isystem $(CUDA_HOME)/include

$(E)/%.o: cuda/%.cu
	@mkdir -p $(@D)
	@echo "  EMU   $<"
	$(AT)$(CXX) $(EMULATED_CXXFLAGS) $(E_SAN) -x c++ -c $< -o $@
# The scheduler itself is not watched for races.
$(E)/%.o: tests/gpu/%.cc
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(AT)$(CXX) $(EMULATED_CXXFLAGS) $(if $(filter -fsanitize=thread,$(E_SAN)),-DEMULATOR_TSAN,$(E_SAN)) -c $< -o $@
# Kernels of its own.
$(E)/test_emulator.o: tests/gpu/test_emulator.cc
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(AT)$(CXX) $(EMULATED_CXXFLAGS) $(E_SAN) -c $< -o $@
$(E)/%.o: tests/gpu/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(AT)$(CC) $(EMULATED_CFLAGS) $(E_SAN) -c $< -o $@
$(E)/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(AT)$(CC) $(EMULATED_CFLAGS) $(E_SAN) -c $< -o $@
$(E)/sanitizers.o: tests/sanitizers.c
	@mkdir -p $(@D)
	$(AT)$(CC) $(EMULATED_CFLAGS) -c $< -o $@

$(E)/test_%: $(E)/test_%.o $(E)/emulated.o $(EMULATED_OBJECTS) $(if $(E_SAN),$(E)/sanitizers.o) $(O)/libgyre.a
	@echo "  LINK  $@"
	$(AT)$(CXX) $(E_SAN) -o $@ -Wl,--wrap=gyre_backend_open $^ -lcmocka $(LIBS)

.PHONY: gpu-kernels-check gpu-kernels-run gpu-kernels-emulated gpu-kernels-asan gpu-kernels-tsan \
        gpu-kernels-static gpu-kernels-lint
gpu-kernels-check: gpu-kernels-static gpu-kernels-lint gpu-kernels-emulated gpu-kernels-asan gpu-kernels-tsan

gpu-kernels-run: $(EMULATED_TESTS)
	@for seed in $(SEEDS); do for t in $(EMULATED_TESTS); do \
	    GYRE_EMULATOR_SEED=$$seed timeout -k 5 $${TEST_TIMEOUT:-240} $$t > $$t.log 2>&1 </dev/null || \
	        { echo "  FAIL  $$t, seed $$seed, $$t.log:"; tail -n 40 $$t.log; exit 1; }; \
	    done; echo "  ok    $(words $(EMULATED_TESTS)) programs in $(E), order $$seed"; done

gpu-kernels-emulated:
	@$(MAKE) --no-print-directory SEEDS='0 1 2' gpu-kernels-run
gpu-kernels-asan:
	@$(MAKE) --no-print-directory E=$(O)/emulated-asan SEEDS=3 \
	    E_SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' gpu-kernels-run
gpu-kernels-tsan:
	@$(MAKE) --no-print-directory E=$(O)/emulated-tsan SEEDS=4 E_SAN=-fsanitize=thread gpu-kernels-run
gpu-kernels-static:
	@CUDA_HOME=$(CUDA_HOME) tests/gpu/static.sh
gpu-kernels-lint:
	@CUDA_HOME=$(CUDA_HOME) tests/gpu/static.sh --lint

-include $(wildcard $(E)/*.d)
