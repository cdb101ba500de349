/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a device in the first namespace before the box takes it, and how to restore it. When
 * a device is moved to another namespace, it loses its addresses, routes, permanent neighbours,
 * settings in /proc and its place in a bridge or bond. Devices above it (VLANs, the bridge, the
 * bond) lose what depended on it. Supervisor, and `sekishod --release`.
 *
 * The recorded state is called a picture. It is JSON, which the store keeps unchanged and people
 * can read. Addresses, neighbours and routes are stored as the kernel's own messages (hex), so that
 * attributes unknown to this program are not lost. Each message has a text for people:
 *
 *   {"boot": id of the machine's start,
 *    "wall_ns", "boottime_ns": when it was taken,
 *    "links": [LINK, ...],
 *    "going": true while the device is being given back}
 *   LINK: {"name", "index", "kind", "mac", "mtu", "up", "master": name or null,
 *          "settings": {"ipv4/conf/rp_filter": "1"},
 *          "vlan": {"id", "on": name of the link below} (only for kind "vlan"),
 *          "facts": [{"kind": "address"|"neighbour"|"route", "text", "message",
 *                     "devices": {"3": "eth0"}, "expires_s"}],
 *          "own": the permanent hardware address, if there is one ("mac": the one in use),
 *          "mute": true if its ARP was off,
 *          "more": true when there are more than LOAN_FACTS facts}
 *
 * The first link is the device, the others lie above it. Nothing here writes to the disk.
 */
#ifndef SEKISHO_BOX_LOAN_H
#define SEKISHO_BOX_LOAN_H

#include "appliance/base/json.h"
#include "appliance/box/box.h"

/* most facts of one link. Only a router's device has more; the further ones are lost */
#define LOAN_FACTS 4096u
#define LOAN_LINKS 64u /* the device and what lies above it */

/* The picture of the device in the first namespace; owned by the caller. NULL: *e, -ENODEV when it
 * is not there. */
json_t *loan_read(const struct box_spaces *s, const char *device, struct err *e);
/* Whether the device is down and has no configured address, so that the picture need not
 * be kept. */
bool loan_bare(const json_t *picture);
/*
 * Whether the device name now belongs to another card, judged by the permanent hardware addresses.
 * If a permanent address is unknown, the addresses in use are compared, unless a person or a bond
 * may have set them. In doubt, it counts as the same card.
 */
bool loan_another(const json_t *before, const json_t *now);
/*
 * Gives devices back to the first namespace, wherever they are now, in the state of their pictures.
 * `wanted`: {DEVICE: picture, or null where none is known}. s->data and s->admin may be -1. What a
 * device has already is left alone. Returns an array, owned by the caller:
 *   {"device", "now": its name, "" = it is nowhere,
 *    "was_here": it had come back by itself,
 *    "facts": how many were set, "expired": [text],
 *    "lost": [{"en", "ja"}], empty: it is what it was,
 *    "stuck": it could not be moved, and is where it was}
 * NULL when memory is out.
 */
json_t *loan_give_back(const struct box_spaces *s, const json_t *wanted);
/* Whether these reports (NULL: none) say that the device could not be moved; then its picture is
 * still needed. */
bool loan_stuck(const json_t *reports, const char *device);

#define LOAN_BOOT_ID 40u
/* The boot id of the running machine; "" when the kernel does not give it. */
void loan_boot_id(char out[LOAN_BOOT_ID]);

#endif
