# A small supervisor around the real enforce role.
KERNEL_TEST_SRC = tests/netns/kernel/kernel_main.c $(BASE_SRC) $(POLICY_SRC) $(wildcard appliance/enforce*.c) \
	$(wildcard appliance/netlink_*.c) $(addprefix appliance/,conntrack.c deny_base.c reverse_path.c sandbox.c sandbox_table.c sysctl.c)

$(B)/netns/kernel/driver: $(call obj,$(KERNEL_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmnl libnftnl libconfig jansson libseccomp libcap-ng nettle)

.PHONY: netns-programs
netns-programs: $(B)/netns/kernel/driver
