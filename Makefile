# Sekisho. One non-recursive Makefile; `make help` lists what a person types. Objects go to
# build/<mode>/; MODE=release (default), san (address and undefined sanitizers), fuzz (libFuzzer),
# cov (coverage).
MODE ?= release
# With ccache nothing is compiled twice, whichever clone, user or root it is in; CCACHE= turns it
# off.
ifeq ($(origin CCACHE),undefined)
CCACHE := $(shell command -v ccache 2>/dev/null)
endif
# The hash does not contain the locale, and the files can be read by all, so the cache serves every
# user.
export CCACHE_SLOPPINESS ?= locale
export CCACHE_UMASK ?= 022
CC = $(CCACHE) gcc
V ?= 0
Q = $(if $(filter 1,$(V)),,@)
say = @$(if $(filter 1,$(V)),:,printf '  %-6s %s\n' $(1) $(2))
B = build/$(MODE)

PKGS = libnftnl libmnl libnetfilter_queue libndpi libconfig libmicrohttpd gnutls jansson libseccomp libcap-ng hogweed nettle libpcap libcrypto zlib liboath libcrypt libfido2 libqrencode libbpf
WARN = -Wall -Wextra -Wno-unused-parameter -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual -Wswitch-enum -Werror
HARDEN = -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero -fcf-protection -fPIE -fvisibility=hidden
CFLAGS_release = -O2 -g -D_FORTIFY_SOURCE=3 $(HARDEN)
LDFLAGS_release = -pie -Wl,-z,relro,-z,now,-z,noexecstack
CFLAGS_san = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_san = -fsanitize=address,undefined
CFLAGS_fuzz = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz = -fsanitize=fuzzer,address,undefined
# Coverage counters are in files that are mapped at the start, so that roles count in their
# sandboxes and when they are killed.
COUNTS = $(CURDIR)/build/cov/profiles
CFLAGS_cov = -O1 -g -Wno-error -DCOVERAGE_COUNTS='"$(COUNTS)"' -fprofile-instr-generate=$(COUNTS)/%p%c.profraw -fcoverage-mapping -mllvm -runtime-counter-relocation
LDFLAGS_cov = -fprofile-instr-generate
# The bytes of objects do not depend on the folder's name. (Coverage needs whole names, so there
# they do.)
ifneq ($(MODE),cov)
NAMELESS = -ffile-prefix-map=$(CURDIR)=.
endif
ifneq ($(filter fuzz cov,$(MODE)),)
CC = $(CCACHE) clang
# libseccomp's macros leave out a structure's last member, which C allows; clang warns of it.
WARN += -Wno-missing-field-initializers
endif
# Foreign headers are system headers, so that warnings are about our code only.
PKG_CFLAGS := $(subst -I,-isystem ,$(shell pkg-config --cflags-only-I $(PKGS) 2>/dev/null))
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(PKG_CFLAGS) $(WARN) $(CFLAGS_$(MODE)) $(NAMELESS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) $(LDFLAGS)
libs = $(shell pkg-config --libs $(1))

.DEFAULT_GOAL := help

# Replay uses the capture's time: its clock replaces the kernel's.
SEKISHO_SRC = $(filter-out appliance/base/clock.c,$(BASE_SRC)) $(WIRE_SRC) $(POLICY_SRC) $(DPI_SRC) $(CLI_SRC)
# Of policy/ the box links the meaning of sealed generations, and nothing that reads policy text.
SEKISHOD_SRC = $(BASE_SRC) $(WIRE_SRC) $(wildcard policy/ir/*.c policy/ir/skeleton/*.c) $(DPI_SRC) $(APPLIANCE_SRC) $(MGMT_SRC)
SEKISHO_COMPILE_SRC = $(BASE_SRC) $(WIRE_SRC) $(POLICY_SRC) $(COMPILE_SRC)

# Before the includes, like the lists above: tests/files.mk expands them while it is read.
obj = $(patsubst %.c,$(B)/%.o,$(1))
include appliance/files.mk policy/files.mk dpi/files.mk mgmt/files.mk images/files.mk tests/files.mk

.PHONY: help
help:
	@echo 'make demo        build, then a small port terminal behind a real box, in namespaces (asks for root)'
	@echo 'make demo-down   take every trace of the demonstration away'
	@echo 'make test        every test: unit, golden, replay, namespaces, sanitizers, fuzz corpora (asks for root)'
	@echo 'make test-unit | test-golden | test-replay | test-fuzz | test-san | test-netns     one part of it'
	@echo 'make names       names of protocols against real servers and captures, SETS= folders of those (asks for root)'
	@echo 'make bench       speed, as ratios within one run (asks for root)'
	@echo 'make bench-peers the same beside Suricata, which it unpacks to build/ (asks for root)'
	@echo 'make bench-policy what it costs to change to large policies (asks for root)'
	@echo 'make bench-pdu   instructions that each enforcer takes for a PDU'
	@echo 'make fuzz        libFuzzer on every entry point, SECONDS=60 each'
	@echo 'make coverage    which lines the tests run, the sandboxed roles included (asks for root)'
	@echo 'make lint        clang-format, clang-tidy, cppcheck'
	@echo 'make house       lines, files, circles, callers and users by folder, SINCE= an earlier output to compare with'
	@echo 'make deps        what is missing from the Debian packages of the demo and the tests'
	@echo 'make all         build/release/sekisho, sekishod, sekisho-compile, sekisho-webauthn, sekisho-fetch, sekisho-notify, sekisho-inform and sekisho-eve'
	@echo 'make deb         Debian packages, in build/deb'
	@echo 'make release     what a site takes, in build/published: packages for Debian 12 and 13, the image (asks for root)'
	@echo 'make image       the appliance as a disk image, in build/image (asks for root); make check-image starts it in qemu'
	@echo 'make bundle      an update of that image, signed: UPDATE_KEY=, UPDATE_CERT='
	@echo 'make check-parts LIST=FILE    which known vulnerabilities its parts have'
	@echo 'make install     DESTDIR=, PREFIX=/usr: programs, units, settings, man pages, completion, documents'

.PHONY: all
all: $(B)/sekisho $(B)/sekishod $(B)/sekisho-compile $(B)/sekisho-webauthn $(B)/sekisho-fetch $(B)/sekisho-notify $(B)/sekisho-inform $(B)/sekisho-eve \
	$(if $(shell command -v clang),$(B)/sekisho-once.o)

$(B)/sekisho-once.o: $(KERNEL_OBJECT)
	$(Q)cp $< $@

$(B)/sekisho: $(call obj,$(SEKISHO_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,libconfig jansson hogweed nettle libndpi libpcap libcrypto libseccomp zlib) && mv $@.new $@

$(B)/sekishod: $(call obj,$(SEKISHOD_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,$(filter-out libconfig libpcap libcrypto libfido2,$(PKGS))) && mv $@.new $@

$(B)/sekisho-compile: $(call obj,$(SEKISHO_COMPILE_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,libconfig jansson nettle libcrypto libseccomp libcap-ng) && mv $@.new $@

$(B)/sekisho-webauthn: $(call obj,$(WEBAUTHN_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,libfido2 libcrypto jansson nettle libseccomp libcap-ng) && mv $@.new $@

$(B)/sekisho-fetch: $(call obj,$(FETCH_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,gnutls libseccomp libcap-ng) && mv $@.new $@

$(B)/sekisho-notify: $(call obj,$(NOTIFY_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,libcurl jansson nettle) && mv $@.new $@

$(B)/sekisho-inform: $(call obj,$(INFORM_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,netsnmp jansson nettle) && mv $@.new $@

$(B)/sekisho-eve: $(call obj,$(EVE_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.new $^ $(call libs,jansson nettle libseccomp) && mv $@.new $@

$(B)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)

.PHONY: clean
clean:
	rm -rf build
