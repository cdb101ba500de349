/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/skeleton/chains.h"

#include <netinet/in.h>
#include <string.h>

void put_rule(struct writer *w, enum ir_chain chain)
{
	w->rule = arena_grow(w->a, (void **)&w->rules, &w->n, &w->room, sizeof(*w->rule));
	if (w->rule == NULL) {
		w->rule = &w->scratch;
		memset(w->rule, 0, sizeof(*w->rule));
	}
	w->rule->chain = chain;
}

void put_paced(struct writer *w, enum ir_set set, enum ir_key key, uint32_t rate, uint32_t burst)
{
	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] =
			(struct ir_stmt){ .kind = IR_PACE, .set = set, .a = key, .b = rate, .c = burst };
}

void put_set(struct writer *w, enum ir_stmt_kind kind, enum ir_set set, enum ir_key key)
{
	uint32_t b = kind != IR_CROWD ? 0 : set == SET_SHARE_ZONE ? IR_ZONE_PART : IR_PAIR_PART;

	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] = (struct ir_stmt){ .kind = kind, .set = set, .a = key, .b = b };
}

void put(struct writer *w, enum ir_stmt_kind kind, uint32_t a, uint32_t b)
{
	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] = (struct ir_stmt){ .kind = kind, .a = a, .b = b };
}

void put_drop(struct writer *w, enum reason r)
{
	put(w, IR_COUNT, r, 0);
	put(w, IR_LOG, r, LOG_RATE);
	put(w, IR_DROP, 0, 0);
}

void put_go(struct writer *w, enum ir_chain to)
{
	put(w, IR_GOTO, to, 0);
}

void put_pass(struct writer *w)
{
	put(w, IR_SET_MARK, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
}

void put_transport(struct writer *w, uint32_t family, uint32_t l4proto)
{
	put(w, IR_FAMILY, family, 0);
	put(w, IR_L4PROTO, l4proto, 0);
}

void put_of_link(struct writer *w, enum ir_chain chain, uint32_t type, uint32_t hops)
{
	put_rule(w, chain);
	put_transport(w, 6, IPPROTO_ICMPV6);
	put(w, IR_ICMP_TYPE, type, 0);
	put(w, IR_HOPLIMIT, hops, 0);
	put(w, IR_ACCEPT, 0, 0);
}

void put_home_only(struct writer *w, enum ir_chain chain)
{
	put_rule(w, chain);
	put(w, IR_UNROUTED, 0, 0);
	put_go(w, CHAIN_FORGED);
}

uint32_t cell_maps(const struct writer *w)
{
	return w->maps.layers + 1 + w->maps.parts;
}

enum ir_set cell_map(const struct writer *w, bool six, uint32_t i)
{
	if (i < w->maps.layers)
		return (enum ir_set)((six ? SET_UNTIL6 : SET_UNTIL4) + w->maps.layers - 1 - i);
	/* behind the exact cells are the parts of the ranges */
	return (enum ir_set)((six ? SET_EXACT6 : SET_EXACT4) + i - w->maps.layers);
}

void put_admitted(struct writer *w, enum ir_chain chain, bool six, enum ir_set map, enum ir_key key, enum ir_chain then)
{
	unsigned maps[] = { ir_set_bridge_of(map), map };

	for (size_t k = maps[0] == SET_COUNT ? 1 : 0; k < 2; k++) {
		put_rule(w, chain);
		put(w, IR_FAMILY, six ? 6 : 4, 0);
		if (key != KEY_PACKET)
			put(w, IR_CT_DIRECTION, key == KEY_ORIGINAL_BACK, 0);
		if (k == 0)
			put_set(w, IR_IN_SET, SET_SWITCH, KEY_FAMILY);
		put_set(w, IR_ADMIT, (enum ir_set)maps[k], key);
		put_go(w, then);
	}
}

/* A packet without a session matches none of these sets, but other rules drop it. */
void put_apart(struct writer *w, enum ir_chain chain, enum ir_chain then)
{
	for (unsigned s = SET_APART4; s <= SET_APART6_NEXT; s++) {
		put_rule(w, chain);
		put_set(w, IR_IN_SET, (enum ir_set)s, KEY_ENDS);
		put_set(w, IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6 : SET_KEPT4, KEY_ENDS_PERMIT);
		put_set(w, IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, KEY_ENDS_PERMIT);
		if (then == chain)
			put_drop(w, R_ISOLATED);
		else
			put_go(w, then);
	}
}
