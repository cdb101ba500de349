/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what the kernel reports to the tap about dropped packets, passed sessions and
 * neighbours. Every step must take something off the input, and what is reported must be an event
 * that the journal accepts.
 *
 * LINK: $(TAP_PARTS)
 * LIBS: jansson nettle libmnl libseccomp libcap-ng
 */
#include <stdlib.h>

#include "appliance/tap/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void taken(const struct event *e)
{
	uint8_t wire[EVENT_WIRE_MAX];
	struct event again;

	if (!event_decode(bytes_of(wire, event_encode(e, wire)), &again))
		abort();
}

/* Every host that is reported has an address and an interface, and makes a valid event. */
static void heard(const struct sighting *s)
{
	static struct sighted sighted;
	struct event e;

	if (s->is && (s->iif == 0 || !sighting_is_mac(s->mac)))
		abort();
	sighted_anew(&sighted);
	sighted.paces[s->iif % SIGHTED_INTERFACES].n = 0;
	if (sighted_in(&sighted, s, 1000000000u, &e) != s->is)
		abort();
	if (s->is)
		taken(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes packets = bytes_of(data, size), sessions = packets, neighbours = packets;
	struct sighting s;
	struct tap t = { 0 };
	struct event e;

	while (packets.left > 0) {
		size_t left = packets.left;

		if (tap_next(&t, &packets, &e))
			taken(&e);
		heard(&t.seen);
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
	while (neighbours.left > 0) {
		size_t left = neighbours.left;

		if (tap_neighbour_next(&neighbours, &s, &t.malformed)) {
			if (!s.is)
				abort();
			heard(&s);
		}
		if (neighbours.left >= left)
			abort();
	}
	return 0;
}
