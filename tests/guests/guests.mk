# SPDX-License-Identifier: MIT
#
# Builds the bare-metal EL1 test guests: tests/guests/NAME/*.c, its folder of the architecture, and
# lib/ to $(B)/guests/NAME.img for arm64, and $(B)/guests/arm/NAME.img for arm, those that are in
# ARM_GUESTS. Included by the top-level Makefile; alone: make -f tests/guests/guests.mk B=build
# GUEST_SETUP: targets to be made first (the compilers' installation).
B ?= build
Q ?= @
GUEST_CROSS ?= aarch64-linux-gnu-
ARM_GUEST_CROSS ?= arm-none-eabi-
GUEST_DIRS := $(filter-out tests/guests/lib,$(patsubst %/,%,$(sort $(dir $(wildcard tests/guests/*/*.c))))) \
	$(patsubst %/,%,$(sort $(dir $(wildcard tests/bench/*.c))))
ARM_GUESTS := attack bench echo flood gic hello load pass psci puppet shm timer traps victim
GUEST_OBJ := $(B)/guests/obj
ARM_GUEST_OBJ := $(B)/guests/arm/obj
GUEST_WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef

# Runs unrelocated until start.S has applied the relative relocations: hidden symbols, no GOT.
GUEST_COMMON := -std=gnu11 -O2 -g -ffreestanding -I. -fpie -fvisibility=hidden -include tests/guests/lib/hidden.h \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -MMD -MP $(GUEST_WARN)
GUEST_CFLAGS := $(GUEST_COMMON) -mgeneral-regs-only -mstrict-align -mno-outline-atomics -mbranch-protection=none \
	-Itests/guests/lib/arm64
# Addresses are 64 bits in the guests, and so are long numbers in formats: arm64's compiler checks them.
ARM_GUEST_CFLAGS := $(GUEST_COMMON) -march=armv7ve -marm -mfloat-abi=soft -mno-unaligned-access \
	-Wno-conversion -Wno-format -Wno-pointer-to-int-cast -Wno-int-to-pointer-cast -Itests/guests/lib/arm
GUEST_LDFLAGS := -pie --no-dynamic-linker -z noexecstack --no-warn-rwx-segments \
	-z max-page-size=4096 -T tests/guests/lib/guest.lds

# $(call guest_parts,FOLDER,ARCHITECTURE): the objects of what is in both, start.S first.
guest_sources = $(sort $(wildcard $1/*.c $1/*.S $1/$2/*.c $1/$2/*.S))
guest_lib = $(addsuffix .o,tests/guests/lib/$1/start.S $(filter-out %/start.S,$(call guest_sources,tests/guests/lib,$1)))
GUEST_LIB := $(addprefix $(GUEST_OBJ)/,$(call guest_lib,arm64))
ARM_GUEST_LIB := $(addprefix $(ARM_GUEST_OBJ)/,$(call guest_lib,arm))

.PHONY: guests
guests: $(foreach d,$(GUEST_DIRS),$(B)/guests/$(notdir $d).img) $(ARM_GUESTS:%=$(B)/guests/arm/%.img)

$(GUEST_OBJ)/%.c.o: %.c tests/guests/guests.mk | $(GUEST_SETUP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -c -o $@ $<

$(GUEST_OBJ)/%.S.o: %.S tests/guests/guests.mk | $(GUEST_SETUP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc -I. -g -MMD -MP -c -o $@ $<

$(ARM_GUEST_OBJ)/%.c.o: %.c tests/guests/guests.mk | $(GUEST_SETUP) setup-arm
	@mkdir -p $(@D)
	$(Q)$(ARM_GUEST_CROSS)gcc $(ARM_GUEST_CFLAGS) -c -o $@ $<

$(ARM_GUEST_OBJ)/%.S.o: %.S tests/guests/guests.mk | $(GUEST_SETUP) setup-arm
	@mkdir -p $(@D)
	$(Q)$(ARM_GUEST_CROSS)gcc -I. -g -MMD -MP -c -o $@ $<

# One rule for each guest: its own objects and the library's.
define guest_rule
$(B)/guests/$(notdir $1).elf: $(GUEST_LIB) $(patsubst %,$(GUEST_OBJ)/%.o,$(call guest_sources,$1,arm64)) tests/guests/lib/guest.lds
	$$(Q)$(GUEST_CROSS)ld -z norelro $(GUEST_LDFLAGS) -o $$@ $$(filter %.o,$$^)
	@! $(GUEST_CROSS)readelf -rW $$@ | grep 'R_AARCH64_' | grep -vE 'R_AARCH64_(RELATIVE|NONE)' || \
		{ rm $$@; echo "$$@: not position independent"; false; }
$(B)/guests/arm/$(notdir $1).elf: $(ARM_GUEST_LIB) $(patsubst %,$(ARM_GUEST_OBJ)/%.o,$(call guest_sources,$1,arm)) tests/guests/lib/guest.lds
	$$(Q)$(ARM_GUEST_CROSS)ld $(GUEST_LDFLAGS) -o $$@ $$(filter %.o,$$^) \
		$$$$($(ARM_GUEST_CROSS)gcc $(ARM_GUEST_CFLAGS) -print-libgcc-file-name)
	@! $(ARM_GUEST_CROSS)readelf -rW $$@ | grep 'R_ARM_' | grep -vE 'R_ARM_(RELATIVE|NONE)' || \
		{ rm $$@; echo "$$@: not position independent"; false; }
endef
$(foreach d,$(GUEST_DIRS),$(eval $(call guest_rule,$d)))

$(B)/guests/%.img: $(B)/guests/%.elf
	$(Q)$(GUEST_CROSS)objcopy -O binary $< $@

# A zImage has no word for its .bss: it's in the file.
$(B)/guests/arm/%.img: $(B)/guests/arm/%.elf
	$(Q)$(ARM_GUEST_CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

-include $(shell find $(GUEST_OBJ) $(ARM_GUEST_OBJ) -name '*.d' 2>/dev/null)
