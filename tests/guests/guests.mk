# SPDX-License-Identifier: MIT
#
# Builds the bare-metal EL1 test guests: tests/guests/NAME/*.c with lib/ to $(B)/guests/NAME.img.
# Included by the top-level Makefile; alone: make -f tests/guests/guests.mk B=build
# GUEST_SETUP: targets to be made first (the compiler's installation).
B ?= build
Q ?= @
GUEST_CROSS ?= aarch64-linux-gnu-
GUEST_DIRS := $(filter-out tests/guests/lib,$(patsubst %/,%,$(sort $(dir $(wildcard tests/guests/*/*.c))))) \
	$(patsubst %/,%,$(sort $(dir $(wildcard tests/bench/*.c))))
EL1_IMAGES := $(foreach d,$(GUEST_DIRS),$(B)/guests/$(notdir $d).img)
GUEST_OBJ := $(B)/guests/obj

# Runs unrelocated until start.S has applied the relative relocations: hidden symbols, no GOT.
GUEST_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -I. -fpie -fvisibility=hidden \
	-include tests/guests/lib/hidden.h -mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-mbranch-protection=none -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -MMD -MP \
	-Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef
GUEST_LDFLAGS := -pie --no-dynamic-linker -z norelro -z noexecstack --no-warn-rwx-segments \
	-z max-page-size=4096 -T tests/guests/lib/guest.lds

GUEST_LIB := $(patsubst %,$(GUEST_OBJ)/%.o,$(sort $(wildcard tests/guests/lib/*.c tests/guests/lib/*.S)))
GUEST_LIB := $(GUEST_OBJ)/tests/guests/lib/start.S.o $(filter-out %/start.S.o,$(GUEST_LIB))

.PHONY: guests
guests: $(EL1_IMAGES)

$(GUEST_OBJ)/%.c.o: %.c tests/guests/guests.mk | $(GUEST_SETUP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -c -o $@ $<

$(GUEST_OBJ)/%.S.o: %.S tests/guests/guests.mk | $(GUEST_SETUP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc -I. -g -MMD -MP -c -o $@ $<

# One rule for each guest: its own objects and the library's.
define guest_rule
$(B)/guests/$(notdir $1).elf: $(GUEST_LIB) $(patsubst %,$(GUEST_OBJ)/%.o,$(sort $(wildcard $1/*.c $1/*.S))) tests/guests/lib/guest.lds
	$$(Q)$(GUEST_CROSS)ld $(GUEST_LDFLAGS) -o $$@ $$(filter %.o,$$^)
	@! $(GUEST_CROSS)readelf -rW $$@ | grep 'R_AARCH64_' | grep -vE 'R_AARCH64_(RELATIVE|NONE)' || \
		{ rm $$@; echo "$$@: not position independent"; false; }
endef
$(foreach d,$(GUEST_DIRS),$(eval $(call guest_rule,$d)))

$(B)/guests/%.img: $(B)/guests/%.elf
	$(Q)$(GUEST_CROSS)objcopy -O binary $< $@

-include $(shell find $(GUEST_OBJ) -name '*.d' 2>/dev/null)
