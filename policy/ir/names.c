/* SPDX-License-Identifier: Apache-2.0 */
/* Names of chains and sets as the kernel holds them. */
#include <stdio.h>

#include "policy/ir/ir.h"
#include "policy/ir/rules.h"
#include "policy/ir/sets.h"

const char *ir_chain_name(enum ir_chain c, char buf[16])
{
	static const char *const names[CHAIN_LANE_FIRST] = {
#define CHAIN(id, name) [id] = (name),
#include "policy/ir/chains.def"
	};

	if (c < CHAIN_LANE_FIRST)
		snprintf(buf, 16, "%s", names[c]);
	else
		snprintf(buf, 16, "lane_%u", (unsigned)(c - CHAIN_LANE_FIRST) % 1000u);
	return buf;
}

const char *ir_set_name(enum ir_set s)
{
	/* Text is joined to text: no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define NTH(id, n, text) [(id) + (n)-1] = text #n,
#define TO_8(id, text)                                                                                                 \
	NTH(id, 2, text)                                                                                               \
	NTH(id, 3, text) NTH(id, 4, text) NTH(id, 5, text) NTH(id, 6, text) NTH(id, 7, text) NTH(id, 8, text)
#define TO_16(id, text)                                                                                                \
	TO_8(id, text)                                                                                                 \
	NTH(id, 9, text)                                                                                               \
	NTH(id, 10, text)                                                                                              \
	NTH(id, 11, text)                                                                                              \
	NTH(id, 12, text) NTH(id, 13, text) NTH(id, 14, text) NTH(id, 15, text) NTH(id, 16, text)
	static const char *const names[SET_COUNT] = {
#define SET(id, text) [id] = (text),
#define LAYERS(id, text) [id] = text, TO_8(id, text "_")
#define PARTS(id, text) [id] = text, TO_16(id, text "_part_")
#define BRIDGES(id, text) NTH(id, 1, text "_") TO_8(id, text "_")
#include "policy/ir/sets.def"
	};
	/* NOLINTEND(bugprone-macro-parentheses) */

	return (unsigned)s < SET_COUNT ? names[s] : "unknown";
}
