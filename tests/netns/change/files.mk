# The daemon of the change matrix: its own objects, and a clock and failures that the matrix orders.
CHANGE_SEAM = malloc calloc realloc clock_mono clock_wall_ns clock_synchronised clock_battery clock_follow_look loan_boot_id atomic_write inspector_table inspector_tick msg_send enforce_cut batch_commit enforce_compare box_set sandbox_enter sandbox_enter_pair queue_receive

$(B)/netns/change/sekishod: $(call obj,$(SEKISHOD_SRC) tests/netns/change/seam.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(foreach f,$(CHANGE_SEAM),-Xlinker --wrap=$(f)) -o $@ $^ $(call libs,$(filter-out libconfig libpcap libfido2,$(PKGS)))

# A copy, because the daemon looks for sekisho-compile and sekisho-webauthn in its own folder.
$(B)/netns/change/%: $(B)/%
	@mkdir -p $(@D)
	$(Q)cp -f $< $@

.PHONY: netns-programs
netns-programs: $(addprefix $(B)/netns/change/,sekishod sekisho sekisho-compile sekisho-webauthn)
