# Tests. A unit or fuzz file says in its head comment what it links, so that a module's independence shows:
#   * LINK: policy/scan.c appliance/base/bytes.c
#   * LIBS: jansson
# tests/unit/test_*.c are cmocka programs; tests/fuzz/fuzz_*.c are libFuzzer targets that every test run replays over
# tests/fuzz/corpus/<name>/ with tests/fuzz/replay_main.c instead of the fuzzer.
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
links = $(shell sed -n 's/^ \* LINK: //p' $(1))
lib_names = $(shell sed -n 's/^ \* LIBS: //p' $(1))

define test_program
$(B)/tests/$(1): $(call obj,$(2) $(3) $(call links,$(2)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $(if $(4)$(call lib_names,$(2)),$$(shell pkg-config --libs $(4) $(call lib_names,$(2))))
endef
$(foreach t,$(UNITS),$(eval $(call test_program,$(t),tests/unit/$(t).c,,cmocka)))
$(foreach t,$(FUZZERS),$(eval $(call test_program,$(t),tests/fuzz/$(t).c,$(if $(filter fuzz,$(MODE)),,tests/fuzz/replay_main.c),)))

.PHONY: unit-programs fuzz-programs
unit-programs: $(addprefix $(B)/tests/,$(UNITS))
fuzz-programs: $(addprefix $(B)/tests/,$(FUZZERS))
