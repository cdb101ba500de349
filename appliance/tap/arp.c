/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/tap/arp.h"

#include <string.h>

#define ETHERNET 1u
#define IPV4 0x0800u

struct sighting tap_arp(struct bytes packet, uint32_t iif, const uint8_t *frame)
{
	struct sighting ret = { .iif = iif }, none = { 0 };
	uint16_t hardware, protocol;
	uint8_t lengths[2];

	bytes_be16(&packet, &hardware);
	bytes_be16(&packet, &protocol);
	bytes_copy(&packet, lengths, sizeof(lengths));
	bytes_skip(&packet, 2); /* question or answer: who sends either has it from the same place */
	bytes_copy(&packet, ret.mac, sizeof(ret.mac));
	ret.address.family = 4;
	bytes_copy(&packet, ret.address.b, 4);
	if (packet.failed || hardware != ETHERNET || protocol != IPV4 || lengths[0] != 6 || lengths[1] != 4) {
		/* Whatever it says, somebody sent it. */
		if (frame == NULL || !sighting_is_mac(frame) || iif == 0)
			return none;
		memcpy(ret.mac, frame, sizeof(ret.mac));
		ret.address = none.address;
		ret.is = true;
		return ret;
	}
	/* Who still asks whether an address is free has none (RFC 5227). */
	if (memcmp(ret.address.b, none.address.b, 4) == 0)
		ret.address = none.address;
	if (!sighting_is_mac(ret.mac) && frame != NULL)
		memcpy(ret.mac, frame, sizeof(ret.mac));
	ret.is = iif != 0 && sighting_is_mac(ret.mac);
	return ret.is ? ret : none;
}
