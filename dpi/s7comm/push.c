/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that a server sends by itself. They pass if the session has subscribed to them and the
 * present rows still allow the subscription. The rows are asked again because a subscription
 * survives the policy under which it was made.
 */
#include <string.h>

#include "dpi/s7comm/s7comm.h"

/* Sub-functions of group S7_CPU that a server pushes once its messages are subscribed to. */
#define MESSAGES                                                                                                       \
	(1u << 3 | 1u << 5 | 1u << 6 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 16 | 1u << 17 | 1u << 18 |     \
	 1u << 22)

/* If the session is allowed less than before, its permit has another number. */
void s7_notice_permit(struct s7_state *s, const struct command_permit *p)
{
	s->moved |= s->permit != 0 && s->permit != p->permit;
	s->permit = p->permit;
}

/* Adds the addresses of a cyclic read, if they are not known yet. */
static void watch_add(struct s7_state *s, const struct operation *o)
{
	const struct s7_watched w = { .first_low = (uint32_t)o->first,
				      .first_high = (uint16_t)(o->first >> 32),
				      .count = (uint32_t)o->count,
				      .space = o->space,
				      .sub = (uint8_t)o->service };

	/* a request that ends a subscription names no address */
	if (o->space == SPACE_NONE && !o->place_unknown)
		return;
	for (uint32_t i = 0; i < s->n_watched; i++)
		if (memcmp(&s->watched[i], &w, sizeof(w)) == 0)
			return;
	if (o->place_unknown || o->first >> 48 != 0 || o->count > UINT32_MAX || s->n_watched == S7_WATCHED_MAX)
		s->watches_more = 1;
	else
		s->watched[s->n_watched++] = w;
}

void s7_subscribe(struct s7_state *s, const struct parsed *p)
{
	uint32_t service = p->operations[0].service, group = service >> 8 & 0xffu, sub = service & 0xffu;

	if (service == S7_SUB(S7_CPU, 2))
		s->subscribed |= SUBSCRIBED_MESSAGES;
	if (service >> 16 == 7 && group == S7_CYCLIC) {
		s->subscribed |= SUBSCRIBED_CYCLIC;
		for (uint32_t i = 0; i < p->n; i++)
			watch_add(s, &p->operations[i]);
	}
	if (service >> 16 == 7 && group == S7_TEST && sub < 32)
		s->jobs |= (uint32_t)1 << sub;
}

static void take_ruling(const struct ruling *ruling, struct pdu *ret)
{
	ret->reason = ruling->reason;
	ret->allowed = ruling->reason == R_ALLOWED;
	pdu_name_ruling(ret, ruling);
}

void s7_rule_unseen(const struct s7_state *s, uint32_t service, const struct allowance *by, struct pdu *ret)
{
	const struct operation o = { .service = service, .targets = { s7_slot(s) }, .space = SPACE_NONE };
	struct ruling ruling;

	evaluate_unseen(by, &o, &ruling);
	take_ruling(&ruling, ret);
}

/* The subscription that this push needs, as a code that a row must allow. 0: there is none. */
static uint32_t subscription(const struct s7_state *s, const struct s7_message *m)
{
	uint32_t jobs = s->met ? UINT32_MAX : s->jobs, sets = s->met ? UINT8_MAX : s->subscribed;

	if (m->group == S7_TEST && m->sub < 32 && (jobs >> m->sub & 1u) != 0)
		return S7_SUB(m->group, m->sub);
	if (m->group == S7_CYCLIC && (sets & SUBSCRIBED_CYCLIC) != 0)
		return S7_SUB(m->group, m->sub);
	if (m->group == S7_CPU && m->sub < 32 && (MESSAGES >> m->sub & 1u) != 0 && (sets & SUBSCRIBED_MESSAGES) != 0)
		return S7_SUB(S7_CPU, 2);
	/* a change from run to stop or back */
	if (m->group == 0 && (sets & SUBSCRIBED_MESSAGES) != 0)
		return S7_SUB(S7_CPU, 2);
	return 0;
}

/* Judges a push with unknown addresses. Only a row without limits of addresses and values allows
 * it, because only such a row allows the request for the push. */
static void rule_unknown(const struct s7_state *s, uint32_t service, const struct allowance *by, struct pdu *ret)
{
	const struct operation o = { .service = service,
				     .targets = { s7_slot(s) },
				     .space = SPACE_NONE,
				     .place_unknown = true,
				     .values = { .form = VALUES_UNKNOWN } };
	struct ruling ruling;

	evaluate(by, &o, 1, &ruling);
	take_ruling(&ruling, ret);
}

/*
 * Judges cyclic values: the addresses of every cyclic read must still be allowed. In a session met
 * half-way or with too many reads, some addresses are unknown. They were allowed when they were
 * requested, and count as allowed until the permit changes.
 */
static void rule_cyclic(const struct s7_state *s, uint32_t service, const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;

	if ((s->met || s->watches_more) && s->moved)
		rule_unknown(s, service, by, ret);
	else
		s7_rule_unseen(s, service, by, ret);
	for (uint32_t i = 0; i < s->n_watched && ret->allowed; i++) {
		const struct s7_watched *w = &s->watched[i];
		const struct operation o = { .service = S7_SUB(S7_CYCLIC, w->sub),
					     .targets = { s7_slot(s) },
					     .space = w->space,
					     .first = (uint64_t)w->first_high << 32 | w->first_low,
					     .count = w->count };

		evaluate(by, &o, 1, &ruling);
		take_ruling(&ruling, ret);
		if (!ret->allowed)
			pdu_name_operation(ret, &o, 1, &ruling);
	}
}

/* BSEND goes in both directions. Rows that let the client send any block let the server do so. */
void s7_block_pushed(struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret)
{
	if (m->group != S7_PBC || s->blocks == UINT8_MAX)
		return;
	rule_unknown(s, S7_SUB(m->group, m->sub), by, ret);
	if (ret->allowed)
		s->blocks++;
}

void s7_push(const struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret)
{
	uint32_t service = subscription(s, m);
	const struct function_info *f = function_by_code(&vocabulary_s7comm, service);
	/* the new operating mode, which is in the parameters */
	bool says_all = m->group == 0 && m->data.left == 0;

	if (service == 0 || !(says_all || s7_answer_fits(service, m)))
		return;
	if (f == NULL || f->untold != 0)
		rule_unknown(s, service, by, ret);
	else if (m->group == S7_CYCLIC)
		rule_cyclic(s, service, by, ret);
	else
		s7_rule_unseen(s, service, by, ret);
}
