/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/iec104.h"

#include "dpi/iec104/words.h"
#include "dpi/prefix.h"

/* ---- the first bytes of an APDU -------------------------------------------------------------- */

/* Checks the first bytes of an APDU, to find its end and to recognise a session. */

#define I_FRAME_MIN (IEC104_CONTROL + IEC104_ASDU + IEC104_ADDRESS)
#define BEGINS 8u /* bytes up to the number of objects */
#define NUMBER_OF_OBJECTS 0x7fu
#define IN_A_RUN 0x80u

#define TYPES 128u

static const struct iec104_layout layouts[TYPES] = {
#define MONITORED(type, name, bytes, shape) [type] = { IEC104_SERVER, bytes, IEC104_##shape, 0, 0, true, 0 },
#define COMMAND(type, name, bytes, causes, class, places, value, qualifier)                                            \
	[type] = { IEC104_CLIENT, bytes, IEC104_ONE, IEC104_##value, IEC104_##qualifier, places, causes },
#define FILES(type, name, bytes, causes)                                                                               \
	[type] = { IEC104_BOTH, bytes, IEC104_ONE, IEC104_UNKNOWN, IEC104_NONE, true, causes },
#include "dpi/iec104/types.def"
};

/* NULL: the type is unknown. */
static const struct iec104_layout *iec104_layout_of(uint8_t type)
{
	return type < TYPES && layouts[type].who != IEC104_NOBODY ? &layouts[type] : NULL;
}

/* Checks the bytes of a control field, each as soon as it is there. */
static bool may_control(uint8_t length, const uint8_t *p, size_t have)
{
	bool i_frame = have > 0 && (p[0] & 1u) == 0;

	if (have == 0)
		return true;
	if (i_frame)
		return length >= I_FRAME_MIN && (have < 3 || (p[2] & 1u) == 0);
	if (length != IEC104_CONTROL)
		return false;
	if (p[0] == IEC104_S)
		return (have < 2 || p[1] == 0) && (have < 3 || (p[2] & 1u) == 0);
	for (size_t i = 1; i < have && i < IEC104_CONTROL; i++)
		if (p[i] != 0)
			return false;
	switch (p[0]) {
	case IEC104_STARTDT_ACT:
	case IEC104_STARTDT_CON:
	case IEC104_STOPDT_ACT:
	case IEC104_STOPDT_CON:
	case IEC104_TESTFR_ACT:
	case IEC104_TESTFR_CON:
		return true;
	default:
		return false;
	}
}

/* Whether the length fits the type and the number of objects. A file segment states its own length,
 * so here its length is only checked to be large enough. */
static bool is_length(uint8_t length, uint8_t type, uint8_t vsq)
{
	const struct iec104_layout *l = iec104_layout_of(type);
	unsigned n = vsq & NUMBER_OF_OBJECTS, objects;
	bool run = (vsq & IN_A_RUN) != 0;

	if (type == 0 || n == 0)
		return false;
	if (l == NULL)
		return true;
	if ((run && l->shape != IEC104_RUN) || (n > 1 && l->shape == IEC104_ONE))
		return false;
	objects = run ? IEC104_ADDRESS + n * l->bytes : n * (IEC104_ADDRESS + l->bytes);
	if (type == IEC104_F_SG)
		return length >= IEC104_CONTROL + IEC104_ASDU + objects;
	return length == IEC104_CONTROL + IEC104_ASDU + objects;
}

static enum frame_result begin_of(struct bytes head)
{
	const uint8_t *p = head.p;
	size_t have = head.left;

	if (have > 0 && p[0] != IEC104_START)
		return FRAME_BAD;
	if (have > 1 && (p[1] < IEC104_CONTROL || p[1] > IEC104_LENGTH_MAX))
		return FRAME_BAD;
	if (have > IEC104_HEADER && !may_control(p[1], p + IEC104_HEADER, have - IEC104_HEADER))
		return FRAME_BAD;
	if (have > IEC104_HEADER && (p[2] & 1u) != 0)
		return have >= IEC104_HEADER + IEC104_CONTROL ? FRAME_WHOLE : FRAME_NEED_MORE;
	if (have == BEGINS - 1u && p[6] == 0)
		return FRAME_BAD;
	if (have < BEGINS)
		return FRAME_NEED_MORE;
	return is_length(p[1], p[6], p[7]) ? FRAME_WHOLE : FRAME_BAD;
}

#define SEGMENT_AT 18u /* F_SG_NA_1: offset of the length of its segment */

enum frame_result iec104_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result begins = begin_of(head);
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

/* ---- the first bytes of a session ------------------------------------------------------------ */

/* Recognises an APDU that this end may send, of a known type. */
enum recognition recognise_iec104(enum direction dir, struct bytes head)
{
	enum frame_result begins = begin_of(head);
	uint8_t says = head.left > IEC104_HEADER ? head.p[IEC104_HEADER] : 0;
	const struct iec104_layout *l;

	if (begins == FRAME_BAD)
		return RECOGNISE_NOT;
	if (dir == DIR_C2S ? says == IEC104_STARTDT_CON || says == IEC104_STOPDT_CON
			   : says == IEC104_STARTDT_ACT || says == IEC104_STOPDT_ACT)
		return RECOGNISE_NOT;
	if (begins != FRAME_WHOLE)
		return RECOGNISE_MORE;
	l = (says & 1u) != 0 ? NULL : iec104_layout_of(head.p[6]);
	if ((says & 1u) == 0 && (l == NULL || (dir == DIR_C2S && l->who == IEC104_SERVER)))
		return RECOGNISE_NOT;
	return RECOGNISED;
}
