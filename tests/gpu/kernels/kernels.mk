# Checks of the CUDA kernels without a GPU, for the Makefile to include where CUDA_HOME holds the
# toolkit (bin/nvcc, include):
#
#   make gpu-kernels-check      all of the below
#   make gpu-kernels-emulated   the kernels on the CPU, in several orders of threads
#   make gpu-kernels-asan       the same under the address and undefined-behaviour sanitizers
#   make gpu-kernels-tsan       the same under the thread sanitizer, a thread for each CUDA thread
#   make gpu-kernels-static     what ptxas gave them, against tests/gpu/kernels/registers.txt
#   make gpu-kernels-lint       cppcheck, clang-tidy and layout
#
# From the Makefile and fakes.mk: O, CC, CXX, AT, ALL_CFLAGS, LIBS, FAKE_FLAGS, EMULATED_FLAGS and
# $(O)/libgyre.a. The emulated kernels are those of the fakes; E is the folder of the test programs,
# E_KERNELS that of the kernels' objects, E_SAN a sanitizer that goes with both.

E ?= $(O)/emulated
E_KERNELS ?= $(O)/fakes
EMULATED_ASAN := E=$(O)/emulated-asan E_KERNELS=$(O)/fakes-asan E_SAN='-fsanitize=address,undefined -fno-sanitize-recover=all'
EMULATED_TSAN := E=$(O)/emulated-tsan E_KERNELS=$(O)/fakes-tsan E_SAN=-fsanitize=thread
EMULATED_OBJECTS := $(KERNEL_SOURCES:%=$(E_KERNELS)/%.o) $(EMULATOR_SOURCES:%.cc=$(E_KERNELS)/%.o)
# What the CPU backend must pass, its kernels must pass too (cuDNN's operations have none).
EMULATED_UNIT := $(filter-out test_ops_conv,$(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_ops_*.c)))
EMULATED_OWN := $(patsubst tests/gpu/kernels/%.c,%,$(wildcard tests/gpu/kernels/test_*.c)) test_emulator
EMULATED_TESTS := $(patsubst %,$(E)/%,$(EMULATED_UNIT) $(EMULATED_OWN))
EMULATED_CFLAGS = $(filter-out -I%,$(ALL_CFLAGS)) -Iinclude -Icuda -Itests/gpu/emulator -Itests/unit $(CUDA_INCLUDES)

$(E)/%.o: CFLAGS = -O1 -g # as all tests
$(E)/test_emulator.o: tests/gpu/emulator/test_emulator.cc
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(AT)$(CXX) $(FAKE_FLAGS) $(EMULATED_FLAGS) -Wno-conversion $(E_SAN) -MMD -MP -c $< -o $@
$(E)/%.o: tests/gpu/kernels/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(AT)$(CC) $(EMULATED_CFLAGS) $(E_SAN) -c $< -o $@
$(E)/%.o: tests/gpu/emulator/%.c
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
	@$(MAKE) --no-print-directory SEEDS='0 1 $(if $(SOAK),2)' gpu-kernels-run
gpu-kernels-asan:
	@$(MAKE) --no-print-directory $(EMULATED_ASAN) SEEDS=3 gpu-kernels-run
gpu-kernels-tsan:
	@$(MAKE) --no-print-directory $(EMULATED_TSAN) SEEDS=4 gpu-kernels-run
gpu-kernels-static: $(KERNEL_SOURCES:%=$(O)/%.o)
	@O=$(O) CUDA_HOME=$(CUDA_HOME) tests/gpu/kernels/static.sh
gpu-kernels-lint:
	@CUDA_HOME=$(CUDA_HOME) tests/gpu/kernels/static.sh --lint
# The programs alone, so that nothing is built twice where several of the above run at a time.
.PHONY: emulated-tests
emulated-tests: $(EMULATED_TESTS)

-include $(wildcard $(E)/*.d)
