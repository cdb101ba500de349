/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for repeated polls. A repeated poll differs only in its service id, and its answer has
 * the same service id. */
#include "dpi/once.h"
#include "dpi/fins/request.h"
#include "dpi/fins/state.h"
#include "dpi/fins/words.h"

#define SID_AT (FINS_TCP_HEADER + 9u)

/* Whether the judgement of a request depends only on its bytes. */
static bool is_settled(const struct fins_state *s)
{
	return !s->datagrams && s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread;
}

bool fins_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct operation room[2];
	struct fins_request r = { .operations = room, .max = 2 };
	struct fins_head asks, says;
	size_t n = FINS_TCP_HEADER + FINS_HEADER + 2u;
	uint16_t end_code;

	if (!is_settled(state) || !fins_head_parse(false, request, &asks) || asks.tcp != FINS_TCP_FRAME || !asks.asks ||
	    !fins_head_parse(false, answer, &says) || says.tcp != FINS_TCP_FRAME || says.asks)
		return false;
	fins_request_parse(&asks, &r);
	if (!r.well_formed || r.due != FINS_DUE || r.answer != r.answer_max || says.command != asks.command ||
	    function_by_code(vocabulary_of(PROTO_FINS), r.service) == NULL || !bytes_be16(&says.rest, &end_code) ||
	    end_code != 0 || says.rest.left != r.answer)
		return false;
	/* An answer must have the header of this one, except the service id, and its end code. So
	 * it comes from the same node. */
	return once_begin(ret, request, n + r.answer) && once_repeats(ret, SID_AT, SID_AT, 1) &&
	       once_says(ret, 0, answer.p, SID_AT) &&
	       once_says(ret, SID_AT + 1u, answer.p + SID_AT + 1u, n - SID_AT - 1u);
}

bool fins_keep(const void *state, struct outbuf *to)
{
	const struct fins_state *s = state;

	out_u8(to, s->phase);
	out_u8(to, s->met);
	return is_settled(s);
}

bool fins_again(void *state, struct bytes kept)
{
	struct fins_state *s = state;
	uint8_t met;

	bytes_u8(&kept, &s->phase);
	bytes_u8(&kept, &met);
	s->met = met != 0;
	s->choice = NO_CHOICE;
	return bytes_done(&kept) && (s->phase == FINS_AGREED || s->phase == FINS_SPOKEN) && met <= 1;
}
