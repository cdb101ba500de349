/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a worker has left in its ring, counters included. The gate must read to the end
 * or give up. Every byte that it would send must belong to a verdict for one of its own queues,
 * with a mark of that queue's lane.
 *
 * LINK: appliance/gate/ring.c appliance/gate/verdict.c appliance/gate/reset.c
 * LINK: appliance/kernel/conntrack.c appliance/kernel/talk.c
 * LINK: appliance/wire/ring.c appliance/gate/overdue.c appliance/base/addr.c
 * LINK: appliance/base/bytes.c appliance/base/err.c
 * LINK: appliance/wire/pairs.c appliance/base/clock.c
 * LIBS: libmnl libnetfilter_queue
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/gate/gate.h"
#include "appliance/gate/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUES 3

int64_t gate_look(struct gate *g)
{
	(void)g;
	return 0;
}

bool gate_messages(struct gate *g)
{
	(void)g;
	return true;
}

static uint32_t be32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static void check(const uint8_t *p, size_t n, uint32_t lane)
{
	while (n > 0) {
		uint32_t len = p[0] | (uint32_t)p[1] << 8;

		if ((len != 32 && len != 40) || len > n || p[18] << 8 != (lane_queue(lane, 0) & 0xff00) ||
		    p[19] != (lane_queue(lane, 0) & 0xff))
			abort();
		if (be32(p + 24) == 1 &&
		    (len != 40 || mark_lane(be32(p + 36)) != lane || mark_permit(be32(p + 36)) == 0 ||
		     lane == LANE_CUT || (be32(p + 36) & MARK_FAST) != 0))
			abort();
		p += len;
		n -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t lanes[QUEUES] = { 28, 40, LANE_CUT };
	static struct ring ring;
	static struct gate g;
	static uint8_t buf[VERDICT_MAX * VERDICT_ONE];
	int out[QUEUES][2];
	uint32_t pending;

	if (size < 4 || size > 4 + 64 * 256)
		return 0;
	memset(&g, 0, sizeof(g));
	g.ring = &ring;
	g.raw4 = g.raw6 = g.sessions = -1;
	for (int i = 0; i < QUEUES; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, out[i]) < 0)
			abort();
		g.lanes[lanes[i]] = (struct gate_lane){ .fd = out[i][0], .lane = lanes[i], .slots = 1 };
		g.used |= (uint64_t)1 << lanes[i];
	}
	/* Two bytes: the position of the counters; two more: how many entries the worker claims to
	 * have written. */
	g.tail = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16;
	pending = (uint32_t)(data[2] << 8) | data[3];
	memset(ring.entries, 0, sizeof(ring.entries));
	for (size_t i = 4; i < size; i++) {
		size_t at = (i - 4) / 64;

		ring.entries[(g.tail + at) % RING_ENTRIES][(i - 4) % 64] = data[i];
	}
	atomic_store(&ring.head, g.tail + pending);
	for (int turns = 0; turns < 2000; turns++) {
		enum drain_result r = gate_drain(&g, 64);

		for (int i = 0; i < QUEUES; i++) {
			ssize_t n;

			while ((n = recv(out[i][1], buf, sizeof(buf), 0)) > 0)
				check(buf, (size_t)n, lanes[i]);
		}
		if (r != DRAIN_MORE)
			break;
		if (turns == 1999)
			abort();
	}
	if (g.dirty != 0)
		abort();
	for (int i = 0; i < QUEUES; i++) {
		close(out[i][0]);
		close(out[i][1]);
	}
	return 0;
}
