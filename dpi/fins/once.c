/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for repeated polls. A repeated poll differs only in its service id, and its answer has
 * the same service id. */
#include "dpi/once.h"
#include "dpi/fins/request.h"
#include "dpi/fins/state.h"
#include "dpi/fins/words.h"

#define SID_AT (FINS_TCP_HEADER + 9u)

bool fins_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	const struct fins_state *s = state;
	struct operation room[2];
	struct fins_request r = { .operations = room, .max = 2 };
	struct fins_head asks, says;
	size_t n = FINS_TCP_HEADER + FINS_HEADER + 2u;
	uint16_t end_code;

	if (s->datagrams || s->wait.n > 0 || s->wait.unseen > 0 || s->wait.unread ||
	    !fins_head_parse(false, request, &asks) || asks.tcp != FINS_TCP_FRAME || !asks.asks ||
	    !fins_head_parse(false, answer, &says) || says.tcp != FINS_TCP_FRAME || says.asks)
		return false;
	fins_request_parse(&asks, &r);
	if (!r.well_formed || r.due != FINS_DUE || r.answer != r.answer_max || says.command != asks.command ||
	    function_by_code(vocabulary_of(PROTO_FINS), r.service) == NULL || !bytes_be16(&says.rest, &end_code) ||
	    end_code != 0 || says.rest.left != r.answer)
		return false;
	/* An answer must have the header of this one (except the service id), so it is from the
	 * same node, and the same end code. */
	return once_begin(ret, request, n + r.answer) && once_repeats(ret, SID_AT, SID_AT, 1) &&
	       once_says(ret, 0, answer.p, SID_AT) &&
	       once_says(ret, SID_AT + 1u, answer.p + SID_AT + 1u, n - SID_AT - 1u);
}
