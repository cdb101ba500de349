/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/frame.h"

#include "dpi/memobus/words.h"

#define LENGTH_AT 6u

enum frame_result memobus_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result begins = memobus_begins(head);
	struct bytes b = head;
	uint16_t whole;

	*ret_len = 0;
	bytes_skip(&b, LENGTH_AT);
	if (begins != FRAME_WHOLE || !bytes_le16(&b, &whole))
		return begins;
	if (head.left < whole)
		return FRAME_NEED_MORE;
	*ret_len = whole;
	return FRAME_WHOLE;
}

bool memobus_head_parse(struct bytes pdu, struct memobus_head *ret)
{
	struct bytes b = pdu;
	uint8_t main, sub, cpus;
	size_t length;

	*ret = (struct memobus_head){ .service = 0 };
	if (memobus_frame(pdu, &length) != FRAME_WHOLE || length != pdu.left)
		return false;
	bytes_u8(&b, &ret->type);
	bytes_u8(&b, &ret->number);
	bytes_u8(&b, &ret->to_channel);
	bytes_u8(&b, &ret->from_channel);
	bytes_skip(&b, MEMOBUS_HEADER - 4u);
	if (ret->type == MEMOBUS_GENERAL_PURPOSE) {
		ret->service = MEMOBUS_GENERAL;
		ret->length = b.left;
		ret->rest = b;
		return !b.failed;
	}
	bytes_skip(&b, MEMOBUS_LENGTH);
	ret->length = b.left;
	bytes_u8(&b, &main);
	bytes_u8(&b, &sub);
	bytes_u8(&b, &cpus);
	ret->service = (uint32_t)main << 8 | sub;
	ret->to_cpu = cpus >> 4; /* 2.16: the destination in the high half */
	ret->from_cpu = cpus & 0x0fu;
	ret->rest = b;
	return !b.failed;
}
