# Sources by folder. A program or a test links folders from here, or single files by name.
BASE_SRC = $(wildcard appliance/base/*.c)
# A protocol's words are in its folder; readers and printers of policies need them without the
# enforcer.
WIRE_SRC = $(wildcard appliance/wire/*.c dpi/*/words.c)
# One folder for each role, and the libraries that they share.
ROLE_SRC = $(wildcard appliance/role/*.c)
APPLIANCE_SRC = appliance/main.c appliance/cache/load.c $(ROLE_SRC) $(foreach d,kernel box store supervise alone control enforce gate worker tap journal accounts,$(wildcard appliance/$(d)/*.c))
# The verdict cache's program for the kernel: built here with clang, because the box has no
# compiler. -ffile-prefix-map keeps the names of this machine's folders out of the object.
KERNEL_OBJECT = build/bpf/sekisho-once.o
$(KERNEL_OBJECT): appliance/cache/program.c appliance/wire/once.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)clang -target bpf -mcpu=v3 -O2 -g -ffreestanding -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror -I. \
		-I/usr/include/$(shell gcc -print-multiarch) -c -o $@ $<
# A program of its own, because no privileged program may link the compiler.
COMPILE_SRC = $(wildcard appliance/compile/*.c appliance/seal/*.c) $(ROLE_SRC)
# A program beside the role accounts that parses what browsers send of security keys.
WEBAUTHN_SRC = $(wildcard appliance/webauthn/*.c) appliance/role/sandbox.c appliance/role/sandbox_table.c \
	$(addprefix appliance/wire/,msg.c plain.c) $(addprefix appliance/base/,addr.c bytes.c clock.c err.c json.c memfd.c sha256.c utf8.c)
# A program that fetches a file from the update server: TLS and an HTTP head, nothing else of the
# box.
FETCH_SRC = $(wildcard appliance/fetch/*.c) appliance/role/sandbox.c appliance/role/sandbox_table.c appliance/box/netns.c \
	$(addprefix appliance/wire/,msg.c plain.c) $(addprefix appliance/base/,addr.c atomic_file.c bytes.c clock.c err.c keyfile.c memfd.c utf8.c)
