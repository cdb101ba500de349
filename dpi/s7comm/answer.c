/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/message.h"

#define BLOCK_DATA 0x00fbu /* between the length of a part of a block and the part itself */

/* Whether the answer has only the function code, to which some servers add a byte. */
static bool bare(const struct s7_message *m)
{
	return m->parameters.left <= 1 && m->data.left == 0;
}

static bool block_part(struct bytes b)
{
	uint16_t length, mark;

	bytes_be16(&b, &length);
	bytes_be16(&b, &mark);
	return !b.failed && mark == BLOCK_DATA && b.left == length;
}

/* Reads status, two numbers, and the block's length in digits. */
static bool upload_begins(struct bytes b)
{
	uint8_t digits;

	return bytes_skip(&b, 7) && bytes_u8(&b, &digits) && bytes_skip(&b, digits) && bytes_done(&b);
}

static bool enclosed(struct bytes b)
{
	uint8_t result, type;
	uint16_t length;

	bytes_u8(&b, &result);
	bytes_u8(&b, &type);
	bytes_be16(&b, &length);
	return bytes_skip(&b, length) && bytes_done(&b);
}

static bool job_answered(uint32_t service, const struct s7_message *m)
{
	if (m->kind == S7_ACK || m->error != 0)
		return bare(m);
	switch (service >> 8 & 0xffu) {
	case S7_SETUP:
		return s7_setup_size(m) > 0;
	case S7_REQUEST_DOWNLOAD:
	case S7_DOWNLOAD_ENDED:
	case S7_END_UPLOAD:
	case S7_PI:
	case S7_STOP:
		return bare(m);
	case S7_START_UPLOAD:
		return upload_begins(m->parameters) && m->data.left == 0;
	case S7_UPLOAD:
	case S7_DOWNLOAD_BLOCK:
		return m->parameters.left == 1 && block_part(m->data);
	default:
		return true;
	}
}

bool s7_answer_fits(uint32_t service, const struct s7_message *m)
{
	return m->kind == S7_USERDATA ? enclosed(m->data) : job_answered(service, m);
}
