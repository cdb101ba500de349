/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server would carry out that does not read APDUs as the specification has them: a forbidden
 * command where the client began no APDU, in a file's segment, say, or across the end of one. A
 * server that takes what one call of recv returns for an APDU, or looks for the next 68 where it
 * lost its place, would carry it out.
 *
 * A command whose APDU says that more is to come is none: the length has to be that of its type
 * before any of it passes.
 */
#include "dpi/iec104/request.h"
#include "dpi/iec104/state.h"

/* A command at `b`, where no APDU begins, that rows forbid. */
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
