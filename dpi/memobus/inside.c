/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds hidden messages: forbidden ones at a position where the client began no message, for
 * example in written values or across the end of a message. A controller that does not read
 * messages as the manual describes could carry them out, for example if it takes the bytes of each
 * recv() for a message, or looks for the next header after an error. No message is incomplete
 * here: its lengths must fit its function and count before any of its bytes pass.
 */
#include "dpi/memobus/request.h"
#include "dpi/memobus/state.h"
#include "dpi/memobus/words.h"

/* operations of a hidden message that are read one by one; the others count as unknown */
#define PARTS 64u

/* Whether the bytes at `b`, where no message begins, could be read as a forbidden message. */
static bool is_forbidden(struct bytes b, const struct command_table *t, const struct command_permit *p,
			 struct ruling *ret)
{
	struct operation room[PARTS];
	struct memobus_request r = { .operations = room, .max = PARTS };
	struct memobus_head h;
	size_t n;

	if (memobus_frame(b, &n) != FRAME_WHOLE || !memobus_head_parse(bytes_of(b.p, n), &h) ||
	    h.type == MEMOBUS_RESPONSE)
		return false;
	memobus_request_parse(&h, &r);
	if (!r.well_formed)
		return false;
	evaluate(t, p, vocabulary_of(PROTO_MEMOBUS), r.operations, r.n, ret);
	return ret->reason != R_ALLOWED;
}

bool memobus_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		     const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct ruling ruling;
	struct bytes messages = b;
	size_t begins = 0, n = 0;

	(void)state;
	(void)offset;
	(void)carried;
	(void)late;
	if (evaluate_allows_all(t, p, vocabulary_of(PROTO_MEMOBUS))) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = memobus_frame(messages, &n) == FRAME_WHOLE && bytes_skip(&messages, n) ? at + n
													: SIZE_MAX;
		} else if ((b.p[0] == MEMOBUS_COMMAND || b.p[0] == MEMOBUS_GENERAL_PURPOSE) &&
			   is_forbidden(b, t, p, &ruling)) {
			pdu_name_ruling(ret, &ruling);
			ret->reason = R_MEMOBUS_INSIDE;
			return false;
		}
	}
	return true;
}
