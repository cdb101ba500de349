/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller would carry out that does not read messages as the manual has them: a forbidden
 * one where the client began no message, in written values, say, or across the end of one. A
 * receiver that takes what one call of recv returns for a message, or looks for the next header
 * where it lost its place, would carry it out.
 *
 * A message whose lengths say that more is to come is none: they have to be those of its function
 * and count before any of it passes.
 */
#include "dpi/memobus/request.h"
#include "dpi/memobus/state.h"
#include "dpi/memobus/words.h"

/* places of a hidden list that are read; the rest may be anything */
#define PARTS 64u

/* A message at `b`, where none begins, that rows forbid. */
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
