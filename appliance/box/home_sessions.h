/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over a device of the first namespace. A person who administers the machine over this
 * device loses the session when the device is moved. Supervisor only; reads, never changes. Only
 * TCP sessions are listed, because the kernel has no sessions of other transports.
 */
#ifndef SEKISHO_BOX_HOME_SESSIONS_H
#define SEKISHO_BOX_HOME_SESSIONS_H

#include "appliance/base/json.h"
#include "appliance/box/box.h"

#define RIDERS_TOLD 64u /* sessions of one device that are listed; further ones are counted */

/* Whether the device is in the first namespace, and so would be moved. */
bool riders_at_home(const struct box_spaces *s, const char *device);
/*
 * Established sessions with another machine that use the device, or a device above it: their local
 * address is the device's, or their packets leave by the device. [{"local": "192.0.2.1:22", "peer":
 * "192.0.2.7:50412"}], at most RIDERS_TOLD; *more is the number of further sessions. Owned by the
 * caller; NULL: see *e.
 */
json_t *riders_read(const struct box_spaces *s, const char *device, uint64_t *more, struct err *e);

/* ---- pure part, for tests -------------------------------------------------------------------- */
struct rider {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* Reads a line of /proc/net/tcp or tcp6. False: it is not an established session between
 * two machines. */
bool riders_line(const char *line, struct rider *ret);

#endif
