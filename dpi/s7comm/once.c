/* SPDX-License-Identifier: Apache-2.0 */
/* What a read or write looks like when it is asked once more: it has another reference, which its
 * answer repeats. */
#include "dpi/once.h"
#include "dpi/s7comm/state.h"

#define REFERENCE_AT (S7_DT_HEADER + 4u)
#define PARAMETERS_AT 12u /* of an answer's message */

/* Behind the setup, nothing waits, nobody is lost, and no block is on its way: then its bytes alone
 * decide about a request. */
static bool is_settled(const struct s7_state *s)
{
	return s->phase == PHASE_READY && s->n_open == 0 && s->unread == 0 && s->lost == 0 && s->download == 0 &&
	       s->asked_back == 0 && s->moved == 0;
}

/* The items of a read's answer, from `at` on: all of them were there, and each says again how long
 * it is. */
static bool says_items(struct once_template *t, struct bytes items, size_t at)
{
	while (items.left > 0) {
		const uint8_t *head = items.p;
		size_t before = items.left, n;
		uint8_t result, type;
		uint16_t length;

		bytes_u8(&items, &result);
		bytes_u8(&items, &type);
		if (!bytes_be16(&items, &length) || result != S7_RESULT_GOOD || !s7_data_length(type, length, &n) ||
		    !once_says(t, at, head, 4) || !bytes_skip(&items, n))
			return false;
		if (n % 2u != 0 && items.left > 0)
			bytes_skip(&items, 1);
		at += before - items.left;
	}
	return !items.failed;
}

bool s7_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct s7_message asks, says;
	struct s7_unit u;

	s7_unwrap(request, NULL, &u);
	if (!is_settled(state) || !u.well_formed || u.tpdu != TPDU_DT || u.fragments != 1 ||
	    u.message.left + S7_DT_HEADER != request.left)
		return false;
	s7_message_read(u.message, &asks);
	s7_unwrap(answer, NULL, &u);
	if (!u.well_formed || u.tpdu != TPDU_DT || u.fragments != 1 || u.message.left + S7_DT_HEADER != answer.left)
		return false;
	s7_message_read(u.message, &says);
	if (asks.wrong != R_ALLOWED || says.wrong != R_ALLOWED || asks.kind != S7_JOB || says.kind != S7_ACK_DATA ||
	    says.error != 0 || asks.function != says.function ||
	    (asks.function != S7_READ && asks.function != S7_WRITE) || says.parameters.left != 1 ||
	    !once_begin(ret, request, answer.left) || !once_repeats(ret, REFERENCE_AT, REFERENCE_AT, 2))
		return false;
	/* All up to the items but the reference; of a write what became of each of them, too. */
	if (!once_says(ret, 0, answer.p, REFERENCE_AT) ||
	    !once_says(ret, REFERENCE_AT + 2u, answer.p + REFERENCE_AT + 2u,
		       S7_DT_HEADER + PARAMETERS_AT + 2u - (REFERENCE_AT + 2u)))
		return false;
	return asks.function == S7_READ
		       ? says_items(ret, says.data, S7_DT_HEADER + PARAMETERS_AT + 2u)
		       : once_says(ret, S7_DT_HEADER + PARAMETERS_AT + 2u, says.data.p, says.data.left);
}
