/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs packets through the symbolic rules and elements as the kernel would, so that the meaning of
 * the skeleton can be tested without a kernel. One packet, one connection, one verdict at a time.
 */
#ifndef SEKISHO_TESTS_RULE_BOX_H
#define SEKISHO_TESTS_RULE_BOX_H

#include "policy/ir/elements.h"
#include "policy/ir/ir.h"
#include "policy/ir/rules.h"

struct box_rules {
	struct ir_rule *rules;
	size_t n_rules;
	struct ir_element *elements;
	size_t n_elements;
	uint64_t lanes;
	uint64_t now;
	/* What the kernel's sets would have counted. fast: the pair of hosts opens more than a few
	 * sessions; flooded: its zone opens more than it may; greedy: the pair has as many sessions
	 * as it may; full: its zone has. */
	bool fast, flooded, greedy, full, asked, crowded;
	bool switched; /* the cells are being changed: the bridge sets are asked */
};

/* The connection that tracking found; state 0 = none. */
struct box_flow {
	uint32_t state; /* CT_* state of the present packet */
	uint32_t mark;
	struct addr src, dst; /* original direction */
	uint8_t l4proto;
	uint16_t port;
	uint64_t ends[2]; /* seconds: the end of its age, and of its idle time */
};

struct box_packet {
	uint32_t iif, oif; /* interface indexes */
	struct addr src, dst;
	uint8_t l4proto;
	uint16_t sport, dport; /* ICMP: dport = type << 8 | code */
	uint8_t tcp_flags;
	uint8_t tcp_options; /* options of the kind that the rules ask for */
	uint8_t hop_limit;
	bool options;
	bool loaded;	   /* bytes follow the TCP header, which has no options */
	bool unrouted;	   /* no route leads back to its source by this interface */
	uint8_t direction; /* 0 original, 1 reply */
	uint32_t mark;
	struct box_flow *flow;
};

enum box_verdict { BOX_ACCEPT, BOX_DROP, BOX_QUEUE };

struct box_result {
	enum box_verdict verdict;
	uint32_t lane; /* BOX_QUEUE */
	bool bypass, together;
	enum reason reason; /* the last reason that was counted, or R_NONE */
};

struct box_result box_run(const struct box_rules *b, enum ir_chain chain, struct box_packet *p);

#endif
