/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets interfaces, addresses, MTU and routes of a generation in the kernel. Supervisor only. There
 * are three namespaces: `home`, where devices are when the box starts, data and admin. Only
 * differences are written, so that an address or route that stays is not removed even for a moment.
 * This module does not decide which traffic passes: devices are down when they are moved, and the
 * caller has loaded the deny base in the data namespace before.
 */
#ifndef SEKISHO_BOX_BOX_H
#define SEKISHO_BOX_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/rtnl.h"
#include "appliance/kernel/small_tables.h"
#include "policy/ir/ir.h"

struct box_spaces {
	int home, data, admin; /* namespace descriptors, borrowed; the process is in `home` */
};

/*
 * Moves every card of `ir` into its namespace, and creates missing VLANs on it. A card that is
 * already there is left alone. If `stays` (may be NULL) returns true for a card at home, the card
 * stays there, without VLANs. -EBUSY: another device at home is above the card, and would stay
 * there and go on using it. The machine's own VLANs on the card are deleted.
 * moved[i], for i below ir->n_interfaces, is set for cards that came from home. Goes on after a
 * failure; returns the first one (negative errno), or 0.
 */
typedef bool box_stays(const void *ctx, const char *device);
int box_claim(const struct box_spaces *s, const struct ir *ir, box_stays *stays, const void *ctx, bool *moved,
	      struct err *e);
/*
 * Whether box_claim and box_set would succeed: every device is in one of the three namespaces, and
 * supports the MTU. Changes nothing. 0 or the first failure, as box_claim reports it.
 */
int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e);
/*
 * Sets addresses, MTU, link state and routes as `ir` says. Interfaces of `before` (or NULL) that
 * are not in `ir` lose their addresses and are taken down. Goes on after a failure, so that one
 * missing device does not affect the others; returns the first failure (negative errno; *e names
 * interface and object), or 0. A failed change is undone by a call with the old `ir`.
 */
int box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e);
/* `where` "interface lan1" (its name in the policy) or "routes", `what` as rtnl_note; texts are
 * valid during the call. */
typedef void box_difference(void *ctx, const char *where, const char *what, const char *detail);
/* As box_set, and calls `each` for every difference, including missing devices. Without `mend`
 * nothing is changed. */
int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e);
/* Whether `device` is in the data or the admin namespace. */
bool box_has(const struct box_spaces *s, const char *device);
/* Writes the kernel index of every interface in its namespace to ret[ir->n_interfaces]; 0 where it
 * is absent. */
int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e);
/* Undoes a box_claim that was made for another policy. `ir` is the policy in force: VLANs that are
 * not in `ir` are deleted, and the cards of `ir` return to their namespaces. */
void box_unclaim(const struct box_spaces *s, const struct ir *ir);
/* How many frames the filter of a card with VLANs has refused since the filter was made. */
uint64_t box_refused(const struct box_spaces *s, const char *card);
/* Called for one interface as it is now. `d` NULL = the device does not exist. `card`: the card of
 * a VLAN, NULL = it does not exist. Addresses are written as "10.0.0.1/24", separated by spaces. */
typedef void box_interface(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
			   const char *addresses);
int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e);
/*
 * Called for each interface that has `answers` in `ir`, with the hosts for which the kernel answers
 * ARP and neighbour discovery there now: ascending ranges, disjoint and not touching; none where
 * the device is gone. Valid during the call.
 */
typedef void box_answered(void *ctx, const struct ir_interface *i, const struct addr_range *list, size_t n);
int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e);
/* Whether the nth interface is the first one on its card. */
bool vlans_first(const struct ir *ir, uint32_t n);
/* Sets the loopback interfaces of both namespaces up. */
int box_loopback(const struct box_spaces *s, struct err *e);

/* A device that belongs to the box but is in no policy: it is kept in the data namespace, down. */

/* Moves the device out of the first namespace. 0, also when the device is not there; or
 * negative errno. */
int box_hold(const struct box_spaces *s, const char *device, struct err *e);

/* Tries the addresses and routes of a generation in empty namespaces. Supervisor only. */

/* Creates two empty namespaces, which exist as long as their descriptors. `home` as in struct
 * box_spaces. 0 or negative errno. */
int scratch_open(int home, struct box_spaces *ret, struct err *e);
/* Whether box_set would succeed; returns what box_set would return. To be called after box_try has
 * succeeded. Changes nothing in the box. */
int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e);

/* ---- links_json.c: for people (docs/json.md) ------------------------------------------------- */

/* The box's links as the kernel has them now. The caller owns the objects; each is null when it
 * cannot be read. */
json_t *box_interfaces_json(const struct box_spaces *s, const struct ir *ir);
/* The hosts for which the kernel answers ARP and neighbour discovery, by interface. */
json_t *box_answering_json(const struct box_spaces *s, const struct ir *ir);
/* The peers that the box may reach from the admin namespace, by the kernel's rules. */
json_t *box_reach_json(const struct box_spaces *s, const struct ir *ir);

/* ---- announce.c ------------------------------------------------------------------------------ */

/*
 * Announces the MAC address of an interface to the hosts there, for the box's own addresses and for
 * hosts on other sides for which the box answers. Otherwise hosts would use the MAC address of an
 * earlier box or card, some controllers for 20 minutes. Its socket receives nothing, and is closed
 * at the end.
 */

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

/* ---- outside.c ------------------------------------------------------------------------------- */

/*
 * Finds ways around our rules in the data and the admin namespace that nf_tables does not show:
 * devices that are not in the policy; bridges and the like over devices of the policy; XDP and tc
 * programs; legacy iptables; policy routing. In the first namespace, finds devices on a card of the
 * box. It reports and never changes anything, because a person has to decide.
 */

/* `each` as for box_compare; `what` is always "foreign". 0, or the first failure: the search is
 * then incomplete. */
int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e);

/* Sets and reads the rules of the admin namespace (kernel/small_tables.h); the process may be in
 * any namespace. */

/* Sets the rules for the peers of `ir`. If `ir` has no admin interface, nothing is admitted. `note`
 * as for plain_table_set. 0 or negative errno. */
int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* Sets rules without peers, if there are no rules yet. */
int box_admin_rules_base(const struct box_spaces *s, struct err *e);
/* Reads the rules of the admin namespace from the kernel. `each` also gets the peer of `ir` that a
 * rule is for. */
int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e);

/* ---- home_sessions.c ------------------------------------------------------------------------- */

/*
 * Sessions over a device of the first namespace. A person who administers the machine over this
 * device loses the session when the device is moved. Reads, never changes. Only TCP sessions are
 * listed, because the kernel has no sessions of other transports.
 */

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

/* ---- pure parts, for tests ------------------------------------------------------------------- */

/* Whether a route belongs to the admin namespace. It belongs to the namespace of its interface, or
 * of the interface whose network contains the gateway; otherwise to data. */
bool box_route_is_admin(const struct ir *ir, const struct ir_route *r);
/* Writes the frame for one host, and returns its length. `router`: the host is the box itself.
 * `mac` has 6 bytes. */
size_t announce_frame(const struct addr *host, bool router, const uint8_t *mac, uint8_t ret[ANNOUNCE_FRAME]);
struct home_session {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* Reads a line of /proc/net/tcp or tcp6. False: it is not an established session between
 * two machines. */
bool home_session_read(const char *line, struct home_session *ret);

#endif
