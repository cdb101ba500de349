/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for repeated polls. A repetition has another number, which the answer repeats. */
#include "dpi/once.h"
#include "dpi/memobus/request.h"
#include "dpi/memobus/state.h"
#include "dpi/memobus/words.h"

#define NUMBER_AT 1u
/* bytes of an answer up to its body */
#define SAID (MEMOBUS_HEADER + MEMOBUS_LENGTH + MEMOBUS_LEAST)

/* Whether the judgement of a request depends only on its bytes. */
static bool is_settled(const struct memobus_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread;
}

bool memobus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct operation room[2];
	struct memobus_request r = { .operations = room, .max = 2 };
	struct memobus_head asks, says;

	if (!is_settled(state) || !memobus_head_parse(request, &asks) || asks.type != MEMOBUS_COMMAND ||
	    !memobus_head_parse(answer, &says) || says.type != MEMOBUS_RESPONSE)
		return false;
	memobus_request_parse(&asks, &r);
	if (!r.well_formed || r.answer != r.answer_max || says.service != asks.service || says.length != r.answer ||
	    memobus_layout_of(asks.service) == NULL)
		return false;
	/* The headers of the answer stay the same, so that the same CPU answers. */
	return once_begin(ret, request, MEMOBUS_HEADER + MEMOBUS_LENGTH + r.answer) &&
	       once_repeats(ret, NUMBER_AT, NUMBER_AT, 1) && once_says(ret, 0, answer.p, NUMBER_AT) &&
	       once_says(ret, NUMBER_AT + 1u, answer.p + NUMBER_AT + 1u, SAID - NUMBER_AT - 1u);
}

/* The state is the same in all sessions with a template. */
bool memobus_keep(const void *state, struct outbuf *to)
{
	(void)to;
	return is_settled(state);
}

bool memobus_again(void *state, struct bytes kept)
{
	(void)state;
	return bytes_done(&kept);
}
