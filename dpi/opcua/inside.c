/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server would carry out that takes one call of recv for a message: a request that is all
 * there although its chunk says that more is to come. The bytes in front of a message's end pass
 * before it is judged, so such a server must not find a whole request in them.
 */
#include "dpi/opcua/request.h"
#include "dpi/opcua/state.h"
#include "dpi/opcua/words.h"

/* The last chunk of `b`, which is not whole by its size, or one behind which its message goes on,
 * holds a whole request. */
static bool holds_its_request(struct bytes b)
{
	struct opcua_numbers n;
	struct opcua_chunk c;
	size_t len;

	/* chunk by chunk: whether they are one message is no matter here; no chunk but the last one
	 * of a message is a request by itself */
	while (opcua_frame(b, DIR_C2S, false, &len) == FRAME_WHOLE) {
		if (!opcua_chunk_take(&b, &c))
			return false;
		if (c.chunk == 'C' && c.kind >= OPCUA_OPEN && opcua_numbers_take(&c.body, &n) &&
		    opcua_request_is_whole(c.body))
			return true;
	}
	return opcua_chunk_take(&b, &c) && c.kind >= OPCUA_OPEN && opcua_numbers_take(&c.body, &n) &&
	       opcua_request_is_whole(c.body);
}

bool opcua_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		   const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	const struct opcua_state *s = state;

	(void)offset;
	(void)carried;
	(void)late;
	if (s->policy > OPCUA_POLICY_NONE || evaluate_allows_all(t, p, vocabulary_of(PROTO_OPCUA)) ||
	    !holds_its_request(b))
		return true;
	ret->reason = R_OPCUA_FRAME;
	return false;
}
