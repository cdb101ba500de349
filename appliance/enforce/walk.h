/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one packet through a table that was read from the kernel, step by step as in the
 * kernel: chains by hook and priority, registers, lookups, marks. It knows nothing of the rules'
 * purpose. Pure. It assumes a box at rest: no rate limit is reached and no share is full.
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
	uint16_t payload; /* bytes after a TCP header of `words` 32-bit words (5 when 0) */
	uint8_t words;
	uint8_t hop_limit;
	bool options; /* IPv4 options, or an IPv6 extension header */
	bool routed;  /* the source is routed through the input interface */
	enum walk_state state;
	bool reply;
	struct addr first_src, first_dst; /* addresses of the session's original direction */
	uint16_t first_port;
	uint32_t mark, ct_mark; /* rules may change both */
};

enum walk_end { WALK_ACCEPT, WALK_DROP, WALK_QUEUE, WALK_UNKNOWN };

struct walk_result {
	enum walk_end end;
	uint16_t queue, queues; /* WALK_QUEUE */
	bool bypass;
	/* priority of the base chain that ended the walk; a queued packet continues after it */
	int32_t priority;
	const char *chain; /* where it ended */
};

/* Walks through the base chains of `hook` with a priority above `after` (INT32_MIN: all of
 * them). */
struct walk_result walk(const struct ruleset *r, uint32_t hook, int32_t after, struct walk_packet *p);

#endif
