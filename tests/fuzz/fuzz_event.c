/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event codec: a record that decodes has exactly one encoding.
 * LINK: appliance/wire/event.c appliance/wire/protocols.c
 * LINK: appliance/base/bytes.c appliance/base/addr.c
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event e;
	uint8_t wire[EVENT_WIRE_MAX];

	if (!event_decode(bytes_of(data, size), &e))
		return 0;
	if (size != event_encode(&e, wire) || memcmp(wire, data, size) != 0)
		abort();
	return 0;
}
