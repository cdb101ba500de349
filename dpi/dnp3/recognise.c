/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the first bytes of a link frame, to find its end and to recognise a session. */
#include "dpi/dnp3/frame.h"
#include "dpi/prefix.h"

#define LENGTH_MIN 5u /* no data behind the header */

/* x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1, low bit first, inverted (IEEE 1815,
 * clause 9). A nibble at a time. */
uint16_t dnp3_crc(const uint8_t *p, size_t n)
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
static enum frame_result header(struct bytes head)
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
	return header(head) == FRAME_WHOLE;
}

enum frame_result dnp3_link_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result r = header(head);
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

/* Recognises a header with its checksum. Both ends send the same headers; the enforcer checks the
 * direction bit. */
enum recognition recognise_dnp3(enum direction dir, struct bytes head)
{
	(void)dir;
	switch (header(head)) {
	case FRAME_WHOLE:
		return RECOGNISED;
	case FRAME_NEED_MORE:
		return RECOGNISE_MORE;
	case FRAME_BAD:
	default:
		return RECOGNISE_NOT;
	}
}
