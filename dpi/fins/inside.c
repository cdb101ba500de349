/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds commands that a server would execute if it does not frame FINS/TCP correctly.
 *
 * The first case is a FINS/TCP header at a position where the client began no frame, for example in
 * written values. A server that takes the result of one recv for a frame, or that searches for the
 * next "FINS" after an error, would execute the bytes after it. Real values do not look like this.
 *
 * The second case is a command that is complete although the length of its frame says that more is
 * to come: a server that takes the result of one recv for a frame would not wait.
 */
#include "dpi/fins/request.h"
#include "dpi/fins/state.h"

/* operations of an incomplete list that are read; in a longer list, the rest may be anything */
#define PARTS 64u

/* Whether a header may begin at `b`, as far as there are bytes: "FINS", and the bytes that are the
 * same in all lengths and commands. */
static bool may_begin(struct bytes b)
{
	static const uint8_t begins[] = { 'F', 'I', 'N', 'S', 0, 0 };
	uint32_t length, command;

	if (!bytes_starts(&b, begins, sizeof(begins)))
		return false;
	bytes_skip(&b, 4);
	return !bytes_be32(&b, &length) || !bytes_be32(&b, &command) || command <= FINS_TCP_CONFIRMS;
}

/* Whether the incomplete frame at `b` already holds a complete command that is refused. Its length
 * says that more bytes follow, but a server may not wait for them. */
static bool whole_too_early(struct bytes b, const struct command_table *t, const struct command_permit *p,
			    struct ruling *ret)
{
	struct operation room[PARTS];
	struct fins_request r = { .operations = room, .max = PARTS };
	struct fins_head h;
	size_t least;

	if (!bytes_skip(&b, FINS_TCP_HEADER) || !fins_head_parse(true, b, &h) || !h.asks)
		return false;
	least = fins_request_least(&h);
	if (least > h.rest.left)
		return false;
	h.rest = bytes_of(h.rest.p, least);
	fins_request_parse(&h, &r);
	if (!r.well_formed)
		return false;
	evaluate(t, p, vocabulary_of(PROTO_FINS), r.operations, r.n, ret);
	return ret->reason != R_ALLOWED;
}

static bool refuse(struct pdu *ret, const struct ruling *ruling, enum reason reason)
{
	pdu_name_ruling(ret, ruling);
	ret->reason = reason;
	return false;
}

bool fins_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct ruling ruling = { .reason = R_FINS_INSIDE };
	struct bytes frames = b;
	size_t begins = 0, n = 0;

	(void)state;
	(void)offset;
	(void)carried;
	(void)late;
	if (evaluate_allows_all(t, p, vocabulary_of(PROTO_FINS))) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = fins_frame(false, frames, &n) == FRAME_WHOLE && bytes_skip(&frames, n) ? at + n
													: SIZE_MAX;
		} else if (b.p[0] == 'F' && may_begin(b)) {
			evaluate_choice(t, p, vocabulary_of(PROTO_FINS), 0, &ruling.grant, &ruling.row);
			return refuse(ret, &ruling, R_FINS_INSIDE);
		}
	}
	return !whole_too_early(frames, t, p, &ruling) || refuse(ret, &ruling, R_FINS_CUT);
}
