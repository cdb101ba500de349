/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link-layer headers of captures: from a captured frame to the IP packet in it. For replay only;
 * live packets come from the kernel without them. Pure: the result borrows the frame's bytes.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_LINK_H
#define SEKISHO_MGMT_CLI_REPLAY_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

enum link_kind {
	LINK_UNKNOWN = 0,
	LINK_ETHERNET, /* with 802.1Q and QinQ tags, and LLC/SNAP */
	LINK_COOKED,   /* Linux "any" device, version 1 */
	LINK_COOKED2,  /* version 2 */
	LINK_RAW,      /* the IP header comes first */
	/* BSD loopback: four bytes of address family in the capturing machine's order */
	LINK_NULL,
};

/* True when the frame carries IPv4 or IPv6; *ret_ip then starts at the IP header and may end
 * in padding. */
bool link_strip(enum link_kind kind, struct bytes frame, struct bytes *ret_ip);

#endif
