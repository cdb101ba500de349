/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announces the MAC address of an interface to the hosts there, for the box's own addresses and
 * for hosts on other sides for which the box answers. Otherwise hosts would use the MAC address
 * of an earlier box or card, some controllers for 20 minutes. Its socket receives nothing, and is
 * closed at the end.
 */
#ifndef SEKISHO_BOX_ANNOUNCE_H
#define SEKISHO_BOX_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/box/rtnl.h"

struct addr;
struct box_spaces;
struct ir;
struct ir_interface;

/* How many hosts are announced at most, because each announcement is a broadcast. Other hosts find
 * the new MAC address by ARP or neighbour discovery. */
#define ANNOUNCE_MOST 256u
#define ANNOUNCE_FRAME 86u /* bytes of the longest frame */

/*
 * Sends an announcement for each of i->addresses and each host of i->answers: an ARP announcement
 * (RFC 5227, 2.3), or an unsolicited neighbour advertisement with the override flag (RFC 4861,
 * 7.2.6; RFC 6275, 10.4.1). `i` is an interface of `ir`, and `d` its device. 0 or negative errno.
 */
int box_announce(const struct box_spaces *s, const struct ir *ir, const struct ir_interface *i, const struct device *d,
		 struct err *e);
/* Writes the frame for one host, and returns its length. `router`: the host is the box itself.
 * `mac` has 6 bytes. */
size_t announce_frame(const struct addr *host, bool router, const uint8_t *mac, uint8_t ret[ANNOUNCE_FRAME]);

#endif
