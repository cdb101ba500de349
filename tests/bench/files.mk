# The accept-all loop of `make bench`.
$(B)/bench/accept_loop: tests/bench/accept_loop.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra $(subst -I,-isystem ,$(shell pkg-config --cflags-only-I libmnl libnftnl)) -o $@ $< $(shell pkg-config --libs libmnl libnftnl)
