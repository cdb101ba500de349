/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for repeated reads and writes. A repetition has another reference, which the answer
 * repeats. */
#include "dpi/once.h"
#include "dpi/s7comm/s7comm.h"
#include "dpi/s7comm/transport.h"

#define REFERENCE_AT (S7_DT_HEADER + 4u)
#define PARAMETERS_AT 12u /* offset of the parameters in the message of an answer */

/* Whether the judgement of a request depends only on its bytes: setup is done, no request waits,
 * the server is in step, and no block is transferred. */
static bool is_settled(const struct s7_state *s)
{
	return s->phase == PHASE_READY && s->wait.n == 0 && !s->wait.unread && s->lost == 0 && s->download == 0 &&
	       s->asked_back == 0 && s->blocks == 0 && s->moved == 0;
}

/* Adds the items of a read's answer, from `at` on: each must report success and the same length. */
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
	/* Everything before the items except the reference; for a write also the result of each
	 * item. */
	if (!once_says(ret, 0, answer.p, REFERENCE_AT) ||
	    !once_says(ret, REFERENCE_AT + 2u, answer.p + REFERENCE_AT + 2u,
		       S7_DT_HEADER + PARAMETERS_AT + 2u - (REFERENCE_AT + 2u)))
		return false;
	return asks.function == S7_READ
		       ? says_items(ret, says.data, S7_DT_HEADER + PARAMETERS_AT + 2u)
		       : once_says(ret, S7_DT_HEADER + PARAMETERS_AT + 2u, says.data.p, says.data.left);
}

/* ---- what another worker needs --------------------------------------------------------------- */

#define KNOWS_SLOT 1u
#define WAS_MET 2u
#define WATCHES_MORE 4u

bool s7_keep(const void *state, struct outbuf *to)
{
	const struct s7_state *s = state;

	out_u8(to, (uint8_t)((s->slot_known ? KNOWS_SLOT : 0) | (s->met ? WAS_MET : 0) |
			     (s->watches_more ? WATCHES_MORE : 0)));
	out_u8(to, s->subscribed);
	out_be16(to, s->slot);
	out_be16(to, s->client);
	out_be16(to, s->size);
	out_be32(to, s->jobs);
	out_be32(to, s->permit);
	for (uint32_t i = 0; i < s->n_watched; i++) {
		const struct s7_watched *w = &s->watched[i];

		out_be16(to, w->first_high);
		out_be32(to, w->first_low);
		out_be32(to, w->count);
		out_u8(to, w->space);
		out_u8(to, w->sub);
	}
	return is_settled(s) && s->size > 0;
}

static bool watch_again(struct s7_state *s, struct bytes *kept)
{
	struct s7_watched w = { 0 };

	bytes_be16(kept, &w.first_high);
	bytes_be32(kept, &w.first_low);
	bytes_be32(kept, &w.count);
	bytes_u8(kept, &w.space);
	if (!bytes_u8(kept, &w.sub) || s->n_watched == S7_WATCHED_MAX || space_key(&vocabulary_s7comm, w.space) == NULL)
		return false;
	s->watched[s->n_watched++] = w;
	return true;
}

bool s7_again(void *state, struct bytes kept)
{
	struct s7_state *s = state;
	uint8_t flags;

	bytes_u8(&kept, &flags);
	bytes_u8(&kept, &s->subscribed);
	bytes_be16(&kept, &s->slot);
	bytes_be16(&kept, &s->client);
	bytes_be16(&kept, &s->size);
	bytes_be32(&kept, &s->jobs);
	bytes_be32(&kept, &s->permit);
	if (kept.failed || flags > (KNOWS_SLOT | WAS_MET | WATCHES_MORE) ||
	    s->subscribed > (SUBSCRIBED_MESSAGES | SUBSCRIBED_CYCLIC) || s->slot > SLOT_UNKNOWN || s->size == 0 ||
	    s->permit == 0)
		return false;
	s->phase = PHASE_READY;
	s->slot_known = (flags & KNOWS_SLOT) != 0;
	s->met = (flags & WAS_MET) != 0;
	s->watches_more = (flags & WATCHES_MORE) != 0;
	s->connect_choice = NO_CHOICE;
	while (kept.left > 0)
		if (!watch_again(s, &kept))
			return false;
	return true;
}
