/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches for requests that a server would execute if it takes the result of one recv for a
 * message: requests that are complete although their chunk says that more is to come. The bytes
 * before the end of a message pass before the message is judged, so such a server must not find a
 * complete request in them.
 */
#include "dpi/opcua/request.h"
#include "dpi/opcua/state.h"
#include "dpi/opcua/words.h"

/* Whether a complete request is in the last chunk of `b`, which is incomplete by its size, or in a
 * chunk after which the message continues. */
static bool holds_its_request(struct bytes b)
{
	struct opcua_numbers n;
	struct opcua_chunk c;
	size_t len;

	/* reads single chunks, whether they form one message or not; only the last chunk of a
	 * message may be a request by itself */
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
