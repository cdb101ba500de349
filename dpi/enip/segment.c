/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks how messages are cut into segments. OpENer reads four bytes, and does not check how many
 * it got. A segment with only the first one to three bytes of a message makes it take the length
 * for 0, and read on in the middle of that message, where the data may look like another message.
 * So a message may not be cut there; no client does so by itself.
 *
 * With non-blocking sockets (on Windows and the BSDs, accepted sockets inherit this from the
 * listening one), OpENer gives up a message if the rest is not there after those four bytes, or if
 * the message is too long for its buffer. It takes the next bytes for a message. It then goes on by
 * the lengths that it finds, perhaps for the rest of the session. So once a message came in pieces,
 * no later message may contain bytes that a server out of step would execute: the header of a
 * request, or the beginning of such a header that goes on in the next message.
 *
 * A message that has all its items although its header says that more is to come is refused at
 * once, because a server that takes the result of one read for a message would not wait.
 */
#include <string.h>

#include "dpi/enip/enip.h"

#define LENGTH_END 4u /* command and length: what such a server reads at once */
_Static_assert(ENIP_TAIL == ENCAP_HEADER - 1u, "of a header that begins in it, a byte is behind it");
/* bytes of data: interface and timeout; two items; a service and the length of its path */
#define REQUEST_LEAST 18u

static bool is_request(struct bytes b)
{
	uint32_t options;
	uint16_t command, length;

	bytes_le16(&b, &command);
	bytes_le16(&b, &length);
	bytes_skip(&b, ENCAP_HEADER - 8u);
	return bytes_le32(&b, &options) && (command == ENCAP_REQUEST || command == ENCAP_UNIT) &&
	       length >= REQUEST_LEAST && length <= ENIP_PDU_MAX - ENCAP_HEADER && options == 0;
}

/* Whether these messages contain a request at a position where no message begins. */
static bool holds_request(const struct enip_state *s, struct bytes b)
{
	size_t n;

	while (b.left > 0) {
		if (enip_frame(s, DIR_C2S, b, &n) != FRAME_WHOLE)
			n = b.left;
		for (size_t i = 1; i < n && b.left - i >= ENCAP_HEADER; i++)
			if ((b.p[i] == ENCAP_REQUEST || b.p[i] == ENCAP_UNIT) &&
			    is_request(bytes_of(b.p + i, b.left - i)))
				return true;
		if (!bytes_skip(&b, n))
			return false;
	}
	return false;
}

/* Whether a request begins at the end of the message before the bytes `b`, and goes on in them. */
static bool tail_begins_request(const struct enip_state *s, uint64_t offset, struct bytes b)
{
	size_t n = b.left < ENIP_TAIL ? b.left : ENIP_TAIL;
	uint8_t both[2 * ENIP_TAIL];

	if (!s->has_tail || s->tail_end != (uint32_t)offset)
		return false;
	memcpy(both, s->tail, ENIP_TAIL);
	bytes_copy(&b, both + ENIP_TAIL, n);
	for (size_t i = 0; i < ENIP_TAIL; i++)
		if (is_request(bytes_of(both + i, ENIP_TAIL + n - i)))
			return true;
	return false;
}

static void keep_tail(struct enip_state *s, uint64_t offset, struct bytes b)
{
	struct bytes rest = b;
	size_t n, whole = 0;

	while (enip_frame(s, DIR_C2S, rest, &n) == FRAME_WHOLE && bytes_skip(&rest, n))
		whole += n;
	/* A repetition may end before the kept bytes do. */
	if (whole == 0 || (s->has_tail && (int32_t)((uint32_t)(offset + whole) - s->tail_end) <= 0))
		return;
	bytes_skip(&b, whole - ENIP_TAIL);
	bytes_copy(&b, s->tail, ENIP_TAIL);
	s->has_tail = true;
	s->tail_end = (uint32_t)(offset + whole);
}

/* Whether a server out of step could find a request in the bytes. The part of the first message
 * that came in an earlier segment is searched again, because it may have passed under another
 * policy, or before any message was cut. */
static bool mistakable(struct enip_state *s, uint64_t offset, size_t carried, struct bytes b,
		       const struct allowance *by, struct pdu *ret)
{
	bool found;

	s->cut = s->cut || carried > 0;
	if (!s->cut)
		return false;
	found = !evaluate_allows_all(by) &&
		((carried > 0 && carried < LENGTH_END) || tail_begins_request(s, offset, b) || holds_request(s, b));
	keep_tail(s, offset, b);
	if (found) {
		ret->reason = R_ENIP_CUT;
		ret->reading = true;
	}
	return found;
}

/* Whether the last message, which is incomplete by its header, has all its items. */
static bool has_its_items(const struct enip_state *s, struct bytes b)
{
	uint16_t command, type, length, n;
	size_t whole;

	while (enip_frame(s, DIR_C2S, b, &whole) == FRAME_WHOLE)
		bytes_skip(&b, whole);
	bytes_le16(&b, &command);
	bytes_skip(&b, ENCAP_HEADER - 2u + 6u); /* interface and timeout come first */
	if (!bytes_le16(&b, &n) || (command != ENCAP_REQUEST && command != ENCAP_UNIT))
		return false;
	for (; n > 0; n--) {
		bytes_le16(&b, &type);
		if (!bytes_le16(&b, &length) || !bytes_skip(&b, length))
			return false;
	}
	return true;
}

bool enip_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		  struct pdu *ret)
{
	if (has_its_items(state, b)) {
		ret->reason = R_ENIP_FRAME;
		return false;
	}
	return !mistakable(state, offset, carried, b, by, ret);
}

bool enip_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct allowance *by, struct pdu *ret)
{
	return !mistakable(state, offset, carried, b, by, ret);
}
