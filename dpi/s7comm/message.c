/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/s7comm.h"

#define PROTOCOL 0x32
#define PROTOCOL_PLUS 0x72
#define USERDATA_HEAD 0x000112u /* the first bytes of all userdata parameters */
#define SHORT 4u		/* length of the parameters in requests */
/* length of the parameters in answers, and in requests that continue a job or an answer */
#define LONG 8u

/* Reads a report of a new operating mode, which the controller sends by itself. It has another
 * head, no error code and no data. */
static bool read_transition(struct bytes b, struct s7_message *m)
{
	static const uint8_t head[] = { 0x01, 0x00, 0x10, 0x10, 0x00, 0x00 };

	return m->data.left == 0 && bytes_starts(&b, head, sizeof(head)) && bytes_skip(&b, sizeof(head)) &&
	       bytes_u8(&b, &m->sub) && bytes_u8(&b, &m->sequence) && bytes_done(&b);
}

/* Reads userdata parameters: three fixed bytes, the length of what follows, its form, role and
 * group, sub-function, sequence number. */
static bool read_userdata(struct s7_message *m)
{
	struct bytes b = m->parameters;
	uint8_t first, length, form, says, unit, more;
	uint16_t head;

	bytes_u8(&b, &first);
	bytes_be16(&b, &head);
	bytes_u8(&b, &length);
	bytes_u8(&b, &form);
	bytes_u8(&b, &says);
	bytes_u8(&b, &m->sub);
	bytes_u8(&b, &m->sequence);
	if (b.failed || ((uint32_t)first << 16 | head) != USERDATA_HEAD || (says >> 6) > S7_ANSWERS)
		return false;
	m->says = says >> 6;
	m->group = says & 0x3fu;
	if (length == SHORT)
		return form == 0x11 && b.left == 0;
	bytes_u8(&b, &unit);
	bytes_u8(&b, &more);
	bytes_be16(&b, &m->fault);
	m->more = more != 0;
	return length == LONG && form == 0x12 && more <= 1 && bytes_done(&b);
}

void s7_message_read(struct bytes b, struct s7_message *ret)
{
	uint8_t protocol;
	uint16_t reserved, n_parameters, n_data;

	*ret = (struct s7_message){ .wrong = R_S7COMM_FRAME };
	bytes_u8(&b, &protocol);
	if (protocol == PROTOCOL_PLUS)
		ret->wrong = R_S7COMM_PLUS;
	bytes_u8(&b, &ret->kind);
	bytes_be16(&b, &reserved);
	bytes_be16(&b, &ret->reference);
	bytes_be16(&b, &n_parameters);
	bytes_be16(&b, &n_data);
	if (protocol != PROTOCOL)
		return;
	if (ret->kind == S7_ACK || ret->kind == S7_ACK_DATA)
		bytes_be16(&b, &ret->error);
	else if (ret->kind != S7_JOB && ret->kind != S7_USERDATA)
		return;
	bytes_take(&b, n_parameters, &ret->parameters);
	bytes_take(&b, n_data, &ret->data);
	if (!bytes_done(&b))
		return;
	if (ret->kind == S7_USERDATA) {
		if (read_transition(ret->parameters, ret) || read_userdata(ret))
			ret->wrong = R_ALLOWED;
		return;
	}
	if (n_parameters == 0) { /* an answer that only reports an error */
		if (ret->kind != S7_JOB && n_data == 0)
			ret->wrong = R_ALLOWED;
		return;
	}
	bytes_u8(&ret->parameters, &ret->function);
	ret->wrong = R_ALLOWED;
}

uint16_t s7_setup_size(const struct s7_message *m)
{
	struct bytes b = m->parameters;
	uint8_t reserved;
	uint16_t calling, called, size;

	bytes_u8(&b, &reserved);
	bytes_be16(&b, &calling);
	bytes_be16(&b, &called);
	bytes_be16(&b, &size);
	return bytes_done(&b) && m->data.left == 0 && calling > 0 && called > 0 ? size : 0;
}

/* ---- answers without items ------------------------------------------------------------------- */

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

static bool is_enclosed(struct bytes b)
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
	return m->kind == S7_USERDATA ? is_enclosed(m->data) : job_answered(service, m);
}
