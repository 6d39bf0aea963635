# SPDX-License-Identifier: MIT
# Muntin's build. `make help` lists the targets; everything goes to $(B) (build/), never in the tree.
B ?= build
ARCHS := $(or $(ARCH),arm64 arm)
$(if $(filter-out arm64 arm,$(ARCHS)),$(error there is no ARCH=$(ARCH): arm64 or arm))
V ?= 0
Q := $(if $(filter 0,$(V)),@)
SYSTEM ?= two-linux
BOARD ?= virt
folders = $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard $(1)/*.qvmconf)))))
$(if $(call folders,guest-configs/$(SYSTEM))$(call folders,guest-configs/$(SYSTEM)/*),,$(error there is no \
	SYSTEM=$(SYSTEM), but: $(call folders,guest-configs/*)))
$(if $(filter-out $(BOARD),$(call folders,guest-configs/$(SYSTEM)/*)),$(if $(filter $(BOARD),$(call \
	folders,guest-configs/$(SYSTEM)/*)),,$(error SYSTEM=$(SYSTEM) is for BOARD=$(call folders,guest-configs/$(SYSTEM)/*))))
PYTHON ?= /usr/bin/python3
export CACHE ?= $(abspath $(B))/cache
export B

# One job more than CPUs, as some of them wait for the network or the disk; -jN says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell echo $$(($$(nproc) + 1)))
endif

.PHONY: all run test check tsan unit fuzz seeds bench lint docs format help clean guests
.DELETE_ON_ERROR:
.SECONDARY:

all: $(ARCHS:%=$(B)/%/muntin.bin) $(B)/muntin

help:
	@echo 'make           build/{arm64,arm}/muntin.{elf,bin} and the host tool build/muntin  [ARCH=arm64|arm: one]'
	@echo 'make run       boot guest-configs/$(SYSTEM) on the emulated board $(BOARD)  [SYSTEM=... BOARD=... ARCH=...]'
	@echo 'make test      everything: host tests, fuzz seeds, on-target tests, Linux guests'
	@echo 'make check     host tests only'
	@echo 'make fuzz      each fuzzer for FUZZ_SECONDS (60)'
	@echo 'make bench     the figures of docs/performance.md, measured'
	@echo 'make docs      the reference in docs/config.md, from the option tables'
	@echo 'make lint      layering, self-standing headers, formatting'

COMMA := ,

# $(call flags,DIR,VARIABLE): the objects below DIR depend on DIR/flags, which holds the commands
# that they are made with, and is written anew when these change. No newline at its end: of files of
# some lengths GNU make 4.3 does not take it off.
define flags
$(1)/flags: $(if $(findstring <$(file < $(1)/flags)>,<$($(2))>),,FORCE)
	@mkdir -p $$(@D) && printf %s '$$($(2))' > $$@
endef
.PHONY: FORCE

# --- what is built from what ---------------------------------------------------------------------
WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef
STD := -std=gnu11 -I. -fno-strict-aliasing -fno-strict-overflow
FDT_DIR := $(B)/deps/libfdt
FDT_SRC := $(addprefix $(FDT_DIR)/,fdt.c fdt_ro.c fdt_rw.c fdt_wip.c fdt_sw.c fdt_overlay.c \
	fdt_check.c fdt_strerror.c fdt_addresses.c fdt_empty_tree.c)
SSL_DIR := $(B)/deps/bearssl
SSL_SRC := $(addprefix $(SSL_DIR)/src/,rand/hmac_drbg.c mac/hmac.c hash/sha2small.c codec/dec32be.c codec/enc32be.c)
DEPS_SRC := $(FDT_SRC) $(SSL_SRC)
DEPS := $(FDT_DIR)/fdt.c $(SSL_DIR)/LICENSE.txt
DEPS_INC := -isystem $(FDT_DIR) -isystem $(SSL_DIR)/inc

CORE := $(wildcard core/*.c)
DEVICES := $(wildcard vdev/*.c vdev/*/*.c)
FDT := $(wildcard fdt/*.c)
# What touches hardware and so can't run on the host:
HARDWARE := $(addprefix arch/arm-common/,gic.c gicv2.c gicv3.c clock.c psci.c uart.c \
	stage2.c fw_cfg.c boot.c cpus.c irqs.c pass.c probe.c)
ARM_PORTABLE := $(filter-out $(HARDWARE),$(wildcard arch/arm-common/*.c)) $(wildcard arch/arm64/decode.c)
PORTABLE := $(filter-out core/main.c core/spinlock.c,$(CORE)) $(DEVICES) $(FDT) $(ARM_PORTABLE) \
	$(filter-out arch/host/tool%,$(wildcard arch/host/*.c))

# --- the hypervisor: build/arm64 and build/arm, $(A) is which ---------------------------------------
arm64_CROSS := aarch64-linux-gnu-
arm64_CFLAGS := -march=armv8-a -ffixed-x18 -mgeneral-regs-only -mno-outline-atomics -mbranch-protection=none \
	-mcmodel=tiny -mfix-cortex-a53-835769 -mfix-cortex-a53-843419 -fomit-frame-pointer -falign-functions=4 -falign-loops=1 -falign-jumps=1 -falign-labels=1
arm64_EARLY := -mstrict-align
arm64_LINK := -Wl,-z,norelro
arm_CROSS := arm-none-eabi-
arm_CFLAGS := -march=armv7-a+mp+sec -mthumb -mfloat-abi=soft -ffixed-r9
arm_EARLY := -mno-unaligned-access
arm_LINK := -lgcc # divisions of 64 bits
CROSS = $($(A)_CROSS)
TARGET_CFLAGS = $($(A)_CFLAGS) $(STD) -g -ffreestanding -fpie -fvisibility=hidden -nostdinc \
	-isystem $$($(CROSS)gcc -print-file-name=include) -Icore/lib/include -include core/lib/hidden.h \
	-Iarch/$(A) -fno-stack-protector -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-fno-tree-loop-distribute-patterns -flto
TARGET_SRC = $(CORE) $(wildcard core/lib/*.c) $(DEVICES) $(FDT) $(wildcard arch/arm-common/*.c) \
	$(filter-out %.ld.S,$(wildcard arch/$(A)/*.c arch/$(A)/*.S))
TARGET_OBJ = $(patsubst %,$(B)/$(A)/%.o,$(TARGET_SRC)) $(patsubst $(B)/%,$(B)/$(A)/%.o,$(DEPS_SRC))

# Fast where guests wait for it, small everywhere else:
OPTIMIZE = $(if $(filter $(HOT),$<),$(FAST),$(SMALL)) $(if $(filter $(EARLY),$<),$($(A)_EARLY)) \
	$(if $(filter $(EARLY) core/lib/%,$<),-fno-lto)
FAST := -O2 -freorder-blocks-algorithm=simple -fno-partial-inlining --param max-inline-insns-auto=5
SMALL := -Os -fno-move-loop-invariants
HOT := $(addprefix core/,lib/% gmem.c mmio.c sched.c spinlock.c timer.c) \
	$(addprefix arch/arm/,access.c trap.c vcpu.c) \
	$(addprefix arch/arm64/,access.c trap.c traps.c vcpu.c) $(addprefix arch/arm-common/,gicv3.c irqs.c vpsci.c vsysreg.c) \
	$(addprefix vdev/,gic/vgic.c gic/vgic_lr.c gic/vgic_regs.c gic/vgicv3.c net/frame.c net/offload.c net/port.c net/switch.c) \
	$(addprefix vdev/virtio/,mmio.c chain.c net_rx.c net_tx.c virtq.c virtq_split.c virtq_packed.c)
# boot.c, pgtable.c and start.c run before the MMU is on, when unaligned accesses fault; to core/lib/
# the compiler adds calls when all else is linked. So these stay out of link-time optimization.
EARLY := arch/arm-common/boot.c arch/arm-common/pgtable.c arch/arm64/start.c arch/arm/start.c

LINK = $(CROSS)gcc $(TARGET_CFLAGS) $(SMALL) -flto-partition=one -nostdlib -pie -T $(@D)/link.ld \
	-Wl,--no-dynamic-linker,-z,noexecstack,--gc-sections,--build-id=none

# Linked twice: where the pointers are is known after the first time, and the same after the second.
define LINK_IMAGE
	@echo "  LD       $@"
	$(Q)$(LINK) -o $@ $(TARGET_OBJ) $($(A)_LINK)
	$(Q)arch/arm-common/relocs.sh $(CROSS) $@ > $(@D)/relocs.s && $(CROSS)as -o $(@D)/relocs.o $(@D)/relocs.s
	$(Q)$(LINK) -o $@ $(TARGET_OBJ) $(@D)/relocs.o $($(A)_LINK)
	$(Q)arch/arm-common/relocs.sh $(CROSS) $@ | cmp - $(@D)/relocs.s
endef

define MAKE_IMAGE
	$(Q)$(CROSS)objcopy -O binary -R .rela -R .rel -R .dynamic $< $@
	@printf '  %-8s %s (%s bytes)\n' IMAGE $@ $$(stat -c %s $@)
endef

define COMPILE
	@mkdir -p $(@D)
	@echo "  CC       $<$(if $(filter arm64,$(A)),, ($(A)))"
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(OPTIMIZE) $(WARN) $(if $(filter fdt/% core/random.c,$<),$(DEPS_INC)) -MMD -MP -c -o $@ $<
endef

define COMPILE_DEPS
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(filter-out -I.,$(TARGET_CFLAGS)) $(OPTIMIZE) -w $(DEPS_INC) -I$(SSL_DIR)/src -c -o $@ $<
endef

define target
$(1)_COMMANDS := $$(foreach A,$(1),$$(LINK) $$($(1)_LINK) $$(WARN) $$($(1)_EARLY) $$(EARLY) $$(FAST) $$(HOT))
$$(eval $$(call flags,$(B)/$(1),$(1)_COMMANDS))
$(B)/$(1)/%: A := $(1)
$(B)/$(1)/muntin.bin: $(B)/$(1)/muntin.elf
	$$(MAKE_IMAGE)
$(B)/$(1)/muntin.elf: $(foreach A,$(1),$(TARGET_OBJ)) $(B)/$(1)/link.ld arch/arm-common/relocs.sh
	$$(LINK_IMAGE)
$(B)/$(1)/link.ld: arch/arm-common/link.ld.S | setup-build
	@mkdir -p $$(@D)
	$(Q)$$(CROSS)cpp -P -I. -D__ASSEMBLER__ $$< $$@
$(B)/$(1)/deps/%.c.o: $(B)/deps/%.c $(B)/$(1)/flags
	$$(COMPILE_DEPS)
$(B)/$(1)/%.o: % $(B)/$(1)/flags | setup-build $(DEPS)
	$$(COMPILE)
-include $$(shell find $(B)/$(1) -name '*.d' 2>/dev/null)
endef
$(foreach a,$(ARCHS),$(eval $(call target,$(a))))

$(filter-out %/fdt.c,$(FDT_SRC)): | $(FDT_DIR)/fdt.c
$(SSL_SRC): | $(SSL_DIR)/LICENSE.txt
$(FDT_DIR)/fdt.c $(SSL_DIR)/LICENSE.txt: $(B)/deps/%: | setup-build
	@tests/source.sh $(*D) $(B)/deps

# --- host builds: the tool, tests, fuzzers: $(call host,NAME,COMPILER,FLAGS,SETUP,CMOCKA) ------------
define host
$(1)_COMMANDS := $(2) $(STD) $(WARN) -g $(3)
$$(eval $$(call flags,$(B)/$(1),$(1)_COMMANDS))
$(B)/$(1)/%.o: % $(B)/$(1)/flags | $(4) $(DEPS)
	@mkdir -p $$(@D)
	$(Q)$$($(1)_COMMANDS) -Iarch/host/include $(DEPS_INC) -MMD -MP -c -o $$@ $$<
$(B)/$(1)/deps/%.c.o: $(B)/deps/%.c $(B)/$(1)/flags | $(4)
	@mkdir -p $$(@D)
	$(Q)$(2) -std=gnu11 -w -g $(3) -O2 $(DEPS_INC) -I$(SSL_DIR)/src -c -o $$@ $$<
$(B)/$(1)/libmuntin.a: $(patsubst %,$(B)/$(1)/%.o,$(PORTABLE)) $(patsubst $(B)/%,$(B)/$(1)/%.o,$(DEPS_SRC))
	$(Q)rm -f $$@ && $(patsubst clang,ar,$(2:%gcc=%ar)) rcs $$@ $$^
$(B)/$(1)/%_test: $(B)/$(1)/tests/unit/%_test.c.o $(patsubst %,$(B)/$(1)/%.o,$(wildcard tests/host/*.c)) $(B)/$(1)/libmuntin.a $(filter %.o,$(5))
	$(Q)$(2) $(3) -o $$@ $$^ $(filter -l%,$(5)) -lpthread
$(B)/$(1)/%_fuzz: $(B)/$(1)/tests/fuzz/%_fuzz.c.o $(patsubst %,$(B)/$(1)/%.o,$(wildcard tests/host/*.c)) $(B)/$(1)/libmuntin.a
	$(Q)$(2) $(3) -o $$@ $$^ $(filter -l%,$(5))
-include $$(shell find $(B)/$(1) -name '*.d' 2>/dev/null)
endef
$(eval $(call host,tool,gcc,-O2,setup-tool))
$(eval $(call host,asan,gcc,-O1 -fsanitize=address$(COMMA)undefined -fno-sanitize-recover=all,setup-host,-lcmocka))
$(eval $(call host,tsan,gcc,-O1 -fsanitize=thread -Wno-tsan,setup-host,-lcmocka))
# 32 bits, for a Linux that qemu-arm is: what takes a pointer or a long for 64 shows. Debian has no
# cmocka to link with for it.
CMOCKA_DIR := $(B)/deps/cmocka
$(CMOCKA_DIR)/src/cmocka.c: | setup-build
	@tests/source.sh cmocka $(B)/deps
$(eval $(call host,arm32,arm-linux-gnueabihf-gcc,-O1 -static -fsanitize=alignment$(COMMA)shift -fno-sanitize-recover=all \
	-DHAVE_SIGNAL_H -DHAVE_STRINGS_H -DHAVE_GCC_THREAD_LOCAL_STORAGE -isystem $(CMOCKA_DIR)/include,setup-arm32 $(CMOCKA_DIR)/src/cmocka.c,$(B)/arm32/deps/cmocka/src/cmocka.c.o))
$(eval $(call host,fuzz,clang,-O1 -fsanitize=address$(COMMA)undefined$(COMMA)fuzzer -fno-sanitize-recover=all,setup-host,-lcmocka))

$(B)/muntin: $(patsubst %,$(B)/tool/%.o,$(wildcard arch/host/tool*.c)) $(B)/tool/libmuntin.a
	@echo "  LD       $@"
	$(Q)gcc -o $@ $^

UNIT := $(patsubst tests/unit/%_test.c,%,$(wildcard tests/unit/*_test.c))
THREADED := $(patsubst tests/unit/%_test.c,%,$(shell grep -l pthread_create tests/unit/*_test.c 2>/dev/null))
FUZZ := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SECONDS ?= 60
ASAN_TESTS := $(UNIT:%=$(B)/asan/%_test)
TSAN_TESTS := $(THREADED:%=$(B)/tsan/%_test)
ARM32_TESTS := $(UNIT:%=$(B)/arm32/%_test)
FUZZERS := $(FUZZ:%=$(B)/fuzz/%_fuzz)

# --- running ---------------------------------------------------------------------------------------
LINUX_IMAGES := $(B)/guests/d12c.Image
TEST_IMAGES := $(LINUX_IMAGES) \
	$(addprefix $(B)/guests/,d13c.Image d12.Image d12v7.zImage small.Image u-boot.bin u-boot32.bin u-boot-sunxi.bin bl31-rpi4.bin \
	installer.Image debian.ext4 boot.img boot32.img boot.cpio ast2700.dtb npcm845.dtb)
RUN_ARCH := $(or $(ARCH),arm64)
# A system may have a folder for each board, with the configs and options of QEMU that are the board's.
FOLDERS = $(wildcard guest-configs/$(SYSTEM)/$(BOARD)) guest-configs/$(SYSTEM)
BUNDLE = $(B)/$(RUN_ARCH)/$(SYSTEM)$(patsubst %,-$(BOARD),$(wildcard guest-configs/$(SYSTEM)/$(BOARD))).cpio
# The configs; for arm the same with the names of Debian's 32-bit kernel.
arm64_CONFIGS = $(wildcard $(FOLDERS:=/*.*conf))
arm_CONFIGS = $(arm64_CONFIGS:guest-configs/%=$(B)/arm/configs/%)
# What they load:
IMAGES = $(shell sed -nE 's/^ *((initrd )?load|hostdev) +(0x[0-9a-f]+,|<)?([^ ]+\.(img|bin|zImage|Image|ext4)|boot\.cpio)$$/\4/p' $(arm64_CONFIGS) /dev/null)
arm64_IMAGES = $(sort $(LINUX_IMAGES) $(addprefix $(B)/guests/,$(IMAGES)))
IMAGES_32 := d12v7.zImage u-boot32.bin boot32.img
arm_IMAGES = $(addprefix $(B)/guests/,$(sort d12v7.zImage $(filter $(IMAGES_32),$(IMAGES)))) \
	$(if $(filter-out d12c.Image $(IMAGES_32),$(IMAGES)),$(error SYSTEM=$(SYSTEM) has what only 64-bit CPUs \
	run: $(filter-out d12c.Image $(IMAGES_32),$(IMAGES))))

LINUX_PARTS := $(addprefix guest-configs/linux/,make.sh modules.sh init.c button.c button.h init.sh \
	gtool.c shm.c shm.h udhcpc.sh gateway.sh) \
	$(wildcard guest-configs/linux/netcheck/*)
# `make guests` is for the bare-metal ones, and for those of these that are there and out of date.
guests: $(wildcard $(TEST_IMAGES))

$(B)/guests/%.Image: $(LINUX_PARTS) | setup-guest
	@guest-configs/linux/make.sh $*

$(B)/guests/%.zImage: $(LINUX_PARTS) | setup-guest
	@guest-configs/linux/make.sh $*

$(B)/guests/small.Image: $(addprefix guest-configs/linux/small.,sh config) | setup-guest
	@$<

$(addprefix $(B)/guests/,u-boot.bin u-boot32.bin u-boot-sunxi.bin bl31-rpi4.bin installer.Image): $(B)/guests/%: | setup-guest
	@guest-configs/linux/firmware.sh $(basename $*)

$(B)/guests/debian.ext4: guest-configs/linux/disk.sh | setup-guest
	@$<

# Of boards that QEMU makes no device tree for, nor Debian's kernels have one of:
$(B)/guests/%.dtb: tests/qemu/boards/%.dts | setup-guest
	@mkdir -p $(@D)
	$(Q)dtc -q -I dts -O dtb -o $@ $<

# What QEMU needs of a board besides, by the name that it has for it
TREE_xlnx-zcu102 := d12.Image
TREE_raspi4b := d12.Image
TREE_imx8mp-evk := d12.Image
TREE_ast2700a1-evb := ast2700.dtb
TREE_npcm845-evb := npcm845.dtb

$(B)/guests/boot.img: guest-configs/linux/boot.sh $(B)/guests/d12c.Image
	@guest-configs/linux/boot.sh disk

$(B)/guests/boot32.img: guest-configs/linux/boot.sh $(B)/guests/d12v7.zImage
	@guest-configs/linux/boot.sh disk32

$(B)/guests/boot.cpio: guest-configs/linux/boot.sh guest-configs/linux/uimage.py $(B)/guests/d12c.Image
	@guest-configs/linux/boot.sh net

$(B)/arm/configs/%: guest-configs/% guest-configs/linux/armhf.sed
	@mkdir -p $(@D)
	$(Q)sed -Ef guest-configs/linux/armhf.sed $< > $@

$(BUNDLE): $(B)/muntin $($(RUN_ARCH)_CONFIGS) $($(RUN_ARCH)_IMAGES)
	$(Q)cd $(B)/guests && $(abspath $(B)/muntin) pack -o $(abspath $@) $(abspath $(filter %.qvmconf,$^))

run: $(B)/$(RUN_ARCH)/muntin.bin $(BUNDLE) $(addprefix $(B)/guests/,$(TREE_$(BOARD))) | setup-qemu
	@$(PYTHON) tests/run.py --arch $(RUN_ARCH) --bundle $(BUNDLE) --name $(SYSTEM) --board $(BOARD) \
		-- $(foreach f,$(wildcard $(FOLDERS:=/qemu.args)),$(file < $f))

# --- tests -------------------------------------------------------------------------------------------
SUMMARY := $(PYTHON) tests/summary.py

# What each kind of test needs is built while others run; but nothing runs beside the on-target cases.
test: host-tests arm32-tests mutation-tests target-tests
	@$(SUMMARY) total

check: host-tests
	@$(SUMMARY) total

.PHONY: begin-tests host-tests arm32-tests mutation-tests target-tests
begin-tests: | setup-build setup-host
	@$(SUMMARY) begin

host-tests: begin-tests $(ARCHS:%=$(B)/%/muntin.elf) $(B)/muntin $(ASAN_TESTS) $(TSAN_TESTS) $(FUZZERS)
	@$(SUMMARY) exit lint tests/lint/layers.sh $(ARCHS:%=$(B)/%)
	@$(SUMMARY) cmocka $(ASAN_TESTS) $(TSAN_TESTS)
	@for f in $(FUZZ); do $(SUMMARY) exit "seeds of $$f" $(B)/fuzz/$${f}_fuzz -runs=0 tests/fuzz/seeds/$$f; done

arm32-tests: host-tests $(ARM32_TESTS)
	@$(SUMMARY) cmocka --by "$$(command -v qemu-arm || echo qemu-arm-static)" $(ARM32_TESTS)

mutation-tests: arm32-tests
	@$(SUMMARY) exit 'virtqueue rules, each check taken out' $(PYTHON) tests/lint/mutate.py

target-tests: mutation-tests all guests $(TEST_IMAGES) | setup-qemu
	@$(SUMMARY) pytest -q tests/qemu

fuzz: $(FUZZERS)
	@for f in $(FUZZ); do mkdir -p $(B)/corpus/$$f && echo "  FUZZ     $$f" && $(B)/fuzz/$${f}_fuzz \
		-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $(B)/corpus/$$f tests/fuzz/seeds/$$f || exit 1; done

bench: all guests $(LINUX_IMAGES) | setup-qemu
	@$(PYTHON) tests/bench/bench.py --arch $(firstword $(ARCHS))

lint: $(ARCHS:%=$(B)/%/muntin.elf) $(B)/tool/libmuntin.a | setup-host
	@tests/lint/layers.sh $(ARCHS:%=$(B)/%)
	@clang-format --dry-run -Werror $(SOURCES)

# The reference part of docs/config.md, from the option tables.
docs: $(B)/muntin
	$(Q)sed '/^<!-- generated/q' docs/config.md > $(B)/config.md && echo >> $(B)/config.md
	$(Q)$(B)/muntin manual >> $(B)/config.md && mv $(B)/config.md docs/config.md

format: | setup-host
	clang-format -i $(SOURCES)

SOURCES := $(wildcard core/*.[ch] core/lib/*.c core/lib/include/*.h vdev/*.[ch] vdev/*/*.[ch] fdt/*.[ch] arch/*/*.[ch] \
	tests/*/*.[ch] tests/guests/*/*.[ch] tests/guests/*/*/*.[ch] $(addprefix guest-configs/*,/*.[ch] /*/*.[ch] /*/*/*.[ch]))

GUEST_SETUP := setup-build
-include tests/guests/guests.mk
-include tests/guests32/guests32.mk
-include guest-configs/netsvc/netsvc.mk

# --- fetching what is missing ------------------------------------------------------------------------
SETUPS := build tool host arm arm32 guest qemu
.PHONY: $(SETUPS:%=setup-%)
$(SETUPS:%=setup-%):
	@tests/setup.sh $(@:setup-%=%) $(if $(filter build,$(@:setup-%=%)),$(filter arm,$(ARCHS)))

# One at a time can install, and one at a time make a guest of Debian's. In `make test`, which needs
# them all, they come one after another; jobs that wait for each other would keep others from running.
ifneq ($(filter test,$(MAKECMDGOALS)),)
setup-tool setup-arm setup-host: | setup-build
setup-guest: | setup-host
setup-arm32: | setup-guest
setup-qemu: | setup-arm32
$(B)/guests/d13c.Image: | $(B)/guests/d12c.Image
$(B)/guests/d12.Image: | $(B)/guests/d13c.Image
$(B)/guests/d12v7.zImage: | $(B)/guests/d12.Image
endif

clean:
	rm -rf $(B)/arm64 $(B)/arm $(B)/tool $(B)/asan $(B)/tsan $(B)/arm32 $(B)/fuzz $(B)/muntin
