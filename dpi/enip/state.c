/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the end of a message, and looks up the state of a session. */
#include "dpi/enip/state.h"

#include "dpi/enip/encap.h"

/* A first message that has no effect: no session handle, status 0, no options (Volume 2, 2-4.1).
 * Its data and context may be anything. */
static bool may_do_nothing(struct bytes head)
{
	uint8_t byte;

	for (size_t at = 0; at < ENCAP_HEADER && bytes_u8(&head, &byte); at++)
		if (byte != 0 && ((at >= 4 && at < 12) || at >= 20))
			return false;
	return true;
}

/* Tests each byte as soon as it is there: a flow that cannot be EtherNet/IP ends at the first byte
 * that shows it. */
enum frame_result enip_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	const struct enip_state *s = state;
	struct encap_items items;
	struct bytes whole = head;
	size_t have = head.left;
	uint16_t command, length;
	uint8_t low;

	*ret_len = 0;
	/* a datagram has one such PDU, and nothing after it */
	if (s->datagrams && encap_is_io(head)) {
		*ret_len = have;
		return encap_io(head, &items) ? FRAME_WHOLE : FRAME_BAD;
	}
	if (have < 4) {
		if (have >= 1 && bytes_u8(&head, &low) && !encap_command_known(low))
			return FRAME_BAD;
		if (have >= 2 && bytes_u8(&head, &low) && low != 0)
			return FRAME_BAD;
		return FRAME_NEED_MORE;
	}
	bytes_le16(&head, &command);
	bytes_le16(&head, &length);
	if (!encap_command_known(command) || length > ENIP_PDU_MAX - ENCAP_HEADER)
		return FRAME_BAD;
	if (dir == DIR_C2S && command == ENCAP_NOP && s->session == SESSION_NONE && !s->datagrams &&
	    !may_do_nothing(whole))
		return FRAME_BAD;
	if (have < ENCAP_HEADER + length)
		return FRAME_NEED_MORE;
	if (dir == DIR_S2C && (s->lenient & LENIENT_LISTING) && encap_says_nothing(whole)) {
		*ret_len = have;
		return FRAME_WHOLE;
	}
	*ret_len = ENCAP_HEADER + length;
	return FRAME_WHOLE;
}

const struct enip_connection *enip_connection_out(const struct enip_state *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->n_connections; i++)
		if (s->connections[i].out == number)
			return &s->connections[i];
	return NULL;
}

bool enip_same_opener(const struct enip_opener *a, const struct enip_opener *b)
{
	return a->serial == b->serial && a->connection == b->connection && a->vendor == b->vendor;
}

uint64_t enip_opener_key(const struct enip_opener *o)
{
	return (uint64_t)o->serial << 32 | (uint64_t)o->vendor << 16 | o->connection;
}

const struct enip_connection *enip_connection_of(const struct enip_state *s, const struct enip_opener *opener)
{
	for (uint32_t i = 0; i < s->n_connections; i++)
		if (enip_same_opener(&s->connections[i].opener, opener))
			return &s->connections[i];
	return NULL;
}

bool enip_has_io(const struct enip_state *s, const struct enip_opener *opener)
{
	for (uint32_t i = 0; i < s->n_io; i++)
		if (enip_same_opener(&s->io[i], opener))
			return true;
	return false;
}
