# What sends without listening, and the benchmarks' requests whose times are measured.
$(B)/netns/siege/pour: tests/netns/siege/pour.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<

.PHONY: netns-programs
netns-programs: $(B)/netns/siege/pour $(B)/bench/load
