/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/dnp3.h"

#include "dpi/prefix.h"

/* ---- a link frame ---------------------------------------------------------------------------- */

/* Checks the first bytes of a link frame, to find its end and to recognise a session. */

#define LENGTH_MIN 5u /* no data behind the header */

/* x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1, low bit first, inverted (IEEE 1815,
 * clause 9). A nibble at a time. */
static uint16_t dnp3_crc(const uint8_t *p, size_t n)
{
	static const uint16_t table[16] = {
		0x0000, 0xb26b, 0x29af, 0x9bc4, 0x535e, 0xe135, 0x7af1, 0xc89a,
		0xa6bc, 0x14d7, 0x8f13, 0x3d78, 0xf5e2, 0x4789, 0xdc4d, 0x6e26,
	};
	uint16_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)(crc >> 4 ^ table[(crc ^ p[i]) & 0xfu]);
		crc = (uint16_t)(crc >> 4 ^ table[(crc ^ p[i] >> 4) & 0xfu]);
	}
	return (uint16_t)~crc;
}

/* Whether clause 9 has this control octet: function, FCV where required, and data if the function
 * has any. */
static bool is_control(uint8_t control, uint8_t length)
{
	bool counted = (control & 0x10u) != 0, bare = length == LENGTH_MIN;

	if ((control & DNP3_PRM) == 0)
		switch (control & DNP3_LINK_FUNCTION) {
		case 0:	 /* ACK */
		case 1:	 /* NACK */
		case 11: /* status of the link */
		case 15: /* not supported */
			return bare && (control & 0x20u) == 0;
		default:
			return false;
		}
	switch (control & DNP3_LINK_FUNCTION) {
	case 0: /* reset link states */
	case 9: /* request link status */
		return bare && !counted;
	case 2: /* test link states */
		return bare && counted;
	case 3: /* confirmed user data: at least the segment's octet */
		return !bare && counted;
	case 4: /* unconfirmed user data */
		return !bare && !counted;
	default:
		return false;
	}
}

/* Checks the bytes of a header, each as soon as it is there. */
static enum frame_result check_header(struct bytes head)
{
	const uint8_t *p = head.p;
	size_t have = head.left;

	if ((have > 0 && p[0] != 0x05) || (have > 1 && p[1] != 0x64) || (have > 2 && p[2] < LENGTH_MIN) ||
	    (have > 3 && !is_control(p[3], p[2])))
		return FRAME_BAD;
	if (have < DNP3_HEADER)
		return FRAME_NEED_MORE;
	return dnp3_crc(p, 8) == (p[8] | p[9] << 8) ? FRAME_WHOLE : FRAME_BAD;
}

bool dnp3_is_header(struct bytes head)
{
	return check_header(head) == FRAME_WHOLE;
}

enum frame_result dnp3_link_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result r = check_header(head);
	struct bytes block, b = head;
	uint16_t crc;
	size_t left;

	*ret_len = 0;
	if (r != FRAME_WHOLE)
		return r;
	left = head.p[2] - LENGTH_MIN;
	bytes_skip(&b, DNP3_HEADER);
	while (left > 0) {
		size_t n = left < 16 ? left : 16;

		if (!bytes_take(&b, n, &block) || !bytes_le16(&b, &crc))
			return FRAME_NEED_MORE;
		if (dnp3_crc(block.p, n) != crc)
			return FRAME_BAD;
		left -= n;
	}
	*ret_len = head.left - b.left;
	return FRAME_WHOLE;
}

#define BLOCK 16u

/* One frame. */
struct link {
	uint8_t control;
	uint16_t to, from;
	uint8_t segment;     /* the segment's octet; only valid with data */
	size_t data;	     /* bytes of the segment after its octet */
	struct bytes blocks; /* the segment from its octet on, with checksums */
};

static void read_link(struct bytes frame, struct link *ret)
{
	struct bytes b = frame;
	uint8_t length = 0;

	*ret = (struct link){ .control = 0 };
	bytes_skip(&b, 2);
	bytes_u8(&b, &length);
	bytes_u8(&b, &ret->control);
	bytes_le16(&b, &ret->to);
	bytes_le16(&b, &ret->from);
	bytes_skip(&b, 2);
	ret->blocks = b;
	if (bytes_u8(&b, &ret->segment))
		ret->data = length - 6u;
}

static bool has_data(const struct link *l)
{
	return l->blocks.left > 0;
}

/* Copies `n` bytes of a fragment, those after the segment's octet, out of the blocks. */
static void copy_out(struct bytes b, size_t n, uint8_t *out)
{
	size_t room = BLOCK - 1u;

	bytes_skip(&b, 1);
	while (n > 0) {
		size_t part = n < room ? n : room;

		bytes_copy(&b, out, part);
		bytes_skip(&b, 2);
		out += part;
		n -= part;
		room = BLOCK;
	}
}

/* Whether this frame's segment may follow `u`. `carried`: bytes of the fragment so far. */
static bool follows(const struct dnp3_unit *u, const struct link *l, enum dnp3_form form, size_t carried)
{
	bool begins = (l->segment & DNP3_SEGMENT_FIR) != 0;

	if (l->data == 0 || l->data > DNP3_FRAGMENT_MAX - carried)
		return false;
	if (!u->data)
		return begins || form != DNP3_WHOLE;
	return !begins && (l->segment & DNP3_SEGMENT_NUMBER) == ((u->last + 1u) & DNP3_SEGMENT_NUMBER);
}

/* Whether an outstation's link layer repeats the frame before, because it heard no acknowledgement:
 * the same control octet and segment. */
static bool is_repeated(const struct link *l, const struct link *before, const struct dnp3_unit *u)
{
	return u->data && (l->control & DNP3_DIR) == 0 && (l->control & DNP3_LINK_FUNCTION) == DNP3_LINK_CONFIRMED &&
	       l->control == before->control && l->segment == before->segment && l->data == before->data;
}

/* `there`: the PDU is all of `head`, whatever the form. */
static enum frame_result read_frames(enum dnp3_form form, bool there, struct bytes head, uint8_t *joined,
				     struct dnp3_unit *u, size_t *ret_len)
{
	size_t all = 0, carried = 0, n = 0;
	struct link l = { 0 }, before;

	*u = (struct dnp3_unit){ .data = false };
	*ret_len = 0;
	for (uint32_t frames = 0; frames < DNP3_FRAMES_MAX; frames++) {
		enum frame_result r;
		struct bytes frame;

		if (there && u->data && head.left == 0)
			break;
		r = dnp3_link_frame(head, &n);
		if (r != FRAME_WHOLE)
			return r == FRAME_NEED_MORE && !there ? FRAME_NEED_MORE : FRAME_BAD;
		bytes_take(&head, n, &frame);
		before = l;
		read_link(frame, &l);
		if (frames > 0 && ((l.control ^ u->control) & DNP3_DIR) == 0 && form == DNP3_ANSWER && !there &&
		    (l.to != u->to || l.from != u->from) && u->data)
			break; /* another outstation interrupts */
		all += n;
		if (frames == 0) {
			u->control = l.control;
			u->to = l.to;
			u->from = l.from;
		} else if (l.to != u->to || l.from != u->from || ((l.control ^ u->control) & DNP3_DIR) != 0) {
			return FRAME_BAD;
		}
		if (has_data(&l) && !is_repeated(&l, &before, u)) {
			if (!follows(u, &l, form, carried))
				return FRAME_BAD;
			/* Confirmed frames must have a whole fragment. An outstation may drop such
			 * a frame, because its link is not reset or it takes the frame for a
			 * repetition, and would then put other segments together. */
			if ((l.control & DNP3_DIR) != 0 && (l.control & DNP3_LINK_FUNCTION) == DNP3_LINK_CONFIRMED &&
			    (l.segment & (DNP3_SEGMENT_FIR | DNP3_SEGMENT_FIN)) !=
				    (DNP3_SEGMENT_FIR | DNP3_SEGMENT_FIN))
				return FRAME_BAD;
			if (!u->data) {
				u->begins = (l.segment & DNP3_SEGMENT_FIR) != 0;
				u->first = l.segment & DNP3_SEGMENT_NUMBER;
			}
			u->data = true;
			u->last = l.segment & DNP3_SEGMENT_NUMBER;
			u->ends = (l.segment & DNP3_SEGMENT_FIN) != 0;
			if (joined != NULL)
				copy_out(l.blocks, l.data, joined + carried);
			carried += l.data;
		}
		if (!u->data || u->ends)
			break;
		/* a response of more frames goes on in another PDU */
		if (frames + 1 == DNP3_FRAMES_MAX && form != DNP3_ANSWER && (!there || head.left > 0))
			return FRAME_BAD;
	}
	if (joined != NULL)
		u->fragment = bytes_of(joined, carried);
	*ret_len = all;
	return FRAME_WHOLE;
}

enum frame_result dnp3_frame(enum dnp3_form form, struct bytes head, size_t *ret_len)
{
	struct dnp3_unit u;

	return read_frames(form, form == DNP3_DATAGRAM, head, NULL, &u, ret_len);
}

bool dnp3_unwrap(enum dnp3_form form, struct bytes pdu, uint8_t *joined, struct dnp3_unit *ret)
{
	size_t n;

	return read_frames(form, form != DNP3_WHOLE, pdu, joined, ret, &n) == FRAME_WHOLE && n == pdu.left;
}

bool dnp3_segment_alone(struct bytes frame, uint8_t *joined, struct dnp3_unit *ret)
{
	const uint8_t whole = DNP3_SEGMENT_FIR | DNP3_SEGMENT_FIN;
	struct link l;

	read_link(frame, &l);
	if (!has_data(&l) || (l.segment & whole) == whole || l.data > DNP3_SEGMENT_MAX)
		return false;
	*ret = (struct dnp3_unit){
		.control = l.control, .to = l.to, .from = l.from, .data = true, .begins = true, .ends = true
	};
	copy_out(l.blocks, l.data, joined);
	ret->fragment = bytes_of(joined, l.data);
	return true;
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

/* Recognises a header with its checksum. Both ends send the same headers; the enforcer checks the
 * direction bit. */
enum recognition recognise_dnp3(enum direction dir, struct bytes head)
{
	switch (check_header(head)) {
	case FRAME_WHOLE:
		return RECOGNISED;
	case FRAME_NEED_MORE:
		return RECOGNISE_MORE;
	case FRAME_BAD:
	case FRAME_LONG:
	default:
		return RECOGNISE_NOT;
	}
}
