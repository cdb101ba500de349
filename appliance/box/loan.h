/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device of the first namespace is before the box takes it, and giving it back so. Moving a device to another
 * namespace takes from it its addresses, routes, permanent neighbours, settings in /proc and its place in a bridge or bond, and
 * from what lies above it (VLANs, the bridge, the bond) whatever depended on it. Supervisor, and `sekishod --release`.
 *
 * A picture is JSON, so that the store keeps it as it is and people can read it. Addresses, neighbours and routes stand in
 * it as the kernel's own messages (hex), beside a text, so that nothing is lost that this program does not know:
 *
 *   {"boot": id of the machine's start, "wall_ns", "boottime_ns": when it was taken, "links": [LINK, ...],
 *    "going": true while it is being given back (set by whoever does)}
 *   LINK: {"name", "index", "kind", "mac", "mtu", "up", "master": name or null, "settings": {"ipv4/conf/rp_filter": "1"},
 *          "vlan": {"id", "on": name of the link below} (of kind "vlan" alone),
 *          "facts": [{"kind": "address"|"neighbour"|"route", "text", "message", "devices": {"3": "eth0"}, "expires_s"}],
 *          "own": the hardware address that it is born with, if it has one ("mac": the one in use),
 *          "mute": true where its ARP was off,
 *          "more": true when there are more than WAS_FACTS of them}
 *
 * The first link is the device, the others lie above it. Nothing here writes to the disk.
 */
#ifndef SEKISHO_BOX_LOAN_H
#define SEKISHO_BOX_LOAN_H

#include "appliance/base/json.h"
#include "appliance/box/box.h"

#define WAS_FACTS 4096u /* of one link; a device with more routes than that is a router's, and gets back these */
#define WAS_LINKS 64u	/* the device and what lies above it */

/* The device as it is in the first namespace; owned by the caller. NULL: *e, -ENODEV when it is not there. */
json_t *was_read(const struct box_spaces *s, const char *device, struct err *e);
/* Down and without an address that somebody gave it: nothing that a later picture would not have. */
bool was_bare(const json_t *picture);
/* Of another card, which has the name now: by its own hardware address, where it has one. What cannot be told is the same card. */
bool was_another(const json_t *before, const json_t *now);
/*
 * Gives devices back to the first namespace as their pictures have them, wherever they are now: {DEVICE: picture, or null where
 * none is known}. s->data and s->admin may be -1. What is there already is left alone. An array, owned by the caller:
 *   {"device", "now": its name, "" = it is nowhere, "was_here": it had come back by itself, "facts": how many were set,
 *    "expired": [text], "lost": [{"en", "ja"}], "stuck": it could not be moved, and is where it was}
 * An empty "lost" means that it is what it was. NULL when memory is out.
 */
json_t *was_give_back(const struct box_spaces *s, const json_t *wanted);
/* Whether that device stayed where it was, by these reports (NULL: none was made); its picture is needed once more then. */
bool was_stuck(const json_t *reports, const char *device);

#define WAS_BOOT_ID 40u
/* Of this start of the machine; "" when the kernel does not say. */
void was_boot_id(char out[WAS_BOOT_ID]);

#endif
