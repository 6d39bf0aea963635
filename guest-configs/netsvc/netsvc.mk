# SPDX-License-Identifier: MIT
#
# Builds $(B)/guests/netsvc.img: lwIP's sources, ours, and the library of the test guests. Included by
# the Makefile behind tests/guests/guests.mk, whose flags and linker script it uses.
NETSVC := guest-configs/netsvc
LWIP := $(B)/deps/lwip
LWIP_SRC := $(addprefix $(LWIP)/src/,$(addprefix core/,def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c \
	pbuf.c sys.c tcp.c tcp_in.c tcp_out.c timeouts.c udp.c) \
	$(addprefix core/ipv4/,etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) netif/ethernet.c \
	apps/http/httpd.c apps/lwiperf/lwiperf.c)
# What knows nothing of lwIP nor of the machine: tested and fuzzed on the host.
NETSVC_PORTABLE := $(addprefix $(NETSVC)/,dhcpd.c dnsd.c hosts.c settings.c tftpd.c)
NETSVC_SRC := $(wildcard $(NETSVC)/*.c $(NETSVC)/port/*.c)
NETSVC_OBJ := $(GUEST_LIB) $(patsubst %,$(GUEST_OBJ)/%.o,$(NETSVC_SRC)) \
	$(patsubst $(B)/%,$(GUEST_OBJ)/%.o,$(LWIP_SRC))
NETSVC_INCLUDE = -nostdinc -I$(NETSVC)/port -isystem $(LWIP)/src/include \
	-isystem $(shell $(GUEST_CROSS)gcc -print-file-name=include)

$(GUEST_OBJ)/$(NETSVC)/%.c.o: $(NETSVC)/%.c $(NETSVC)/netsvc.mk | $(GUEST_SETUP) $(LWIP)/src/core/init.c
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) $(NETSVC_INCLUDE) -c -o $@ $<

$(GUEST_OBJ)/deps/lwip/%.c.o: $(LWIP)/%.c $(NETSVC)/netsvc.mk $(wildcard $(NETSVC)/port/*.h $(NETSVC)/port/*/*.h)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -w $(NETSVC_INCLUDE) -c -o $@ $<

$(filter-out %/init.c,$(LWIP_SRC)): | $(LWIP)/src/core/init.c
$(LWIP)/src/core/init.c: | setup-guest
	@tests/source.sh lwip $(B)/deps

guests: $(B)/guests/netsvc.img
$(B)/guests/netsvc.elf: $(NETSVC_OBJ) tests/guests/lib/guest.lds
	$(Q)$(GUEST_CROSS)ld $(GUEST_LDFLAGS) --gc-sections -o $@ $(filter %.o,$^)
	@! $(GUEST_CROSS)readelf -rW $@ | grep 'R_AARCH64_' | grep -vE 'R_AARCH64_(RELATIVE|NONE)' || \
		{ rm $@; echo "$@: not position independent"; false; }

# The host's tests and fuzzers of these modules are linked with them.
NETSVC_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/netsvc_*_test.c))
$(foreach d,asan arm32,$(eval $(NETSVC_TESTS:%=$(B)/$d/%): $(patsubst %,$(B)/$d/%.o,$(NETSVC_PORTABLE))))
$(B)/fuzz/netsvc_fuzz: $(patsubst %,$(B)/fuzz/%.o,$(NETSVC_PORTABLE))
