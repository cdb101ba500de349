/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that a worker has judged once, in memory that the kernel reads: the worker writes it,
 * and the program appliance/cache/program.c uses it.
 *
 * A template describes a request that was allowed: its bytes, which of them may differ in a
 * repetition, and what its answer must be. A lease is one session that the kernel continues, from
 * given sequence numbers and by given templates, until the first packet that does not fit, or until
 * the worker wants it back. At each moment either the worker or the kernel has the session; `state`
 * alone says which.
 *
 * A handshake is a TCP session that begins: the program lets its three segments pass without a
 * visit to a worker, and writes down what passed. The first other packet is queued, and the worker
 * first catches up with the handshake.
 *
 * The memory of leases outlives the worker, and the daemon (supervise/once.c): a lease also has
 * what the next worker needs to go on with the session. The program does not trust the contents of
 * the memory: whatever they are, it accesses no other memory, and lets only packets pass whose mark
 * has the permit. Compiled for the kernel as well, so it includes no other header of ours. Sequence
 * numbers are in host order.
 */
#ifndef SEKISHO_WIRE_ONCE_H
#define SEKISHO_WIRE_ONCE_H

#include <stdint.h>

/* Changes with every change of these structures, or of what an enforcer keeps: memory of another
 * layout is not read. */
#define ONCE_LAYOUT 1u

#define ONCE_REQUEST 128u /* bytes of a request, at most */
#define ONCE_ANSWER 512u  /* bytes of its answer, at most */
/* first bytes of an answer that may be prescribed; later ones are free */
#define ONCE_HEAD 64u
#define ONCE_REPEATS 16u /* bytes of an answer that must repeat bytes of the request */
#define ONCE_KEPT 256u	 /* bytes of what a worker knows of a session, at most */
#define ONCE_USES 4u	 /* templates of one session */
#define ONCE_WAYS 4u	 /* slots in which a session may lie */
#define ONCE_TEMPLATES 1024u
#define ONCE_LEASES 8192u     /* a power of two */
#define ONCE_HANDSHAKES 4096u /* a power of two, at most ONCE_LEASES */
/* A worker notes at least once in this time that it lives. Without a living worker, no session
 * begins in the kernel. */
#define ONCE_ALIVE_NS ((uint64_t)2000000000u)

/*
 * A bit in the priority of a packet (skb->priority): the kernel has written the packet's checksum,
 * so the bytes that the program reads are those that will leave (kernel/small_tables.h). Forwarding
 * sets the priority of each IPv4 packet anew, to less than 16, so no sender can set this bit.
 */
#define ONCE_FINISHED 0x40000000u

/* Byte `at` of an answer must be byte `from` of its request, if `any` is 0xff. */
struct once_repeat {
	uint8_t at, from, any, unused;
};

/* A template is written once, before a lease names it. In the mask, bytes that may differ and all
 * bytes after the length are 0; the others are 0xff. */
struct once_template {
	uint32_t permit; /* 0: unused */
	uint16_t length, answer;
	uint64_t request[ONCE_REQUEST / 8], mask[ONCE_REQUEST / 8];
	uint64_t head[ONCE_HEAD / 8], head_mask[ONCE_HEAD / 8];
	struct once_repeat repeats[ONCE_REPEATS];
};

enum once_state {
	ONCE_BACK,  /* the worker has the session, and only the worker reads the lease */
	ONCE_GIVEN, /* the kernel has the session, and is not processing a packet */
	/* the kernel has the session, and one processor is processing a packet; no other
	 * processor may */
	ONCE_BUSY,
	ONCE_RECALLED, /* as ONCE_BUSY, and the processor gives the session back when it is done */
};

#define ONCE_NOTHING UINT32_MAX /* in `waits` and `last`: no request */
#define ONCE_RESET 3u		/* in `ended`: this end sent a RST */

/* By direction: 0 from the client, 1 from the server. */
struct once_lease {
	uint32_t state; /* enum once_state; changed in one step, by atomic operations */
	uint32_t permit;
	uint32_t client[4], server[4]; /* network order; of IPv4 the first word */
	uint16_t client_port, server_port;
	uint8_t family;	  /* 4 or 6 */
	uint8_t words[2]; /* words of the TCP header: 5 without options, 8 with timestamps only */
	uint8_t hops[2];  /* least hop limit (TTL) of its packets */
	/* 1 or 2: this end sent the first or the second FIN; ONCE_RESET: it sent a RST */
	uint8_t ended[2];
	uint8_t unused[5]; /* padding with a name, so that every byte is set */
	uint32_t next[2];  /* number of the next byte; a FIN counts as one, a RST does not */
	/* all bytes before it are acknowledged; the bytes from here to `next` are kept in `request`
	 * or `answer` */
	uint32_t acked[2];
	/* indexes of its templates; unused entries repeat one of the others */
	uint32_t uses[ONCE_USES];
	/* index in `uses` of the last request since the lease was given; ONCE_NOTHING: none */
	uint32_t last;
	/* index in `uses` of the request without an answer yet; ONCE_NOTHING: none */
	uint32_t waits;
	uint32_t asked[ONCE_USES]; /* how often each was requested since the lease was given */
	/* when the last packet passed, by the kernel's monotonic clock */
	uint64_t seen_ns;
	uint64_t request[ONCE_REQUEST / 8]; /* the last request that passed; it ends at next[0] */
	uint64_t answer[ONCE_ANSWER / 8];   /* the last answer that passed; it ends at next[1] */
	/* From here on for workers only: what a successor needs to go on with the session. */
	uint32_t counted[ONCE_USES]; /* how many of `asked` were counted */
	/* bytes in `answer` when the lease was given: the answer before it */
	uint16_t said;
	uint16_t n_kept; /* bytes of `kept`; 0: a successor cannot go on with it */
	uint8_t unused_too[4];
	/* the session's protocol (u16), then what the protocol's enforcer wrote */
	uint8_t kept[ONCE_KEPT];
};

/* What has passed of a handshake. */
struct once_handshake {
	/* enum once_state. ONCE_BACK with a mark: the worker has to catch up; without one, the slot
	 * is free, and the kernel takes it */
	uint32_t state;
	uint32_t mark; /* the packet mark of its SYN: permit and lane */
	uint32_t client[4], server[4];
	uint16_t client_port, server_port;
	uint8_t family;
	uint8_t passed; /* segments, 1 to 3 */
	uint8_t unused[2];
	uint32_t number[2]; /* sequence numbers of the SYN and of its answer */
	uint64_t since_ns;  /* when the SYN passed, by the kernel's monotonic clock */
};

struct once_handshakes {
	/* when the worker last noted that it lives, by the kernel's monotonic clock; 0: there is no
	 * worker */
	uint64_t alive_ns;
	struct once_handshake of[ONCE_HANDSHAKES];
};

/* The first of the slots in which a session may lie. An attacker who fills the slots of other
 * sessions only makes their packets visit the worker. */
static inline uint32_t once_place(const uint32_t client[4], const uint32_t server[4], uint32_t ports)
{
	uint32_t h = ports * 0x9e3779b1u;

	for (unsigned i = 0; i < 4; i++)
		h = (h ^ client[i] ^ (server[i] << 7 | server[i] >> 25)) * 0x85ebca6bu, h ^= h >> 15;
	return h & (ONCE_LEASES - ONCE_WAYS);
}

#endif
