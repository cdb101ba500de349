/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles servers that are out of step. snap7's server (1.4.0 and 1.4.2) gives up a request if its
 * rest does not come for three seconds, discards the received bytes, and takes the next bytes for a
 * packet, whatever they are; after a header that it cannot use, it discards again. So from the
 * first late rest until an answer shows that the server is in step, no packet with a request may
 * begin at a position where no packet of the client begins.
 *
 * An acknowledgement, an empty DT, is the beginning of a message for this server. The three seconds
 * run from there, so the following bytes need not be late. PDUs that make it discard bytes at once
 * are not accepted from clients (s7comm.c).
 *
 * A request that is complete although its packet's length says that more is to come is refused at
 * once, because a server that takes the result of one read for a packet would not wait.
 */
#include "dpi/s7comm/s7comm.h"
#include "dpi/s7comm/transport.h"

#include <string.h>

void s7_lose(struct s7_state *s)
{
	if (!s->lost) {
		s->lost = 1;
		s->n_tail = 0;
	}
	s->lost_number = s->number;
}

#define HEADER 10u /* bytes of a request's header, which are the bytes that are checked */
/* the number of DTs in a message that snap7's server reassembles correctly; with more DTs, its
 * behaviour is not known */
#define PARTS 2u

/* A DT: its first bytes, and the number of its data bytes. */
struct part {
	size_t body;
	bool last;
};

enum part_found { PART_NONE, PART_TOO_SHORT, PART_THERE };

static enum part_found read_part(struct bytes *b, struct part *ret)
{
	uint16_t any, length;
	uint8_t header, type, number;

	bytes_be16(b, &any);
	bytes_be16(b, &length);
	bytes_u8(b, &header);
	bytes_u8(b, &type);
	if (!bytes_u8(b, &number))
		return PART_TOO_SHORT;
	if (type != TPDU_DT || header < 2 || length < S7_DT_HEADER || length > S7_MESSAGE_MAX)
		return PART_NONE;
	*ret = (struct part){ .body = length - S7_DT_HEADER, .last = (number & 0x80u) != 0 };
	return PART_THERE;
}

/* A request's header, as far as its bytes have come. */
struct header {
	uint8_t b[HEADER];
	size_t n;
};

static bool may_ask(const struct header *h)
{
	return h->n >= 2 && (h->b[1] == S7_JOB || h->b[1] == S7_USERDATA);
}

/* Whether the header is complete, and says that the message has `all` bytes. */
static bool asks(const struct header *h, size_t all)
{
	struct bytes lengths = bytes_of(h->b + 6, 4);
	uint16_t n_parameters, n_data;

	bytes_be16(&lengths, &n_parameters);
	bytes_be16(&lengths, &n_data);
	return h->n == HEADER && may_ask(h) && all == HEADER + (size_t)n_parameters + n_data;
}

/*
 * Whether snap7's server would find a whole header of a request at the beginning of `b`. A message
 * without its last DT counts as soon as its kind is known, because the beginning may be forgotten
 * when the last DT comes.
 */
static bool begins_request(struct bytes b)
{
	struct header h = { .n = 0 };
	struct part part;
	size_t all = 0;

	for (unsigned n = 0; n < PARTS; n++) {
		enum part_found found = read_part(&b, &part);
		size_t more;

		if (found != PART_THERE)
			return found == PART_TOO_SHORT && n > 0 && may_ask(&h);
		more = b.left < part.body ? b.left : part.body;
		more = more < HEADER - h.n ? more : HEADER - h.n;
		bytes_copy(&b, h.b + h.n, more);
		h.n += more;
		all += part.body;
		if (part.last)
			return asks(&h, all);
		if (!bytes_skip(&b, part.body - more))
			return may_ask(&h);
	}
	return true;
}

/*
 * Returns the length of the client's packet that begins here; 0: it is malformed, or too few of its
 * bytes are there. *ret_goes_on: it is a DT with more of its message to come. A server that has
 * discarded such a DT takes the next one for the whole message.
 */
static size_t packet_length(struct bytes b, bool *ret_goes_on)
{
	uint16_t version, length;
	uint8_t header, type = 0, number = 0x80;

	bytes_be16(&b, &version);
	if (!bytes_be16(&b, &length) || length < S7_DT_HEADER)
		return 0;
	bytes_u8(&b, &header);
	bytes_u8(&b, &type);
	*ret_goes_on = bytes_u8(&b, &number) && type == TPDU_DT && (number & 0x80u) == 0;
	return length;
}

/* Keeps the last bytes, which may be the beginning of a header, and marks where the client's
 * packets begin in them. */
static void keep_tail(struct s7_state *s, uint64_t end, struct bytes b, uint32_t starts)
{
	size_t n = b.left < S7_TAIL ? b.left : S7_TAIL;

	bytes_skip(&b, b.left - n);
	bytes_copy(&b, s->tail, n);
	s->n_tail = (uint8_t)n;
	s->tail_starts = starts;
	s->tail_end = (uint32_t)end;
}

/* Whether a request begins in the bytes before `b` and continues in it. */
static bool tail_begins(const struct s7_state *s, uint64_t offset, struct bytes b)
{
	/* bytes of the tail that are not in `b` */
	uint32_t before = (uint32_t)offset - (s->tail_end - s->n_tail);
	uint8_t both[2 * S7_TAIL];
	size_t n;

	if (s->n_tail == 0 || before > s->n_tail)
		return false;
	memcpy(both, s->tail, before);
	n = b.left < S7_TAIL ? b.left : S7_TAIL;
	bytes_copy(&b, both + before, n);
	for (uint32_t i = 0; i < before; i++)
		if ((s->tail_starts >> i & 1u) == 0 && begins_request(bytes_of(both + i, before + n - i)))
			return true;
	return false;
}

/* Searches `b`, which begins with a packet of the client. */
static bool cut_search(struct s7_state *s, uint64_t offset, struct bytes b)
{
	uint64_t end = offset + b.left;
	struct bytes all = b;
	size_t next = 0; /* bytes to the client's next packet */
	uint32_t starts = 0;
	/* goes_on: the packet before this position ended no message */
	bool found = tail_begins(s, offset, b), goes_on = false;

	for (; b.left > 0 && !found; bytes_skip(&b, 1)) {
		bool start = next == 0 && !goes_on;

		if (next == 0)
			next = packet_length(b, &goes_on);
		found = !start && begins_request(b);
		if (start && b.left <= S7_TAIL)
			starts |= (uint32_t)1 << ((all.left < S7_TAIL ? all.left : S7_TAIL) - b.left);
		next -= next > 0;
	}
	keep_tail(s, end, all, starts);
	return found;
}

static bool is_unmistakable(struct s7_state *s, uint64_t offset, bool cut, struct bytes b, const struct allowance *by,
			    struct pdu *ret)
{
	if (cut)
		s7_lose(s);
	/* Where everything is allowed, misreading does no harm. Later bytes may come under
	 * another policy. */
	if (!s->lost || !cut_search(s, offset, b) || evaluate_allows_all(by))
		return true;
	s->lost = 0; /* recorded only once, if refusals do not end the flow */
	pdu_name_choice(by, 0, ret);
	ret->targets[0] = s7_slot(s);
	ret->reason = R_S7COMM_CUT;
	ret->reading = true;
	return false;
}

/* Whether the packet at the end, which is incomplete by its header, has a complete request. */
static bool holds_its_request(struct bytes b)
{
	uint16_t n_parameters, n_data;
	uint8_t id, kind;
	struct part part;
	size_t n;

	while (s7_frame(b, &n) == FRAME_WHOLE)
		bytes_skip(&b, n);
	if (read_part(&b, &part) != PART_THERE || !part.last)
		return false;
	bytes_u8(&b, &id);
	bytes_u8(&b, &kind);
	bytes_skip(&b, 4);
	bytes_be16(&b, &n_parameters);
	return bytes_be16(&b, &n_data) && (kind == S7_JOB || kind == S7_USERDATA) && bytes_skip(&b, n_parameters) &&
	       bytes_skip(&b, n_data);
}

bool s7_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		struct pdu *ret)
{
	if (holds_its_request(b)) {
		pdu_name_choice(by, 0, ret);
		ret->targets[0] = s7_slot(state);
		ret->reason = R_S7COMM_FRAME;
		return false;
	}
	return is_unmistakable(state, offset, carried > 0 && late, b, by, ret);
}

bool s7_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
	       const struct allowance *by, struct pdu *ret)
{
	return is_unmistakable(state, offset, carried > 0 && late, b, by, ret);
}
