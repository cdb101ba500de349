# Programs of the queue test: a small supervisor with the real gate and worker code, and a rule maker.
QUEUE_TEST_SRC = tests/netns/queue/box.c tests/netns/queue/liar.c tests/netns/queue/toy.c dpi/worker.c dpi/worker_messages.c dpi/queue.c dpi/ring.c \
	$(addprefix appliance/,gate.c gate_ring.c gate_watch.c outstanding.c reset.c sandbox.c sandbox_table.c session_probe.c verdict.c) \
	appliance/ipc/msg.c $(addprefix appliance/base/,addr.c alarm.c bytes.c clock.c err.c event.c json.c protocols.c reason.c sha256.c)

$(B)/netns/queue/box: $(call obj,$(QUEUE_TEST_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmnl jansson libseccomp libcap-ng nettle)

$(B)/netns/queue/rule: $(call obj,tests/netns/queue/rule.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,libmnl libnftnl)

.PHONY: netns-programs
netns-programs: $(B)/netns/queue/box $(B)/netns/queue/rule
