/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what the kernel tells the tap, of packets that were dropped and of sessions that passed: every step takes something off, and what is said is
 * an event that the journal takes.
 *
 * LINK: appliance/tap/role.c appliance/tap/packet.c appliance/tap/session.c appliance/base/bytes.c appliance/wire/event.c appliance/wire/limit.c
 * LINK: appliance/wire/reason.c appliance/wire/protocols.c appliance/base/err.c appliance/base/clock.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c appliance/base/sha256.c
 * LINK: appliance/wire/msg.c appliance/wire/answer.c appliance/wire/event_filter.c appliance/role/sandbox.c appliance/role/sandbox_table.c appliance/base/memfd.c
 * LIBS: jansson nettle libmnl libseccomp libcap-ng
 */
#include <stdlib.h>

#include "appliance/tap/session.h"
#include "appliance/tap/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void taken(const struct event *e)
{
	uint8_t wire[EVENT_WIRE_MAX];
	struct event again;

	if (!event_decode(bytes_of(wire, event_encode(e, wire)), &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes packets = bytes_of(data, size), sessions = packets;
	struct tap t = { 0 };
	struct event e;

	while (packets.left > 0) {
		size_t left = packets.left;

		if (tap_next(&t, &packets, &e))
			taken(&e);
		if (packets.left >= left)
			abort();
	}
	while (sessions.left > 0) {
		size_t left = sessions.left;

		if (tap_session_next(&sessions, &e, &t.malformed))
			taken(&e);
		if (sessions.left >= left)
			abort();
	}
	return 0;
}
