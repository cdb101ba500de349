# Programs of the queue test: a small supervisor with the real gate and worker code, and a rule
# maker.
QUEUE_TEST_SRC = $(addprefix tests/netns/queue/,box.c liar.c toy.c) $(wildcard appliance/worker/*.c appliance/gate/*.c appliance/role/*.c) \
	appliance/kernel/conntrack.c appliance/kernel/probe_open.c appliance/kernel/talk.c appliance/control/role_json.c $(BASE_SRC) $(WIRE_SRC)

$(B)/netns/queue/box: $(call obj,$(QUEUE_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libnetfilter_queue libmnl jansson libseccomp libcap-ng nettle)

$(B)/netns/queue/rule: $(call obj,tests/netns/queue/rule.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmnl libnftnl)

.PHONY: netns-programs
netns-programs: $(B)/netns/queue/box $(B)/netns/queue/rule
