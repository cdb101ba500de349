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

void put(struct writer *w, const struct ir_stmt *stmts, size_t n)
{
	for (size_t i = 0; i < n && w->rule->n < IR_STMTS; i++)
		w->rule->stmts[w->rule->n++] = stmts[i];
}

void put_of_link(struct writer *w, enum ir_chain chain, uint32_t type, uint32_t hops)
{
	RULE(w, chain, DO_TRANSPORT(6, IPPROTO_ICMPV6), DO(IR_ICMP_TYPE, type, 0), DO(IR_HOPLIMIT, hops, 0), DO_ACCEPT);
}

void put_home_only(struct writer *w, enum ir_chain chain)
{
	RULE(w, chain, DO(IR_UNROUTED, 0, 0), DO_GO(CHAIN_FORGED));
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
		RULE(w, chain, DO(IR_FAMILY, six ? 6 : 4, 0));
		if (key != KEY_PACKET)
			PUT(w, DO(IR_CT_DIRECTION, key == KEY_ORIGINAL_BACK, 0));
		if (k == 0)
			PUT(w, DO_SET(IR_IN_SET, SET_SWITCH, KEY_FAMILY));
		PUT(w, DO_SET(IR_ADMIT, (enum ir_set)maps[k], key), DO_GO(then));
	}
}

/* A packet without a session matches none of these sets, but other rules drop it. */
void put_apart(struct writer *w, enum ir_chain chain, enum ir_chain then)
{
	for (unsigned s = SET_APART4; s <= SET_APART6_NEXT; s++) {
		RULE(w, chain, DO_SET(IR_IN_SET, (enum ir_set)s, KEY_ENDS),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6 : SET_KEPT4, KEY_ENDS_PERMIT),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, KEY_ENDS_PERMIT));
		if (then == chain)
			PUT(w, DO_DROP(R_ISOLATED));
		else
			PUT(w, DO_GO(then));
	}
}
