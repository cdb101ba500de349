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

# The inspector alone. The calls of nDPI are wrapped, so that the program can leave nDPI out.
$(B)/bench/inspect: $(call obj,tests/bench/inspect.c $(DPI_SRC) $(BASE_SRC) $(WIRE_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--wrap=name_open,--wrap=name_packet -o $@ $^ $(call libs,libndpi nettle jansson)

# The journal's files alone: many records, and questions about them.
JOURNAL_FILES = $(patsubst %,appliance/journal/%.c,chain segment closed filter search)
$(B)/bench/journal: $(call obj,tests/bench/journal.c $(JOURNAL_FILES) $(BASE_SRC) $(WIRE_SRC))
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(call libs,zlib nettle jansson)

.PHONY: bench-programs
bench-programs: $(B)/bench/load $(B)/bench/accept_loop $(B)/bench/inspect $(B)/bench/journal

# An enforcer alone, on the desk of its unit tests.
PDU_PROTOCOLS = modbus slmp enip s7comm fins memobus iec104 dnp3 opcua bacnet
define pdu_program
$(B)/bench/pdu_$(1): $(call obj,tests/bench/pdu_$(1).c $(filter-out dpi/inspect/%,$(DPI_SRC)) $(BASE_SRC) $(WIRE_SRC))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $$(call libs,libndpi nettle jansson)
endef
$(foreach p,$(PDU_PROTOCOLS),$(eval $(call pdu_program,$(p))))

.PHONY: pdu-programs
pdu-programs: $(addprefix $(B)/bench/pdu_,$(PDU_PROTOCOLS))
