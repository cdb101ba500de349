/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over a device of the first namespace. A person who administers the machine over this
 * device loses the session when the device is moved. Reads, never changes. Only TCP sessions are
 * listed, because the kernel has no sessions of other transports.
 */
#ifndef SEKISHO_BOX_HOME_SESSIONS_H
#define SEKISHO_BOX_HOME_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/rtnl.h"

struct box_spaces;

/* sessions of one device that are listed; further ones are counted */
#define HOME_SESSIONS_TOLD 64u

/* Whether the device is in the first namespace, and so would be moved. */
bool device_at_home(const struct box_spaces *s, const char *device);
/*
 * Established sessions with another machine that use the device, or a device above it: their local
 * address is the device's, or their packets leave by the device. [{"local": "192.0.2.1:22", "peer":
 * "192.0.2.7:50412"}], at most HOME_SESSIONS_TOLD; *more is the number of further sessions. Owned
 * by the caller; NULL: see *e.
 */
json_t *home_sessions_read(const struct box_spaces *s, const char *device, uint64_t *more, struct err *e);
struct home_session {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* Reads a line of /proc/net/tcp or tcp6. False: it is not an established session between
 * two machines. */
bool home_session_read(const char *line, struct home_session *ret);

#endif
