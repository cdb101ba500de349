/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How messages are cut into segments. OpENer reads four bytes and does not look at how many it got: a segment that holds but the
 * first one to three bytes of a message makes it take the length for 0, and it reads on in the middle of that message, where its data may
 * look like another. What does not begin in a header's first four bytes it either has whole or closes its session. So a message is
 * not cut there; no client does that by itself.
 */
#include "dpi/enip/encap.h"
#include "dpi/enip/state.h"

#define LENGTH_END 4u /* command and length: what such a server reads at once */

static bool is_cut(size_t carried, const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	if (carried == 0 || carried >= LENGTH_END || evaluate_allows_all(t, p, vocabulary_of(PROTO_ENIP)))
		return false;
	ret->reason = R_ENIP_CUT;
	return true;
}

bool enip_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	(void)state;
	(void)offset;
	(void)late;
	(void)b;
	return !is_cut(carried, t, p, ret);
}

bool enip_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	(void)state;
	(void)offset;
	(void)length;
	(void)late;
	(void)b;
	return !is_cut(carried, t, p, ret);
}
