/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the hosts on a side at which hardware address the box is, and those behind the other sides for whom it answers, from now on: they remember
 * what they had before, of another box or of the cards that it had, some controllers for 20 minutes. Supervisor only; a socket that receives nothing, gone when it is done.
 */
#ifndef SEKISHO_BOX_ANNOUNCE_H
#define SEKISHO_BOX_ANNOUNCE_H

#include "appliance/box/box.h"
#include "appliance/box/devices.h"

/* So many hosts at most, the first: a network has to bear as many broadcasts at once. The others are found when asked for. */
#define ANNOUNCE_MOST 256u
#define ANNOUNCE_FRAME 86u /* bytes of the longer kind */

/*
 * One for each of i->addresses and each host of i->answers, an interface of `ir`, by the device `d`, which is the interface's in its namespace: an ARP announcement (RFC 5227,
 * 2.3), or an unsolicited neighbour advertisement that overrides (RFC 4861, 7.2.6; RFC 6275, 10.4.1). 0 or negative errno.
 */
int box_announce(const struct box_spaces *s, const struct ir *ir, const struct ir_interface *i, const struct device *d,
		 struct err *e);

/* ---- pure part, for tests ---------------------------------------------------------------------------------------- */

/* The frame for one host; the box itself is a router; `mac` has 6 bytes. Returns its length. */
size_t announce_frame(const struct addr *host, bool router, const uint8_t *mac, uint8_t ret[ANNOUNCE_FRAME]);

#endif
