/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches for commands that a server would execute if it does not read APDUs as the specification
 * describes: a forbidden command at a position where the client began no APDU, for example in a
 * file segment or across the end of an APDU. A server that takes the result of one recv for an
 * APDU, or looks for the next 68 after it lost its place, would execute it.
 *
 * An APDU with a wrong length cannot hide a command: the length must fit the type before any byte
 * of the command passes.
 */
#include "dpi/iec104/request.h"
#include "dpi/iec104/state.h"

/* Whether a command begins at `b`, where the client began no APDU, and rows forbid it. */
static bool is_forbidden(struct bytes b, const struct command_table *t, const struct command_permit *p,
			 struct ruling *ret)
{
	struct operation o;
	struct iec104_head h;
	size_t n;

	if (iec104_frame(b, &n) != FRAME_WHOLE || !iec104_head_parse(bytes_of(b.p, n), &h) || h.says != 0 ||
	    iec104_request_parse(&h, &o) != R_ALLOWED)
		return false;
	evaluate(t, p, vocabulary_of(PROTO_IEC104), &o, 1, ret);
	return ret->reason != R_ALLOWED;
}

bool iec104_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		    const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct ruling ruling;
	struct bytes apdus = b;
	size_t begins = 0, n = 0;

	(void)state;
	(void)offset;
	(void)carried;
	(void)late;
	if (evaluate_allows_all(t, p, vocabulary_of(PROTO_IEC104))) /* nothing can be misread */
		return true;
	for (size_t at = 0; b.left > 0; bytes_skip(&b, 1), at++) {
		if (at == begins) {
			begins = iec104_frame(apdus, &n) == FRAME_WHOLE && bytes_skip(&apdus, n) ? at + n : SIZE_MAX;
		} else if (b.p[0] == IEC104_START && is_forbidden(b, t, p, &ruling)) {
			pdu_name_ruling(ret, &ruling);
			ret->reason = R_IEC104_INSIDE;
			return false;
		}
	}
	return true;
}
