# SPDX-License-Identifier: MIT
#
# Builds $(B)/guests/traps32.elf, a bare-metal guest of 32 bits: clang, which the host's fuzzers need
# anyway, compiles for every Arm, and the linker of the 64-bit toolchain knows the 32-bit format.
GUEST32_OBJ := $(GUEST_OBJ)/guests32
GUEST32_CFLAGS := --target=arm-none-eabi -mcpu=cortex-a53 -mfloat-abi=soft -std=gnu11 -O2 -g \
	-ffreestanding -fno-pic -mno-unaligned-access -I. -MMD -MP -Wall -Wextra -Werror -Wshadow -Wvla -Wundef

guests: $(B)/guests/traps32.elf
$(GUEST32_OBJ)/%.o: tests/guests32/% tests/guests32/guests32.mk | $(GUEST_SETUP) setup-host
	@mkdir -p $(@D)
	$(Q)clang $(GUEST32_CFLAGS) $(if $(filter %.S,$<),-D__ASSEMBLER__ -mfpu=neon-fp-armv8 -mno-restrict-it -Wa$(COMMA)--no-warn) -c -o $@ $<

$(B)/guests/traps32.elf: $(GUEST32_OBJ)/code.S.o $(GUEST32_OBJ)/main.c.o tests/guests32/guest32.lds
	$(Q)$(GUEST_CROSS)ld -m armelf -z max-page-size=4096 --no-warn-rwx-segments -z noexecstack -T tests/guests32/guest32.lds \
		-o $@ $(filter %.o,$^)
