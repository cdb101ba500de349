/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes rules as symbols. put_rule begins a rule, and PUT appends statements to it; RULE writes
 * a whole one. Without memory the arena has failed, and statements go into a scratch rule that is
 * not used.
 */
#ifndef SEKISHO_POLICY_IR_SKELETON_WRITER_H
#define SEKISHO_POLICY_IR_SKELETON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ir/ir.h"
#include "policy/ir/limits.h"
#include "policy/ir/rules.h"

struct arena;

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_PSH 8u
#define TCP_ACK 16u
#define TCP_URG 32u

/* A multicast listener query of a switch (RFC 3810, 5.1). Its hop limit of 1 proves that it comes
 * from the link. */
#define ICMP6_WHO_LISTENS 130u
#define ICMP6_LAST_HOP 1u

#define LOG_RATE 50u /* records per second and rule; counters are exact */

struct writer {
	struct arena *a;
	struct ir_maps maps;
	struct ir_limits limits;
	bool lasting; /* some permit allows lasting subscriptions (lasting.c) */
	struct ir_rule *rules;
	size_t n, room;
	struct ir_rule scratch; /* takes the statements when memory is out */
	struct ir_rule *rule;
};

void put_rule(struct writer *w, enum ir_chain chain);
void writer_put(struct writer *w, const struct ir_stmt *stmts, size_t n);
#define PUT(w, ...)                                                                                                    \
	writer_put((w), (const struct ir_stmt[]){ __VA_ARGS__ },                                                       \
		   sizeof((const struct ir_stmt[]){ __VA_ARGS__ }) / sizeof(struct ir_stmt))
#define RULE(w, chain, ...) (put_rule((w), (chain)), PUT(w, __VA_ARGS__))

/* Statements for PUT and RULE; the values as in enum ir_stmt_kind. DO_PACED holds while the key
 * does not exceed the rate per second. */
#define DO_3(stmt, x, y, z)                                                                                            \
	{                                                                                                              \
		.kind = (stmt), .a = (x), .b = (y), .c = (z)                                                           \
	}
#define DO(stmt, x, y) DO_3(stmt, x, y, 0)
#define DO_IN(stmt, where, key, x, y)                                                                                  \
	{                                                                                                              \
		.kind = (stmt), .set = (where), .a = (key), .b = (x), .c = (y)                                         \
	}
#define DO_SET(stmt, where, key) DO_IN(stmt, where, key, 0, 0)
#define DO_PACED(where, key, rate, burst) DO_IN(IR_PACE, where, key, rate, burst)
#define DO_TRANSPORT(family, l4proto) DO(IR_FAMILY, family, 0), DO(IR_L4PROTO, l4proto, 0)
/* Endings of a rule. DO_DROP counts, records and drops; DO_GO continues in another chain; DO_PASS
 * marks the packet as decided, so that the post chain lets it pass without another lookup. */
#define DO_ACCEPT DO(IR_ACCEPT, 0, 0)
#define DO_DROP(why) DO(IR_COUNT, why, 0), DO(IR_LOG, why, LOG_RATE), DO(IR_DROP, 0, 0)
#define DO_GO(to) DO(IR_GOTO, to, 0)
#define DO_PASS DO(IR_SET_MARK, MARK_FAST, 0), DO_ACCEPT

/* A separate rule: accepts ICMPv6 of that type with exactly this hop limit. */
void put_of_link(struct writer *w, enum ir_chain chain, uint32_t type, uint32_t hops);
/* A separate rule: drops a packet whose source is not routed through the interface where it came
 * in. IPv6 has no reverse-path check of its own. */
void put_home_only(struct writer *w, enum ir_chain chain);

/* The maps of cells of a family in the order in which they are looked up: the layers that end, the
 * earliest end first, then the cells that stay. */
uint32_t cell_maps(const struct writer *w);
enum ir_set cell_map(const struct writer *w, bool six, uint32_t i);
/* Separate rules: `lookup` in the maps of cells; when a cell is found, the packet goes to `then`.
 * While cells change, the bridge map of each map is looked up first. keys: of a packet of the
 * session's original direction, and of its reply direction; equal keys: the direction does not
 * matter. */
void put_cells(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, const enum ir_key keys[2],
	       enum ir_chain then);

/* As put_cells, if some permit allows lasting subscriptions; the found permit must be such a one.
 * `opens`: for datagrams that open a session, which get MARK_NOTICE. */
void put_lasting(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, const enum ir_key keys[2], bool opens,
		 enum ir_chain then);

/* Separate rules: a packet that people isolated, and whose session's permit is not kept, continues
 * in `then`; it is dropped if `then` is the chain itself. `twin`: the packet is one of its
 * session's twin (twin.c), whose permit is in the packet mark. */
void put_apart(struct writer *w, enum ir_chain chain, bool twin, enum ir_chain then);

#endif
