/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet through a table that was read from the kernel, step by step as the kernel would take
 * it: chains by hook and priority, registers, lookups, marks. It knows nothing of what the rules
 * are meant to do. Pure. A box at rest is assumed: no limit is reached and no share is full.
 */
#ifndef SEKISHO_ENFORCE_WALK_H
#define SEKISHO_ENFORCE_WALK_H

#include "appliance/base/addr.h"
#include "appliance/kernel/ruleset.h"

enum walk_state { WALK_NEW, WALK_ESTABLISHED, WALK_RELATED, WALK_INVALID };

struct walk_packet {
	uint32_t iif, oif; /* kernel indexes */
	struct addr src, dst;
	uint8_t l4proto;
	uint16_t sport, dport; /* ICMP: dport is type << 8 | code */
	uint8_t tcp_flags;
	uint16_t payload; /* bytes behind a TCP header of `words` (5 when 0) */
	uint8_t words;
	uint8_t hop_limit;
	bool options; /* IPv4 options, or an IPv6 extension header */
	bool routed;  /* the source is where the packet came in */
	enum walk_state state;
	bool reply;
	struct addr first_src, first_dst; /* of the session as it was opened */
	uint16_t first_port;
	uint32_t mark, ct_mark; /* both may be changed on the way */
};

enum walk_end { WALK_ACCEPT, WALK_DROP, WALK_QUEUE, WALK_UNKNOWN };

struct walk_result {
	enum walk_end end;
	uint16_t queue, queues; /* WALK_QUEUE */
	bool bypass;
	int32_t priority;  /* of the base chain that ended it: the way goes on behind it */
	const char *chain; /* where it ended */
};

/* Through the base chains of `hook` whose priority is above `after` (INT32_MIN: all of them). */
struct walk_result walk(const struct ruleset *r, uint32_t hook, int32_t after, struct walk_packet *p);

#endif
