/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All links of a namespace as the kernel has them now: state, counters, and what hangs on them. Supervisor only; reads,
 * never changes.
 */
#ifndef SEKISHO_BOX_DEVICES_H
#define SEKISHO_BOX_DEVICES_H

#include "appliance/box/rtnl.h"

#define DEVICES_MAX 600u /* of one namespace, more than a policy names; more are not looked at, and `more` says so */

struct device {
	uint32_t index, mtu;
	uint32_t master; /* index of what it is a port of (bridge, bond, team, VRF), 0 = nothing */
	uint32_t parent; /* index of what it lies on (VLAN, macvlan); 0 = nothing, or in another namespace */
	char name[16];
	char kind[16];		/* "veth", "bridge"; "" = hardware */
	char above[16];		/* kind of its master */
	uint8_t mac[32], n_mac; /* its hardware address */
	uint8_t own[32], n_own; /* the one that it is born with; 0 = it has none */
	bool elsewhere;		/* what it lies on, or its other end, is in another namespace */
	uint32_t under;		/* index of what it lies on, wherever that is; 0 = nothing */
	int32_t under_nsid;	/* elsewhere: which namespace, by the number that it has in this one */
	uint16_t vlan;		/* kind "vlan": its number */
	bool vlan_plain;	/* kind "vlan": 802.1Q, and does nothing by itself beside carrying frames */
	bool ours;		/* this program made it: RTNL_ALIAS */
	bool up, carrier, loopback, xdp;
	bool mute;	  /* rtnl.h */
	uint32_t changes; /* how often its link came or went, since it is there */
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

struct devices {
	struct device list[DEVICES_MAX];
	size_t n;
	bool more;
};

int devices_read(struct rtnl *r, struct devices *ret, struct err *e);
/* On the link with that index, whatever its kind but the other end of a pair; nsid -1: of the same namespace, else of the one with that number. */
bool device_is_on(const struct device *d, uint32_t index, int32_t nsid);
/* The same of a VLAN. */
bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid);
const struct device *devices_find(const struct devices *d, const char *name); /* NULL = not there */
const struct device *devices_at(const struct devices *d, uint32_t index);
/*
 * Something on that link, in its namespace, that would go on over it from there when the link has gone, and that was_give_back could not
 * make anew: not a plain VLAN, nor only those. NULL = there is none.
 */
const struct device *devices_stays(const struct devices *d, uint32_t index);
/* Two devices that are each other's other end. */
bool device_is_pair(const struct device *d);

#endif
