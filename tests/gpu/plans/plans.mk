# Has the real cuDNN plan what the models need (test_plans.c, test_plan_rules.c); it needs neither GPU nor driver. From the
# Makefile, with CUDA=1; libcuda.so.1 is that of fakes.mk, found before a real driver, so that every
# machine plans alike.
#
#   make CUDA=1 check-plans              the usual batch size (part of check-gpu)
#   make CUDA=1 check-plans PLANS=all    every batch size (part of soak-gpu)
#   make CUDA=1 check-plans PLANS=write  writes tests/gpu/plans/plans.txt

PLAN_TESTS := $(O)/tests/gpu/plans/test_plan_rules $(O)/tests/gpu/plans/test_plans
$(PLAN_TESTS:=.o): ALL_CFLAGS += -DCUDNN_WARN_DEPRECATED -Werror=deprecated-declarations
.PHONY: check-plans
check-plans: $(PLAN_TESTS) $(O)/fakes/libcuda.so.1
	@for t in $(PLAN_TESTS); do PLANS=$(PLANS) LD_LIBRARY_PATH=$(O)/fakes:$(FAKE_LIBRARY_PATH) $$t || exit; done
