# The management role as a program of its own.
MGMT_TEST_SRC = tests/netns/mgmt/role.c $(MGMT_SRC) $(addprefix appliance/,atomic_file.c sandbox.c sandbox_table.c) \
	appliance/ipc/msg.c $(addprefix appliance/base/,addr.c bytes.c clock.c err.c event.c json.c reason.c sha256.c)

$(B)/netns/mgmt/role: $(call obj,$(MGMT_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmicrohttpd gnutls jansson libseccomp libcap-ng nettle)

.PHONY: netns-programs
netns-programs: $(B)/netns/mgmt/role
