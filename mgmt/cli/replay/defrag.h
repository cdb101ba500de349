/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembles IP fragments for replay, as the kernel does before the queue: a worker never sees a
 * fragment. A fragment that lies completely inside one run of bytes that came in order is
 * ignored, as by the kernel. Any other overlap refuses the whole datagram, and all its later
 * fragments until its time is over. Memory is bounded: at most DEFRAG_SLOTS datagrams of at most
 * 64 kB. When all slots are in use, the oldest datagram is dropped and counted as incomplete.
 * Owns its buffers.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_DEFRAG_H
#define SEKISHO_MGMT_CLI_REPLAY_DEFRAG_H

#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"

struct defrag;

#define DEFRAG_SLOTS 256
#define DEFRAG_TIME_NS (30ull * 1000000000u)

struct defrag;

enum defrag_result {
	DEFRAG_WHOLE, /* no fragment: *ret is the packet as given */
	/* the last missing fragment: *ret is the whole datagram, valid until the next call */
	DEFRAG_DONE,
	DEFRAG_WAITING, /* kept, or ignored as a repetition */
	/* overlap, impossible offset or length, or a fragment of a datagram that was refused
	 * before */
	DEFRAG_REFUSED,
};

struct defrag_stats {
	uint64_t fragments;   /* seen */
	uint64_t reassembled; /* datagrams completed */
	uint64_t refused;     /* datagrams refused */
	uint64_t incomplete;  /* datagrams that were dropped, because time or room ran out */
};

struct defrag *defrag_new(void); /* owned by the caller; NULL when memory is out */
void defrag_free(struct defrag *d);
/* `ip` starts at an IP header of either family, and may end in link padding. An invalid header
 * gives DEFRAG_WHOLE, because decoding comes later. */
enum defrag_result defrag_packet(struct defrag *d, struct bytes ip, struct mono now, struct bytes *ret);
/* Datagrams that still wait are counted as incomplete. */
void defrag_stats(const struct defrag *d, struct defrag_stats *ret);

#endif
