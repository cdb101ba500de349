/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that ride on a device of the first namespace: whoever administers the machine over it loses them when it is moved.
 * Supervisor only; reads, never changes. TCP alone: of other transports the kernel knows no session that a person has.
 */
#ifndef SEKISHO_BOX_HOME_SESSIONS_H
#define SEKISHO_BOX_HOME_SESSIONS_H

#include "appliance/base/json.h"
#include "appliance/box/box.h"

#define RIDERS_TOLD 64u /* of one device; how many more there are is counted */

/* Whether the device is in the first namespace, and so would be moved. */
bool riders_at_home(const struct box_spaces *s, const char *device);
/*
 * Established sessions with another machine whose own address is one of the device's or of what lies above it, or whose
 * packets leave by one of these: [{"local": "192.0.2.1:22", "peer": "192.0.2.7:50412"}], at most RIDERS_TOLD; *more is how many are left
 * out. Owned by the caller; NULL: *e.
 */
json_t *riders_read(const struct box_spaces *s, const char *device, uint64_t *more, struct err *e);

/* ---- pure part, for tests ---- */
struct rider {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* A line of /proc/net/tcp or tcp6. False: no established session between two machines. */
bool riders_line(const char *line, struct rider *ret);

#endif
