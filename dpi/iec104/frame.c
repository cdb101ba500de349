/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/frame.h"

#include "dpi/iec104/words.h"

#define NUMBER_OF_OBJECTS 0x7fu
#define IN_A_RUN 0x80u
#define SEGMENT_AT 18u /* F_SG_NA_1: offset of the length of its segment */

enum frame_result iec104_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result begins = iec104_begins(head);
	const uint8_t *p = head.p;
	size_t have = head.left;

	*ret_len = 0;
	if (begins != FRAME_WHOLE)
		return begins;
	/* a file segment must have exactly the length that it states, to the end of the frame */
	if ((p[2] & 1u) == 0 && p[6] == IEC104_F_SG && have > SEGMENT_AT &&
	    p[1] != (unsigned)p[SEGMENT_AT] + SEGMENT_AT + 1u - IEC104_HEADER)
		return FRAME_BAD;
	if (have - IEC104_HEADER < p[1])
		return FRAME_NEED_MORE;
	*ret_len = IEC104_HEADER + (size_t)p[1];
	return FRAME_WHOLE;
}

bool iec104_head_parse(struct bytes pdu, struct iec104_head *ret)
{
	struct bytes b = pdu;
	uint8_t vsq, high;
	uint16_t low;
	size_t length;

	*ret = (struct iec104_head){ .says = 0 };
	if (iec104_frame(pdu, &length) != FRAME_WHOLE || length != pdu.left)
		return false;
	bytes_skip(&b, IEC104_HEADER);
	bytes_le16(&b, &ret->ns);
	bytes_le16(&b, &ret->nr);
	ret->nr >>= 1;
	if ((ret->ns & 1u) != 0) {
		ret->says = (uint8_t)ret->ns;
		return !b.failed;
	}
	ret->ns >>= 1;
	bytes_u8(&b, &ret->type);
	bytes_u8(&b, &vsq);
	bytes_u8(&b, &ret->cause);
	bytes_u8(&b, &ret->originator);
	bytes_le16(&b, &ret->ca);
	bytes_le16(&b, &low);
	bytes_u8(&b, &high);
	ret->n = vsq & NUMBER_OF_OBJECTS;
	ret->run = (vsq & IN_A_RUN) != 0;
	ret->ioa = (uint32_t)high << 16 | low;
	ret->object = b;
	ret->layout = iec104_layout_of(ret->type);
	return !b.failed;
}
