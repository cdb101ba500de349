# Programs of `make bench`: the load, and the accept-all loop that is the limit of any queue.
BENCH_CFLAGS = -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra

$(B)/bench/load: tests/bench/load.c tests/bench/load_serve.c tests/bench/load.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^)

$(B)/bench/accept_loop: tests/bench/accept_loop.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) $(PKG_CFLAGS) -o $@ $< $(call libs,libmnl libnftnl)

# The inspector alone, with the library of names at the end of a wire that can be cut.
$(B)/bench/inspect: $(call obj,tests/bench/inspect.c $(DPI_SRC) $(BASE_SRC) $(WIRE_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--wrap=name_open,--wrap=name_packet -o $@ $^ $(call libs,libndpi nettle jansson)

.PHONY: bench-programs
bench-programs: $(B)/bench/load $(B)/bench/accept_loop $(B)/bench/inspect
