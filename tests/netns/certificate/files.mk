# A TLS client that shows any bytes as its certificate.
$(B)/netns/certificate/show: $(call obj,tests/netns/certificate/show.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,gnutls)

.PHONY: netns-programs
netns-programs: $(B)/netns/certificate/show
