/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for repeated polls. A repetition has another transaction id, which the
 * answer repeats. */
#include "dpi/once.h"
#include "dpi/modbus/state.h"

#define HEADER 7u /* bytes before the function code */

/* Bytes of an answer after the function code; 0: they depend on more than the request, or some
 * servers read the request differently. */
static size_t answer_of(const struct modbus_request *r)
{
	switch (r->function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
		return 1u + (r->quantity + 7u) / 8u;
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
		return 1u + r->quantity * 2u;
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		return 4;
	default:
		return 0;
	}
}

/* Whether the judgement of a request depends only on its bytes: no request waits, the server is in
 * step, and it reads Modbus/TCP. */
static bool is_settled(const struct modbus_state *s)
{
	return s->wait.n == 0 && s->wait.unseen == 0 && !s->wait.unread && s->slip.n == 0 && !s->slip.late &&
	       s->lenient == 0 && s->serial.reads == READS_TCP;
}

bool modbus_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret)
{
	struct modbus_request r;
	uint8_t said[5];
	size_t n;

	modbus_request_parse(request, &r);
	if (!is_settled(state) || !r.well_formed || r.operations[0].broadcast)
		return false;
	n = answer_of(&r);
	if (n == 0 || answer.left != HEADER + 1u + n || !once_begin(ret, request, HEADER + 1u + n) ||
	    !once_repeats(ret, 0, 0, 2))
		return false;
	/* Protocol id 0, the number of following bytes, the unit and the function. */
	memcpy(said, (uint8_t[]){ 0, 0, (uint8_t)((n + 2u) >> 8), (uint8_t)(n + 2u), r.unit }, sizeof(said));
	if (!once_says(ret, 2, said, sizeof(said)) || !once_says(ret, HEADER, &r.function, 1))
		return false;
	if (n == 4) /* the address, and what was written or how much: as in the request */
		return once_says(ret, HEADER + 1u, (const uint8_t *)ret->request + HEADER + 1u, 4);
	said[0] = (uint8_t)(n - 1u);
	return once_says(ret, HEADER + 1u, said, 1);
}

/* The state is the same in all sessions with a template, except for answers that gateways may send
 * twice. */
bool modbus_keep(const void *state, struct outbuf *to)
{
	(void)to;
	return is_settled(state);
}

bool modbus_again(void *state, struct bytes kept)
{
	((struct modbus_state *)state)->serial.reads = READS_TCP;
	return bytes_done(&kept);
}
