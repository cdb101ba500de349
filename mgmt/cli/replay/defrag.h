/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembly of IP fragments for replay, as the kernel does it before the queue: a worker never sees a fragment.
 *
 * A fragment that lies wholly inside one run of bytes that came in order is ignored, as the kernel does; any other overlap
 * refuses the whole datagram, and whatever else belongs to it, until its time is up. Memory is bounded:
 * DEFRAG_SLOTS datagrams of at most 64 kB; the oldest makes room and is counted as incomplete. Owns its buffers.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_DEFRAG_H
#define SEKISHO_MGMT_CLI_REPLAY_DEFRAG_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"

#define DEFRAG_SLOTS 256
#define DEFRAG_TIME_NS (30ull * 1000000000u)

struct defrag;

enum defrag_result {
	DEFRAG_WHOLE,	/* no fragment: *ret is the packet as given */
	DEFRAG_DONE,	/* the last missing piece: *ret is the datagram, valid until the next call */
	DEFRAG_WAITING, /* kept, or ignored as a repetition */
	DEFRAG_REFUSED, /* overlap, impossible offset or length, or part of a datagram refused before */
};

struct defrag_stats {
	uint64_t fragments;   /* seen */
	uint64_t reassembled; /* datagrams completed */
	uint64_t refused;     /* datagrams refused */
	uint64_t incomplete;  /* datagrams given up: time or room ran out */
};

struct defrag *defrag_new(void); /* owned by the caller; NULL when memory is out */
void defrag_free(struct defrag *d);
/* `ip` starts at an IP header of either family and may end in link padding. A header that makes no sense is
 * DEFRAG_WHOLE: decoding it is somebody else's. */
enum defrag_result defrag_packet(struct defrag *d, struct bytes ip, struct mono now, struct bytes *ret);
/* What still waits is counted as incomplete. */
void defrag_stats(const struct defrag *d, struct defrag_stats *ret);

#endif
