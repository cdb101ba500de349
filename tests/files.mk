# Tests. A unit or fuzz file says in its head comment what it links, so that a module's independence
# shows:
#   * LINK: policy/read/scan.c appliance/base/bytes.c (or a pattern, with % for what varies:
#     dpi/%/words.c)
#   * LIBS: jansson
# tests/unit/<folder>/test_*.c (folders as in the tree) are cmocka programs; tests/fuzz/fuzz_*.c are
# libFuzzer targets that every test run replays over tests/fuzz/corpus/<name>/ with
# tests/fuzz/replay_main.c instead of the fuzzer.
UNIT_SRC := $(wildcard tests/unit/*/test_*.c tests/life/test_*.c)
UNITS := $(notdir $(UNIT_SRC:.c=))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# A whole box in one process (tests/life/life.h): the supervisor and control are the real ones, and
# files of that folder replace everything outside of them.
LIFE_SRC := $(filter-out tests/life/test_%,$(wildcard tests/life/*.c)) $(filter-out %/clock_source.c,$(BASE_SRC)) $(WIRE_SRC) $(POLICY_SRC) $(wildcard appliance/store/*.c) $(addprefix appliance/kernel/,apart.c image.c isolation_pairs.c) $(addprefix appliance/enforce/,doors.c door_book.c isolations.c trust.c) \
	$(filter-out %/spawn.c %/once.c,$(wildcard appliance/supervise/*.c)) $(wildcard appliance/alone/*.c appliance/control/*.c) $(addprefix appliance/role/,said.c sandbox_table.c vigil.c) \
	$(addprefix appliance/box/,companions.c companions_json.c links_json.c log_sent.c loan_whose.c)
# Parts that many tests link: a command table with the code that judges by it; a packet's way
# through a worker; the compiler without the checker, for models that a test builds itself.
COMMANDS_PARTS = $(addprefix appliance/base/,bytes.c sha256.c) $(addprefix appliance/wire/,commands.c evaluate.c operation.c protocols.c settings.c) dpi/judge.c dpi/pending.c $(wildcard appliance/wire/vocabulary*.c) $(wildcard dpi/*/words.c)
INSPECT_PARTS = $(COMMANDS_PARTS) appliance/base/addr.c $(addprefix appliance/wire/,event.c reason.c tls.c) $(addprefix dpi/,decode.c flow.c hello.c name.c pool.c recognise.c runs.c share.c stream.c) $(wildcard dpi/*/frame.c) dpi/opcua/builtin.c $(wildcard dpi/forms/*.c) $(wildcard dpi/inspect/*.c)
COMPILER_PARTS = $(addprefix appliance/base/,addr.c arena.c bytes.c diag.c err.c errno_text.c messages.c sha256.c) $(addprefix appliance/wire/,commands.c evaluate.c hours.c operation.c protocols.c settings.c) policy/check/model.c $(addprefix policy/compile/,commands.c exposure.c isolations.c lower.c permits.c) $(addprefix policy/ir/,elements.c isolation.c objects.c seal.c) $(addprefix policy/space/,always.c cells.c costs.c intern.c joint.c passes.c prove.c prove_text.c together.c) tests/unit/policy/model_make.c $(wildcard appliance/wire/vocabulary*.c) $(wildcard dpi/*/words.c) $(wildcard policy/space/boxes*.c)
# The tap with all that it uses.
TAP_PARTS = $(wildcard appliance/tap/*.c) $(addprefix appliance/wire/,event.c msg.c msg_json.c protocols.c reason.c) $(addprefix appliance/base/,addr.c bytes.c clock.c err.c json.c memfd.c sha256.c utf8.c) $(addprefix appliance/role/,sandbox.c sandbox_table.c)
# `learn` and `replay` as in the command line.
REPLAY_PARTS = $(filter-out appliance/base/clock.c,$(BASE_SRC)) $(WIRE_SRC) $(POLICY_SRC) $(DPI_SRC) $(filter-out mgmt/cli/replay/replay.c,$(wildcard mgmt/cli/replay/*.c)) $(addprefix mgmt/cli/learn/,learnt.c propose.c propose_rows.c propose_text.c study.c tags.c) mgmt/cli/policy/source.c mgmt/cli/words/render.c mgmt/cli/words/answer.c mgmt/cli/words/value.c mgmt/cli/cli.c $(wildcard mgmt/cli/screen/*.c mgmt/cli/box/*.c mgmt/state/*.c mgmt/words/*.c)
# A word of a LINK line is a file, a pattern, or the name of a list in the makefiles, such as
# $(WIRE_SRC).
list_name = $(subst $(close),,$(subst $$$(open),,$(1)))
comma = ,
open = (
close = )
link_word = $(if $(findstring $$,$(1)),$($(call list_name,$(1))),$(if $(filter-out $(subst %,,$(subst *,,$(1))),$(1)),$(wildcard $(subst %,*,$(1))),$(1)))
links = $(foreach w,$(shell sed -n 's/^ \* LINK: //p' $(1)),$(call link_word,$(w)))
lib_names = $(shell sed -n 's/^ \* LIBS: //p' $(1))

# For tests/mutants: a line for each unit test, with what it links.
.PHONY: links
links:
	$(foreach t,$(UNIT_SRC),$(info $(notdir $(t:.c=)) $(call links,$(t))))@:

define test_program
$(B)/tests/$(1): $(call obj,$(2) $(3) $(call links,$(2)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $(if $(4)$(call lib_names,$(2)),$$(shell pkg-config --libs $(4) $(call lib_names,$(2))))
endef
$(foreach t,$(UNIT_SRC),$(eval $(call test_program,$(notdir $(t:.c=)),$(t),,cmocka)))
$(foreach t,$(FUZZERS),$(eval $(call test_program,$(t),tests/fuzz/$(t).c,$(if $(filter fuzz,$(MODE)),,tests/fuzz/replay_main.c),)))

# In these tests, tests/life/control.c replaces the functions by which control learns the state of
# the box and whose login a connection has.
$(patsubst %.c,$(B)/tests/%,$(notdir $(wildcard tests/life/test_*.c))): ALL_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,told_standing login_of_uid login_group)

# This test reads the events that the inspector of a replay would record.
$(B)/tests/test_quiet: ALL_LDFLAGS += -Wl,--wrap=inspector_new

.PHONY: unit-programs fuzz-programs
unit-programs: $(addprefix $(B)/tests/,$(UNITS)) $(if $(shell command -v clang),$(KERNEL_OBJECT))
fuzz-programs: $(addprefix $(B)/tests/,$(FUZZERS))

include $(wildcard tests/netns/*/files.mk tests/bench/files.mk)

# ---- what a person types -------------------------------------------------------------------------

# Root is used only where it is needed: namespaces, netlink. All else runs as the caller.
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo)
PYTHON = /usr/bin/python3
JOBS = $(shell nproc)

$(B)/peers/%: tests/demo/peers/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra $(subst -I,-isystem ,$(shell pkg-config --cflags-only-I libmodbus)) -o $@ $< $(shell pkg-config --libs libmodbus)

.PHONY: peers
peers: $(B)/peers/plc $(B)/peers/poller

.PHONY: deps
deps:
	@images/deps build demo peers unpacked test browser

# The build happens in a second make, because pkg-config has to be asked after `deps`.
.PHONY: demo
demo:
	@images/deps build demo peers
	@$(MAKE) --no-print-directory -j$(JOBS) all peers
	@$(AS_ROOT) $(PYTHON) tests/demo/demo.py up $(DEMO_ARGS)

.PHONY: demo-down
demo-down:
	@$(AS_ROOT) $(PYTHON) tests/demo/demo.py down

# `test` is what a merge must pass. `test-long` is what a merge leaves out (tests/long.tsv): all
# stages, those in STAGE, or as many as fit into DUE minutes.
.PHONY: test test-long
test: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all peers
	@tests/run merge
test-long: deps
	@$(AS_ROOT) tests/long $(if $(DUE),--due $(DUE),$(or $(STAGE),--all))

.PHONY: test-unit test-golden test-replay test-fuzz test-san test-netns
test-unit test-golden test-replay test-fuzz test-san test-netns: test-%: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all peers
	@tests/run $*

# Our names for protocols, tested with Debian's servers and with public captures (docs/names.md).
# SETS="folder ..." names the folders of the captures.
.PHONY: names
names:
	@images/deps build servers
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(AS_ROOT) tests/names/run $(SETS)

.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs
	@$(AS_ROOT) $(PYTHON) tests/bench/bench.py $(BENCH_ARGS)

# Compares with Suricata, if it can be installed. Not part of `make test`.
.PHONY: bench-peers
bench-peers: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs
	@images/deps backports || true
	@$(AS_ROOT) $(PYTHON) tests/bench/peers.py $(BENCH_ARGS)

.PHONY: bench-policy
bench-policy: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(PYTHON) tests/bench/answers.py --build $(B)
	@$(AS_ROOT) $(PYTHON) tests/bench/shapes.py --build $(B) $(BENCH_ARGS)

.PHONY: bench-pdu
bench-pdu: deps
	@$(MAKE) --no-print-directory -j$(JOBS) pdu-programs
	@images/deps bench || true
	@$(PYTHON) tests/bench/pdu.py

.PHONY: fuzz
SECONDS = 60
fuzz:
	@images/deps build fuzz
	@$(MAKE) --no-print-directory MODE=fuzz -j$(JOBS) fuzz-programs
	@tests/fuzz/run $(SECONDS)

# Measures which lines the tests run, also of roles in their sandboxes. SUITES="box daemon": only
# these suites of tests/netns.
.PHONY: coverage
coverage: deps
	@$(AS_ROOT) tests/coverage $(SUITES)

# The size of the repository in several figures. SINCE= names the output of an earlier run, whose
# figures are printed beside.
.PHONY: house
house: all
	@$(PYTHON) tests/lib/house.py $(SINCE)
	@$(PYTHON) tests/lib/reaches.py

.PHONY: lint
lint:
	@images/deps build lint test
	@tests/lint
