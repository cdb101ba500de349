# A sender of datagrams, and the benchmarks' program, which measures how long requests take.
$(B)/netns/siege/pour: tests/netns/siege/pour.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<

.PHONY: netns-programs
netns-programs: $(B)/netns/siege/pour $(B)/bench/load
