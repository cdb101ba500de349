/* SPDX-License-Identifier: Apache-2.0 */
/* Names of chains and sets as the kernel holds them. */
#include <stdio.h>

#include "policy/ir/ir.h"
#include "policy/ir/rules.h"
#include "policy/ir/sets.h"

const char *ir_chain_name(enum ir_chain c, char buf[16])
{
	static const char *const names[CHAIN_LANE_FIRST] = {
		[CHAIN_GUARD] = "guard",
		[CHAIN_INPUT] = "input",
		[CHAIN_FORWARD] = "forward",
		[CHAIN_POST] = "post",
		[CHAIN_LAST] = "last",
		[CHAIN_OUTPUT] = "output",
		[CHAIN_BEGUN] = "begun",
		[CHAIN_TAKEN] = "taken",
		[CHAIN_RELATED] = "related",
		[CHAIN_BARE] = "bare",
		[CHAIN_NEW] = "new",
		[CHAIN_LAPSED] = "lapsed",
		[CHAIN_RENEW] = "renew",
		[CHAIN_LOOKUP] = "lookup",
		[CHAIN_RELABEL] = "relabel",
		[CHAIN_INVALID] = "invalid",
		[CHAIN_ADMIT] = "admit",
		[CHAIN_CUT] = "cut",
		[CHAIN_JUDGED_GOOD] = "judged",
		[CHAIN_JUDGED_QUIET] = "quiet",
		[CHAIN_JUDGED_CONFIRMED] = "confirmed",
		[CHAIN_UNANSWERED] = "unanswered",
		[CHAIN_HOLD] = "hold",
		[CHAIN_OPEN] = "open",
		[CHAIN_ANSWER] = "answer",
		[CHAIN_PACE] = "pace",
		[CHAIN_AGAIN] = "again",
		[CHAIN_SHARE] = "share",
		[CHAIN_FULL_PAIR] = "full_pair",
		[CHAIN_FULL_ZONE] = "full_zone",
		[CHAIN_APART] = "apart",
		[CHAIN_PARTED] = "parted",
		[CHAIN_FORGED] = "forged",
		[CHAIN_TWIN] = "twin",
		[CHAIN_TWIN_FOUND] = "twin_found",
		[CHAIN_TWIN_NONE] = "twin_none",
		[CHAIN_TWIN_POST] = "twin_post",
		[CHAIN_TWIN_LAST] = "twin_last",
		[CHAIN_TWIN_GOOD] = "twin_good",
		[CHAIN_AGED] = "aged",
		[CHAIN_IDLED] = "idled",
	};

	if (c < CHAIN_LANE_FIRST)
		snprintf(buf, 16, "%s", names[c]);
	else
		snprintf(buf, 16, "lane_%u", (unsigned)(c - CHAIN_LANE_FIRST) % 1000u);
	return buf;
}

/* Text is joined to text: no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define PARTS(id, text)        \
	[id] = text, [(id) + 1] = text "_part_2", [(id) + 2] = text "_part_3", [(id) + 3] = text "_part_4", [(id) + 4] = text "_part_5", [(id) + 5] = text "_part_6", [(id) + 6] = text "_part_7", [(id) + 7] = text "_part_8", [(id) + 8] = text "_part_9", [(id) + 9] = text "_part_10", [(id) + 10] = text "_part_11", [(id) + 11] = text "_part_12", [(id) + 12] = text "_part_13", [(id) + 13] = text "_part_14", [(id) + 14] = text "_part_15", [(id) + 15] = text "_part_16"
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

const char *ir_set_name(enum ir_set s)
{
	static const char *const names[SET_COUNT] = {
		[SET_LIVE] = "live",
		[SET_AGREE] = "agree",
		[SET_TOGETHER] = "together",
		[SET_LIMITED] = "limited",
		[SET_EXACT4] = "exact4",
		PARTS(SET_RANGE4, "range4"),
		[SET_EXACT6] = "exact6",
		PARTS(SET_RANGE6, "range6"),
		[SET_RESETS] = "resets",
		[SET_HOME] = "home",
		[SET_PACE4] = "pace4",
		[SET_PACE6] = "pace6",
		[SET_PACE_FEW] = "pace_few",
		[SET_PACE_MANY] = "pace_many",
		[SET_PACE_LINK] = "pace_link",
		[SET_SHARE4] = "share4",
		[SET_SHARE6] = "share6",
		[SET_SHARE_ZONE] = "share_zone",
		[SET_AGES] = "ages",
		[SET_IDLES] = "idles",
		[SET_SWITCH] = "switch",
		[SET_APART4] = "apart4",
		[SET_APART6] = "apart6",
		[SET_APART4_NEXT] = "apart4_next",
		[SET_APART6_NEXT] = "apart6_next",
		[SET_KEPT4] = "kept4",
		[SET_KEPT6] = "kept6",
		[SET_KEPT4_NEXT] = "kept4_next",
		[SET_KEPT6_NEXT] = "kept6_next",
		PARTS(SET_BRIDGE4, "bridge4"),
		PARTS(SET_BRIDGE6, "bridge6"),
	};
	static const char *const layers[2][IR_LAYERS] = {
		{ "until4", "until4_2", "until4_3", "until4_4", "until4_5", "until4_6", "until4_7", "until4_8" },
		{ "until6", "until6_2", "until6_3", "until6_4", "until6_5", "until6_6", "until6_7", "until6_8" },
	};
	static const char *const bridges[2][IR_LAYERS] = {
		{ "bridge4_1", "bridge4_2", "bridge4_3", "bridge4_4", "bridge4_5", "bridge4_6", "bridge4_7",
		  "bridge4_8" },
		{ "bridge6_1", "bridge6_2", "bridge6_3", "bridge6_4", "bridge6_5", "bridge6_6", "bridge6_7",
		  "bridge6_8" },
	};

	if (s >= SET_BRIDGE4 + IR_PARTS && s < SET_BRIDGE6)
		return bridges[0][s - SET_BRIDGE4 - IR_PARTS];
	if (s >= SET_BRIDGE6 + IR_PARTS && s < SET_COUNT)
		return bridges[1][s - SET_BRIDGE6 - IR_PARTS];
	if (s >= SET_UNTIL4 && s < SET_EXACT4)
		return layers[0][s - SET_UNTIL4];
	if (s >= SET_UNTIL6 && s < SET_EXACT6)
		return layers[1][s - SET_UNTIL6];

	return (unsigned)s < SET_COUNT ? names[s] : "unknown";
}
