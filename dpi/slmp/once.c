/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates for repeated polls. A repeated 4E frame in binary has another serial number, which the
 * answer repeats; a repeated 3E frame is the same. 4E frames in ASCII have no template, because a
 * serial number in digits does not allow arbitrary bytes.
 */
#include "dpi/once.h"
#include "dpi/slmp/state.h"
#include "dpi/slmp/words.h"

#define SERIAL_AT 2u

/* Bytes or characters of its answer's data; SLMP_ANY: they depend on more than the request. */
static uint16_t answer_of(struct bytes request, struct slmp_head *h)
{
	struct operation room[2];
	struct slmp_request r = { .operations = room, .max = 2 };
	uint32_t timer, command, sub;

	if (!slmp_head_parse(request, h) || !h->asks)
		return SLMP_ANY;
	slmp_number(&h->rest, 2, &timer);
	slmp_number(&h->rest, 2, &command);
	slmp_number(&h->rest, 2, &sub);
	if (h->rest.b.failed || command == SLMP_MONITOR || command == SLMP_MONITOR_REGISTER || command == SLMP_RESET ||
	    command == SLMP_ON_DEMAND)
		return SLMP_ANY;
	slmp_request_parse(command << 16 | sub, h->targets, h->rest, &r);
	return r.well_formed ? r.answer : SLMP_ANY;
}

/* Adds length and end code, low byte first or in digits. */
static bool says_end(struct once_template *t, size_t head, bool ascii, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t text[8] = { 0, 0, 0, 0, '0', '0', '0', '0' };

	if (!ascii)
		return once_says(t, head - 2u, (uint8_t[]){ (uint8_t)(n + 2u), (uint8_t)((n + 2u) >> 8), 0, 0 }, 4);
	for (unsigned i = 0; i < 4; i++)
		text[i] = (uint8_t)digits[(n + 4u) >> (12u - 4u * i) & 15u];
	return once_says(t, head - 4u, text, sizeof(text));
}

/* Whether the judgement of a request depends only on its bytes, except for registered devices. */
static bool is_settled(const struct slmp_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread && !s->cut;
}

bool slmp_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	const struct slmp_state *s = state;
	struct slmp_head h;
	uint16_t n = answer_of(request, &h);
	bool ascii = (h.form & SLMP_ASCII) != 0;
	size_t head = slmp_head_length(h.form), route = head - (ascii ? 14u : 7u);

	if (n == SLMP_ANY || answer.left != head + (ascii ? 4u : 2u) + n || !is_settled(s) || s->form != h.form ||
	    (ascii && (h.form & SLMP_4E)))
		return false;
	if (!once_begin(ret, request, head + (ascii ? 4u : 2u) + n) || !once_says(ret, 0,
										  ascii		     ? "D000"
										  : h.form & SLMP_4E ? "\xd4"
												     : "\xd0",
										  ascii ? 4 : 1))
		return false;
	if (!ascii && !once_says(ret, 1, "\0", 1))
		return false;
	if ((h.form & SLMP_4E) && (!once_repeats(ret, SERIAL_AT, SERIAL_AT, 2) || !once_says(ret, 4, "\0\0", 2)))
		return false;
	return once_says(ret, route, (const uint8_t *)ret->request + route, ascii ? 10 : 5) &&
	       says_end(ret, head, ascii, n);
}

bool slmp_keep(const void *state, struct outbuf *to)
{
	const struct slmp_state *s = state;
	const struct slmp_monitor *m = &s->registered;

	out_u8(to, s->form);
	out_u8(to, m->n);
	out_be64(to, m->route);
	out_be16(to, m->answer);
	for (uint32_t i = 0; m->n != SLMP_MONITOR_MORE && i < m->n; i++) {
		out_be32(to, m->places[i].first);
		out_be32(to, m->places[i].count);
		out_u8(to, m->places[i].space);
	}
	return is_settled(s) && s->registering.n == 0;
}

bool slmp_again(void *state, struct bytes kept)
{
	struct slmp_state *s = state;
	struct slmp_monitor *m = &s->registered;

	bytes_u8(&kept, &s->form);
	bytes_u8(&kept, &m->n);
	bytes_be64(&kept, &m->route);
	bytes_be16(&kept, &m->answer);
	if ((s->form & SLMP_FORM) == 0 || s->form > (SLMP_FORM | SLMP_ASCII | SLMP_4E) ||
	    (m->n > SLMP_MONITOR_MAX && m->n != SLMP_MONITOR_MORE))
		return false;
	for (uint32_t i = 0; m->n != SLMP_MONITOR_MORE && i < m->n; i++) {
		bytes_be32(&kept, &m->places[i].first);
		bytes_be32(&kept, &m->places[i].count);
		bytes_u8(&kept, &m->places[i].space);
		if (space_key(vocabulary_of(PROTO_SLMP), m->places[i].space) == NULL)
			return false;
	}
	return bytes_done(&kept);
}
