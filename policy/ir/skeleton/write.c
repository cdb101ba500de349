/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/writer.h"

#include <netinet/in.h>
#include <string.h>

#include "appliance/wire/lasting.h"
#include "policy/ir/lasting.h"

void put_rule(struct writer *w, enum ir_chain chain)
{
	w->rule = arena_grow(w->a, (void **)&w->rules, &w->n, &w->room, sizeof(*w->rule));
	if (w->rule == NULL) {
		w->rule = &w->scratch;
		memset(w->rule, 0, sizeof(*w->rule));
	}
	w->rule->chain = chain;
}

void writer_put(struct writer *w, const struct ir_stmt *stmts, size_t n)
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

/* Rules of put_cells or, if `lasting`, of put_lasting. */
static void put_lookups(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, const enum ir_key keys[2],
			bool lasting, bool opens, enum ir_chain then)
{
	uint32_t maps = cell_maps(w);

	for (uint32_t i = 0; i < 2 * maps; i++)
		for (uint32_t k = 0; k < (keys[0] == keys[1] ? 2u : 4u); k++) {
			enum ir_set map = cell_map(w, i >= maps, i < maps ? i : i - maps);
			unsigned bridge = ir_set_bridge_of(map);

			if (k % 2 == 0 && bridge == SET_COUNT)
				continue;
			RULE(w, chain, DO(IR_FAMILY, ir_set_six(map) ? 6 : 4, 0));
			/* of an answer, tracking does not know the packet's own ports */
			if (lookup != IR_ADMIT)
				PUT(w, DO(IR_L4PROTO, IPPROTO_UDP, 0));
			if (opens)
				PUT(w, DO(IR_CT_STATE, CT_NEW, 0));
			if (keys[0] != keys[1])
				PUT(w, DO(IR_CT_DIRECTION, k / 2, 0));
			if (k % 2 == 0)
				PUT(w, DO_SET(IR_IN_SET, SET_SWITCH, KEY_FAMILY));
			PUT(w, DO_SET(lookup, k % 2 == 0 ? (enum ir_set)bridge : map, keys[k / 2]));
			if (lasting)
				PUT(w, DO_IN(IR_IN_SET, SET_LIMITED, KEY_LIMITED | KEY_TWIN, LIMIT_LASTING, 0));
			if (opens)
				PUT(w, DO(IR_ADD_MARK, MARK_NOTICE, 0));
			PUT(w, DO_GO(then));
		}
}

void put_cells(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, const enum ir_key keys[2],
	       enum ir_chain then)
{
	put_lookups(w, chain, lookup, keys, false, false, then);
}

void put_lasting(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, const enum ir_key keys[2], bool opens,
		 enum ir_chain then)
{
	if (w->lasting)
		put_lookups(w, chain, lookup, keys, true, opens, then);
}

/* A packet without a session matches none of these sets, but other rules drop it. */
void put_apart(struct writer *w, enum ir_chain chain, bool twin, enum ir_chain then)
{
	uint32_t of = twin ? KEY_TWIN : 0, permit = KEY_ENDS_PERMIT | of;

	for (unsigned s = SET_APART4; s <= SET_APART6_NEXT; s++) {
		RULE(w, chain, DO_SET(IR_IN_SET, SET_PARTED, KEY_FAMILY),
		     DO_SET(IR_IN_SET, (enum ir_set)s, KEY_ENDS | of),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6 : SET_KEPT4, permit),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, permit));
		if (then == chain)
			PUT(w, DO_DROP(R_ISOLATED));
		else
			PUT(w, DO_GO(then));
	}
}
