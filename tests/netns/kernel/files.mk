# A small supervisor around the real enforce role, whose clock the test sets.
KERNEL_TEST_SRC = tests/netns/kernel/kernel_main.c $(BASE_SRC) $(WIRE_SRC) $(POLICY_SRC) $(wildcard appliance/enforce/*.c) \
	$(wildcard appliance/kernel/*.c) $(wildcard appliance/role/*.c) \
	appliance/box/sysctl.c $(wildcard appliance/store/*.c)

$(B)/netns/kernel/driver: $(call obj,$(KERNEL_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Xlinker --wrap=clock_wall_ns -Xlinker --wrap=clock_synchronised -o $@ $^ $(call libs,libmnl libnftnl libconfig jansson libseccomp libcap-ng nettle)

.PHONY: netns-programs
netns-programs: $(B)/netns/kernel/driver
