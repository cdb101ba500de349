/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches for requests that an outstation would execute if it does not read frames as the
 * specification describes.
 *
 * The first case is a frame at a position where the client began none, for example in a value or a
 * file. An outstation that takes the result of one recv for a frame, or that looks for the next 05
 * 64 after it lost its place, would execute it. The header has a checksum, so real values do not
 * look like it.
 *
 * The second case is a segment that is a request by itself: an outstation that does not put
 * segments together, since the requests that it knows fit into one, would not wait for the others.
 */
#include "dpi/dnp3/request.h"
#include "dpi/dnp3/state.h"
#include "dpi/dnp3/words.h"

static bool begins_data(struct bytes b)
{
	return dnp3_is_header(b) && b.p[2] > 5 && (b.p[3] & DNP3_DIR) != 0;
}

/* Whether the frame has one of several segments, and rows forbid this segment as a request of its
 * own. A segment is too short to need more operations than there is room for. */
static bool is_forbidden_alone(struct bytes frame, const struct command_table *t, const struct command_permit *p,
			       struct ruling *ret)
{
	struct operation room[OPERATIONS_MAX];
	struct dnp3_request r = { .operations = room, .max = OPERATIONS_MAX };
	uint8_t joined[DNP3_SEGMENT_MAX];
	struct dnp3_unit u;

	/* Unknown functions are skipped, because files may contain any bytes. */
	if (!dnp3_segment_alone(frame, joined, &u) || !dnp3_request_parse(&u, &r) || r.wrong != R_ALLOWED ||
	    r.function >= DNP3_REQUESTS)
		return false;
	evaluate(t, p, vocabulary_of(PROTO_DNP3), r.operations, r.n, ret);
	return ret->reason != R_ALLOWED;
}

static bool refuse(struct pdu *ret, const struct ruling *ruling, enum reason reason)
{
	pdu_name_ruling(ret, ruling);
	ret->reason = reason;
	return false;
}

bool dnp3_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct ruling ruling = { .reason = R_DNP3_INSIDE };
	struct bytes frames = b, frame;
	size_t begins = 0, n = 0;

	(void)state;
	(void)offset;
	(void)carried;
	(void)late;
	if (evaluate_allows_all(t, p, vocabulary_of(PROTO_DNP3))) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = SIZE_MAX;
			if (dnp3_link_frame(frames, &n) != FRAME_WHOLE || !bytes_take(&frames, n, &frame))
				continue;
			begins = at + n;
			if (is_forbidden_alone(frame, t, p, &ruling))
				return refuse(ret, &ruling, R_DNP3_CUT);
		} else if (b.p[0] == 0x05 && begins_data(b)) {
			evaluate_choice(t, p, vocabulary_of(PROTO_DNP3), 0, &ruling.grant, &ruling.row);
			return refuse(ret, &ruling, R_DNP3_INSIDE);
		}
	}
	return true;
}
