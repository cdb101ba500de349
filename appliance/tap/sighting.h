/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel tells of a device beside the box: which MAC address was heard at which interface, and of which address it said that it is its own. That is
 * all that is known of it: behind a router stands the router's MAC address. Parsers fill it; the tap hands it on to the journal, which keeps the register
 * (appliance/journal/known.h).
 */
#ifndef SEKISHO_TAP_SIGHTING_H
#define SEKISHO_TAP_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"

struct sighting {
	bool is;      /* somebody was heard */
	uint32_t iif; /* interface index in the data namespace */
	uint8_t mac[6];
	struct addr address; /* family 0 = it said none */
};

/* One card's address: neither a group's nor none at all. */
static inline bool sighting_is_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];
	bool zero = true;

	for (unsigned i = 0; i < sizeof(none); i++)
		zero = zero && mac[i] == none[i];
	return !zero && (mac[0] & 1u) == 0;
}

#endif
