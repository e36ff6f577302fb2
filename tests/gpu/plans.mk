# Builds tests/gpu/test_plans, which needs cuDNN's headers and library but neither GPU nor driver.
#
#   make -f tests/gpu/plans.mk check          the usual batch size (part of check-gpu)
#   make -f tests/gpu/plans.mk check PLANS=all   every batch size (part of soak-gpu)
#   make -f tests/gpu/plans.mk check PLANS=write writes tests/gpu/plans.txt
#
# Wants build/cpu/libgyre.a. NVIDIA is the folder with cu13 and cudnn in it, as pip's wheels have
# them.
NVIDIA ?= $(HOME)/.cache/gyre/cuda/nvidia
O ?= build/cpu
B := build/plans
CUDNN := $(NVIDIA)/cudnn
FLAGS := -std=c11 -D_GNU_SOURCE -Iinclude -Icuda -isystem $(NVIDIA)/cu13/include \
         -isystem $(CUDNN)/include -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
         -Wstrict-prototypes -Wmissing-prototypes -Wvla -DCUDNN_WARN_DEPRECATED \
         -Werror=deprecated-declarations -O1 -g $(SAN_FLAGS)
SOURCES := cuda/graph.c cuda/engine.c cuda/plan.c tests/gpu/test_plans.c
PLANS ?=

check: $(B)/test_plans $(B)/driver/libcuda.so.1
	PLANS=$(PLANS) LD_LIBRARY_PATH=$(B)/driver:$(CUDNN)/lib:$(NVIDIA)/cu13/lib $(B)/test_plans

# Found before a real driver, so that every machine plans alike.
$(B)/driver/libcuda.so.1: tests/gpu/fake_driver.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -shared -fPIC -Wl,-soname,libcuda.so.1 -o $@ $<

$(B)/test_plans: $(SOURCES) cuda/plan.h $(O)/libgyre.a
	@mkdir -p $(B)
	$(CC) $(FLAGS) -o $@ $(SOURCES) $(O)/libgyre.a -lcmocka $(CUDNN)/lib/libcudnn.so.9 \
	  -Wl,-rpath-link,$(CUDNN)/lib -lxxhash -lm -lpthread
.PHONY: check
