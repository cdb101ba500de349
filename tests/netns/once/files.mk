# The program of the verdict cache in a rule of its own.
$(B)/netns/once/hold: $(call obj,tests/netns/once/hold.c appliance/cache/load.c $(addprefix appliance/base/,err.c errno_text.c))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libbpf libmnl libnftnl)

.PHONY: netns-programs
netns-programs: $(B)/netns/once/hold $(if $(shell command -v clang),$(KERNEL_OBJECT))
