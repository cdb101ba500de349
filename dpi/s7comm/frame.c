/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/transport.h"

#include "dpi/prefix.h"

#define PACKET_HEADER 4u
#define DT_LENGTH 2u /* length of a DT's header, without the length byte itself */
#define END_OF_MESSAGE 0x80u
#define CONNECT_FIXED 6u /* fixed bytes of CR, CC and DR: type, two references, class or reason */
#define ERROR_FIXED 4u	 /* fixed bytes of ER: type, reference, cause */
#define TSAP_MAX 32u
/* bytes that a DR may carry (ISO 8073, 13.5.4: 64), too few for a PDU; python-snap7 sends one */
#define PARTING_MAX 6u

enum parameter { PARAMETER_SIZE = 0xc0, PARAMETER_CALLING = 0xc1, PARAMETER_CALLED = 0xc2 };

/* One packet with its TPDU. */
struct packet {
	size_t length; /* bytes of the whole packet */
	uint8_t tpdu;
	bool last;	   /* DT: it is the last one of its message */
	struct bytes data; /* a DT's data; of other TPDUs everything after the length byte */
};

static size_t least_header(uint8_t tpdu)
{
	switch (tpdu) {
	case TPDU_DT:
		return DT_LENGTH;
	case TPDU_CR:
	case TPDU_CC:
	case TPDU_DR:
		return CONNECT_FIXED;
	case TPDU_ER:
		return ERROR_FIXED;
	default:
		return 0;
	}
}

/* Whether the type byte is valid. Its low bits may have a credit, as in CR and CC of other classes,
 * or numbers that some clients put there although class 0 has none. */
static bool type_fits(uint8_t tpdu, uint8_t header, uint16_t length)
{
	size_t least = least_header(tpdu), parting = tpdu == TPDU_DR ? PARTING_MAX : 0, behind;

	if (least == 0)
		return false;
	if (tpdu == TPDU_DT)
		return header == DT_LENGTH && length - S7_DT_HEADER <= S7_MESSAGE_MAX;
	if (header < least || length < PACKET_HEADER + 1u + header)
		return false;
	behind = length - PACKET_HEADER - 1u - header;
	return behind <= parting;
}

/* Tests each byte as soon as it is there: a flow that cannot be this protocol ends at the first
 * byte that shows it. */
static enum frame_result read_packet(struct bytes b, struct packet *ret)
{
	uint8_t version, reserved, header, number;
	uint16_t length;

	*ret = (struct packet){ 0 };
	if (bytes_u8(&b, &version) && version != 3)
		return FRAME_BAD;
	if (bytes_u8(&b, &reserved) && reserved != 0)
		return FRAME_BAD;
	if (!bytes_be16(&b, &length))
		return FRAME_NEED_MORE;
	if (length < S7_DT_HEADER)
		return FRAME_BAD;
	if (!bytes_u8(&b, &header) || !bytes_u8(&b, &ret->tpdu))
		return FRAME_NEED_MORE;
	if (!type_fits(ret->tpdu, header, length))
		return FRAME_BAD;
	ret->length = length;
	if (b.left < length - PACKET_HEADER - 2u)
		return FRAME_NEED_MORE;
	bytes_take(&b, length - PACKET_HEADER - 2u, &ret->data);
	if (ret->tpdu == TPDU_DT && bytes_u8(&ret->data, &number))
		ret->last = (number & END_OF_MESSAGE) != 0;
	return FRAME_WHOLE;
}

/* Whether this is an empty DT by which STEP 7 acknowledges answers. It is neither the end nor the
 * beginning of a message. */
static bool is_acknowledgement(const struct packet *p, uint32_t fragments)
{
	return fragments == 0 && p->data.left == 0 && !p->last;
}

enum frame_result s7_frame(struct bytes head, size_t *ret_len)
{
	size_t carried = 0, all = 0;

	*ret_len = 0;
	for (uint32_t fragments = 0;; fragments++) {
		struct packet p;
		enum frame_result r = read_packet(head, &p);

		if (r == FRAME_BAD)
			return FRAME_BAD;
		if (p.tpdu == TPDU_DT && p.length > S7_DT_HEADER && p.length - S7_DT_HEADER > S7_MESSAGE_MAX - carried)
			return FRAME_BAD;
		if (r == FRAME_NEED_MORE)
			return FRAME_NEED_MORE;
		if (fragments > 0 && p.tpdu != TPDU_DT)
			return FRAME_BAD;
		all += p.length;
		if (p.tpdu != TPDU_DT || is_acknowledgement(&p, fragments)) {
			*ret_len = all;
			return FRAME_WHOLE;
		}
		if (p.data.left == 0)
			return FRAME_BAD;
		if (p.last) {
			*ret_len = all;
			return FRAME_WHOLE;
		}
		if (fragments + 1 == S7_FRAGMENTS_MAX)
			return FRAME_BAD;
		carried += p.data.left;
		bytes_skip(&head, p.length);
	}
}

/* The called TSAP: two bytes, the kind of connection, then the rack in three bits and the slot
 * in five. */
static bool read_called(struct bytes value, struct s7_unit *ret)
{
	uint8_t kind, slot;

	if (value.left == 0 || value.left > TSAP_MAX)
		return false;
	if (value.left != 2)
		return true; /* "SIMATIC-ROOT-HMI", or a number of another family */
	bytes_u8(&value, &kind);
	bytes_u8(&value, &slot);
	if (kind >= 1 && kind <= 3)
		ret->slot = slot;
	return true;
}

/* With parameters of routing, the called TSAP is not the destination, so the slot is unknown. */
static bool read_parameters(struct bytes b, bool request, struct s7_unit *ret)
{
	bool called = false, elsewhere = false;

	while (b.left > 0) {
		struct bytes value;
		uint8_t code, length, size;

		bytes_u8(&b, &code);
		bytes_u8(&b, &length);
		if (!bytes_take(&b, length, &value))
			return false;
		switch (code) {
		case PARAMETER_SIZE:
			if (!bytes_u8(&value, &size) || value.left > 0 || size < 7 || size > 13)
				return false;
			break;
		case PARAMETER_CALLING:
			if (length == 0 || length > TSAP_MAX)
				return false;
			break;
		case PARAMETER_CALLED:
			if (called || !read_called(value, ret))
				return false;
			called = true;
			break;
		default:
			elsewhere = true;
			break;
		}
	}
	if (elsewhere)
		ret->slot = SLOT_UNKNOWN;
	return called || !request;
}

static bool read_connection(struct bytes b, struct s7_unit *ret)
{
	uint8_t class;

	ret->slot = SLOT_UNKNOWN;
	bytes_be16(&b, &ret->to);
	bytes_be16(&b, &ret->from);
	bytes_u8(&b, &class);
	if (b.failed || class != 0) /* class 0, without any option */
		return false;
	return (ret->tpdu != TPDU_CR || ret->to == 0) && read_parameters(b, ret->tpdu == TPDU_CR, ret);
}

static bool read_references(struct bytes b, struct s7_unit *ret)
{
	bytes_be16(&b, &ret->to);
	if (ret->tpdu == TPDU_DR)
		bytes_be16(&b, &ret->from);
	return !b.failed;
}

static bool packets_join(struct bytes pdu, uint8_t *joined, struct s7_unit *ret)
{
	size_t n = 0;

	while (pdu.left > 0) {
		struct packet p;

		if (read_packet(pdu, &p) != FRAME_WHOLE || p.tpdu != TPDU_DT || p.data.left > S7_MESSAGE_MAX - n)
			return false;
		bytes_skip(&pdu, p.length);
		ret->fragments += p.data.left > 0;
		if (n == 0 && pdu.left == 0) { /* a single DT need not be copied */
			ret->message = p.data;
			return true;
		}
		if (joined == NULL)
			return false;
		n += p.data.left;
		bytes_copy(&p.data, joined + (n - p.data.left), p.data.left);
	}
	ret->message = bytes_of(joined, n);
	return true;
}

void s7_unwrap(struct bytes pdu, uint8_t *joined, struct s7_unit *ret)
{
	struct packet p;

	*ret = (struct s7_unit){ .slot = SLOT_UNKNOWN };
	if (read_packet(pdu, &p) != FRAME_WHOLE)
		return;
	ret->tpdu = p.tpdu;
	switch (p.tpdu) {
	case TPDU_CR:
	case TPDU_CC:
		ret->well_formed = read_connection(p.data, ret);
		break;
	case TPDU_DR:
	case TPDU_ER:
		ret->well_formed = read_references(p.data, ret);
		break;
	default:
		ret->well_formed = packets_join(pdu, joined, ret);
		break;
	}
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

/*
 * Recognises the request for a COTP connection of class 0, or its confirmation, with TSAPs or a
 * TPDU size as its first parameter (RFC 1006; RFC 905, 13.3). Remote desktop has neither. Both
 * protocols of Siemens begin like this; the first message over the connection distinguishes them.
 */
static enum recognition connection(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = dir == DIR_C2S ? 0xe0 : 0xd0;

	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 0) || !may_be_be16(&p, 14, 259) || !may_be(&p, 9, 254) ||
	    !may_be(&p, type, type))
		return RECOGNISE_NOT;
	if (dir == DIR_C2S && !may_be_be16(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < (dir == DIR_C2S ? 2u : 4u); i++)
		next_byte(&p); /* references */
	if (!may_be(&p, 0, 0) || !may_be(&p, 0xc0, 0xc2))
		return RECOGNISE_NOT;
	return so_far(&p);
}

enum recognition recognise_s7comm(enum direction dir, struct bytes head)
{
	return connection(dir, head);
}

/* Recognises S7comm-plus by its protocol number 0x72 in the first data (RFC 905, 13.7) of the
 * client. MMS and S7comm open the connection in the same way. */
enum recognition recognise_s7comm_plus(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	enum recognition connects = connection(dir, head);
	uint32_t length;

	if (dir == DIR_S2C || connects != RECOGNISED)
		return connects;
	pass_bytes(&p, 2);
	length = next_number(&p, 2);
	if (length > RECOGNISE_MAX - 8u)
		return RECOGNISE_NOT;
	pass_bytes(&p, length - 4u);
	return may_be(&p, 3, 3) && may_be(&p, 0, 0) && may_be_be16(&p, 8, 65535) && may_be(&p, 2, 2) &&
			       may_be(&p, 0xf0, 0xf0) && may_be(&p, 0x80, 0x80) && may_be(&p, 0x72, 0x72)
		       ? so_far(&p)
		       : RECOGNISE_NOT;
}
