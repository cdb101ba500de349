/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel gives to the program of the verdict cache (appliance/cache/program.c) when it is
 * compiled natively: the packet, the clock and the memory that it shares with a worker. The test
 * sets them, and links the program.
 */
#ifndef SEKISHO_TESTS_UNIT_CACHE_NATIVE_H
#define SEKISHO_TESTS_UNIT_CACHE_NATIVE_H

#include <linux/bpf.h>
#include <string.h>

#include "appliance/wire/once.h"

static struct {
	const uint8_t *packet; /* from the IP header on */
	size_t bytes;
	uint64_t now; /* ns */
	/* a state that another process recalls while the program reads the packet; may be NULL */
	uint32_t *recalled;
	struct once_lease leases[ONCE_LEASES];
	struct once_template templates[ONCE_TEMPLATES];
	struct once_handshakes handshakes;
} native;

int once_match(struct __sk_buff *packet);
int once_begin(struct __sk_buff *packet);
long once_load(const struct __sk_buff *packet, uint32_t at, void *to, uint32_t n);
uint64_t once_now(void);
struct once_lease *once_lease_at(uint32_t place);
const struct once_template *once_template_at(uint32_t place);
struct once_handshakes *once_handshakes_at(uint32_t place);

long once_load(const struct __sk_buff *packet, uint32_t at, void *to, uint32_t n)
{
	(void)packet;
	if (native.recalled != NULL && *native.recalled == ONCE_BUSY)
		*native.recalled = ONCE_RECALLED;
	if (n == 0 || at > native.bytes || n > native.bytes - at)
		return -14;
	memcpy(to, native.packet + at, n);
	return 0;
}

uint64_t once_now(void)
{
	return native.now;
}

struct once_lease *once_lease_at(uint32_t place)
{
	return place < ONCE_LEASES ? &native.leases[place] : NULL;
}

const struct once_template *once_template_at(uint32_t place)
{
	return place < ONCE_TEMPLATES ? &native.templates[place] : NULL;
}

struct once_handshakes *once_handshakes_at(uint32_t place)
{
	return place == 0 ? &native.handshakes : NULL;
}

#endif
