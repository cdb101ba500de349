# The management role as a program of its own.
MGMT_TEST_SRC = tests/netns/mgmt/role.c $(MGMT_SRC) $(wildcard appliance/role/*.c) $(BASE_SRC) $(WIRE_SRC)

$(B)/netns/mgmt/role: $(call obj,$(MGMT_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmicrohttpd gnutls jansson libseccomp libcap-ng nettle)

.PHONY: netns-programs
netns-programs: $(B)/netns/mgmt/role
